//! The rows of a run that were rechecked. They are read one after the other beside the rows themselves: there may be as
//! many as orders fail.

use std::collections::BTreeSet;

use rusqlite::{Connection, Row, Rows, Statement};

use super::RunId;
use super::error::{Problem, sqlite};
use super::rows::{self, CONFIRMATIONS, OUTCOMES, OutcomeCells, StoredOutcome};
use crate::domain::outcome::{Evidence, Fetched};

const READING: &str = "read the rechecked rows in";

/// What is read of each row of a query, with its line.
type Read<T> = fn(&Row<'_>) -> Result<(u64, T), Problem>;

/// A query for rechecked rows, which can be opened for a run.
pub(super) struct Rechecks<'c, T> {
    statement: Statement<'c>,
    read: Read<T>,
}

impl<'c> Rechecks<'c, StoredOutcome> {
    /// The rechecks themselves.
    pub(super) fn prepare(connection: &'c Connection) -> Result<Self, Problem> {
        Self::of(connection, &rows::select_from(&CONFIRMATIONS, ""), read_outcome)
    }
}

impl<'c, T> Rechecks<'c, T> {
    /// What `read` takes of the rechecks, without the facts of their orders.
    pub(super) fn prepare_cells(connection: &'c Connection, read: Read<T>) -> Result<Self, Problem> {
        Self::of(connection, &rows::select_cells(&CONFIRMATIONS), read)
    }

    fn of(connection: &'c Connection, query: &str, read: Read<T>) -> Result<Self, Problem> {
        let statement = connection.prepare(query).map_err(sqlite(READING))?;
        Ok(Self { statement, read })
    }

    pub(super) fn open(&mut self, run: RunId) -> Result<ByLine<'_, T>, Problem> {
        let rows = self.statement.query([run.0]).map_err(sqlite(READING))?;
        let mut by_line = ByLine { rows, read: self.read, next: None };
        by_line.advance()?;
        Ok(by_line)
    }
}

/// Rechecked rows by line, of which the next one is read already.
pub(super) struct ByLine<'s, T> {
    rows: Rows<'s>,
    read: Read<T>,
    next: Option<(u64, T)>,
}

impl<T> ByLine<'_, T> {
    /// The recheck of the row on a line. Lines are asked for in ascending order.
    pub(super) fn take(&mut self, line: u64) -> Result<Option<T>, Problem> {
        while self.next.as_ref().is_some_and(|(next, _)| *next < line) {
            self.advance()?;
        }
        if self.next.as_ref().is_none_or(|(next, _)| *next > line) {
            return Ok(None);
        }
        Ok(self.advance()?.map(|(_, found)| found))
    }

    /// Reads one more row; returns the one that was next.
    fn advance(&mut self) -> Result<Option<(u64, T)>, Problem> {
        let row = self.rows.next().map_err(sqlite(READING))?;
        let next = row.map(self.read).transpose()?;
        Ok(std::mem::replace(&mut self.next, next))
    }
}

/// The lines of a run that were rechecked.
pub(super) fn lines(connection: &Connection, run: RunId) -> Result<BTreeSet<u64>, Problem> {
    let read: Read<()> = |row| OutcomeCells::read(row).map(|cells| (cells.line, ()));
    let mut rechecks = Rechecks::prepare_cells(connection, read)?;
    let (mut rechecks, mut lines) = (rechecks.open(run)?, BTreeSet::new());
    while let Some((line, ())) = rechecks.advance()? {
        lines.insert(line);
    }
    Ok(lines)
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
pub(super) fn count(connection: &Connection, run: RunId) -> Result<RecheckCounts, Problem> {
    let read_again = "AND o.line IN (SELECT line FROM confirmations WHERE run_id = ?1)";
    let mut first = Rechecks::of(connection, &rows::select_from(&OUTCOMES, read_again), read_outcome)?;
    let mut again = Rechecks::prepare(connection)?;
    let (mut first, mut again) = (first.open(run)?, again.open(run)?);
    let comparable = |read: StoredOutcome| match read.outcome.evidence {
        // That the first reading was reused and not fetched does not make it different.
        Evidence::Fetched(fetched) => Fetched { is_reused: false, ..*fetched }.into(),
        evidence => evidence,
    };
    let mut counts = RecheckCounts::default();
    while let Some((line, again)) = again.advance()? {
        counts.rechecked += 1;
        counts.changed += u64::from(first.take(line)?.map(comparable) != Some(comparable(again)));
    }
    Ok(counts)
}

fn read_outcome(row: &Row<'_>) -> Result<(u64, StoredOutcome), Problem> {
    rows::read(row).map(|read| (read.outcome.line, read))
}
