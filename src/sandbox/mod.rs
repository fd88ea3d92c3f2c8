//! A simulator of the provider's API: every well-formed run order ID has an order, derived from the ID and a seed.
//!
//! It shares no type with the provider client and does no arithmetic of the domain, so that a fault on one side
//! can't cancel itself out on the other. Nothing is random at serving time: the same ID and seed give the same
//! bytes. Every order carries the marker text `PRIVATE PROMPT` where users' private data stand.

mod account;
mod anomalies;
mod catalogue;
mod die;
mod facts;
mod json;
mod kind;
mod limiter;
mod orders;
mod reply;
mod server;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};

pub use kind::{Anomaly, Kind, Malformation, describe};

/// The only API key that the sandbox accepts.
pub const KEY: &str = "cy_sandbox_key";

/// How the sandbox behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// What the orders are derived from, together with their IDs.
    pub seed: u64,
    /// Requests admitted in any one second; `None` for no limit.
    pub rate_limit: Option<u32>,
    /// Whether each request is logged: method, path and status, never the key.
    pub log_requests: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, rate_limit: None, log_requests: false }
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
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

impl Sandbox {
    /// Starts serving on an address; port 0 stands for a free one.
    ///
    /// # Errors
    /// [`SandboxError::AddressInUse`] or [`SandboxError::Bind`] when the address can't be listened on.
    pub async fn start(addr: SocketAddr, options: Options) -> Result<Self, SandboxError> {
        let refused = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => SandboxError::AddressInUse(addr),
            _ => SandboxError::Bind { addr, source },
        };
        let listener = TcpListener::bind(addr).await.map_err(refused)?;
        let addr = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let until_stopped = async move {
            // A dropped sender stops the sandbox as well.
            let _ = stopped.await;
        };
        let server = axum::serve(listener, server::router(options)).with_graceful_shutdown(until_stopped);
        Ok(Self { addr, stop, task: tokio::spawn(async { server.await }) })
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
