//! Checks that the reply is about the order that was asked for, in the expected currency.

use super::{Case, Check, Examine, Failure, Ruling};
use crate::domain::finding::{Figure, Severity};

/// The reply is about the order that was asked for.
pub(super) static IDENTITY_MISMATCH: Check =
    Check { code: "identity-mismatch", severity: Severity::Error, examine: Examine::Order(identity_mismatch) };

/// The reply names a currency, and the expected one if one is set.
pub(super) static CURRENCY: Check =
    Check { code: "currency", severity: Severity::Error, examine: Examine::Order(currency) };

pub(super) fn identity_mismatch(case: &Case<'_>) -> Ruling {
    if case.order.is_about(case.asked) {
        return Ruling::Holds;
    }
    let replied = &case.order.run_order_id;
    let message = if replied.is_some() { "the reply is about another order" } else { "the reply names no order" };
    Failure::new(Figure::Text(case.asked.to_owned()), replied.clone().into(), message.to_owned()).into()
}

fn currency(case: &Case<'_>) -> Ruling {
    let (actual, expected) = (&case.order.quote_currency, &case.rules.currency);
    let message = match (actual, expected) {
        (None, _) => "the reply names no currency",
        (Some(actual), Some(expected)) if actual != expected => "not the expected currency",
        // The earlier finding was about an expected currency. None is expected now, so it can't be judged.
        (_, None) if case.past_finding(&CURRENCY).is_some_and(|past| !past.expected.is_empty()) => {
            return Ruling::NotDue;
        }
        _ => return Ruling::Holds,
    };
    Failure::new(expected.clone().into(), actual.clone().into(), message.to_owned()).into()
}
