//! Checks of the charge against the quote, the cost, and the result of the run.

use super::{Case, Check, Examine, Failure, Ruling};
use crate::domain::finding::Severity;
use crate::domain::money::{Amount, Sum};

/// The charge equals the cost.
pub(super) static CHARGE_EQUALS_COST: Check =
    Check { code: "charge-equals-cost", severity: Severity::Warning, examine: Examine::Order(charge_equals_cost) };

/// The charge does not exceed the quote.
pub(super) static CHARGE_EXCEEDS_QUOTE: Check =
    Check { code: "charge-exceeds-quote", severity: Severity::Warning, examine: Examine::Order(charge_exceeds_quote) };

/// A failed run is not charged.
pub(super) static FAILED_RUN_CHARGED: Check =
    Check { code: "failed-run-charged", severity: Severity::Warning, examine: Examine::Order(failed_run_charged) };

fn charge_equals_cost(case: &Case<'_>) -> Ruling {
    let amounts = &case.order.amounts;
    match (amounts.final_amount, amounts.total_cost) {
        (Some(charged), Some(total)) if case.settled && !case.order.has_failed() => {
            compare(total, charged, charged == total, "is not the cost")
        }
        _ => Ruling::NotDue,
    }
}

fn charge_exceeds_quote(case: &Case<'_>) -> Ruling {
    let amounts = &case.order.amounts;
    match (amounts.final_amount, amounts.quote_amount) {
        (Some(charged), Some(quote)) if case.settled => compare(quote, charged, charged <= quote, "is above the quote"),
        _ => Ruling::NotDue,
    }
}

fn failed_run_charged(case: &Case<'_>) -> Ruling {
    match case.order.amounts.final_amount {
        Some(charged) if case.settled && case.order.has_failed() => {
            compare(Amount::ZERO, charged, charged.is_zero(), "is for a failed run")
        }
        _ => Ruling::NotDue,
    }
}

fn compare(expected: Amount, charged: Amount, holds: bool, what: &str) -> Ruling {
    if holds {
        return Ruling::Holds;
    }
    let difference = Sum::of([charged, -expected]);
    Failure::new(expected.into(), charged.into(), format!("the charge {charged} {what}")).difference(difference).into()
}
