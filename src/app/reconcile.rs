//! `tieout reconcile`: opens what the settings name, runs the corridor, and says how it ended.

use std::io::{self, IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use jiff::{Timestamp, Unit};
use tokio::runtime::{Builder, Runtime};

use super::cli::Output;
use super::exit::{self, Exit, Failure};
use super::settings::Settings;
use super::terminal;
use crate::domain::outcome::Bucket;
use crate::input::Input;
use crate::pipeline::{self, Display, Ended, Job, JobError, Resuming, Signal};
use crate::provider::{ApiKey, Options as ProviderOptions, Provider, Stop};
use crate::report::ReportError;
use crate::report::chain;
use crate::report::publish::{Destination, PublishError};
use crate::sandbox::{self, Sandbox};
use crate::store::{Lock, LockError, Store};

const KEPT: &str = "what was fetched is kept in the state";
const AGAIN: &str = "put that right and run the same command again";
/// What is safe where the job did not get as far as the provider.
const NOTHING_ASKED: &str = "nothing was asked yet, and what earlier runs fetched is kept in the state: put that right \
                             and run the same command again";

/// What the state calls the simulator, whatever port it has: its orders never meet real ones.
const SANDBOX_URL: &str = "sandbox";

/// Reconciles as the settings say.
///
/// # Errors
/// A [`Failure`] says why there is no report, and what to do.
pub(super) fn run(settings: Settings) -> Result<Exit, Failure> {
    let (output, quiet, fail_on) = (settings.output, settings.quiet, settings.fail_on.clone());
    let destination = settings.destination.clone();
    let job = open(settings)?;
    let ended = pipeline::reconcile(job, |weighed| exit::of(weighed, &fail_on).code());
    match ended.map_err(|error| failed(error, &destination))? {
        Ended::Reported { report, folder, gave_up } => {
            if let Some(reason) = gave_up {
                let unfetched = report.summary.population.of(Bucket::Unfetched);
                exit::tell(&format!("warning: stopped asking with {unfetched} rows unfetched: {}", reason.detail));
            }
            let mut out = io::stdout().lock();
            let shown = match output {
                Output::Text if quiet => Ok(()),
                Output::Text => terminal::show(&report, &folder, &mut out),
                Output::Json => serde_json::to_writer_pretty(&mut out, &report.summary)
                    .map_err(io::Error::from)
                    .and_then(|()| writeln!(out)),
            };
            exit::ignore_closed_pipe(shown)?;
            Ok(exit::of(&report.weighed, &fail_on))
        }
        Ended::Stopped { signal, committed } => {
            let what = format!("stopped by a signal: no report was made; {committed} rows are kept in the state");
            exit::tell(&format!("{what}\n  help: run the same command again, and it goes on from there"));
            Ok(match signal {
                Signal::Interrupt => Exit::Interrupted,
                Signal::Terminate => Exit::Terminated,
            })
        }
    }
}

/// Opens everything in the order in which a mistake is cheapest to find: nothing is fetched or written before all of
/// it is known to be usable.
fn open(mut settings: Settings) -> Result<Job, Failure> {
    let started_at = Timestamp::now();
    let as_of = settings.as_of.unwrap_or_else(|| started_at.round(Unit::Second).unwrap_or(started_at));
    settings.destination.check().map_err(unwritable)?;
    let input = Input::open(settings.input).map_err(Failure::usage)?;
    // One thread for all connections: a request handed from thread to thread costs more than it wins.
    let runtime = runtime(Builder::new_current_thread())?;
    let (key, sandbox) = match settings.key {
        Some(key) => (key, None),
        None => {
            let (key, sandbox) = start_sandbox(&mut settings.provider)?;
            (key, Some(sandbox))
        }
    };
    let base_url = if settings.sandbox { SANDBOX_URL.to_owned() } else { settings.provider.base_url.clone() };
    let (rate, concurrency) = (settings.provider.rate, settings.provider.concurrency);
    let provider = Provider::new(settings.provider, key)
        .map_err(|error| Failure::usage(error).help("see --api-url and the other options of the provider"))?;
    let mut locks = vec![Lock::on_state(&settings.state, started_at).map_err(locked)?];
    if !settings.sandbox {
        match Lock::on_key(&provider.fingerprint(), started_at) {
            Ok(lock) => locks.push(lock),
            Err(held @ LockError::Held { .. }) => return Err(locked(held)),
            Err(unusable) => tracing::warn!("{unusable}: two jobs with one key would send twice its rate"),
        }
    }
    let is_new = !settings.state.exists();
    let store =
        Store::open(&settings.state).map_err(|error| Failure::no_report(error).help("nothing was asked yet"))?;
    if is_new && chain::previous(&settings.destination, &[]).is_some() {
        let (state, reports) = (settings.state.display(), place(&settings.destination).display());
        exit::tell(&format!(
            "warning: the state {state} is new, but there is a report in {reports}: nothing is known of earlier runs\n  \
             help: if the state should be there, stop this job, bring it back and run the same command again"
        ));
    }
    Ok(Job {
        runtime,
        sandbox,
        input,
        provider,
        concurrency,
        rate,
        locks,
        store,
        base_url,
        destination: settings.destination,
        judging: settings.judging,
        as_of,
        started_at,
        account: settings.account,
        allow_empty: settings.allow_empty,
        formats: settings.formats,
        language: settings.language,
        fail_on: settings.fail_on.iter().map(|verdict| verdict.word().to_owned()).collect(),
        resuming: Resuming { within: settings.resume_within, as_of_is_given: settings.as_of.is_some() },
        memory: settings.memory,
        display: display(settings.quiet),
    })
}

/// Another job is at work, or there is no saying whether one is.
pub(super) fn locked(error: LockError) -> Failure {
    match error {
        LockError::Held { .. } => Failure::no_report(error),
        LockError::Unusable { .. } => Failure::no_report(error).help(NOTHING_ASKED),
    }
}

/// A destination that is a mistake, or that the disk refuses.
fn unwritable(error: PublishError) -> Failure {
    match error {
        PublishError::NotOurs { .. } | PublishError::LatestNotOurs(_) => Failure::usage(error),
        PublishError::Io { .. } => Failure::no_report(error).help(NOTHING_ASKED),
    }
}

/// Why there is no report where it should be.
fn failed(error: JobError, destination: &Destination) -> Failure {
    match error {
        JobError::Report(ReportError::Contradiction(_)) => failure(error),
        JobError::Report(_) | JobError::Publish(_) => {
            let place = place(destination).display();
            Failure::no_report(error).help(format!("there is no new report in {place}; {KEPT}: {AGAIN}"))
        }
        other => failure(other),
    }
}

fn place(destination: &Destination) -> &Path {
    match destination {
        Destination::Exactly(path) | Destination::Under(path) => path,
    }
}

/// Starts the simulator on a free loopback port and threads of its own, points the provider's options at it, and
/// returns its key.
fn start_sandbox(provider: &mut ProviderOptions) -> Result<(ApiKey, Runtime), Failure> {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let runtime = runtime(Builder::new_multi_thread())?;
    let sandbox =
        runtime.block_on(Sandbox::start(anywhere, sandbox::Options::default())).map_err(Failure::no_report)?;
    provider.base_url = sandbox.base_url();
    // It serves until its runtime, and with it the job, ends.
    runtime.spawn(sandbox.wait());
    Ok((ApiKey::new(sandbox::KEY).map_err(Failure::usage)?, runtime))
}

fn runtime(mut builder: Builder) -> Result<Runtime, Failure> {
    builder.enable_all().build().map_err(|error| Failure::no_report(format!("can't start the runtime: {error}")))
}

fn display(quiet: bool) -> Display {
    match (quiet, io::stderr().is_terminal()) {
        (true, _) => Display::Silent,
        (false, true) => Display::Bar,
        (false, false) => Display::Lines,
    }
}

pub(super) fn failure(error: JobError) -> Failure {
    match error {
        JobError::Store(damage) if damage.is_damage() => Failure::no_report(damage),
        JobError::Unrecorded { .. } => Failure::no_report(error),
        JobError::Stop(Stop::NotTheApi) => {
            Failure::no_report(error).help("check --api-url: it ends with the path of the API")
        }
        JobError::Stop(_) => Failure::no_report(error).help(format!("check CHENYU_API_KEY or --api-key-file; {KEPT}")),
        JobError::Unreachable(_) => {
            Failure::no_report(error).help("check --api-url and the network, and run the same command again")
        }
        JobError::NoReport { .. } => Failure::usage(error),
        JobError::Input(_) | JobError::Store(_) | JobError::Report(_) | JobError::Publish(_) | JobError::Signals(_) => {
            Failure::no_report(error).help(KEPT)
        }
    }
}
