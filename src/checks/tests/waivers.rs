//! What a waiver covers, and what it does not.

use jiff::ToSpan;
use jiff::civil::Date;

use std::collections::BTreeSet;

use super::*;
use crate::domain::books::{Booking, Field};
use crate::domain::outcome::Reason;

fn waiver(figures: Figures) -> Waiver {
    Waiver {
        figures,
        owner: "Li Wei".into(),
        reason: "credit note 17".into(),
        expires: Date::constant(2026, 5, 8),
        until: AS_OF + 1.microsecond(),
    }
}

fn key(check: &str, field: Option<&str>, row: u64) -> WaiverKey {
    WaiverKey { order: ASKED.to_owned(), check: check.to_owned(), field: field.map(str::to_owned), row }
}

fn waiving(check: &str, figures: Figures) -> Rules {
    let waivers = Waivers::from([(key(check, None, 1), waiver(figures))]);
    Rules { waivers, ..Rules::default() }
}

/// An order that is off by one unit, in the split alone.
fn off_by_one() -> RunOrder {
    order([100, 60, 41, 50, 10, 60].map(Some))
}

fn outcome(judgement: &Judgement) -> (Bucket, Vec<(&str, bool)>, Vec<WaiverState>) {
    let findings = judgement.findings.iter().map(|finding| (finding.check, finding.is_waived)).collect();
    (judgement.bucket, findings, judgement.waivers.iter().map(|(_, state)| *state).collect())
}

#[test]
fn an_exact_difference_is_waived_until_the_waiver_expires() {
    let rules = waiving("quote-split", Figures::Difference(money(1)));
    let applied = (Bucket::Waived, vec![("quote-split", true)], vec![WaiverState::Applied]);
    assert_eq!(outcome(&judge_with(off_by_one(), &rules)), applied);

    let later = Outcome { line: 2, run_order_id: ASKED.into(), evidence: off_by_one().into() };
    let expired = (Bucket::Discrepant, vec![("quote-split", false)], vec![WaiverState::Expired]);
    assert_eq!(outcome(&judge(&later, &Background::default(), &rules, AS_OF + 1.microsecond())), expired);
}

#[test]
fn other_figures_are_not_waived() {
    let changed = (Bucket::Discrepant, vec![("quote-split", false)], vec![WaiverState::Changed]);
    for figures in [
        Figures::Difference(money(2)),
        Figures::Difference(money(-1)),
        Figures::Missing,
        Figures::Sides { expected: "0.00000100".into(), actual: "0.00000102".into() },
    ] {
        assert_eq!(outcome(&judge_with(off_by_one(), &waiving("quote-split", figures))), changed);
    }
    let sides = Figures::Sides { expected: "0.00000100".into(), actual: "0.00000101".into() };
    assert_eq!(judge_with(off_by_one(), &waiving("quote-split", sides)).bucket, Bucket::Waived);
}

#[test]
fn an_order_is_waived_only_if_all_its_errors_are() {
    let two = RunOrder { quote_currency: None, ..off_by_one() };
    let rules = waiving("quote-split", Figures::Difference(money(1)));
    let findings = vec![("currency", false), ("quote-split", true)];
    assert_eq!(outcome(&judge_with(two, &rules)), (Bucket::Discrepant, findings, vec![WaiverState::Applied]));
}

#[test]
fn another_order_and_a_check_that_holds_leave_a_waiver_unused() {
    let rules = waiving("cost-sum", Figures::Difference(money(1)));
    let (bucket, _, states) = outcome(&judge_with(off_by_one(), &rules));
    assert_eq!((bucket, states), (Bucket::Discrepant, vec![]));
    let rules = waiving("quote-split", Figures::Difference(money(1)));
    let other = Outcome {
        line: 2,
        run_order_id: "wfrun_2".into(),
        evidence: RunOrder { run_order_id: Some("wfrun_2".into()), ..off_by_one() }.into(),
    };
    assert_eq!(judge(&other, &Background::default(), &rules, AS_OF).bucket, Bucket::Discrepant);
}

#[test]
fn a_warning_that_is_waived_leaves_the_bucket_alone() {
    let charged = order([100, 61, 39, 50, 10, 60].map(Some));
    let rules = waiving("charge-equals-cost", Figures::Difference(money(1)));
    let findings = vec![("charge-equals-cost", true)];
    let expected = (Bucket::Reconciled, findings, vec![WaiverState::Applied]);
    assert_eq!(outcome(&judge_with(charged, &rules)), expected);
}

#[test]
fn a_waived_finding_is_not_material() {
    let material = |figures| {
        let rules = Rules { material: Some(amount(1)), ..waiving("quote-split", figures) };
        judge_with(off_by_one(), &rules).findings[0].is_material
    };
    assert_eq!([1, 2].map(|units| material(Figures::Difference(money(units)))), [false, true]);
}

#[test]
fn a_missing_order_is_waived_by_its_own_code() {
    let missing = |rules: &Rules, as_of| {
        let evidence = Evidence::NotFound(Reason::new("http-404", ""));
        judge(&Outcome { line: 2, run_order_id: ASKED.into(), evidence }, &Background::default(), rules, as_of)
    };
    let rules = waiving(NOT_FOUND, Figures::Missing);
    assert_eq!(outcome(&missing(&rules, AS_OF)), (Bucket::Waived, vec![], vec![WaiverState::Applied]));
    let later = AS_OF + 1.microsecond();
    assert_eq!(outcome(&missing(&rules, later)), (Bucket::NotFound, vec![], vec![WaiverState::Expired]));
    let rules = waiving("quote-split", Figures::Missing);
    assert_eq!(outcome(&missing(&rules, AS_OF)), (Bucket::NotFound, vec![], vec![]));
}

