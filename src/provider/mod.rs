//! The client for the provider's API: fetches one run order, or one page of the order list, within the rate limit.
//! Every request ends with a result; none is lost.
//!
//! The decisions are pure and live in files of their own: `traffic` (when a request may go out), `retry` (whether to
//! try again), `first_replies`, `status`, `limit` and `wire` (what a reply means). `request_loop` runs them on a real
//! clock, for orders and pages alike.

mod answer;
mod clock;
mod departure;
mod first_replies;
mod http;
mod key;
mod limit;
mod record;
mod request_loop;
mod retry;
mod status;
mod stop;
mod traffic;
mod wire;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

use crate::domain::id::RunOrderId;
use crate::domain::outcome::{Evidence, Reason};
use first_replies::FirstReplies;
use http::Http;
use record::Tally;
use traffic::{EndReason, Limits, Traffic};
use wire::PageResult;

pub use answer::Unavailable;
pub use clock::ClockReading;
pub use key::{ApiKey, KeyError, normal_url};
pub use limit::RetryCodes;
pub use record::Record;
pub use stop::Stop;
pub use traffic::WaitReason;
pub use wire::{Flaws, ListPage};

/// Orders per page of the list: the provider's maximum.
pub const PAGE_SIZE: u64 = 100;

/// Configured times are capped at a year, so that adding one to a clock can't overflow.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
/// `traffic` counts time from this long before the client's start, to leave room for requests of an earlier run.
const CLOCK_OFFSET: Duration = Duration::from_secs(10);

/// The client's settings.
#[derive(Clone, Debug)]
pub struct Options {
    /// The API's base URL, such as `https://www.chenyu.cn/api/open/v2`; plain http only to this machine.
    pub base_url: String,
    /// Requests per second, retries and list pages included; 0 is unlimited.
    pub rate: u32,
    /// Count a request against the rate until a second after its reply, which assumes nothing about its travel time.
    /// Otherwise it counts until a second after it has certainly gone out.
    pub strict_rate: bool,
    /// Maximum requests in flight, at least 1.
    pub concurrency: usize,
    /// The longest one attempt may take, from connecting to the last byte.
    pub timeout: Duration,
    /// Attempts after the first one; 429s don't count.
    pub retries: u32,
    /// Business codes that mean the same as 429.
    pub retry_codes: RetryCodes,
    /// The longest single wait that the provider may impose; a longer one ends all requests.
    pub max_wait: Duration,
    /// The longest time that requests may be sent in total; `None` is unlimited.
    pub deadline: Option<Duration>,
    /// The proxy's URL, which may hold a password. `None` uses no proxy, whatever the environment says.
    pub proxy: Option<SecretString>,
    /// A PEM file of certificates to trust in addition to the platform's.
    pub ca_file: Option<PathBuf>,
}

/// Why the client can't be set up. Neither the URL nor the key is shown: either may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The base URL can't be parsed.
    #[error("the API base URL can't be read ({0}): give one such as https://www.chenyu.cn/api/open/v2")]
    UnreadableUrl(String),
    /// The base URL would send the key in the clear.
    #[error("the API base URL must begin with https: over plain http, the key is sent only to loopback addresses")]
    UnsafeUrl,
    /// The base URL holds a user or a password.
    #[error("the API base URL holds a user or a password: remove it; the provider needs only the API key")]
    UrlWithUser,
    /// The base URL has a `?` or a `#`.
    #[error("the API base URL has a query or a fragment: end it with the path, such as …/api/open/v2")]
    UrlWithQuery,
    /// The key can't be sent in a header.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// `concurrency` is 0.
    #[error("the number of requests in flight is 0: allow at least 1")]
    NoConcurrency,
    /// `timeout` is 0.
    #[error("the timeout of an attempt is 0: allow some time, such as 30 s")]
    NoTime,
    /// The proxy's URL can't be parsed.
    #[error("the proxy's URL can't be read: give one such as http://proxy.example.com:3128")]
    UnreadableProxy,
    /// A proxy together with plain http: it would see the key.
    #[error(
        "a proxy would read the key, which is sent over plain http: don't use a proxy for a provider on this machine"
    )]
    ProxySeesKey,
    /// `ca_file` can't be used.
    #[error("can't use the certificates of {}: {problem}", path.display())]
    CaFile {
        /// The file of certificates.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The HTTP client could not be set up.
    #[error(
        "the HTTP client could not be set up ({0}): install this system's root certificates (the package is usually \
         called ca-certificates), or name a file of them with --ca-file"
    )]
    Client(String),
}

