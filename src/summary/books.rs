//! The totals of our own books and of the provider's, and their difference.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Summary;
use crate::checks::{EXPECTED_MISMATCH, power_of_ten};
use crate::domain::books::{self, Booking, Entry, Field};
use crate::domain::finding::{Figure, Finding};
use crate::domain::money::{Overflow, Sum};
use crate::domain::order::RunOrder;

/// The totals of one amount in our own books and in the provider's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BookTotals {
    /// The sum of our column over every row with a readable amount, whatever its order's outcome.
    pub ours: Sum,
    /// The sum of the provider's amounts over the orders that were fetched, each once.
    pub provider: Sum,
    /// The provider's sum minus ours.
    pub difference: Sum,
    /// How many of our rows have no amount, or one that can't be read.
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
    /// Adds every row of our books that carries one order. `order` is the order itself, unless it was not
    /// fetched or the reply is foreign. The order's currency, or `default_currency` without one, applies to amounts
    /// whose row names no currency and that have no sign of a different one.
    ///
    /// # Errors
    /// [`Overflow`] beyond 38 digits.
    pub fn add_bookings(
        &mut self,
        bookings: &[Booking],
        order: Option<&RunOrder>,
        default_currency: Option<&str>,
    ) -> Result<(), Overflow> {
        let of_order = order.and_then(|order| order.quote_currency.as_deref()).or(default_currency).unwrap_or_default();
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

/// The cause that all mismatches in one column of our books share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnCause {
    /// The shared cause, as a stable kebab-case word.
    pub cause: &'static str,
    /// How many rows it is the cause of.
    pub rows: u64,
    /// The k for which our figures are the provider's times 10^k, if that is the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power_of_ten: Option<i8>,
}

/// The shared cause of our books' mismatches by field; `None` for a field whose mismatches share none.
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

    /// The columns with several mismatches that all have the same cause, by field.
    #[must_use]
    pub fn of_columns(&self) -> BTreeMap<&'static str, ColumnCause> {
        self.0.iter().filter_map(|(field, cause)| Some((*field, cause.filter(|cause| cause.rows > 1)?))).collect()
    }
}

/// The totals of every compared amount, by the provider's name of its field.
pub type Books = BTreeMap<&'static str, BookTotals>;
