//! Our own books: the compared cells of each input row, as rows of the table `books`.

use std::collections::BTreeMap;

use rusqlite::types::Value;
use rusqlite::{Connection, Rows, Statement};

use super::RunId;
use super::cells::{Cells, Layout};
use super::error::{Problem, sqlite};
use super::seal::with_checksum;
use crate::domain::books::{Booking, Field};

/// Our own books: a row per input row, under the line on which its order first appears.
pub(super) static BOOKS: Layout = Layout { table: "books", columns: &["run_id", "order_line", "line", "cells"] };

const READING: &str = "read our own books in";

/// The column values of a booking, checksum included.
pub(super) fn row(run: RunId, order_line: i64, line: i64, booking: &Booking) -> Vec<Value> {
    with_checksum([run.0.into(), order_line.into(), line.into(), cells(booking).into()])
}

/// The cells of a booking as a JSON object: each cell's text by field name.
pub(super) fn cells(booking: &Booking) -> String {
    let cells: BTreeMap<&str, &str> = booking.cells.iter().map(|(field, text)| (field.name(), text.as_str())).collect();
    // Writing a map of strings as JSON can't fail.
    serde_json::to_string(&cells).unwrap_or_default()
}

/// Prepares the statement that reads a run's books, sorted by the lines of their orders.
pub(super) fn select(connection: &Connection) -> Result<Books<'_>, Problem> {
    let query = format!("SELECT {} FROM books WHERE run_id = ?1 ORDER BY order_line, line", BOOKS.list(""));
    Ok(Books { statement: connection.prepare(&query).map_err(sqlite(READING))? })
}

/// The statement that reads a run's books.
pub(super) struct Books<'c> {
    statement: Statement<'c>,
}

impl Books<'_> {
    /// Starts reading a run's books beside its outcomes, which come sorted by line.
    pub(super) fn read(&mut self, run: RunId) -> Result<BesideOutcomes<'_>, Problem> {
        let rows = self.statement.query([run.0]).map_err(sqlite(READING))?;
        let mut beside = BesideOutcomes { rows, next: None, read: 0 };
        beside.advance()?;
        Ok(beside)
    }
}

/// A run's books, read in step with its outcomes.
pub(super) struct BesideOutcomes<'s> {
    rows: Rows<'s>,
    next: Option<(u64, Booking)>,
    /// How many rows were read so far.
    read: u64,
}

impl BesideOutcomes<'_> {
    /// The bookings of the order that first appears on `line`. Call with ascending lines.
    pub(super) fn of(&mut self, line: u64) -> Result<Vec<Booking>, Problem> {
        let mut bookings = Vec::new();
        while let Some((_, booking)) = self.next.take_if(|(order_line, _)| *order_line <= line) {
            bookings.push(booking);
            self.advance()?;
        }
        Ok(bookings)
    }

    /// Checks that the books hold a row for each of the `rows` outcomes, or none at all: a lost row would not be
    /// compared, and would look clean.
    pub(super) fn require(&self, rows: u64) -> Result<(), Problem> {
        if self.read == 0 || (self.read == rows && self.next.is_none()) {
            return Ok(());
        }
        Err(Problem::damaged("our own books", format!("{} rows found, expected {rows}", self.read)))
    }

    fn advance(&mut self) -> Result<(), Problem> {
        let read = |row| -> Result<_, Problem> {
            let mut cells = Cells::open(row, 0, &BOOKS)?;
            cells.skip();
            let (order_line, line, text) = (cells.required_count()?, cells.required_count()?, cells.required_text()?);
            let named: BTreeMap<String, String> =
                serde_json::from_str(&text).map_err(|_| cells.damage("its cells can't be read"))?;
            let known = named.into_iter().filter_map(|(name, text)| Some((Field::named(&name)?, text)));
            Ok((order_line, Booking { line, cells: known.collect() }))
        };
        let row = self.rows.next().map_err(sqlite(READING))?;
        self.next = row.map(read).transpose()?;
        self.read += u64::from(self.next.is_some());
        Ok(())
    }
}