/// The result of fetching one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The order's facts, or why there are none.
    pub evidence: Evidence,
    /// The raw body of the decisive reply. `None` if there was none, it was not UTF-8, or it repeats the key.
    pub reply: Option<Vec<u8>>,
}

/// Filters for the order list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Only orders of this workflow.
    pub workflow_id: Option<String>,
    /// Only orders with this `run_status`.
    pub status: Option<String>,
}

/// Why a page of the list could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// This page is unavailable; others may be fetched.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The whole run is stopped.
    #[error(transparent)]
    Stop(#[from] Stop),
}

/// A snapshot of the client's activity, for the progress display.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Activity {
    /// Requests sent, retries included.
    pub requests: u64,
    /// Failed attempts that were or will be retried, without those answered 429.
    pub retries: u64,
    /// Rate-limit replies: status or code 429, or the equivalent.
    pub throttled: u64,
    /// Replies of any HTTP status. Zero means that the provider was never reached.
    pub replies: u64,
    /// Whether any reply was the provider's envelope: JSON with a `code`.
    pub has_envelope: bool,
    /// Requests per second allowed right now; `None` is unlimited.
    pub allowed: Option<f64>,
    /// Requests sent in the last second.
    pub used: u32,
    /// What holds up all requests, and the earliest moment at which it may end.
    pub held_up: Option<(WaitReason, std::time::Instant)>,
}

/// The client for the provider under one key. Shared by reference; all requests wait in the same two lanes.
pub struct Provider {
    http: Http,
    key: ApiKey,
    retries: u32,
    retry_codes: RetryCodes,
    traffic: Mutex<Traffic>,
    tally: Mutex<Tally>,
    first: Mutex<FirstReplies>,
    /// Both clocks at the first envelope that came with a usable `Date`.
    clock: OnceLock<ClockReading>,
    /// The task that holds a lane's lock is first in line; the others queue for the lock.
    lanes: [tokio::sync::Mutex<()>; 2],
    /// Signals that a request has come back, so that the first in line can try again.
    back: Notify,
    /// Signals that all requests have ended.
    ended: Notify,
    start: Instant,
    deadline: Option<Instant>,
}

impl Provider {
    /// Makes a client for the provider at `options.base_url`. Sends nothing yet.
    ///
    /// # Errors
    /// [`ProviderError`] names the option that can't be used, and what to do about it.
    pub fn new(mut options: Options, key: ApiKey) -> Result<Self, ProviderError> {
        if options.concurrency == 0 {
            return Err(ProviderError::NoConcurrency);
        }
        if options.timeout.is_zero() {
            return Err(ProviderError::NoTime);
        }
        options.concurrency = options.concurrency.min(Semaphore::MAX_PERMITS);
        options.timeout = options.timeout.min(LONGEST);
        let deadline = options.deadline.map(|deadline| deadline.min(LONGEST));
        let limits = Limits {
            rate: options.rate,
            strict: options.strict_rate,
            concurrency: options.concurrency,
            max_wait: options.max_wait.min(LONGEST),
            deadline: deadline.map(|deadline| deadline + CLOCK_OFFSET),
        };
        let start = Instant::now();
        Ok(Self {
            http: Http::new(&options, &key)?,
            key,
            retries: options.retries,
            retry_codes: options.retry_codes,
            traffic: Mutex::new(Traffic::new(limits, rand::random())),
            tally: Mutex::new(Tally::new()),
            first: Mutex::new(FirstReplies::default()),
            clock: OnceLock::new(),
            lanes: [tokio::sync::Mutex::new(()), tokio::sync::Mutex::new(())],
            back: Notify::new(),
            ended: Notify::new(),
            start,
            deadline: deadline.map(|deadline| start + deadline),
        })
    }

    /// Counts requests of an earlier run against the rate. `ago` is the age of each, oldest first.
    pub fn remember(&self, ago: &[Duration]) {
        let now = self.now();
        self.traffic().remember(ago.iter().map(|ago| now.saturating_sub(*ago)));
    }

