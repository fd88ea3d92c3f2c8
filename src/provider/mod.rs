//! The provider's client: fetches one run order at a time, many at once, within the allowance, and keeps at it while
//! that makes sense.
//!
//! Pacing, back-off, the gate of a 429 and decoding are pure, each in a file of its own; this file is the asynchronous
//! shell around them. Adaptation to 429, a retry budget and a circuit breaker have their room here and are not built yet.

mod attempt;
mod gate;
mod key;
mod pacer;
mod retry;
mod wire;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, Semaphore};
use tokio::time::{Instant, sleep, sleep_until};

use crate::domain::id::RunOrderId;
use crate::domain::outcome::{Evidence, Reason};
use attempt::{Answer, Client};
use gate::Gate;
use pacer::Pacer;

pub use key::{ApiKey, KeyError};

/// How to ask the provider.
#[derive(Clone, Debug)]
pub struct Options {
    /// The base URL: https, or plain http to this very machine.
    pub base_url: String,
    /// Requests per second; 0 is unlimited.
    pub rate: u32,
    /// Requests in flight.
    pub concurrency: usize,
    /// The time of one whole attempt.
    pub timeout: Duration,
    /// Retries after the first attempt.
    pub retries: u32,
    /// The longest single wait that the provider may impose.
    pub max_wait: Duration,
}

/// Why a provider can't be asked at all.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The base URL is none.
    #[error("--api-url is not a URL ({0}): give one such as https://www.chenyu.cn/api/open/v2")]
    UnreadableUrl(String),
    /// The base URL holds a user or a password.
    #[error("--api-url holds a user name or a password: leave them out, the API key is all that is needed")]
    UrlWithUser,
    /// The base URL holds a query or a fragment.
    #[error("--api-url has a query or a fragment: give the base URL alone")]
    UrlWithQuery,
    /// The key would be sent in the clear.
    #[error("--api-url would send the API key unprotected: use https (plain http only to this very machine)")]
    UnsafeUrl,
    /// The key can't be sent.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The HTTP client can't be made.
    #[error("can't set up the HTTP client: {0}; are the system's root certificates installed?")]
    Client(#[source] reqwest::Error),
}

/// Why the whole run ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The provider does not accept the key.
    KeyRejected {
        /// What the provider says, without the key.
        detail: String,
    },
}

/// What the client has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Requests sent, retries among them.
    pub requests: u64,
    /// Replies had, of whatever kind.
    pub http_replies: u64,
    /// Replies that say 429.
    pub throttled: u64,
}

/// The provider, ready to be asked by many at once.
#[derive(Debug)]
pub struct Provider {
    client: Client,
    retries: u32,
    permits: Semaphore,
    pacer: Option<AsyncMutex<Pacer>>,
    gate: Mutex<Gate>,
    started: Instant,
    requests: AtomicU64,
    http_replies: AtomicU64,
    throttled: AtomicU64,
}

impl Provider {
    /// A client of the provider.
    ///
    /// # Errors
    /// [`ProviderError`] says which option can't be used.
    pub fn new(options: Options, key: ApiKey) -> Result<Self, ProviderError> {
        Ok(Self {
            retries: options.retries,
            permits: Semaphore::new(options.concurrency.max(1)),
            pacer: (options.rate > 0).then(|| AsyncMutex::new(Pacer::new(options.rate))),
            gate: Mutex::new(Gate::new(options.max_wait)),
            client: Client::new(&options, key)?,
            started: Instant::now(),
            requests: AtomicU64::new(0),
            http_replies: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
        })
    }

    /// Fetches one order, with as many attempts as are allowed and make sense.
    ///
    /// # Errors
    /// [`Stop`] when no further order can be fetched either.
    pub async fn fetch(&self, id: &RunOrderId) -> Result<Evidence, Stop> {
        let mut failures = 0;
        loop {
            let (sent, answer) = match self.ask(id).await {
                Ok(asked) => asked,
                Err(stopped) => return Ok(Evidence::Unfetched(stopped)),
            };
            match answer {
                Answer::Evidence(evidence) => {
                    self.gate().answered(sent);
                    return Ok(evidence);
                }
                Answer::KeyRejected(detail) => return Err(Stop::KeyRejected { detail }),
                Answer::Throttled(wait) => {
                    self.throttled.fetch_add(1, Ordering::Relaxed);
                    self.gate().limited(sent, self.now(), wait, back_off);
                }
                Answer::Failed(reason) if failures >= self.retries => return Ok(Evidence::Unfetched(reason)),
                Answer::Failed(reason) => {
                    tracing::debug!(%id, reason = reason.code, "retrying");
                    sleep(back_off(failures)).await;
                    failures += 1;
                }
            }
        }
    }

    /// What the client has done so far.
    #[must_use]
    pub fn activity(&self) -> Activity {
        Activity {
            requests: self.requests.load(Ordering::Relaxed),
            http_replies: self.http_replies.load(Ordering::Relaxed),
            throttled: self.throttled.load(Ordering::Relaxed),
        }
    }

    /// One attempt: through the gate, with a permit and a slot, and when it was sent. The permit is held while a
    /// request is under way and at no other time.
    async fn ask(&self, id: &RunOrderId) -> Result<(Duration, Answer), Reason> {
        loop {
            self.pass_gate().await?;
            // The semaphore is never closed, so a permit is always had; without one there would be no limit.
            let permit = self.permits.acquire().await;
            self.pass_pacer().await;
            if self.gate().closed_until(self.now()).is_some() || self.gate().stopped().is_some() {
                drop(permit);
                continue;
            }
            let sent = self.now();
            self.requests.fetch_add(1, Ordering::Relaxed);
            let (answer, replied) = self.client.ask(id).await;
            self.http_replies.fetch_add(u64::from(replied), Ordering::Relaxed);
            return Ok((sent, answer));
        }
    }

    async fn pass_gate(&self) -> Result<(), Reason> {
        loop {
            let opens = {
                let gate = self.gate();
                if let Some(reason) = gate.stopped() {
                    return Err(reason.clone());
                }
                gate.closed_until(self.now())
            };
            match opens {
                None => return Ok(()),
                Some(opens) => sleep_until(self.started + opens).await,
            }
        }
    }

    /// Waits for a slot, first come, first served: whoever holds the lock is next.
    async fn pass_pacer(&self) {
        let Some(pacer) = &self.pacer else { return };
        let mut pacer = pacer.lock().await;
        loop {
            let now = self.now();
            let slot = pacer.next_send(now);
            if slot <= now {
                return;
            }
            sleep_until(self.started + slot).await;
        }
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Full jitter: anything from nothing to the ceiling.
fn back_off(failures_before: u32) -> Duration {
    rand::random_range(Duration::ZERO..=retry::ceiling(failures_before))
}

#[cfg(test)]
mod tests;
