//! The memory of orders, shared by all runs.

use std::collections::BTreeMap;
use std::error::Error;

use proptest::collection::vec;
use proptest::prelude::*;
use rusqlite::Connection;

use super::super::*;
use super::{Bench, Tested, bench, finish, learn, new_run, stored};
use crate::domain::money::Amount;
use crate::domain::order::{Amounts, Charge, RunOrder};
use crate::domain::outcome::{Evidence, Reason};

const URL: &str = "https://provider.example/v2";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

/// The order of that line, settled with `charged` units as its final amount; `None` for an unsettled one.
fn order(line: u64, charged: Option<i128>) -> RunOrder {
    let mut order = RunOrder {
        run_order_id: Some(format!("wfrun_{line}")),
        quote_currency: Some("CNY".into()),
        settlement_status: charged.map(|_| "settled".into()),
        ..RunOrder::default()
    };
    // A settled order has all six amounts, of which only the final amount ever changes.
    let usual = charged.map(|_| Amount::ZERO);
    order.amounts = Amounts::from_order([usual; 6]);
    order.amounts.final_amount = charged.map(|units| Amount::from_units(units).expect("small"));
    order
}

pub(super) fn seen(line: u64, charged: Option<i128>, second: i64) -> RowOutcome {
    let evidence = order(line, charged).into();
    RowOutcome::with_reply(Outcome { line, run_order_id: format!("wfrun_{line}"), evidence }, at(second), None)
}

/// One night: a run that sees those orders. Returns what is remembered of them.
fn night(store: &mut Store, path: &Path, outcomes: Vec<RowOutcome>) -> Tested<(RunId, RememberedOrders)> {
    let run = store.begin(&new_run())?;
    learn(&mut schema::connect(path)?, run, false, outcomes)?;
    let remembered = store.remember_with(run)?;
    finish(store, run)?;
    Ok((run, remembered))
}

fn charged(charge: Option<Charge>) -> Option<i128> {
    charge.map(|charge| charge.amounts.final_amount.expect("an amount").units())
}

fn observations(path: &Path) -> rusqlite::Result<i64> {
    Connection::open(path)?.query_row("SELECT count(*) FROM observations", (), |row| row.get(0))
}

#[test]
fn a_state_that_is_seen_again_is_kept_once() -> Tested {
    let Bench { path, mut store, _folder, .. } = bench();
    for second in 1..=3 {
        let (run, _) = night(&mut store, &path, vec![seen(1, Some(5), second), seen(2, None, second)])?;
        let orders = stored(&store, run)?;
        assert_eq!(orders.len(), 2);
        assert_eq!(orders[0].evidence, Evidence::from(order(1, Some(5))));
        assert_eq!(observations(&path)?, 2, "night {second}");
    }
    night(&mut store, &path, vec![seen(2, Some(7), 4)])?;
    assert_eq!(observations(&path)?, 3, "it was settled");
    Ok(())
}

#[test]
fn an_order_is_compared_with_its_first_settled_state() -> Tested {
    let Bench { path, mut store, _folder, .. } = bench();
    let mut nights = [None, Some(5), Some(5), Some(6), Some(6), Some(9), Some(5)].into_iter().enumerate();
    let found = nights.try_fold(Vec::new(), |mut found, (night_number, units)| {
        let outcomes = vec![seen(1, units, night_number as i64), seen(2, Some(1), night_number as i64)];
        let (_, mut remembered) = night(&mut store, &path, outcomes)?;
        assert!(remembered.take_baseline(2).is_none());
        found.push(charged(remembered.take_baseline(1)));
        Ok::<_, Box<dyn Error>>(found)
    })?;
    // From the first change on there is a baseline to compare with, also when the state is the first one again.
    assert_eq!(found, [None, None, None, Some(5), Some(5), Some(5), Some(5)]);
    Ok(())
}

