//! The tables of a report: their columns, and how each row is made. The output formats add nothing to them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::list::List;
use super::particulars::Particulars;
use super::table::{Cell, Column, Kind, Table, column};
use crate::checks::{Figures, Waiver, WaiverKey, WaiverState, Waivers};
use crate::domain::finding::{Finding, PastFinding, Subject};
use crate::domain::money::Sum;
use crate::domain::outcome::Bucket;
use crate::report::evidence::spend::SpendRow;
use crate::summary::{AgeBucket, age_hours};

/// One failed check of one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discrepancy {
    /// The line in the input; `None` for an order that the input lacks, or of a dataset.
    pub line: Option<u64>,
    /// The ID of the requested order.
    pub run_order_id: String,
    /// The order's details, from the reply.
    pub order: Particulars,
    /// The failed check.
    pub finding: Finding,
    /// Whether it was also found when the order was last judged; `None` if that is not known.
    pub is_persisting: Option<bool>,
}

impl Discrepancy {
    /// The discrepancy as the state remembers it for later runs.
    #[must_use]
    pub fn past(&self) -> PastFinding {
        let finding = &self.finding;
        PastFinding {
            discrepancy_id: discrepancy_id(&self.run_order_id, finding.check, finding.subject),
            run_order_id: self.run_order_id.clone(),
            check: finding.check.to_owned(),
            field: finding.subject.field.map(str::to_owned),
            row: finding.subject.row,
            severity: finding.severity.code().to_owned(),
            currency: self.order.quote_currency.clone(),
            expected: finding.expected.to_string(),
            actual: finding.actual.to_string(),
            difference: finding.difference.map(|difference| difference.to_string()),
        }
    }
}

/// A discrepancy that was found when its order was last judged and is now resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedFinding {
    /// The order's line in the input.
    pub line: u64,
    /// The earlier finding.
    pub finding: PastFinding,
}

/// One unsettled order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingOrder {
    /// The order's line in the input; `None` if it comes from a dataset.
    pub line: Option<u64>,
    /// The ID of the requested order.
    pub run_order_id: String,
    /// The order's details, from the reply.
    pub order: Particulars,
}

/// One row without an order to judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The row's line in the input; `None` if it comes from a dataset.
    pub line: Option<u64>,
    /// The order ID, or the text in the ID column where it is not a usable ID.
    pub run_order_id: String,
    /// The bucket that counts the row.
    pub bucket: Bucket,
    /// The reason, as a stable code.
    pub reason: String,
    /// The reason in words, in part from outside; may be empty.
    pub detail: String,
}

/// The columns of `discrepancies.csv`.
const DISCREPANCY_COLUMNS: &[Column] = &[
    column("run_order_id", Kind::Id),
    column("input_line", Kind::Integer),
    column("workflow_id", Kind::Code).extra(),
    column("revision_id", Kind::Code).extra(),
    column("check", Kind::Code),
    column("severity", Kind::Severity),
    column("cause", Kind::Code),
    column("currency", Kind::Text),
    column("expected", Kind::Amount),
    column("actual", Kind::Amount),
    column("difference", Kind::Amount),
    column("waived", Kind::Flag),
    column("lifecycle", Kind::Word("report-lifecycle")),
    column("run_status", Kind::Text).extra(),
    column("settlement_status", Kind::Text).extra(),
    column("created_at", Kind::Time).extra(),
    column("updated_at", Kind::Time).extra(),
    column("message", Kind::Sentence).extra(),
    column("discrepancy_id", Kind::Key).extra(),
    column("field", Kind::Code),
];

const RESOLVED_COLUMNS: &[Column] = &[
    column("run_order_id", Kind::Id),
    column("input_line", Kind::Integer),
    column("check", Kind::Code),
    column("severity", Kind::Severity),
    column("currency", Kind::Text),
    column("expected", Kind::Amount),
    column("actual", Kind::Amount),
    column("difference", Kind::Amount),
    column("discrepancy_id", Kind::Key),
    column("field", Kind::Code),
];

