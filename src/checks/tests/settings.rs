//! What the settings change: tolerances, severities, checks that are off, ages and materiality.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;

use super::*;
use crate::domain::time::Age;

fn minutes(minutes: i64) -> Age {
    Age::try_from(minutes * 60).expect("an age")
}

/// A charge 50 above the quote of 100, with nothing released.
fn overage() -> RunOrder {
    order([100, 150, 0, 150, 0, 150].map(Some))
}

fn severities(judgement: &Judgement) -> Vec<(&'static str, Option<&'static str>, Severity)> {
    judgement.findings.iter().map(|finding| (finding.check, finding.cause, finding.severity)).collect()
}

fn softened(keys: &[(&str, Severity)]) -> Rules {
    let severities = keys.iter().map(|(key, severity)| ((*key).to_owned(), *severity)).collect();
    Rules { severities, ..Rules::default() }
}

#[test]
fn a_currency_has_its_own_tolerance() {
    let tolerances = BTreeMap::from([("CNY".to_owned(), amount(3))]);
    let rules = Rules { tolerance: amount(1), tolerances, ..Rules::default() };
    let off_by = |units: i128, currency: &str| {
        let order = order([Some(100), Some(60), Some(40 + units), Some(60), Some(0), Some(60)]);
        judge_with(RunOrder { quote_currency: Some(currency.into()), ..order }, &rules).bucket
    };
    assert_eq!([off_by(3, "CNY"), off_by(4, "CNY")], [Bucket::Reconciled, Bucket::Discrepant]);
    assert_eq!([off_by(1, "USD"), off_by(2, "USD")], [Bucket::Reconciled, Bucket::Discrepant]);
}

#[test]
fn a_severity_by_cause_wins_over_the_one_by_check() {
    let cause = Some("overage");
    let exceeds = ("charge-exceeds-quote", None, Severity::Warning);
    let with = |keys: &[(&str, Severity)]| judge_with(overage(), &softened(keys));
    let judgement = with(&[]);
    assert_eq!(severities(&judgement), [exceeds, ("quote-split", cause, Severity::Error)]);
    assert_eq!(judgement.bucket, Bucket::Discrepant);

    let judgement = with(&[("quote-split.overage", Severity::Warning)]);
    assert_eq!(severities(&judgement), [exceeds, ("quote-split", cause, Severity::Warning)]);
    assert_eq!(judgement.bucket, Bucket::Reconciled);

    let keys = [("quote-split", Severity::Warning), ("quote-split.overage", Severity::Error)];
    assert_eq!(with(&keys).bucket, Bucket::Discrepant);
    assert_eq!(with(&[("quote-split.scale", Severity::Warning)]).bucket, Bucket::Discrepant, "a different cause");
    assert_eq!(
        with(&[("charge-exceeds-quote", Severity::Error), ("quote-split", Severity::Warning)]).bucket,
        Bucket::Discrepant
    );
}

#[test]
fn a_check_that_is_off_finds_nothing() {
    let rules = Rules { off: BTreeSet::from(["quote-split", "charge-exceeds-quote"]), ..Rules::default() };
    let judgement = judge_with(overage(), &rules);
    assert_eq!((codes(&judgement), judgement.bucket), (vec![], Bucket::Reconciled));
}

#[test]
fn the_age_of_a_stale_order_is_a_setting() {
    let rules = Rules { stale_after: Age::of_hours(1), ..Rules::default() };
    let waiting = open([Some(100), None, None, None, None, None]);
    assert_eq!(codes(&judge_with(waiting.clone(), &rules)), ["stale-pending"]);
    let younger = Some(CREATED + 1.microsecond());
    let younger = RunOrder { created_at: younger, updated_at: younger, ..waiting };
    assert_eq!(codes(&judge_with(younger, &rules)), Vec::<&str>::new());
}

