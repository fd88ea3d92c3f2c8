//! The check of a settlement against itself: what was settled stays as it was.

use super::{Case, Check, Failure, Ruling};
use crate::domain::finding::{Figure, Severity};
use crate::domain::order::{Amounts, Charge};

/// A settled order's figures are what they were when it was first seen settled.
pub(super) static RESTATED: Check = Check { code: "restated", severity: Severity::Error, examine: restated };

/// The amounts by how much they matter to who pays.
const BY_WEIGHT: [&str; 6] =
    ["final_amount", "total_cost", "quote_amount", "released_amount", "compute_cost", "external_model_cost"];

fn restated(case: &Case<'_>) -> Ruling {
    let Some(before) = case.settled_as else {
        return Ruling::NotDue;
    };
    let now = case.order.charge();
    if *before == now {
        return Ruling::Holds;
    }
    let changes: Vec<Change> = changes(before, &now);
    let texts: Vec<String> = changes.iter().map(Change::to_string).collect();
    let message = format!("changed since it was settled: {}", texts.join("; "));
    let first = changes.into_iter().next();
    let (expected, actual) = first.map_or((Figure::Nothing, Figure::Nothing), |change| (change.before, change.now));
    let difference = match (&actual, &expected) {
        // Neither is past 28 digits: the difference of two facts always fits.
        (Figure::Money(now), Figure::Money(before)) => now.minus(*before).ok(),
        _ => None,
    };
    Failure::new(expected, actual, message).difference(difference).into()
}

/// A figure that is another one now.
struct Change {
    name: &'static str,
    before: Figure,
    now: Figure,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A currency is a text of the provider, which stands in the columns and in no message.
        if matches!((&self.before, &self.now), (Figure::Text(_), _) | (_, Figure::Text(_))) {
            return f.write_str(self.name);
        }
        let shown = |figure: &Figure| match figure {
            Figure::Nothing => "none".to_owned(),
            figure => figure.to_string(),
        };
        write!(f, "{} {} -> {}", self.name, shown(&self.before), shown(&self.now))
    }
}

fn changes(before: &Charge, now: &Charge) -> Vec<Change> {
    let amount = |charge: &Charge, name: &str| {
        let at = Amounts::NAMES.iter().position(|other| *other == name);
        at.and_then(|at| charge.amounts.in_order()[at]).map_or(Figure::Nothing, Figure::from)
    };
    let currency = (before.currency != now.currency).then(|| Change {
        name: "quote_currency",
        before: before.currency.clone().into(),
        now: now.currency.clone().into(),
    });
    let amounts =
        BY_WEIGHT.into_iter().map(|name| Change { name, before: amount(before, name), now: amount(now, name) });
    currency.into_iter().chain(amounts.filter(|change| change.before != change.now)).collect()
}
