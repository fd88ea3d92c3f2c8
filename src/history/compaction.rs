//! `compactions/<compaction>.json`: which files were merged into which. It is written last, and only then the merged
//! files count in place of the others.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{DatasetError, DatasetFile, ORDERS, record};

const FORMAT: u32 = 1;

/// Files that were merged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompactionRecord {
    format: u32,
    /// The compaction's name: when it began, and random digits.
    pub compaction: String,
    /// The version of tieout that made it.
    pub tieout_version: String,
    /// The files that no longer count.
    pub replaces: Vec<DatasetFile>,
    /// The files that have all their rows.
    pub files: Vec<DatasetFile>,
}

impl CompactionRecord {
    pub(super) fn new(compaction: String, replaces: Vec<DatasetFile>, files: Vec<DatasetFile>) -> Self {
        let tieout_version = crate::domain::program::VERSION.to_owned();
        Self { format: FORMAT, compaction, tieout_version, replaces, files }
    }

    pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Self, DatasetError> {
        let record: Self = record::parse(path, bytes)?;
        record::require(
            path,
            record.format == FORMAT,
            &record.compaction,
            record.replaces.iter().chain(&record.files),
        )?;
        let rows = |files| record::rows_below(files, ORDERS);
        record::require_rows(path, "rows that were merged", rows(&record.replaces), rows(&record.files))?;
        Ok(record)
    }
}