#[test]
fn a_foreign_reply_is_waived_by_the_order_it_names() {
    let foreign = RunOrder { run_order_id: Some("wfrun_2".into()), ..clean() };
    let sides = Figures::Sides { expected: ASKED.into(), actual: "wfrun_2".into() };
    let judgement = judge_with(foreign, &waiving("identity-mismatch", sides));
    assert_eq!((judgement.bucket, judgement.foreign), (Bucket::Waived, true));
}

#[test]
fn a_text_is_waived_as_given_and_as_reports_show_it() {
    let replied = "=wfrun\u{7}";
    for (text, bucket) in
        [(replied, Bucket::Waived), ("'=wfrun\u{fffd}", Bucket::Waived), ("=wfrun", Bucket::Discrepant)]
    {
        let foreign = RunOrder { run_order_id: Some(replied.into()), ..clean() };
        let sides = Figures::Sides { expected: ASKED.into(), actual: text.into() };
        assert_eq!(judge_with(foreign, &waiving("identity-mismatch", sides)).bucket, bucket, "{text:?}");
    }
}

#[test]
fn row_counts_are_compared_as_texts_and_amounts_by_value() {
    let sides = |expected: &str, actual: &str| Figures::Sides { expected: expected.into(), actual: actual.into() };
    for (figures, bucket) in [(sides("1", "2"), Bucket::Waived), (sides("1.0", "2"), Bucket::Discrepant)] {
        let cells = std::collections::BTreeMap::from([(Field::Final, "0.0000006".to_owned())]);
        let bookings = vec![Booking { line: 4, cells: cells.clone() }, Booking { line: 9, cells }];
        let background = Background { bookings, ..Background::default() };
        let outcome = Outcome { line: 2, run_order_id: ASKED.into(), evidence: clean().into() };
        let rules = waiving("booked-twice", figures.clone());
        assert_eq!(judge(&outcome, &background, &rules, AS_OF).bucket, bucket, "{figures:?}");
    }
    for text in ["0.000001", "0.00000100", "0.0000010000"] {
        assert_eq!(judge_with(off_by_one(), &waiving("quote-split", sides(text, "0.00000101"))).bucket, Bucket::Waived);
    }
}

#[test]
fn expired_and_changed_waivers_have_lapsed() {
    let states = [WaiverState::Applied, WaiverState::Expired, WaiverState::Changed, WaiverState::Unused];
    assert_eq!(states.map(WaiverState::is_lapsed), [false, true, true, false]);
    assert_eq!(states.map(WaiverState::code), ["applied", "expired", "changed", "unused"]);
}

#[test]
fn a_waiver_of_one_figure_covers_no_other() {
    let booking = |line, cells: &[(Field, &str)]| Booking {
        line,
        cells: cells.iter().map(|(field, text)| (*field, (*text).to_owned())).collect(),
    };
    let first = || booking(2, &[(Field::Final, "0.00000050")]);
    let judged = |bookings: Vec<Booking>| {
        let waived = key("expected-mismatch", Some("final_amount"), 1);
        let waivers = Waivers::from([(waived, waiver(Figures::Difference(money(10))))]);
        let rules = Rules { waivers, off: BTreeSet::from(["booked-twice"]), ..Rules::default() };
        let background = Background { bookings, ..Background::default() };
        let outcome = Outcome { line: 2, run_order_id: ASKED.into(), evidence: clean().into() };
        let judgement = judge(&outcome, &background, &rules, AS_OF);
        let waived: Vec<bool> = judgement.findings.iter().map(|finding| finding.is_waived).collect();
        (judgement.bucket, waived)
    };
    assert_eq!(judged(vec![first()]), (Bucket::Waived, vec![true]));
    let text_beside = booking(2, &[(Field::Final, "0.00000050"), (Field::RunStatus, "failed")]);
    assert_eq!(judged(vec![text_beside]), (Bucket::Discrepant, vec![true, false]));
    for second in ["77.00", "0.00000050"] {
        let rows = vec![first(), booking(3, &[(Field::Final, second)])];
        assert_eq!(judged(rows), (Bucket::Discrepant, vec![true, false]), "{second}");
    }
}

#[test]
fn a_vanished_order_is_waived_as_vanished_and_not_as_not_found() {
    let judged = |check: &str, figures, last_seen: Option<RunOrder>| {
        let evidence = Evidence::NotFound(Reason::new("http-404", "no such order"));
        let outcome = Outcome { line: 2, run_order_id: ASKED.into(), evidence };
        let background = Background { last_seen: last_seen.map(Box::new), ..Background::default() };
        let judgement = judge(&outcome, &background, &waiving(check, figures), AS_OF);
        (judgement.bucket, codes(&judgement).len(), judgement.waivers[0].1)
    };
    let last = Figures::Sides { expected: "0.00000060".into(), actual: String::new() };
    assert_eq!(judged("vanished", last, Some(clean())), (Bucket::Waived, 1, WaiverState::Applied));
    assert_eq!(judged(NOT_FOUND, Figures::Missing, Some(clean())), (Bucket::NotFound, 1, WaiverState::Changed));
    assert_eq!(judged(NOT_FOUND, Figures::Missing, None), (Bucket::Waived, 0, WaiverState::Applied));
}
