//! Proves every report of a reports folder, and finds those that were removed.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;

use serde::Serialize;

use super::chain::{self, Reach};
use super::{Part, PartResult, REPERFORMANCE, damaged_manifest, files, in_state, reperformance};
use crate::domain::program::build;
use crate::pipeline::JobError;
use crate::report::folder::nights::{Night, Nights};
use crate::store::{Run, Store, StoreError, identity};

/// The proof of the reports of a folder.
#[derive(Debug, Serialize)]
pub struct FolderProof {
    /// Whether there are reports, every one is proven, and none is missing.
    pub proven: bool,
    /// Each report, the oldest first; those whose manifest is damaged come last.
    pub reports: Vec<ReportProof>,
    /// The reports that the state knows and that are not there.
    pub missing: Vec<MissingReport>,
}

/// The proof of one report of a folder.
#[derive(Debug, Serialize)]
pub struct ReportProof {
    /// The name of the report's folder.
    pub report: String,
    /// Whether every part of the proof holds.
    pub proven: bool,
    /// Whether it was made again by an earlier proof, so that only its files, its manifest and its link were checked.
    pub proven_before: bool,
    /// The parts of the proof.
    pub parts: Vec<Part>,
}

/// A report that the state knows, that `tieout prune` did not remove, and that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingReport {
    /// The name of the report's folder.
    pub report: String,
    /// The number of the run that made it.
    pub run: String,
}

/// Proves every report directly below a folder. What was proven before by this version is not made again: its files are
/// hashed, and the same files give the same report. Without a state nothing is known of earlier proofs, nor which
/// reports there must be.
///
/// # Errors
/// When the folder or the state can't be read. What is wrong with a report is part of the result.
pub fn verify_all(folder: &Path, mut state: Option<&mut Store>) -> Result<FolderProof, JobError> {
    let runs = state.as_deref().map(Store::runs).transpose()?.unwrap_or_default();
    let found = Nights::below(folder)?;
    let missing = missing(folder, &found, state.as_deref(), &runs)?;
    let mut reports = Vec::new();
    for night in found.nights {
        reports.push(prove(night, state.as_deref_mut(), Reach::Previous)?);
    }
    reports.extend(found.damaged.into_iter().map(|(path, error)| {
        let report = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        ReportProof { report, proven: false, proven_before: false, parts: vec![damaged_manifest(error)] }
    }));
    Ok(FolderProof::of(reports, missing))
}

impl FolderProof {
    /// The proof of a folder with these reports, where those others are missing.
    #[must_use]
    pub fn of(reports: Vec<ReportProof>, missing: Vec<MissingReport>) -> Self {
        let proven = !reports.is_empty() && missing.is_empty() && reports.iter().all(|report| report.proven);
        Self { proven, reports, missing }
    }
}

/// Proves a report, and remembers in the state that it was made again.
///
/// # Errors
/// When the state can't be read.
pub fn prove(night: Night, state: Option<&mut Store>, reach: Reach) -> Result<ReportProof, JobError> {
    let name = night.name();
    let Night { report, manifest } = night;
    let hash = report.manifest_sha256().to_owned();
    let known = state.as_deref().map(|state| state.has_proven_report(&hash, &build())).transpose()?;
    let files = unless_unreadable("files", files(&report).map_err(JobError::from))?;
    let proven_before = known == Some(true) && files.result == PartResult::Holds;
    let in_state = in_state(&manifest, &hash, state.as_deref())?;
    let chain = chain::prove(&report, &manifest, state.as_deref(), reach)?;
    let again = if proven_before {
        Part::new(REPERFORMANCE, PartResult::Holds, "an earlier proof made it again, from the same files")
    } else {
        unless_unreadable(REPERFORMANCE, reperformance(report, &manifest, None))?
    };
    // The evidence of a report about a dataset is not in its own files.
    if !proven_before && again.result == PartResult::Holds && manifest.stamp.dataset.is_none() {
        let noted = state.map(|state| state.note_proven_report(&hash, &build())).transpose();
        noted.map_or_else(|error| tracing::info!("the proof of {name} will not be remembered: {error}"), drop);
    }
    let parts = vec![files, in_state, chain, again];
    let proven = parts.iter().all(|part| part.result == PartResult::Holds);
    Ok(ReportProof { report: name, proven, proven_before, parts })
}

