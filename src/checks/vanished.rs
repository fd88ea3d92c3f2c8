//! The check that the provider still knows an order that was seen settled.

use jiff::Timestamp;

use super::{
    Case, Check, Examine, Failure, Judgement, NOT_FOUND, Rules, Ruling, WaiverKey, WaiverState, finding,
    mark_waived_and_material,
};
use crate::domain::finding::{Figure, Severity, Subject};
use crate::domain::outcome::{Background, Bucket};

/// The provider still knows an order that was seen settled. It holds for every order that was fetched;
/// [`judge_missing`] judges the missing ones.
pub(super) static VANISHED: Check =
    Check { code: "vanished", severity: Severity::Error, examine: Examine::Order(|_| Ruling::Holds) };

/// Judges an order that, according to the provider, does not exist.
pub(super) fn judge_missing(asked: &str, background: &Background, rules: &Rules, as_of: Timestamp) -> Judgement {
    let missing = Judgement::unchecked(Bucket::NotFound);
    let key = WaiverKey { order: asked.to_owned(), check: NOT_FOUND.to_owned(), field: None, row: Subject::ORDER.row };
    let waiver = rules.waivers.get(&key);
    let Some(order) = background.last_seen.as_deref().filter(|_| !rules.off.contains(VANISHED.code)) else {
        let state = waiver.map(|waiver| waiver.state(None, as_of));
        let bucket = if state == Some(WaiverState::Applied) { Bucket::Waived } else { Bucket::NotFound };
        return Judgement { bucket, waivers: state.map(|state| (key, state)).into_iter().collect(), ..missing };
    };
    let case = Case { asked, order, settled: false, baseline: None, background, as_of, rules };
    let charged = order.amounts.final_amount.map_or(Figure::Nothing, Figure::from);
    let message = match &charged {
        Figure::Nothing => "it was seen settled, but the provider no longer knows it".to_owned(),
        charged => format!("it was seen settled with a charge of {charged}, but the provider no longer knows it"),
    };
    let failure = Failure::new(charged, Figure::Nothing, message).into();
    let findings = finding(&VANISHED, rules, Subject::ORDER, failure).into_iter().collect();
    let mut judgement = mark_waived_and_material(Judgement { findings, ..missing }, &case);
    if judgement.findings.iter().all(|finding| finding.is_waived) {
        judgement.bucket = Bucket::Waived;
    }
    // A waiver for an order that never existed does not cover one that was settled.
    judgement.waivers.extend(waiver.map(|_| (key, WaiverState::Changed)));
    judgement
}
