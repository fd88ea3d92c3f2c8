//! How the records of runs and of compactions are written and read: JSON on one line, since Spark reads it line by line.

use std::fs;
use std::path::{Component, Path};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{DatasetError, DatasetFile, EXCEPTIONS, ORDERS};

/// The largest record that is read, in bytes: a run of a century of days has 10 MB.
const LARGEST: u64 = 256 << 20;

pub(super) fn text(record: &impl Serialize, path: &Path) -> Result<String, DatasetError> {
    let text = serde_json::to_string(record).map_err(|error| DatasetError::io("write", path)(error.into()))?;
    Ok(text + "\n")
}

pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, DatasetError> {
    let failed = DatasetError::io("read", path);
    let found = fs::metadata(path).map_err(&failed)?;
    if !found.is_file() || found.len() > LARGEST {
        return Err(DatasetError::damaged(path, format!("it is not a regular file of at most {LARGEST} bytes")));
    }
    let text = fs::read(path).map_err(&failed)?;
    serde_json::from_slice(&text).map_err(|error| DatasetError::damaged(path, format!("it is not valid ({error})")))
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

/// Whether a path leads to a Parquet file of a dataset, and nowhere else.
fn is_in_its_place(path: &str) -> bool {
    let parts: Option<Vec<&str>> = Path::new(path)
        .components()
        .map(|part| if let Component::Normal(part) = part { part.to_str() } else { None })
        .collect();
    let is_file = |name: &str| name.ends_with(".parquet");
    match parts.as_deref() {
        Some([ORDERS, day, name]) => day.starts_with("day=") && is_file(name),
        Some([EXCEPTIONS, name]) => is_file(name),
        _ => false,
    }
}
