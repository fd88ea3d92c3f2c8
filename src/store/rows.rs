//! What became of one input row as a row of the table `outcomes`, and back. The facts of a fetched order stand in
//! `observations`.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, Row};

use super::RunId;
use super::cells::{Cells, Layout};
use super::error::{Problem, sqlite};
use super::facts::{OBSERVATIONS, Observation};
use super::seal::{DIGEST, sealed};
use crate::domain::outcome::{Evidence, Fetched, Outcome, Reason};

/// What became of every input row of every run.
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
        "reused",
        "start",
        "seen_at",
        "reply_sha256",
    ],
};

/// What became of rows that were read once more.
pub(super) static CONFIRMATIONS: Layout = Layout { table: "confirmations", columns: OUTCOMES.columns };

const FETCHED: &str = "fetched";
const NOT_FOUND: &str = "not_found";
const REFUSED: &str = "refused";
const MALFORMED: &str = "malformed";
const UNFETCHED: &str = "unfetched";
pub(super) const DUPLICATE: &str = "duplicate";
pub(super) const REJECTED: &str = "rejected";

/// The lines of a run that a continued one fetches again: those that are unfetched.
pub(super) fn open_lines(connection: &Connection, run: RunId) -> Result<Vec<i64>, Problem> {
    let failed = sqlite("look for what is open in");
    let query = format!("SELECT line FROM {} WHERE run_id = ?1 AND evidence = ?2", OUTCOMES.table);
    let mut statement = connection.prepare(&query).map_err(failed)?;
    let lines = statement.query_map((run.0, UNFETCHED), |row| row.get(0)).map_err(failed)?;
    lines.collect::<Result<_, _>>().map_err(failed)
}

/// The statement that reads a run's outcomes with their observations by line, in the order of the table itself:
/// nothing is sorted.
pub(super) fn select() -> String {
    select_from(&OUTCOMES, "")
}

fn select_from(layout: &Layout, condition: &str) -> String {
    let (outcomes, observations) = (layout.list("o."), OBSERVATIONS.list("b."));
    format!(
        "SELECT {outcomes}, {observations} FROM {} o LEFT JOIN observations b USING (observation_id)
         WHERE o.run_id = ?1 {condition} ORDER BY o.line",
        layout.table
    )
}

/// What became of the rows of a run that were read once more, by line.
pub(super) fn confirmations(connection: &Connection, run: RunId) -> Result<HashMap<u64, Read>, Problem> {
    by_line(connection, run, &select_from(&CONFIRMATIONS, ""))
}

/// What came of reading rows once more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Confirmations {
    /// How many were read once more.
    pub asked: u64,
    /// How many of them were otherwise then.
    pub changed: u64,
}

/// Compares the rows that were read once more with how they were read first.
pub(super) fn compare_confirmed(connection: &Connection, run: RunId) -> Result<Confirmations, Problem> {
    let again = confirmations(connection, run)?;
    let read_again = "AND o.line IN (SELECT line FROM confirmations WHERE run_id = ?1)";
    let first = by_line(connection, run, &select_from(&OUTCOMES, read_again))?;
    let said = |read: &Read| match &read.outcome.evidence {
        // Whether it was asked for in the first place is no difference in what was said.
        Evidence::Fetched(fetched) => Fetched { is_reused: false, ..(**fetched).clone() }.into(),
        evidence => evidence.clone(),
    };
    let has_changed = |(line, again): (&u64, &Read)| first.get(line).map(said) != Some(said(again));
    let changed = again.iter().filter(|row| has_changed(*row)).count() as u64;
    Ok(Confirmations { asked: again.len() as u64, changed })
}

fn by_line(connection: &Connection, run: RunId, query: &str) -> Result<HashMap<u64, Read>, Problem> {
    let failed = sqlite("read what was confirmed in");
    let mut statement = connection.prepare(query).map_err(failed)?;
    let mut rows = statement.query([run.0]).map_err(failed)?;
    let mut found = HashMap::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let read = read(row)?;
        found.insert(read.outcome.line, read);
    }
    Ok(found)
}

