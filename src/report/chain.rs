//! The chain of the reports in a folder: each names the manifest of the one before it.

use std::path::{Path, PathBuf};

use super::manifest::{Link, Manifest};
use super::publish::{self, Destination};

/// The report that the next one at that destination follows: the newest there, or, where the next one takes the place
/// of that (`replaces` holds the hash of its manifest), the one that it followed. What can't be read is no link: it is the next report's
/// chain that begins anew, and `tieout verify` of the unreadable one that says so.
#[must_use]
pub fn previous(destination: &Destination, replaces: &[String]) -> Option<Link> {
    let newest = newest(destination)?;
    let (manifest, manifest_sha256) = Manifest::read(&newest).ok()??;
    if replaces.contains(&manifest_sha256) { manifest.stamp.previous } else { link(&newest) }
}

/// A link to the report in that folder.
#[must_use]
pub fn link(folder: &Path) -> Option<Link> {
    let (_, manifest_sha256) = Manifest::read(folder).ok()??;
    let report = folder.file_name()?.to_string_lossy().into_owned();
    Some(Link { report, manifest_sha256 })
}

fn newest(destination: &Destination) -> Option<PathBuf> {
    match destination {
        Destination::Exactly(place) => Some(place.clone()),
        Destination::Under(folder) => publish::newest(folder),
    }
}
