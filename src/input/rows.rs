//! The rows of an input, one at a time, each with the line on which it begins.

use std::io;

use csv::ByteRecord;

use super::Options;
use super::decode::{END, Text};
use super::error::{InputError, shown};
use super::hashed::HashHandle;
use super::heading::Layout;
use super::seen::Seen;
use crate::domain::id::{IdError, RunOrderId};
use crate::domain::outcome::Reason;

/// One row of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line on which the row begins, counted from 1.
    pub line: u64,
    /// What stands there.
    pub entry: Entry,
}

/// What stands in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A usable ID, for the first time.
    Order(RunOrderId),
    /// An ID that stood on an earlier row.
    Duplicate {
        /// The ID.
        id: RunOrderId,
        /// The line of the row with the same ID.
        first_line: u64,
    },
    /// No usable ID.
    Rejected {
        /// What stands in its place, cut and without control characters.
        text: String,
        /// Why it is not usable.
        reason: Reason,
    },
}

/// The rows of an input, one at a time.
pub struct Rows {
    records: Records,
    column: usize,
    seen: Seen,
    expected: (String, u64),
    count: u64,
    ended: bool,
}

impl Rows {
    /// The rows of these records, if they come to that hash and that number.
    pub(super) fn new(records: Records, column: usize, expected: (String, u64)) -> Self {
        Self { records, column, seen: Seen::default(), expected, count: 0, ended: false }
    }
}

impl Iterator for Rows {
    type Item = Result<Row, InputError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let row = match self.records.next_record() {
            Ok(Some((line, record))) => Ok(Row { line, entry: entry(record, self.column, line, &mut self.seen) }),
            Ok(None) => {
                self.ended = true;
                let unchanged = (self.records.hash.finish().0, self.count) == self.expected;
                return (!unchanged).then(|| Err(InputError::Changed { input: self.records.options.shown() }));
            }
            Err(error) => Err(error),
        };
        self.ended = row.is_err();
        self.count += 1;
        Some(row)
    }
}

fn entry(record: &ByteRecord, column: usize, line: u64, seen: &mut Seen) -> Entry {
    let Some(cell) = record.get(column) else {
        let detail = format!("the row has no column {}", column + 1);
        return Entry::Rejected { text: String::new(), reason: Reason::new("missing-cell", detail) };
    };
    let cell = String::from_utf8_lossy(cell);
    match RunOrderId::parse(&cell) {
        Ok(id) => match seen.first_line(&id, line) {
            None => Entry::Order(id),
            Some(first_line) => Entry::Duplicate { id, first_line },
        },
        Err(error) => {
            let code = match error {
                IdError::Empty => "empty-id",
                IdError::TooLong => "id-too-long",
                IdError::BadCharacter => "bad-character",
            };
            Entry::Rejected { text: shown(&cell), reason: Reason::new(code, error.to_string()) }
        }
    }
}

/// The records of the CSV, each with the line on which it begins.
pub(super) struct Records {
    reader: csv::Reader<Text>,
    record: ByteRecord,
    line: u64,
    options: Options,
    hash: HashHandle,
}

impl Records {
    pub(super) fn new(text: Text, layout: &Layout, options: Options, hash: HashHandle) -> Self {
        let reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(layout.delimiter).from_reader(text);
        Self { reader, record: ByteRecord::new(), line: 0, options, hash }
    }

    /// The next record, with the line on which it begins.
    pub(super) fn next_record(&mut self) -> Result<Option<(u64, &ByteRecord)>, InputError> {
        let more = self.reader.read_byte_record(&mut self.record).map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(source) => self.options.unreadable(source),
            other => self.options.unreadable(io::Error::other(format!("{other:?}"))),
        })?;
        // Each record ends with a line feed (`Text` sees to it). The reader's own start of a record is before the blank
        // lines it skips, so the start is counted back from the end.
        let within: usize = self.record.iter().map(|cell| cell.iter().filter(|byte| **byte == b'\n').count()).sum();
        self.line = self.reader.position().line() - 1 - within as u64;
        if self.record.len() == 1 && self.record.get(0) == Some(END) {
            return Ok(None);
        }
        let swallowed_end = self.record.iter().any(|cell| cell.contains(&END[0]));
        if !more || swallowed_end {
            // This record has no line feed after it: all of them are within.
            return Err(InputError::UnclosedQuote { input: self.options.shown(), line: self.line + 1 });
        }
        Ok(Some((self.line, &self.record)))
    }
}
