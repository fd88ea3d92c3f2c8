//! `tieout reconcile`: opens what the settings name, runs the job, and prints its summary or its failure.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use jiff::{Timestamp, Unit};

use super::access::{self, NO_REQUEST_SENT};
use super::cli::Output;
use super::exit::{self, Exit, Failure};
use super::metrics::{self, RunMetrics};
use super::notify::{Deliveries, Notifications};
use super::settings::Settings;
use super::terminal;
use super::voice::Voice;
use crate::checks::Rules;
use crate::domain::outcome::Bucket;
use crate::history::{Dataset, DatasetError, Identity};
use crate::input::Input;
use crate::pipeline::{self, Display, Job, JobEnd, JobError, Resumption, Signals};
use crate::provider::{ClockReading, Record, Stop};
use crate::report::ReportError;
use crate::report::builder::Report;
use crate::report::folder::publish::{Destination, PublishError};
use crate::report::folder::{chain, index};

const KEPT: &str = "what was fetched is kept in the state";
const AGAIN: &str = "fix this and run the same command again";

/// What is known of a run once it is over, however it ended.
#[derive(Default)]
struct RunRecord {
    requests: u64,
    throttled: u64,
    /// Kept until everyone was told how the job ended: until then a signal must not end the process.
    signals: Option<Signals>,
    /// The report and its folder, if there is one.
    report: Option<(Box<Report>, PathBuf)>,
}

/// Runs the job with these settings. Once it is over, the targets of notifications are told, and the metrics are written.
/// Standard output gets the summary, standard error the warnings.
///
/// # Errors
/// A [`Failure`] says why there is no report, and what to do.
pub(super) fn run(settings: Settings, voice: &Voice) -> Result<Exit, Failure> {
    let started_at = Timestamp::now();
    let (metrics_file, account) = (settings.metrics_file.clone(), settings.report.account.clone());
    let mut notifications = Notifications::begin(&settings);
    let mut record = RunRecord::default();
    let ended = run_job(settings, started_at, voice, &mut record);
    if let Some((report, folder)) = &record.report {
        notifications.report(report, folder);
    }
    let Deliveries { undelivered, .. } = notifications.tell(&ended);
    if let Some(path) = metrics_file {
        let run = RunMetrics {
            account: account.as_deref().unwrap_or_default(),
            started_at,
            ended_at: Timestamp::now(),
            exit_code: ended.as_ref().map_or_else(|failure| failure.exit, |exit| *exit).code(),
            requests: record.requests,
            throttled: record.throttled,
            undelivered,
            summary: record.report.as_ref().map(|(report, _)| &report.summary),
        };
        let written = metrics::write(&path, &run);
        written.unwrap_or_else(|error| exit::warn(error, None));
    }
    ended
}

fn run_job(settings: Settings, started_at: Timestamp, voice: &Voice, record: &mut RunRecord) -> Result<Exit, Failure> {
    let (output, quiet, destination) = (settings.output, settings.quiet, settings.destination.clone());
    let mut job = open(settings, started_at, voice)?;
    let ended = pipeline::reconcile(&mut job);
    let Record { requests, throttled, .. } = job.session.provider.record();
    (record.requests, record.throttled) = (requests, throttled);
    record.signals = Some(job.session.signals.clone());
    match ended.map_err(|error| failed(error, &destination))? {
        JobEnd::Reported { report, published, rechecks, gave_up, clock, appended } => {
            let (report, _) = record.report.insert((report, published.folder.clone()));
            clock.iter().for_each(warn_of_clock);
            if let Some(Err(error)) = &appended {
                let help = "the report is complete; the next job with this state makes up for it";
                exit::warn(format!("nothing was appended to the dataset: {error}"), Some(help));
            }
            exit::warn_of_limits(&published.limits);
            if let Destination::Under(folder) = &destination {
                exit::warn_of_index(index::write(folder));
            }
            if let Some(reason) = gave_up {
                let unfetched = report.summary.population.of(Bucket::Unfetched);
                exit::warn(format!("stopped asking with {unfetched} rows unfetched: {}", reason.detail), None);
            }
            let appended = job.dataset.as_deref().zip(appended.and_then(Result::ok));
            let mut out = io::stdout().lock();
            let shown = match output {
                Output::Text if quiet => Ok(()),
                Output::Text => terminal::show(report, &published.folder, rechecks, voice, &mut out).and_then(|()| {
                    appended.map_or(Ok(()), |(dataset, runs)| terminal::show_appended(&runs, dataset, voice, &mut out))
                }),
                Output::Json => serde_json::to_writer_pretty(&mut out, &report.summary)
                    .map_err(io::Error::from)
                    .and_then(|()| writeln!(out)),
            };
            exit::check_summary_written(shown, &published.folder, output)?;
            Ok(exit::of_report(report))
        }
        JobEnd::Stopped { signal, committed } => {
            let what = format!("stopped by a signal: no report was made; {committed} rows are kept in the state");
            exit::print_lines(&format!("{what}\n  help: run the same command again to continue"));
            Ok(signal.into())
        }
    }
}

