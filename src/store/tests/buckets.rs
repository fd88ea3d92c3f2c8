//! The proof of the memory by buckets: whatever is lost or changed is found when it matters, and within thirty nights.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::super::*;
use super::memory::seen;
use super::{Bench, Tested, bench, finish, learn, new_run};

/// Enough orders for some hundred buckets.
const ORDERS: u64 = 2_000;
/// A share of the buckets is proved each night, and all of them in so many.
const NIGHTS: u64 = 30;

/// One night that sees these orders, settled, at that second.
fn night(store: &mut Store, path: &Path, orders: impl Iterator<Item = u64>, second: i64) -> Tested {
    let orders: Vec<_> = orders.map(|order| seen(order, Some(5), second)).collect();
    let run = store.begin(&NewRun { rows: orders.len() as u64, ..new_run() })?;
    learn(&mut schema::connect(path)?, run, false, orders)?;
    store.remember_with(run)?;
    finish(store, run)?;
    Ok(())
}

/// A state that remembers `ORDERS` orders.
fn remembering() -> Tested<Bench> {
    let mut bench = bench();
    night(&mut bench.store, &bench.path, 0..ORDERS, 1)?;
    Ok(bench)
}

/// The first 63 bits of an ID's SHA-256, worked out apart from the program.
fn hash(order: u64) -> i64 {
    let digest = Sha256::digest(format!("wfrun_{order}"));
    i64::from_be_bytes(digest[..8].try_into().expect("eight bytes")) >> 1 & i64::MAX
}

/// The bucket of a hash, in a state of that many buckets.
fn bucket(hash: i64, buckets: u64) -> i64 {
    i64::try_from((i128::from(hash) * i128::from(buckets)) >> 63).expect("small")
}

/// The orders in the bucket of an order, in a state of that many buckets.
fn neighbours(order: u64, buckets: u64) -> Vec<u64> {
    (0..ORDERS).filter(|other| bucket(hash(*other), buckets) == bucket(hash(order), buckets)).collect()
}

