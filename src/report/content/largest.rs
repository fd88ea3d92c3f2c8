//! The figures that charts of spend show: the charged amount of each row, by currency, the largest first.

use std::collections::BTreeMap;

use super::table::{Cell, Column};
use crate::domain::money::Sum;

/// The most figures that a chart shows.
pub(in crate::report) const MOST_SHOWN: usize = 10;
/// The column whose figures charts show: the charged amount.
const CHARTED_COLUMN: &str = "final_amount";

/// The charged amount in one row of a spend table.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::report) struct SpendFigure {
    /// The currency; empty where orders have none.
    pub(in crate::report) currency: String,
    /// The row's last grouping key: its workflow, revision or day.
    pub(in crate::report) key: String,
    /// The sum of the charges.
    pub(in crate::report) amount: Sum,
}

/// The index of the last grouping column of a spend table, which is the one before `currency`.
pub(in crate::report) fn key_of(columns: &[Column]) -> Option<usize> {
    columns.iter().position(|column| column.name == "currency")?.checked_sub(1)
}

/// The charged amounts of a spend table, in the order of its rows.
pub(in crate::report) fn spend_figures<'c>(
    columns: &[Column],
    rows: impl IntoIterator<Item: AsRef<[Cell<'c>]>>,
) -> Vec<SpendFigure> {
    let amount = columns.iter().position(|column| column.name == CHARTED_COLUMN);
    let Some((key, amount)) = key_of(columns).zip(amount) else {
        return Vec::new();
    };
    let figures = rows.into_iter().filter_map(|row| match (&row.as_ref()[key..=key + 1], &row.as_ref()[amount]) {
        ([Cell::Text(key), Cell::Text(currency)], Cell::Amount(amount)) => {
            Some(SpendFigure { currency: currency.to_string(), key: key.to_string(), amount: *amount })
        }
        _ => None,
    });
    figures.collect()
}

/// Groups the amounts by currency and keeps the order of the rows within each.
pub(in crate::report) fn by_currency(figures: &[SpendFigure]) -> BTreeMap<&str, Vec<&SpendFigure>> {
    let mut found = BTreeMap::<&str, Vec<&SpendFigure>>::new();
    for figure in figures {
        found.entry(&figure.currency).or_default().push(figure);
    }
    found
}

/// Sorts the largest amount first, and equal amounts by key.
pub(in crate::report) fn largest_first(mut figures: Vec<&SpendFigure>) -> Vec<&SpendFigure> {
    figures.sort_by(|one, other| other.amount.cmp(&one.amount).then_with(|| one.key.cmp(&other.key)));
    figures
}
