//! `sources.json`: the files of a dataset that a report was made from. They are its evidence, and stay where they are.

use std::io::{BufReader, Read};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::month::Month;
use crate::report::files::{ProvenFile, SOURCES_FILE};
use crate::report::{ReportError, files};

/// The most that is read back of the file, in bytes: room for a million files of a dataset.
const MAX_FILE: u64 = 1 << 28;

/// Where the orders of a report come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sources {
    /// The runs whose observations were read, by the time they started.
    pub runs: Vec<SourceRun>,
    /// The files that were read.
    pub files: Vec<SourceFile>,
    /// The closed months that were looked back at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closes: Vec<SourceClose>,
}

/// The close of a month in a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceClose {
    /// The month.
    pub month: Month,
    /// SHA-256 of the manifest of its report, in hex.
    pub manifest_sha256: String,
}

/// A run of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceRun {
    /// Its name.
    pub run: String,
    /// When its job started.
    pub started_at: Timestamp,
    /// SHA-256 of the manifest of its report, in hex.
    pub manifest_sha256: String,
    /// SHA-256 of the dataset's record of it, in hex.
    pub record_sha256: String,
}

/// A file of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// Where it is, from the dataset's folder.
    pub path: String,
    /// How many rows it has.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
}

impl Sources {
    /// Writes the file into a report folder.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(&self, folder: &Path) -> Result<(), ReportError> {
        let path = folder.join(SOURCES_FILE);
        files::write_json(&path, self).map(drop).map_err(|source| ReportError::io(&path, source))
    }

    /// Reads the file back from a report folder.
    ///
    /// # Errors
    /// [`ReportError::Evidence`] if the file is not valid.
    pub fn read(proven: &ProvenFile) -> Result<Self, ReportError> {
        let damaged = |problem: String| ReportError::evidence(proven.path(), problem);
        let file = proven.reader().map_err(|error| damaged(error.to_string()))?;
        serde_json::from_reader(BufReader::new(file).take(MAX_FILE)).map_err(|error| damaged(error.to_string()))
    }
}
