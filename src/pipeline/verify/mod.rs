//! The proof of a report: its files against their hashes, its manifest against the state and the chain, and its
//! figures against what the evidence comes to when it is judged again.

mod chain;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::Serialize;

use super::JobError;
use super::audit::{Changes, Evident};
use crate::report::ReportError;
use crate::report::files::{FACTS_FILE, FileStamp, MANIFEST_FILE};
use crate::report::folder::manifest::{Manifest, designs};
use crate::report::folder::{FolderError, ReportFolder};
use crate::report::formats::{Format, Formats};
use crate::store::Store;

/// How many characters of a differing line are shown before the first difference, and from there on.
const SHOWN: (usize, usize) = (40, 60);
/// How much of a line is compared at a time, in bytes.
const PIECE: u64 = 1 << 20;

/// What came of one part of the proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartResult {
    /// It holds.
    Holds,
    /// It does not: the report is not what was made.
    Fails,
    /// There is nothing to prove it by.
    NotProven,
}

/// One part of the proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// `files`, `manifest`, `chain` or `reperformance`.
    pub part: &'static str,
    /// What came of it.
    pub came: PartResult,
    /// The particulars, one sentence each.
    pub said: Vec<String>,
}

impl Part {
    fn new(part: &'static str, came: PartResult, said: impl Into<String>) -> Self {
        Self { part, came, said: vec![said.into()] }
    }

    fn of(part: &'static str, problems: Vec<String>, otherwise: impl Into<String>) -> Self {
        if problems.is_empty() {
            Self::new(part, PartResult::Holds, otherwise)
        } else {
            Self { part, came: PartResult::Fails, said: problems }
        }
    }
}

/// Proves the report in that folder, part by part. Without a state the manifest is not proven.
///
/// # Errors
/// [`JobError`] where there is no report, or the proof itself can't be carried out.
pub fn verify(folder: &Path, state: Option<&Store>) -> Result<Vec<Part>, JobError> {
    let report = match ReportFolder::open(folder) {
        // A manifest that is not what tieout writes is a finding, not a mistake of whoever asks.
        Err(error @ FolderError::Damaged { .. }) => return Ok(vec![damaged(error)]),
        report => report?,
    };
    let manifest = match report.manifest() {
        Err(error) => return Ok(vec![damaged(error)]),
        Ok(manifest) => manifest,
    };
    Ok(vec![
        files(&report)?,
        in_state(&manifest, report.manifest_sha256(), state)?,
        chain::prove(&report, &manifest, state)?,
        reperformance(report)?,
    ])
}

fn damaged(error: FolderError) -> Part {
    Part::new("manifest", PartResult::Fails, problem(MANIFEST_FILE, error))
}

fn files(report: &ReportFolder) -> Result<Part, FolderError> {
    let mut problems = Vec::new();
    for FileStamp { name, .. } in report.files() {
        problems.extend(report.prove(name).err().map(|error| problem(name, error)));
    }
    problems.extend(report.unlisted()?.into_iter().map(|name| format!("{name:?} is not listed")));
    Ok(Part::of("files", problems, format!("{} files have the hashes of the manifest", report.files().len())))
}

/// What is wrong with a file, without the advice to verify the report.
fn problem(name: &str, error: FolderError) -> String {
    match error {
        FolderError::Damaged { problem, .. } => format!("{name}: {problem}"),
        FolderError::Unreadable { source, .. } => format!("{name} can't be read: {source}"),
        error @ FolderError::NotAReport { .. } => error.to_string(),
    }
}

fn in_state(manifest: &Manifest, hash: &str, state: Option<&Store>) -> Result<Part, JobError> {
    const PART: &str = "manifest";
    let Some(state) = state else {
        return Ok(Part::new(
            PART,
            PartResult::NotProven,
            "there is no state to prove the manifest by: name it with --state",
        ));
    };
    let runs = state.runs()?;
    if let Some(run) = runs.iter().find(|run| run.wrote(hash)) {
        return Ok(Part::new(PART, PartResult::Holds, format!("the state knows it: run {}", run.id)));
    }
    if let Some(source) = &manifest.stamp.made_from {
        let is_known = runs.iter().any(|run| run.manifests.contains(source));
        let what = if is_known { "a report that the state knows" } else { "another report" };
        let said = format!("it was made by `tieout audit` from {what}, and no state keeps audits");
        return Ok(Part::new(PART, PartResult::NotProven, said));
    }
    let stamp = &manifest.stamp;
    let same = runs.iter().find(|run| {
        !run.manifests.is_empty()
            && (&run.begun.base_url, run.begun.as_of) == (&stamp.base_url, stamp.as_of)
            && run.begun.input_sha256 == stamp.input.sha256
    });
    Ok(match same {
        Some(run) => Part::new(PART, PartResult::Fails, format!("run {} wrote another manifest", run.id)),
        None => Part::new(PART, PartResult::Fails, "no run in the state wrote this manifest"),
    })
}

