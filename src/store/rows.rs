//! Converts the outcome of an input row to a row of the table `outcomes`, and back. The facts of a fetched order are in
//! `observations`.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, Row};

use super::RunId;
use super::cells::{Cells, Layout};
use super::error::{Problem, sqlite};
use super::facts::{OBSERVATIONS, Observation};
use super::seal::{DIGEST, with_checksum};
use crate::domain::outcome::{Evidence, Fetched, Outcome, Reason};

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

/// The query for a run's outcomes with their observations, from a line to a line. That is the order of the table
/// itself, so nothing is sorted.
pub(super) fn select() -> String {
    select_from(&OUTCOMES, "AND o.line BETWEEN ?2 AND ?3")
}

/// The query for a run's rows of `outcomes` or `confirmations` alone, by line: all that the memory needs.
pub(super) fn select_cells(layout: &Layout) -> String {
    format!("SELECT {} FROM {} WHERE run_id = ?1 ORDER BY line", layout.list(""), layout.table)
}

fn select_from(layout: &Layout, condition: &str) -> String {
    let (outcomes, observations) = (layout.list("o."), OBSERVATIONS.list("b."));
    format!(
        "SELECT {outcomes}, {observations} FROM {} o LEFT JOIN observations b USING (observation_id)
         WHERE o.run_id = ?1 {condition} ORDER BY o.line",
        layout.table
    )
}

/// The rows of a run that were rechecked, by line.
pub(super) fn rechecked(connection: &Connection, run: RunId) -> Result<HashMap<u64, StoredOutcome>, Problem> {
    by_line(connection, run, &select_from(&CONFIRMATIONS, ""), read_by_line)
}

/// The rows of a run that were rechecked, without the facts of their orders, by line.
pub(super) fn rechecked_cells(connection: &Connection, run: RunId) -> Result<HashMap<u64, OutcomeCells>, Problem> {
    let read = |row: &Row<'_>| OutcomeCells::read(row).map(|cells| (cells.line, cells));
    by_line(connection, run, &select_cells(&CONFIRMATIONS), read)
}

/// How many rows were rechecked, and with what result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecheckCounts {
    /// How many rows were rechecked.
    pub rechecked: u64,
    /// How many of them had changed.
    pub changed: u64,
}

/// Compares the rechecked rows with how they were first read.
pub(super) fn count_rechecks(connection: &Connection, run: RunId) -> Result<RecheckCounts, Problem> {
    let again = rechecked(connection, run)?;
    let read_again = "AND o.line IN (SELECT line FROM confirmations WHERE run_id = ?1)";
    let first = by_line(connection, run, &select_from(&OUTCOMES, read_again), read_by_line)?;
    let comparable = |read: &StoredOutcome| match &read.outcome.evidence {
        // That the first reading was reused and not fetched does not make it different.
        Evidence::Fetched(fetched) => Fetched { is_reused: false, ..(**fetched).clone() }.into(),
        evidence => evidence.clone(),
    };
    let has_changed =
        |(line, again): (&u64, &StoredOutcome)| first.get(line).map(comparable) != Some(comparable(again));
    let changed = again.iter().filter(|row| has_changed(*row)).count() as u64;
    Ok(RecheckCounts { rechecked: again.len() as u64, changed })
}

fn by_line<T>(
    connection: &Connection,
    run: RunId,
    query: &str,
    mut read: impl FnMut(&Row<'_>) -> Result<(u64, T), Problem>,
) -> Result<HashMap<u64, T>, Problem> {
    let failed = sqlite("read the rechecked rows in");
    let mut statement = connection.prepare(query).map_err(failed)?;
    let mut rows = statement.query([run.0]).map_err(failed)?;
    let mut found = HashMap::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let (line, read) = read(row)?;
        found.insert(line, read);
    }
    Ok(found)
}

fn read_by_line(row: &Row<'_>) -> Result<(u64, StoredOutcome), Problem> {
    read(row).map(|read| (read.outcome.line, read))
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
        let (code, reason, first_line, observation, shown, is_reused) = match self.kind {
            Kind::Fetched { observation, shown, is_reused } => {
                (FETCHED, None, None, Some(observation), shown, is_reused)
            }
            Kind::Other { code, reason, first_line } => (code, reason, first_line, None, None, false),
        };
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
            is_reused.into(),
            self.job.into(),
            self.seen_at.as_microsecond().into(),
            self.reply.map(|hash| hash.to_vec()).into(),
        ])
    }
}