#[test]
fn sightings_of_a_killed_run_are_remembered() -> Tested {
    let Bench { path, mut store, run, _folder } = bench();
    learn(&mut schema::connect(&path)?, run, false, vec![seen(1, Some(5), 1)])?;
    let (_, mut remembered) = night(&mut store, &path, vec![seen(1, Some(6), 2)])?;
    assert_eq!(charged(remembered.take_baseline(1)), Some(5));
    Ok(())
}

#[test]
fn a_continued_run_enters_the_memory_at_its_end_only() -> Tested {
    let Bench { path, mut store, run, _folder } = bench();
    let mut connection = schema::connect(&path)?;
    learn(&mut connection, run, false, vec![seen(1, Some(5), 100)])?;
    let continued = store.begin(&new_run())?;
    learn(&mut connection, continued, false, vec![seen(2, Some(5), 100)])?;
    store.remember_others(continued)?;
    let recalled =
        |store: &mut Store, id: &str| Ok::<_, StoreError>(store.recall(URL, at(0), at(1_000))?.settled(id)?.is_some());
    assert_eq!((recalled(&mut store, "wfrun_1")?, recalled(&mut store, "wfrun_2")?), (true, false));
    store.remember_with(continued)?;
    assert_eq!((recalled(&mut store, "wfrun_1")?, recalled(&mut store, "wfrun_2")?), (true, true));
    Ok(())
}

#[test]
fn remembering_a_run_twice_changes_nothing() -> Tested {
    let Bench { path, mut store, _folder, .. } = bench();
    night(&mut store, &path, vec![seen(1, Some(5), 1)])?;
    let (run, first) = night(&mut store, &path, vec![seen(1, Some(6), 2)])?;
    let memory = || -> rusqlite::Result<Vec<i64>> {
        Connection::open(&path)?.prepare("SELECT seal FROM orders")?.query_map((), |row| row.get(0))?.collect()
    };
    let before = memory()?;
    let again = store.remember_with(run)?;
    assert_eq!(format!("{first:?}"), format!("{again:?}"));
    assert_eq!(memory()?, before);
    Ok(())
}

#[test]
fn only_orders_recently_seen_settled_are_recalled() -> Tested {
    let Bench { path, mut store, _folder, .. } = bench();
    let orders = vec![seen(1, Some(5), 100), seen(2, Some(5), 99), seen(3, None, 100), seen(4, Some(5), 100)];
    night(&mut store, &path, orders)?;
    night(&mut store, &path, vec![seen(4, None, 101)])?;
    let recall = store.recall(URL, at(100), at(1_000))?;
    let recalled = |line: u64| recall.settled(&format!("wfrun_{line}")).map(|found| found.map(|found| found.order));
    assert_eq!(recalled(1)?, Some(order(1, Some(5))));
    assert_eq!(recalled(2)?, None, "too long ago");
    assert_eq!(recalled(3)?, None, "not settled");
    assert_eq!(recalled(4)?, None, "no longer settled");
    assert_eq!(recalled(5)?, None, "never seen");
    assert!(
        store.recall("https://elsewhere.example", at(100), at(1_000))?.settled("wfrun_1")?.is_none(),
        "a different provider"
    );
    Ok(())
}

#[test]
fn a_recalled_order_is_not_a_sighting() -> Tested {
    let Bench { path, mut store, _folder, .. } = bench();
    night(&mut store, &path, vec![seen(1, Some(5), 100)])?;
    let recalled = store.recall(URL, at(100), at(1_000))?.settled("wfrun_1")?.expect("recalled");
    let (run, _) = night(&mut store, &path, vec![RowOutcome::reused(1, "wfrun_1".into(), at(500), recalled)])?;
    let Evidence::Fetched(fetched) = &stored(&store, run)?[0].evidence else { panic!("an order") };
    assert!(fetched.is_reused);
    assert_eq!(fetched.order, order(1, Some(5)));
    assert!(store.recall(URL, at(101), at(1_000))?.settled("wfrun_1")?.is_none(), "it was only seen at 100");
    Ok(())
}

