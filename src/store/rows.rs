//! Converts the outcome of an input row to a row of the table `outcomes`, and back. The facts of a fetched order are in
//! `observations`.

use std::borrow::Cow;

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, Row};

use super::RunId;
use super::cells::{Cells, Layout};
use super::compact::size;
use super::error::{Problem, sqlite};
use super::facts::{OBSERVATIONS, Observation};
use super::seal::{DIGEST, with_checksum};
use crate::domain::books::Booking;
use crate::domain::facts::OrderFacts;
use crate::domain::outcome::{CreatedBefore, Evidence, Fetched, Outcome, Reason};

/// The outcome of every input row of every run.
pub(super) static OUTCOMES: Layout = Layout {
    table: "outcomes",
    columns: &[
        "run_id",
        "line",
        "run_order_id",
        "evidence",
        "reason_code",
        "reason_detail",
        "first_line",
        "observation_id",
        "settled",
        "whole",
        "state",
        "created_before",
        "reused",
        "start",
        "seen_at",
        "reply_sha256",
    ],
};

/// The outcomes of rows that were rechecked.
pub(super) static CONFIRMATIONS: Layout = Layout { table: "confirmations", columns: OUTCOMES.columns };

const FETCHED: &str = "fetched";
const NOT_FOUND: &str = "not_found";
const REFUSED: &str = "refused";
const MALFORMED: &str = "malformed";
const UNFETCHED: &str = "unfetched";
pub(super) const DUPLICATE: &str = "duplicate";
pub(super) const REJECTED: &str = "rejected";

/// The unfetched lines of a run, which are fetched again when it is continued.
pub(super) fn open_lines(connection: &Connection, run: RunId) -> Result<Vec<i64>, Problem> {
    let failed = sqlite("look for unfetched rows in");
    let query = format!("SELECT line FROM {} WHERE run_id = ?1 AND evidence = ?2", OUTCOMES.table);
    let mut statement = connection.prepare(&query).map_err(failed)?;
    let lines = statement.query_map((run.0, UNFETCHED), |row| row.get(0)).map_err(failed)?;
    lines.collect::<Result<_, _>>().map_err(failed)
}

/// How many outcomes a run has.
pub(super) fn count(connection: &Connection, run: RunId) -> Result<u64, Problem> {
    let query = format!("SELECT count(*) FROM {} WHERE run_id = ?1", OUTCOMES.table);
    let count: i64 =
        connection.query_row(&query, [run.0], |row| row.get(0)).map_err(sqlite("count the finished lines in"))?;
    Ok(count.unsigned_abs())
}

/// A number that a run's outcomes don't exceed. Counting a million takes half a second.
pub(super) fn at_most(connection: &Connection, run: RunId) -> Result<u64, Problem> {
    let query = format!("SELECT max(line) FROM {} WHERE run_id = ?1", OUTCOMES.table);
    let last: Option<i64> =
        connection.query_row(&query, [run.0], |row| row.get(0)).map_err(sqlite("count the finished lines in"))?;
    Ok(last.unwrap_or(0).unsigned_abs().min(room(connection)?))
}

/// A number of outcomes, or of remembered orders, that the file has no room to exceed, whatever its rows say.
pub(super) fn room(connection: &Connection) -> Result<u64, Problem> {
    /// The bytes of a row with an ID of one character, and less.
    const SMALLEST: u64 = 24;
    Ok(size(connection)?.bytes / SMALLEST)
}

/// The query for a run's outcomes with their observations, from a line to a line. That is the order of the table
/// itself, so nothing is sorted.
pub(super) fn select() -> String {
    select_from(&OUTCOMES, "AND o.line BETWEEN ?2 AND ?3")
}

/// The query for a run's rows of `outcomes` or `confirmations` alone, by line: all that the memory needs.
pub(super) fn select_cells(layout: &Layout) -> String {
    format!("SELECT {} FROM {} WHERE run_id = ?1 ORDER BY line", layout.list(""), layout.table)
}