#[test]
fn a_difference_is_material_by_its_size_whatever_its_sign_and_severity() {
    let with = |charged: i128, material: i128| {
        let order = order([Some(100), Some(charged), Some(100 - charged), Some(60), Some(0), Some(60)]);
        let judgement = judge_with(order, &Rules { material: Some(amount(material)), ..Rules::default() });
        let [finding] = judgement.findings.as_slice() else {
            panic!("one finding: {:?}", judgement.findings);
        };
        assert_eq!(finding.check, "charge-equals-cost");
        finding.is_material
    };
    assert_eq!([with(63, 3), with(57, 3), with(63, 4), with(57, 4)], [true, true, false, false]);
    let none = judge_with(overage(), &Rules::default());
    assert!(none.findings.iter().all(|finding| !finding.is_material), "no materiality is set");
}

#[test]
fn a_workflow_has_its_own_thresholds() {
    let own = Thresholds { tolerance: Some(amount(5)), stale_after: Some(minutes(61)), material: Some(amount(7)) };
    let rules = Rules {
        tolerance: amount(1),
        stale_after: minutes(30),
        material: Some(amount(20)),
        workflows: BTreeMap::from([("wf_own".to_owned(), own)]),
        ..Rules::default()
    };
    let of = |workflow: &str, order: RunOrder| {
        judge_with(RunOrder { workflow_id: Some(workflow.to_owned()), ..order }, &rules)
    };
    let off_by = |units: i128| order([Some(100), Some(60), Some(40 + units), Some(60), Some(0), Some(60)]);
    assert_eq!(
        [of("wf_own", off_by(5)).bucket, of("wf_own", off_by(6)).bucket],
        [Bucket::Reconciled, Bucket::Discrepant]
    );
    assert_eq!([of("wf_1", off_by(1)).bucket, of("wf_1", off_by(2)).bucket], [Bucket::Reconciled, Bucket::Discrepant]);
    let material = |judgement: Judgement| judgement.findings[0].is_material;
    assert_eq!([material(of("wf_own", off_by(6))), material(of("wf_own", off_by(7)))], [false, true]);
    assert_eq!([material(of("wf_1", off_by(19))), material(of("wf_1", off_by(20)))], [false, true]);
    // AS_OF is one hour after the order was created.
    let waiting = || open([Some(100), None, None, None, None, None]);
    assert_eq!(codes(&of("wf_own", waiting())), Vec::<&str>::new());
    assert_eq!(codes(&of("wf_1", waiting())), ["stale-pending"]);
}

#[test]
fn an_order_about_to_be_stale_is_warned_of() {
    let rules = Rules { warn_before: Some(Age::of_hours(6)), ..Rules::default() };
    let at = |order: &RunOrder, as_of| {
        let outcome = Outcome { line: 2, run_order_id: ASKED.into(), evidence: order.clone().into() };
        judge(&outcome, &Background::default(), &rules, as_of)
    };
    let waiting = open([Some(100), None, None, None, None, None]);
    let [soon, stale] = [CREATED + 18.hours(), CREATED + 24.hours()];
    assert_eq!(codes(&at(&waiting, soon - 1.microsecond())), Vec::<&str>::new());
    assert_eq!(codes(&at(&waiting, soon)), ["stale-soon"]);
    assert_eq!(codes(&at(&waiting, stale - 1.microsecond())), ["stale-soon"]);
    assert_eq!(codes(&at(&waiting, stale)), ["stale-pending"], "never both");
    assert_eq!(codes(&at(&clean(), soon)), Vec::<&str>::new(), "settled");
    assert_eq!(codes(&at(&RunOrder { created_at: None, ..waiting }, soon)), ["stale-pending"]);
    let message = &at(&open([Some(100), None, None, None, None, None]), soon).findings[0].message;
    assert_eq!(message, "not settled after 18 hours, stale after 24h");
}

#[test]
fn materiality_is_set_for_all_orders_or_for_one_workflow() {
    let has = |material: Option<i128>, own: &[Option<i128>]| {
        let of = |(at, units): (usize, &Option<i128>)| {
            (format!("wf_{at}"), Thresholds { material: units.map(amount), ..Thresholds::default() })
        };
        let workflows = own.iter().enumerate().map(of).collect();
        Rules { material: material.map(amount), workflows, ..Rules::default() }.has_materiality()
    };
    assert!(!has(None, &[]) && !has(None, &[None]), "neither");
    assert!(has(Some(0), &[]) && has(Some(7), &[None]), "for all orders");
    assert!(has(None, &[None, Some(7)]), "for those of one workflow");
}
