//! Everything needed to ask the provider, shared by `reconcile` and `discover`.

use tokio::runtime::Runtime;

use super::progress::Display;
use super::signals::Signals;
use crate::language::Texts;
use crate::provider::Provider;
use crate::store::{Lock, Store};

/// The provider and everything needed to ask it, opened and checked.
pub struct Session {
    /// The runtime that the client runs on.
    pub runtime: Runtime,
    /// The runtime that the simulator runs on, with `--sandbox`.
    pub sandbox: Option<Runtime>,
    /// The client of the provider.
    pub provider: Provider,
    /// How many requests may be in flight.
    pub concurrency: usize,
    /// Requests per second; 0 is unlimited.
    pub rate: u32,
    /// The locks on the state and the key, held for the whole job.
    pub locks: Vec<Lock>,
    /// The state, which keeps outcomes and when the last requests went out.
    pub store: Store,
    /// The provider's name in the state: its base URL, or the name of the sandbox.
    pub base_url: String,
    /// The signals that stop the job.
    pub signals: Signals,
    /// How progress is shown.
    pub display: Display,
    /// The texts of progress.
    pub texts: Texts,
}
