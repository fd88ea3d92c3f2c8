//! Proves a report: its files against their hashes, its manifest against the state and the chain, and its figures
//! against the evidence, which is judged again.

mod chain;
pub mod folder;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::JobError;
use super::audit::dataset::{DatasetAudit, TRIES};
use super::audit::{Changes, ProvenReport, RebuiltReport};
use crate::history::{Dataset, DatasetError};
use crate::report::ReportError;
use crate::report::builder::Report;
use crate::report::evidence::sources::Sources;
use crate::report::files::{FACTS_FILE, FileStamp, SOURCES_FILE};
use crate::report::folder::manifest::{DatasetStamp, Manifest, designs};
use crate::report::folder::{FolderError, ReportFolder};
use crate::report::formats::{Format, Formats};
use crate::store::Store;

pub use chain::Reach;

/// The part of the proof that makes the report again.
pub const REPERFORMANCE: &str = "reperformance";
/// How many characters of a differing line are shown before the first difference, and from it on.
const SHOWN: (usize, usize) = (40, 60);
/// How many bytes of a line are compared at a time.
const PIECE: u64 = 1 << 20;

/// The result of one part of the proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartResult {
    /// The part is proven.
    Holds,
    /// The report is not as it was made.
    Fails,
    /// The part can't be proven: what would prove it is not available.
    NotProven,
}

/// One part of the proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// `files`, `manifest`, `chain` or `reperformance`.
    pub part: &'static str,
    /// The result of the part.
    #[serde(rename = "came")]
    pub result: PartResult,
    /// The details, one sentence each.
    #[serde(rename = "said")]
    pub details: Vec<String>,
}

impl Part {
    fn new(part: &'static str, result: PartResult, detail: impl Into<String>) -> Self {
        Self { part, result, details: vec![detail.into()] }
    }

    fn of(part: &'static str, problems: Vec<String>, proof: impl Into<String>) -> Self {
        if problems.is_empty() {
            Self::new(part, PartResult::Holds, proof)
        } else {
            Self { part, result: PartResult::Fails, details: problems }
        }
    }
}

/// Proves the report in a folder, part by part. Without a state the manifest is not proven. `dataset` is where the dataset
/// is that the report is about, if it is not where it was then.
///
/// # Errors
/// [`JobError`] if there is no report, or the proof itself can't be carried out.
pub fn verify(folder: &Path, state: Option<&Store>, dataset: Option<&Path>) -> Result<Vec<Part>, JobError> {
    let report = match ReportFolder::open(folder) {
        // A damaged manifest is a finding, not an error of the command.
        Err(error @ FolderError::Damaged { .. }) => return Ok(vec![damaged_manifest(error)]),
        report => report?,
    };
    let manifest = match report.manifest() {
        Err(error) => return Ok(vec![damaged_manifest(error)]),
        Ok(manifest) => manifest,
    };
    Ok(vec![
        files(&report)?,
        in_state(&manifest, report.manifest_sha256(), state)?,
        chain::prove(&report, &manifest, state, Reach::First)?,
        reperformance(report, &manifest, dataset)?,
    ])
}

fn damaged_manifest(error: FolderError) -> Part {
    Part::new("manifest", PartResult::Fails, error.in_report())
}

fn files(report: &ReportFolder) -> Result<Part, FolderError> {
    let mut problems = Vec::new();
    for FileStamp { name, .. } in report.files() {
        problems.extend(report.prove(name).err().map(|error| error.in_report()));
    }
    problems.extend(report.unlisted()?.into_iter().map(|name| format!("{name:?} is not listed in the manifest")));
    Ok(Part::of("files", problems, format!("{} files match their hashes in the manifest", report.files().len())))
}