const PENDING_COLUMNS: &[Column] = &[
    column("run_order_id", Kind::Id),
    column("input_line", Kind::Integer),
    column("workflow_id", Kind::Code),
    column("revision_id", Kind::Code).extra(),
    column("currency", Kind::Text),
    column("quote_amount", Kind::Amount),
    column("run_status", Kind::Text),
    column("settlement_status", Kind::Text),
    column("freeze_status", Kind::Text),
    column("created_at", Kind::Time),
    column("age_hours", Kind::Integer),
    column("age_bucket", Kind::Word("report-age")),
];

const EXCEPTION_COLUMNS: &[Column] = &[
    column("run_order_id", Kind::Id),
    column("input_line", Kind::Integer),
    column("bucket", Kind::Bucket),
    column("reason", Kind::Text),
    column("detail", Kind::Sentence),
];

const WAIVER_COLUMNS: &[Column] = &[
    column("run_order_id", Kind::Id),
    column("check", Kind::Code),
    column("state", Kind::Word("report-state")),
    column("difference", Kind::Amount),
    column("expected", Kind::Amount),
    column("actual", Kind::Amount),
    column("expires", Kind::Text),
    column("owner", Kind::Text),
    column("reason", Kind::Text),
    column("field", Kind::Code),
    column("row", Kind::Integer),
];

const WORKFLOW: Column = column("workflow_id", Kind::Code);
const REVISION: Column = column("revision_id", Kind::Code);
const DAY: Column = column("day", Kind::Code);
const SPEND_BY_WORKFLOW_COLUMNS: &[Column; 17] = &joined([&[WORKFLOW], &SPEND_MEASURES]);
const SPEND_BY_REVISION_COLUMNS: &[Column; 18] = &joined([&[WORKFLOW, REVISION], &SPEND_MEASURES]);
const SPEND_BY_DAY_COLUMNS: &[Column; 17] = &joined([&[DAY], &SPEND_MEASURES]);

/// The six amounts, in the order of `Amounts::NAMES`.
pub(super) const AMOUNT_COLUMNS: [Column; 6] = [
    column("quote_amount", Kind::Amount),
    column("final_amount", Kind::Amount),
    column("released_amount", Kind::Amount),
    column("compute_cost", Kind::Amount).extra(),
    column("external_model_cost", Kind::Amount).extra(),
    column("total_cost", Kind::Amount),
];

const SPEND_MEASURES: [Column; 16] = joined([
    &[
        column("currency", Kind::Text),
        column("orders", Kind::Integer),
        column("settled", Kind::Integer),
        column("pending", Kind::Integer),
        column("failed_runs", Kind::Integer).extra(),
        column("discrepant", Kind::Integer),
    ],
    &AMOUNT_COLUMNS,
    &[
        column("quote_gross_difference", Kind::Amount),
        column("quote_net_difference", Kind::Amount).extra(),
        column("cost_gross_difference", Kind::Amount),
        column("cost_net_difference", Kind::Amount).extra(),
    ],
]);

/// The columns of several parts, `ALL` in number.
pub(super) const fn joined<const PARTS: usize, const ALL: usize>(parts: [&[Column]; PARTS]) -> [Column; ALL] {
    let mut columns = [WORKFLOW; ALL];
    let (mut at, mut part) = (0, 0);
    while part < PARTS {
        let mut place = 0;
        while place < parts[part].len() {
            columns[at] = parts[part][place];
            (at, place) = (at + 1, place + 1);
        }
        part += 1;
    }
    assert!(at == ALL, "the parts have other columns");
    columns
}

