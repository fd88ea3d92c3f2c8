//! What every request passes before the routes: the key check, the rate limit, the fault plan and the journal.

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
use super::journal::{AnswerKind, Arrival, Recorder};
use super::limiter::SlidingLog;
use super::line::{HangUp, Line, Stopping};
use super::reply::Reply;
use super::{KEY, Options, account};

/// Answers every request: applies the checks and faults, then passes it on to the routes.
pub(super) struct Front {
    seed: u64,
    routes: TowerToHyperService<Router>,
    limiter: Option<Limiter>,
    /// `None` if the plan is empty.
    faults: Option<Decider>,
    recorder: Option<Recorder>,
    log_requests: bool,
    stopping: Stopping,
    requests: AtomicU64,
    opened: Instant,
}

/// A request's data for the fault plan, the log and the journal.
struct RequestInfo {
    /// The number of the request, counted from 1 over all endpoints.
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
        let info = RequestInfo::of(&request, self);
        if let Some(refusal) = self.refusal(request.headers()) {
            self.note(info, AnswerKind::Status(refusal.status().as_u16()));
            return Ok(refusal);
        }
        let id = info.run_order_id.as_deref();
        let Some(rule) = self.faults.as_ref().and_then(|faults| faults.decide(info.number, id)) else {
            let response = self.route(request).await;
            self.note(info, AnswerKind::Status(response.status().as_u16()));
            return Ok(response);
        };
        // Boxed, so that requests without a fault don't carry the size of its future.
        Box::pin(self.misbehave(rule, info, request, line)).await
    }

    async fn misbehave(
        &self,
        rule: &Rule,
        info: RequestInfo,
        request: Request<Incoming>,
        line: &Arc<Line>,
    ) -> Result<Response, HangUp> {
        let id = info.run_order_id.clone().unwrap_or_default();
        self.note(info, AnswerKind::Fault(rule.label()));
        let scene = Scene { id, seed: self.seed, line: Arc::clone(line), stopping: self.stopping.clone() };
        faults::commit(rule, scene, self.route(request)).await
    }

    /// The refusal of a request, if any: the key is checked first, then the rate.
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

    fn note(&self, info: RequestInfo, answer: AnswerKind) {
        let RequestInfo { at, method, uri, run_order_id, .. } = info;
        if self.log_requests {
            tracing::info!(%method, path = uri.path(), status = %answer, "sandbox request");
        }
        if let Some(recorder) = &self.recorder {
            recorder.note(Arrival { at, run_order_id, answer });
        }
    }
}

impl RequestInfo {
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

/// The rate limit, and the headers of its 429 replies.
struct Limiter {
    log: Mutex<SlidingLog>,
    retry_after: Option<HeaderText>,
    date: Option<HeaderText>,
}

impl Limiter {
    fn refusal(&self, opened: Instant) -> Option<Response> {
        let admitted = {
            let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            // The clock is read under the lock, so that time never goes back for the limiter.
            log.admit(opened.elapsed())
        };
        if admitted {
            return None;
        }
        let mut refusal = Reply::too_many().into_response();
        let headers = [(header::RETRY_AFTER, &self.retry_after), (header::DATE, &self.date)];
        for (name, text) in headers {
            refusal.headers_mut().extend(text.iter().map(|text| (name.clone(), text.value())));
        }
        Some(refusal)
    }
}

fn holds_key(headers: &HeaderMap) -> bool {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    authorization.and_then(|value| value.strip_prefix("Bearer ")) == Some(KEY)
}
