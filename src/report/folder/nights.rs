//! The reports below a reports folder: one for every night.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::ReportFolder;
use super::manifest::{Manifest, Stamp};
use super::{FolderError, publish::PublishError};

/// A report below a reports folder.
#[derive(Clone, Debug)]
pub struct Night {
    /// The report, opened.
    pub report: ReportFolder,
    /// Its manifest.
    pub manifest: Manifest,
}

/// The reports below a reports folder.
#[derive(Debug, Default)]
pub struct Nights {
    /// Those whose manifest can be read, by their `as_of` and by when they were made.
    pub nights: Vec<Night>,
    /// Folders that hold a manifest that can't be read, sorted.
    pub damaged: Vec<(PathBuf, FolderError)>,
}

impl Night {
    /// The name of its folder.
    #[must_use]
    pub fn name(&self) -> String {
        self.report.real_path().file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// What the job knew about the report.
    #[must_use]
    pub const fn stamp(&self) -> &Stamp {
        &self.manifest.stamp
    }

    /// Whether orders were fetched for it; reports by `tieout audit` only judge what others fetched.
    #[must_use]
    pub const fn is_of_a_run(&self) -> bool {
        self.manifest.stamp.fetch.is_some()
    }
}

impl Nights {
    /// Finds the reports directly below a folder. A folder that does not exist has none; links, hidden folders and
    /// whatever is not a report are passed over.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn below(folder: &Path) -> Result<Self, PublishError> {
        let mut found = Self::default();
        each(folder, |path, opened| match opened {
            Ok(night) => found.nights.push(night),
            Err(FolderError::NotAReport { .. }) => {}
            Err(error) => found.damaged.push((path, error)),
        })?;
        found.nights.sort_by_cached_key(|night| (night.stamp().as_of, night.stamp().finished_at, night.name()));
        found.damaged.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(found)
    }
}

/// Hands over each report directly below a folder, in no order, or why a folder there can't be read as one. Only one is in
/// memory at a time.
///
/// # Errors
/// When the folder can't be read.
pub fn each(folder: &Path, mut take: impl FnMut(PathBuf, Result<Night, FolderError>)) -> Result<(), PublishError> {
    let failed = PublishError::io(folder);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(&failed)?,
    };
    for entry in entries {
        let entry = entry.map_err(&failed)?;
        // A hidden folder is unfinished, and the target of a link is elsewhere.
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if is_hidden || !entry.file_type().map_err(&failed)?.is_dir() {
            continue;
        }
        let opened = ReportFolder::open(&entry.path()).and_then(|report| {
            let manifest = report.manifest()?;
            Ok(Night { report, manifest })
        });
        take(entry.path(), opened);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::report::files::MANIFEST_FILE;

    #[test]
    fn reports_are_found_and_all_else_is_passed_over() {
        let place = tempfile::tempdir().expect("a folder");
        let make = |name: &str, as_of: &str| {
            let folder = place.path().join(name);
            fs::create_dir(&folder).expect("writable");
            let as_of: Timestamp = as_of.parse().expect("a time");
            Stamp { as_of, ..Stamp::default() }.write(&folder).expect("writable");
        };
        make("b", "2026-06-01T00:00:00Z");
        make("a", "2026-06-02T00:00:00Z");
        make("c", "2026-06-03T00:00:00Z");
        make(".hidden", "2026-06-04T00:00:00Z");
        fs::create_dir(place.path().join("notes")).expect("writable");
        fs::write(place.path().join("file"), "").expect("writable");
        std::os::unix::fs::symlink("c", place.path().join("latest")).expect("a link");
        fs::write(place.path().join("c").join(MANIFEST_FILE), "{").expect("writable");
        let found = Nights::below(place.path()).expect("readable");
        assert_eq!(found.nights.iter().map(Night::name).collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(found.damaged.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>(), [place.path().join("c")]);
        assert!(Nights::below(&place.path().join("none")).expect("no reports").nights.is_empty());
    }
}
