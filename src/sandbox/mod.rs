//! A simulator of the provider's API: every well-formed run order ID has an order, derived from the ID and a seed.
//!
//! It shares no type with the provider client and does no arithmetic of the domain, so that a fault on one side
//! can't cancel itself out on the other. Nothing is random at serving time: the same ID and seed give the same
//! bytes. Every order carries the marker text `PRIVATE PROMPT` where users' private data stand.

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
pub use journal::{Answered, Arrival, Journal};
pub use kind::{Anomaly, Kind, Malformation, describe};

/// The only API key that the sandbox accepts.
pub const KEY: &str = "cy_sandbox_key";

/// How the sandbox behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What the orders are derived from, together with their IDs.
    pub seed: u64,
    /// Requests admitted in any one second; `None` for no limit.
    pub rate_limit: Option<u32>,
    /// `Retry-After` of what the limit turns away; `None` leaves the header out.
    pub retry_after: Option<HeaderText>,
    /// `Date` of what the limit turns away; `None` for the right one.
    pub date: Option<HeaderText>,
    /// How requests with the key that the limit admits are mistreated.
    pub faults: FaultPlan,
    /// Whether each request is logged: method, path and status or fault, never the key.
    pub log_requests: bool,
    /// Whether requests are written down for [`Sandbox::journal`].
    pub journal: bool,
    /// A file, not there yet, that gets one CSV line per request.
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

/// Why the sandbox can't be served.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Something else listens there.
    #[error("the sandbox can't listen on {0}: the address is in use; choose another port, or port 0 for a free one")]
    AddressInUse(SocketAddr),
    /// The address can't be listened on for another reason.
    #[error("the sandbox can't listen on {addr}: {source}; choose a loopback address such as 127.0.0.1:0")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The request log can't be made.
    #[error("the request log {} can't be made: {source}; name a file that is not there yet", path.display())]
    RequestLog {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Serving broke off.
    #[error("the sandbox stopped serving: {0}; start it again")]
    Serve(#[from] io::Error),
    /// The serving task broke down: a fault of the sandbox.
    #[error("the sandbox broke down: {0}; please report this")]
    Task(#[from] JoinError),
}

/// A running sandbox. Dropping it stops it as well, without waiting.
#[derive(Debug)]
pub struct Sandbox {
    addr: SocketAddr,
    journal: Journal,
    stop: watch::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

impl Sandbox {
    /// Starts serving on an address; port 0 stands for a free one.
    ///
    /// # Errors
    /// [`SandboxError::AddressInUse`] or [`SandboxError::Bind`] when the address can't be listened on;
    /// [`SandboxError::RequestLog`] when the request log can't be made.
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

    /// The requests so far, where [`Options::journal`] is on; else none. The journal may be kept past the sandbox.
    #[must_use]
    pub fn journal(&self) -> Journal {
        self.journal.clone()
    }

    /// The base URL for a client.
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

    /// Stops listening and waits until the requests under way are answered.
    pub async fn stop(self) {
        let Self { stop, task, .. } = self;
        drop(stop);
        // However it ended, it has ended.
        let _ = task.await;
    }

    /// Serves until serving ends by itself; dropping the future stops the sandbox.
    ///
    /// # Errors
    /// [`SandboxError::Serve`] or [`SandboxError::Task`] when it ends badly.
    pub async fn wait(self) -> Result<(), SandboxError> {
        let Self { stop, task, .. } = self;
        let ended = task.await?;
        drop(stop);
        Ok(ended?)
    }
}

#[cfg(test)]
mod tests;
