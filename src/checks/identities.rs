//! The two identities this program exists for: `quote-split` and `cost-sum`.

use super::{Case, Check, Ruling};
use crate::domain::finding::Severity;
use crate::domain::money::{Amount, Sum};

/// `quote_amount = final_amount + released_amount`.
pub(super) static QUOTE_SPLIT: Check = Check {
    code: "quote-split",
    holds_when: "quote_amount = final_amount + released_amount",
    due_when: "the order is settled and all three amounts are there",
    remedy: "Ask the provider why what was charged and what was given back do not add up to what was frozen. \
             A charge above the quote is allowed only where the submitter accepted external model costs.",
    severity: Severity::Error,
    examine: quote_split,
};

/// `total_cost = compute_cost + external_model_cost`.
pub(super) static COST_SUM: Check = Check {
    code: "cost-sum",
    holds_when: "total_cost = compute_cost + external_model_cost",
    due_when: "all three amounts are there, settled or not",
    remedy: "Ask the provider which of the three costs is wrong: the total is not the sum of its parts.",
    severity: Severity::Error,
    examine: cost_sum,
};

fn quote_split(case: &Case<'_>) -> Ruling {
    let amounts = &case.order.amounts;
    match (amounts.quote_amount, amounts.final_amount, amounts.released_amount) {
        (Some(quote), Some(charged), Some(released)) if case.settled => {
            let identity = Identity {
                expected: Sum::from(quote),
                actual: Sum::of([charged, released]),
                difference: Sum::of([charged, released, -quote]),
            };
            identity.rule(case.judging.tolerance, |expected, actual| {
                format!("final + released is {actual}, the quote is {expected}")
            })
        }
        _ => Ruling::NotDue,
    }
}

fn cost_sum(case: &Case<'_>) -> Ruling {
    let amounts = &case.order.amounts;
    match (amounts.compute_cost, amounts.external_model_cost, amounts.total_cost) {
        (Some(compute), Some(external), Some(total)) => {
            let identity = Identity {
                expected: Sum::of([compute, external]),
                actual: Sum::from(total),
                difference: Sum::of([total, -compute, -external]),
            };
            identity.rule(case.judging.tolerance, |expected, actual| {
                format!("the total is {actual}, compute + external is {expected}")
            })
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
    fn rule(self, tolerance: Amount, message: impl FnOnce(Sum, Sum) -> String) -> Ruling {
        if self.difference.is_zero() {
            Ruling::Holds
        } else if self.difference.abs() <= Sum::from(tolerance) {
            Ruling::Tolerated(self.difference)
        } else {
            Ruling::Fails {
                expected: self.expected.into(),
                actual: self.actual.into(),
                difference: Some(self.difference),
                message: message(self.expected, self.actual),
            }
        }
    }
}
