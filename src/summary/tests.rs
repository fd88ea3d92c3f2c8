//! Summaries against figures worked out by hand.

use super::*;
use crate::checks::{Rules, judge};
use crate::domain::money::Amount;
use crate::domain::order::Amounts;
use crate::domain::outcome::{Background, Evidence, Outcome, Reason};

const AS_OF: Timestamp = Timestamp::UNIX_EPOCH;

fn settled(units: [Option<i128>; 6]) -> Outcome {
    let amounts = units.map(|units| units.map(|units| Amount::from_units(units).expect("28 digits")));
    let order = RunOrder {
        run_order_id: Some("wfrun_1".into()),
        quote_currency: Some("CNY".into()),
        freeze_status: Some("released".into()),
        submission_status: Some("submitted".into()),
        run_status: Some("succeeded".into()),
        settlement_status: Some("settled".into()),
        amounts: Amounts::from_order(amounts),
        ..RunOrder::default()
    };
    Outcome { line: 2, run_order_id: "wfrun_1".into(), evidence: order.into() }
}

fn other(evidence: Evidence) -> Outcome {
    Outcome { line: 2, run_order_id: String::new(), evidence }
}

fn summarise(outcomes: &[Outcome]) -> Summary {
    let mut summary = Summary::default();
    for outcome in outcomes {
        let order = match &outcome.evidence {
            Evidence::Fetched(fetched) => Some(&fetched.order),
            _ => None,
        };
        summary
            .add(&judge(outcome, &Background::default(), &Rules::default(), AS_OF), order, AS_OF)
            .expect("small figures");
    }
    summary
}

fn sum(units: i128) -> Sum {
    Sum::from_units(units).expect("38 digits")
}

#[test]
fn a_sound_order_adds_what_its_judgement_would_add() {
    let judged = summarise(&[settled([Some(100), Some(60), Some(40), Some(60), Some(0), Some(60)])]);
    let mut counted = Summary::default();
    counted.add_sound("CNY", 1);
    assert_eq!(format!("{counted:?}"), format!("{judged:?}"));
}

#[test]
fn differences_are_summed_and_orders_that_lack_an_amount_kept_apart() {
    let summary = summarise(&[
        settled([Some(100), Some(60), Some(43), Some(60), Some(0), Some(60)]),
        settled([Some(100), Some(60), Some(38), Some(60), Some(0), Some(55)]),
        settled([Some(100), None, Some(7), Some(1), Some(2), None]),
    ]);
    let totals = &summary.currencies["CNY"];
    assert_eq!(totals.quote.difference, NetAndGross { net: sum(1), gross: sum(5) });
    assert_eq!(totals.cost.difference, NetAndGross { net: sum(-5), gross: sum(5) });
    assert_eq!(totals.quote.lacking, LackingTotals { orders: 1, whole: sum(100), parts: sum(7) });
    assert_eq!(totals.cost.lacking, LackingTotals { orders: 1, whole: sum(0), parts: sum(3) });
    assert_eq!(summary.checks["quote-split"].orders, 2);
    assert_eq!(summary.checks["missing-amount"].orders, 1);
    let causes: Vec<(&str, u64, Option<NetAndGross>)> = summary
        .causes
        .iter()
        .map(|(cause, count)| (cause.as_str(), count.orders, count.differences.get("CNY").copied()))
        .collect();
    let expected = [
        ("cost-sum.unexplained", 1, Some(NetAndGross { net: sum(-5), gross: sum(5) })),
        ("quote-split.rounding", 2, Some(NetAndGross { net: sum(1), gross: sum(5) })),
    ];
    assert_eq!(causes, expected);
    assert_eq!(summary.population.of(Bucket::Discrepant), 3);

    let aggregates = [300, 120, 88, 121, 2, 115].map(sum);
    let bridge = Bridge::build(&aggregates, totals).expect("small figures");
    assert!(bridge.holds(), "{bridge:?}");
    for index in 0..aggregates.len() {
        let mut wrong = aggregates;
        wrong[index] = wrong[index].plus(sum(1)).expect("small figures");
        assert!(!Bridge::build(&wrong, totals).expect("small figures").holds(), "aggregate {index}");
    }
}

