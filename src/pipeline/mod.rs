//! The pipeline of `reconcile`: input → fetch → store → report → publish, readable from top to bottom.

pub mod audit;
pub mod close;
mod completeness;
pub mod dataset;
pub mod discovery;
mod fetch;
pub mod list_walk;
mod progress;
mod recheck;
mod resume;
mod sends;
mod session;
mod signals;
pub mod status;
mod unrecorded;
pub mod verify;

use std::collections::{BTreeSet, HashMap};
use std::mem;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use self::audit::close::CloseError;
use crate::checks::{Rules, Soundness};
use crate::domain::facts::OrderFacts;
use crate::domain::outcome::{Background, Bucket, Evidence, Outcome, Reason};
use crate::domain::program::VERSION;
use crate::domain::visible::visible;
use crate::history::sql::SqlError;
use crate::history::{DatasetError, RunRecord, absolute};
use crate::input::{Input, InputError};
use crate::provider::{ClockReading, Record, Stop};
use crate::report::ReportError;
use crate::report::builder::{Brief, Builder, Origin, Report};
use crate::report::content::summary_json::SummaryJson;
use crate::report::folder::FolderError;
use crate::report::folder::chain;
use crate::report::folder::manifest::{ClockStamp, EarlierStamp, FetchStamp, InputStamp, Stamp, designs};
use crate::report::folder::publish::{Destination, PublishError, PublishedReport};
use crate::report::formats::options::ReportOptions;
use crate::store::{
    KnownFinding, NewReport, Recall, RecheckCounts, RememberedOrders, Remembering, ReportFindings, RunId, StoreError,
};

use list_walk::OrderList;
use resume::CurrentRun;

pub use progress::{Display, PROGRESS};
pub use resume::Resumption;
pub use session::Session;
pub use signals::{Signal, Signals};

/// Everything one reconciliation needs, opened and checked.
pub struct Job {
    /// The provider, and everything needed to ask it.
    pub session: Session,
    /// The rows to reconcile.
    pub input: Input,
    /// Where the report goes.
    pub destination: Destination,
    /// The settings that affect judgement.
    pub rules: Rules,
    /// The time to which ages are counted.
    pub as_of: Timestamp,
    /// When the job started.
    pub started_at: Timestamp,
    /// The form of the report.
    pub report: ReportOptions,
    /// Whether and when an earlier run is continued.
    pub resumption: Resumption,
    /// Whether failing orders are rechecked before they are reported.
    pub recheck: bool,
    /// What is kept for later runs, and taken from earlier ones.
    pub memory: MemoryOptions,
    /// The dataset that gets what the job observed.
    pub dataset: Option<PathBuf>,
}

/// What is kept for later runs, and taken from earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryOptions {
    /// Orders that were seen settled within this time are reused instead of fetched; `None` to fetch every order.
    pub reuse_settled: Option<Duration>,
    /// Whether raw replies are stored, prompts included.
    pub keeps_replies: bool,
}