/// Warns where this machine's clock is more than two minutes off the provider's: ages are counted by ours.
fn warn_of_clock(clock: &ClockReading) {
    let Some(ahead) = clock.ahead() else { return };
    let (seconds, direction) = (ahead.as_secs().abs(), if ahead.is_positive() { "ahead of" } else { "behind" });
    let off = if seconds < 7_200 { format!("{} minutes", seconds / 60) } else { format!("{} hours", seconds / 3_600) };
    let ClockReading { ours, provider } = clock;
    let what = format!("the clock of this machine is {off} {direction} the provider's (here {ours}, there {provider})");
    exit::warn(what, Some("set this clock and run again: ages are counted by it"));
}

/// Opens everything that the job needs, cheapest checks first. Nothing is fetched or written until all of it is known
/// to be usable.
fn open(settings: Settings, started_at: Timestamp, voice: &Voice) -> Result<Job, Failure> {
    let as_of = settings.as_of.unwrap_or_else(|| started_at.round(Unit::Second).unwrap_or(started_at));
    settings.destination.check().map_err(unwritable)?;
    let input = Input::open(settings.input).map_err(Failure::usage)?;
    let display = display(settings.quiet);
    let session = access::open(settings.provider, settings.key, &settings.state, started_at, display, voice.texts)?;
    if let Some(dataset) = &settings.dataset {
        require_same_orders(dataset, &settings.rules, &session.base_url, settings.report.account.as_deref())?;
    }
    // An unreadable state is reported by the next code that reads it.
    let knows_nothing = session.store.runs().is_ok_and(|runs| runs.is_empty());
    if knows_nothing && chain::previous(&settings.destination, &[]).is_some() {
        access::warn_of_new_state(&settings.state, settings.destination.path());
    }
    Ok(Job {
        session,
        input,
        destination: settings.destination,
        rules: settings.rules,
        as_of,
        started_at,
        report: settings.report,
        resumption: Resumption { within: settings.resume_within, as_of_is_given: settings.as_of.is_some() },
        recheck: settings.recheck,
        memory: settings.memory,
        dataset: settings.dataset,
    })
}

/// Refuses a dataset of other orders or with other days before anything is fetched. One that can't be read or written
/// is a warning once the report is there.
fn require_same_orders(dataset: &Path, rules: &Rules, base_url: &str, account: Option<&str>) -> Result<(), Failure> {
    let wanted = Identity::new(rules.days().zone, base_url.to_owned(), account.map(str::to_owned));
    match Dataset::open_or_create(dataset, &wanted) {
        Err(error @ (DatasetError::NotADataset { .. } | DatasetError::Other { .. })) => Err(Failure::usage(error)),
        _ => Ok(()),
    }
}

/// The failure for a wrong destination (exit 2), or for one that the disk refuses (exit 4).
fn unwritable(error: PublishError) -> Failure {
    if error.is_usage_error() { Failure::usage(error) } else { Failure::no_report(error).help(NO_REQUEST_SENT) }
}

/// The failure of a job. Where the report could not be written or published, names the place.
fn failed(error: JobError, destination: &Destination) -> Failure {
    match error {
        JobError::Report(ReportError::Contradiction(_)) => failure(error),
        JobError::Report(_) | JobError::Publish(_) => {
            let place = destination.path().display();
            Failure::no_report(error).help(format!("there is no new report in {place}; {KEPT}: {AGAIN}"))
        }
        other => failure(other),
    }
}

/// How to show progress: as a bar on a terminal, as lines in a file or a pipe, not at all if quiet.
pub(super) fn display(quiet: bool) -> Display {
    match (quiet, io::stderr().is_terminal()) {
        (true, _) => Display::Silent,
        (false, true) => Display::Bar,
        (false, false) => Display::Lines,
    }
}

fn failure(error: JobError) -> Failure {
    match error {
        // The error itself says what a failed state still holds.
        JobError::Store(_) | JobError::Unrecorded { .. } => Failure::no_report(error),
        JobError::Stop(Stop::NotTheApi(_)) => {
            Failure::no_report(error).help("check --api-url: it must end with the path of the API")
        }
        JobError::Stop(_) => Failure::no_report(error).help(format!("check CHENYU_API_KEY or --api-key-file; {KEPT}")),
        JobError::Unreachable(_) => {
            let proxy = access::unused_proxy().map(|name| format!("; {name} is set but not used: see --proxy"));
            let help = "check --api-url and the network, and run the same command again";
            Failure::no_report(error).help(format!("{help}{}", proxy.unwrap_or_default()))
        }
        JobError::NoReport { .. } | JobError::OfDataset { .. } | JobError::Close(_) | JobError::Sql(_) => {
            Failure::usage(error)
        }
        JobError::Input(_) | JobError::Dataset(_) | JobError::Report(_) | JobError::Publish(_) | JobError::Stopped => {
            Failure::no_report(error).help(KEPT)
        }
    }
}
