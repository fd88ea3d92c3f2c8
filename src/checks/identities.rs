//! The two identities this program exists for: `quote-split` and `cost-sum`.

use super::cause::Cause;
use super::{Case, Check, Examine, Failure, Ruling};
use crate::domain::finding::Severity;
use crate::domain::money::Sum;

/// `quote_amount = final_amount + released_amount`.
pub(super) static QUOTE_SPLIT: Check =
    Check { code: "quote-split", severity: Severity::Error, examine: Examine::Order(quote_split) };

/// `total_cost = compute_cost + external_model_cost`.
pub(super) static COST_SUM: Check =
    Check { code: "cost-sum", severity: Severity::Error, examine: Examine::Order(cost_sum) };

fn quote_split(case: &Case<'_>) -> Ruling {
    let amounts = &case.order.amounts;
    match (amounts.quote_amount, amounts.final_amount, amounts.released_amount, amounts.quote_difference()) {
        (Some(quote), Some(charged), Some(released), Some(difference)) if case.settled => {
            let identity = Identity { expected: Sum::from(quote), actual: Sum::of([charged, released]), difference };
            let message = |expected, actual| format!("final + released is {actual}, the quote is {expected}");
            identity.rule(case, message, || Cause::of_quote_split(quote, charged, released))
        }
        _ => Ruling::NotDue,
    }
}

fn cost_sum(case: &Case<'_>) -> Ruling {
    let amounts = &case.order.amounts;
    match (amounts.compute_cost, amounts.external_model_cost, amounts.total_cost, amounts.cost_difference()) {
        (Some(compute), Some(external), Some(total), Some(difference)) => {
            let identity = Identity { expected: Sum::of([compute, external]), actual: Sum::from(total), difference };
            let message = |expected, actual| format!("the total is {actual}, compute + external is {expected}");
            identity.rule(case, message, || Cause::of_cost_sum(compute, external, total))
        }
        _ => Ruling::NotDue,
    }
}

struct Identity {
    expected: Sum,
    actual: Sum,
    difference: Sum,
}

impl Identity {
    fn rule(self, case: &Case<'_>, message: impl FnOnce(Sum, Sum) -> String, cause: impl FnOnce() -> Cause) -> Ruling {
        let tolerance = case.rules.tolerance_of(case.order);
        if self.difference.is_zero() {
            Ruling::Holds
        } else if self.difference.abs() <= Sum::from(tolerance) {
            Ruling::Tolerated(self.difference)
        } else {
            let mut message = message(self.expected, self.actual);
            let others: Vec<&str> = case.order.other_amounts_of(self.difference).collect();
            match others.as_slice() {
                [] => {}
                [only] => message += &format!("; {only} is exactly the difference"),
                several => message += &format!("; each of {} is exactly the difference", several.join(" and ")),
            }
            Failure::new(self.expected.into(), self.actual.into(), message)
                .difference(self.difference)
                .cause(Some(cause()))
                .into()
        }
    }
}
