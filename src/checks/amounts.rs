//! Checks of single amounts: those that are due are present, and none is below zero.

use super::{Case, Check, Examine, Failure, Ruling, ruling_without_failure};
use crate::domain::finding::{Figure, Severity};
use crate::domain::money::Amount;
use crate::domain::order::Amounts;

/// Every amount that is due is present.
pub(super) static MISSING_AMOUNT: Check =
    Check { code: "missing-amount", severity: Severity::Error, examine: Examine::Order(missing_amount) };

/// No amount is below zero.
pub(super) static NEGATIVE_AMOUNT: Check =
    Check { code: "negative-amount", severity: Severity::Error, examine: Examine::Order(negative_amount) };

fn missing_amount(case: &Case<'_>) -> Ruling {
    let due = if case.settled { Amounts::NAMES.len() } else { 1 };
    let missing: Vec<&str> =
        named(case).take(due).filter(|(_, amount)| amount.is_none()).map(|(name, _)| name).collect();
    if missing.is_empty() {
        let was_missing = case.past_finding(&MISSING_AMOUNT).map(|past| past.expected.as_str());
        return ruling_without_failure(was_missing, |name| named(case).take(due).any(|(due, _)| due == name));
    }
    let message = format!("missing: {}", missing.join(", "));
    Failure::new(Figure::Text(missing.join(" ")), Figure::Nothing, message).into()
}

fn negative_amount(case: &Case<'_>) -> Ruling {
    let negative: Vec<String> = named(case)
        .filter_map(|(name, amount)| Some((name, amount.filter(|amount| amount.is_negative())?)))
        .map(|(name, amount)| format!("{name}={amount}"))
        .collect();
    if negative.is_empty() {
        let was_negative = case.past_finding(&NEGATIVE_AMOUNT).map(|past| past.actual.as_str());
        let is_there = |name: &str| named(case).any(|(other, amount)| other == name && amount.is_some());
        return ruling_without_failure(was_negative, is_there);
    }
    let message = format!("below zero: {}", negative.join(", "));
    Failure::new(Figure::Nothing, Figure::Text(negative.join(" ")), message).into()
}

fn named<'c>(case: &Case<'c>) -> impl Iterator<Item = (&'static str, Option<Amount>)> + use<'c> {
    Amounts::NAMES.into_iter().zip(case.order.amounts.in_order())
}
