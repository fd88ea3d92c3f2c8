//! Whatever is written is read back unchanged.

use std::cell::RefCell;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use proptest::{collection, option, sample};

use super::super::*;
use super::{Bench, Tested, bench, commit, new_run, stored};
use crate::domain::money::Amount;
use crate::domain::order::{Amounts, Remarks, RunOrder, TimeField};
use crate::domain::outcome::{Evidence, Reason};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("'; DROP TABLE outcomes; --\u{0}\u{feff}订单\u{10ffff}".to_owned()),
        "(?s).{0,12}"
    ]
}

fn amount() -> impl Strategy<Value = Amount> {
    let limit = 10_i128.pow(28) - 1;
    prop_oneof![Just(limit), Just(-limit), Just(0), Just(-1), -limit..=limit]
        .prop_map(|units| Amount::from_units(units).expect("28 digits"))
}

fn time() -> impl Strategy<Value = Timestamp> {
    let (first, last) = (Timestamp::MIN.as_microsecond(), Timestamp::MAX.as_microsecond());
    prop_oneof![Just(first), Just(last), Just(-1), first..=last]
        .prop_map(|microseconds| Timestamp::UNIX_EPOCH + SignedDuration::from_micros(microseconds))
}

fn order() -> impl Strategy<Value = RunOrder> {
    let texts = || collection::vec(option::of(text()), 11);
    let remarks = option::of((0..4_usize, collection::btree_map("[a-z_]{1,8}", amount(), 0..3))).prop_map(|remarks| {
        let (zeros, other_amounts) = remarks?;
        let zero_times = [TimeField::CreatedAt, TimeField::UpdatedAt].into_iter().enumerate();
        let zero_times = zero_times.filter(|(at, _)| zeros >> at & 1 == 1).map(|(_, field)| field).collect();
        Some(Box::new(Remarks { zero_times, other_amounts }))
    });
    (texts(), collection::vec(option::of(amount()), 6), option::of(time()), option::of(time()), remarks).prop_map(
        |(mut texts, amounts, created_at, updated_at, remarks)| {
            let mut next = || texts.pop().expect("11 texts");
            RunOrder {
                run_order_id: next(),
                workflow_id: next(),
                revision_id: next(),
                quote_currency: next(),
                amounts: Amounts::from_order(amounts.try_into().expect("6 amounts")),
                freeze_status: next(),
                submission_status: next(),
                run_status: next(),
                settlement_status: next(),
                task_id: next(),
                prompt_id: next(),
                error_code: next(),
                created_at,
                updated_at,
                remarks,
            }
        },
    )
}

fn evidence() -> impl Strategy<Value = Evidence> {
    let reason = || (text(), text()).prop_map(|(code, detail)| Reason { code, detail });
    prop_oneof![
        5 => order().prop_map(|order| order.into()),
        1 => reason().prop_map(Evidence::NotFound),
        1 => reason().prop_map(Evidence::Refused),
        1 => reason().prop_map(Evidence::Malformed),
        1 => reason().prop_map(Evidence::Unfetched),
        1 => line().prop_map(|first_line| Evidence::Duplicate { first_line }),
        1 => reason().prop_map(Evidence::Rejected),
    ]
}

fn line() -> impl Strategy<Value = u64> {
    let last = u64::try_from(i64::MAX).expect("positive");
    prop_oneof![Just(1), Just(last), 1..=last]
}

/// Outcomes of different lines, in any order.
fn outcomes() -> impl Strategy<Value = Vec<Outcome>> {
    collection::btree_map(line(), (text(), evidence()), 0..12)
        .prop_map(|rows| {
            let outcome = |(line, (run_order_id, evidence))| Outcome { line, run_order_id, evidence };
            rows.into_iter().map(outcome).collect::<Vec<_>>()
        })
        .prop_shuffle()
}

#[test]
fn written_outcomes_are_read_back_by_line() {
    let Bench { path, mut store, _folder, .. } = bench();
    let mut connection = schema::connect(&path).expect("a connection");
    // This test is not about power cuts, and an fsync per case is slow.
    for connection in [&connection, &store.connection] {
        connection.execute_batch("PRAGMA synchronous = OFF").expect("a pragma");
    }
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let (store, connection) = (RefCell::new(&mut store), RefCell::new(&mut connection));
    let result = runner.run(&(outcomes(), sample::select(vec![1_usize, 3, 100])), |(outcomes, group)| {
        let run = store.borrow_mut().begin(&new_run()).expect("a run");
        for group in outcomes.chunks(group) {
            commit(&mut connection.borrow_mut(), run, group.to_vec()).expect("a commit");
        }
        let mut expected = outcomes;
        expected.sort_by_key(|outcome| outcome.line);
        prop_assert_eq!(stored(&store.borrow(), run).expect("readable"), expected);
        Ok(())
    });
    assert_eq!(result, Ok(()));
}

#[test]
fn amounts_and_times_are_stored_as_documented() -> Tested {
    let Bench { path, run, _folder, .. } = bench();
    let mut connection = schema::connect(&path)?;
    let order = RunOrder {
        amounts: Amounts { quote_amount: Some(Amount::parse("-12345678901234567890.5")?), ..Amounts::default() },
        created_at: Some("2026-05-08T10:00:00.000001Z".parse()?),
        ..RunOrder::default()
    };
    let evidence = order.into();
    commit(&mut connection, run, vec![Outcome { line: 7, run_order_id: "x".into(), evidence }])?;
    let row: (String, String, i64, Option<i64>) = connection.query_row(
        "SELECT evidence, quote_amount, created_at, updated_at FROM outcomes JOIN observations USING (observation_id)
         WHERE line = 7",
        (),
        |row| row.try_into(),
    )?;
    assert_eq!(row, ("fetched".into(), "-12345678901234567890.50000000".into(), 1_778_234_400_000_001, None));
    let run: (String, String, i64, i64, Option<i64>) =
        connection
            .query_row("SELECT base_url, input_name, rows, as_of, ended_at FROM runs", (), |row| row.try_into())?;
    assert_eq!(run, ("https://provider.example/v2".into(), "订单.csv".into(), 3, 1_795_399_200_000_001, None));
    Ok(())
}

#[test]
fn reading_by_line_sorts_nothing() -> Tested {
    let Bench { path, _folder, .. } = bench();
    let connection = schema::connect(&path)?;
    let plan: String =
        connection.query_row(&format!("EXPLAIN QUERY PLAN {}", rows::select()), [1, 1, 9], |row| row.get("detail"))?;
    assert!(plan.contains("SEARCH o USING PRIMARY KEY") && !plan.contains("TEMP"), "{plan}");
    Ok(())
}
