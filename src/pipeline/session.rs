//! What asking the provider takes: reconciliations and discoveries share it.

use tokio::runtime::Runtime;

use super::progress::Display;
use super::signals::Signals;
use crate::provider::Provider;
use crate::store::{Lock, Store};

/// The provider, and all that asking it takes: opened and checked.
pub struct Session {
    /// Where the asking runs.
    pub runtime: Runtime,
    /// Where the simulator runs, if it is the one that is asked.
    pub sandbox: Option<Runtime>,
    /// Who is asked.
    pub provider: Provider,
    /// How many requests may be in flight.
    pub concurrency: usize,
    /// Requests per second; 0 is unlimited.
    pub rate: u32,
    /// What no other job may use meanwhile.
    pub locks: Vec<Lock>,
    /// Where outcomes are kept, and when requests went out.
    pub store: Store,
    /// What the state calls the provider: its base URL, or the sandbox's name.
    pub base_url: String,
    /// What asks it to stop.
    pub signals: Signals,
    /// How progress is shown.
    pub display: Display,
}
