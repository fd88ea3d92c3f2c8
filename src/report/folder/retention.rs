//! Finds old reports, and removes one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::publish::{PublishError, newest};
use super::{ReportFolder, holds_only_a_report};
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
    let failed = PublishError::io(folder);
    let latest = newest(folder);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(&failed)?,
    };
    let mut old = Vec::new();
    for entry in entries {
        let entry = entry.map_err(&failed)?;
        // Links are not followed: their targets are elsewhere.
        let path = entry.path();
        if !entry.file_type().map_err(&failed)?.is_dir() || path.canonicalize().ok() == latest {
            continue;
        }
        let Ok((report, manifest)) = ReportFolder::open(&path).and_then(|report| {
            let manifest = report.manifest()?;
            Ok((report, manifest))
        }) else {
            continue;
        };
        if manifest.stamp.finished_at < before && holds_only_a_report(&path).is_ok() {
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
