//! The HTTP side: routes, the key, the rate limit.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::account::{self, Account};
use super::limiter::SlidingLog;
use super::reply::{self, Reply};
use super::{KEY, Options};

/// Where the API begins.
pub(super) const BASE_PATH: &str = "/api/open/v2";

type Parameters = Result<Query<account::Query>, QueryRejection>;

struct Desk {
    options: Options,
    account: OnceLock<Account>,
    limiter: Option<Mutex<SlidingLog>>,
    opened: Instant,
}

impl Desk {
    fn account(&self) -> &Account {
        self.account.get_or_init(|| Account::new(self.options.seed))
    }

    fn admits(&self) -> bool {
        let Some(limiter) = &self.limiter else { return true };
        let mut limiter = limiter.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock, so that time never goes back for the limiter.
        limiter.admit(self.opened.elapsed())
    }

    /// What keeps a request out, if anything: first the key, then the rate.
    fn refusal(&self, headers: &HeaderMap) -> Option<Response> {
        if !holds_key(headers) {
            return Some(Reply::failure(401, "invalid api key").into_response());
        }
        if !self.admits() {
            let refusal = Reply::failure(429, "too many requests");
            return Some(([(header::RETRY_AFTER, "1")], refusal).into_response());
        }
        None
    }
}

/// The routes of the API.
pub(super) fn router(options: Options) -> Router {
    let limiter = options.rate_limit.map(|limit| Mutex::new(SlidingLog::new(limit)));
    let desk = Arc::new(Desk { options, account: OnceLock::new(), limiter, opened: Instant::now() });
    let api = Router::new()
        .route("/workflow/run/info", get(run_info))
        .route("/workflow/run/list", get(run_list))
        .route("/workflow/market/info", get(market_info))
        .route("/bill/list", get(bill_list))
        .route("/balance/info", get(balance_info));
    Router::new()
        .nest(BASE_PATH, api)
        .fallback(async || Reply::failure(404, "no such path"))
        .method_not_allowed_fallback(async || Reply::failure(405, "the sandbox only answers GET"))
        .layer(middleware::from_fn_with_state(Arc::clone(&desk), guard))
        .with_state(desk)
}

async fn guard(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let logged = desk.options.log_requests.then(|| (request.method().clone(), request.uri().path().to_owned()));
    let response = match desk.refusal(request.headers()) {
        Some(refusal) => refusal,
        None => next.run(request).await,
    };
    if let Some((method, path)) = logged {
        tracing::info!(%method, %path, status = response.status().as_u16(), "sandbox request");
    }
    response
}

fn holds_key(headers: &HeaderMap) -> bool {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    authorization.and_then(|value| value.strip_prefix("Bearer ")) == Some(KEY)
}

async fn run_info(State(desk): State<Arc<Desk>>, parameters: Parameters) -> Reply {
    with(parameters, |query| match query.get("run_order_id") {
        Some(id) if !id.is_empty() => reply::run_info(id, desk.options.seed),
        _ => Reply::failure(400, "run_order_id is required"),
    })
}

async fn run_list(State(desk): State<Arc<Desk>>, parameters: Parameters) -> Reply {
    with(parameters, |query| desk.account().run_list(query))
}

async fn market_info(State(desk): State<Arc<Desk>>, parameters: Parameters) -> Reply {
    with(parameters, |query| desk.account().market_info(query))
}

async fn bill_list(State(desk): State<Arc<Desk>>, parameters: Parameters) -> Reply {
    with(parameters, |query| desk.account().bill_list(query))
}

async fn balance_info() -> Reply {
    account::balance_info()
}

fn with(parameters: Parameters, answer: impl FnOnce(&account::Query) -> Reply) -> Reply {
    match parameters {
        Ok(Query(query)) => answer(&query),
        Err(_) => Reply::failure(400, "the query can't be read"),
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, "application/json")], self.body).into_response()
    }
}
