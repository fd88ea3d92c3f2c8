//! The chain of reports: each names the manifest of the previous one, back to the first.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Part, PartResult};
use crate::pipeline::JobError;
use crate::report::folder::ReportFolder;
use crate::report::folder::manifest::{Link, Manifest};
use crate::store::{Run, Store};

const PART: &str = "chain";

/// What the state knows about reports.
struct KnownReports<'s> {
    state: Option<&'s Store>,
    runs: Vec<Run>,
}

/// How far the links are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To the first report.
    First,
    /// To the previous report. Where each report of a folder is proven, all links are.
    Previous,
}

/// Follows the links from a report to the first one in its folder, or to one that was pruned or replaced in its place:
/// the chain ends there. Any other report that the state knows and that is missing breaks the chain.
pub(super) fn prove(
    report: &ReportFolder,
    manifest: &Manifest,
    state: Option<&Store>,
    reach: Reach,
) -> Result<Part, JobError> {
    let known = KnownReports { state, runs: state.map(Store::runs).transpose()?.unwrap_or_default() };
    let (mut place, mut hash) = (report.real_path().to_owned(), report.manifest_sha256().to_owned());
    let mut next = manifest.stamp.previous.clone();
    // Hashes can't form a loop, but the links to reports that a report says it replaces can.
    let mut seen = BTreeSet::from([place.clone()]);
    while let Some(link) = next {
        let found = known.places(&place, &link).into_iter().filter_map(|place| ReportFolder::open(&place).ok());
        let mut found: Vec<ReportFolder> = found.collect();
        let same = found.iter().position(|found| follows(found, &link));
        let Some(at) = same else {
            return known.end(&place, &hash, &link, !found.is_empty());
        };
        let before = found.swap_remove(at);
        if seen.contains(before.real_path()) {
            // The linked report's run was continued after later reports were made: its replacement was already seen.
            break;
        }
        next = before.manifest()?.stamp.previous;
        (place, hash) = (before.real_path().to_owned(), before.manifest_sha256().to_owned());
        seen.insert(place.clone());
        if reach == Reach::Previous {
            break;
        }
    }
    let detail = match seen.len() - 1 {
        0 => "it is the first report in its folder".to_owned(),
        1 => "the previous report is in its place".to_owned(),
        reports => format!("all {reports} previous reports are in their places"),
    };
    Ok(Part::new(PART, PartResult::Holds, detail))
}

/// Whether a link leads to this report: to itself, or to one that it replaced when its run was continued.
fn follows(found: &ReportFolder, link: &Link) -> bool {
    let continues = |found: Manifest| found.stamp.earlier.replaces.contains(&link.manifest_sha256);
    found.manifest_sha256() == link.manifest_sha256 || found.manifest().is_ok_and(continues)
}

impl KnownReports<'_> {
    /// Where a linked report may be: beside the one that names it, beside the state, or where its run published it.
    fn places(&self, place: &Path, link: &Link) -> Vec<PathBuf> {
        // A name from outside must not lead out of the folder.
        let is_plain = !link.report.is_empty() && !link.report.starts_with('.') && !link.report.contains('/');
        let beside = [place, self.state.map_or(place, Store::path)];
        let beside =
            beside.into_iter().filter(|_| is_plain).filter_map(|beside| Some(beside.parent()?.join(&link.report)));
        let recorded = self.folder(&link.manifest_sha256).map(PathBuf::from);
        beside.chain(recorded).collect()
    }

    /// The folder that the report with this manifest was published in.
    fn folder(&self, manifest_sha256: &str) -> Option<&str> {
        let run = self.runs.iter().find(|run| run.manifests.iter().any(|known| known == manifest_sha256))?;
        Some(&run.report.as_ref()?.folder)
    }

    /// The result if a linked report is missing, or a different one is in its place (`is_other`). `hash` is that of the
    /// manifest with the link.
    fn end(&self, place: &Path, hash: &str, link: &Link, is_other: bool) -> Result<Part, JobError> {
        let (name, before) = (&link.report, self.folder(&link.manifest_sha256));
        let is_own_place = place.file_name().is_some_and(|own| own == name.as_str());
        let part = |result, detail: &str| Ok(Part::new(PART, result, format!("{name} {detail}")));
        if is_own_place || before.is_some() && before == self.folder(hash) {
            return part(PartResult::Holds, "was the earlier report in this place, and was replaced");
        }
        let is_pruned = self.state.map(|state| state.has_pruned_report(&link.manifest_sha256)).transpose()?;
        if is_pruned == Some(true) {
            return part(PartResult::Holds, "was removed by `tieout prune`, as the state records");
        }
        if is_other {
            return part(PartResult::Fails, "is not the report that was linked: its manifest differs");
        }
        let is_known = self.runs.iter().any(|run| run.manifests.contains(&link.manifest_sha256));
        if is_known {
            let detail =
                "is missing: the state knows it, and `tieout prune` did not remove it; restore it from a backup";
            return part(PartResult::Fails, detail);
        }
        part(PartResult::NotProven, "is missing, and no state knows it")
    }
}
