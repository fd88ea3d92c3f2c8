//! The corridor of `reconcile`: input → fetch → store → report → publish, readable from top to bottom.

mod fetching;
mod progress;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Runtime;

use crate::checks::Judging;
use crate::domain::outcome::Reason;
use crate::input::{Input, InputError};
use crate::provider::{Provider, Stop};
use crate::report::ReportError;
use crate::report::builder::{Builder, Options as ReportOptions, Report};
use crate::report::manifest::{FetchStamp, InputStamp, Stamp};
use crate::report::publish::{Destination, PublishError};
use crate::store::{NewRun, RunId, Sends, Store, StoreError};
use crate::summary::{JudgingSettings, Population, Verdict};

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
    /// How many requests may be in flight: also how many unwritten outcomes there may be.
    pub concurrency: usize,
    /// Requests per second; 0 is unlimited.
    pub rate: u32,
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
    /// How progress is shown.
    pub display: Display,
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
    /// The provider can't be asked any more: it does not accept the key.
    #[error(transparent)]
    Stop(#[from] Stop),
    /// Not one reply was had.
    #[error("nothing could be fetched: the provider never answered ({0})")]
    Unreachable(String),
    /// The signals of the operating system can't be listened to.
    #[error("can't listen for signals: {0}")]
    Signals(#[source] io::Error),
}

/// Reconciles. `exit_code` maps a verdict over a population to the exit code that the report names.
///
/// # Errors
/// [`JobError`] says why there is no report; what was fetched until then is kept in the state.
pub fn reconcile(mut job: Job, exit_code: impl Fn(Verdict, &Population) -> u8) -> Result<Ended, JobError> {
    let run = job.store.begin(&job.new_run())?;
    job.remember_sends()?;
    let fetched = job.runtime.block_on(fetching::fetch_all(&job, run));
    let noted = job.note_sends();
    let fetched = fetched?;
    noted?;
    if let Some(signal) = fetched.stopped_by {
        return Ok(Ended::Stopped { signal, committed: fetched.committed });
    }
    let staging = job.destination.staging(job.as_of)?;
    let report = job.make_report(run, staging.path().to_owned(), &exit_code)?;
    let finished_at = Timestamp::now();
    job.stamp(&report, fetched.elapsed, finished_at).write(staging.path())?;
    let folder = staging.publish()?;
    job.store.finish(run, finished_at)?;
    Ok(Ended::Reported { report: Box::new(report), folder, gave_up: job.provider.gave_up() })
}

impl Job {
    fn new_run(&self) -> NewRun {
        NewRun {
            base_url: self.base_url.clone(),
            input_name: self.input.name().to_owned(),
            input_sha256: self.input.sha256().to_owned(),
            rows: self.input.rows(),
            settings: self.judging_values().to_string(),
            as_of: self.as_of,
            started_at: self.started_at,
        }
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

    fn judging_values(&self) -> serde_json::Value {
        let JudgingSettings { currency, tolerance } = JudgingSettings::from(&self.judging);
        serde_json::json!({ "currency": currency, "tolerance": tolerance.to_string() })
    }

    /// Every report is made from the store and nothing else.
    fn make_report(
        &self,
        run: RunId,
        folder: PathBuf,
        exit_code: impl Fn(Verdict, &Population) -> u8,
    ) -> Result<Report, JobError> {
        let mut builder = Builder::begin(ReportOptions {
            folder,
            judging: self.judging.clone(),
            as_of: self.as_of,
            account: self.account.clone(),
            allow_empty: self.allow_empty,
            rows_read: self.input.rows(),
        })?;
        self.store.for_each_outcome(run, |outcome| Ok::<_, JobError>(builder.add(outcome)?))?;
        Ok(builder.finish(exit_code)?)
    }

    fn stamp(&self, report: &Report, fetching: Duration, finished_at: Timestamp) -> Stamp {
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
            settings: self.judging_values(),
            fetch: self.fetch_stamp(fetching),
            verdict: report.verdict.code().to_owned(),
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
