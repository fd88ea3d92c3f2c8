//! Checks of the status words: they are known, and consistent with each other and with the amounts.

use super::{Case, Check, Examine, Failure, Ruling, ruling_without_failure};
use crate::domain::finding::{Figure, Severity};
use crate::domain::status::{FROZEN, QUEUED, RUNNING, STATUS_FIELDS, StatusField};

/// The status words don't contradict each other or the amounts.
pub(super) static STATUS_CONFLICT: Check =
    Check { code: "status-conflict", severity: Severity::Warning, examine: Examine::Order(status_conflict) };

/// Every status is a word we know.
pub(super) static UNKNOWN_STATUS: Check =
    Check { code: "unknown-status", severity: Severity::Warning, examine: Examine::Order(unknown_status) };

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
    let words = STATUS_FIELDS.iter().filter_map(|field| Some(format!("{}={}", field.name, (field.of)(order)?)));
    let words = words.collect::<Vec<_>>().join(" ");
    Failure::new(Figure::Nothing, Figure::Text(words), conflicts.join(", ")).into()
}

fn unknown_status(case: &Case<'_>) -> Ruling {
    let order = case.order;
    let is_due = |field: &&StatusField| !field.is_open_until_ended || order.has_ended();
    let unknown = STATUS_FIELDS.iter().filter(is_due).filter_map(|field| match (field.of)(order) {
        Some(word) if field.known.contains(&word) => None,
        word => Some((field.name, word)),
    });
    let unknown: Vec<(&str, Option<&str>)> = unknown.collect();
    if unknown.is_empty() {
        let was_unknown = case.past_finding(&UNKNOWN_STATUS).map(|past| past.actual.as_str());
        return ruling_without_failure(was_unknown, |name| {
            STATUS_FIELDS.iter().filter(is_due).any(|field| field.name == name)
        });
    }
    let words: Vec<String> =
        unknown.iter().map(|(name, word)| format!("{name}={}", word.unwrap_or_default())).collect();
    let said: Vec<String> = unknown
        .iter()
        .map(|(name, word)| format!("{name} is {}", if word.is_some() { "a word we don't know" } else { "missing" }))
        .collect();
    Failure::new(Figure::Nothing, Figure::Text(words.join(" ")), said.join(", ")).into()
}