#[test]
fn the_worst_decides_the_verdict() {
    let clean = settled([Some(10), Some(4), Some(6), Some(4), Some(0), Some(4)]);
    let discrepant = settled([Some(10), Some(4), Some(5), Some(4), Some(0), Some(4)]);
    let mut pending = clean.clone();
    if let Evidence::Fetched(fetched) = &mut pending.evidence {
        fetched.order.settlement_status = None;
        fetched.order.freeze_status = Some("frozen".into());
        fetched.order.run_status = Some("running".into());
        fetched.order.created_at = Some(AS_OF);
    }
    let duplicate = other(Evidence::Duplicate { first_line: 2 });
    let rejected = other(Evidence::Rejected(Reason::new("empty-id", "")));
    let missing = other(Evidence::NotFound(Reason::new("http-404", "")));
    let refused = other(Evidence::Refused(Reason::new("http-403", "")));
    let malformed = other(Evidence::Malformed(Reason::new("no-order", "")));
    let unfetched = other(Evidence::Unfetched(Reason::new("timeout", "")));
    let verdict = |outcomes: &[&Outcome]| {
        summarise(&outcomes.iter().map(|outcome| (*outcome).clone()).collect::<Vec<_>>()).verdict(false)
    };
    assert_eq!(verdict(&[]), Verdict::Incomplete);
    assert_eq!(summarise(&[]).verdict(true), Verdict::Empty);
    assert_eq!(verdict(&[&clean]), Verdict::Reconciled);
    assert_eq!(verdict(&[&clean, &pending]), Verdict::Pending);
    assert_eq!(verdict(&[&clean, &pending, &duplicate]), Verdict::Warnings);
    for worse in [&discrepant, &rejected, &missing, &refused] {
        assert_eq!(verdict(&[&clean, &pending, &duplicate, worse]), Verdict::Discrepant);
    }
    for worst in [&malformed, &unfetched] {
        assert_eq!(verdict(&[&clean, &discrepant, worst]), Verdict::Incomplete);
    }
    assert_eq!(verdict(&[&rejected, &duplicate]), Verdict::Incomplete, "nothing was fetched");
}

#[test]
fn ages_fall_into_half_open_bands() {
    let hour = 3_600;
    let cases = [
        (-5 * hour, -5, AgeBucket::UpToHour),
        (hour - 1, 0, AgeBucket::UpToHour),
        (hour, 1, AgeBucket::UpToDay),
        (24 * hour - 1, 23, AgeBucket::UpToDay),
        (24 * hour, 24, AgeBucket::UpToThreeDays),
        (72 * hour, 72, AgeBucket::UpToWeek),
        (168 * hour - 1, 167, AgeBucket::UpToWeek),
        (168 * hour, 168, AgeBucket::OverWeek),
    ];
    for (seconds, hours, band) in cases {
        let as_of = Timestamp::from_second(seconds).expect("in range");
        assert_eq!(age_hours(Some(AS_OF), as_of), Some(hours));
        assert_eq!(AgeBucket::of(Some(AS_OF), as_of), band);
    }
    assert_eq!(AgeBucket::of(None, AS_OF), AgeBucket::Unknown);
}

#[test]
fn both_books_and_their_difference_are_totalled() {
    use crate::domain::books::{Booking, Field};
    let booking = |line, cells: &[(Field, &str)]| Booking {
        line,
        cells: cells.iter().map(|(field, text)| (*field, (*text).to_owned())).collect(),
    };
    let Evidence::Fetched(fetched) = settled([Some(100), Some(60), Some(40), None, None, None]).evidence else {
        panic!("an order");
    };
    let mut summary = Summary::default();
    let once = [booking(2, &[(Field::Final, "0.0000006")]), booking(3, &[(Field::Final, "0.0000007")])];
    summary.add_bookings(&once, Some(&fetched.order), None).expect("small figures");
    // Not fetched, and in its own currency; then without any currency; then a cell that can't be read.
    let dollars = booking(4, &[(Field::Final, "0.0000001"), (Field::Currency, "USD")]);
    summary.add_bookings(&[dollars], None, Some("CNY")).expect("small figures");
    summary.add_bookings(&[booking(5, &[(Field::Final, "0.0000005")])], None, Some("CNY")).expect("small figures");
    summary.add_bookings(&[booking(6, &[(Field::Final, "?")])], None, Some("CNY")).expect("small figures");
    let totals = |currency: &str| summary.currencies[currency].books["final_amount"];
    let expected = BookTotals { ours: sum(180), provider: sum(60), difference: sum(-120), without_amount: 1 };
    assert_eq!(totals("CNY"), expected);
    let expected = BookTotals { ours: sum(10), provider: sum(0), difference: sum(-10), without_amount: 0 };
    assert_eq!(totals("USD"), expected);
}

#[test]
fn a_variance_is_never_clean() {
    let clean = summarise(&[settled([Some(10), Some(4), Some(6), Some(4), Some(0), Some(4)])]);
    let with = |summary: Summary| Summary { factors: VerdictFactors { variance: true, ..summary.factors }, ..summary };
    assert_eq!(with(clean).verdict(false), Verdict::Discrepant);
    assert_eq!(with(summarise(&[])).verdict(true), Verdict::Discrepant);
    assert_eq!(with(summarise(&[])).verdict(false), Verdict::Incomplete);
}
