//! Reads the CSV files of a report back, row by row.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, ErrorKind, Read};

use super::error::ComparisonError;
use super::folder::Folder;
use crate::domain::money::Sum;

/// How many characters of a wrong cell an error shows.
const SHOWN: usize = 64;
/// The longest row that is read, in bytes, not counting what is read ahead.
const MAX_ROW: u64 = 64 << 20;

/// Passes the cells of the named columns to `take`, row by row; other columns are ignored. An error of `take`
/// is returned with the file and the line.
pub(super) fn for_each<const COLUMNS: usize>(
    folder: &Folder,
    name: &str,
    columns: [&str; COLUMNS],
    mut take: impl FnMut([&str; COLUMNS]) -> Result<(), String>,
) -> Result<(), ComparisonError> {
    let shown = folder.shown(name);
    let damaged = |problem: String| ComparisonError::damaged(&shown, problem);
    let unreadable = |error: ::csv::Error| match error.into_kind() {
        ::csv::ErrorKind::Io(error) if error.kind() == ErrorKind::FileTooLarge => damaged(error.to_string()),
        ::csv::ErrorKind::Io(error) => ComparisonError::unreadable(&shown)(error),
        _ => damaged("a row has more or fewer cells than the heading".to_owned()),
    };
    let left = Cell::new(MAX_ROW);
    let mut reader = ::csv::Reader::from_reader(Bounded { inner: folder.file(name)?, left: &left });
    let headings = reader.byte_headers().map_err(unreadable)?;
    let mut places = [0; COLUMNS];
    for (place, column) in places.iter_mut().zip(columns) {
        *place = headings
            .iter()
            .position(|heading| heading == column.as_bytes())
            .ok_or_else(|| damaged(format!("it has no column {column}")))?;
    }
    let encoding = folder.manifest.csv_encoding;
    let mut record = ::csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(unreadable)? {
        left.set(MAX_ROW);
        let line = record.position().map_or(0, ::csv::Position::line);
        // A record has as many cells as the heading: reading any other fails.
        let cells = places.map(|place| encoding.text(record.get(place).unwrap_or_default()));
        if cells.iter().any(Option::is_none) {
            return Err(damaged(format!("line {line}: it is not valid in the report's encoding")));
        }
        take(cells.each_ref().map(|cell| cell.as_deref().unwrap_or_default()))
            .map_err(|problem| damaged(format!("line {line}: {problem}")))?;
    }
    Ok(())
}

/// A reader that fails once a row is longer than [`MAX_ROW`].
struct Bounded<'l> {
    inner: File,
    left: &'l Cell<u64>,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let too_long = || io::Error::new(ErrorKind::FileTooLarge, format!("a row has more than {MAX_ROW} bytes"));
        self.left.set(self.left.get().checked_sub(read as u64).ok_or_else(too_long)?);
        Ok(read)
    }
}

/// Parses an amount as reports write it: with exactly 8 decimals.
pub(super) fn money(text: &str) -> Result<Sum, String> {
    Sum::parse_exact(text).ok_or_else(|| format!("{} is not an amount with 8 decimals", excerpt(text)))
}

/// Parses a count.
pub(super) fn count(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{} is not a count", excerpt(text)))
}

/// The start of a cell, quoted for an error.
pub(super) fn excerpt(text: &str) -> String {
    format!("{:?}", text.chars().take(SHOWN).collect::<String>())
}
