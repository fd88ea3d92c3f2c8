//! What every request meets before the routes: the key, the rate limit, the fault plan, the journal.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::Query;
use axum::http::{HeaderMap, Method, Request, Uri, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

use super::faults::{self, Decider, Rule, Scene};
use super::header::HeaderText;
use super::journal::{Answered, Arrival, Recorder};
use super::limiter::SlidingLog;
use super::line::{HangUp, Line, Stopping};
use super::reply::Reply;
use super::{KEY, Options, account};

/// The sandbox's front desk.
pub(super) struct Front {
    seed: u64,
    routes: TowerToHyperService<Router>,
    limiter: Option<Limiter>,
    /// None where the plan is empty.
    faults: Option<Decider>,
    recorder: Option<Recorder>,
    log_requests: bool,
    stopping: Stopping,
    requests: AtomicU64,
    opened: Instant,
}

/// What is to be known of a request besides its answer.
struct Seen {
    /// Counted from 1, whatever is asked for.
    number: u64,
    at: Duration,
    method: Method,
    uri: Uri,
    run_order_id: Option<String>,
}

impl Front {
    pub(super) fn new(options: Options, routes: Router, recorder: Option<Recorder>, stopping: Stopping) -> Self {
        let Options { seed, rate_limit, retry_after, date, faults, log_requests, .. } = options;
        let log = |limit| Mutex::new(SlidingLog::new(limit));
        Self {
            seed,
            routes: TowerToHyperService::new(routes),
            limiter: rate_limit.map(|limit| Limiter { log: log(limit), retry_after, date }),
            faults: Decider::new(faults, seed),
            recorder,
            log_requests,
            stopping,
            requests: AtomicU64::new(0),
            opened: Instant::now(),
        }
    }

    pub(super) fn has_faults(&self) -> bool {
        self.faults.is_some()
    }

    /// Answers a request, or hangs up on it.
    pub(super) async fn answer(&self, request: Request<Incoming>, line: &Arc<Line>) -> Result<Response, HangUp> {
        if self.faults.is_none() && self.recorder.is_none() && !self.log_requests {
            return Ok(match self.refusal(request.headers()) {
                Some(refusal) => refusal,
                None => self.route(request).await,
            });
        }
        let seen = Seen::of(&request, self);
        if let Some(refusal) = self.refusal(request.headers()) {
            self.note(seen, Answered::Status(refusal.status().as_u16()));
            return Ok(refusal);
        }
        let id = seen.run_order_id.as_deref();
        let Some(rule) = self.faults.as_ref().and_then(|faults| faults.decide(seen.number, id)) else {
            let response = self.route(request).await;
            self.note(seen, Answered::Status(response.status().as_u16()));
            return Ok(response);
        };
        // Boxed, so that requests without a fault are not held in a state machine of its size.
        Box::pin(self.misbehave(rule, seen, request, line)).await
    }

    async fn misbehave(
        &self,
        rule: &Rule,
        seen: Seen,
        request: Request<Incoming>,
        line: &Arc<Line>,
    ) -> Result<Response, HangUp> {
        let id = seen.run_order_id.clone().unwrap_or_default();
        self.note(seen, Answered::Fault(rule.label()));
        let scene = Scene { id, seed: self.seed, line: Arc::clone(line), stopping: self.stopping.clone() };
        faults::commit(rule, scene, self.route(request)).await
    }

    /// What keeps a request out, if anything: first the key, then the rate.
    fn refusal(&self, headers: &HeaderMap) -> Option<Response> {
        if !holds_key(headers) {
            return Some(Reply::failure(401, "invalid api key").into_response());
        }
        self.limiter.as_ref().and_then(|limiter| limiter.refusal(self.opened))
    }

    async fn route(&self, request: Request<Incoming>) -> Response {
        let answered: Result<Response<Body>, Infallible> = self.routes.call(request).await;
        answered.unwrap_or_else(|never| match never {})
    }

    fn note(&self, seen: Seen, answered: Answered) {
        let Seen { at, method, uri, run_order_id, .. } = seen;
        if self.log_requests {
            tracing::info!(%method, path = uri.path(), status = %answered, "sandbox request");
        }
        if let Some(recorder) = &self.recorder {
            recorder.note(Arrival { at, run_order_id, answered });
        }
    }
}

impl Seen {
    fn of(request: &Request<Incoming>, front: &Front) -> Self {
        let at = front.opened.elapsed();
        let query = Query::<account::Query>::try_from_uri(request.uri());
        Self {
            number: front.requests.fetch_add(1, Ordering::Relaxed) + 1,
            at,
            method: request.method().clone(),
            uri: request.uri().clone(),
            run_order_id: query.ok().and_then(|Query(mut query)| query.remove("run_order_id")),
        }
    }
}

/// The rate limit, and what its 429 says.
struct Limiter {
    log: Mutex<SlidingLog>,
    retry_after: Option<HeaderText>,
    date: Option<HeaderText>,
}

impl Limiter {
    fn refusal(&self, opened: Instant) -> Option<Response> {
        let admitted = {
            let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            // Read under the lock, so that time never goes back for the limiter.
            log.admit(opened.elapsed())
        };
        if admitted {
            return None;
        }
        let mut refusal = Reply::too_many().into_response();
        let said = [(header::RETRY_AFTER, &self.retry_after), (header::DATE, &self.date)];
        for (name, text) in said {
            refusal.headers_mut().extend(text.iter().map(|text| (name.clone(), text.value())));
        }
        Some(refusal)
    }
}

fn holds_key(headers: &HeaderMap) -> bool {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    authorization.and_then(|value| value.strip_prefix("Bearer ")) == Some(KEY)
}
