//! Makes a report about the orders of a dataset: each as the newest sighting shows it, of however many nights.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;

use super::candidates::Candidates;
use super::changes::{self, Told};
use super::close::{self, CloseError};
use super::closes::Closes;
use super::reader::Reader;
use crate::checks::{NOT_IN_A_DATASET, Rules, Soundness};
use crate::domain::days::DayBy;
use crate::history::sql::{Answer, Answers, Engine, SqlError};
use crate::history::{Dataset, DatasetError, DatasetFile, Reading, RunRecord, Selection, Sighting};
use crate::language::{Language, Texts};
use crate::pipeline::JobError;
use crate::report::builder::{Brief, Builder, Origin, Report};
use crate::report::content::summary_json::{CloseScope, DatasetScope};
use crate::report::content::wording;
use crate::report::evidence::sources::{SourceFile, SourceRun, Sources};
use crate::report::files::{FileStamp, SOURCES_FILE};
use crate::report::folder::chain;
use crate::report::folder::manifest::{CloseStamp, DatasetStamp, Stamp, designs};
use crate::report::folder::publish::{Destination, PublishedReport};
use crate::report::formats::options::ReportOptions;
use crate::summary::Verdict;

/// How often a dataset is read before a file that is gone is taken for lost, and not for one that a compaction replaced.
pub(in crate::pipeline) const TRIES: u32 = 4;

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
    /// The close that it is.
    pub close: Option<CloseStamp>,
    /// Who reads the dataset.
    pub reader: Reader,
}

/// A report about a dataset that was written.
pub(in crate::pipeline) struct MadeReport {
    pub(in crate::pipeline) report: Report,
    pub(in crate::pipeline) rules: Rules,
}

/// What an audit looks at.
pub(in crate::pipeline) struct Evidence<'d> {
    reading: Reading<'d>,
    closes: Closes,
    /// Who answers for the reading, if it is not this program.
    engine: Option<&'d Engine>,
}

impl Evidence<'_> {
    /// Whether the same files count as when the reading began.
    ///
    /// # Errors
    /// When the records can't be read.
    pub(in crate::pipeline) fn is_current(&self) -> Result<bool, DatasetError> {
        self.reading.is_current()
    }
}

impl DatasetAudit {
    /// Makes the report and publishes it. Returns it and its place.
    ///
    /// # Errors
    /// [`JobError`] says why there is no report.
    pub fn publish(&self, destination: &Destination) -> Result<(Report, PublishedReport), JobError> {
        let mut tries = 1..TRIES;
        loop {
            let evidence = self.evidence()?;
            match self.publish_evidence(&evidence, destination) {
                // A compaction removed what was read: it is all in other files now.
                Err(JobError::Dataset(DatasetError::Damaged { .. }))
                    if tries.next().is_some() && !evidence.is_current()? => {}
                published => return published,
            }
        }
    }

