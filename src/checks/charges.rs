//! Checks of what is charged against what was quoted, what it cost, and how the run ended.

use super::statuses::has_failed;
use super::{Case, Check, Failure, Ruling};
use crate::domain::finding::Severity;
use crate::domain::money::{Amount, Sum};

/// What is charged is what it cost.
pub(super) static CHARGE_EQUALS_COST: Check = Check {
    code: "charge-equals-cost",
    holds_when: "final_amount = total_cost",
    due_when: "the order is settled, its run did not fail, and both amounts are there",
    remedy: "Ask the provider what the difference between the charge and the cost is for.",
    example: "total 0.15476757, final 0.10317838: a third of the cost is not charged.",
    severity: Severity::Warning,
    examine: charge_equals_cost,
};

/// No more is charged than was quoted.
pub(super) static CHARGE_EXCEEDS_QUOTE: Check = Check {
    code: "charge-exceeds-quote",
    holds_when: "final_amount is at most quote_amount",
    due_when: "the order is settled and both amounts are there",
    remedy: "A charge above the quote is allowed only where the submitter accepted the risk of external model costs: find out \
             whether that was so.",
    example: "quote 0.08000000, final 0.11604785: an external model cost more than was quoted.",
    severity: Severity::Warning,
    examine: charge_exceeds_quote,
};

/// A run that failed costs nothing.
pub(super) static FAILED_RUN_CHARGED: Check = Check {
    code: "failed-run-charged",
    holds_when: "final_amount is zero",
    due_when: "the order is settled, its run failed, and the amount is there",
    remedy: "Ask the provider whether failed runs are charged by your contract.",
    example: "run_status failed, final 0.09212901.",
    severity: Severity::Warning,
    examine: failed_run_charged,
};

fn charge_equals_cost(case: &Case<'_>) -> Ruling {
    let amounts = &case.order.amounts;
    match (amounts.final_amount, amounts.total_cost) {
        (Some(charged), Some(total)) if case.settled && !has_failed(case.order) => {
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
        Some(charged) if case.settled && has_failed(case.order) => {
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
