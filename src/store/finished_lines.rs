//! The finished lines of a run that is to be continued, each with a hash of its row.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use rusqlite::Connection;

use super::RunId;
use super::books;
use super::error::{Problem, sqlite};
use super::rows::{DUPLICATE, REJECTED};
use crate::domain::books::Booking;

const READING: &str = "read the finished lines in";

/// A finished line, with a 64-bit hash of its row: two different rows practically never have the same hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinishedLine {
    /// The input line.
    pub line: u64,
    row: u64,
}

/// The kind of row on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowKind {
    /// The first row of an order.
    Order,
    /// A row that repeats the order of an earlier line.
    Duplicate {
        /// The line on which the order first appears.
        first_line: u64,
    },
    /// A row without a usable ID.
    Rejected,
}

impl FinishedLine {
    /// The finished line of a row. `run_order_id` is its ID, or the rejected text in its place; `booking` holds its
    /// cells of our own books.
    #[must_use]
    pub fn of(line: u64, kind: RowKind, run_order_id: &str, booking: Option<&Booking>) -> Self {
        Self::hashed(line, kind, run_order_id, booking.map(|booking| hash(&books::cells(booking))))
    }

    fn hashed(line: u64, kind: RowKind, run_order_id: &str, cells: Option<u64>) -> Self {
        Self { line, row: hash(&(kind, run_order_id, cells)) }
    }
}

fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The finished lines of a run, in ascending order.
pub(super) fn read(connection: &Connection, run: RunId) -> Result<Vec<FinishedLine>, Problem> {
    let failed = sqlite(READING);
    let mut books = HashMap::new();
    let mut statement = connection.prepare("SELECT line, cells FROM books WHERE run_id = ?1").map_err(failed)?;
    let rows = statement.query_map([run.0], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)));
    for row in rows.map_err(failed)? {
        let (line, cells) = row.map_err(failed)?;
        books.insert(line, hash(&cells));
    }
    let query = "SELECT line, evidence, first_line, run_order_id FROM outcomes WHERE run_id = ?1 ORDER BY line";
    let mut statement = connection.prepare(query).map_err(failed)?;
    let rows = statement.query_map([run.0], |row| {
        let (line, evidence) = (row.get::<_, i64>(0)?, row.get::<_, String>(1)?);
        let first_line = row.get::<_, Option<i64>>(2)?.unwrap_or_default().unsigned_abs();
        let kind = match evidence.as_str() {
            DUPLICATE => RowKind::Duplicate { first_line },
            REJECTED => RowKind::Rejected,
            _ => RowKind::Order,
        };
        let cells = books.remove(&line);
        Ok(FinishedLine::hashed(line.unsigned_abs(), kind, &row.get::<_, String>(3)?, cells))
    });
    rows.map_err(failed)?.map(|line| line.map_err(failed)).collect()
}
