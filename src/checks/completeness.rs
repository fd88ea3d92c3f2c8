//! Checks against the provider's own list of orders: the input leaves none out, and the list agrees with the
//! orders themselves.

use super::{Case, Check, Examine, Failure, Judgement, Rules, Ruling, finding, mark_waived_and_material};
use crate::domain::finding::{Figure, Severity, Subject};
use crate::domain::listed::ListedOrder;
use crate::domain::money::{Amount, Sum};
use crate::domain::outcome::{Background, Bucket};
use crate::domain::time::Period;

/// The input has every order that the provider lists. A missing one has no row: [`judge_unlisted`] judges it.
pub(super) static UNLISTED_IN_INPUT: Check = Check {
    code: "unlisted-in-input",
    severity: Severity::Error,
    examine: Examine::Order(|case| match case.background.listed {
        Some(_) => Ruling::Holds,
        None => Ruling::NotDue,
    }),
};

/// The list has the same amounts as the order itself.
pub(super) static LIST_MISMATCH: Check = Check {
    code: "list-mismatch",
    severity: Severity::Error,
    examine: Examine::Fields { names: &["final_amount", "quote_amount"], examine: list_mismatch },
};

/// The input's orders were created in the requested period.
pub(super) static OUTSIDE_PERIOD: Check =
    Check { code: "outside-period", severity: Severity::Warning, examine: Examine::Order(outside_period) };

fn outside_period(case: &Case<'_>) -> Ruling {
    let (Some(period), Some(created)) = (case.rules.complete.filter(Period::is_bounded), case.order.created_at) else {
        return Ruling::NotDue;
    };
    if period.holds(created) {
        return Ruling::Holds;
    }
    let message = format!("created at {created}, outside the period {period}");
    Failure::new(Figure::Text(period.to_string()), Figure::Text(created.to_string()), message).into()
}

fn list_mismatch(case: &Case<'_>) -> Vec<(Subject, Ruling)> {
    let Some(listed) = case.background.listed else {
        return Vec::new();
    };
    let amounts = &case.order.amounts;
    // The list is fetched after the orders, so it may show a settlement that the order did not have yet.
    let charge = case.settled.then_some(("final_amount", listed.final_amount, amounts.final_amount));
    let sides = charge.into_iter().chain([("quote_amount", listed.quote_amount, amounts.quote_amount)]);
    sides
        .filter_map(|(field, listed, detailed)| Some((Subject::field(field), compare(field, listed?, detailed))))
        .collect()
}

fn compare(field: &str, listed: Amount, detailed: Option<Amount>) -> Ruling {
    if detailed == Some(listed) {
        return Ruling::Holds;
    }
    let shown = detailed.map_or_else(|| "none".to_owned(), |amount| amount.to_string());
    let message = format!("{field} is {shown}, the list says {listed}");
    let difference = detailed.map(|detailed| Sum::of([detailed, -listed]));
    let actual = detailed.map_or(Figure::Nothing, Figure::from);
    Failure::new(listed.into(), actual, message).difference(difference).into()
}

/// Judges an order that the provider lists and the input lacks. It has no row, so no other check applies.
#[must_use]
pub fn judge_unlisted(listed: &ListedOrder, rules: &Rules, as_of: jiff::Timestamp) -> Judgement {
    let check = &UNLISTED_IN_INPUT;
    let order = listed.order();
    let case = Case {
        asked: &listed.run_order_id,
        order: &order,
        settled: false,
        baseline: None,
        background: &Background::default(),
        as_of,
        rules,
    };
    let created = listed.created_at.map_or_else(String::new, |created| format!(", created at {created},"));
    let message = format!("the provider lists the order{created} and the input lacks it");
    let actual = listed.final_amount.map_or(Figure::Nothing, Figure::from);
    let failure = Ruling::Fails(Failure::new(Figure::Nothing, actual, message));
    let is_off = rules.off.contains(check.code);
    let findings = finding(check, rules, Subject::ORDER, failure).into_iter().filter(|_| !is_off).collect();
    mark_waived_and_material(Judgement { findings, ..Judgement::unchecked(Bucket::Discrepant) }, &case)
}
