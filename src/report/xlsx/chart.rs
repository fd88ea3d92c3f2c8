//! Where the money went: the workflows that spent most, in each currency.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::domain::money::Sum;
use crate::report::table::{Cell, Table};

/// How many workflows a chart shows.
const SHOWN: usize = 10;

/// The largest workflows of one currency.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Largest {
    /// The currency; empty where orders have none.
    pub(super) currency: String,
    /// How many workflows there are in it.
    pub(super) all: usize,
    /// The workflows that spent most, with what they spent.
    pub(super) shown: Vec<(String, Sum)>,
}

/// The largest workflows of each currency, from the table of spend by workflow.
pub(super) fn largest(table: Table<'_>) -> Vec<Largest> {
    let place = |name: &str| table.columns.iter().position(|column| column.name == name);
    let (Some(workflow), Some(currency), Some(spent)) =
        (place("workflow_id"), place("currency"), place("final_amount"))
    else {
        return Vec::new();
    };
    let mut found = BTreeMap::<String, Vec<(String, Sum)>>::new();
    for row in table.rows {
        if let (Cell::Text(workflow), Cell::Text(currency), Cell::Amount(spent)) =
            (&row[workflow], &row[currency], &row[spent])
        {
            found.entry(currency.to_string()).or_default().push((workflow.to_string(), *spent));
        }
    }
    let largest = found.into_iter().map(|(currency, mut workflows)| {
        let all = workflows.len();
        // Stable: of two that spent the same, the first in the table stays the first.
        workflows.sort_by_key(|(_, spent)| Reverse(*spent));
        workflows.truncate(SHOWN);
        Largest { currency, all, shown: workflows }
    });
    largest.collect()
}
