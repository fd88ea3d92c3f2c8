//! Makes a report about the orders of a dataset: each as the newest sighting shows it, of however many nights.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;

use super::candidates::Candidates;
use crate::checks::{NOT_IN_A_DATASET, Rules, Soundness};
use crate::history::{Dataset, DatasetError, Reading, RunRecord, Selection, Sighting};
use crate::pipeline::JobError;
use crate::report::builder::{Brief, Builder, Origin, Report};
use crate::report::content::summary_json::DatasetScope;
use crate::report::evidence::sources::{SourceFile, SourceRun, Sources};
use crate::report::files::FileStamp;
use crate::report::folder::chain;
use crate::report::folder::manifest::{DatasetStamp, InputStamp, Stamp, designs};
use crate::report::folder::publish::{Destination, PublishedReport};
use crate::report::formats::options::ReportOptions;

/// An audit of a dataset.
#[derive(Debug)]
pub struct DatasetAudit {
    /// The dataset.
    pub dataset: Dataset,
    /// Which of its orders.
    pub selection: Selection,
    /// The settings that affect judgement. Checks of what a dataset does not have are off, whatever they say.
    pub rules: Rules,
    /// The time to which ages are counted; `None` for that of the newest run's report.
    pub as_of: Option<Timestamp>,
    /// The form of the report.
    pub options: ReportOptions,
}

/// A report about a dataset that was written.
pub(in crate::pipeline) struct MadeReport {
    pub(in crate::pipeline) report: Report,
    pub(in crate::pipeline) rules: Rules,
}

impl DatasetAudit {
    /// Makes the report and publishes it. Returns it and its place.
    ///
    /// # Errors
    /// [`JobError`] says why there is no report.
    pub fn publish(&self, destination: &Destination) -> Result<(Report, PublishedReport), JobError> {
        let started_at = Timestamp::now();
        let reading = self.dataset.read(self.selection.clone(), None)?;
        let as_of = self.as_of(&reading)?;
        let staging = destination.staging(as_of)?;
        sources(&reading).write(staging.path())?;
        let MadeReport { report, rules } = self.make(&reading, as_of, staging.path(), None)?;
        let summary = &report.summary;
        let folder = std::path::absolute(self.dataset.folder()).unwrap_or_else(|_| self.dataset.folder().to_owned());
        let stamp = Stamp {
            as_of,
            started_at,
            finished_at: Timestamp::now(),
            base_url: self.dataset.identity().base_url.clone(),
            options: self.options.clone(),
            input: InputStamp { rows: summary.population.rows(), ..InputStamp::default() },
            dataset: Some(DatasetStamp {
                folder: folder.display().to_string(),
                identity: self.dataset.identity().value(),
                since: self.selection.since,
                until: self.selection.until,
                workflow: self.selection.workflow.clone(),
            }),
            settings: rules,
            designs: designs(&self.options.formats),
            previous: chain::previous(destination, &[]),
            verdict: report.exit_inputs.verdict.code().to_owned(),
            exit_code: summary.exit_code,
            ..Stamp::default()
        };
        stamp.write(staging.path())?;
        let published = staging.publish(&[])?;
        Ok((report, published))
    }

    /// The audit that a report says it is, of the dataset in a folder.
    ///
    /// # Errors
    /// When there is no such dataset, or it is of other orders.
    pub(in crate::pipeline) fn again(folder: &Path, stamp: &Stamp, was: &DatasetStamp) -> Result<Self, JobError> {
        let dataset = Dataset::open(folder)?;
        dataset.require(&was.identity)?;
        let DatasetStamp { since, until, workflow, .. } = was.clone();
        Ok(Self {
            dataset,
            selection: Selection { since, until, workflow },
            rules: stamp.settings.clone(),
            as_of: Some(stamp.as_of),
            options: stamp.options.clone(),
        })
    }

