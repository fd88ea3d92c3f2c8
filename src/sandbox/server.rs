//! The API's routes and their handlers.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::account::{self, Account};
use super::reply::{self, Reply};

/// The path prefix of all endpoints.
pub(super) const BASE_PATH: &str = "/api/open/v2";

type Parameters = Result<Query<account::Query>, QueryRejection>;

struct ServerState {
    seed: u64,
    account: OnceLock<Account>,
}

impl ServerState {
    fn account(&self) -> &Account {
        self.account.get_or_init(|| Account::new(self.seed))
    }
}

/// The router for all endpoints.
pub(super) fn router(seed: u64) -> Router {
    let state = Arc::new(ServerState { seed, account: OnceLock::new() });
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
        .with_state(state)
}

async fn run_info(State(state): State<Arc<ServerState>>, parameters: Parameters) -> Reply {
    with(parameters, |query| match query.get("run_order_id") {
        Some(id) if !id.is_empty() => reply::run_info(id, state.seed),
        _ => Reply::failure(400, "run_order_id is required"),
    })
}

async fn run_list(State(state): State<Arc<ServerState>>, parameters: Parameters) -> Reply {
    with(parameters, |query| state.account().run_list(query))
}

async fn market_info(State(state): State<Arc<ServerState>>, parameters: Parameters) -> Reply {
    with(parameters, |query| state.account().market_info(query))
}

async fn bill_list(State(state): State<Arc<ServerState>>, parameters: Parameters) -> Reply {
    with(parameters, |query| state.account().bill_list(query))
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