/// The part of a proof. Where it can't be carried out, the part is not proven, but others are: only an error of the
/// state ends all proofs.
fn unless_unreadable(part: &'static str, result: Result<Part, JobError>) -> Result<Part, JobError> {
    match result {
        Err(error @ JobError::Store(_)) => Err(error),
        Err(error) => Ok(Part::new(part, PartResult::NotProven, error.to_string())),
        result => result,
    }
}

/// The reports that runs published below a folder and that are not there, though nothing replaced them and `tieout
/// prune` did not remove them. `runs` must have been read before the folder: a job may publish in between.
///
/// # Errors
/// When the state can't be read.
pub fn missing(
    folder: &Path,
    found: &Nights,
    state: Option<&Store>,
    runs: &[Run],
) -> Result<Vec<MissingReport>, StoreError> {
    let (Some(state), Some(here)) = (state, identity(folder)) else { return Ok(Vec::new()) };
    let is_in_folder = |place: &Place<'_>| identity(place.folder) == Some(here);
    let is_state_in_folder = state.path().parent().and_then(identity) == Some(here);
    let is_known = runs.iter().filter_map(Place::of).any(|place| place.is_of_many && is_in_folder(&place));
    let there: BTreeSet<&str> = found.nights.iter().map(|night| night.report.manifest_sha256()).collect();
    // A folder that was moved is known by its reports, unless they are still where they were: then it holds copies.
    let moved: BTreeSet<&Path> = runs
        .iter()
        .filter(|run| run.report.as_ref().is_some_and(|report| there.contains(&*report.manifest_sha256)))
        .filter_map(Place::of)
        .filter(|place| !place.holds_something())
        .map(|place| place.folder)
        .collect();
    let mut missing = Vec::new();
    for (at, run) in runs.iter().enumerate() {
        let Some((report, place)) = run.report.as_ref().zip(Place::of(run)) else { continue };
        // A state in a folder that it does not know was moved or copied together with it.
        let is_here = is_in_folder(&place)
            || (is_state_in_folder && !is_known)
            || (moved.contains(place.folder) && !place.holds_something());
        let is_damaged = found.damaged.iter().any(|(path, _)| path.file_name() == Some(place.name));
        let is_replaced = runs.iter().skip(at + 1).any(|later| later.report.is_some() && replaces(later, &place));
        if place.is_of_many
            && is_here
            && !is_damaged
            && !is_replaced
            && !there.contains(&*report.manifest_sha256)
            && !state.has_pruned_report(&report.manifest_sha256)?
        {
            missing.push(MissingReport { report: place.name.to_string_lossy().into_owned(), run: run.id.to_string() });
        }
    }
    Ok(missing)
}

/// Where a run published its report.
struct Place<'r> {
    /// The folder that the report's folder is in.
    folder: &'r Path,
    /// The name of the report's folder.
    name: &'r OsStr,
    /// Whether it is a reports folder, with a report of every run; else the report has a place of its own (`--out`).
    is_of_many: bool,
}

impl<'r> Place<'r> {
    fn of(run: &'r Run) -> Option<Self> {
        let destination = Path::new(run.destination.as_deref()?);
        let name = Path::new(&run.report.as_ref()?.folder).file_name()?;
        // The folder of a report in a place of its own is the destination itself.
        let is_of_many = destination.file_name() != Some(name);
        let folder = if is_of_many { destination } else { destination.parent()? };
        Some(Self { folder, name, is_of_many })
    }

    /// Whether there is still something in that place.
    fn holds_something(&self) -> bool {
        self.folder.join(self.name).exists()
    }
}

/// Whether a run published its report in that very place.
fn replaces(later: &Run, place: &Place<'_>) -> bool {
    Place::of(later).is_some_and(|other| (other.folder, other.name) == (place.folder, place.name))
}