fn buckets(path: &Path) -> rusqlite::Result<u64> {
    let count: i64 = Connection::open(path)?.query_row("SELECT count(*) FROM buckets", (), |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// Each bucket's orders and the XOR of their checksums: as the state says, and as its orders say.
type Contents = BTreeMap<i64, (i64, i64)>;

fn contents(path: &Path) -> rusqlite::Result<[Contents; 2]> {
    let connection = Connection::open(path)?;
    let mut statement = connection.prepare("SELECT bucket, orders, checksums FROM buckets")?;
    let written: Contents = statement
        .query_map((), |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?
        .collect::<rusqlite::Result<_>>()?;
    let count = written.len() as u64;
    let mut found: Contents = written.keys().map(|bucket| (*bucket, (0, 0))).collect();
    let mut statement = connection.prepare("SELECT run_order_id, hash, seal FROM orders")?;
    let orders = statement.query_map((), |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, i64>(2)?)))?;
    for order in orders {
        let (id, at, seal): (String, i64, i64) = order?;
        let number = id.strip_prefix("wfrun_").and_then(|number| number.parse().ok()).expect("an ID of these tests");
        assert_eq!(at, hash(number), "{id}");
        let bucket = found.get_mut(&bucket(at, count)).expect("a bucket for each hash");
        *bucket = (bucket.0 + 1, bucket.1 ^ seal);
    }
    Ok([written, found])
}

#[test]
fn a_night_proves_the_buckets_of_its_orders_and_a_share_of_the_others() -> Tested {
    let changes = [
        "DELETE FROM orders WHERE run_order_id = ?1",
        // The row as it was a night ago, with a checksum that is right.
        "REPLACE INTO orders SELECT * FROM aside WHERE run_order_id = ?1",
        "DELETE FROM buckets WHERE bucket = (SELECT hash >> ?2 FROM orders WHERE run_order_id = ?1)",
        "UPDATE buckets SET orders = orders + 1 WHERE bucket = (SELECT hash >> ?2 FROM orders WHERE run_order_id = ?1)",
    ];
    for change in changes {
        let Bench { path, mut store, _folder, .. } = damaged(change)?;
        let near = neighbours(VICTIM, buckets(&path)?.max(ORDERS / 8).next_power_of_two());
        for needed in [near[0], *near.last().expect("the order itself"), VICTIM] {
            let error = night(&mut store, &path, [needed].into_iter(), 3).expect_err(change);
            assert!(error.to_string().contains("damaged"), "{change}: {error}");
        }
        // Other nights go on until the share of the damaged bucket is due.
        let Bench { path, mut store, _folder, .. } = damaged(change)?;
        let far = (0..ORDERS).find(|order| !near.contains(order)).expect("another bucket");
        let good = (0..NIGHTS).take_while(|_| night(&mut store, &path, [far].into_iter(), 4).is_ok()).count();
        assert!((1..NIGHTS as usize).contains(&good), "{change}: found after {good} nights");
    }
    Ok(())
}

/// The order whose memory is damaged.
const VICTIM: u64 = 7;

/// A state whose memory of one order was changed.
fn damaged(change: &str) -> Tested<Bench> {
    let mut bench = remembering()?;
    let count = buckets(&bench.path)?;
    assert!((ORDERS / 8..=ORDERS / 4).contains(&count), "{count} buckets");
    let connection = Connection::open(&bench.path)?;
    let id = format!("wfrun_{VICTIM}");
    connection.execute("CREATE TABLE aside AS SELECT * FROM orders WHERE run_order_id = ?1", [&id])?;
    night(&mut bench.store, &bench.path, [VICTIM].into_iter(), 2)?;
    let shift = 63 - count.trailing_zeros();
    let changed = match change.contains("?2") {
        true => connection.execute(change, (id, shift))?,
        false => connection.execute(change, [id])?,
    };
    assert_eq!(changed, 1, "{change}");
    connection.execute_batch("DROP TABLE aside")?;
    Ok(bench)
}

#[test]
fn an_order_that_is_missed_is_proved_to_be_absent() -> Tested {
    let Bench { path, mut store, _folder, .. } = remembering()?;
    let count = buckets(&path)?;
    let stranger = ORDERS + 5;
    let lost = *neighbours(stranger, count).first().expect("a neighbour");
    Connection::open(&path)?.execute("DELETE FROM orders WHERE run_order_id = ?1", [format!("wfrun_{lost}")])?;
    let error = night(&mut store, &path, [stranger].into_iter(), 2).expect_err("its bucket lost an order");
    assert!(error.to_string().contains("were written"), "{error}");
    let recall = store.recall("https://provider.example/v2", Timestamp::MIN, Timestamp::MAX)?;
    assert!(recall.settled(&format!("wfrun_{stranger}")).is_err(), "it might be the one that was lost");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn buckets_hold_what_the_orders_hold(nights in prop::collection::vec((0..400_u64, 0..300_u64), 1..6)) {
        let Bench { path, mut store, _folder, .. } = bench();
        for (second, (first, count)) in (1..).zip(nights) {
            night(&mut store, &path, first..first + count, second).expect("nothing is damaged");
            let [written, found] = contents(&path).expect("readable");
            prop_assert_eq!(&written, &found);
            let orders: i64 = written.values().map(|bucket| bucket.0).sum();
            prop_assert!(orders <= 8 * written.len() as i64);
        }
    }
}

/// Sets a column of a table's only row, with a checksum that is right.
fn reseal(path: &Path, table: &str, column: &str, value: i64) -> Tested {
    let connection = Connection::open(path)?;
    assert_eq!(connection.execute(&format!("UPDATE {table} SET {column} = ?1"), [value])?, 1);
    let mut statement = connection.prepare(&format!("SELECT * FROM {table}"))?;
    let columns = statement.column_count() - 1;
    let row: Vec<rusqlite::types::Value> =
        statement.query_row((), |row| (0..columns).map(|column| row.get(column)).collect())?;
    let seal = seal::checksum_of(&seal::with_checksum(row));
    connection.execute(&format!("UPDATE {table} SET seal = ?1"), [seal])?;
    Ok(())
}

#[test]
fn a_number_of_orders_that_can_not_be_right_is_found_at_once() -> Tested {
    for wrong in [0, 1 << 33, 1 << 62, i64::MAX] {
        let mut bench = remembering()?;
        reseal(&bench.path, "providers", "orders", wrong)?;
        for orders in [0..3, ORDERS..ORDERS * 3] {
            let error = night(&mut bench.store, &bench.path, orders, 2).expect_err("damaged");
            assert!(error.to_string().contains("damaged"), "{wrong}: {error}");
        }
    }
    Ok(())
}

#[test]
fn a_number_of_orders_that_is_wrong_is_found_within_thirty_nights() -> Tested {
    for wrong in [1, ORDERS - 1, ORDERS + 1] {
        let mut bench = remembering()?;
        reseal(&bench.path, "providers", "orders", wrong.cast_signed())?;
        let good = (0..NIGHTS).take_while(|_| night(&mut bench.store, &bench.path, 0..1, 2).is_ok()).count();
        assert!(good < NIGHTS as usize, "{wrong}");
    }
    Ok(())
}

#[test]
fn numbers_of_a_run_that_can_not_be_right_take_no_room() -> Tested {
    for wrong in [1 << 40, 1 << 62, i64::MAX] {
        let Bench { path, mut store, run, _folder } = bench();
        learn(&mut schema::connect(&path)?, run, false, vec![seen(1, Some(5), 1)])?;
        reseal(&path, "runs", "rows", wrong)?;
        reseal(&path, "outcomes", "line", wrong)?;
        store.remember_with(run)?;
        assert!(buckets(&path)? < 10_000, "{wrong}");
    }
    Ok(())
}