/// How a reconciliation ended.
pub enum JobEnd {
    /// With a report.
    Reported {
        /// The report as it was written.
        report: Box<Report>,
        /// Where it was published.
        published: PublishedReport,
        /// The result of rechecking failing orders.
        rechecks: RecheckCounts,
        /// Why the remaining orders were not requested, if the client gave up on the provider.
        gave_up: Option<Reason>,
        /// Both clocks, if ours and the provider's disagree.
        clock: Option<ClockReading>,
        /// What was appended to the dataset, if there is one.
        appended: Option<Result<Vec<RunRecord>, Box<JobError>>>,
    },
    /// A signal stopped the job: there is no report.
    Stopped {
        /// The first signal.
        signal: Signal,
        /// How many outcomes are committed.
        committed: u64,
    },
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The input can't be read any more, or has changed.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The state failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the report can't be written, or the report contradicts itself.
    #[error(transparent)]
    Report(ReportError),
    /// The report can't be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The report is published, but the state could not record that the run is finished.
    #[error("the report in {} is complete, but the run could not be marked as finished: {source}", folder.display())]
    Unrecorded {
        /// The folder of the report.
        folder: PathBuf,
        /// The error of the state.
        source: StoreError,
    },
    /// The provider can't be asked any more: it rejects the key, say, or is not the API.
    #[error(transparent)]
    Stop(#[from] Stop),
    /// The dataset can't be read or written.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The folder holds no report to work from.
    #[error("{} is not a tieout report: {problem}", folder.display())]
    NoReport {
        /// The folder that was named.
        folder: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The report has no evidence of its own: its orders are in a dataset.
    #[error("{} has no evidence of its own: it was made from the dataset {}; name that", folder.display(), visible(dataset))]
    OfDataset {
        /// The folder that was named.
        folder: PathBuf,
        /// The dataset's folder, as its manifest says.
        dataset: String,
    },
    /// A month can't be closed.
    #[error(transparent)]
    Close(#[from] CloseError),
    /// An SQL engine can't be asked, or its answers can't be used.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// Not a single reply arrived.
    #[error("nothing could be fetched: the provider never answered ({0})")]
    Unreachable(String),
    /// A signal asks the job to stop; [`reconcile`] turns this into [`JobEnd::Stopped`].
    #[error("stopped by a signal")]
    Stopped,
}

impl From<ReportError> for JobError {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Stopped => Self::Stopped,
            error => Self::Report(error),
        }
    }
}

impl From<FolderError> for JobError {
    fn from(error: FolderError) -> Self {
        match error {
            FolderError::NotAReport { path, found } => Self::NoReport { folder: path, problem: found },
            FolderError::Damaged { path, problem } => Self::Report(ReportError::Evidence { path, problem }),
            FolderError::Unreadable { path, source } => {
                Self::Report(ReportError::Evidence { path, problem: source.to_string() })
            }
        }
    }
}

/// Runs a job, from its input to its published report. The job is over then: what is left of it only answers questions.
///
/// # Errors
/// [`JobError`] says why there is no report; what was fetched until then is kept in the state.
pub fn reconcile(job: &mut Job) -> Result<JobEnd, JobError> {
    Stamp::prepare();
    let current = resume::begin(job)?;
    let (rows, done) = (job.input.rows(), current.done.len());
    tracing::info!(version = VERSION, run = %current.run, rows, done, as_of = %job.as_of, "the run begins");
    let ended = reconcile_run(job, &current);
    if let Err(JobError::Report(ReportError::Contradiction(_))) = &ended {
        // Rows that a damaged state lost look like a bug in tieout.
        job.session.store.check_pages()?;
    }
    let is_void = match &ended {
        // Replies that are not the API's say nothing about orders.
        Err(JobError::Stop(Stop::NotTheApi(_))) => true,
        // The input is not what was hashed, so the run's lines may not be lines of that input.
        Err(JobError::Input(_)) => true,
        _ => false,
    };
    if is_void {
        job.session.store.give_up(current.run, Timestamp::now())?;
    }
    match (ended, job.session.signals.first()) {
        (Err(JobError::Stopped), Some(signal)) => {
            Ok(JobEnd::Stopped { signal, committed: job.session.store.count_finished_lines(current.run)? })
        }
        (ended, _) => ended,
    }
}

/// Takes a run to its published report. Until the report is announced, a signal ends it with [`JobError::Stopped`].
fn reconcile_run(job: &mut Job, current: &CurrentRun) -> Result<JobEnd, JobError> {
    let recall = job.recall(current.run)?;
    sends::remember(&mut job.session)?;
    let fetched = job.session.runtime.block_on(fetch::fetch_all(job, current, recall.as_ref()));
    let fetched = fetched.and_then(|fetched| completeness::list(job, fetched));
    let fetched = fetched.and_then(|fetched| recheck::recheck(job, current, fetched));
    let noted = sends::note(&mut job.session);
    let fetched = fetched?;
    noted?;
    let Record { requests, throttled, .. } = job.session.provider.record();
    tracing::info!(requests, throttled, elapsed_ms = fetched.elapsed.as_millis(), "every row has its outcome");
    let mut earlier = job.earlier(current)?;
    let staging = job.destination.staging(job.as_of)?;
    let replaces = earlier.stamp.replaces.clone();
    let (report, remembering) = job.make_report(current.run, &mut earlier, &fetched.list, staging.path().to_owned())?;
    let finished_at = Timestamp::now();
    let rechecks = job.session.store.recheck_counts(current.run)?;
    let manifest = job
        .stamp(&report, earlier.stamp, job.fetch_stamp(fetched.elapsed, rechecks), finished_at)
        .write(staging.path())?;
    let remembered = remembering.finish();
    // Whoever stopped the job while it waited for the state hears of that, not of the state.
    job.check_signals()?;
    remembered?;
    let (destination, dataset) = (absolute(job.destination.path()), job.dataset.as_deref().map(absolute));
    job.session.store.announce(current.run, &manifest, &destination, dataset.as_deref())?;
    let published = staging.publish(&replaces)?;
    let verdict = report.exit_inputs.verdict.code();
    tracing::info!(folder = %published.folder.display(), manifest_sha256 = manifest, verdict, "the report is published");
    let in_place = NewReport {
        verdict: report.exit_inputs.verdict.code(),
        is_resumable: is_resumable(&report),
        manifest_sha256: &manifest,
        folder: &published.folder,
    };
    let finished = job.session.store.finish(current.run, finished_at, in_place, report_findings(&report));
    finished.map_err(|source| JobError::Unrecorded { folder: published.folder.clone(), source })?;
    let (gave_up, clock) = (job.session.provider.gave_up(), job.clock_off());
    let appended = dataset.map(|dataset| dataset::keep(job, current, &dataset, &published.folder));
    let appended = appended.map(|appended| appended.map_err(Box::new));
    Ok(JobEnd::Reported { report: Box::new(report), published, rechecks, gave_up, clock, appended })
}

/// Whether continuing the run may fetch what its report lacks. If all orders got the same answer, it was not about
/// them, and the next job asks for all of them in a new run. What an incomplete input lacks can't be fetched.
fn is_resumable(report: &Report) -> bool {
    let lacks = report.exit_inputs.completeness_unknown || report.summary.population.of(Bucket::Unfetched) > 0;
    lacks && report.summary.sole_reason.is_none()
}

/// The discrepancies of a report, as later reports need to know them.
fn report_findings(report: &Report) -> ReportFindings<'_> {
    ReportFindings {
        found: Box::new(report.discrepancies.iter().map(|discrepancy| discrepancy.past())),
        resolved: Box::new(report.resolved.iter().map(|resolved| resolved.finding)),
        count: report.discrepancies.len() + report.resolved.len(),
    }
}

