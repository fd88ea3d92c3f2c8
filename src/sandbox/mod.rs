//! A simulator of the provider's API: every well-formed run order ID gets a reply derived from the ID and a seed.
//!
//! It shares no type with the provider client and no arithmetic with the domain, so that a bug on one side can't cancel
//! itself out on the other. Nothing is random at serving time: the same ID and seed give the same bytes. Every order
//! has the marker text `PRIVATE PROMPT` in place of users' private data.

mod account;
mod anomalies;
mod catalogue;
mod connections;
mod die;
mod facts;
mod faults;
mod front;
mod header;
mod journal;
mod json;
mod kind;
mod limiter;
mod line;
mod orders;
mod reply;
mod server;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinHandle};

use front::Front;
use journal::{Log, Recorder};
use line::Stopping;

pub use faults::{FaultPlan, FaultPlanError, RuleError};
pub use header::{HeaderText, HeaderTextError};
pub use journal::{AnswerKind, Arrival, Journal};
pub use kind::{Anomaly, Kind, Malformation, describe};

/// The base URL of the sandbox in the state and in reports, whatever its port: it keeps its orders apart from real ones.
pub const BASE_URL: &str = "sandbox";
/// The only API key that the sandbox accepts.
pub const KEY: &str = "cy_sandbox_key";

/// The sandbox's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Seed from which the orders are derived, together with their IDs.
    pub seed: u64,
    /// Requests admitted in any one second; `None` is unlimited.
    pub rate_limit: Option<u32>,
    /// `Retry-After` header of the limit's 429 replies; `None` omits it.
    pub retry_after: Option<HeaderText>,
    /// `Date` header of the limit's 429 replies; `None` sends the real time.
    pub date: Option<HeaderText>,
    /// Planned faults for requests that pass the key check and the rate limit.
    pub faults: FaultPlan,
    /// Whether each request is logged: method, path and status or fault, never the key.
    pub log_requests: bool,
    /// Whether requests are kept in memory for [`Sandbox::journal`].
    pub journal: bool,
    /// A new file to write one CSV line per request to; it must not exist yet.
    pub request_log: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            rate_limit: None,
            retry_after: Some(1.into()),
            date: None,
            faults: FaultPlan::default(),
            log_requests: false,
            journal: false,
            request_log: None,
        }
    }
}

/// Why the sandbox can't start, or why it stopped serving.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Another process listens on the address.
    #[error("the sandbox can't listen on {0}: the address is in use; choose another port, or port 0 for a free one")]
    AddressInUse(SocketAddr),
    /// Listening failed for any other reason.
    #[error("the sandbox can't listen on {addr}: {source}; choose a loopback address such as 127.0.0.1:0")]
    Bind {
        /// The address given.
        addr: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The request log can't be created.
    #[error("can't create the request log {}: {source}; name a file that does not exist yet", path.display())]
    RequestLog {
        /// The path given.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Serving failed, for example because the request log can't be written.
    #[error("the sandbox stopped serving: {0}; start it again")]
    Serve(#[from] io::Error),
    /// The serving task panicked: a bug in the sandbox.
    #[error("the sandbox failed: {0}; this is a bug, please report it")]
    Task(#[from] JoinError),
}

/// A running sandbox. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Sandbox {
    addr: SocketAddr,
    journal: Journal,
    stop: watch::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

impl Sandbox {
    /// Starts serving on `addr`; port 0 picks a free port.
    ///
    /// # Errors
    /// [`SandboxError::AddressInUse`] or [`SandboxError::Bind`] if listening fails; [`SandboxError::RequestLog`] if the
    /// request log can't be created.
    pub async fn start(addr: SocketAddr, options: Options) -> Result<Self, SandboxError> {
        let refused = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => SandboxError::AddressInUse(addr),
            _ => SandboxError::Bind { addr, source },
        };
        let listener = TcpListener::bind(addr).await.map_err(refused)?;
        let addr = listener.local_addr()?;
        let journal = Journal::default();
        let (broken, breaks) = mpsc::unbounded_channel();
        let log = options.request_log.as_deref().map(|path| Log::create(path, broken)).transpose()?;
        let recorder = Recorder::new(options.journal.then(|| journal.clone()), log);
        let (stop, stopping) = Stopping::new();
        let front = Front::new(options.clone(), server::router(options.seed), recorder, stopping.clone());
        let task = tokio::spawn(connections::serve(listener, front, stopping, breaks));
        Ok(Self { addr, journal, stop, task })
    }

    /// The requests so far; empty unless [`Options::journal`] is on. The journal may outlive the sandbox.
    #[must_use]
    pub fn journal(&self) -> Journal {
        self.journal.clone()
    }

    /// The base URL for clients: loopback if the sandbox listens on all addresses.
    #[must_use]
    pub fn base_url(&self) -> String {
        let reachable = match self.addr.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        format!("http://{}{}", SocketAddr::new(reachable, self.addr.port()), server::BASE_PATH)
    }

    /// The address that the sandbox listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops listening and waits until the requests in progress are answered.
    pub async fn stop(self) {
        let Self { stop, task, .. } = self;
        drop(stop);
        // It has ended, whatever the result.
        let _ = task.await;
    }

    /// Waits until serving ends by itself; dropping the future stops the sandbox.
    ///
    /// # Errors
    /// [`SandboxError::Serve`] or [`SandboxError::Task`] if serving failed.
    pub async fn wait(self) -> Result<(), SandboxError> {
        let Self { stop, task, .. } = self;
        let ended = task.await?;
        drop(stop);
        Ok(ended?)
    }
}

#[cfg(test)]
mod tests;
