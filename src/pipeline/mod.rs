//! The corridor of `reconcile`: input → fetch → store → report → publish, readable from top to bottom.

pub mod audit;
mod beginning;
mod fetching;
mod progress;
pub mod verify;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Runtime;

use crate::checks::Judging;
use crate::domain::finding::PastFinding;
use crate::domain::outcome::{Evidence, Reason};
use crate::input::{Input, InputError};
use crate::provider::{Provider, Stop};
use crate::report::ReportError;
use crate::report::builder::{Builder, Options as ReportOptions, Report};
use crate::report::chain;
use crate::report::formats::Formats;
use crate::report::manifest::{EarlierStamp, FetchStamp, InputStamp, Stamp, designs};
use crate::report::publish::{Destination, PublishError};
use crate::report::summary_json::SummaryJson;
use crate::report::texts::Language;
use crate::store::{Lock, Recall, RunId, Sends, Store, StoreError};
use crate::summary::{JudgingSettings, Weighed};

use beginning::Begun;

pub use beginning::Resuming;
pub use fetching::Signal;
pub use progress::Display;

/// Everything one reconciliation needs, opened and checked.
pub struct Job {
    /// Where the fetching runs.
    pub runtime: Runtime,
    /// Where the simulator runs, if it is the one that is asked.
    pub sandbox: Option<Runtime>,
    /// The rows to reconcile.
    pub input: Input,
    /// Where the orders are fetched.
    pub provider: Provider,
    /// How many requests may be in flight.
    pub concurrency: usize,
    /// Requests per second; 0 is unlimited.
    pub rate: u32,
    /// What no other job may use meanwhile.
    pub locks: Vec<Lock>,
    /// Where outcomes are kept.
    pub store: Store,
    /// What the state calls the provider: its base URL, or the sandbox's name.
    pub base_url: String,
    /// Where the report goes.
    pub destination: Destination,
    /// The settings that affect judgement.
    pub judging: Judging,
    /// What ages are counted to.
    pub as_of: Timestamp,
    /// When the job started.
    pub started_at: Timestamp,
    /// A label for the report's heading.
    pub account: Option<String>,
    /// Whether an empty input is fine.
    pub allow_empty: bool,
    /// Which formats the report is written in.
    pub formats: Formats,
    /// In which language people read it.
    pub language: Language,
    /// What else is to exit with 1: said in the manifest.
    pub fail_on: Vec<String>,
    /// When an earlier run is continued.
    pub resuming: Resuming,
    /// What is kept for later runs, and taken from earlier ones.
    pub memory: Memory,
    /// How progress is shown.
    pub display: Display,
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
        /// The folder it is in.
        folder: PathBuf,
        /// Why orders were not asked for, where the provider was given up before all were.
        gave_up: Option<Reason>,
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
    Report(#[from] ReportError),
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
    /// The signals of the operating system can't be listened to.
    #[error("can't listen for signals: {0}")]
    Signals(#[source] io::Error),
}

/// Reconciles. `exit_code` maps what it comes to to the exit code that the report names.
///
/// # Errors
/// [`JobError`] says why there is no report; what was fetched until then is kept in the state.
pub fn reconcile(mut job: Job, exit_code: impl Fn(&Weighed) -> u8) -> Result<Ended, JobError> {
    let begun = beginning::begin(&mut job)?;
    let recall = job.recall(begun.run)?;
    job.remember_sends()?;
    let fetched = job.runtime.block_on(fetching::fetch_all(&job, &begun, recall.as_ref()));
    let noted = job.note_sends();
    if let Err(JobError::Stop(Stop::Forbidden | Stop::NotTheApi)) = &fetched {
        // What it was refused is no fact about orders.
        job.store.give_up(begun.run, Timestamp::now())?;
    }
    let fetched = fetched?;
    noted?;
    if let Some(signal) = fetched.stopped_by {
        return Ok(Ended::Stopped { signal, committed: begun.done.len() as u64 + fetched.committed });
    }
    let earlier = job.earlier(&begun)?;
    let staging = job.destination.staging(job.as_of)?;
    let replaces = earlier.stamp.replaces.clone();
    let report = job.make_report(begun.run, &earlier, staging.path().to_owned(), &exit_code)?;
    let finished_at = Timestamp::now();
    let manifest = job.stamp(&report, earlier.stamp, fetched.elapsed, finished_at).write(staging.path())?;
    job.store.announce(begun.run, &manifest)?;
    let folder = staging.publish(&replaces)?;
    let finished =
        job.store.finish(begun.run, finished_at, report.weighed.verdict.code(), &folder, report.past_findings());
    finished.map_err(|source| JobError::Unrecorded { folder: folder.clone(), source })?;
    Ok(Ended::Reported { report: Box::new(report), folder, gave_up: job.provider.gave_up() })
}

/// What earlier runs contribute to a report.
struct Earlier {
    /// What the report before found, by order.
    found: HashMap<String, Vec<PastFinding>>,
    stamp: EarlierStamp,
}

impl Job {
    /// What was seen settled a short time ago, if that is to be taken as it was.
    fn recall(&mut self, run: RunId) -> Result<Option<Recall>, JobError> {
        let Some(within) = self.memory.reuse_settled else {
            return Ok(None);
        };
        self.store.remember_before(run)?;
        let since = self.started_at.checked_sub(within).unwrap_or(Timestamp::MIN);
        Ok(Some(self.store.recall(&self.base_url, since)?))
    }

    /// What the report before found, and what this one takes the place of.
    fn earlier(&self, begun: &Begun) -> Result<Earlier, JobError> {
        let mut earlier = Earlier { found: HashMap::new(), stamp: EarlierStamp::default() };
        if let Some(before) = beginning::run_before(self, begun.run)? {
            for finding in self.store.findings(before.id)? {
                earlier.found.entry(finding.run_order_id.clone()).or_default().push(finding);
            }
            earlier.stamp.compared_with = before.manifest_sha256().map(str::to_owned);
        }
        earlier.stamp.replaces = begun.continued.as_ref().map(|run| run.manifests.clone()).unwrap_or_default();
        Ok(earlier)
    }

    /// Makes the requests of a run that ended just now count against the rate.
    fn remember_sends(&mut self) -> Result<(), StoreError> {
        let rate = usize::try_from(self.rate).unwrap_or(usize::MAX);
        let ago = match self.store.begin_sending(&self.base_url)? {
            Sends::At(times) => {
                let now = Timestamp::now();
                // A time to come tells of a clock that was set back.
                times.into_iter().map(|sent| Duration::try_from(now.duration_since(sent)).unwrap_or_default()).collect()
            }
            Sends::Unknown => vec![Duration::ZERO; rate],
        };
        self.provider.remember(&ago);
        Ok(())
    }

    fn note_sends(&mut self) -> Result<(), StoreError> {
        let now = Timestamp::now();
        let sent: Vec<Timestamp> =
            self.provider.recent().into_iter().filter_map(|ago| now.checked_sub(ago).ok()).collect();
        self.store.end_sending(&self.base_url, &sent)
    }

    fn judging_settings(&self) -> JudgingSettings {
        JudgingSettings::from(&self.judging)
    }

    /// Every report is made from the store and nothing else.
    fn make_report(
        &mut self,
        run: RunId,
        earlier: &Earlier,
        folder: PathBuf,
        exit_code: impl Fn(&Weighed) -> u8,
    ) -> Result<Report, JobError> {
        let mut settled_as = self.store.remember_with(run)?;
        let mut builder = Builder::begin(ReportOptions {
            folder,
            judging: self.judging.clone(),
            as_of: self.as_of,
            account: self.account.clone(),
            allow_empty: self.allow_empty,
            rows_read: self.input.rows(),
            formats: self.formats.clone(),
            language: self.language,
            evidence: None,
        })?;
        self.store.for_each_outcome(run, |mut outcome| {
            let past = match &mut outcome.evidence {
                // The row that holds the ID first stands for the order.
                Evidence::Duplicate { .. } | Evidence::Rejected(_) => Vec::new(),
                Evidence::Fetched(fetched) => {
                    fetched.settled_as = settled_as.take(outcome.line);
                    earlier.found_of(&outcome.run_order_id)
                }
                _ => earlier.found_of(&outcome.run_order_id),
            };
            Ok::<_, JobError>(builder.add(outcome, past).map(drop)?)
        })?;
        Ok(builder.finish(exit_code)?)
    }

    fn stamp(&self, report: &Report, earlier: EarlierStamp, fetching: Duration, finished_at: Timestamp) -> Stamp {
        let SummaryJson { lifecycle, reused, .. } = &report.summary;
        Stamp {
            as_of: self.as_of,
            started_at: self.started_at,
            finished_at,
            base_url: self.base_url.clone(),
            account: self.account.clone(),
            input: InputStamp {
                name: self.input.name().to_owned(),
                sha256: self.input.sha256().to_owned(),
                bytes: self.input.bytes(),
                rows: self.input.rows(),
            },
            settings: self.judging_settings(),
            fail_on: self.fail_on.clone(),
            allow_empty: self.allow_empty,
            formats: self.formats.words(),
            language: Some(self.language.code().to_owned()),
            designs: designs(&self.formats),
            previous: chain::previous(&self.destination, &earlier.replaces),
            made_from: None,
            earlier: EarlierStamp { lifecycle: *lifecycle, reused: *reused, ..earlier },
            fetch: Some(self.fetch_stamp(fetching)),
            verdict: report.weighed.verdict.code().to_owned(),
            exit_code: report.summary.exit_code,
        }
    }

    fn fetch_stamp(&self, elapsed: Duration) -> FetchStamp {
        let record = self.provider.record();
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
            rate_allowed: self.rate,
            rate_used: format!("{:.1}", record.requests as f64 / elapsed.as_secs_f64().max(0.001)),
        }
    }
}

impl Earlier {
    fn found_of(&self, run_order_id: &str) -> Vec<PastFinding> {
        self.found.get(run_order_id).cloned().unwrap_or_default()
    }
}
