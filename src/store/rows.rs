//! One outcome as one row of the table `outcomes`, and back.

use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::{Value, ValueRef};

use super::{RunId, StoreError};
use crate::domain::money::Amount;
use crate::domain::order::{Amounts, RunOrder};
use crate::domain::outcome::{Evidence, Outcome, Reason};

/// The columns in the order in which rows are written and read.
const COLUMNS: [&str; 26] = [
    RUN_ID,
    LINE,
    "run_order_id",
    EVIDENCE,
    "reason_code",
    "reason_detail",
    FIRST_LINE,
    "replied_run_order_id",
    "workflow_id",
    "revision_id",
    "quote_currency",
    "quote_amount",
    "final_amount",
    "released_amount",
    "compute_cost",
    "external_model_cost",
    "total_cost",
    "freeze_status",
    "submission_status",
    "run_status",
    "settlement_status",
    "task_id",
    "prompt_id",
    "error_code",
    "created_at",
    "updated_at",
];
const RUN_ID: &str = "run_id";
const LINE: &str = "line";
const EVIDENCE: &str = "evidence";
const FIRST_LINE: &str = "first_line";

/// As long as the text of an amount usually is, at most.
const USUAL_AMOUNT: usize = 24;

const FETCHED: &str = "fetched";
const NOT_FOUND: &str = "not_found";
const REFUSED: &str = "refused";
const MALFORMED: &str = "malformed";
const UNFETCHED: &str = "unfetched";
const DUPLICATE: &str = "duplicate";
const REJECTED: &str = "rejected";

/// The statement that writes one outcome. A second one for the same line of the run violates the primary key.
pub(super) fn insert() -> String {
    let marks = ["?"; COLUMNS.len()].join(", ");
    format!("INSERT INTO outcomes ({}) VALUES ({marks})", COLUMNS.join(", "))
}

/// The statement that reads a run's outcomes by line, in the order of the table itself: nothing is sorted.
pub(super) fn select() -> String {
    format!("SELECT {} FROM outcomes WHERE {RUN_ID} = ?1 ORDER BY {LINE}", COLUMNS.join(", "))
}

/// A count that SQLite can't hold.
#[derive(Debug)]
pub(super) struct TooLarge {
    column: &'static str,
    value: u64,
}

impl TooLarge {
    pub(super) fn at(self, path: &Path) -> StoreError {
        StoreError::TooLarge { path: path.to_owned(), column: self.column, value: self.value }
    }
}

/// A count as SQLite holds it.
pub(super) fn integer(column: &'static str, value: u64) -> Result<i64, TooLarge> {
    i64::try_from(value).map_err(|_| TooLarge { column, value })
}

/// The values of one row, in the order of [`COLUMNS`]. Times finer than a microsecond are cut off.
pub(super) fn values(run: RunId, outcome: Outcome) -> Result<[Value; COLUMNS.len()], TooLarge> {
    let line = integer(LINE, outcome.line)?;
    let (evidence, order, reason, first_line) = match outcome.evidence {
        Evidence::Fetched(order) => (FETCHED, *order, None, None),
        Evidence::NotFound(reason) => (NOT_FOUND, RunOrder::default(), Some(reason), None),
        Evidence::Refused(reason) => (REFUSED, RunOrder::default(), Some(reason), None),
        Evidence::Malformed(reason) => (MALFORMED, RunOrder::default(), Some(reason), None),
        Evidence::Unfetched(reason) => (UNFETCHED, RunOrder::default(), Some(reason), None),
        Evidence::Duplicate { first_line } => {
            (DUPLICATE, RunOrder::default(), None, Some(integer(FIRST_LINE, first_line)?))
        }
        Evidence::Rejected(reason) => (REJECTED, RunOrder::default(), Some(reason), None),
    };
    let (code, detail) = reason.map(|reason| (reason.code, reason.detail)).unzip();
    let [quote, charged, released, compute, external, total] = order.amounts.in_order().map(amount);
    Ok([
        run.0.into(),
        line.into(),
        outcome.run_order_id.into(),
        evidence.to_owned().into(),
        code.into(),
        detail.into(),
        first_line.into(),
        order.run_order_id.into(),
        order.workflow_id.into(),
        order.revision_id.into(),
        order.quote_currency.into(),
        quote,
        charged,
        released,
        compute,
        external,
        total,
        order.freeze_status.into(),
        order.submission_status.into(),
        order.run_status.into(),
        order.settlement_status.into(),
        order.task_id.into(),
        order.prompt_id.into(),
        order.error_code.into(),
        order.created_at.map(Timestamp::as_microsecond).into(),
        order.updated_at.map(Timestamp::as_microsecond).into(),
    ])
}

fn amount(amount: Option<Amount>) -> Value {
    let written = |amount: Amount| {
        let mut text = String::with_capacity(USUAL_AMOUNT);
        // Writing to a text never fails.
        _ = write!(text, "{amount}");
        text
    };
    amount.map(written).into()
}

/// The inverse of [`Timestamp::as_microsecond`]. That of jiff refuses the last second it can represent, and no
/// time that could be written may be unreadable.
pub(super) fn time(microseconds: i64) -> Option<Timestamp> {
    const PER_SECOND: i64 = 1_000_000;
    let nanosecond = i32::try_from(microseconds.rem_euclid(PER_SECOND)).ok()? * 1_000;
    Timestamp::new(microseconds.div_euclid(PER_SECOND), nanosecond).ok()
}