#[test]
fn a_reply_about_a_different_order_enters_no_memory() -> Tested {
    let Bench { path, mut store, _folder, .. } = bench();
    let stray = || Outcome { line: 1, run_order_id: "wfrun_1".into(), evidence: order(2, Some(9)).into() };
    night(&mut store, &path, vec![seen(1, Some(5), 1)])?;
    let (_, mut remembered) = night(&mut store, &path, vec![RowOutcome::with_reply(stray(), at(2), None)])?;
    assert!(remembered.take_baseline(1).is_none());
    let recall = store.recall(URL, at(0), at(1_000))?;
    assert!(recall.settled("wfrun_1")?.is_none(), "the last answer did not show it");
    assert!(recall.settled("wfrun_2")?.is_none());
    let (_, mut remembered) = night(&mut store, &path, vec![seen(1, Some(6), 3)])?;
    assert_eq!(charged(remembered.take_baseline(1)), Some(5));
    Ok(())
}

/// An answer that does not show the order: that it does not exist, or a refusal.
fn missed(line: u64, evidence: fn(Reason) -> Evidence) -> RowOutcome {
    let evidence = evidence(Reason::new("why", "because"));
    RowOutcome::with_reply(Outcome { line, run_order_id: format!("wfrun_{line}"), evidence }, at(3), None)
}

#[test]
fn a_settled_order_that_is_now_unknown_is_remembered_with_its_last_figures() -> Tested {
    let Bench { path, mut store, _folder, .. } = bench();
    night(&mut store, &path, vec![seen(1, Some(5), 1), seen(2, None, 1), seen(4, Some(5), 1)])?;
    night(&mut store, &path, vec![seen(1, Some(6), 2)])?;
    let refused = missed(4, Evidence::Refused);
    let unknown = [1, 2, 3].map(|line| missed(line, Evidence::NotFound));
    let (_, mut remembered) = night(&mut store, &path, unknown.into_iter().chain([refused]).collect())?;
    let last = remembered.take_vanished(1).map(|order| order.amounts);
    assert_eq!(last, Some(order(1, Some(6)).amounts));
    let others = [2, 3, 4].map(|line| remembered.take_vanished(line));
    assert_eq!(others, [None, None, None], "never seen settled, never seen, and refused rather than unknown");
    let recall = store.recall(URL, at(0), at(1_000))?;
    for line in [1, 4] {
        assert!(recall.settled(&format!("wfrun_{line}"))?.is_none(), "the last answer did not show {line}");
    }
    Ok(())
}

#[test]
fn the_latest_state_is_the_one_seen_last() -> Tested {
    let Bench { path, mut store, _folder, .. } = bench();
    night(&mut store, &path, vec![seen(1, Some(5), 1)])?;
    // A killed run sees a different state, which enters the memory only with the next night.
    let killed = store.begin(&new_run())?;
    learn(&mut schema::connect(&path)?, killed, false, vec![seen(1, Some(6), 2)])?;
    night(&mut store, &path, vec![seen(1, Some(5), 3)])?;
    let recalled = store.recall(URL, at(0), at(1_000))?.settled("wfrun_1")?.expect("recalled");
    assert_eq!(recalled.order, order(1, Some(5)));
    Ok(())
}

#[test]
fn the_baseline_is_the_first_settled_state_with_all_six_amounts() -> Tested {
    let Bench { path, mut store, _folder, .. } = bench();
    let half = |second| {
        let mut half = order(1, Some(5));
        half.amounts.total_cost = None;
        let outcome = Outcome { line: 1, run_order_id: "wfrun_1".into(), evidence: half.into() };
        RowOutcome::with_reply(outcome, at(second), None)
    };
    for outcome in [half(1), half(2), seen(1, Some(5), 3), seen(1, Some(5), 4)] {
        let (_, mut remembered) = night(&mut store, &path, vec![outcome])?;
        assert_eq!(remembered.take_baseline(1), None);
    }
    let (_, mut remembered) = night(&mut store, &path, vec![half(5)])?;
    assert_eq!(remembered.take_baseline(1), Some(order(1, Some(5)).charge()));
    Ok(())
}

