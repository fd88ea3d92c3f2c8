//! What the provider's status words mean, and the checks of the words themselves.
//!
//! Statuses are open sets: a word that is not in these tables is kept, never taken to mean that money is settled, and
//! said by `unknown-status`.

use super::{Case, Check, Examine, Failure, Ruling, holds_again};
use crate::domain::finding::{Figure, Severity};
use crate::domain::order::RunOrder;

/// The settlement word of what is settled. What stands there before is documented nowhere.
const SETTLED: &str = "settled";
/// The freeze word of a pre-charge that is held.
const FROZEN: &str = "frozen";
/// The freeze word of a pre-charge that is no longer held.
const RELEASED: &str = "released";
/// The run word of a run that waits.
const QUEUED: &str = "queued";
/// The run word of a run that goes on.
const RUNNING: &str = "running";
/// The run word of a run that did what it should.
const SUCCEEDED: &str = "succeeded";
/// The run word of a run that failed.
const FAILED: &str = "failed";
/// The run words after which nothing runs any more.
const ENDED: [&str; 2] = [SUCCEEDED, FAILED];

/// A status field with the words of it that the provider's reference names.
struct Field {
    name: &'static str,
    known: &'static [&'static str],
    of: fn(&RunOrder) -> Option<&str>,
    /// Whether other words are to be expected until the run has ended.
    is_open_until_ended: bool,
}

/// Every status field. This is the only list of known words.
static FIELDS: [Field; 4] = [
    Field {
        name: "run_status",
        known: &[QUEUED, RUNNING, SUCCEEDED, FAILED],
        of: |order| order.run_status.as_deref(),
        is_open_until_ended: false,
    },
    Field {
        name: "freeze_status",
        known: &[FROZEN, RELEASED],
        of: |order| order.freeze_status.as_deref(),
        is_open_until_ended: true,
    },
    Field {
        name: "submission_status",
        known: &["submitted"],
        of: |order| order.submission_status.as_deref(),
        is_open_until_ended: true,
    },
    Field {
        name: "settlement_status",
        known: &[SETTLED],
        of: |order| order.settlement_status.as_deref(),
        is_open_until_ended: true,
    },
];

/// The status words don't contradict each other or the amounts.
pub(super) static STATUS_CONFLICT: Check =
    Check { code: "status-conflict", severity: Severity::Warning, examine: Examine::Order(status_conflict) };

/// Every status is a word we know.
pub(super) static UNKNOWN_STATUS: Check =
    Check { code: "unknown-status", severity: Severity::Warning, examine: Examine::Order(unknown_status) };

/// Whether the order is settled: `settlement_status` says so; or it is a word we don't know while the freeze is
/// released and the run has ended. The amounts are never looked at, else a failing order would excuse itself.
#[must_use]
pub fn is_settled(order: &RunOrder) -> bool {
    match order.settlement_status.as_deref() {
        None => false,
        Some(SETTLED) => true,
        Some(_) => order.freeze_status.as_deref() == Some(RELEASED) && has_ended(order),
    }
}

/// Whether the run failed.
#[must_use]
pub fn has_failed(order: &RunOrder) -> bool {
    order.run_status.as_deref() == Some(FAILED)
}

fn has_ended(order: &RunOrder) -> bool {
    order.run_status.as_deref().is_some_and(|status| ENDED.contains(&status))
}

fn status_conflict(case: &Case<'_>) -> Ruling {
    let order = case.order;
    let run = order.run_status.as_deref();
    let is_charged = order.amounts.final_amount.is_some_and(|amount| !amount.is_zero());
    let conflicts = [
        ("settled yet still frozen", case.settled && order.freeze_status.as_deref() == Some(FROZEN)),
        ("settled yet queued", case.settled && run == Some(QUEUED)),
        ("settled yet running", case.settled && run == Some(RUNNING)),
        ("charged while queued", is_charged && run == Some(QUEUED)),
    ];
    let conflicts: Vec<&str> = conflicts.into_iter().filter(|(_, is_so)| *is_so).map(|(what, _)| what).collect();
    if conflicts.is_empty() {
        return Ruling::Holds;
    }
    let words = FIELDS.iter().filter_map(|field| Some(format!("{}={}", field.name, (field.of)(order)?)));
    let words = words.collect::<Vec<_>>().join(" ");
    Failure::new(Figure::Nothing, Figure::Text(words), conflicts.join(", ")).into()
}

fn unknown_status(case: &Case<'_>) -> Ruling {
    let order = case.order;
    let is_due = |field: &&Field| !field.is_open_until_ended || has_ended(order);
    let unknown = FIELDS.iter().filter(is_due).filter_map(|field| match (field.of)(order) {
        Some(word) if field.known.contains(&word) => None,
        word => Some((field.name, word)),
    });
    let unknown: Vec<(&str, Option<&str>)> = unknown.collect();
    if unknown.is_empty() {
        let was_unknown = case.past(&UNKNOWN_STATUS).map(|past| past.actual.as_str());
        return holds_again(was_unknown, |name| FIELDS.iter().filter(is_due).any(|field| field.name == name));
    }
    let words: Vec<String> =
        unknown.iter().map(|(name, word)| format!("{name}={}", word.unwrap_or_default())).collect();
    let said: Vec<String> = unknown
        .iter()
        .map(|(name, word)| format!("{name} is {}", if word.is_some() { "a word we don't know" } else { "missing" }))
        .collect();
    Failure::new(Figure::Nothing, Figure::Text(words.join(" ")), said.join(", ")).into()
}
