//! Rebuilds a report from its evidence, offline and optionally with different settings.

use std::path::Path;

use jiff::Timestamp;

use super::JobError;
use crate::checks::Rules;
use crate::report::builder::{Brief, Builder, Report};
use crate::report::evidence::completeness::Completeness;
use crate::report::evidence::replay::Replay;
use crate::report::files::{COMPLETENESS_FILE, EVIDENCE_FILE, FACTS_FILE, FileStamp, ProvenFile};
use crate::report::folder::ReportFolder;
use crate::report::folder::chain;
use crate::report::folder::manifest::{EarlierStamp, Manifest, Stamp, designs};
use crate::report::folder::publish::{Destination, PublishedReport};
use crate::report::formats::options::ReportOptions;

/// Overrides for the new report; `None` keeps the original value.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The settings that affect judgement.
    pub rules: Option<Rules>,
    /// The time to which ages are counted.
    pub as_of: Option<Timestamp>,
    /// The form of the report.
    pub options: Option<ReportOptions>,
}

/// An open report whose evidence files are proven to match its manifest.
pub struct ProvenReport {
    folder: ReportFolder,
    facts: ProvenFile,
    beside: ProvenFile,
    completeness: Option<ProvenFile>,
    /// The manifest of the report.
    pub manifest: Manifest,
}

impl ProvenReport {
    /// Opens the report in that folder.
    ///
    /// # Errors
    /// [`JobError::NoReport`] if there is none; [`JobError::Report`] if its evidence does not match its manifest.
    pub fn open(folder: &Path) -> Result<Self, JobError> {
        Self::of(ReportFolder::open(folder)?)
    }

    /// Checks the evidence of a report folder that is open already.
    ///
    /// # Errors
    /// [`JobError::Report`] if the evidence does not match the manifest.
    pub(super) fn of(folder: ReportFolder) -> Result<Self, JobError> {
        let manifest = folder.manifest()?;
        let (facts, beside) = (folder.prove(FACTS_FILE)?, folder.prove(EVIDENCE_FILE)?);
        let completeness = folder.stamp(COMPLETENESS_FILE).map(|_| folder.prove(COMPLETENESS_FILE)).transpose()?;
        Ok(Self { folder, facts, beside, completeness, manifest })
    }

    pub(super) const fn folder(&self) -> &ReportFolder {
        &self.folder
    }

    /// The files that all figures come from, as listed in the manifest.
    pub fn evidence(&self) -> Vec<FileStamp> {
        let names = [FACTS_FILE, EVIDENCE_FILE, COMPLETENESS_FILE];
        names.into_iter().filter_map(|name| self.folder.stamp(name).cloned()).collect()
    }

    /// Judges the evidence again and writes every file of a report except the manifest into a folder. If `evidence` is
    /// given, pages name these files as the source of their figures.
    ///
    /// # Errors
    /// When the evidence can't be read, the folder can't be written, or the report would contradict itself.
    pub fn rebuild(
        &self,
        into: &Path,
        changes: &Changes,
        evidence: Option<Vec<FileStamp>>,
    ) -> Result<RebuiltReport, JobError> {
        let stamp = &self.manifest.stamp;
        let rules = changes.rules.as_ref().unwrap_or(&stamp.settings).clone();
        let mut builder = Builder::begin(Brief {
            folder: into.to_owned(),
            rules: rules.clone(),
            as_of: changes.as_of.unwrap_or(stamp.as_of),
            options: self.options(changes),
            rows_read: stamp.input.rows,
            shortfall: stamp.input.shortfall,
            layout: stamp.input.layout.clone(),
            evidence,
        })?;
        let mut first_differing_line = None;
        let mut replay = Replay::open(&self.facts, &self.beside)?;
        for replayed in replay.by_ref() {
            let replayed = replayed?;
            let line = replayed.outcome.line;
            let judgement = builder.add(replayed.outcome, replayed.background)?;
            if let Some((settled, bucket)) = replayed.original_judgement
                && (settled, bucket.as_str()) != (judgement.settled, judgement.bucket.code())
            {
                first_differing_line.get_or_insert(line);
            }
        }
        builder.set_findings_elsewhere(replay.findings_elsewhere());
        if let Some(completeness) = &self.completeness {
            builder.add_completeness(Completeness::read(completeness)?)?;
        }
        let report = builder.finish()?;
        Ok(RebuiltReport { report, rules, first_differing_line })
    }

    /// The form of the new report: as overridden, or as it was.
    fn options(&self, changes: &Changes) -> ReportOptions {
        changes.options.clone().unwrap_or_else(|| self.manifest.stamp.options.clone())
    }
}

/// A rebuilt report.
pub struct RebuiltReport {
    /// The report as it was written.
    pub report: Report,
    /// The settings it was judged by.
    pub rules: Rules,
    /// The first input line whose judgement differs from the one recorded in the facts.
    pub first_differing_line: Option<u64>,
}

/// Makes a report from the evidence of another, with overrides, and publishes it. Returns the report and its place.
///
/// # Errors
/// [`JobError`] says why there is no report.
pub fn audit(
    original: &ProvenReport,
    changes: &Changes,
    destination: &Destination,
) -> Result<(Report, PublishedReport), JobError> {
    let started_at = Timestamp::now();
    let was = &original.manifest.stamp;
    let as_of = changes.as_of.unwrap_or(was.as_of);
    let staging = destination.staging(as_of)?;
    let RebuiltReport { report, rules, .. } = original.rebuild(staging.path(), changes, None)?;
    let options = original.options(changes);
    let summary = &report.summary;
    let stamp = Stamp {
        as_of,
        started_at,
        finished_at: Timestamp::now(),
        settings: rules,
        designs: designs(&options.formats),
        options,
        previous: chain::previous(destination, &[]),
        made_from: Some(original.folder.manifest_sha256().to_owned()),
        earlier: EarlierStamp { lifecycle: summary.lifecycle, reused: summary.reused, replaces: Vec::new() },
        clock: None,
        fetch: None,
        verdict: report.exit_inputs.verdict.code().to_owned(),
        exit_code: summary.exit_code,
        ..was.clone()
    };
    stamp.write(staging.path())?;
    let published = staging.publish(&[])?;
    Ok((report, published))
}
