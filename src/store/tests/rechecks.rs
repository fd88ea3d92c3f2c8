//! Rechecked rows, and the rows of our own books.

use std::collections::BTreeMap;

use super::{Bench, Tested, bench, commit, fetched, findings, learn, missing, new_run, report, schema, stored};
use crate::domain::books::{Booking, Field};
use crate::domain::order::RunOrder;
use crate::domain::outcome::{CreatedBefore, Evidence, Outcome, Reason};
use crate::store::{Problem, RecheckCounts, RowOutcome, Store, StoreError};

const NOW: jiff::Timestamp = jiff::Timestamp::UNIX_EPOCH;

fn booking(line: u64, text: &str) -> Booking {
    Booking { line, cells: BTreeMap::from([(Field::Final, text.to_owned())]) }
}

#[test]
fn a_recheck_counts_and_the_first_reading_is_kept() -> Tested {
    let Bench { path, store, run, _folder } = bench();
    let mut connection = schema::connect(&path)?;
    commit(&mut connection, run, vec![missing(1), fetched(2), missing(3)])?;
    assert_eq!(store.recheck_counts(run)?, RecheckCounts::default());
    let now = |line| Outcome { line, run_order_id: format!("wfrun_{line}"), ..fetched(line) };
    let again = [now(1), fetched(2)].map(|outcome| RowOutcome::of(outcome, NOW).as_recheck());
    learn(&mut connection, run, false, again.into())?;
    assert_eq!(stored(&store, run)?, [now(1), fetched(2), missing(3)]);
    assert_eq!(store.rechecked_lines(run)?, [1, 2].into());
    assert_eq!(store.recheck_counts(run)?, RecheckCounts { rechecked: 2, changed: 1 });
    let first: i64 =
        connection.query_row("SELECT count(*) FROM outcomes WHERE evidence = 'not_found'", (), |row| row.get(0))?;
    assert_eq!(first, 2);
    let twice = RowOutcome::of(missing(1), NOW).as_recheck();
    let refused = learn(&mut connection, run, false, vec![twice]);
    assert!(matches!(refused, Err(Problem::AlreadyStored { .. })), "{refused:?}");
    Ok(())
}

#[test]
fn a_half_settled_reading_does_not_become_the_baseline() -> Tested {
    let Bench { path, mut store, run, _folder } = bench();
    let mut connection = schema::connect(&path)?;
    let seen = |charged| super::memory::seen(1, Some(charged), 1);
    learn(&mut connection, run, false, vec![seen(5)])?;
    learn(&mut connection, run, false, vec![seen(6).as_recheck()])?;
    assert!(store.remember_with(run)?.take_baseline(1).is_none());
    let night = store.begin(&new_run())?;
    learn(&mut connection, night, false, vec![seen(6)])?;
    assert!(store.would_remember_with(night)?.take_baseline(1).is_none(), "the recheck saw the same state");
    let later = store.begin(&new_run())?;
    learn(&mut connection, later, false, vec![seen(7)])?;
    for _ in 0..2 {
        let charged = store.would_remember_with(later)?.take_baseline(1).and_then(|charge| charge.amounts.final_amount);
        assert_eq!(charged.map(|amount| amount.units()), Some(6), "asking changes nothing");
    }
    Ok(())
}

#[test]
fn an_earlier_creation_time_is_not_forgotten_by_a_recheck() -> Tested {
    let Bench { path, mut store, run, _folder } = bench();
    let mut connection = schema::connect(&path)?;
    let created = |hours: i64| jiff::Timestamp::from_second(hours * 3600).ok();
    let seen = |hours| {
        let run_order_id = "wfrun_1".to_owned();
        let order =
            RunOrder { run_order_id: Some(run_order_id.clone()), created_at: created(hours), ..RunOrder::default() };
        RowOutcome::of(Outcome { line: 1, run_order_id, evidence: order.into() }, NOW)
    };
    learn(&mut connection, run, false, vec![seen(1)])?;
    store.remember_with(run)?;
    let night = store.begin(&new_run())?;
    let before = |store: &Store| -> Result<Option<CreatedBefore>, StoreError> {
        let mut found = None;
        store.for_each_row(night, None, |row| {
            found = row.created_before;
            Ok::<_, StoreError>(())
        })?;
        Ok(found)
    };
    learn(&mut connection, night, false, vec![seen(2)])?;
    assert_eq!(before(&store)?, Some(CreatedBefore(created(1))));
    // An incomplete report remembers the new time; then the run is continued, and rechecks the order.
    store.remember_with(night)?;
    learn(&mut connection, night, false, vec![seen(2).as_recheck()])?;
    assert_eq!(before(&store)?, Some(CreatedBefore(created(1))));
    Ok(())
}

#[test]
fn unfetched_rows_are_fetched_again_and_rechecks_stay() -> Tested {
    let Bench { path, mut store, run, _folder } = bench();
    let mut connection = schema::connect(&path)?;
    let unfetched = Evidence::Unfetched(Reason::new("deadline", ""));
    let unfetched = Outcome { line: 3, run_order_id: "wfrun_3".into(), evidence: unfetched };
    commit(&mut connection, run, vec![missing(1), fetched(2), unfetched])?;
    let malformed = Evidence::Malformed(Reason::new("no-order", ""));
    let malformed = Outcome { line: 2, run_order_id: "wfrun_2".into(), evidence: malformed };
    learn(&mut connection, run, false, vec![RowOutcome::of(malformed, NOW).as_recheck()])?;
    report(&mut store, run, true, findings(&[], &[]))?;
    store.reopen(run, &new_run().input_place)?;
    assert_eq!(store.finished_lines(run)?.iter().map(|done| done.line).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(store.rechecked_lines(run)?, [2].into());
    Ok(())
}

#[test]
fn the_books_come_with_the_first_row_of_their_order() -> Tested {
    let Bench { path, store, run, _folder } = bench();
    let duplicate =
        Outcome { line: 3, run_order_id: "wfrun_1".into(), evidence: Evidence::Duplicate { first_line: 1 } };
    let outcomes = vec![
        RowOutcome::of(duplicate, NOW).with_booking(Some(booking(3, "3,0"))),
        RowOutcome::of(missing(1), NOW).with_booking(Some(booking(1, "1"))),
        RowOutcome::of(fetched(2), NOW).with_booking(Some(booking(2, "＝2"))),
    ];
    learn(&mut schema::connect(&path)?, run, false, outcomes)?;
    let mut rows = Vec::new();
    store.for_each_row(run, None, |row| {
        rows.push((row.line, row.bookings));
        Ok::<(), StoreError>(())
    })?;
    let expected = [(1, vec![booking(1, "1"), booking(3, "3,0")]), (2, vec![booking(2, "＝2")]), (3, vec![])];
    assert_eq!(rows, expected);
    Ok(())
}

#[test]
fn a_lost_or_damaged_row_of_the_books_is_reported() -> Tested {
    for damage in ["DELETE FROM books WHERE line = 2", "UPDATE books SET cells = '{}' WHERE line = 1"] {
        let Bench { path, store, run, _folder } = bench();
        let outcomes = [missing(1), fetched(2)].map(|outcome| {
            let booking = booking(outcome.line, "1");
            RowOutcome::of(outcome, NOW).with_booking(Some(booking))
        });
        let mut connection = schema::connect(&path)?;
        learn(&mut connection, run, false, outcomes.into())?;
        connection.execute_batch(damage)?;
        let read = stored(&store, run);
        assert!(matches!(read, Err(StoreError { problem: Problem::Damaged { .. }, .. })), "{damage}: {read:?}");
    }
    Ok(())
}
