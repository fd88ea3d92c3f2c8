//! The chain of reports in a folder: each names the manifest of the previous one.

use std::fs;
use std::path::{Path, PathBuf};

use super::ReportFolder;
use super::manifest::Link;
use super::publish::{self, Destination};

/// The link from the next report at that destination to the one it follows: the newest there, or, if the next
/// one replaces the newest (`replaces` holds its manifest's hash), the one that the newest followed.
///
/// A report that can't be read gives no link: the chain starts anew, and `tieout verify` of that report says
/// why.
#[must_use]
pub fn previous(destination: &Destination, replaces: &[String]) -> Option<Link> {
    let newest = newest(destination)?;
    let report = ReportFolder::open(&newest).ok()?;
    if replaces.iter().any(|replaced| replaced == report.manifest_sha256()) {
        report.manifest().ok()?.stamp.previous
    } else {
        link(&newest)
    }
}

/// Finds the report with that manifest at a destination: in the folder itself, or in one directly below it.
#[must_use]
pub fn find(destination: &Path, manifest_sha256: &str) -> Option<PathBuf> {
    let is_it =
        |folder: &Path| ReportFolder::open(folder).is_ok_and(|found| found.manifest_sha256() == manifest_sha256);
    if is_it(destination) {
        return Some(destination.to_owned());
    }
    let entries = fs::read_dir(destination).ok()?.flatten();
    // A hidden folder is unfinished: it was never published.
    let is_report = |entry: &fs::DirEntry| !entry.file_name().as_encoded_bytes().starts_with(b".");
    let entries = entries.filter(|entry| is_report(entry) && entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut folders = entries.map(|entry| entry.path());
    folders.find(|folder| is_it(folder))
}

/// A link to the report in that folder; `None` if there is no readable report.
#[must_use]
pub fn link(folder: &Path) -> Option<Link> {
    let manifest_sha256 = ReportFolder::open(folder).ok()?.manifest_sha256().to_owned();
    let report = folder.file_name()?.to_string_lossy().into_owned();
    Some(Link { report, manifest_sha256 })
}

fn newest(destination: &Destination) -> Option<PathBuf> {
    match destination {
        Destination::Exactly(place) | Destination::New(place) => Some(place.clone()),
        Destination::Under(folder) => publish::newest(folder),
    }
}

#[cfg(test)]
mod tests {
    use super::super::manifest::Stamp;
    use super::*;

    #[test]
    fn a_report_in_the_making_is_not_found() {
        let place = tempfile::tempdir().expect("a folder");
        let (hidden, shown) = (place.path().join(".tieout-abc123"), place.path().join("20260601T000000Z"));
        fs::create_dir(&hidden).expect("writable");
        let manifest = Stamp::default().write(&hidden).expect("writable");
        assert_eq!(find(place.path(), &manifest), None);
        fs::rename(&hidden, &shown).expect("writable");
        assert_eq!(find(place.path(), &manifest), Some(shown.clone()));
        assert_eq!(find(&shown, &manifest), Some(shown));
        assert_eq!(find(place.path(), "00ff"), None);
    }
}
