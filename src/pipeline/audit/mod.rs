//! Rebuilds a report from its evidence, offline and optionally with different settings, or makes one about a dataset.

mod candidates;
mod changes;
pub mod close;
mod closes;
pub mod dataset;
pub mod reader;
mod rows;
pub mod sql;

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::JobError;
use crate::checks::{Rules, Soundness};
use crate::domain::outcome::Background;
use crate::history::{Dataset, Selection};
use crate::report::ReportError;
use crate::report::builder::{Brief, Builder, Origin, Report, RowJudgement};
use crate::report::evidence::completeness::Completeness;
use crate::report::evidence::replay::{ReplayedRow, replay};
use crate::report::files::{COMPLETENESS_FILE, EVIDENCE_FILE, FACTS_FILE, FileStamp, ProvenFile};
use crate::report::folder::ReportFolder;
use crate::report::folder::chain;
use crate::report::folder::manifest::{EarlierStamp, Manifest, Stamp, designs};
use crate::report::folder::publish::{Destination, PublishedReport};
use crate::report::formats::options::ReportOptions;

/// Fails unless the closes of a dataset are those that the last one names.
///
/// # Errors
/// Which one is not, or why they can't be read.
pub(super) fn require_closes(dataset: &Dataset) -> Result<(), JobError> {
    closes::Closes::of_selection(dataset, &Selection::default()).map(drop)
}

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
    facts: Arc<ProvenFile>,
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
        if let Some(dataset) = &manifest.stamp.dataset {
            return Err(JobError::OfDataset { folder: folder.path(""), dataset: dataset.folder.clone() });
        }
        let (facts, beside) = (Arc::new(folder.prove(FACTS_FILE)?), folder.prove(EVIDENCE_FILE)?);
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

    /// Whether the provider's list could be compared with the input, or did not have to be.
    ///
    /// # Errors
    /// When the evidence can't be read.
    pub(super) fn knows_its_list(&self) -> Result<bool, JobError> {
        let completeness = self.completeness.as_ref().map(Completeness::read).transpose()?;
        Ok(completeness.is_none_or(|completeness| completeness.is_known()))
    }

    /// Visits every row of the evidence, by input line.
    ///
    /// # Errors
    /// When the evidence can't be read, and those of `visit`.
    pub(super) fn each_row(&self, visit: impl FnMut(ReplayedRow<'_>) -> Result<(), JobError>) -> Result<(), JobError> {
        replay(&self.facts, &self.beside, None, visit).map(drop)
    }

    /// Judges the evidence again and writes every file of a report except the manifest into a folder. If `evidence` is
    /// given, pages name these files as the source of their figures, and the facts are not written again.
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
        let is_compared = evidence.is_some();
        let mut builder = Builder::begin(Brief {
            folder: into.to_owned(),
            rules: rules.clone(),
            as_of: changes.as_of.unwrap_or(stamp.as_of),
            options: self.options(changes),
            origin: Origin::Input {
                rows: stamp.input.rows,
                shortfall: stamp.input.shortfall,
                layout: stamp.input.layout.clone(),
            },
            facts: is_compared.then(|| Arc::clone(&self.facts)),
            evidence,
        })?;
        let soundness = Soundness::of(&rules);
        let mut first_differing_line = None;
        // The spend over the facts as they are is that of the report, unless their judgement changes.
        let days = is_compared.then(|| rules.days());
        let replayed = replay(&self.facts, &self.beside, days, |row| {
            let (line, is_same) = match row {
                ReplayedRow::Facts(row) => {
                    let is = if soundness.holds(row.run_order_id, &row.facts) {
                        builder.add_sound(row.line, &row.facts, row.is_reused)?;
                        RowJudgement::SOUND
                    } else {
                        builder.add(row.outcome(), Background::default())?
                    };
                    (row.line, is.is(row.settled, row.bucket))
                }
                ReplayedRow::Outcome { outcome, background, original_judgement } => {
                    let (line, is) = (outcome.line, builder.add(outcome, background)?);
                    (line, original_judgement.is_none_or(|(settled, bucket)| is.is(settled, &bucket)))
                }
            };
            if !is_same {
                first_differing_line.get_or_insert(line);
            }
            Ok::<_, ReportError>(())
        })?;
        builder.set_findings_elsewhere(replayed.findings_elsewhere);
        replayed.spend.into_iter().for_each(|spend| builder.set_spend(spend));
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
        earlier: EarlierStamp {
            lifecycle: summary.lifecycle.unwrap_or_default(),
            reused: summary.reused,
            replaces: Vec::new(),
        },
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
