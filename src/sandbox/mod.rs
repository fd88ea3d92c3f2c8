//! The sandbox: a simulator of the provider's API over real sockets, for trying out, for tests and for benchmarks.
//!
//! Any well-formed ID has an order, derived from the ID and a seed; the same ID and seed give the same bytes. Its JSON is
//! written by hand and shares no type with the client, so that a decoding fault can't cancel itself out.

mod json;
mod limiter;
mod orders;
mod server;

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

pub use orders::{Kind, describe, universe};

/// The only key the sandbox accepts.
pub const KEY: &str = "cy_sandbox_key";

/// How the sandbox behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Which orders there are.
    pub seed: u64,
    /// Answer 429 past that many requests in any second.
    pub rate_limit: Option<u32>,
    /// Log each request.
    pub log_requests: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, rate_limit: None, log_requests: false }
    }
}

/// Why the sandbox can't serve.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The address can't be listened on.
    #[error("the sandbox can't listen on {address}: {source}; choose another --port")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// The server ended.
    #[error("the sandbox stopped serving: {0}")]
    Serve(#[source] io::Error),
}

/// A sandbox that listens; it answers while [`Sandbox::wait`] runs.
#[derive(Debug)]
pub struct Sandbox {
    listener: TcpListener,
    address: SocketAddr,
    options: Options,
}

impl Sandbox {
    /// Listens on the address; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address can't be had.
    pub async fn start(address: SocketAddr, options: Options) -> Result<Self, SandboxError> {
        let bind = |source| SandboxError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        Ok(Self { listener, address, options })
    }

    /// The base URL to ask.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}{}", self.address, server::BASE_PATH)
    }

    /// Serves until the task ends.
    ///
    /// # Errors
    /// When the socket fails.
    pub async fn wait(self) -> Result<(), SandboxError> {
        axum::serve(self.listener, server::router(self.options)).await.map_err(SandboxError::Serve)
    }
}

#[cfg(test)]
mod tests;
