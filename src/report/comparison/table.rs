//! A comparison as one table, for spreadsheets.

use super::Comparison;
use super::discrepancies::{Discrepancy, Side};
use super::spend::Group;
use crate::report::content::table::{Cell, Column, Kind, Table, column};
use crate::report::content::tables;

const COLUMNS: &[Column] = &[
    column("kind", Kind::Text),
    column("state", Kind::Text),
    column("workflow_id", Kind::Code),
    column("revision_id", Kind::Code),
    column("currency", Kind::Text),
    column("run_order_id", Kind::Id),
    column("check", Kind::Code),
    column("discrepancy_id", Kind::Key),
    column("old", Kind::Amount),
    column("new", Kind::Amount),
    column("difference", Kind::Amount),
    column("change_percent", Kind::Percent),
    column("share_percent", Kind::Percent),
    column("field", Kind::Code),
];

/// The whole comparison, one row per discrepancy and per group of spend.
#[must_use]
pub fn table(comparison: &Comparison) -> Table<'_> {
    let spend = &comparison.spend;
    let by_workflow = spend.by_workflow.iter().map(|group| of_group("spend-by-workflow", group));
    let by_revision = spend.by_revision.iter().map(|group| of_group("spend-by-revision", group));
    let rows = comparison.discrepancies.iter().map(of_discrepancy).chain(by_workflow).chain(by_revision);
    Table { name: "comparison", columns: COLUMNS, rows: Box::new(rows) }
}

fn of_discrepancy(row: &Discrepancy) -> Vec<Cell<'_>> {
    let (old, new) = (row.old.as_ref(), row.new.as_ref());
    let currency = new.or(old).map_or("", |side| &*side.currency);
    let difference = |side: Option<&Side>| side.and_then(|side| side.difference);
    // The difference of two sums may be one digit too long for a sum: then none is shown.
    let moved = difference(old).zip(difference(new)).and_then(|(old, new)| new.minus(old).ok());
    vec![
        Cell::text("discrepancy"),
        Cell::text(row.state.code()),
        Cell::text(&row.workflow_id),
        Cell::text(&row.revision_id),
        Cell::text(currency),
        Cell::text(&row.run_order_id),
        Cell::text(&row.check),
        Cell::text(&row.discrepancy_id),
        figure(old),
        figure(new),
        moved.map_or(Cell::Empty, Cell::Amount),
        Cell::Empty,
        Cell::Empty,
        Cell::text(&row.field),
    ]
}

/// The difference, or what the reply said where there is none.
fn figure(side: Option<&Side>) -> Cell<'_> {
    side.map_or(Cell::Empty, |side| side.difference.map_or_else(|| tables::figure(&side.actual), Cell::Amount))
}

fn of_group<'c>(kind: &'c str, group: &'c Group) -> Vec<Cell<'c>> {
    let movement = &group.movement;
    vec![
        Cell::text(kind),
        Cell::text(group.state.code()),
        Cell::text(&group.workflow_id),
        Cell::optional(group.revision_id.as_deref()),
        Cell::text(&group.currency),
        Cell::Empty,
        Cell::Empty,
        Cell::Empty,
        Cell::Amount(movement.old.final_amount),
        Cell::Amount(movement.new.final_amount),
        Cell::Amount(movement.movement),
        movement.change_percent.map_or(Cell::Empty, Cell::Percent),
        group.share_percent.map_or(Cell::Empty, Cell::Percent),
        Cell::Empty,
    ]
}