/// What earlier runs contribute to a report.
#[derive(Default)]
struct EarlierRuns {
    /// The findings of earlier runs, by order ID. Each row and each listed order takes out its own.
    findings: HashMap<String, Vec<KnownFinding>>,
    stamp: EarlierStamp,
}

/// A row of a run, with all that is known of its order.
#[allow(clippy::large_enum_variant, reason = "one at a time, on the stack")]
enum VisitedRow<'r> {
    /// A sound order, of which nothing but its facts is known.
    Sound { line: u64, facts: &'r OrderFacts<'r>, is_reused: bool },
    /// Any other row.
    Outcome(Outcome, Background),
}

impl Job {
    /// Fails with [`JobError::Stopped`] once a signal has arrived.
    fn check_signals(&self) -> Result<(), JobError> {
        self.session.signals.first().map_or(Ok(()), |_| Err(JobError::Stopped))
    }

    /// The orders recently seen settled, if they are to be reused.
    fn recall(&mut self, run: RunId) -> Result<Option<Recall>, JobError> {
        let Some(within) = self.memory.reuse_settled else {
            return Ok(None);
        };
        self.session.store.remember_others(run)?;
        let since = self.started_at.checked_sub(within).unwrap_or(Timestamp::MIN);
        Ok(Some(self.session.store.recall(&self.session.base_url, since, self.started_at)?))
    }

