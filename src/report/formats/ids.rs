//! The CSV that `discover` writes and `reconcile` reads, with one row per listed order.

use std::io::Write;

use super::csv;
use crate::domain::listed::{LIST_COLUMNS, LIST_END, ListedOrder};
use crate::domain::money::Amount;
use crate::report::ReportError;
use crate::report::content::table::{Cell, Column, Kind, Table, column};

const COLUMNS: &[Column] = &[
    column(LIST_COLUMNS[0], Kind::Text),
    column(LIST_COLUMNS[1], Kind::Text),
    column(LIST_COLUMNS[2], Kind::Text),
    column(LIST_COLUMNS[3], Kind::Text),
    column(LIST_COLUMNS[4], Kind::Text),
    column(LIST_COLUMNS[5], Kind::Amount),
    column(LIST_COLUMNS[6], Kind::Amount),
    column(LIST_COLUMNS[7], Kind::Time),
];

/// Writes the orders sorted by creation time and then ID, those without a time last, and returns their
/// number. The last line has that number, and how many orders are `missing` from the provider's list (`None`
/// if unknown).
///
/// # Errors
/// If the output can't be written.
pub fn write(mut orders: Vec<&ListedOrder>, missing: Option<u64>, mut out: impl Write) -> Result<u64, ReportError> {
    orders.sort_unstable_by_key(|order| (order.created_at.is_none(), order.created_at, &order.run_order_id));
    let table = Table { name: "ids", columns: COLUMNS, rows: Box::new(orders.into_iter().map(row)) };
    let written = csv::write(table, csv::Encoding::Utf8, &mut out)?;
    let missing = missing.map_or_else(|| "unknown".to_owned(), |missing| missing.to_string());
    let ended = writeln!(out, "{LIST_END},{written},{missing}").and_then(|()| out.flush());
    ended.map_err(|error| ReportError::Csv { table: "ids", source: error.into() })?;
    Ok(written)
}

fn row(order: &ListedOrder) -> Vec<Cell<'_>> {
    let amount = |amount: Option<Amount>| amount.map_or(Cell::Empty, |amount| Cell::Amount(amount.into()));
    vec![
        Cell::text(&order.run_order_id),
        Cell::optional(order.workflow_id.as_deref()),
        Cell::optional(order.revision_id.as_deref()),
        Cell::optional(order.title.as_deref()),
        Cell::optional(order.run_status.as_deref()),
        amount(order.quote_amount),
        amount(order.final_amount),
        order.created_at.map_or(Cell::Empty, Cell::Time),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(id: &str, created_at: Option<&str>) -> ListedOrder {
        ListedOrder {
            run_order_id: id.into(),
            workflow_id: Some("wf_1".into()),
            revision_id: None,
            title: Some("=SUM(A1), a \"fox\"\n🦊".into()),
            run_status: Some("succeeded".into()),
            quote_amount: Amount::from_units(3_000_000),
            final_amount: None,
            created_at: created_at.map(|time| time.parse().expect("a time")),
            is_unreadable: false,
        }
    }

    #[test]
    fn rows_are_sorted_by_creation_and_titles_are_made_harmless() {
        let orders = [
            order("wfrun_d", None),
            order("wfrun_c", Some("2026-05-01T08:00:00+08:00")),
            order("wfrun_b", Some("2026-05-08T10:00:00.5Z")),
            order("wfrun_a", Some("2026-05-01T00:00:00Z")),
        ];
        let mut out = Vec::new();
        assert_eq!(write(orders.iter().collect(), Some(2), &mut out).expect("a vector takes everything"), 4);
        let middle = "wf_1,,\"'=SUM(A1), a \"\"fox\"\"\u{fffd}🦊\",succeeded,0.03000000,";
        let expected = format!(
            "run_order_id,workflow_id,revision_id,title,run_status,quote_amount,final_amount,created_at\n\
             wfrun_a,{middle},2026-05-01T00:00:00Z\nwfrun_c,{middle},2026-05-01T00:00:00Z\n\
             wfrun_b,{middle},2026-05-08T10:00:00.5Z\nwfrun_d,{middle},\n\
             #tieout-end,4,2\n"
        );
        assert_eq!(String::from_utf8(out).expect("UTF-8"), expected);
    }
}
