//! When checks are due, and what they find, with figures worked out by hand and in plain integers.

mod books;
mod completeness;
mod lifecycle;
mod rules;
mod settings;
mod waivers;
mod warnings;

use proptest::prelude::*;

use super::*;
use crate::domain::money::Amount;
use crate::domain::order::{Amounts, Remarks, TimeField};
use crate::domain::outcome::Reason;

const ASKED: &str = "wfrun_1";
const CREATED: Timestamp = Timestamp::constant(1_778_234_400, 0);
/// One hour after [`CREATED`].
const AS_OF: Timestamp = Timestamp::constant(1_778_238_000, 0);

fn amount(units: i128) -> Amount {
    Amount::from_units(units).expect("28 digits")
}

fn order(units: [Option<i128>; 6]) -> RunOrder {
    RunOrder {
        run_order_id: Some(ASKED.into()),
        quote_currency: Some("CNY".into()),
        freeze_status: Some("released".into()),
        submission_status: Some("submitted".into()),
        run_status: Some("succeeded".into()),
        settlement_status: Some("settled".into()),
        created_at: Some(CREATED),
        updated_at: Some(CREATED),
        amounts: Amounts::from_order(units.map(|units| units.map(amount))),
        ..RunOrder::default()
    }
}

/// A settled order that ties out: 100 = 60 + 40, 60 = 50 + 10.
fn clean() -> RunOrder {
    order([100, 60, 40, 50, 10, 60].map(Some))
}

/// A running order: only the quote is due.
fn open(units: [Option<i128>; 6]) -> RunOrder {
    RunOrder {
        freeze_status: Some("frozen".into()),
        run_status: Some("running".into()),
        settlement_status: None,
        ..order(units)
    }
}

fn error_codes(judgement: &Judgement) -> Vec<&'static str> {
    let errors = judgement.findings.iter().filter(|finding| finding.severity == Severity::Error);
    errors.map(|finding| finding.check).collect()
}

fn judge_with(order: RunOrder, rules: &Rules) -> Judgement {
    let outcome = Outcome { line: 2, run_order_id: ASKED.into(), evidence: order.into() };
    judge(&outcome, &Background::default(), rules, AS_OF)
}

fn judged(order: RunOrder) -> Judgement {
    judge_with(order, &Rules::default())
}

fn codes(judgement: &Judgement) -> Vec<&'static str> {
    judgement.findings.iter().map(|finding| finding.check).collect()
}

fn money(units: i128) -> Sum {
    Sum::from_units(units).expect("38 digits")
}

#[test]
fn status_words_alone_decide_what_is_settled() {
    let words = |word: &str| Some(word.to_owned()).filter(|word| !word.is_empty());
    for settlement in ["settled", "closed", ""] {
        for freeze in ["released", "frozen", "thawed", ""] {
            for run in ["succeeded", "failed", "queued", "running", "cancelled", ""] {
                let order = RunOrder {
                    settlement_status: words(settlement),
                    freeze_status: words(freeze),
                    run_status: words(run),
                    ..RunOrder::default()
                };
                let ended = ["succeeded", "failed"].contains(&run);
                let expected = settlement == "settled" || (settlement == "closed" && freeze == "released" && ended);
                assert_eq!(order.is_settled(), expected, "{settlement:?} {freeze:?} {run:?}");
            }
        }
    }
}

#[test]
fn a_settled_order_that_ties_out_is_reconciled() {
    let judgement = judged(clean());
    assert_eq!((judgement.bucket, judgement.settled, judgement.foreign), (Bucket::Reconciled, true, false));
    assert_eq!((codes(&judgement), judgement.tolerated), (vec![], vec![]));
}

#[test]
fn an_unsettled_order_is_pending_whatever_its_split_is() {
    let open = open([Some(100), Some(1), Some(1), None, None, None]);
    let judgement = judged(open);
    assert_eq!((judgement.bucket, judgement.settled, codes(&judgement)), (Bucket::Pending, false, vec![]));
}

#[test]
fn cost_sum_is_due_whenever_its_amounts_are_there() {
    let open = open([Some(100), None, None, Some(50), Some(10), Some(61)]);
    let judgement = judged(open);
    assert_eq!((judgement.bucket, codes(&judgement)), (Bucket::Discrepant, vec!["cost-sum"]));
    let finding = &judgement.findings[0];
    assert_eq!((&finding.expected, &finding.actual), (&Figure::Money(money(60)), &Figure::Money(money(61))));
    assert_eq!(finding.difference, Some(money(1)));
}

