//! The provider's API, as far as this program uses it: fetch one run order, within the allowance, and lose nothing.
//!
//! One order's walk: the gate is open → a permit → a slot from the pacer → GET → what the reply means → done, or
//! again after a wait. Nothing is held while waiting. The decisions are pure and live in files of their own:
//! `pacer` (when a request may go), `gate` (what a 429 does), `retry` (how long to wait), `status` and
//! `wire` (what a reply means). This file only runs them on a real clock.

mod answer;
mod gate;
mod http;
mod key;
mod pacer;
mod retry;
mod status;
mod wire;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, sleep_until};

use crate::domain::id::RunOrderId;
use crate::domain::outcome::{Evidence, Reason};
use answer::{Answer, presentable};
use gate::Gate;
use http::Http;
use pacer::Pacer;

pub use key::{ApiKey, KeyError};

/// No time that can be set is longer: a year, far from where adding to a clock overflows.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// How the provider is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where the API begins, such as `https://www.chenyu.cn/api/open/v2`; plain http only to this machine.
    pub base_url: String,
    /// Requests per second, of all kinds; 0 is unlimited.
    pub rate: u32,
    /// Requests in flight, at least 1.
    pub concurrency: usize,
    /// How long one attempt may take from connecting to the last byte.
    pub timeout: Duration,
    /// Attempts after the first.
    pub retries: u32,
    /// The longest single wait that the provider may impose; past it, nothing is asked any more.
    pub max_wait: Duration,
}

/// Why no provider can be asked. Neither the URL nor the key is shown: either may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The base URL can't be parsed.
    #[error("the API base URL can't be read ({0}): give one such as https://www.chenyu.cn/api/open/v2")]
    UnreadableUrl(String),
    /// The base URL would send the key in the clear.
    #[error("the API base URL must begin with https: the key is sent over plain http to loopback addresses alone")]
    UnsafeUrl,
    /// The base URL holds a user or a password.
    #[error("the API base URL holds a user or a password: remove it, the API key is all the provider asks for")]
    UrlWithUser,
    /// The base URL has a `?` or a `#`.
    #[error("the API base URL has a query or a fragment: end it with the path, such as …/api/open/v2")]
    UrlWithQuery,
    /// The key can't be sent.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No request could ever be in flight.
    #[error("the number of requests in flight is 0: allow at least 1")]
    NoConcurrency,
    /// No attempt could ever succeed.
    #[error("the time-out of an attempt is 0: allow some time, such as 30 s")]
    NoTime,
    /// The HTTP client could not be set up.
    #[error("the HTTP client could not be set up ({0}): check that this system has root certificates")]
    Client(String),
}

/// What ends the whole run at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The provider does not accept the key: no other order would fare better.
    #[error("the provider rejects the API key ({code}{}{message}): check that it is whole and has not expired",
        if message.is_empty() { "" } else { ": " })]
    KeyRejected {
        /// `http-401` or `code-401`.
        code: String,
        /// The provider's own words, on one line; may be empty.
        message: String,
    },
}

/// What the client has done so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Requests sent, retries included.
    pub requests: u64,
    /// Waits of the back-off that led, or will lead, to another attempt. Not those after a 429.
    pub retries: u64,
    /// Replies with status or code 429.
    pub throttled: u64,
    /// Replies of any HTTP status. Zero tells that the provider was never reached.
    pub http_replies: u64,
    /// When the provider may be asked again, where it has asked to wait.
    pub waiting_until: Option<std::time::Instant>,
}

/// The provider, asked under one key. Shared by reference; every order waits in the same queue.
pub struct Provider {
    http: Http,
    key: ApiKey,
    retries: u32,
    permits: Semaphore,
    /// Asked by one order at a time, which waits for its slot with it; the others queue up behind in turn.
    pacer: Option<tokio::sync::Mutex<Pacer>>,
    gate: Mutex<Gate>,
    rejected: OnceLock<Stop>,
    start: Instant,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    requests: AtomicU64,
    retries: AtomicU64,
    throttled: AtomicU64,
    http_replies: AtomicU64,
}

impl Provider {
    /// A client for the provider at `options.base_url`. Nothing is sent yet.
    ///
    /// # Errors
    /// [`ProviderError`] says which option can't be used, and what to do about it.
    pub fn new(mut options: Options, key: ApiKey) -> Result<Self, ProviderError> {
        if options.concurrency == 0 {
            return Err(ProviderError::NoConcurrency);
        }
        if options.timeout.is_zero() {
            return Err(ProviderError::NoTime);
        }
        options.concurrency = options.concurrency.min(Semaphore::MAX_PERMITS);
        options.timeout = options.timeout.min(LONGEST);
        Ok(Self {
            http: Http::new(&options, &key)?,
            key,
            retries: options.retries,
            permits: Semaphore::new(options.concurrency),
            pacer: (options.rate > 0).then(|| tokio::sync::Mutex::new(Pacer::new(options.rate))),
            gate: Mutex::new(Gate::new(options.max_wait.min(LONGEST))),
            rejected: OnceLock::new(),
            start: Instant::now(),
            counts: Counts::default(),
        })
    }