    /// What the report with these sources was made from; the problems if it is no longer there.
    ///
    /// # Errors
    /// When the dataset can't be read.
    pub(in crate::pipeline) fn read_again(
        &self,
        sources: &Sources,
    ) -> Result<Result<Reading<'_>, Vec<String>>, JobError> {
        let wanted = sources.runs.iter().map(|run| run.run.clone()).collect();
        let reading = self.dataset.read(self.selection.clone(), Some(&wanted));
        let reading = match reading {
            Err(error @ DatasetError::Damaged { .. }) => return Ok(Err(vec![error.to_string()])),
            reading => reading?,
        };
        let (now, replaced) = (self::sources(&reading), self.dataset.replaced()?);
        let mut problems = Vec::new();
        for (was, now) in sources.runs.iter().zip(&now.runs).filter(|(was, now)| was != now) {
            problems.push(format!("run {} of the dataset is not as it was (now: {})", was.run, now.run));
        }
        let is_replaced = |was: &SourceFile| {
            replaced.get(&was.path).is_some_and(|file| (&file.sha256, file.bytes) == (&was.sha256, was.bytes))
        };
        let there: BTreeSet<&str> = now.files.iter().map(|file| file.path.as_str()).collect();
        for was in sources.files.iter().filter(|was| !now.files.contains(was) && !is_replaced(was)) {
            let is_there = there.contains(was.path.as_str());
            let what = if is_there { "is not as it was" } else { "is not there, and no compaction replaced it" };
            problems.push(format!("{} of the dataset {what}", was.path));
        }
        Ok(if problems.is_empty() { Ok(reading) } else { Err(problems) })
    }

    /// Judges the orders and writes every file of a report except the manifest and `sources.json` into a folder. If
    /// `evidence` is given, pages name these files as the source of their figures.
    pub(in crate::pipeline) fn make(
        &self,
        reading: &Reading<'_>,
        as_of: Timestamp,
        into: &Path,
        evidence: Option<Vec<FileStamp>>,
    ) -> Result<MadeReport, JobError> {
        let mut rules = self.rules.clone();
        rules.off.extend(NOT_IN_A_DATASET);
        let scope = self.scope(reading)?;
        let mut builder = Builder::begin(Brief {
            folder: into.to_owned(),
            rules: rules.clone(),
            as_of,
            options: self.options.clone(),
            origin: Origin::Dataset { folder: self.dataset.folder().to_owned(), scope },
            evidence,
            facts: None,
        })?;
        let mut candidates = Candidates::new(into);
        let orders = reading.each(&Soundness::of(&rules), |sighting| match sighting {
            Sighting::Sound(orders) => Ok::<_, JobError>(builder.add_sound_orders(&orders)?),
            sighting => Ok(candidates.push(sighting)?),
        })?;
        builder.set_orders_read(orders);
        candidates.visit(|outcome, background| builder.add(outcome, background).map(drop))?;
        Ok(MadeReport { report: builder.finish()?, rules })
    }

    fn as_of(&self, reading: &Reading<'_>) -> Result<Timestamp, JobError> {
        let newest = || reading.runs().last().map(|run| run.as_of);
        Ok(self.as_of.or_else(newest).ok_or_else(|| self.nothing())?)
    }

    fn scope(&self, reading: &Reading<'_>) -> Result<DatasetScope, JobError> {
        let (Some(first), Some(last)) = (reading.runs().first(), reading.runs().last()) else {
            return Err(self.nothing().into());
        };
        Ok(DatasetScope {
            since: self.selection.since,
            until: self.selection.until,
            workflow: self.selection.workflow.clone(),
            runs: reading.runs().len() as u64,
            first_run: first.started_at,
            last_run: last.started_at,
            observations: reading.observations(),
        })
    }

    fn nothing(&self) -> DatasetError {
        DatasetError::NotADataset { path: self.dataset.folder().to_owned(), problem: "no run is in it yet".to_owned() }
    }
}

/// What a reading is made of.
fn sources(reading: &Reading<'_>) -> Sources {
    let run = |run: &RunRecord| SourceRun {
        run: run.run.clone(),
        started_at: run.started_at,
        manifest_sha256: run.manifest_sha256.clone(),
    };
    let files = reading.files().map(|file| SourceFile {
        path: file.path.clone(),
        rows: file.rows,
        bytes: file.bytes,
        sha256: file.sha256.clone(),
    });
    Sources { runs: reading.runs().iter().map(run).collect(), files: files.collect() }
}