#[test]
fn the_quote_is_always_due_and_the_rest_once_settled() {
    for settled in [true, false] {
        for missing in 0..6 {
            let mut units = [100, 60, 40, 50, 10, 60].map(Some);
            units[missing] = None;
            let judgement = judged(if settled { order(units) } else { open(units) });
            let due = settled || missing == 0;
            assert_eq!(codes(&judgement) == ["missing-amount"], due, "{missing} {settled}");
            if due {
                assert_eq!(judgement.findings[0].expected, Figure::Text(Amounts::NAMES[missing].into()));
            }
        }
    }
}

#[test]
fn negative_amounts_are_found_settled_or_not() {
    let judgement = judged(order([100, 60, 40, 70, -10, 60].map(Some)));
    assert_eq!(codes(&judgement), ["negative-amount"]);
    assert_eq!(judgement.findings[0].actual, Figure::Text("external_model_cost=-0.00000010".into()));
    let open = open([Some(-1), None, None, None, None, None]);
    assert_eq!(codes(&judged(open)), ["negative-amount"]);
}

#[test]
fn no_other_check_judges_a_foreign_reply() {
    for replied in [Some("wfrun_2".to_owned()), None] {
        let mut foreign = order([Some(-1), None, None, None, None, None]);
        foreign.quote_currency = None;
        foreign.run_order_id.clone_from(&replied);
        let judgement = judged(foreign);
        assert_eq!((judgement.bucket, judgement.foreign, judgement.settled), (Bucket::Discrepant, true, false));
        assert_eq!(codes(&judgement), ["identity-mismatch"]);
        let finding = &judgement.findings[0];
        assert_eq!((&finding.expected, &finding.actual), (&Figure::Text(ASKED.into()), &replied.into()));
    }
}

#[test]
fn the_currency_must_be_present_and_expected() {
    let with = |currency: Option<&str>, expected: Option<&str>| {
        let order = RunOrder { quote_currency: currency.map(str::to_owned), ..clean() };
        codes(&judge_with(order, &Rules { currency: expected.map(str::to_owned), ..Rules::default() }))
    };
    assert_eq!(with(Some("CNY"), None), Vec::<&str>::new());
    assert_eq!(with(Some("CNY"), Some("CNY")), Vec::<&str>::new());
    assert_eq!(with(Some("USD"), Some("CNY")), ["currency"]);
    assert_eq!(with(None, None), ["currency"]);
    assert_eq!(with(None, Some("CNY")), ["currency"]);
}

#[test]
fn tolerance_never_hides_what_it_lets_pass() {
    let tolerant = Rules { tolerance: amount(5), ..Rules::default() };
    for off in [-5_i128, 5] {
        let judgement = judge_with(order([100, 60, 40 + off, 50, 10, 60 + off].map(Some)), &tolerant);
        assert_eq!(judgement.bucket, Bucket::Reconciled);
        let passed = |check| ToleratedDifference { check, difference: money(off) };
        assert_eq!(judgement.tolerated, [passed("quote-split"), passed("cost-sum")]);
    }
    let judgement = judge_with(order([100, 60, 46, 50, 10, 54].map(Some)), &tolerant);
    assert_eq!((error_codes(&judgement), judgement.tolerated), (vec!["cost-sum", "quote-split"], vec![]));
}

#[test]
fn findings_are_sorted_by_code() {
    let judgement =
        judged(RunOrder { quote_currency: None, ..order([Some(100), Some(-1), Some(7), None, None, None]) });
    assert_eq!(codes(&judgement), ["currency", "missing-amount", "negative-amount", "quote-split"]);
}

#[test]
fn an_outcome_without_an_order_has_its_bucket() {
    let reason = || Reason::new("x", "y");
    let cases = [
        (Evidence::NotFound(reason()), Bucket::NotFound),
        (Evidence::Refused(reason()), Bucket::Refused),
        (Evidence::Malformed(reason()), Bucket::Malformed),
        (Evidence::Unfetched(reason()), Bucket::Unfetched),
        (Evidence::Duplicate { first_line: 2 }, Bucket::Duplicate),
        (Evidence::Rejected(reason()), Bucket::Rejected),
    ];
    for (evidence, bucket) in cases {
        let outcome = Outcome { line: 3, run_order_id: ASKED.into(), evidence };
        assert_eq!(judge(&outcome, &Background::default(), &Rules::default(), AS_OF), Judgement::unchecked(bucket));
    }
}

/// The largest amount: 28 digits.
const LARGEST: i128 = 10_i128.pow(28) - 1;

