//! Access to the provider: what `reconcile` and `discover` open before their first request.

use std::env;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};

use super::exit::{self, Failure};
use crate::language::Texts;
use crate::pipeline::{Display, Session, Signals};
use crate::provider::{ApiKey, Options, Provider, ProviderError};
use crate::sandbox::{self, Sandbox};
use crate::store::{Lock, LockError, Store};

/// Help for failures before the first request.
pub(super) const NO_REQUEST_SENT: &str = "no request was sent, and what earlier runs fetched is kept in the state: fix \
                                        this and run the same command again";

/// Opens a session with the provider, or without a key with the simulator: the locks, the state and the signals. It
/// sends no request yet.
pub(super) fn open(
    mut options: Options,
    key: Option<ApiKey>,
    state: &Path,
    started_at: Timestamp,
    display: Display,
    texts: Texts,
) -> Result<Session, Failure> {
    // One thread for all connections: handing requests from thread to thread costs more than it gains.
    let runtime = runtime(Builder::new_current_thread())?;
    let (key, sandbox) = match key {
        Some(key) => (key, None),
        None => {
            let (key, sandbox) = start_sandbox(&mut options)?;
            (key, Some(sandbox))
        }
    };
    let (rate, concurrency) = (options.rate, options.concurrency);
    let provider = Provider::new(options, key).map_err(unusable)?;
    let base_url = if sandbox.is_some() { sandbox::BASE_URL.to_owned() } else { provider.base_url() };
    let mut locks = vec![Lock::on_state(state, started_at).map_err(locked)?];
    if sandbox.is_none() {
        match Lock::on_key(&provider.fingerprint(), started_at) {
            Ok(lock) => locks.push(lock),
            Err(held @ LockError::Held { .. }) => return Err(locked(held)),
            Err(unusable) => tracing::warn!("{unusable}: jobs that share the key may exceed its rate together"),
        }
    }
    let store = Store::open(state).map_err(|error| Failure::no_report(error).help("no request was sent"))?;
    let signals = Signals::listen()
        .map_err(|error| Failure::no_report(format!("can't listen for signals: {error}")).help(NO_REQUEST_SENT))?;
    Ok(Session { runtime, sandbox, provider, concurrency, rate, locks, store, base_url, signals, display, texts })
}

/// Warns that the state is new although the reports folder has earlier reports.
pub(super) fn warn_of_new_state(state: &Path, reports: &Path) {
    let (state, reports) = (state.display(), reports.display());
    let what =
        format!("the state file {state} is new, but {reports} has a report: earlier runs are unknown to this one");
    let help = "if there should be a state, stop this job, restore the file and run the same command again";
    exit::warn(what, Some(help));
}

/// A provider that can't be used with these settings, and the option to check.
fn unusable(error: ProviderError) -> Failure {
    let option = match error {
        ProviderError::CaFile { .. } => "--ca-file",
        ProviderError::UnreadableProxy | ProviderError::ProxySeesKey => "--proxy",
        _ => "--api-url",
    };
    Failure::usage(error).help(format!("check {option}"))
}

/// The environment variable that names a proxy, if one is set. It is ignored, since a proxy may see which orders are
/// requested.
pub(super) fn unused_proxy() -> Option<&'static str> {
    const NAMES: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    NAMES.into_iter().find(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// The failure where another job holds a lock, or where the lock can't be taken.
pub(super) fn locked(error: LockError) -> Failure {
    match error {
        LockError::Held { .. } => Failure::no_report(error),
        LockError::Unusable { .. } => Failure::no_report(error).help(NO_REQUEST_SENT),
    }
}

/// Starts the simulator on a free loopback port, with threads of its own, and points the provider's options at it.
/// Returns its key and its runtime.
fn start_sandbox(options: &mut Options) -> Result<(ApiKey, Runtime), Failure> {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let runtime = runtime(Builder::new_multi_thread())?;
    let sandbox =
        runtime.block_on(Sandbox::start(anywhere, sandbox::Options::default())).map_err(Failure::no_report)?;
    options.base_url = sandbox.base_url();
    // It serves until its runtime is dropped at the end of the job.
    runtime.spawn(sandbox.wait());
    Ok((ApiKey::new(sandbox::KEY).map_err(Failure::usage)?, runtime))
}

fn runtime(mut builder: Builder) -> Result<Runtime, Failure> {
    builder.enable_all().build().map_err(|error| Failure::no_report(format!("can't start the runtime: {error}")))
}
