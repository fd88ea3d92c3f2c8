//! Replies in the provider's envelope.

use super::die::Die;
use super::json;
use super::kind::{Kind, Malformation, describe};
use super::orders::order;

/// A reply: an HTTP status and a JSON body.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Reply {
    /// A success with this `data`, given as JSON.
    pub(super) fn success(data: &str) -> Self {
        Self::enveloped(200, "0", "success", data)
    }

    /// A failure whose envelope repeats the HTTP status.
    pub(super) fn failure(status: u16, message: &str) -> Self {
        Self::enveloped(status, &status.to_string(), message, "null")
    }

    /// The 429 reply of a rate limit.
    pub(super) fn too_many() -> Self {
        Self::failure(429, "too many requests")
    }

    /// A reply with this HTTP status and envelope; `code` and `data` are JSON already.
    pub(super) fn enveloped(status: u16, code: &str, message: &str, data: &str) -> Self {
        let members = [("code", code.to_owned()), ("msg", json::text(message)), ("data", data.to_owned())];
        Self { status, body: json::object(members) }
    }
}

/// The order info reply for an ID. The same ID and seed always give the same bytes.
pub(super) fn run_info(id: &str, seed: u64) -> Reply {
    let kind = describe(id, seed);
    let members = || json::object(order(id, seed, kind).members());
    let data = match kind {
        Kind::NotFound => return Reply::failure(404, "run order not found"),
        Kind::Refused => return Reply::failure(403, "not your order"),
        Kind::RefusedInBody => return Reply::enveloped(200, "10403", "not your order", "null"),
        Kind::Malformed(Malformation::DataIsArray) => json::array([members()]),
        Kind::Malformed(Malformation::DataIsNull) => "null".to_owned(),
        Kind::Documented => return Reply::success(&members()),
        Kind::Clean | Kind::FailedRun | Kind::Pending | Kind::Malformed(_) | Kind::Anomalous(_) => members(),
    };
    let code = if Die::of(seed, &["order", id]).roll("envelope", 10) == 0 { "\"0\"" } else { "0" };
    Reply::enveloped(200, code, "success", &data)
}
