//! Old reports: which there are, and how one is removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::manifest::{MANIFEST_FILE, Manifest, listed_files};
use super::publish::{PublishError, newest};

/// The reports below a folder that were made before that time, the oldest first. Never the one that `latest` leads
/// to, and nothing that is no report of ours or holds more than one.
///
/// # Errors
/// When the folder can't be read.
pub fn older_reports(folder: &Path, before: Timestamp) -> Result<Vec<PathBuf>, PublishError> {
    let failed = PublishError::io(folder);
    let latest = newest(folder);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(&failed)?,
    };
    let mut old = Vec::new();
    for entry in entries {
        let entry = entry.map_err(&failed)?;
        // Not through links: what they lead to lies elsewhere.
        let path = entry.path();
        if !entry.file_type().map_err(&failed)?.is_dir() || path.canonicalize().ok() == latest {
            continue;
        }
        let Ok(Some((manifest, _))) = Manifest::read(&path) else {
            continue;
        };
        // Not by what ages are counted to: that may be years ago.
        if manifest.stamp.finished_at < before && holds_a_report_alone(&path).map_err(&failed)? {
            old.push((manifest.stamp.finished_at, path));
        }
    }
    old.sort();
    Ok(old.into_iter().map(|(_, path)| path).collect())
}

/// Removes a report: the manifest first, so that what a kill leaves behind is no report any more.
///
/// # Errors
/// When it can't be removed.
pub fn remove(report: &Path) -> Result<(), PublishError> {
    let failed = PublishError::io(report);
    fs::remove_file(report.join(MANIFEST_FILE)).map_err(&failed)?;
    fs::remove_dir_all(report).map_err(&failed)
}

fn holds_a_report_alone(folder: &Path) -> io::Result<bool> {
    let listed = listed_files(folder)?.unwrap_or_default();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name != MANIFEST_FILE && !listed.contains(&name) {
            return Ok(false);
        }
    }
    Ok(true)
}
