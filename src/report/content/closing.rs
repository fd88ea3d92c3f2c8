//! What a close adds to a report: the roll-forward of pending orders, and the adjustments of months that are closed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::list::{List, ListRow, RowReader, RowWriter};
use super::table::{Cell, Column, Kind, Table, column};
use super::tables::{AMOUNT_COLUMNS, joined};
use crate::domain::money::Sum;
use crate::domain::month::Month;
use crate::domain::order::Amounts;
use crate::domain::time::from_microsecond;
use crate::summary::{Adjustment, AdjustmentTotals, Change, FrozenTotals, RollForward};

/// What a later observation changes in a month that is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdjustmentRow {
    /// The ID of the order.
    pub run_order_id: String,
    /// The month; `None` for an order without a creation time.
    pub month: Option<Month>,
    /// When the order was created, as far as it is known now.
    pub created_at: Option<Timestamp>,
    /// What changed, and by how much.
    pub adjustment: Adjustment,
}

/// The adjustments of a month in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MonthAdjustments {
    /// The month; `None` for orders without a creation time.
    pub month: Option<Month>,
    /// The currency, empty for orders without one.
    pub currency: String,
    /// What changed in it.
    #[serde(flatten)]
    pub totals: AdjustmentTotals,
}

const ROLL_FORWARD_COLUMNS: &[Column] = &[
    column("currency", Kind::Text),
    column("line", Kind::Word("report-line")),
    column("orders", Kind::Integer),
    column("quote_amount", Kind::Amount),
];

const ADJUSTMENT_COLUMNS: &[Column; 14] = &joined([
    &[
        column("run_order_id", Kind::Id),
        column("month", Kind::Code),
        column("workflow_id", Kind::Code),
        column("revision_id", Kind::Code).extra(),
        column("currency", Kind::Text),
        column("change", Kind::Word("report-change")),
    ],
    &AMOUNT_COLUMNS,
    &[column("pending_quote", Kind::Amount), column("created_at", Kind::Time)],
]);

const BY_MONTH_COLUMNS: &[Column; 10] = &joined([
    &[column("month", Kind::Code), column("currency", Kind::Text), column("orders", Kind::Integer)],
    &AMOUNT_COLUMNS,
    &[column("pending_quote", Kind::Amount)],
]);

/// A line of a roll-forward: its code, how many orders (`None` where only their quotes change), and the sum of quotes.
pub type Line = (&'static str, Option<u64>, Sum);

/// The lines of a roll-forward.
#[must_use]
pub fn lines(of: &RollForward) -> [Line; 8] {
    let line = |code, totals: FrozenTotals| (code, Some(totals.orders), totals.quote_amount);
    [
        line("pending_at_open", of.pending_at_open),
        line("new", of.new),
        line("late", of.late),
        line("reopened", of.reopened),
        ("requoted", None, of.requoted),
        line("settled", of.settled),
        line("gone", of.gone),
        line("pending_at_close", of.pending_at_close),
    ]
}

/// `roll_forward.csv`: how what was pending at the previous close became what is pending at this one, by currency.
pub fn roll_forward(by_currency: &BTreeMap<String, RollForward>) -> Table<'_> {
    let rows = by_currency.iter().flat_map(|(currency, of)| {
        lines(of).map(|(code, orders, quotes)| {
            vec![Cell::text(currency), Cell::text(code), orders.map_or(Cell::Empty, Cell::count), Cell::Amount(quotes)]
        })
    });
    Table { name: "roll_forward", columns: ROLL_FORWARD_COLUMNS, rows: Box::new(rows) }
}

/// `adjustments.csv`: what later observations change in months that are closed, by day and order.
pub fn adjustments(adjustments: &List<AdjustmentRow>) -> Table<'_> {
    let rows = adjustments.iter().map(|row| {
        let Adjustment { change, workflow_id, revision_id, currency, amounts, pending_quote } = row.adjustment;
        let text = |text: Option<String>| text.map_or(Cell::Empty, Cell::owned);
        let place =
            [Cell::owned(row.run_order_id), month(row.month), text(workflow_id), text(revision_id), text(currency)];
        place
            .into_iter()
            .chain([Cell::text(change.code())])
            .chain(amounts.map(Cell::Amount))
            .chain([Cell::Amount(pending_quote), row.created_at.map_or(Cell::Empty, Cell::Time)])
            .collect()
    });
    Table { name: "adjustments", columns: ADJUSTMENT_COLUMNS, rows: Box::new(rows) }
}

/// `adjustments_by_month.csv`: the sums of the adjustments.
pub fn adjustments_by_month(by_month: &[MonthAdjustments]) -> Table<'_> {
    let rows = by_month.iter().map(|MonthAdjustments { month: of, currency, totals }| {
        let amounts = Amounts::NAMES.map(|name| Cell::Amount(totals.amounts.get(name).copied().unwrap_or_default()));
        [month(*of), Cell::text(currency), Cell::count(totals.orders)]
            .into_iter()
            .chain(amounts)
            .chain([Cell::Amount(totals.pending_quote)])
            .collect()
    });
    Table { name: "adjustments_by_month", columns: BY_MONTH_COLUMNS, rows: Box::new(rows) }
}

fn month<'a>(month: Option<Month>) -> Cell<'a> {
    month.map_or(Cell::Empty, |month| Cell::owned(month.to_string()))
}

impl ListRow for AdjustmentRow {
    fn write(&self, to: &mut RowWriter<'_>) {
        let Adjustment { change, workflow_id, revision_id, currency, amounts, pending_quote } = &self.adjustment;
        to.text(&self.run_order_id);
        to.option(self.month, |to, month| to.text(&month.to_string()));
        to.option(self.created_at, |to, time| to.number(time.as_microsecond().into()));
        to.word(change.code());
        [workflow_id, revision_id, currency].into_iter().for_each(|text| to.option(text.as_deref(), RowWriter::text));
        amounts.iter().chain([pending_quote]).for_each(|sum| to.number(sum.units()));
    }

    fn read(from: &mut RowReader<'_>) -> Option<Self> {
        let run_order_id = from.text()?;
        let month = from.option(|from| from.text()?.parse().ok())?;
        let created_at = from.option(|from| from_microsecond(from.number()?.try_into().ok()?))?;
        let code = from.word()?;
        let change = Change::ALL.into_iter().find(|change| change.code() == code)?;
        let mut text = || from.option(RowReader::text);
        let (workflow_id, revision_id, currency) = (text()?, text()?, text()?);
        let mut amounts = [Sum::ZERO; Amounts::NAMES.len()];
        for amount in &mut amounts {
            *amount = Sum::from_units(from.number()?).ok()?;
        }
        let pending_quote = Sum::from_units(from.number()?).ok()?;
        let adjustment = Adjustment { change, workflow_id, revision_id, currency, amounts, pending_quote };
        Some(Self { run_order_id, month, created_at, adjustment })
    }
}