#[test]
fn a_reused_order_is_compared_with_its_baseline_too() -> Tested {
    let Bench { path, mut store, _folder, .. } = bench();
    night(&mut store, &path, vec![seen(1, Some(5), 1)])?;
    night(&mut store, &path, vec![seen(1, Some(6), 2)])?;
    let recalled = store.recall(URL, at(0), at(1_000))?.settled("wfrun_1")?.expect("recalled");
    let reused = RowOutcome::reused(1, "wfrun_1".into(), at(3), recalled);
    let (_, mut remembered) = night(&mut store, &path, vec![reused])?;
    assert_eq!(charged(remembered.take_baseline(1)), Some(5));
    Ok(())
}

#[test]
fn an_order_seen_in_the_future_is_fetched_again() -> Tested {
    let Bench { path, mut store, _folder, .. } = bench();
    night(&mut store, &path, vec![seen(1, Some(5), 1_000)])?;
    assert!(store.recall(URL, at(0), at(1_000))?.settled("wfrun_1")?.is_some());
    assert!(store.recall(URL, at(0), at(999))?.settled("wfrun_1")?.is_none(), "the clock was set back");
    Ok(())
}

#[test]
fn full_evidence_keeps_the_reply_and_billing_evidence_its_hash() -> Tested {
    let reply = b"{\"code\":0}".to_vec();
    for keeps in [false, true] {
        let Bench { path, store, run, _folder } = bench();
        let outcome = Outcome { line: 1, run_order_id: "wfrun_1".into(), evidence: order(1, None).into() };
        let outcome = RowOutcome::with_reply(outcome, at(1), Some(reply.clone()));
        learn(&mut schema::connect(&path)?, run, keeps, vec![outcome])?;
        let connection = Connection::open(&path)?;
        let hash: Vec<u8> = connection.query_row("SELECT reply_sha256 FROM outcomes", (), |row| row.get(0))?;
        // From `printf '{"code":0}' | sha256sum`.
        assert_eq!(hex::encode(hash), "7a97b9b4d758a3929b8a2be53fbe189c9ba9378d6fbb8190d37f7cc14f5cf5d3");
        let kept: Option<Vec<u8>> =
            connection.prepare("SELECT reply FROM replies")?.query_map((), |row| row.get(0))?.next().transpose()?;
        let kept = kept.map(|kept| zstd::bulk::decompress(&kept, 1_000)).transpose()?;
        assert_eq!(kept, keeps.then(|| reply.clone()));
        drop(store);
    }
    Ok(())
}

#[test]
fn a_run_that_begins_first_and_ends_last_is_compared_with_what_others_saw_meanwhile() -> Tested {
    let Bench { path, mut store, run, _folder } = bench();
    let mut connection = schema::connect(&path)?;
    let killed = store.begin(&new_run())?;
    learn(&mut connection, killed, false, vec![seen(1, Some(5), 1), seen(2, Some(5), 1)])?;
    store.reopen(run, "ids.csv")?;
    learn(&mut connection, run, false, vec![seen(1, Some(6), 2), gone(2, 2)])?;
    let mut remembered = store.remember_with(run)?;
    assert_eq!(charged(remembered.take_baseline(1)), Some(5));
    assert!(remembered.take_vanished(2).is_some());
    finish(&mut store, run)?;
    let (_, mut next) = night(&mut store, &path, vec![seen(1, Some(6), 3)])?;
    assert_eq!(charged(next.take_baseline(1)), Some(5), "on every later night too");
    Ok(())
}

#[test]
fn a_continued_run_reuses_what_others_saw_meanwhile() -> Tested {
    let Bench { path, mut store, run, _folder } = bench();
    let killed = store.begin(&new_run())?;
    learn(&mut schema::connect(&path)?, killed, false, vec![seen(1, Some(5), 100)])?;
    store.reopen(run, "ids.csv")?;
    store.remember_others(run)?;
    let recalled = store.recall(URL, at(0), at(1_000))?.settled("wfrun_1")?;
    assert_eq!(recalled.map(|recalled| recalled.order), Some(order(1, Some(5))));
    Ok(())
}