fn reperformance(report: ReportFolder) -> Result<Part, JobError> {
    const PART: &str = "reperformance";
    let evident = match Evident::of(report) {
        Ok(evident) => evident,
        Err(JobError::Report(error)) => return Ok(Part::new(PART, PartResult::Fails, error.to_string())),
        Err(error) => return Err(error),
    };
    let manifest = &evident.manifest;
    let place = tempfile::tempdir().map_err(|source| ReportError::Io { path: std::env::temp_dir(), source })?;
    let remade = evident.remake(place.path(), &Changes::default(), Some(evident.evidence()));
    let remade = match remade {
        Ok(remade) => remade,
        Err(JobError::Report(error)) => return Ok(Part::new(PART, PartResult::Fails, error.to_string())),
        Err(error) => return Err(error),
    };
    let mut problems = Vec::new();
    let (verdict, code) = (remade.report.weighed.verdict.code(), remade.report.summary.exit_code);
    if (verdict, code) != (manifest.stamp.verdict.as_str(), manifest.stamp.exit_code) {
        problems.push(format!("the verdict comes to {verdict} with exit code {code}"));
    }
    if let Some(line) = remade.otherwise {
        problems.push(format!("{FACTS_FILE}: input line {line} is judged otherwise"));
    }
    let (mut compared, mut drawn_otherwise) = (0, Vec::new());
    let drawn = designs(&Formats::of(Format::ALL));
    for file in manifest.files.iter().filter(|file| file.name != FACTS_FILE) {
        let name = &file.name;
        // Only what is drawn for people can be drawn otherwise: everything else comes to the same bytes for ever.
        let designs = drawn.get(name).zip(manifest.stamp.designs.get(name));
        if designs.is_some_and(|(drawn, was)| drawn != was) {
            drawn_otherwise
                .push(format!("{name} was drawn by another version of tieout, so it is proved by its hash alone"));
            continue;
        }
        let made = place.path().join(name);
        if !made.exists() {
            problems.push(format!("{} can't be made again by this version", file.name));
            continue;
        }
        // Whatever it holds: where it was changed, that is shown.
        let found = match evident.folder().open_listed(name) {
            Ok(found) => found,
            Err(error) => {
                problems.push(problem(name, error));
                continue;
            }
        };
        compared += 1;
        let difference = first_difference(found, &made);
        let difference = difference.map_err(|source| ReportError::Io { path: made.clone(), source })?;
        problems.extend(difference.map(|what| format!("{}: {what}", file.name)));
    }
    let rows = remade.report.summary.population.rows();
    let mut part = Part::of(PART, problems, format!("{compared} files made again from {rows} rows, byte for byte"));
    part.said.extend(drawn_otherwise);
    Ok(part)
}

/// The first line in which two files differ.
fn first_difference(one: File, other: &Path) -> std::io::Result<Option<String>> {
    let (mut one, mut other) = (BufReader::new(one), BufReader::new(File::open(other)?));
    let (mut is, mut should) = (Vec::new(), Vec::new());
    let mut line = 1_u64;
    loop {
        is.clear();
        should.clear();
        // A line from outside may be as long as the disk is large.
        (&mut one).take(PIECE).read_until(b'\n', &mut is)?;
        (&mut other).take(PIECE).read_until(b'\n', &mut should)?;
        if is != should {
            let at = is.iter().zip(&should).take_while(|(is, should)| is == should).count();
            return Ok(Some(format!("line {line} is {}, it comes to {}", shown(&is, at), shown(&should, at))));
        }
        match is.last() {
            None => return Ok(None),
            Some(last) => line += u64::from(*last == b'\n'),
        }
    }
}

/// A line around its byte `at`.
fn shown(line: &[u8], at: usize) -> String {
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
