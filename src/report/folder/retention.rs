//! Finds old reports, and removes one.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::holds_only_a_report;
use super::nights::{Night, Nights};
use super::publish::{PublishError, newest};
use crate::report::files::MANIFEST_FILE;

/// A report that is too old to keep.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OldReport {
    /// When the report was made. This is not its `as_of`, which may be years earlier.
    pub finished_at: Timestamp,
    /// Its folder.
    pub path: PathBuf,
    /// SHA-256 of its manifest, in hex.
    pub manifest_sha256: String,
}

/// The reports in a folder that were made before `before`, the oldest first. Left out are the report that
/// `latest` points at, and folders that are not a tieout report or hold anything else.
///
/// # Errors
/// When the folder can't be read.
pub fn older_reports(folder: &Path, before: Timestamp) -> Result<Vec<OldReport>, PublishError> {
    let latest = newest(folder);
    let mut old = Vec::new();
    for Night { report, manifest } in Nights::below(folder)?.nights {
        let path = folder.join(report.real_path().file_name().unwrap_or_default());
        let is_latest = latest.as_deref() == Some(report.real_path());
        if !is_latest && manifest.stamp.finished_at < before && holds_only_a_report(&path).is_ok() {
            let manifest_sha256 = report.manifest_sha256().to_owned();
            old.push(OldReport { finished_at: manifest.stamp.finished_at, path, manifest_sha256 });
        }
    }
    old.sort();
    Ok(old)
}

/// Removes a report, its manifest first: what is left if the process is killed is no longer a report.
///
/// # Errors
/// When it can't be removed.
pub fn remove(report: &Path) -> Result<(), PublishError> {
    let failed = PublishError::io(report);
    fs::remove_file(report.join(MANIFEST_FILE)).map_err(&failed)?;
    fs::remove_dir_all(report).map_err(&failed)
}