/// The query for a run's rows of `outcomes` or `confirmations` with their observations, by line.
pub(super) fn select_from(layout: &Layout, condition: &str) -> String {
    let (outcomes, observations) = (layout.list("o."), OBSERVATIONS.list("b."));
    format!(
        "SELECT {outcomes}, {observations} FROM {} o LEFT JOIN observations b USING (observation_id)
         WHERE o.run_id = ?1 {condition} ORDER BY o.line",
        layout.table
    )
}

/// A row of `outcomes` or `confirmations`, without the facts of its order.
pub(super) struct OutcomeRow<'o> {
    pub(super) run: RunId,
    pub(super) line: i64,
    pub(super) run_order_id: &'o str,
    pub(super) kind: Kind,
    /// The number of the job that read it.
    pub(super) job: i64,
    /// When the reply arrived, or the row was read.
    pub(super) seen_at: Timestamp,
    /// The SHA-256 of the reply that decided the row.
    pub(super) reply: Option<[u8; 32]>,
}

/// The columns that depend on the kind of evidence.
pub(super) enum Kind {
    /// `shown` if the provider was asked, and its reply is about the order.
    Fetched {
        observation: i64,
        shown: Option<Shown>,
        created_before: Option<CreatedBefore>,
        is_reused: bool,
    },
    Other {
        code: &'static str,
        reason: Option<Reason>,
        first_line: Option<i64>,
    },
}

/// What a reply shows of its order, for the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) is_settled: bool,
    /// Whether the order has all six amounts.
    pub(super) is_whole: bool,
    /// The digest of the order's state.
    pub(super) state: [u8; DIGEST],
}

impl Kind {
    /// The columns of any evidence but a fetched order, which is handed back as the error.
    pub(super) fn of(evidence: Evidence) -> Result<Self, Box<Fetched>> {
        let other = |code, reason| Self::Other { code, reason: Some(reason), first_line: None };
        Ok(match evidence {
            Evidence::Fetched(fetched) => return Err(fetched),
            Evidence::NotFound(reason) => other(NOT_FOUND, reason),
            Evidence::Refused(reason) => other(REFUSED, reason),
            Evidence::Malformed(reason) => other(MALFORMED, reason),
            Evidence::Unfetched(reason) => other(UNFETCHED, reason),
            Evidence::Rejected(reason) => other(REJECTED, reason),
            Evidence::Duplicate { first_line } => {
                // It fits 63 bits: the row's own line, which is greater, is checked before.
                let first_line = Some(i64::try_from(first_line).unwrap_or(i64::MAX));
                Self::Other { code: DUPLICATE, reason: None, first_line }
            }
        })
    }
}

impl OutcomeRow<'_> {
    /// The column values of the row, checksum included.
    pub(super) fn values(self) -> Vec<Value> {
        let (code, reason, first_line, observation, shown, created_before, is_reused) = match self.kind {
            Kind::Fetched { observation, shown, created_before, is_reused } => {
                (FETCHED, None, None, Some(observation), shown, created_before, is_reused)
            }
            Kind::Other { code, reason, first_line } => (code, reason, first_line, None, None, None, false),
        };
        // Empty for an order that had no such time.
        let created_before =
            created_before.map(|CreatedBefore(time)| time.map(|time| time.to_string()).unwrap_or_default());
        let (reason_code, detail) = reason.map(|reason| (reason.code, reason.detail)).unzip();
        with_checksum([
            self.run.0.into(),
            self.line.into(),
            self.run_order_id.to_owned().into(),
            code.to_owned().into(),
            reason_code.into(),
            detail.into(),
            first_line.into(),
            observation.into(),
            shown.map(|shown| shown.is_settled).into(),
            shown.map(|shown| shown.is_whole).into(),
            shown.map(|shown| shown.state.to_vec()).into(),
            created_before.into(),
            is_reused.into(),
            self.job.into(),
            self.seen_at.as_microsecond().into(),
            self.reply.map(|hash| hash.to_vec()).into(),
        ])
    }
}