    /// What the report is made from.
    fn evidence(&self) -> Result<Evidence<'_>, JobError> {
        let Reader::Engine { engine, runs, closes: named } = &self.reader else {
            let reading = self.dataset.read(self.selection.clone(), None)?;
            return Ok(Evidence { reading, closes: self.closes()?, engine: None });
        };
        let there: BTreeSet<String> = self.dataset.runs()?.into_iter().map(|run| run.run).collect();
        if let Some(run) = runs.difference(&there).next() {
            let place = self.dataset.folder().display();
            return Err(
                SqlError::Contradiction(format!("the run {run} is not in {place}: is it of another dataset?")).into()
            );
        }
        let newer = there.len().saturating_sub(runs.len());
        if newer > 0 {
            tracing::warn!(
                "the answers lack the newest runs of the dataset ({newer}): ask again for a report about those"
            );
        }
        let (reading, mut closes) = (self.dataset.read(self.selection.clone(), Some(runs))?, self.closes()?);
        match closes.retain(named).into_iter().next() {
            Some(problem) => Err(SqlError::Contradiction(problem).into()),
            None => Ok(Evidence { reading, closes, engine: Some(engine) }),
        }
    }

    fn publish_evidence(
        &self,
        evidence: &Evidence<'_>,
        destination: &Destination,
    ) -> Result<(Report, PublishedReport), JobError> {
        let started_at = Timestamp::now();
        let Evidence { reading, closes, engine } = evidence;
        let as_of = self.as_of(reading)?;
        closes.require_runs(&self.dataset, reading)?;
        self.require_ready(reading)?;
        if self.close.is_some() {
            destination.check()?;
        }
        let staging = destination.staging(as_of)?;
        self.sources(reading, closes)?.write(staging.path())?;
        let MadeReport { report, rules } = self.make(evidence, as_of, staging.path(), None)?;
        self.require_complete(&report)?;
        if engine.is_some() {
            reading.prove()?;
        }
        let summary = &report.summary;
        let stamp = Stamp {
            as_of,
            started_at,
            finished_at: Timestamp::now(),
            base_url: self.dataset.identity().base_url.clone(),
            options: self.options.clone(),
            dataset: Some(stamp(&self.dataset, &self.selection, self.close)),
            settings: rules,
            designs: designs(&self.options.formats),
            previous: match self.close {
                Some(_) => closes.last(&self.dataset),
                None => chain::previous(destination, &[]),
            },
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
        let DatasetStamp { since, until, workflow, close, .. } = was.clone();
        Ok(Self {
            dataset,
            selection: Selection { since, until, workflow },
            rules: stamp.settings.clone(),
            as_of: Some(stamp.as_of),
            options: stamp.options.clone(),
            close,
            reader: Reader::Tieout,
        })
    }

    /// What the report with these sources was made from; the problems if it is no longer there.
    ///
    /// # Errors
    /// When the dataset can't be read.
    pub(in crate::pipeline) fn read_again(
        &self,
        sources: &Sources,
    ) -> Result<Result<Evidence<'_>, Vec<String>>, JobError> {
        let wanted = sources.runs.iter().map(|run| run.run.clone()).collect();
        let reading = self.dataset.read(self.selection.clone(), Some(&wanted));
        let reading = match reading {
            Err(error @ DatasetError::Damaged { .. }) => return Ok(Err(vec![error.to_string()])),
            reading => reading?,
        };
        let mut closes = self.closes()?;
        let differing = closes.retain(&sources.closes).into_iter();
        let mut problems: Vec<String> = differing.map(|problem| format!("{SOURCES_FILE}: {problem}")).collect();
        problems.extend(closes.require_runs(&self.dataset, &reading).err().map(|error| error.to_string()));
        let now = self.sources(&reading, &closes)?;
        if sources.runs != now.runs {
            let pairs = sources.runs.iter().zip(&now.runs);
            let other = pairs.into_iter().find(|(was, now)| was != now).map(|(was, _)| was.run.as_str());
            let which =
                other.map_or_else(|| "not those of the dataset".to_owned(), |run| format!("{run} is not as it was"));
            problems.push(format!("the runs in {SOURCES_FILE}: {which}"));
        }
        let named = sources.files.iter().map(|file| DatasetFile {
            path: file.path.clone(),
            rows: file.rows,
            bytes: file.bytes,
            sha256: file.sha256.clone(),
        });
        let differences = self.dataset.differences(&reading, &named.collect::<Vec<_>>())?;
        problems.extend(differences.into_iter().map(|what| format!("{SOURCES_FILE}: {what}")));
        Ok(if problems.is_empty() { Ok(Evidence { reading, closes, engine: None }) } else { Err(problems) })
    }

    /// Judges the orders and writes every file of a report except the manifest and `sources.json` into a folder. If
    /// `sources` is given, pages name these files as the source of their figures.
    pub(in crate::pipeline) fn make(
        &self,
        evidence: &Evidence<'_>,
        as_of: Timestamp,
        into: &Path,
        sources: Option<Vec<FileStamp>>,
    ) -> Result<MadeReport, JobError> {
        let Evidence { reading, closes, engine } = evidence;
        let rules = self.rules_of_dataset();
        let scope = self.scope(reading)?;
        let mut builder = Builder::begin(Brief {
            folder: into.to_owned(),
            rules: rules.clone(),
            as_of,
            options: self.options.clone(),
            origin: Origin::Dataset { folder: self.dataset.folder().to_owned(), scope },
            evidence: sources,
            facts: None,
        })?;
        let mut candidates = Candidates::new(into);
        let is_counted_by_creation = rules.day_by == DayBy::Created;
        let answers = engine.map(|engine| Answers { reading, engine, is_counted_by_creation });
        let counts = match &answers {
            None => reading.each(&Soundness::of(&rules), |sighting| match sighting {
                Sighting::Sound(orders) => Ok::<_, JobError>(builder.add_sound_orders(&orders)?),
                sighting => Ok(candidates.push(sighting)?),
            })?,
            Some(answers) => answers.each(|answer| match answer {
                Answer::Sound(orders) => Ok::<_, JobError>(builder.add_summed_orders(orders)?),
                Answer::Sighting(sighting) => Ok(candidates.push(sighting)?),
            })?,
        };
        builder.set_read(counts.orders, counts.observations);
        candidates.visit(|outcome, background| builder.add(outcome, background).map(drop))?;
        match &self.close {
            Some(close) => {
                let begins = rules.days().day(close.month.first()).period.since.unwrap_or(Timestamp::MIN);
                changes::roll_forward(reading, (close.month, begins), closes, into, &mut builder)?;
            }
            None => {
                let told = Told { reading, answers: answers.as_ref() };
                changes::adjust(&told, &self.selection, closes, into, &mut builder)?;
            }
        }
        Ok(MadeReport { report: builder.finish()?, rules })
    }

    /// The settings without the checks of what a dataset does not have.
    pub(super) fn rules_of_dataset(&self) -> Rules {
        let mut rules = self.rules.clone();
        rules.off.extend(NOT_IN_A_DATASET);
        rules
    }

    pub(super) fn as_of(&self, reading: &Reading<'_>) -> Result<Timestamp, JobError> {
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
            observations: 0,
            close: self
                .close
                .map(|close| CloseScope { month: close.month, gaps: close::gaps(reading, &self.rules, &close) }),
        })
    }

    /// Fails if it is to close a month that lacks something.
    fn require_ready(&self, reading: &Reading<'_>) -> Result<(), CloseError> {
        let Some(close) = self.close.filter(|close| !close.is_forced) else { return Ok(()) };
        let gaps = close::gaps(reading, &self.rules, &close);
        if gaps.is_empty() { Ok(()) } else { Err(CloseError::NotReady { month: close.month, gaps }) }
    }

    /// Fails if it is to close a month without a verdict.
    fn require_complete(&self, report: &Report) -> Result<(), CloseError> {
        let is_incomplete = report.exit_inputs.verdict == Verdict::Incomplete;
        match self.close.filter(|close| is_incomplete && !close.is_forced) {
            Some(CloseStamp { month, .. }) if report.summary.has_gaps() => {
                let scope = report.summary.dataset.as_ref().and_then(|dataset| dataset.close.as_ref());
                Err(CloseError::NotReady { month, gaps: scope.map(|close| close.gaps.clone()).unwrap_or_default() })
            }
            Some(CloseStamp { month, .. }) => {
                let why = wording::verdict(&report.summary, &report.exit_inputs, Texts::new(Language::English));
                Err(CloseError::Incomplete { month, why })
            }
            None => Ok(()),
        }
    }

    /// The closed months that it looks back at.
    pub(super) fn closes(&self) -> Result<Closes, JobError> {
        match &self.close {
            Some(close) => Closes::before(&self.dataset, close.month),
            None => Closes::of_selection(&self.dataset, &self.selection),
        }
    }

    /// What a reading is made of.
    fn sources(&self, reading: &Reading<'_>, closes: &Closes) -> Result<Sources, DatasetError> {
        let run = |run: &RunRecord| {
            Ok(SourceRun {
                run: run.run.clone(),
                started_at: run.started_at,
                manifest_sha256: run.manifest_sha256.clone(),
                record_sha256: self.dataset.record_sha256(run)?,
            })
        };
        let files = reading.files().map(|file| SourceFile {
            path: file.path.clone(),
            rows: file.rows,
            bytes: file.bytes,
            sha256: file.sha256.clone(),
        });
        let runs = reading.runs().iter().map(run).collect::<Result<_, DatasetError>>()?;
        Ok(Sources { runs, files: files.collect(), closes: closes.named.clone() })
    }

    fn nothing(&self) -> DatasetError {
        DatasetError::NotADataset { path: self.dataset.folder().to_owned(), problem: "no run is in it yet".to_owned() }
    }
}

/// What a manifest says about the dataset of its report.
pub(super) fn stamp(dataset: &Dataset, selection: &Selection, close: Option<CloseStamp>) -> DatasetStamp {
    DatasetStamp {
        folder: dataset.absolute().display().to_string(),
        identity: dataset.identity().value(),
        since: selection.since,
        until: selection.until,
        workflow: selection.workflow.clone(),
        close,
    }
}
