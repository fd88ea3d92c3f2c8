//! The provider's API, as far as this program uses it: fetch one run order, or a page of the list of them, within the
//! allowance, and lose nothing.
//!
//! The decisions are pure and live in files of their own: `traffic` (when a request may go), `retry` (whether to ask
//! again), `first_replies`, `status`, `limit` and `wire` (what a reply means). `asking` runs them on a real clock, whatever is
//! asked for.

mod answer;
mod asking;
mod clock;
mod departure;
mod first_replies;
mod http;
mod key;
mod limit;
mod record;
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
use traffic::{Ended, Limits, Traffic};
use wire::Listed;

pub use answer::Unavailable;
pub use clock::ClockReading;
pub use key::{ApiKey, KeyError};
pub use limit::RetryCodes;
pub use record::Record;
pub use stop::Stop;
pub use traffic::WaitReason;
pub use wire::{Flaws, ListPage};

/// How many orders of the list are asked for at once: the most that the provider gives.
pub const PAGE_SIZE: u64 = 100;

/// No time that can be set is longer: a year, far from where adding to a clock overflows.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
/// The provider's clock begins so long before this one's start, for requests of an earlier run.
const BEFORE: Duration = Duration::from_secs(10);

/// How the provider is to be asked.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the API begins, such as `https://www.chenyu.cn/api/open/v2`; plain http only to this machine.
    pub base_url: String,
    /// Requests per second, of all kinds; 0 is unlimited.
    pub rate: u32,
    /// Whether a request counts against the rate until a second after its reply is in, which assumes nothing about how
    /// long it is on its way.
    pub strict_rate: bool,
    /// Requests in flight, at least 1.
    pub concurrency: usize,
    /// How long one attempt may take from connecting to the last byte.
    pub timeout: Duration,
    /// Attempts after the first.
    pub retries: u32,
    /// Business codes that mean the same as 429.
    pub retry_codes: RetryCodes,
    /// The longest single wait that the provider may impose; past it, nothing is asked any more.
    pub max_wait: Duration,
    /// How long the provider may be asked in all; `None` for as long as it takes.
    pub deadline: Option<Duration>,
    /// A proxy to go through; its URL may hold a password. Without one none is used, whatever the environment says.
    pub proxy: Option<SecretString>,
    /// A PEM file of certificates to trust beside the platform's.
    pub ca_file: Option<PathBuf>,
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
    /// The proxy's URL can't be parsed.
    #[error("the proxy's URL can't be read: give one such as http://proxy.example.com:3128")]
    UnreadableProxy,
    /// The proxy would read the key.
    #[error("a proxy would read the key that goes over plain http: use no proxy for a provider on this machine")]
    ProxySeesKey,
    /// The file of certificates can't be used.
    #[error("can't use the certificates of {}: {problem}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
    /// The HTTP client could not be set up.
    #[error(
        "the HTTP client could not be set up ({0}): install this system's root certificates (the package is mostly called \
         ca-certificates), or name a file of them with --ca-file"
    )]
    Client(String),
}

/// What was learnt of one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// What became of it.
    pub evidence: Evidence,
    /// The body of the reply that decided it. `None` where there was none, and where it repeats the key.
    pub reply: Option<Vec<u8>>,
}

/// Which orders the list is to have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Only those of this workflow.
    pub workflow_id: Option<String>,
    /// Only those whose run is in this state.
    pub status: Option<String>,
}

/// Why a page of the list was not had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// This page can't be had.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// Nothing else can be had either.
    #[error(transparent)]
    Stop(#[from] Stop),
}

/// What the client is doing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Activity {
    /// Requests sent, retries included.
    pub requests: u64,
    /// Attempts that failed and are, or will be, followed by another. Not those that were answered 429.
    pub retries: u64,
    /// Replies with status or code 429.
    pub throttled: u64,
    /// Replies of any HTTP status. Zero tells that the provider was never reached.
    pub replies: u64,
    /// Whether any of them was in the provider's words: JSON with a code.
    pub is_the_api: bool,
    /// How many requests per second may go out just now; `None` is unlimited.
    pub allowed: Option<f64>,
    /// How many went out in the last second.
    pub used: u32,
    /// What holds up everybody, and until when at the earliest.
    pub held_up: Option<(WaitReason, std::time::Instant)>,
}