    /// The findings of earlier runs, and the manifests of the reports that this one replaces.
    fn earlier(&self, current: &CurrentRun) -> Result<EarlierRuns, JobError> {
        let mut earlier = EarlierRuns::default();
        for known in self.session.store.earlier_findings(current.run)? {
            earlier.findings.entry(known.finding.run_order_id.clone()).or_default().push(known);
        }
        earlier.stamp.replaces = current.continued.as_ref().map(|run| run.manifests.clone()).unwrap_or_default();
        Ok(earlier)
    }

    /// Makes the report in `folder`, from the stored outcomes and the provider's list. What the run saw is remembered
    /// meanwhile.
    fn make_report(
        &mut self,
        run: RunId,
        earlier: &mut EarlierRuns,
        list: &OrderList,
        folder: PathBuf,
    ) -> Result<(Report, Remembering), JobError> {
        let mut remembering = self.session.store.begin_to_remember(run)?;
        let remembered = remembering.take_orders();
        let mut builder = Builder::begin(Brief {
            folder,
            rules: self.rules.clone(),
            as_of: self.as_of,
            options: self.report.clone(),
            origin: Origin::Input {
                rows: self.input.rows(),
                shortfall: self.input.shortfall(),
                layout: self.input.layout().clone(),
            },
            evidence: None,
            facts: None,
        })?;
        let (mut required, period) = (self.required_orders(list), self.rules.complete);
        self.each_row(run, None, remembered, earlier, list, |row| match row {
            // Without a list no order is required.
            VisitedRow::Sound { line, facts, is_reused } => Ok(builder.add_sound(line, facts, is_reused)?),
            VisitedRow::Outcome(outcome, background) => {
                required.see(&outcome, list, period);
                Ok(builder.add(outcome, background).map(drop)?)
            }
        })?;
        if let Some(completeness) = completeness::completeness(list, &required, earlier) {
            builder.add_completeness(completeness)?;
        }
        builder.set_findings_elsewhere(earlier.count_left());
        Ok((builder.finish_unless(&|| self.session.signals.first().is_some())?, remembering))
    }

