//! The CSV files of a report, read back row by row.

use std::io::BufReader;

use super::error::ComparisonError;
use super::folder::Folder;
use crate::domain::money::Sum;
use crate::report::tables;

/// How many characters of a wrong cell an error shows.
const SHOWN: usize = 64;

/// Hands on the cells of those columns, row by row; other columns may be there. What `take` objects to is an error that
/// names the file and the line.
pub(super) fn for_each<const COLUMNS: usize>(
    folder: &Folder,
    name: &str,
    columns: [&str; COLUMNS],
    mut take: impl FnMut([&str; COLUMNS]) -> Result<(), String>,
) -> Result<(), ComparisonError> {
    let shown = folder.shown(name);
    let damaged = |problem: String| ComparisonError::damaged(&shown, problem);
    let unreadable = |error: ::csv::Error| match error.into_kind() {
        ::csv::ErrorKind::Io(error) => ComparisonError::unreadable(&shown)(error),
        _ => damaged("a row has more or fewer cells than the heading".to_owned()),
    };
    let mut reader = ::csv::Reader::from_reader(BufReader::new(folder.file(name)?));
    let headings = reader.byte_headers().map_err(unreadable)?;
    let mut places = [0; COLUMNS];
    for (place, column) in places.iter_mut().zip(columns) {
        *place = headings
            .iter()
            .position(|heading| heading == column.as_bytes())
            .ok_or_else(|| damaged(format!("it has no column {column}")))?;
    }
    let encoding = folder.listed.csv_encoding;
    let mut record = ::csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(unreadable)? {
        let line = record.position().map_or(0, ::csv::Position::line);
        // A record has as many cells as the heading, else reading it failed.
        let cells = places.map(|place| encoding.text(record.get(place).unwrap_or_default()));
        if cells.iter().any(Option::is_none) {
            return Err(damaged(format!("line {line}: it is no text in the encoding of the report")));
        }
        take(cells.each_ref().map(|cell| cell.as_deref().unwrap_or_default()))
            .map_err(|problem| damaged(format!("line {line}: {problem}")))?;
    }
    Ok(())
}

/// An amount as reports write it: with 8 decimals, and nothing else.
pub(super) fn money(text: &str) -> Result<Sum, String> {
    tables::money(text).ok_or_else(|| format!("{} is no amount with 8 decimals", excerpt(text)))
}

/// A count as reports write it.
pub(super) fn count(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{} is no count", excerpt(text)))
}

/// The beginning of a cell, for an error.
pub(super) fn excerpt(text: &str) -> String {
    format!("{:?}", text.chars().take(SHOWN).collect::<String>())
}
