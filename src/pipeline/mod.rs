//! The corridor of `reconcile`: input → fetch → store → report → publish, readable from top to bottom.

pub mod audit;
mod completeness;
pub mod discovery;
mod fetch;
pub mod list_walk;
mod progress;
mod recheck;
mod resume;
mod sends;
mod session;
mod signals;
mod unrecorded;
pub mod verify;

use std::collections::HashMap;
use std::path::{self, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::checks::Rules;
use crate::domain::outcome::{Background, Bucket, Evidence, Outcome, Reason};
use crate::input::{Input, InputError};
use crate::provider::{ClockReading, Stop};
use crate::report::ReportError;
use crate::report::builder::{Brief, Builder, Report};
use crate::report::content::summary_json::SummaryJson;
use crate::report::content::tables::Discrepancy;
use crate::report::folder::FolderError;
use crate::report::folder::chain;
use crate::report::folder::manifest::{ClockStamp, EarlierStamp, FetchStamp, InputStamp, Stamp, designs};
use crate::report::folder::publish::{Destination, PublishError, Published};
use crate::report::formats::options::ReportOptions;
use crate::store::{Confirmations, Judged, KnownFinding, NewReport, Recall, Remembered, RunId, StoreError};

use list_walk::OrderList;
use resume::Start;

pub use progress::Display;
pub use resume::Resumption;
pub use session::Session;
pub use signals::{Signal, Signals};

/// Everything one reconciliation needs, opened and checked.
pub struct Job {
    /// The provider, and all that asking it takes.
    pub session: Session,
    /// The rows to reconcile.
    pub input: Input,
    /// Where the report goes.
    pub destination: Destination,
    /// The settings that affect judgement.
    pub rules: Rules,
    /// What ages are counted to.
    pub as_of: Timestamp,
    /// When the job started.
    pub started_at: Timestamp,
    /// What the report is to be.
    pub report: ReportOptions,
    /// When an earlier run is continued.
    pub resuming: Resumption,
    /// Whether failing orders are read once more before they are reported.
    pub confirms: bool,
    /// What is kept for later runs, and taken from earlier ones.
    pub memory: Memory,
}

/// What is kept for later runs, and taken from earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Orders that were seen settled so short a time ago are not asked for again; `None` for no order.
    pub reuse_settled: Option<Duration>,
    /// Whether replies are kept as they came, prompts included.
    pub keeps_replies: bool,
}

