//! Our own books beside the provider's: both totals and their difference, row by row.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Summary;
use crate::domain::books::{self, Booking, Entry, Field};
use crate::domain::money::{Overflow, Sum};
use crate::domain::order::RunOrder;

/// The totals of one amount in both books.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BookTotals {
    /// The sum of our column, over every row that has a readable amount, whatever became of its order.
    pub ours: Sum,
    /// The sum of what the provider says of the orders that were fetched, each once.
    pub provider: Sum,
    /// The provider's less ours.
    pub difference: Sum,
    /// Our rows that have no amount, or none that can be read.
    pub without_amount: u64,
}

impl BookTotals {
    fn add(&mut self, ours: Sum, provider: Sum) -> Result<(), Overflow> {
        self.ours = self.ours.plus(ours)?;
        self.provider = self.provider.plus(provider)?;
        self.difference = self.provider.minus(self.ours)?;
        Ok(())
    }
}

impl Summary {
    /// Takes in every row of our books that carries one order, and the order where it was fetched and is that order.
    /// Amounts count in the currency that their row names, else in that of their sign, else in the order's, else in `usual`.
    ///
    /// # Errors
    /// [`Overflow`] past 38 digits.
    pub fn add_bookings(
        &mut self,
        bookings: &[Booking],
        order: Option<&RunOrder>,
        usual: Option<&str>,
    ) -> Result<(), Overflow> {
        let of_order = order.and_then(|order| order.quote_currency.as_deref()).or(usual).unwrap_or_default();
        for field in Field::ALL.into_iter().filter(|field| field.is_amount()) {
            for booking in bookings {
                let currency = match (booking.currency(), booking.sign(field)) {
                    (Some(code), _) if code == books::currency(of_order) => of_order.to_owned(),
                    (Some(code), _) => code,
                    (_, Some(sign)) if !sign.is_of(of_order) => sign.usual().to_owned(),
                    _ => of_order.to_owned(),
                };
                match booking.entry(field) {
                    None => {}
                    Some(Entry::Amount(ours)) => self.book(currency, field).add(ours.into(), Sum::ZERO)?,
                    Some(_) => self.book(currency, field).without_amount += 1,
                }
            }
            let is_compared = bookings.first().is_some_and(|booking| booking.cells.contains_key(&field));
            if let (true, Some(order)) = (is_compared, order) {
                let provider = field.amount_of(&order.amounts).unwrap_or_default();
                self.book(of_order.to_owned(), field).add(Sum::ZERO, provider.into())?;
            }
        }
        Ok(())
    }

    fn book(&mut self, currency: String, field: Field) -> &mut BookTotals {
        self.currencies.entry(currency).or_default().books.entry(field.name()).or_default()
    }
}

/// The totals of every amount that is compared, by its name.
pub type Books = BTreeMap<&'static str, BookTotals>;
