//! How the records of runs and of compactions are written and read: JSON on one line, since Spark reads it line by line.

use std::path::Path;

use jiff::civil::Date;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{DatasetError, DatasetFile, EXCEPTIONS, ORDERS};

/// The largest record that is read, in bytes: a run of a century of days has 10 MB.
pub(super) const LARGEST: u64 = 256 << 20;

pub(super) fn text(record: &impl Serialize, path: &Path) -> Result<String, DatasetError> {
    let text = serde_json::to_string(record).map_err(|error| DatasetError::io("write", path)(error.into()))?;
    Ok(text + "\n")
}

pub(super) fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, DatasetError> {
    serde_json::from_slice(bytes).map_err(|error| not_valid(path, &error))
}

/// Parses a record of several lines: the first is of another kind than the rest.
pub(super) fn parse_lines<T: DeserializeOwned, U: DeserializeOwned>(
    path: &Path,
    bytes: &[u8],
) -> Result<(T, Vec<U>), DatasetError> {
    let mut lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let first = serde_json::from_slice(lines.next().unwrap_or_default()).map_err(|error| not_valid(path, &error))?;
    let rest = lines.map(serde_json::from_slice).collect::<Result<_, _>>().map_err(|error| not_valid(path, &error))?;
    Ok((first, rest))
}

fn not_valid(path: &Path, error: &serde_json::Error) -> DatasetError {
    DatasetError::damaged(path, format!("it is not valid ({error})"))
}

/// Fails unless a record has this version's format, the name of its file, and names files in their places.
pub(super) fn require<'f>(
    path: &Path,
    has_format: bool,
    name: &str,
    files: impl IntoIterator<Item = &'f DatasetFile>,
) -> Result<(), DatasetError> {
    if !has_format {
        return Err(DatasetError::OtherVersion { path: path.to_owned() });
    }
    if path.file_stem() != Some(name.as_ref()) {
        return Err(DatasetError::damaged(path, format!("it is the record of {name:?}")));
    }
    match files.into_iter().find(|file| !is_in_its_place(&file.path)) {
        Some(file) => {
            Err(DatasetError::damaged(path, format!("{:?} is not where a file of a dataset lies", file.path)))
        }
        None => Ok(()),
    }
}

/// Whether a path leads to a Parquet file of a dataset and nowhere else, in the one way in which it is written.
fn is_in_its_place(path: &str) -> bool {
    let is_file = |name: &str| name.ends_with(".parquet");
    let is_day = |day: &str| {
        let date = day.strip_prefix("day=").unwrap_or_default();
        date.parse::<Date>().is_ok_and(|parsed| parsed.to_string() == date)
    };
    match path.split('/').collect::<Vec<_>>().as_slice() {
        [ORDERS, day, name] => is_day(day) && is_file(name),
        [EXCEPTIONS, name] => is_file(name),
        _ => false,
    }
}

/// Fails unless two counts of rows, of which one is written in a record, are equal.
pub(super) fn require_rows(path: &Path, what: &str, one: u64, other: u64) -> Result<(), DatasetError> {
    if one == other {
        return Ok(());
    }
    Err(DatasetError::damaged(path, format!("it contradicts itself: {what} are {one}, and {other} by its files")))
}

/// How many rows the files have whose paths begin like this.
pub(super) fn rows_below(files: &[DatasetFile], folder: &str) -> u64 {
    let below = files.iter().filter(|file| file.path.starts_with(folder));
    below.fold(0, |rows, file| rows.saturating_add(file.rows))
}
