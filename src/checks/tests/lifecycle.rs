//! An earlier finding is resolved only if the same check is due again, and holds.

use std::collections::BTreeSet;

use super::*;
use crate::domain::books::{Booking, Field};
use crate::domain::finding::{PastFinding, Subject};
use crate::domain::listed::ListedAmounts;

pub(super) fn past(check: &str, subject: Subject, expected: &str, actual: &str) -> PastFinding {
    PastFinding {
        discrepancy_id: String::new(),
        run_order_id: ASKED.into(),
        check: check.into(),
        field: subject.field.map(str::to_owned),
        row: subject.row,
        severity: "error".into(),
        currency: None,
        expected: expected.into(),
        actual: actual.into(),
        difference: None,
    }
}

/// Whether judging the order resolves the earlier finding, given what else is known about the order.
fn resolved_by(past: &PastFinding, order: RunOrder, background: Background, rules: &Rules) -> bool {
    let outcome = Outcome { line: 2, run_order_id: ASKED.into(), evidence: order.into() };
    let background = Background { past_findings: vec![past.clone()], ..background };
    let judgement = judge(&outcome, &background, rules, AS_OF);
    assert!(!(judgement.resolves(past) && judgement.repeats(past)), "found and resolved: {past:?}");
    judgement.resolves(past)
}

fn resolved(past: &PastFinding, order: RunOrder) -> bool {
    resolved_by(past, order, Background::default(), &Rules::default())
}

#[test]
fn an_identity_is_resolved_where_its_amounts_are_due_again() {
    let split = past("quote-split", Subject::ORDER, "", "");
    assert!(resolved(&split, clean()));
    let amounts = [Some(100), Some(60), None, Some(50), Some(10), Some(60)];
    assert!(!resolved(&split, order(amounts)), "an amount is missing");
    assert!(!resolved(&split, open([100, 60, 40, 50, 10, 60].map(Some))), "no longer settled");
    assert!(!resolved(&split, RunOrder { run_order_id: Some("wfrun_2".into()), ..clean() }), "a different order");
    let off = Rules { off: BTreeSet::from(["quote-split"]), ..Rules::default() };
    assert!(!resolved_by(&split, clean(), Background::default(), &off), "switched off");
    let by_tolerance = Rules { tolerance: amount(1), ..Rules::default() };
    let off_by_one = order([100, 60, 41, 50, 10, 60].map(Some));
    assert!(!resolved_by(&split, off_by_one, Background::default(), &by_tolerance), "it passes by tolerance");
}

#[test]
fn missing_and_negative_amounts_are_resolved_where_they_are_due_again() {
    let missing = past("missing-amount", Subject::ORDER, "final_amount total_cost", "");
    assert!(resolved(&missing, clean()));
    assert!(!resolved(&missing, open([Some(100), None, None, None, None, None])), "not due yet");
    let quote = past("missing-amount", Subject::ORDER, "quote_amount", "");
    assert!(resolved(&quote, open([Some(100), None, None, None, None, None])), "the quote is always due");
    let negative = past("negative-amount", Subject::ORDER, "", "final_amount=-0.10000000");
    assert!(resolved(&negative, clean()));
    assert!(!resolved(&negative, open([Some(100), None, None, None, None, None])), "the amount is gone");
}

#[test]
fn books_resolve_findings_on_fields_they_still_have() {
    let field = Subject::field("final_amount");
    let booking = |field| Booking { line: 2, cells: [(field, "0.0000006".to_owned())].into() };
    let books = |bookings: Vec<Booking>| Background { bookings, ..Background::default() };
    let rules = Rules::default();
    let found = past("expected-mismatch", field, "1", "2");
    assert!(resolved_by(&found, clean(), books(vec![booking(Field::Final)]), &rules));
    assert!(!resolved_by(&found, clean(), books(Vec::new()), &rules), "no books tonight");
    assert!(!resolved_by(&found, clean(), books(vec![booking(Field::Total)]), &rules), "a different column");
    let unsettled = open([Some(100), None, None, None, None, None]);
    let empty = Booking { line: 2, cells: [(Field::Final, String::new())].into() };
    assert!(!resolved_by(&found, unsettled, books(vec![empty]), &rules), "not due yet");
    let second = past("expected-mismatch", Subject { row: 2, ..field }, "1", "2");
    assert!(resolved_by(&second, clean(), books(vec![booking(Field::Final)]), &rules), "the row is gone");
    assert!(!resolved_by(&second, clean(), books(vec![booking(Field::Total)]), &rules));
    let twice = past("booked-twice", Subject::ORDER, "1", "2");
    assert!(resolved_by(&twice, clean(), books(vec![booking(Field::Final)]), &rules));
    assert!(!resolved_by(&twice, clean(), books(Vec::new()), &rules));
}

#[test]
fn the_list_and_the_baseline_resolve_their_own_findings() {
    let rules = Rules::default();
    let list = |listed| Background { listed, ..Background::default() };
    let amounts = ListedAmounts { quote_amount: Some(amount(100)), final_amount: None };
    let quote = past("list-mismatch", Subject::field("quote_amount"), "", "");
    let charge = past("list-mismatch", Subject::field("final_amount"), "", "");
    let unlisted = past("unlisted-in-input", Subject::ORDER, "", "");
    for (found, expected) in [(&quote, true), (&charge, false), (&unlisted, true)] {
        assert_eq!(resolved_by(found, clean(), list(Some(amounts)), &rules), expected, "{found:?}");
        assert!(!resolved_by(found, clean(), list(None), &rules), "no list: {found:?}");
    }
    let restated = past("restated", Subject::field("final_amount"), "", "");
    assert!(!resolved(&restated, clean()), "no baseline");
    let evidence = |now: RunOrder| {
        Evidence::Fetched(Box::new(Fetched { order: now, is_reused: false, baseline: Some(clean().charge()) }))
    };
    let background = Background { past_findings: vec![restated.clone()], ..Background::default() };
    for (now, expected) in [(clean(), true), (order([100, 70, 30, 60, 10, 70].map(Some)), false)] {
        let outcome = Outcome { line: 2, run_order_id: ASKED.into(), evidence: evidence(now) };
        assert_eq!(judge(&outcome, &background, &rules, AS_OF).resolves(&restated), expected);
    }
}

#[test]
fn findings_on_times_and_words_are_resolved_where_they_are_due_again() {
    let stale = past("stale-pending", Subject::ORDER, "below 24h", "");
    assert!(resolved(&stale, clean()), "settled at last");
    let unknown = past("unknown-status", Subject::ORDER, "", "settlement_status=odd");
    assert!(resolved(&unknown, clean()));
    let running = RunOrder { run_status: Some("running".into()), ..open([Some(100), None, None, None, None, None]) };
    assert!(!resolved(&unknown, running), "the word is not due until the run has ended");
    let currency = past("currency", Subject::ORDER, "USD", "CNY");
    assert!(!resolved(&currency, clean()), "no currency is expected tonight");
    let expecting = Rules { currency: Some("CNY".into()), ..Rules::default() };
    assert!(resolved_by(&currency, clean(), Background::default(), &expecting));
    assert!(resolved(&past("identity-mismatch", Subject::ORDER, "", ""), clean()));
    assert!(resolved(&past("vanished", Subject::ORDER, "", ""), clean()), "it is there again");
}
