//! Our own books beside the provider's: both totals and their difference, row by row.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Summary;
use crate::checks::{EXPECTED_MISMATCH, power_of_ten};
use crate::domain::books::{self, Booking, Entry, Field};
use crate::domain::finding::{Figure, Finding};
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

/// What all rows of one column of our books that are not what the provider says have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnCause {
    /// The cause of each of them.
    pub cause: &'static str,
    /// How many rows that is.
    pub rows: u64,
    /// Our figures are the provider's times this power of ten, where that is the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_of_ten: Option<i8>,
}

/// What the mismatches of our books have in common, by field; `None` for a field where they have nothing in common.
#[derive(Clone, Debug, Default)]
pub struct ColumnCauses(BTreeMap<&'static str, Option<ColumnCause>>);

impl ColumnCauses {
    pub(super) fn add(&mut self, finding: &Finding) {
        let Some(field) = finding.subject.field.filter(|_| finding.check == EXPECTED_MISMATCH) else {
            return;
        };
        let power_of_ten = match (&finding.expected, &finding.actual) {
            (Figure::Money(ours), Figure::Money(provider)) => power_of_ten(*ours, *provider),
            _ => None,
        };
        let first = finding.cause.map(|cause| ColumnCause { cause, rows: 0, power_of_ten });
        let common = self.0.entry(field).or_insert(first);
        *common = common
            .filter(|common| {
                first.is_some_and(|first| (first.cause, power_of_ten) == (common.cause, common.power_of_ten))
            })
            .map(|common| ColumnCause { rows: common.rows + 1, ..common });
    }

    /// The columns whose mismatches, several of them, all have one cause.
    #[must_use]
    pub fn of_columns(&self) -> BTreeMap<&'static str, ColumnCause> {
        self.0.iter().filter_map(|(field, cause)| Some((*field, cause.filter(|cause| cause.rows > 1)?))).collect()
    }
}

/// The totals of every amount that is compared, by its name.
pub type Books = BTreeMap<&'static str, BookTotals>;