proptest! {
    #[test]
    fn any_split_holds(quote in 0..=LARGEST, total in 0..=LARGEST, cut in 0..=LARGEST, part in 0..=LARGEST) {
        let (charged, compute) = (cut % (quote + 1), part % (total + 1));
        let units = [quote, charged, quote - charged, compute, total - compute, total];
        prop_assert_eq!(judged(order(units.map(Some))).bucket, Bucket::Reconciled);
    }

    #[test]
    fn one_unit_is_found_with_its_exact_difference(
        quote in 1..LARGEST, total in 1..LARGEST, cut in 1..LARGEST, part in 1..LARGEST,
        which in 0_usize..6, up in any::<bool>(),
    ) {
        let (charged, compute) = (cut % quote, part % total);
        let mut units = [quote, charged, quote - charged, compute, total - compute, total];
        let change = if up { 1 } else { -1 };
        units[which] += change;
        // Actual minus expected: final, released and total are actual; quote, compute and external are
        // expected.
        let (check, difference) = match which {
            0 => ("quote-split", -change),
            1 | 2 => ("quote-split", change),
            3 | 4 => ("cost-sum", -change),
            _ => ("cost-sum", change),
        };
        let judgement = judged(order(units.map(Some)));
        prop_assert_eq!(judgement.bucket, Bucket::Discrepant);
        let found = judgement.findings.iter().find(|finding| finding.check == check);
        prop_assert_eq!(found.and_then(|finding| finding.difference), Some(money(difference)));
        let others = error_codes(&judgement).into_iter().filter(|code| *code != check);
        prop_assert!(others.into_iter().all(|other| other == "negative-amount" && units[which] < 0));
    }
}

#[test]
fn a_settlement_is_compared_with_its_baseline() {
    let judged = |now: RunOrder, before: Option<Charge>| {
        let evidence = Evidence::Fetched(Box::new(Fetched { order: now, is_reused: false, baseline: before }));
        judge(
            &Outcome { line: 2, run_order_id: ASKED.into(), evidence },
            &Background::default(),
            &Rules::default(),
            AS_OF,
        )
    };
    assert_eq!(judged(clean(), None).bucket, Bucket::Reconciled, "never seen settled before");
    assert_eq!(judged(clean(), Some(clean().charge())).bucket, Bucket::Reconciled, "unchanged");

    // 100 = 70 + 30 and 70 = 60 + 10 tie out by themselves.
    let restated = order([100, 70, 30, 60, 10, 70].map(Some));
    let judgement = judged(restated, Some(clean().charge()));
    assert_eq!((judgement.bucket, codes(&judgement)), (Bucket::Discrepant, vec!["restated"]));
    let finding = &judgement.findings[0];
    let figures = (finding.expected.clone(), finding.actual.clone(), finding.difference);
    assert_eq!(figures, (Figure::Money(money(60)), Figure::Money(money(70)), Some(money(10))));
    let message = "changed since it was settled: final_amount 0.00000060 -> 0.00000070; released_amount, compute_cost, \
                   total_cost changed with it";
    assert_eq!((finding.subject.field, finding.message.as_str()), (Some("final_amount"), message));

    // The release no longer follows from quote and charge, so it gets its own finding.
    let judgement = judged(order([100, 70, 31, 60, 10, 70].map(Some)), Some(clean().charge()));
    let fields = judgement.findings.iter().filter(|finding| finding.check == "restated");
    let fields: Vec<_> = fields.map(|finding| finding.subject.field).collect();
    assert_eq!(fields, [Some("final_amount"), Some("released_amount")]);

    let mut vanished = clean();
    vanished.amounts.released_amount = None;
    let judgement = judged(vanished, Some(clean().charge()));
    let finding = judgement.findings.iter().find(|finding| finding.check == "restated").expect("restated");
    assert_eq!((&finding.expected, &finding.actual), (&Figure::Money(money(40)), &Figure::Nothing));
    assert_eq!(finding.difference, None);
    assert_eq!(finding.message, "changed since it was settled: released_amount 0.00000040 -> none");

    let mut unsettled = open([100, 60, 40, 50, 10, 60].map(Some));
    assert_eq!(judged(unsettled.clone(), Some(clean().charge())).bucket, Bucket::Pending, "its figures are the same");
    unsettled.amounts.final_amount = None;
    assert_eq!(codes(&judged(unsettled, Some(clean().charge()))), ["restated"]);

    let mut exchanged = clean();
    exchanged.quote_currency = Some("USD".into());
    let judgement = judged(exchanged, Some(clean().charge()));
    let finding = &judgement.findings[0];
    assert_eq!((finding.expected.to_string(), finding.actual.to_string()), ("CNY".into(), "USD".into()));
    assert_eq!(finding.message, "changed since it was settled: quote_currency");
}