/// A cell that can't be understood.
#[derive(Debug)]
pub(super) struct Damage {
    line: i64,
    column: &'static str,
    problem: String,
}

impl Damage {
    pub(super) fn at(self, path: &Path, run: RunId) -> StoreError {
        let Self { line, column, problem } = self;
        StoreError::Damaged { path: path.to_owned(), run, line, column, problem }
    }
}

/// Reads one row of [`select`]. Nothing in it is overlooked, and nothing is replaced by a default.
pub(super) fn read(row: &Row<'_>) -> Result<Outcome, Damage> {
    let mut cells = Cells { row, next: 1, line: 0 };
    cells.line = cells.integer()?.ok_or_else(|| cells.damage(LINE, "empty"))?;
    let line = cells.count(LINE, cells.line)?;
    let run_order_id = cells.required_text()?;
    let kind = cells.required_text()?;
    let (code, detail) = (cells.text()?, cells.text()?);
    let first_line = match cells.integer()? {
        Some(first_line) => Some(cells.count(FIRST_LINE, first_line)?),
        None => None,
    };
    let order = cells.order()?;
    let reason = code.zip(detail.clone()).map(|(code, detail)| Reason { code, detail });
    let bare = order == RunOrder::default();
    let evidence = match (kind.as_str(), reason, first_line) {
        (FETCHED, None, None) if detail.is_none() => Evidence::Fetched(Box::new(order)),
        (NOT_FOUND, Some(reason), None) if bare => Evidence::NotFound(reason),
        (REFUSED, Some(reason), None) if bare => Evidence::Refused(reason),
        (MALFORMED, Some(reason), None) if bare => Evidence::Malformed(reason),
        (UNFETCHED, Some(reason), None) if bare => Evidence::Unfetched(reason),
        (DUPLICATE, None, Some(first_line)) if bare && detail.is_none() => Evidence::Duplicate { first_line },
        (REJECTED, Some(reason), None) if bare => Evidence::Rejected(reason),
        _ => return Err(cells.damage(EVIDENCE, "not a kind of evidence that goes with the other columns")),
    };
    Ok(Outcome { line, run_order_id, evidence })
}

/// Reads the cells of a row one after the other, in the order of [`COLUMNS`].
struct Cells<'r> {
    row: &'r Row<'r>,
    next: usize,
    line: i64,
}

impl Cells<'_> {
    fn order(&mut self) -> Result<RunOrder, Damage> {
        // Fields are evaluated in the order in which they are written here.
        Ok(RunOrder {
            run_order_id: self.text()?,
            workflow_id: self.text()?,
            revision_id: self.text()?,
            quote_currency: self.text()?,
            amounts: Amounts::from_order([
                self.amount()?,
                self.amount()?,
                self.amount()?,
                self.amount()?,
                self.amount()?,
                self.amount()?,
            ]),
            freeze_status: self.text()?,
            submission_status: self.text()?,
            run_status: self.text()?,
            settlement_status: self.text()?,
            task_id: self.text()?,
            prompt_id: self.text()?,
            error_code: self.text()?,
            created_at: self.time()?,
            updated_at: self.time()?,
        })
    }

    fn text(&mut self) -> Result<Option<String>, Damage> {
        match self.cell()? {
            (_, ValueRef::Null) => Ok(None),
            (column, ValueRef::Text(bytes)) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text.to_owned())),
                Err(_) => Err(self.damage(column, "not UTF-8")),
            },
            (column, _) => Err(self.damage(column, "not a text")),
        }
    }

    fn required_text(&mut self) -> Result<String, Damage> {
        let column = self.column();
        self.text()?.ok_or_else(|| self.damage(column, "empty"))
    }

    fn amount(&mut self) -> Result<Option<Amount>, Damage> {
        let column = self.column();
        let Some(text) = self.text()? else {
            return Ok(None);
        };
        Amount::parse(&text).map(Some).map_err(|error| self.damage(column, &error.to_string()))
    }

    fn time(&mut self) -> Result<Option<Timestamp>, Damage> {
        let column = self.column();
        let Some(microseconds) = self.integer()? else {
            return Ok(None);
        };
        time(microseconds).map(Some).ok_or_else(|| self.damage(column, "not a time"))
    }

    fn integer(&mut self) -> Result<Option<i64>, Damage> {
        match self.cell()? {
            (_, ValueRef::Null) => Ok(None),
            (_, ValueRef::Integer(value)) => Ok(Some(value)),
            (column, _) => Err(self.damage(column, "not a whole number")),
        }
    }

    fn count(&self, column: &'static str, value: i64) -> Result<u64, Damage> {
        u64::try_from(value).map_err(|_| self.damage(column, "below zero"))
    }

    fn cell(&mut self) -> Result<(&'static str, ValueRef<'_>), Damage> {
        let (index, column) = (self.next, self.column());
        self.next += 1;
        let value = self.row.get_ref(index).map_err(|_| self.damage(column, "no such column"))?;
        Ok((column, value))
    }

    fn column(&self) -> &'static str {
        COLUMNS.get(self.next).copied().unwrap_or_default()
    }

    fn damage(&self, column: &'static str, problem: &str) -> Damage {
        Damage { line: self.line, column, problem: problem.to_owned() }
    }
}