    /// Visits the rows of a run, all of them or those on some lines, sorted by line. Of an order that is sound
    /// ([`Soundness`]) and of which nothing else is known, only its facts are visited; of any other, all that is known. A
    /// signal ends the visit.
    fn each_row(
        &self,
        run: RunId,
        lines: Option<&BTreeSet<u64>>,
        mut remembered: RememberedOrders,
        earlier: &mut EarlierRuns,
        list: &OrderList,
        mut visit: impl FnMut(VisitedRow<'_>) -> Result<(), JobError>,
    ) -> Result<(), JobError> {
        let soundness = Soundness::of(&self.rules);
        let store = &self.session.store;
        store.for_each_row(run, lines, |mut row| {
            self.check_signals()?;
            let (line, job) = (row.line, row.job);
            let is_unknown = list.is_unknown() && !remembered.has(line) && !earlier.has(&row.run_order_id);
            if let Some((facts, is_reused)) = row.bare_facts()
                && is_unknown
                && soundness.holds(&row.run_order_id, facts)
            {
                return visit(VisitedRow::Sound { line, facts, is_reused });
            }
            let (bookings, created_before) = (mem::take(&mut row.bookings), row.created_before);
            let mut background = Background { bookings, created_before, ..Background::default() };
            let mut outcome = store.outcome(row)?;
            match &mut outcome.evidence {
                // The first row with the ID stands for the order.
                Evidence::Duplicate { .. } | Evidence::Rejected(_) => {
                    return visit(VisitedRow::Outcome(outcome, background));
                }
                Evidence::Fetched(fetched) => {
                    fetched.baseline = remembered.take_baseline(outcome.line);
                    background.listed = list.amounts(&outcome.run_order_id);
                }
                Evidence::NotFound(_) => {
                    background.last_seen = remembered.take_vanished(outcome.line).map(Box::new);
                }
                Evidence::Refused(_) | Evidence::Malformed(_) | Evidence::Unfetched(_) => {}
            }
            let known = earlier.take(&outcome.run_order_id);
            let later = known.iter().filter(|known| known.job > job);
            background.later_finding_ids = later.map(|known| known.finding.discrepancy_id.clone()).collect();
            background.past_findings = known.into_iter().map(|known| known.finding).collect();
            visit(VisitedRow::Outcome(outcome, background))
        })
    }

    fn stamp(&self, report: &Report, earlier: EarlierStamp, fetch: FetchStamp, finished_at: Timestamp) -> Stamp {
        let SummaryJson { lifecycle, reused, .. } = &report.summary;
        Stamp {
            as_of: self.as_of,
            started_at: self.started_at,
            finished_at,
            base_url: self.session.base_url.clone(),
            options: self.report.clone(),
            input: InputStamp {
                name: self.input.name().to_owned(),
                sha256: self.input.sha256().to_owned(),
                bytes: self.input.bytes(),
                rows: self.input.rows(),
                shortfall: self.input.shortfall(),
                layout: self.input.layout().clone(),
            },
            dataset: None,
            settings: self.rules.clone(),
            designs: designs(&self.report.formats),
            previous: chain::previous(&self.destination, &earlier.replaces),
            made_from: None,
            earlier: EarlierStamp { lifecycle: lifecycle.unwrap_or_default(), reused: *reused, ..earlier },
            clock: self.clock_off().map(|ClockReading { ours, provider }| ClockStamp { ours, provider }),
            fetch: Some(fetch),
            verdict: report.exit_inputs.verdict.code().to_owned(),
            exit_code: report.summary.exit_code,
        }
    }

    /// Both clocks, if ours and the provider's disagree.
    fn clock_off(&self) -> Option<ClockReading> {
        self.session.provider.clock().filter(|clock| clock.ahead().is_some())
    }

    fn fetch_stamp(&self, elapsed: Duration, rechecks: RecheckCounts) -> FetchStamp {
        let record = self.session.provider.record();
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let latencies =
            record.latencies.into_iter().flat_map(|latencies| ["p50", "p90", "p99", "max"].into_iter().zip(latencies));
        FetchStamp {
            requests: record.requests,
            replies: record.replies,
            bytes: record.bytes,
            retries: record.retries,
            throttled: record.throttled,
            waits_ms: record.waits.into_iter().map(|(why, time)| (why.code().to_owned(), milliseconds(time))).collect(),
            latency_ms: latencies
                .map(|(name, latency)| (name.to_owned(), format!("{:.3}", latency.as_secs_f64() * 1e3)))
                .collect(),
            elapsed_ms: milliseconds(elapsed),
            rate_allowed: self.session.rate,
            rate_used: format!("{:.1}", record.requests as f64 / elapsed.as_secs_f64().max(0.001)),
            read_again: rechecks.rechecked,
            changed_meanwhile: rechecks.changed,
        }
    }
}

impl EarlierRuns {
    /// Takes out the findings of an order.
    fn take(&mut self, run_order_id: &str) -> Vec<KnownFinding> {
        self.findings.remove(run_order_id).unwrap_or_default()
    }

    fn has(&self, run_order_id: &str) -> bool {
        !self.findings.is_empty() && self.findings.contains_key(run_order_id)
    }

    /// How many findings were not taken out.
    fn count_left(&self) -> u64 {
        self.findings.values().map(|findings| findings.len() as u64).sum()
    }
}