fn in_state(manifest: &Manifest, hash: &str, state: Option<&Store>) -> Result<Part, JobError> {
    const PART: &str = "manifest";
    let Some(state) = state else {
        return Ok(Part::new(
            PART,
            PartResult::NotProven,
            "there is no state to check the manifest against: name it with --state",
        ));
    };
    let runs = state.runs()?;
    if let Some(run) = runs.iter().find(|run| run.wrote(hash)) {
        return Ok(Part::new(PART, PartResult::Holds, format!("the state knows it: run {}", run.id)));
    }
    if let Some(source) = &manifest.stamp.made_from {
        let is_known = runs.iter().any(|run| run.manifests.contains(source));
        let what = if is_known { "a report that the state knows" } else { "a report that the state does not know" };
        let detail = format!("it was made by `tieout audit` from {what}, and the state does not record audits");
        return Ok(Part::new(PART, PartResult::NotProven, detail));
    }
    if manifest.stamp.dataset.is_some() {
        let detail = "it was made by `tieout audit` from a dataset, and the state does not record audits";
        return Ok(Part::new(PART, PartResult::NotProven, detail));
    }
    let stamp = &manifest.stamp;
    let same = runs.iter().find(|run| {
        !run.manifests.is_empty()
            && (&run.setup.base_url, run.setup.as_of) == (&stamp.base_url, stamp.as_of)
            && run.setup.input_sha256 == stamp.input.sha256
    });
    Ok(match same {
        Some(run) => Part::new(PART, PartResult::Fails, format!("run {} wrote a different manifest", run.id)),
        None => Part::new(PART, PartResult::Fails, "no run in the state wrote this manifest"),
    })
}

/// The report made again from its evidence.
struct Remade {
    report: Report,
    /// The first input line whose judgement differs from the one recorded in the facts.
    first_differing_line: Option<u64>,
}

/// Makes the report again in a folder: from its own evidence, or from the dataset that it is about. Returns the part of
/// the proof if that does not come about.
fn remake(
    report: &ReportFolder,
    manifest: &Manifest,
    dataset: Option<&Path>,
    into: &Path,
) -> Result<Result<Remade, Part>, JobError> {
    let remade = match &manifest.stamp.dataset {
        None => ProvenReport::of(report.clone()).and_then(|original| {
            let rebuilt = original.rebuild(into, &Changes::default(), Some(original.evidence()))?;
            let RebuiltReport { report, first_differing_line, .. } = rebuilt;
            Ok(Ok(Remade { report, first_differing_line }))
        }),
        Some(was) => remake_from_dataset(report, manifest, was, dataset, into),
    };
    match remade {
        Err(JobError::Report(ReportError::Contradiction(problem))) => {
            let detail = format!("made again, it contradicts itself: {problem}");
            Ok(Err(Part::new(REPERFORMANCE, PartResult::Fails, detail)))
        }
        Err(JobError::Report(error)) => Ok(Err(Part::new(REPERFORMANCE, PartResult::Fails, error.to_string()))),
        Err(JobError::Dataset(error @ DatasetError::Damaged { .. })) => {
            Ok(Err(Part::new(REPERFORMANCE, PartResult::Fails, error.to_string())))
        }
        remade => remade,
    }
}

fn remake_from_dataset(
    report: &ReportFolder,
    manifest: &Manifest,
    was: &DatasetStamp,
    dataset: Option<&Path>,
    into: &Path,
) -> Result<Result<Remade, Part>, JobError> {
    let around = around(report, was);
    let place = dataset.or(around.as_deref()).unwrap_or_else(|| Path::new(&was.folder));
    if !Dataset::is_in(place) {
        let detail = format!("its dataset is not in {}: name it with --dataset", place.display());
        return Ok(Err(Part::new(REPERFORMANCE, PartResult::NotProven, detail)));
    }
    let audit = DatasetAudit::again(place, &manifest.stamp, was)?;
    let (stamp, sources) = (report.stamp(SOURCES_FILE).cloned(), Sources::read(&report.prove(SOURCES_FILE)?)?);
    let mut tries = 1..TRIES;
    loop {
        let evidence = match audit.read_again(&sources)? {
            Ok(evidence) => evidence,
            Err(problems) => return Ok(Err(Part::of(REPERFORMANCE, problems, ""))),
        };
        match audit.make(&evidence, manifest.stamp.as_of, into, Some(stamp.iter().cloned().collect())) {
            // A compaction removed what was read: it is all in other files now.
            Err(JobError::Dataset(DatasetError::Damaged { .. }))
                if tries.next().is_some() && !evidence.is_current()? => {}
            made => return Ok(Ok(Remade { report: made?.report, first_differing_line: None })),
        }
    }
}

/// The dataset that a close lies in, wherever it was moved.
fn around(report: &ReportFolder, was: &DatasetStamp) -> Option<PathBuf> {
    let close = was.close.as_ref()?;
    let dataset = report.real_path().ancestors().nth(2)?;
    let is_there = Dataset::open(dataset).is_ok_and(|dataset| dataset.close_of(close.month) == report.real_path());
    is_there.then(|| dataset.to_owned())
}

