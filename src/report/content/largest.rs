//! Where the money went: the figures of a table of spend that charts show, by currency, the largest first.

use std::collections::BTreeMap;

use super::table::{Cell, Column};
use crate::domain::money::Sum;

/// How many figures a chart shows at most.
pub(in crate::report) const MOST_SHOWN: usize = 10;
/// The column whose figures are shown: what was charged.
const SHOWN: &str = "final_amount";

/// What one row of a table spent.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::report) struct Spent {
    /// The currency; empty where orders have none.
    pub(in crate::report) currency: String,
    /// What names the row: the last of what it is grouped by.
    pub(in crate::report) key: String,
    /// What was charged.
    pub(in crate::report) amount: Sum,
}

/// The column that names the rows of a table of spend: the last one before the currency.
pub(in crate::report) fn key_of(columns: &[Column]) -> Option<usize> {
    columns.iter().position(|column| column.name == "currency")?.checked_sub(1)
}

/// What each row of a table of spend spent.
pub(in crate::report) fn spent<'c>(columns: &[Column], rows: impl IntoIterator<Item: AsRef<[Cell<'c>]>>) -> Vec<Spent> {
    let amount = columns.iter().position(|column| column.name == SHOWN);
    let Some((key, amount)) = key_of(columns).zip(amount) else {
        return Vec::new();
    };
    let spent = rows.into_iter().filter_map(|row| match (&row.as_ref()[key..=key + 1], &row.as_ref()[amount]) {
        ([Cell::Text(key), Cell::Text(currency)], Cell::Amount(amount)) => {
            Some(Spent { currency: currency.to_string(), key: key.to_string(), amount: *amount })
        }
        _ => None,
    });
    spent.collect()
}

/// The figures of each currency, in the order of their rows: no figure crosses currencies.
pub(in crate::report) fn by_currency(spent: &[Spent]) -> BTreeMap<&str, Vec<&Spent>> {
    let mut found = BTreeMap::<&str, Vec<&Spent>>::new();
    for spent in spent {
        found.entry(&spent.currency).or_default().push(spent);
    }
    found
}

/// The largest first; of two that spent the same, in the order of their names.
pub(in crate::report) fn ranked(mut figures: Vec<&Spent>) -> Vec<&Spent> {
    figures.sort_by(|one, other| other.amount.cmp(&one.amount).then_with(|| one.key.cmp(&other.key)));
    figures
}
