//! The routes, the key, the limit and the envelope.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::limiter::Limiter;
use super::orders::{self, Kind, Order};
use super::{KEY, Options, json};

/// Where the API begins.
pub(super) const BASE_PATH: &str = "/api/open/v2";
const LARGEST_PAGE: usize = 100;

type Parameters = Query<HashMap<String, String>>;

struct Shared {
    options: Options,
    limiter: Option<Mutex<Limiter>>,
    started: Instant,
    universe: Vec<String>,
}

/// Every route of the API, behind the key and the limit.
pub(super) fn router(options: Options) -> Router {
    let shared = Arc::new(Shared {
        options,
        limiter: options.rate_limit.map(|most| Mutex::new(Limiter::new(most))),
        started: Instant::now(),
        universe: orders::universe(options.seed),
    });
    let routes = Router::new()
        .route("/workflow/run/info", get(run_info))
        .route("/workflow/run/list", get(run_list))
        .route("/workflow/market/info", get(market_info))
        .route("/bill/list", get(bill_list))
        .route("/balance/info", get(balance_info))
        .fallback(|| async { envelope(404, "no such resource", "null") })
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), admit))
        .with_state(shared);
    Router::new().nest(BASE_PATH, routes)
}

async fn admit(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().clone());
    let response = if !has_key(request.headers()) {
        envelope(401, "invalid api key", "null")
    } else if shared.is_over_limit() {
        ([(header::RETRY_AFTER, "1")], envelope(429, "too many requests", "null")).into_response()
    } else {
        next.run(request).await
    };
    if shared.options.log_requests {
        tracing::info!(%method, %path, status = response.status().as_u16(), "request");
    }
    response
}

fn has_key(headers: &HeaderMap) -> bool {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    value.and_then(|value| value.strip_prefix("Bearer ")) == Some(KEY)
}

impl Shared {
    fn is_over_limit(&self) -> bool {
        self.limiter.as_ref().is_some_and(|limiter| {
            !limiter.lock().unwrap_or_else(PoisonError::into_inner).admit(self.started.elapsed())
        })
    }

    fn order(&self, id: &str) -> Option<Order> {
        orders::order(id, self.options.seed)
    }
}

/// A reply with the HTTP status that goes with its code.
fn envelope(code: u16, message: &str, data: &str) -> Response {
    let status = match code {
        0 => StatusCode::OK,
        code => StatusCode::from_u16(code).unwrap_or(StatusCode::OK),
    };
    reply(status, &code.to_string(), message, data)
}

fn reply(status: StatusCode, code: &str, message: &str, data: &str) -> Response {
    let body = format!("{{\"code\":{code},\"msg\":{},\"data\":{data}}}", json::string(message));
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn run_info(State(shared): State<Arc<Shared>>, parameters: Parameters) -> Response {
    let Some(id) = parameters.get("run_order_id").filter(|id| !id.is_empty()) else {
        return envelope(400, "run_order_id is required", "null");
    };
    let Some(order) = shared.order(id) else {
        return envelope(404, "no such run order", "null");
    };
    match orders::describe(id, shared.options.seed) {
        Kind::RefusedByStatus => envelope(403, "not your order", "null"),
        Kind::RefusedByCode => reply(StatusCode::OK, "10403", "the order belongs to another account", "null"),
        Kind::DataIsNull => envelope(0, "success", "null"),
        Kind::DataIsArray => envelope(0, "success", &json::array([order.json()])),
        // The code comes as a number and as a text.
        _ if id.ends_with('0') => reply(StatusCode::OK, "\"0\"", "success", &order.json()),
        _ => envelope(0, "success", &order.json()),
    }
}

async fn run_list(State(shared): State<Arc<Shared>>, parameters: Parameters) -> Response {
    let wanted = |order: &Order, field: &str, parameter: &str| {
        parameters.get(parameter).is_none_or(|value| order.get(field) == json::string(value))
    };
    let orders: Vec<Order> = shared
        .universe
        .iter()
        .filter_map(|id| shared.order(id))
        .filter(|order| wanted(order, "workflow_id", "workflow_id") && wanted(order, "run_status", "status"))
        .collect();
    let fields =
        ["run_order_id", "workflow_id", "revision_id", "run_status", "quote_amount", "final_amount", "created_at"];
    let item = |order: &Order| {
        let known = fields.map(|name| (name, order.get(name)));
        json::object(known.into_iter().chain([("title", json::string("A run of the sandbox"))]))
    };
    page(&parameters, "items", &orders, item)
}

async fn market_info(State(shared): State<Arc<Shared>>, parameters: Parameters) -> Response {
    let number = parameters.get("workflow_id").and_then(|id| orders::workflow_number(id, shared.options.seed));
    match number {
        None => envelope(404, "no such workflow", "null"),
        Some(number) => {
            let data = json::object([
                ("title", json::string(&format!("Sandbox workflow {}", number + 1))),
                ("quote_amount", json::string("0.50000000")),
                ("quote_currency", json::string("CNY")),
                ("may_incur_external_model_cost", (number % 2 == 0).to_string()),
            ]);
            envelope(0, "success", &data)
        }
    }
}

async fn bill_list(State(shared): State<Arc<Shared>>, parameters: Parameters) -> Response {
    let channel = |id: &str| if id.ends_with(['0', '2', '4', '6', '8']) { "1" } else { "2" };
    let settled = json::string("settled");
    let bills: Vec<(&String, Order)> = shared
        .universe
        .iter()
        .filter(|id| parameters.get("charge_channel").is_none_or(|wanted| wanted == channel(id)))
        .filter(|id| parameters.get("order_number").is_none_or(|wanted| wanted == *id))
        .filter_map(|id| Some((id, shared.order(id)?)))
        .filter(|(_, order)| order.get("settlement_status") == settled)
        .collect();
    let item = |(id, order): &(&String, Order)| {
        json::object([
            // A number, without quotes.
            ("amount", order.get("final_amount").trim_matches('"').to_owned()),
            ("charge_channel", channel(id).to_owned()),
            ("order_number", json::string(id)),
            ("remark", json::string("workflow run")),
        ])
    };
    page(&parameters, "order_list", &bills, item)
}

async fn balance_info() -> Response {
    envelope(0, "success", &json::object([("balance", "1234.56".into()), ("card_balance", "100".into())]))
}

/// One page of a list, as `page` and `page_size` say.
fn page<T>(parameters: &Parameters, name: &str, all: &[T], item: impl Fn(&T) -> String) -> Response {
    let number = |name: &str, default: usize| match parameters.get(name) {
        None => Some(default),
        Some(text) => text.parse().ok().filter(|number| *number > 0),
    };
    let (Some(page), Some(size)) = (number("page", 1), number("page_size", 20)) else {
        return envelope(400, "page and page_size are numbers from 1", "null");
    };
    let size = size.min(LARGEST_PAGE);
    let items = all.iter().skip((page - 1).saturating_mul(size)).take(size).map(item);
    let data = json::object([
        (name, json::array(items)),
        ("total", all.len().to_string()),
        ("page", page.to_string()),
        ("page_size", size.to_string()),
    ]);
    envelope(0, "success", &data)
}