fn reperformance(report: ReportFolder, manifest: &Manifest, dataset: Option<&Path>) -> Result<Part, JobError> {
    let place = tempfile::tempdir().map_err(|source| ReportError::Io { path: std::env::temp_dir(), source })?;
    let rebuilt = match remake(&report, manifest, dataset, place.path())? {
        Ok(remade) => remade,
        Err(part) => return Ok(part),
    };
    let mut problems = Vec::new();
    let (verdict, code) = (rebuilt.report.exit_inputs.verdict.code(), rebuilt.report.summary.exit_code);
    if (verdict, code) != (manifest.stamp.verdict.as_str(), manifest.stamp.exit_code) {
        problems.push(format!("judged again, the verdict is {verdict} with exit code {code}"));
    }
    if let Some(line) = rebuilt.first_differing_line {
        problems.push(format!("{FACTS_FILE}: input line {line} is judged differently"));
    }
    let (mut compared, mut drawn_differently) = (0, Vec::new());
    let drawn = designs(&Formats::of(Format::ALL));
    for file in manifest.files.iter().filter(|file| ![FACTS_FILE, SOURCES_FILE].contains(&file.name.as_str())) {
        let name = &file.name;
        // Only files for people are drawn differently by other versions: all others keep the same bytes for ever.
        let designs = drawn.get(name).zip(manifest.stamp.designs.get(name));
        if designs.is_some_and(|(drawn, was)| drawn != was) {
            drawn_differently
                .push(format!("{name} was drawn by another version of tieout, so only its hash is checked"));
            continue;
        }
        let made = place.path().join(name);
        if !made.exists() {
            problems.push(format!("{} can't be rebuilt by this version", file.name));
            continue;
        }
        // Opened without checking its hash: if it was changed, the difference is shown.
        let found = match report.open_listed(name) {
            Ok(found) => found,
            Err(error) => {
                problems.push(error.in_report());
                continue;
            }
        };
        compared += 1;
        let difference = first_difference(found, &made);
        let difference = difference.map_err(|source| ReportError::Io { path: made.clone(), source })?;
        problems.extend(difference.map(|what| format!("{}: {what}", file.name)));
    }
    let rows = rebuilt.report.summary.population.rows();
    let mut part =
        Part::of(REPERFORMANCE, problems, format!("{compared} files rebuilt from {rows} rows, byte for byte"));
    part.details.extend(drawn_differently);
    Ok(part)
}

/// The first line in which two files differ.
fn first_difference(one: File, other: &Path) -> std::io::Result<Option<String>> {
    let (mut one, mut other) = (BufReader::new(one), BufReader::new(File::open(other)?));
    let (mut actual, mut expected) = (Vec::new(), Vec::new());
    let mut line = 1_u64;
    loop {
        actual.clear();
        expected.clear();
        // A line from outside may be of any length.
        (&mut one).take(PIECE).read_until(b'\n', &mut actual)?;
        (&mut other).take(PIECE).read_until(b'\n', &mut expected)?;
        if actual != expected {
            let at = actual.iter().zip(&expected).take_while(|(one, other)| one == other).count();
            return Ok(Some(format!("line {line} is {}, expected {}", excerpt(&actual, at), excerpt(&expected, at))));
        }
        match actual.last() {
            None => return Ok(None),
            Some(last) => line += u64::from(*last == b'\n'),
        }
    }
}

/// An excerpt of a line, around its byte `at`.
fn excerpt(line: &[u8], at: usize) -> String {
    if line.is_empty() {
        return "nothing".to_owned();
    }
    let (before, after) = line.split_at(at.min(line.len()));
    let (before, after) = (String::from_utf8_lossy(before), String::from_utf8_lossy(after));
    let after = after.trim_end_matches('\n');
    let left_out = before.chars().count().saturating_sub(SHOWN.0);
    let text: String = before.chars().skip(left_out).chain(after.chars().take(SHOWN.1)).collect();
    let [first, last] = [left_out > 0, after.chars().count() > SHOWN.1].map(|is_cut| if is_cut { "…" } else { "" });
    format!("{first}{text:?}{last}")
}
