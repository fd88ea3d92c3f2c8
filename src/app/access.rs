//! The way to the provider: what every command that asks it opens first, in the order in which a mistake is cheapest to
//! find.

use std::env;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};

use super::exit::{self, Failure};
use crate::pipeline::{Display, Session, Signals};
use crate::provider::{ApiKey, Options, Provider, ProviderError};
use crate::sandbox::{self, Sandbox};
use crate::store::{Lock, LockError, Store};

/// What is safe where the job did not get as far as the provider.
pub(super) const NOTHING_ASKED: &str = "nothing was asked yet, and what earlier runs fetched is kept in the state: put \
                                        that right and run the same command again";

/// What the state calls the simulator, whatever port it has: its orders never meet real ones.
const SANDBOX_URL: &str = "sandbox";

/// Opens the way to the provider with that key, or to the simulator where there is none. Nothing is asked yet.
pub(super) fn open(
    mut options: Options,
    key: Option<ApiKey>,
    state: &Path,
    started_at: Timestamp,
    display: Display,
) -> Result<Session, Failure> {
    // One thread for all connections: a request handed from thread to thread costs more than it wins.
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
    let base_url = if sandbox.is_some() { SANDBOX_URL.to_owned() } else { provider.base_url() };
    let mut locks = vec![Lock::on_state(state, started_at).map_err(locked)?];
    if sandbox.is_none() {
        match Lock::on_key(&provider.fingerprint(), started_at) {
            Ok(lock) => locks.push(lock),
            Err(held @ LockError::Held { .. }) => return Err(locked(held)),
            Err(unusable) => tracing::warn!("{unusable}: two jobs with one key would send twice its rate"),
        }
    }
    let store = Store::open(state).map_err(|error| Failure::no_report(error).help("nothing was asked yet"))?;
    let signals = Signals::listen()
        .map_err(|error| Failure::no_report(format!("can't listen for signals: {error}")).help(NOTHING_ASKED))?;
    Ok(Session { runtime, sandbox, provider, concurrency, rate, locks, store, base_url, signals, display })
}

/// Says that a state is new where one would expect an old one.
pub(super) fn warn_of_new_state(state: &Path, reports: &Path) {
    let (state, reports) = (state.display(), reports.display());
    exit::tell(&format!(
        "warning: the state {state} is new, but there is a report in {reports}: nothing is known of earlier runs\n  \
         help: if the state should be there, stop this job, bring it back and run the same command again"
    ));
}

/// The provider can't be asked as the settings say.
fn unusable(error: ProviderError) -> Failure {
    let option = match error {
        ProviderError::CaFile { .. } => "--ca-file",
        ProviderError::UnreadableProxy | ProviderError::ProxySeesKey => "--proxy",
        _ => "--api-url",
    };
    Failure::usage(error).help(format!("see {option}"))
}

/// The variable of the environment that names a proxy, where there is one: it is not used, since a proxy may see what is
/// asked for.
pub(super) fn unused_proxy() -> Option<&'static str> {
    const NAMES: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    NAMES.into_iter().find(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Another job is at work, or there is no saying whether one is.
pub(super) fn locked(error: LockError) -> Failure {
    match error {
        LockError::Held { .. } => Failure::no_report(error),
        LockError::Unusable { .. } => Failure::no_report(error).help(NOTHING_ASKED),
    }
}

/// Starts the simulator on a free loopback port and threads of its own, points the provider's options at it, and
/// returns its key.
fn start_sandbox(options: &mut Options) -> Result<(ApiKey, Runtime), Failure> {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let runtime = runtime(Builder::new_multi_thread())?;
    let sandbox =
        runtime.block_on(Sandbox::start(anywhere, sandbox::Options::default())).map_err(Failure::no_report)?;
    options.base_url = sandbox.base_url();
    // It serves until its runtime, and with it the job, ends.
    runtime.spawn(sandbox.wait());
    Ok((ApiKey::new(sandbox::KEY).map_err(Failure::usage)?, runtime))
}

fn runtime(mut builder: Builder) -> Result<Runtime, Failure> {
    builder.enable_all().build().map_err(|error| Failure::no_report(format!("can't start the runtime: {error}")))
}
