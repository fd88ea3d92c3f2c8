//! Checks of what the reply is about: the order that was asked for, in the currency that is expected.

use super::{Case, Check, Ruling, is_about};
use crate::domain::finding::{Figure, Severity};

/// The reply is about the order that was asked for.
pub(super) static IDENTITY_MISMATCH: Check = Check {
    code: "identity-mismatch",
    holds_when: "the reply is about the order that was asked for",
    due_when: "always; when it fails no other check judges the order, and its amounts enter no sum",
    remedy: "The provider answered with somebody else's order, or with none. Report it to the provider at once.",
    severity: Severity::Error,
    examine: identity_mismatch,
};

/// The currency is there, and the expected one if one is set.
pub(super) static CURRENCY: Check = Check {
    code: "currency",
    holds_when: "quote_currency is there, and the expected one if one is set",
    due_when: "always",
    remedy: "Set --currency to the currency of your contract; ask the provider about orders in any other.",
    severity: Severity::Error,
    examine: currency,
};

fn identity_mismatch(case: &Case<'_>) -> Ruling {
    if is_about(case.asked, case.order) {
        return Ruling::Holds;
    }
    Ruling::Fails {
        expected: Figure::Text(case.asked.to_owned()),
        actual: case.order.run_order_id.clone().into(),
        difference: None,
        message: match case.order.run_order_id {
            Some(_) => "the reply is about another order".to_owned(),
            None => "the reply names no order".to_owned(),
        },
    }
}

fn currency(case: &Case<'_>) -> Ruling {
    let (actual, expected) = (&case.order.quote_currency, &case.judging.currency);
    let message = match (actual, expected) {
        (None, _) => "the reply names no currency",
        (Some(actual), Some(expected)) if actual != expected => "not the expected currency",
        _ => return Ruling::Holds,
    };
    Ruling::Fails {
        expected: expected.clone().into(),
        actual: actual.clone().into(),
        difference: None,
        message: message.to_owned(),
    }
}