/// `discrepancies.csv`: one row per failed check of an order.
pub fn discrepancies(discrepancies: &List<Discrepancy>) -> Table<'_> {
    let rows = discrepancies.iter().map(|row| {
        let (order, finding) = (&row.order, &row.finding);
        owned([
            Cell::text(&row.run_order_id),
            row.line.map_or(Cell::Empty, Cell::count),
            Cell::optional(order.workflow_id.as_deref()),
            Cell::optional(order.revision_id.as_deref()),
            Cell::text(finding.check),
            Cell::text(finding.severity.code()),
            Cell::optional(finding.cause),
            Cell::optional(order.quote_currency.as_deref()),
            Cell::figure(&finding.expected),
            Cell::figure(&finding.actual),
            finding.difference.map_or(Cell::Empty, Cell::Amount),
            if finding.is_waived { Cell::Flag(true) } else { Cell::Empty },
            Cell::optional(row.is_persisting.map(|is| if is { "persisting" } else { "new" })),
            Cell::optional(order.run_status.as_deref()),
            Cell::optional(order.settlement_status.as_deref()),
            time(order.created_at),
            time(order.updated_at),
            Cell::text(&finding.message),
            Cell::owned(discrepancy_id(&row.run_order_id, finding.check, finding.subject)),
            Cell::optional(finding.subject.field),
        ])
    });
    Table { name: "discrepancies", columns: DISCREPANCY_COLUMNS, rows: Box::new(rows) }
}

/// `resolved.csv`: findings of the last time each order was judged whose checks now hold, with the earlier
/// figures.
pub fn resolved(resolved: &List<ResolvedFinding>) -> Table<'_> {
    let rows = resolved.iter().map(|row| {
        let finding = &row.finding;
        owned([
            Cell::text(&finding.run_order_id),
            Cell::count(row.line),
            Cell::text(&finding.check),
            Cell::text(&finding.severity),
            Cell::optional(finding.currency.as_deref()),
            figure(&finding.expected),
            figure(&finding.actual),
            finding.difference.as_deref().map_or(Cell::Empty, figure),
            Cell::text(&finding.discrepancy_id),
            Cell::optional(finding.field.as_deref()),
        ])
    });
    Table { name: "resolved", columns: RESOLVED_COLUMNS, rows: Box::new(rows) }
}

/// A figure of an earlier report: an amount if it is written the way reports write amounts, else text.
pub(in crate::report) fn figure(text: &str) -> Cell<'_> {
    Sum::parse_exact(text).map_or_else(|| Cell::text(text), Cell::Amount)
}

/// `pending.csv`: every unsettled order with its age at `as_of`.
pub fn pending(pending: &List<PendingOrder>, as_of: Timestamp) -> Table<'_> {
    let rows = pending.iter().map(move |row| {
        let order = &row.order;
        owned([
            Cell::text(&row.run_order_id),
            row.line.map_or(Cell::Empty, Cell::count),
            Cell::optional(order.workflow_id.as_deref()),
            Cell::optional(order.revision_id.as_deref()),
            Cell::optional(order.quote_currency.as_deref()),
            order.quote_amount.map_or(Cell::Empty, |amount| Cell::Amount(amount.into())),
            Cell::optional(order.run_status.as_deref()),
            Cell::optional(order.settlement_status.as_deref()),
            Cell::optional(order.freeze_status.as_deref()),
            time(order.created_at),
            age_hours(order.created_at, as_of).map_or(Cell::Empty, Cell::Integer),
            Cell::text(AgeBucket::of(order.created_at, as_of).code()),
        ])
    });
    Table { name: "pending", columns: PENDING_COLUMNS, rows: Box::new(rows) }
}

/// `exceptions.csv`: every row without an order to judge, with its line and reason.
pub fn exceptions(exceptions: &List<Exception>) -> Table<'_> {
    let rows = exceptions.iter().map(|row| {
        owned([
            Cell::text(&row.run_order_id),
            row.line.map_or(Cell::Empty, Cell::count),
            Cell::text(row.bucket.code()),
            Cell::text(&row.reason),
            Cell::text(&row.detail),
        ])
    });
    Table { name: "exceptions", columns: EXCEPTION_COLUMNS, rows: Box::new(rows) }
}

/// One waiver and its state.
#[derive(Clone, Copy, Debug)]
pub struct WaiverRow<'a> {
    /// The finding that it waives.
    pub key: &'a WaiverKey,
    /// The waived figures, with owner, reason and expiry date.
    pub waiver: &'a Waiver,
    /// Whether it is applied, expired, changed or unused.
    pub state: WaiverState,
}

