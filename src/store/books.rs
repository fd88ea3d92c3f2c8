//! What the rows of the input say of their orders, as rows of the table `books`.

use std::collections::BTreeMap;

use rusqlite::types::Value;
use rusqlite::{Connection, Rows, Statement};

use super::RunId;
use super::cells::{Cells, Layout};
use super::error::{Problem, sqlite};
use super::seal::sealed;
use crate::domain::books::{Booking, Field};

/// Every row of our own books, under the line that first has its order.
pub(super) static BOOKS: Layout = Layout { table: "books", columns: &["run_id", "order_line", "line", "cells"] };

const READING: &str = "read our own books in";

/// The values of one row.
pub(super) fn row(run: RunId, order_line: i64, line: i64, booking: &Booking) -> Vec<Value> {
    sealed([run.0.into(), order_line.into(), line.into(), cells(booking).into()])
}

/// The cells of one row as JSON: the texts by field.
pub(super) fn cells(booking: &Booking) -> String {
    let cells: BTreeMap<&str, &str> = booking.cells.iter().map(|(field, text)| (field.name(), text.as_str())).collect();
    // A map of texts to texts can always be written.
    serde_json::to_string(&cells).unwrap_or_default()
}

/// The statement that reads the books of a run, by the orders' lines.
pub(super) fn select(connection: &Connection) -> Result<Books<'_>, Problem> {
    let query = format!("SELECT {} FROM books WHERE run_id = ?1 ORDER BY order_line, line", BOOKS.list(""));
    Ok(Books { statement: connection.prepare(&query).map_err(sqlite(READING))? })
}

/// Reads the books of a run.
pub(super) struct Books<'c> {
    statement: Statement<'c>,
}

impl Books<'_> {
    /// Reads them beside the outcomes, which come in the order of their lines.
    pub(super) fn read(&mut self, run: RunId) -> Result<BesideOutcomes<'_>, Problem> {
        let rows = self.statement.query([run.0]).map_err(sqlite(READING))?;
        let mut beside = BesideOutcomes { rows, next: None, read: 0 };
        beside.advance()?;
        Ok(beside)
    }
}

/// The books, read as outcomes are.
pub(super) struct BesideOutcomes<'s> {
    rows: Rows<'s>,
    next: Option<(u64, Booking)>,
    /// How many rows were read.
    read: u64,
}

impl BesideOutcomes<'_> {
    /// The rows of the books under that line; lines are asked for in their order.
    pub(super) fn of(&mut self, line: u64) -> Result<Vec<Booking>, Problem> {
        let mut bookings = Vec::new();
        while let Some((_, booking)) = self.next.take_if(|(order_line, _)| *order_line <= line) {
            bookings.push(booking);
            self.advance()?;
        }
        Ok(bookings)
    }

    /// Proves that the books were kept with every one of so many rows, or with none: a row that is lost would not be
    /// compared, and look clean.
    pub(super) fn require(&self, rows: u64) -> Result<(), Problem> {
        if self.read == 0 || (self.read == rows && self.next.is_none()) {
            return Ok(());
        }
        Err(Problem::damaged("our own books", format!("{} rows of them are there, {rows} were read", self.read)))
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