/// How a reconciliation ended.
pub enum Ended {
    /// There is a report.
    Reported {
        /// The report as written.
        report: Box<Report>,
        /// Where it is.
        published: Published,
        /// What came of reading failing orders once more.
        confirmed: Confirmations,
        /// Why orders were not asked for, where the provider was given up before all were.
        gave_up: Option<Reason>,
        /// Both clocks, where ours is not the provider's.
        clock: Option<ClockReading>,
    },
    /// A signal stopped the job: there is no report.
    Stopped {
        /// Which signal.
        signal: Signal,
        /// How many outcomes are committed.
        committed: u64,
    },
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The input can't be read any more.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The state failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the report can't be written, or the report contradicts itself.
    #[error(transparent)]
    Report(ReportError),
    /// The report can't be put in its place.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The report is in its place, and the state does not know that the run has ended.
    #[error("the report in {} is whole, but the state can't be told so: {source}", folder.display())]
    Unrecorded {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: StoreError,
    },
    /// The provider can't be asked any more: it does not accept the key.
    #[error(transparent)]
    Stop(#[from] Stop),
    /// There is no report to work from.
    #[error("{} is no report of tieout: {problem}", folder.display())]
    NoReport {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Not one reply was had.
    #[error("nothing could be fetched: the provider never answered ({0})")]
    Unreachable(String),
    /// A signal asks the job to stop: [`reconcile`] makes [`Ended::Stopped`] of it.
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

/// Reconciles.
///
/// # Errors
/// [`JobError`] says why there is no report; what was fetched until then is kept in the state.
pub fn reconcile(mut job: Job) -> Result<Ended, JobError> {
    let begun = resume::begin(&mut job)?;
    let ended = reconcile_run(&mut job, &begun);
    if let Err(JobError::Report(ReportError::Contradiction(_))) = &ended {
        // Rows that a damaged state lost look like a fault of this program.
        job.session.store.check_pages()?;
    }
    let is_void = match &ended {
        // What it was refused is no fact about orders.
        Err(JobError::Stop(Stop::NotTheApi(_))) => true,
        // The input is not what was hashed: no line of the run is known to be one of that input.
        Err(JobError::Input(_)) => true,
        _ => false,
    };
    if is_void {
        job.session.store.give_up(begun.run, Timestamp::now())?;
    }
    match (ended, job.session.signals.first()) {
        (Err(JobError::Stopped), Some(signal)) => {
            Ok(Ended::Stopped { signal, committed: job.session.store.count_done(begun.run)? })
        }
        (ended, _) => ended,
    }
}

/// Takes a run to its report. A signal ends it as [`JobError::Stopped`], wherever it is, until the report is announced.
fn reconcile_run(job: &mut Job, begun: &Start) -> Result<Ended, JobError> {
    let recall = job.recall(begun.run)?;
    sends::remember(&mut job.session)?;
    let fetched = job.session.runtime.block_on(fetch::fetch_all(job, begun, recall.as_ref()));
    let fetched = fetched.and_then(|fetched| completeness::list(job, fetched));
    let fetched = fetched.and_then(|fetched| recheck::confirm(job, begun, fetched));
    let noted = sends::note(&mut job.session);
    let fetched = fetched?;
    noted?;
    let mut earlier = job.earlier(begun)?;
    let staging = job.destination.staging(job.as_of)?;
    let replaces = earlier.stamp.replaces.clone();
    let report = job.make_report(begun.run, &mut earlier, &fetched.list, staging.path().to_owned())?;
    let finished_at = Timestamp::now();
    let confirmed = job.session.store.confirmations(begun.run)?;
    let manifest = job
        .stamp(&report, earlier.stamp, job.fetch_stamp(fetched.elapsed, confirmed), finished_at)
        .write(staging.path())?;
    job.check_signals()?;
    let destination = path::absolute(job.destination.path()).unwrap_or_else(|_| job.destination.path().to_owned());
    job.session.store.announce(begun.run, &manifest, &destination)?;
    let published = staging.publish(&replaces)?;
    let in_place = NewReport {
        verdict: report.weighed.verdict.code(),
        is_resumable: is_resumable(&report),
        manifest_sha256: &manifest,
        folder: &published.folder,
    };
    let finished = job.session.store.finish(begun.run, finished_at, in_place, judged(&report));
    finished.map_err(|source| JobError::Unrecorded { folder: published.folder.clone(), source })?;
    let (gave_up, clock) = (job.session.provider.gave_up(), job.clock_off());
    Ok(Ended::Reported { report: Box::new(report), published, confirmed, gave_up, clock })
}

/// Whether the run may fetch what its report lacks. Where all orders met one answer, that is no answer about them: the next
/// start asks for all of them anew. An input that is not whole stays so.
fn is_resumable(report: &Report) -> bool {
    let lacks = report.weighed.gap || report.summary.population.of(Bucket::Unfetched) > 0;
    lacks && report.summary.sole_reason.is_none()
}

/// What the next report is to know of this one.
fn judged(report: &Report) -> Judged {
    Judged {
        found: report.discrepancies.iter().map(Discrepancy::past).collect(),
        resolved: report.resolved.iter().map(|resolved| resolved.finding.clone()).collect(),
    }
}

/// What earlier runs contribute to a report.
#[derive(Default)]
struct Earlier {
    /// What was found when orders were last judged, by order: those that no row and no line of the list has taken yet.
    found: HashMap<String, Vec<KnownFinding>>,
    stamp: EarlierStamp,
}

impl Job {
    /// [`JobError::Stopped`], once a signal has come.
    fn check_signals(&self) -> Result<(), JobError> {
        self.session.signals.first().map_or(Ok(()), |_| Err(JobError::Stopped))
    }

    /// What was seen settled a short time ago, if that is to be taken as it was.
    fn recall(&mut self, run: RunId) -> Result<Option<Recall>, JobError> {
        let Some(within) = self.memory.reuse_settled else {
            return Ok(None);
        };
        self.session.store.remember_others(run)?;
        let since = self.started_at.checked_sub(within).unwrap_or(Timestamp::MIN);
        Ok(Some(self.session.store.recall(&self.session.base_url, since, self.started_at)?))
    }

    /// What was found when orders were last judged, and what this report takes the place of.
    fn earlier(&self, begun: &Start) -> Result<Earlier, JobError> {
        let mut earlier = Earlier::default();
        for known in self.session.store.found_before(begun.run)? {
            earlier.found.entry(known.finding.run_order_id.clone()).or_default().push(known);
        }
        earlier.stamp.replaces = begun.continued.as_ref().map(|run| run.manifests.clone()).unwrap_or_default();
        Ok(earlier)
    }

    /// Every report is made from the store and nothing else.
    fn make_report(
        &mut self,
        run: RunId,
        earlier: &mut Earlier,
        list: &OrderList,
        folder: PathBuf,
    ) -> Result<Report, JobError> {
        let remembered = self.session.store.remember_with(run)?;
        let mut builder = Builder::begin(Brief {
            folder,
            rules: self.rules.clone(),
            as_of: self.as_of,
            options: self.report.clone(),
            rows_read: self.input.rows(),
            shortfall: self.input.shortfall(),
            layout: self.input.layout().clone(),
            evidence: None,
        })?;
        let (mut wanted, period) = (self.wanted(list), self.rules.complete);
        self.each_outcome(run, remembered, earlier, list, |outcome, background| {
            wanted.see(&outcome, list, period);
            Ok(builder.add(outcome, background).map(drop)?)
        })?;
        if let Some(completeness) = completeness::completeness(list, &wanted, earlier) {
            builder.complete(completeness)?;
        }
        builder.findings_elsewhere(earlier.left());
        Ok(builder.finish_unless(&|| self.session.signals.first().is_some())?)
    }

    /// Visits every outcome of a run by line, with all that is known of its order, until a signal comes.
    fn each_outcome(
        &self,
        run: RunId,
        mut remembered: Remembered,
        earlier: &mut Earlier,
        list: &OrderList,
        mut visit: impl FnMut(Outcome, Background) -> Result<(), JobError>,
    ) -> Result<(), JobError> {
        self.session.store.for_each_outcome(run, |mut outcome, bookings, start| {
            self.check_signals()?;
            let mut background = Background { bookings, ..Background::default() };
            match &mut outcome.evidence {
                // The row that holds the ID first stands for the order.
                Evidence::Duplicate { .. } | Evidence::Rejected(_) => return visit(outcome, background),
                Evidence::Fetched(fetched) => {
                    fetched.settled_as = remembered.take_baseline(outcome.line);
                    background.listed = list.amounts(&outcome.run_order_id);
                }
                Evidence::NotFound(_) => {
                    background.last_seen = remembered.take_vanished(outcome.line).map(Box::new);
                }
                Evidence::Refused(_) | Evidence::Malformed(_) | Evidence::Unfetched(_) => {}
            }
            let known = earlier.take(&outcome.run_order_id);
            let later = known.iter().filter(|known| known.start > start);
            background.found_later = later.map(|known| known.finding.discrepancy_id.clone()).collect();
            background.past = known.into_iter().map(|known| known.finding).collect();
            visit(outcome, background)
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
            settings: self.rules.clone(),
            designs: designs(&self.report.formats),
            previous: chain::previous(&self.destination, &earlier.replaces),
            made_from: None,
            earlier: EarlierStamp { lifecycle: *lifecycle, reused: *reused, ..earlier },
            clock: self.clock_off().map(|ClockReading { ours, provider }| ClockStamp { ours, provider }),
            fetch: Some(fetch),
            verdict: report.weighed.verdict.code().to_owned(),
            exit_code: report.summary.exit_code,
        }
    }

    /// Both clocks, where ours is not the provider's.
    fn clock_off(&self) -> Option<ClockReading> {
        self.session.provider.clock().filter(|clock| clock.ahead().is_some())
    }

    fn fetch_stamp(&self, elapsed: Duration, confirmed: Confirmations) -> FetchStamp {
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
            read_again: confirmed.asked,
            changed_meanwhile: confirmed.changed,
        }
    }
}

impl Earlier {
    /// What was found when that order was last judged.
    fn take(&mut self, run_order_id: &str) -> Vec<KnownFinding> {
        self.found.remove(run_order_id).unwrap_or_default()
    }

    /// How many findings no order has taken.
    fn left(&self) -> u64 {
        self.found.values().map(|findings| findings.len() as u64).sum()
    }
}