/// A row as read from the state, without the facts of its order.
pub(super) struct OutcomeCells<'r> {
    pub(super) line: u64,
    pub(super) run_order_id: &'r str,
    kind: &'r str,
    reason: Option<Reason>,
    first_line: Option<u64>,
    /// The ID of the order's observation, if it was fetched or reused.
    pub(super) observation: Option<i64>,
    pub(super) shown: Option<Shown>,
    created_before: Option<CreatedBefore>,
    pub(super) is_reused: bool,
    /// The number of the job that read it.
    pub(super) job: i64,
    pub(super) seen_at: Timestamp,
}

impl<'r> OutcomeCells<'r> {
    /// Reads one row strictly: a value that does not fit is an error, never replaced by a default.
    pub(super) fn read(row: &'r Row<'r>) -> Result<Self, Problem> {
        let mut cells = Cells::open(row, 0, &OUTCOMES)?;
        cells.skip();
        let line = cells.required_count()?;
        let run_order_id = cells.required_str()?;
        let kind = cells.required_str()?;
        let (code, detail) = (cells.text()?, cells.text()?);
        let reason = code.zip(detail).map(|(code, detail)| Reason { code, detail });
        let first_line = cells.count()?;
        let observation = cells.integer()?;
        let shown = match (cells.optional_flag()?, cells.optional_flag()?, cells.optional_bytes()?) {
            (Some(is_settled), Some(is_whole), Some(state)) => Some(Shown { is_settled, is_whole, state }),
            (None, None, None) => None,
            _ => return Err(cells.damage("what it shows of its order is incomplete")),
        };
        let created_before = match cells.str()? {
            None => None,
            Some("") => Some(CreatedBefore(None)),
            Some(time) => {
                let time = time.parse().map_err(|_| cells.damage("created_before is not a time"))?;
                Some(CreatedBefore(Some(time)))
            }
        };
        let (is_reused, job, seen_at) = (cells.flag()?, cells.required_integer()?, cells.required_time()?);
        Ok(Self {
            line,
            run_order_id,
            kind,
            reason,
            first_line,
            observation,
            shown,
            created_before,
            is_reused,
            job,
            seen_at,
        })
    }

    /// Whether the provider said that there is no such order.
    pub(super) fn is_not_found(&self) -> bool {
        self.kind == NOT_FOUND
    }

    /// Whether the provider's answer shows nothing of the order: a refusal, or malformed.
    pub(super) fn shows_nothing(&self) -> bool {
        [REFUSED, MALFORMED].contains(&self.kind)
    }

    fn damage(&self, problem: &str) -> Problem {
        Problem::damaged(format!("{}, line {}", OUTCOMES.table, self.line), problem)
    }
}

/// The outcome of a row as read from the state.
pub(super) struct StoredOutcome {
    pub(super) outcome: Outcome,
    created_before: Option<CreatedBefore>,
    /// The number of the job that read it.
    pub(super) job: i64,
    seen_at: Timestamp,
}

/// One row of a run, as the state has it.
pub struct StoredRow<'r> {
    /// The line of the input on which the row begins.
    pub line: u64,
    /// The row's ID or, if it has no usable one, the text in its place.
    pub run_order_id: Cow<'r, str>,
    /// Every row of our own books that carries its order.
    pub bookings: Vec<Booking>,
    /// When its order was created, as it was last seen, if that has changed since.
    pub created_before: Option<CreatedBefore>,
    /// The number of the job that read it.
    pub job: i64,
    /// When it was read.
    pub seen_at: Timestamp,
    evidence: StoredEvidence<'r>,
}

