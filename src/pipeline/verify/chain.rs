//! The chain of reports: each names the manifest of the one before it, back to the first.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Part, PartResult};
use crate::pipeline::JobError;
use crate::report::folder::ReportFolder;
use crate::report::folder::manifest::{Link, Manifest};
use crate::store::{Run, Store};

const PART: &str = "chain";

/// What the state knows of reports.
struct Known<'s> {
    state: Option<&'s Store>,
    runs: Vec<Run>,
}

/// Follows the links from a report to the first one of its folder, or to where prune or a report in the same place ended the
/// chain. A report that the state knows and that is gone otherwise breaks it.
pub(super) fn prove(report: &ReportFolder, manifest: &Manifest, state: Option<&Store>) -> Result<Part, JobError> {
    let known = Known { state, runs: state.map(Store::runs).transpose()?.unwrap_or_default() };
    let (mut place, mut hash) = (report.place().to_owned(), report.manifest_sha256().to_owned());
    let mut next = manifest.stamp.previous.clone();
    // Links can't come round by their hashes, but by the reports that a report says it replaces.
    let mut seen = BTreeSet::from([place.clone()]);
    while let Some(link) = next {
        let found = known.places(&place, &link).into_iter().filter_map(|place| ReportFolder::open(&place).ok());
        let mut found: Vec<ReportFolder> = found.collect();
        let same = found.iter().position(|found| follows(found, &link));
        let Some(at) = same else {
            return known.end(&place, &hash, &link, !found.is_empty());
        };
        let before = found.swap_remove(at);
        if seen.contains(before.place()) {
            // Its run was continued after others had made their reports: what took its place is one of those seen.
            break;
        }
        next = before.manifest()?.stamp.previous;
        (place, hash) = (before.place().to_owned(), before.manifest_sha256().to_owned());
        seen.insert(place.clone());
    }
    let said = match seen.len() - 1 {
        0 => "it is the first report of its folder".to_owned(),
        1 => "the report before it is the one that was there".to_owned(),
        reports => format!("the {reports} reports before it are those that were there"),
    };
    Ok(Part::new(PART, PartResult::Holds, said))
}

/// Whether a link leads to that report: it is the one, or it took its place when its run was continued.
fn follows(found: &ReportFolder, link: &Link) -> bool {
    let continues = |found: Manifest| found.stamp.earlier.replaces.contains(&link.manifest_sha256);
    found.manifest_sha256() == link.manifest_sha256 || found.manifest().is_ok_and(continues)
}

impl Known<'_> {
    /// Where the report of a link may be: beside the one that names it, beside the state, or where its run put it.
    fn places(&self, place: &Path, link: &Link) -> Vec<PathBuf> {
        // A name from outside never leads out of a folder.
        let is_plain = !link.report.is_empty() && !link.report.starts_with('.') && !link.report.contains('/');
        let beside = [place, self.state.map_or(place, Store::path)];
        let beside =
            beside.into_iter().filter(|_| is_plain).filter_map(|beside| Some(beside.parent()?.join(&link.report)));
        let recorded = self.folder(&link.manifest_sha256).map(PathBuf::from);
        beside.chain(recorded).collect()
    }

    /// Where the report of that manifest was put.
    fn folder(&self, manifest_sha256: &str) -> Option<&str> {
        let run = self.runs.iter().find(|run| run.manifests.iter().any(|known| known == manifest_sha256))?;
        Some(&run.reported.as_ref()?.folder)
    }

    /// What it means that the report of a link is not there, or a different one is; `hash` is the manifest that names it.
    fn end(&self, place: &Path, hash: &str, link: &Link, is_other: bool) -> Result<Part, JobError> {
        let (name, before) = (&link.report, self.folder(&link.manifest_sha256));
        let is_own_place = place.file_name().is_some_and(|own| own == name.as_str());
        let part = |came, said: &str| Ok(Part::new(PART, came, format!("{name} {said}")));
        if is_own_place || before.is_some() && before == self.folder(hash) {
            return part(PartResult::Holds, "was the report in its place before, and was replaced");
        }
        let is_pruned = self.state.map(|state| state.has_pruned_report(&link.manifest_sha256)).transpose()?;
        if is_pruned == Some(true) {
            return part(PartResult::Holds, "was removed by `tieout prune`, as the state says");
        }
        if is_other {
            return part(PartResult::Fails, "is not the report that was there");
        }
        let is_known = self.runs.iter().any(|run| run.manifests.contains(&link.manifest_sha256));
        if is_known {
            let said = "is gone, the state knows it, and `tieout prune` did not remove it: put it back from a backup";
            return part(PartResult::Fails, said);
        }
        part(PartResult::NotProven, "is not there to be compared, and no state knows it")
    }
}