/// One row without the facts of its order.
pub(super) struct Stored<'o> {
    pub(super) run: RunId,
    pub(super) line: i64,
    pub(super) run_order_id: &'o str,
    pub(super) kind: Kind,
    /// The job that learnt it.
    pub(super) start: i64,
    /// When the reply came, or the row was read.
    pub(super) seen_at: Timestamp,
    /// The SHA-256 of the reply that decided the row.
    pub(super) reply: Option<[u8; 32]>,
}

/// What stands in a row, by its kind.
pub(super) enum Kind {
    Fetched { observation: i64, is_reused: bool },
    Other { code: &'static str, reason: Option<Reason>, first_line: Option<i64> },
}

impl Kind {
    /// What is no fetched order; that is given back as it is.
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
                // A line that is counted up to here fits 63 bits; one that does not is found when it is read.
                let first_line = Some(i64::try_from(first_line).unwrap_or(i64::MAX));
                Self::Other { code: DUPLICATE, reason: None, first_line }
            }
        })
    }
}

impl Stored<'_> {
    /// The values of the row.
    pub(super) fn row(self) -> Vec<Value> {
        let (code, reason, first_line, observation, is_reused) = match self.kind {
            Kind::Fetched { observation, is_reused } => (FETCHED, None, None, Some(observation), is_reused),
            Kind::Other { code, reason, first_line } => (code, reason, first_line, None, false),
        };
        let (reason_code, detail) = reason.map(|reason| (reason.code, reason.detail)).unzip();
        sealed([
            self.run.0.into(),
            self.line.into(),
            self.run_order_id.to_owned().into(),
            code.to_owned().into(),
            reason_code.into(),
            detail.into(),
            first_line.into(),
            observation.into(),
            is_reused.into(),
            self.start.into(),
            self.seen_at.as_microsecond().into(),
            self.reply.map(|hash| hash.to_vec()).into(),
        ])
    }
}

/// One row as it was read.
pub(super) struct Read {
    pub(super) outcome: Outcome,
    /// The job that learnt it.
    pub(super) start: i64,
    pub(super) seen_at: Timestamp,
    /// Where an order was fetched.
    pub(super) observed: Option<Observed>,
}

/// The observation of a row, without its facts.
pub(super) struct Observed {
    pub(super) observation: i64,
    pub(super) is_settled: bool,
    pub(super) state: [u8; DIGEST],
}

/// Reads one row of [`select`]. Nothing in it is overlooked, and nothing is replaced by a default.
pub(super) fn read(row: &Row<'_>) -> Result<Read, Problem> {
    let mut cells = Cells::open(row, 0, &OUTCOMES)?;
    cells.skip();
    let line = cells.required_count()?;
    let run_order_id = cells.required_text()?;
    let kind = cells.required_text()?;
    let (code, detail) = (cells.text()?, cells.text()?);
    let reason = code.zip(detail).map(|(code, detail)| Reason { code, detail });
    let first_line = cells.count()?;
    let observation = cells.integer()?;
    let is_reused = cells.flag()?;
    let start = cells.required_integer()?;
    let seen_at = cells.required_time()?;
    let mut observed = None;
    let evidence = match (kind.as_str(), reason, first_line, observation) {
        (FETCHED, None, None, Some(observation)) => {
            let seen = Observation::read(Cells::open(row, OUTCOMES.width(), &OBSERVATIONS)?)?;
            if seen.run_order_id != run_order_id {
                return Err(cells.damage("its observation is of another order"));
            }
            observed = Some(Observed { observation, is_settled: seen.is_settled, state: seen.state });
            Evidence::Fetched(Box::new(Fetched { order: seen.order, is_reused, settled_as: None }))
        }
        (NOT_FOUND, Some(reason), None, None) => Evidence::NotFound(reason),
        (REFUSED, Some(reason), None, None) => Evidence::Refused(reason),
        (MALFORMED, Some(reason), None, None) => Evidence::Malformed(reason),
        (UNFETCHED, Some(reason), None, None) => Evidence::Unfetched(reason),
        (DUPLICATE, None, Some(first_line), None) => Evidence::Duplicate { first_line },
        (REJECTED, Some(reason), None, None) => Evidence::Rejected(reason),
        _ => return Err(cells.damage("no kind of evidence that goes with the other columns")),
    };
    Ok(Read { outcome: Outcome { line, run_order_id, evidence }, start, seen_at, observed })
}