    /// Fetches one order: however the provider behaves, this ends with what is known about it. Dropping the
    /// future gives the order up and holds nothing back.
    ///
    /// # Errors
    /// [`Stop`] where no other order need be asked for either; from then on every call gives it without a request.
    pub async fn fetch(&self, id: &RunOrderId) -> Result<Evidence, Stop> {
        let url = self.http.url(id);
        let mut failures = 0;
        loop {
            if let Some(stop) = self.rejected.get() {
                return Err(stop.clone());
            }
            if let Some(reason) = self.gate().stopped() {
                return Ok(Evidence::Unfetched(reason.clone()));
            }
            match self.attempt(url.clone()).await {
                None | Some(Answer::Limited) => {}
                Some(Answer::Final(evidence)) => return Ok(evidence),
                Some(Answer::KeyRejected(Reason { code, detail: message })) => {
                    return Err(self.rejected.get_or_init(|| Stop::KeyRejected { code, message }).clone());
                }
                Some(Answer::Failed(reason)) if failures >= self.retries => return Ok(Evidence::Unfetched(reason)),
                Some(Answer::Failed(_)) => {
                    count(&self.counts.retries);
                    sleep(back_off(failures)).await;
                    failures += 1;
                }
            }
        }
    }

    /// What the client has done so far.
    #[must_use]
    pub fn activity(&self) -> Activity {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let gate = self.gate();
        let closed_until = if gate.stopped().is_some() { None } else { gate.closed_until(self.now()) };
        Activity {
            requests: read(&self.counts.requests),
            retries: read(&self.counts.retries),
            throttled: read(&self.counts.throttled),
            http_replies: read(&self.counts.http_replies),
            waiting_until: closed_until.map(|until| (self.start + until).into_std()),
        }
    }

    /// One request and what it gave; `None` where the gate, the rejected key or the end of all asking kept it back.
    async fn attempt(&self, url: reqwest::Url) -> Option<Answer> {
        let closed_until = self.gate().closed_until(self.now());
        if let Some(until) = closed_until {
            sleep_until(self.start + until).await;
        }
        // Nobody ever closes the semaphore.
        let _permit = self.permits.acquire().await.ok()?;
        let sent = self.slot().await?;
        count(&self.counts.requests);
        let answer = match self.http.get(url).await {
            Err(reason) => Answer::Failed(reason),
            Ok(reply) => {
                count(&self.counts.http_replies);
                let answer = Answer::of(reply.status, reply.body.as_deref().map_err(Clone::clone));
                self.heed(sent, &answer, reply.retry_after);
                answer
            }
        };
        Some(self.presentable(answer))
    }

    /// Waits for the turn to send; `None` where nothing may be sent by then.
    async fn slot(&self) -> Option<Duration> {
        let Some(pacer) = &self.pacer else {
            return self.may_send(self.now());
        };
        let mut pacer = pacer.lock().await;
        loop {
            let now = self.may_send(self.now())?;
            let turn = pacer.next_send(now);
            if turn <= now {
                return Some(now);
            }
            sleep_until(self.start + turn).await;
        }
    }

    fn may_send(&self, now: Duration) -> Option<Duration> {
        let gate = self.gate();
        let kept_back = self.rejected.get().is_some() || gate.stopped().is_some() || gate.closed_until(now).is_some();
        (!kept_back).then_some(now)
    }

    /// Tells the gate what came of the request that went out at `sent`.
    fn heed(&self, sent: Duration, answer: &Answer, retry_after: Option<Duration>) {
        match answer {
            Answer::Limited => {
                count(&self.counts.throttled);
                self.gate().limited(sent, self.now(), retry_after, back_off);
            }
            Answer::Final(Evidence::Unfetched(_)) | Answer::Failed(_) | Answer::KeyRejected(_) => {}
            Answer::Final(_) => self.gate().answered(sent),
        }
    }

    /// The answer with every text of the provider made fit to be shown.
    fn presentable(&self, mut answer: Answer) -> Answer {
        use Evidence::{Duplicate, Fetched, Malformed, NotFound, Refused, Rejected, Unfetched};
        match &mut answer {
            Answer::KeyRejected(reason)
            | Answer::Failed(reason)
            | Answer::Final(
                NotFound(reason) | Refused(reason) | Malformed(reason) | Unfetched(reason) | Rejected(reason),
            ) => reason.detail = presentable(&reason.detail, |text| self.key.redact(text)),
            Answer::Limited | Answer::Final(Fetched(_) | Duplicate { .. }) => {}
        }
        answer
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        // Whoever panicked with the gate in hand left it usable: every change of it is a plain assignment.
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("activity", &self.activity()).finish_non_exhaustive()
    }
}

fn back_off(failures_before: u32) -> Duration {
    rand::random_range(Duration::ZERO..=retry::ceiling(failures_before))
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests;