/// The provider, asked under one key. Shared by reference; every order waits in the same two lines.
pub struct Provider {
    http: Http,
    key: ApiKey,
    retries: u32,
    retry_codes: RetryCodes,
    traffic: Mutex<Traffic>,
    tally: Mutex<Tally>,
    first: Mutex<FirstReplies>,
    /// Both clocks, as they stood at the first reply that tells.
    clock: OnceLock<ClockReading>,
    /// Whoever holds a lane's lock is first in its line; the others queue up behind in turn.
    lanes: [tokio::sync::Mutex<()>; 2],
    /// Something has come back: whoever is first in line may ask again.
    back: Notify,
    /// Nothing is asked any more.
    ended: Notify,
    start: Instant,
    deadline: Option<Instant>,
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
        let deadline = options.deadline.map(|deadline| deadline.min(LONGEST));
        let limits = Limits {
            rate: options.rate,
            strict: options.strict_rate,
            concurrency: options.concurrency,
            max_wait: options.max_wait.min(LONGEST),
            deadline: deadline.map(|deadline| deadline + BEFORE),
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

    /// Counts requests of an earlier run against the rate: how long ago each went out, the longest first.
    pub fn remember(&self, ago: &[Duration]) {
        let now = self.now();
        self.traffic().remember(ago.iter().map(|ago| now.saturating_sub(*ago)));
    }

    /// How long ago those requests went out that still count against the rate, the longest first.
    #[must_use]
    pub fn recent(&self) -> Vec<Duration> {
        let now = self.now();
        self.traffic().counted(now).into_iter().map(|sent| now.saturating_sub(sent)).collect()
    }

    /// Fetches one order: however the provider behaves, this ends with what is known about it. Dropping the
    /// future gives the order up and holds nothing back.
    ///
    /// # Errors
    /// [`Stop`] where no other order need be asked for either; from then on every call gives it without a request.
    pub async fn fetch(&self, id: &RunOrderId) -> Result<Fetch, Stop> {
        let (evidence, reply) = self.ask(self.http.order(id)).await?;
        Ok(Fetch { evidence, reply })
    }

    /// Asks for a page of the list of orders; the first is number 1. Dropping the future holds nothing back.
    ///
    /// # Errors
    /// [`ListError`] says why there is none, however often it was asked for.
    pub async fn list(&self, query: &ListQuery, page: u64) -> Result<ListPage, ListError> {
        let (Listed(listed), _) = self.ask(self.http.list(query, page)).await?;
        Ok(listed?)
    }

    /// The provider's URL in its normal form: lower-case scheme and host, no default port, no dot segments, no slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.http.base_url()
    }

    /// What the key is known by at this provider, in hex: the same for every job that asks it with the key.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint(&self.http.origin())
    }

    /// No order follows those that are being fetched.
    pub fn no_order_follows(&self) {
        self.traffic().no_order_follows();
        self.back.notify_waiters();
    }

    /// Sends no more requests: what is not in flight by now ends with [`Stop::Called`].
    pub fn stop(&self) {
        self.end(Stop::Called);
    }

    /// Why what was not fetched was not asked for, where the provider was given up before everything was.
    #[must_use]
    pub fn gave_up(&self) -> Option<Reason> {
        match self.traffic().has_ended() {
            Some(Ended::Unfetched(reason)) => Some(reason.clone()),
            Some(Ended::Stop(_)) | None => None,
        }
    }

    /// One moment by this machine's clock and by the provider's; `None` where no reply told.
    #[must_use]
    pub fn clock(&self) -> Option<ClockReading> {
        self.clock.get().copied()
    }

    /// What the client is doing.
    #[must_use]
    pub fn activity(&self) -> Activity {
        let flow = self.traffic().flow(self.now());
        let tally = self.tally();
        Activity {
            requests: tally.requests,
            retries: tally.retries(),
            throttled: tally.throttled,
            replies: tally.replies,
            is_the_api: self.first().in_words(),
            allowed: flow.allowed,
            used: flow.used,
            held_up: flow.held_up.map(|(why, until)| (why, self.at(until).into_std())),
        }
    }

    /// What the fetching has come to.
    #[must_use]
    pub fn record(&self) -> Record {
        self.tally().record()
    }

    /// Ends all asking; why it ends, which is `stop` unless it has ended before.
    fn end(&self, stop: Stop) -> Stop {
        self.end_with(Ended::Stop(stop.clone()));
        match self.why_ended() {
            Ended::Stop(first) => first,
            Ended::Unfetched(_) => stop,
        }
    }

    fn end_with(&self, ended: Ended) {
        self.traffic().end(ended);
        self.ended.notify_waiters();
        self.back.notify_waiters();
    }

    fn why_ended(&self) -> Ended {
        self.traffic().ended(self.now()).cloned().unwrap_or(Ended::Stop(Stop::Called))
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
        self.start.elapsed() + BEFORE
    }

    fn at(&self, time: Duration) -> Instant {
        self.start + time.saturating_sub(BEFORE).min(LONGEST)
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("activity", &self.activity()).finish_non_exhaustive()
    }
}

/// Whoever panicked with it in hand left it usable: no change of it can stop half-way.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
