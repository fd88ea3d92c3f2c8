//! 10,000 random orders, judged by the program and by an oracle that shares no code with it: plain integers, with the
//! rules implemented again from the contract.

mod expected;
mod orders;

use std::collections::BTreeMap;

use jiff::Timestamp;
use tieout::checks::{Rules, judge};
use tieout::domain::outcome::Outcome;

use expected::Found;
use orders::RandomOrder;

/// How many orders are drawn.
const ORDERS: u64 = 10_000;
/// The `--as-of` of the report, in seconds since 1970.
const AS_OF: i64 = 1_780_272_000;

fn found(drawn: &RandomOrder) -> (String, Vec<Found>) {
    let outcome = Outcome { line: 2, run_order_id: drawn.asked.clone(), evidence: drawn.order().into() };
    let as_of = Timestamp::from_second(AS_OF).expect("a time");
    let judgement = judge(&outcome, &drawn.background(), &Rules::default(), as_of);
    let findings = judgement.findings.iter().map(|finding| Found {
        check: finding.check,
        severity: finding.severity.code(),
        cause: finding.cause.unwrap_or_default(),
        expected: finding.expected.to_string(),
        actual: finding.actual.to_string(),
        difference: finding.difference.map(|difference| difference.to_string()).unwrap_or_default(),
    });
    (judgement.bucket.code().to_owned(), findings.collect())
}

#[test]
fn ten_thousand_orders_are_judged_as_the_oracle_does() {
    let mut seen: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for number in 0..ORDERS {
        let drawn = RandomOrder::number(number);
        let (bucket, expected) = drawn.expected(AS_OF);
        for finding in &expected {
            *seen.entry((finding.check, finding.cause)).or_default() += 1;
        }
        assert_eq!(found(&drawn), (bucket.to_owned(), expected), "{drawn:?}");
    }
    // A check or cause that was hardly drawn is hardly tested.
    let often = |wanted: &(&str, &str)| seen.get(wanted).is_some_and(|count| *count >= 20);
    let rare: Vec<_> = expected::ALL.iter().filter(|wanted| !often(wanted)).collect();
    assert!(rare.is_empty(), "drawn fewer than 20 times: {rare:?} of {seen:?}");
}