#[test]
fn an_answer_older_than_a_sighting_does_not_mean_that_the_order_vanished() -> Tested {
    let Bench { path, mut store, run, _folder } = bench();
    let mut connection = schema::connect(&path)?;
    learn(&mut connection, run, false, vec![gone(1, 1)])?;
    night(&mut store, &path, vec![seen(1, Some(5), 2)])?;
    store.reopen(run, "ids.csv")?;
    assert!(store.remember_with(run)?.take_vanished(1).is_none());
    night(&mut store, &path, vec![gone(1, 3)])?;
    store.reopen(run, "ids.csv")?;
    assert!(store.remember_with(run)?.take_vanished(1).is_some(), "the latest answer is that it is gone");
    Ok(())
}

#[test]
fn an_order_that_is_gone_at_the_recheck_has_vanished() -> Tested {
    let Bench { path, mut store, run, _folder } = bench();
    let mut connection = schema::connect(&path)?;
    learn(&mut connection, run, false, vec![seen(1, Some(5), 1)])?;
    learn(&mut connection, run, false, vec![gone(1, 2).as_recheck()])?;
    assert_eq!(store.remember_with(run)?.take_vanished(1), Some(order(1, Some(5))));
    Ok(())
}

/// The answer that there is no such order.
fn gone(line: u64, second: i64) -> RowOutcome {
    let evidence = Evidence::NotFound(Reason::new("http-404", "no such order"));
    RowOutcome::of(Outcome { line, run_order_id: format!("wfrun_{line}"), evidence }, at(second))
}

/// Commits a night, and returns whether its rows may differ from what is remembered, and whether they do.
fn differs(store: &mut Store, path: &Path, outcomes: Vec<RowOutcome>) -> Tested<(bool, bool)> {
    let run = store.begin(&new_run())?;
    let mut connection = schema::connect(path)?;
    let mut context = insert::WriterContext::of(&connection, run)?;
    writer::commit(&mut connection, &mut context, false, outcomes)?;
    let remembered = store.would_remember_with(run)?;
    store.remember_with(run)?;
    finish(store, run)?;
    Ok((context.may_differ, !remembered.lines().is_empty()))
}

#[test]
fn the_writer_knows_when_no_row_differs_from_what_is_remembered() -> Tested {
    let Bench { path, mut store, run, _folder } = bench();
    let unknown = |line| missed(line, Evidence::NotFound);
    for (night, expected) in [
        (vec![seen(1, Some(5), 1), seen(2, None, 1), unknown(3)], (true, false)),
        (vec![seen(1, Some(5), 2), seen(2, None, 2), missed(3, Evidence::Refused)], (false, false)),
        (vec![seen(2, Some(7), 3), seen(4, Some(1), 3)], (false, false)),
        (vec![seen(1, Some(6), 4)], (true, true)),
        (vec![seen(1, Some(6), 5)], (true, true)),
        (vec![seen(1, Some(5), 6)], (true, true)),
        (vec![seen(1, Some(5), 7), unknown(2)], (true, true)),
    ] {
        assert_eq!(differs(&mut store, &path, night)?, expected);
        // The first night begins while a run is not in the memory yet: that one sees nothing.
        assert!(store.runs()?.iter().any(|other| other.id == run && other.is_remembered));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_row_that_differs_from_what_is_remembered_is_known_to_the_writer(
        nights in vec(vec((0..6_u64, 0..5_i128), 0..6), 1..8),
    ) {
        let Bench { path, mut store, _folder, .. } = bench();
        for (number, rows) in nights.into_iter().enumerate() {
            let rows: BTreeMap<u64, i128> = rows.into_iter().collect();
            let outcome = |(line, what): (u64, i128)| match what {
                0 => missed(line, Evidence::NotFound),
                1 => seen(line, None, number as i64),
                units => seen(line, Some(units), number as i64),
            };
            let (may_differ, does) = differs(&mut store, &path, rows.into_iter().map(outcome).collect()).expect("a night");
            prop_assert!(may_differ || !does);
        }
    }
}