/// Every waiver with its state: `Unused` where `states` has none.
pub(in crate::report) fn waivers_with<'a>(
    waivers: &'a Waivers,
    states: &BTreeMap<WaiverKey, WaiverState>,
) -> Vec<WaiverRow<'a>> {
    let rows = waivers.iter().map(|(key, waiver)| {
        let state = states.get(key).copied().unwrap_or(WaiverState::Unused);
        WaiverRow { key, waiver, state }
    });
    rows.collect()
}

/// `waivers.csv`: every waiver that was given, sorted by order and check.
pub fn waivers<'a>(waivers: &'a [WaiverRow<'a>]) -> Table<'a> {
    let rows = waivers.iter().map(|row| {
        let (difference, expected, actual) = match &row.waiver.figures {
            Figures::Difference(difference) => (Cell::Amount(*difference), Cell::Empty, Cell::Empty),
            Figures::Sides { expected, actual } => (Cell::Empty, figure(expected), figure(actual)),
            Figures::Missing => (Cell::Empty, Cell::Empty, Cell::Empty),
        };
        vec![
            Cell::text(&row.key.order),
            Cell::text(&row.key.check),
            Cell::text(row.state.code()),
            difference,
            expected,
            actual,
            Cell::owned(row.waiver.expires.to_string()),
            Cell::text(&row.waiver.owner),
            Cell::text(&row.waiver.reason),
            Cell::optional(row.key.field.as_deref()),
            if row.key.row == Subject::ORDER.row { Cell::Empty } else { Cell::count(row.key.row) },
        ]
    });
    Table { name: "waivers", columns: WAIVER_COLUMNS, rows: Box::new(rows) }
}

/// `spend_by_workflow.csv`: counts of orders, and sums over settled ones, per workflow and currency.
pub fn spend_by_workflow(rows: &[SpendRow]) -> Table<'_> {
    spend("spend_by_workflow", SPEND_BY_WORKFLOW_COLUMNS, rows)
}

/// `spend_by_revision.csv`: counts of orders, and sums over settled ones, per workflow revision and currency.
pub fn spend_by_revision(rows: &[SpendRow]) -> Table<'_> {
    spend("spend_by_revision", SPEND_BY_REVISION_COLUMNS, rows)
}

/// `spend_by_day.csv`: counts of orders, and sums over settled ones, per day and currency.
pub fn spend_by_day(rows: &[SpendRow]) -> Table<'_> {
    spend("spend_by_day", SPEND_BY_DAY_COLUMNS, rows)
}

fn spend<'a>(name: &'static str, columns: &'static [Column], rows: &'a [SpendRow]) -> Table<'a> {
    let rows = rows.iter().map(|row| {
        let counts = [row.orders, row.settled, row.pending, row.failed_runs, row.discrepant];
        let differences =
            [row.quote_gross_difference, row.quote_net_difference, row.cost_gross_difference, row.cost_net_difference];
        let keys = row.keys.iter().map(|key| Cell::text(key));
        keys.chain([Cell::text(&row.currency)])
            .chain(counts.map(Cell::count))
            .chain(row.amounts.map(Cell::Amount))
            .chain(differences.map(Cell::Amount))
            .collect()
    });
    Table { name, columns, rows: Box::new(rows) }
}

/// The cells of a row that is gone once they are made.
fn owned<const CELLS: usize>(cells: [Cell<'_>; CELLS]) -> Vec<Cell<'static>> {
    cells.into_iter().map(Cell::into_owned).collect()
}

fn time<'a>(time: Option<Timestamp>) -> Cell<'a> {
    time.map_or(Cell::Empty, Cell::Time)
}

/// The ID of a discrepancy: 16 hex digits from order, check, field and row of our books. It is the same every
/// night.
pub(in crate::report) fn discrepancy_id(run_order_id: &str, check: &str, subject: Subject) -> String {
    let mut hash = Sha256::new().chain_update(run_order_id).chain_update("\n").chain_update(check);
    if let Some(field) = subject.field {
        hash = hash.chain_update("\n").chain_update(field);
    }
    if subject.row > Subject::ORDER.row {
        hash = hash.chain_update("\n").chain_update(subject.row.to_string());
    }
    hex::encode(&hash.finalize()[..8])
}
