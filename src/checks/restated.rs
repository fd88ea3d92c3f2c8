//! The check of a settlement against itself: what was settled stays as it was.

use super::{Case, Check, Examine, Failure, Ruling};
use crate::domain::finding::{Figure, Severity, Subject};
use crate::domain::order::Charge;

/// A settled order's figures are those of its baseline: the first settled state with all six amounts.
pub(super) static RESTATED: Check = Check {
    code: "restated",
    severity: Severity::Error,
    examine: Examine::Fields { names: &FIELDS, examine: restated },
};

/// What a settlement fixes for good: the currency and the six amounts in the order of [`Charge::amounts`].
const FIELDS: [&str; 7] = [
    "quote_currency",
    "quote_amount",
    "final_amount",
    "released_amount",
    "compute_cost",
    "external_model_cost",
    "total_cost",
];

fn restated(case: &Case<'_>) -> Vec<(Subject, Ruling)> {
    let Some(before) = case.settled_as else {
        return Vec::new();
    };
    let sides = figures(before).into_iter().zip(figures(&case.order.charge()));
    let rulings = FIELDS.into_iter().zip(sides).map(|(field, (before, now))| compare(field, before, now));
    FIELDS.into_iter().map(Subject::field).zip(rulings).collect()
}

fn compare(field: &str, before: Figure, now: Figure) -> Ruling {
    if before == now {
        return Ruling::Holds;
    }
    let shown = |figure: &Figure| match figure {
        Figure::Nothing => "none".to_owned(),
        figure => figure.to_string(),
    };
    let message = match (&before, &now) {
        // A currency is a text of the provider, which stands in the columns and in no message.
        (Figure::Text(_), _) | (_, Figure::Text(_)) => format!("changed since it was settled: {field}"),
        _ => format!("changed since it was settled: {field} {} -> {}", shown(&before), shown(&now)),
    };
    let difference = match (&now, &before) {
        // Neither is past 28 digits: the difference of two facts always fits.
        (Figure::Money(now), Figure::Money(before)) => now.minus(*before).ok(),
        _ => None,
    };
    Failure::new(before, now, message).difference(difference).into()
}

/// The figures of [`FIELDS`].
fn figures(charge: &Charge) -> impl IntoIterator<Item = Figure> + use<> {
    let amounts = charge.amounts.in_order().map(|amount| amount.map_or(Figure::Nothing, Figure::from));
    [Figure::from(charge.currency.clone())].into_iter().chain(amounts)
}
