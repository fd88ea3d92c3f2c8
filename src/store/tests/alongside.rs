//! Sightings that enter the memory on a thread of their own.

use rusqlite::Connection;
use rusqlite::types::Value;

use super::super::*;
use super::memory::seen;
use super::{Bench, Tested, bench, finish, learn, new_run, stored};

const ORDERS: u64 = 3_000;

/// A run that saw these orders at that second.
fn sighted(bench: &mut Bench, orders: std::ops::Range<u64>, second: i64) -> Tested<RunId> {
    let run = bench.store.begin(&new_run())?;
    let outcomes = orders.map(|order| seen(order, Some(i128::from(order)), second)).collect();
    learn(&mut schema::connect(&bench.path)?, run, false, outcomes)?;
    Ok(run)
}

/// Everything that the memory holds.
fn memory(path: &Path) -> rusqlite::Result<Vec<Vec<Value>>> {
    let connection = Connection::open(path)?;
    let mut rows = Vec::new();
    for table in ["providers", "orders", "buckets"] {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}"))?;
        let columns = statement.column_count();
        let read = statement.query_map((), |row| (0..columns).map(|column| row.get(column)).collect())?;
        rows.extend(read.collect::<rusqlite::Result<Vec<_>>>()?);
    }
    Ok(rows)
}

#[test]
fn the_memory_is_the_same_and_the_run_can_be_read_meanwhile() -> Tested {
    let (mut one, mut other) = (bench(), bench());
    let (run, same) = (sighted(&mut one, 0..ORDERS, 1)?, sighted(&mut other, 0..ORDERS, 1)?);
    one.store.remember_with(run)?;
    let mut remembering = other.store.begin_to_remember(same)?;
    assert_eq!(remembering.take_orders().lines().len(), 0, "nothing to differ from");
    assert_eq!(stored(&other.store, same)?.len() as u64, ORDERS);
    remembering.finish()?;
    assert_eq!(memory(&one.path)?, memory(&other.path)?);
    Ok(())
}

#[test]
fn where_something_is_remembered_it_is_compared_first() -> Tested {
    let mut bench = bench();
    let first = sighted(&mut bench, 0..10, 1)?;
    bench.store.begin_to_remember(first)?.finish()?;
    finish(&mut bench.store, first)?;
    let run = bench.store.begin(&new_run())?;
    learn(&mut schema::connect(&bench.path)?, run, false, vec![seen(3, Some(99), 2)])?;
    let mut remembering = bench.store.begin_to_remember(run)?;
    let baseline = remembering.take_orders().take_baseline(3).expect("it differs");
    assert_eq!(baseline.amounts.final_amount.map(|amount| amount.units()), Some(3));
    remembering.finish()?;
    Ok(())
}

#[test]
fn what_is_given_up_is_remembered_by_the_next_job() -> Tested {
    let mut bench = bench();
    let run = sighted(&mut bench, 0..ORDERS, 1)?;
    drop(bench.store.begin_to_remember(run)?);
    bench.store.remember_with(run)?;
    let orders: i64 = Connection::open(&bench.path)?.query_row("SELECT count(*) FROM orders", (), |row| row.get(0))?;
    assert_eq!(orders.unsigned_abs(), ORDERS);
    Ok(())
}