/// A row as read from the state, without the facts of its order.
pub(super) struct OutcomeCells {
    pub(super) line: u64,
    pub(super) run_order_id: String,
    kind: String,
    reason: Option<Reason>,
    first_line: Option<u64>,
    /// The ID of the order's observation, if it was fetched or reused.
    pub(super) observation: Option<i64>,
    pub(super) shown: Option<Shown>,
    pub(super) is_reused: bool,
    /// The number of the job that read it.
    pub(super) job: i64,
    pub(super) seen_at: Timestamp,
}

impl OutcomeCells {
    /// Reads one row strictly: a value that does not fit is an error, never replaced by a default.
    pub(super) fn read(row: &Row<'_>) -> Result<Self, Problem> {
        let mut cells = Cells::open(row, 0, &OUTCOMES)?;
        cells.skip();
        let line = cells.required_count()?;
        let run_order_id = cells.required_text()?;
        let kind = cells.required_text()?;
        let (code, detail) = (cells.text()?, cells.text()?);
        let reason = code.zip(detail).map(|(code, detail)| Reason { code, detail });
        let first_line = cells.count()?;
        let observation = cells.integer()?;
        let shown = match (cells.optional_flag()?, cells.optional_flag()?, cells.optional_bytes()?) {
            (Some(is_settled), Some(is_whole), Some(state)) => Some(Shown { is_settled, is_whole, state }),
            (None, None, None) => None,
            _ => return Err(cells.damage("what it shows of its order is incomplete")),
        };
        let (is_reused, job, seen_at) = (cells.flag()?, cells.required_integer()?, cells.required_time()?);
        Ok(Self { line, run_order_id, kind, reason, first_line, observation, shown, is_reused, job, seen_at })
    }

    /// Whether the provider said that there is no such order.
    pub(super) fn is_not_found(&self) -> bool {
        self.kind == NOT_FOUND
    }

    /// Whether the provider's answer shows nothing of the order: a refusal, or malformed.
    pub(super) fn shows_nothing(&self) -> bool {
        [REFUSED, MALFORMED].contains(&&*self.kind)
    }

    fn damage(&self, problem: &str) -> Problem {
        Problem::damaged(format!("{}, line {}", OUTCOMES.table, self.line), problem)
    }
}

/// The outcome of a row as read from the state.
pub(super) struct StoredOutcome {
    pub(super) outcome: Outcome,
    /// The number of the job that read it.
    pub(super) job: i64,
}

/// Reads one row of [`select`], with the facts of its order.
pub(super) fn read(row: &Row<'_>) -> Result<StoredOutcome, Problem> {
    let cells = OutcomeCells::read(row)?;
    let evidence = match (&*cells.kind, &cells.reason, cells.first_line, cells.observation) {
        (FETCHED, None, None, Some(_)) => {
            let seen = Observation::read(Cells::open(row, OUTCOMES.width(), &OBSERVATIONS)?)?;
            if seen.run_order_id != cells.run_order_id {
                return Err(cells.damage("its observation belongs to a different order"));
            }
            if cells.shown.is_some_and(|shown| (shown.is_settled, shown.state) != (seen.is_settled, seen.state)) {
                return Err(cells.damage("its observation is of a different state"));
            }
            Evidence::Fetched(Box::new(Fetched { order: seen.order, is_reused: cells.is_reused, baseline: None }))
        }
        (NOT_FOUND, Some(reason), None, None) => Evidence::NotFound(reason.clone()),
        (REFUSED, Some(reason), None, None) => Evidence::Refused(reason.clone()),
        (MALFORMED, Some(reason), None, None) => Evidence::Malformed(reason.clone()),
        (UNFETCHED, Some(reason), None, None) => Evidence::Unfetched(reason.clone()),
        (DUPLICATE, None, Some(first_line), None) => Evidence::Duplicate { first_line },
        (REJECTED, Some(reason), None, None) => Evidence::Rejected(reason.clone()),
        _ => return Err(cells.damage("its kind of evidence contradicts the other columns")),
    };
    let OutcomeCells { line, run_order_id, job, .. } = cells;
    Ok(StoredOutcome { outcome: Outcome { line, run_order_id, evidence }, job })
}
