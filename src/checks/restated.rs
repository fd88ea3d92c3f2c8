//! The check that a settled order's figures never change.
//!
//! One restatement changes several amounts: a new charge brings a new release and a new cost. So a changed
//! amount gets its own finding only if the other amounts don't determine it. Quote, charge and external cost
//! always get one; each of the rest does only if the identity that would determine it is broken, before or
//! after the change. Waivers of all findings therefore pin down the exact change of all six amounts.

use super::{Case, Check, Examine, Failure, Ruling};
use crate::domain::finding::{Figure, Severity, Subject};
use crate::domain::money::{Amount, Sum};
use crate::domain::order::{Amounts, Charge};

/// An order still has the figures of its baseline, the first settled state with all six amounts.
pub(super) static RESTATED: Check = Check {
    code: "restated",
    severity: Severity::Error,
    examine: Examine::Fields { names: &FIELDS, examine: restated },
};

/// What a settlement fixes for good: the currency, then the six amounts in the order of [`Amounts::NAMES`].
const FIELDS: [&str; 7] = {
    let [quote, charged, released, compute, external, total] = Amounts::NAMES;
    ["quote_currency", quote, charged, released, compute, external, total]
};

fn restated(case: &Case<'_>) -> Vec<(Subject, Ruling)> {
    let Some(before) = case.baseline else {
        return Vec::new();
    };
    let now = case.order.charge();
    let sides = figures(before).into_iter().zip(figures(&now));
    let (mut rulings, mut followers) = (Vec::new(), Vec::new());
    for (field, (before_figure, now_figure)) in FIELDS.into_iter().zip(sides) {
        if before_figure == now_figure {
            rulings.push((Subject::field(field), Ruling::Holds));
        } else if is_determined(field, &before.amounts) && is_determined(field, &now.amounts) {
            followers.push(field);
        } else {
            rulings.push((Subject::field(field), Ruling::Fails(change_failure(field, before_figure, now_figure))));
        }
    }
    let first = rulings.iter_mut().find_map(|(_, ruling)| match ruling {
        Ruling::Fails(failure) => Some(failure),
        _ => None,
    });
    if let (Some(first), false) = (first, followers.is_empty()) {
        first.message = format!("{}; {} changed with it", first.message, followers.join(", "));
    }
    rulings
}

/// Whether the other amounts determine this field.
fn is_determined(field: &str, amounts: &Amounts) -> bool {
    let is_sum = |whole: Option<Amount>, parts: [Option<Amount>; 2]| match (whole, parts) {
        (Some(whole), [Some(one), Some(other)]) => Sum::from(whole) == Sum::of([one, other]),
        _ => false,
    };
    match field {
        "released_amount" => is_sum(amounts.quote_amount, [amounts.final_amount, amounts.released_amount]),
        "compute_cost" => is_sum(amounts.total_cost, [amounts.compute_cost, amounts.external_model_cost]),
        "total_cost" => amounts.total_cost.is_some() && amounts.total_cost == amounts.final_amount,
        _ => false,
    }
}

fn change_failure(field: &str, before: Figure, now: Figure) -> Failure {
    let shown = |figure: &Figure| match figure {
        Figure::Nothing => "none".to_owned(),
        figure => figure.to_string(),
    };
    let message = match (&before, &now) {
        // A currency is the provider's text: it belongs in the columns, never in a message.
        (Figure::Text(_), _) | (_, Figure::Text(_)) => format!("changed since it was settled: {field}"),
        _ => format!("changed since it was settled: {field} {} -> {}", shown(&before), shown(&now)),
    };
    let difference = match (&now, &before) {
        // Both are facts of at most 28 digits, so their difference always fits.
        (Figure::Money(now), Figure::Money(before)) => now.minus(*before).ok(),
        _ => None,
    };
    Failure::new(before, now, message).difference(difference)
}

/// The figures of a charge, in the order of [`FIELDS`].
fn figures(charge: &Charge) -> impl IntoIterator<Item = Figure> + use<> {
    let amounts = charge.amounts.in_order().map(|amount| amount.map_or(Figure::Nothing, Figure::from));
    [Figure::from(charge.currency.clone())].into_iter().chain(amounts)
}