    /// The ages of the requests that still count against the rate, oldest first.
    #[must_use]
    pub fn recent(&self) -> Vec<Duration> {
        let now = self.now();
        self.traffic().counted(now).into_iter().map(|sent| now.saturating_sub(sent)).collect()
    }

    /// Fetches one order, with retries. However the provider behaves, this returns in the end, at least with the
    /// reason why the order is unfetched. Dropping the future gives up the order and its place in line.
    ///
    /// # Errors
    /// [`Stop`] if the whole run is stopped; from then on every call returns it without sending a request.
    pub async fn fetch(&self, id: &RunOrderId) -> Result<Fetch, Stop> {
        let (evidence, reply) = self.request(id, || self.http.order(id)).await?;
        Ok(Fetch { evidence, reply })
    }

    /// Fetches one page of the order list, with retries; the first page is number 1. Dropping the future gives up the
    /// page and its place in line.
    ///
    /// # Errors
    /// [`ListError`] says why the page is unavailable, or why the whole run is stopped.
    pub async fn list(&self, query: &ListQuery, page: u64) -> Result<ListPage, ListError> {
        let (PageResult(page_result), _) =
            self.request(format_args!("page {page} of the list"), || self.http.list(query, page)).await?;
        Ok(page_result?)
    }

    /// The base URL in its normal form: lower-case scheme and host, no default port, no dot segments, no slash at the
    /// end.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.http.base_url()
    }

    /// Identifies this key at this provider, in hex. Every job with the same key and provider gets the same value.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint(&self.http.origin())
    }

    /// Tells the client that all remaining orders are being fetched already, so that it need not wait for new ones.
    pub fn no_order_follows(&self) {
        self.traffic().no_order_follows();
        self.back.notify_waiters();
    }

    /// Sends no more requests. Requests in flight are finished; everything else ends with [`Stop::Called`].
    pub fn stop(&self) {
        self.end(Stop::Called);
    }

    /// Why the remaining orders were not requested, if the client gave up on the provider.
    #[must_use]
    pub fn gave_up(&self) -> Option<Reason> {
        match self.traffic().end_reason() {
            Some(EndReason::Unfetched(reason)) => Some(reason.clone()),
            Some(EndReason::Stop(_)) | None => None,
        }
    }

    /// The same moment by this machine's clock and the provider's; `None` if no reply had a usable `Date`.
    #[must_use]
    pub fn clock(&self) -> Option<ClockReading> {
        self.clock.get().copied()
    }

    /// The client's current activity.
    #[must_use]
    pub fn activity(&self) -> Activity {
        let flow = self.traffic().flow(self.now());
        let tally = self.tally();
        Activity {
            requests: tally.requests,
            retries: tally.retries(),
            throttled: tally.throttled,
            replies: tally.replies,
            has_envelope: self.first().has_envelope(),
            allowed: flow.allowed,
            used: flow.used,
            held_up: flow.held_up.map(|(why, until)| (why, self.at(until).into_std())),
        }
    }

    /// Totals of all requests so far.
    #[must_use]
    pub fn record(&self) -> Record {
        self.tally().record()
    }

    /// Ends all requests. Returns the first reason given, which is `stop` unless an earlier one exists.
    fn end(&self, stop: Stop) -> Stop {
        self.end_with(EndReason::Stop(stop.clone()));
        match self.end_reason() {
            EndReason::Stop(first) => first,
            EndReason::Unfetched(_) => stop,
        }
    }

    fn end_with(&self, reason: EndReason) {
        self.traffic().end(reason);
        self.ended.notify_waiters();
        self.back.notify_waiters();
    }

    fn end_reason(&self) -> EndReason {
        self.traffic().check_end(self.now()).cloned().unwrap_or(EndReason::Stop(Stop::Called))
    }

    fn traffic(&self) -> MutexGuard<'_, Traffic> {
        held(&self.traffic)
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        held(&self.tally)
    }

    fn first(&self) -> MutexGuard<'_, FirstReplies> {
        held(&self.first)
    }

    fn now(&self) -> Duration {
        self.start.elapsed() + CLOCK_OFFSET
    }

    fn at(&self, time: Duration) -> Instant {
        self.start + time.saturating_sub(CLOCK_OFFSET).min(LONGEST)
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("activity", &self.activity()).finish_non_exhaustive()
    }
}

/// Locks a mutex even if a thread panicked while holding it: no update can stop half-way, so the value is intact.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
