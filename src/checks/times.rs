//! Checks of an order's times: how long it has been pending, and whether its times make sense.

use jiff::SignedDuration;

use super::{Case, Check, Examine, Failure, Ruling};
use crate::domain::finding::{Figure, Severity};
use crate::domain::time::Age;

/// An unsettled order is not stale yet.
pub(super) static STALE_PENDING: Check =
    Check { code: "stale-pending", severity: Severity::Warning, examine: Examine::Order(stale_pending) };

/// An unsettled order is not about to become stale.
pub(super) static STALE_SOON: Check =
    Check { code: "stale-soon", severity: Severity::Warning, examine: Examine::Order(stale_soon) };

/// An order was not updated before it was created.
pub(super) static TIMESTAMP_ORDER: Check =
    Check { code: "timestamp-order", severity: Severity::Warning, examine: Examine::Order(timestamp_order) };

/// No time is a program's zero value.
pub(super) static ZERO_TIME: Check =
    Check { code: "zero-time", severity: Severity::Warning, examine: Examine::Order(zero_time) };

fn stale_pending(case: &Case<'_>) -> Ruling {
    if case.settled {
        return Ruling::Holds;
    }
    let limit = case.rules.stale_after_of(case.order);
    let message = match case.age() {
        None => "not settled, and its creation time is missing".to_owned(),
        Some(age) if age >= limit => format!("not settled after {} hours", age.as_hours()),
        // An order once found stale stays so until it settles, even if the limit has been raised since.
        Some(_) if case.background.past_findings.iter().any(|past| past.check == STALE_PENDING.code) => {
            return Ruling::NotDue;
        }
        Some(_) => return Ruling::Holds,
    };
    Failure::new(Figure::Text(format!("below {}", shown(limit))), Figure::Nothing, message).into()
}

fn stale_soon(case: &Case<'_>) -> Ruling {
    if case.settled {
        return Ruling::Holds;
    }
    let limit = case.rules.stale_after_of(case.order);
    let age = case.age().filter(|age| *age < limit);
    let (Some(age), Some(warn_before)) = (age, case.rules.warn_before.map(Age::duration)) else {
        return Ruling::NotDue;
    };
    let band = limit.saturating_sub(warn_before);
    if age < band {
        return Ruling::Holds;
    }
    let message = format!("not settled after {} hours, stale after {}", age.as_hours(), shown(limit));
    Failure::new(Figure::Text(format!("below {}", shown(band))), Figure::Nothing, message).into()
}

impl Case<'_> {
    fn age(&self) -> Option<SignedDuration> {
        self.order.created_at.map(|created| self.as_of.duration_since(created))
    }
}

fn timestamp_order(case: &Case<'_>) -> Ruling {
    match (case.order.created_at, case.order.updated_at) {
        (Some(created), Some(updated)) if updated < created => {
            let [expected, actual] = [created, updated].map(|time| Figure::Text(time.to_string()));
            Failure::new(expected, actual, "updated before it was created".to_owned()).into()
        }
        (Some(_), Some(_)) => Ruling::Holds,
        _ => Ruling::NotDue,
    }
}

fn zero_time(case: &Case<'_>) -> Ruling {
    let zeros: Vec<&str> = case.order.zero_times().iter().map(|field| field.name()).collect();
    if zeros.is_empty() {
        return Ruling::Holds;
    }
    let names = zeros.join(" ");
    let message = format!("a zero value, not a time: {}", zeros.join(" and "));
    Failure::new(Figure::Nothing, Figure::Text(names), message).into()
}

/// A duration in hours if it is a whole number of them, otherwise in seconds.
fn shown(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    if seconds % 3_600 == 0 { format!("{}h", seconds / 3_600) } else { format!("{seconds}s") }
}