#[allow(clippy::large_enum_variant, reason = "one at a time, on the stack")]
enum StoredEvidence<'r> {
    Fetched { observation: Observation<'r>, is_reused: bool },
    Other(Evidence),
}

impl<'r> StoredRow<'r> {
    pub(super) fn read(row: &'r Row<'r>) -> Result<Self, Problem> {
        let cells = OutcomeCells::read(row)?;
        let evidence = match (cells.kind, &cells.reason, cells.first_line, cells.observation) {
            (FETCHED, None, None, Some(_)) => {
                let observation = Observation::read(Cells::open(row, OUTCOMES.width(), &OBSERVATIONS)?)?;
                if observation.run_order_id != cells.run_order_id {
                    return Err(cells.damage("its observation belongs to a different order"));
                }
                let seen = (observation.is_settled, observation.state);
                if cells.shown.is_some_and(|shown| (shown.is_settled, shown.state) != seen) {
                    return Err(cells.damage("its observation is of a different state"));
                }
                StoredEvidence::Fetched { observation, is_reused: cells.is_reused }
            }
            (NOT_FOUND, Some(reason), None, None) => StoredEvidence::Other(Evidence::NotFound(reason.clone())),
            (REFUSED, Some(reason), None, None) => StoredEvidence::Other(Evidence::Refused(reason.clone())),
            (MALFORMED, Some(reason), None, None) => StoredEvidence::Other(Evidence::Malformed(reason.clone())),
            (UNFETCHED, Some(reason), None, None) => StoredEvidence::Other(Evidence::Unfetched(reason.clone())),
            (DUPLICATE, None, Some(first_line), None) => StoredEvidence::Other(Evidence::Duplicate { first_line }),
            (REJECTED, Some(reason), None, None) => StoredEvidence::Other(Evidence::Rejected(reason.clone())),
            _ => return Err(cells.damage("its kind of evidence contradicts the other columns")),
        };
        let OutcomeCells { line, run_order_id, created_before, job, seen_at, .. } = cells;
        let (run_order_id, bookings) = (run_order_id.into(), Vec::new());
        Ok(Self { line, run_order_id, bookings, created_before, job, seen_at, evidence })
    }

    pub(super) fn of(stored: StoredOutcome) -> Self {
        let StoredOutcome { outcome, created_before, job, seen_at } = stored;
        let Outcome { line, run_order_id, evidence } = outcome;
        let (run_order_id, bookings, evidence) = (run_order_id.into(), Vec::new(), StoredEvidence::Other(evidence));
        Self { line, run_order_id, bookings, created_before, job, seen_at, evidence }
    }

    /// The facts of the order and whether it was reused, if nothing else is known of the row: no remarks, no other
    /// creation time, and no rows of our own books.
    #[must_use]
    pub fn bare_facts(&self) -> Option<(&OrderFacts<'r>, bool)> {
        match &self.evidence {
            StoredEvidence::Fetched { observation, is_reused }
                if observation.remarks.is_none() && self.created_before.is_none() && self.bookings.is_empty() =>
            {
                Some((&observation.facts, *is_reused))
            }
            _ => None,
        }
    }

    pub(super) fn outcome(self) -> Result<Outcome, Problem> {
        let evidence = match self.evidence {
            StoredEvidence::Fetched { observation, is_reused } => {
                Fetched { order: observation.order()?, is_reused, baseline: None }.into()
            }
            StoredEvidence::Other(evidence) => evidence,
        };
        Ok(Outcome { line: self.line, run_order_id: self.run_order_id.into_owned(), evidence })
    }
}

/// Reads one row of [`select`], with the facts of its order.
pub(super) fn read(row: &Row<'_>) -> Result<StoredOutcome, Problem> {
    let stored = StoredRow::read(row)?;
    let (created_before, job, seen_at) = (stored.created_before, stored.job, stored.seen_at);
    Ok(StoredOutcome { outcome: stored.outcome()?, created_before, job, seen_at })
}
