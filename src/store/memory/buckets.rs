//! The proof of the memory, bucket by bucket, so that a night costs what the night is and not what the years are.
//!
//! Orders are kept by a hash of their ID; a bucket is a range of hashes. For each bucket the state keeps the number of
//! its orders and the XOR of their checksums. So a lost, changed or misplaced order is found before its bucket is used,
//! whether the order is looked for there or must be absent. A job proves the buckets that it uses and a share of the
//! others, so that each is proved within [`NIGHTS`] jobs.

use std::collections::HashMap;

use rusqlite::{Connection, params_from_iter};
use sha2::{Digest, Sha256};

use super::super::cells::{Cells, Layout};
use super::super::error::{Problem, sqlite};
use super::super::runs::Providers;
use super::super::seal::with_checksum;
use super::ORDERS;

/// Jobs until every bucket is proved.
const NIGHTS: u64 = 30;
/// The most orders that a bucket is planned for.
const FILL: u64 = 8;
/// The bits of a hash, which fits SQLite's signed integer.
const HASH_BITS: u32 = 63;
const PROVING: &str = "prove the memory of orders in";

static BUCKETS: Layout = Layout { table: "buckets", columns: &["provider_id", "bucket", "orders", "checksums"] };

/// The place of an order in the memory: the first 63 bits of its ID's SHA-256.
pub(in crate::store) fn hash(run_order_id: &str) -> i64 {
    let digest = Sha256::digest(run_order_id);
    let first = digest.iter().take(8).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    (first >> (u64::BITS - HASH_BITS)).cast_signed()
}

/// The content of a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Bucket {
    orders: u64,
    /// The XOR of the checksums of its orders.
    checksums: i64,
}

impl Bucket {
    const fn add(&mut self, checksum: i64) {
        self.orders += 1;
        self.checksums ^= checksum;
    }
}

/// The buckets of one provider, as far as they were proved.
#[derive(Debug)]
pub(super) struct Buckets {
    provider: i64,
    /// How many there are: a power of two, or 0 before the first order.
    count: u64,
    proved: HashMap<i64, Bucket>,
    changed: Vec<i64>,
}

impl Buckets {
    /// The buckets of a provider, none of them proved yet.
    pub(super) fn of(provider: i64, providers: &Providers) -> Self {
        let count = providers.buckets(provider);
        Self { provider, count, proved: HashMap::new(), changed: Vec::new() }
    }

    /// Proves the bucket of a hash, unless that was done.
    pub(super) fn prove(&mut self, connection: &Connection, hash: i64) -> Result<(), Problem> {
        if self.count == 0 {
            return Ok(());
        }
        let bucket = index(hash, self.count);
        if !self.proved.contains_key(&bucket) {
            let found = scan(connection, self.provider, bucket, self.count, |_, _| {})?;
            self.proved.insert(bucket, found);
        }
        Ok(())
    }

    /// Notes that the row of an order, whose bucket is proved, was written in place of an earlier one, if there was one.
    pub(super) fn replace(&mut self, hash: i64, earlier: Option<i64>, checksum: i64) {
        let at = index(hash, self.count);
        let bucket = self.proved.entry(at).or_default();
        bucket.checksums ^= checksum ^ earlier.unwrap_or(0);
        bucket.orders += u64::from(earlier.is_none());
        if self.changed.last() != Some(&at) {
            self.changed.push(at);
        }
    }

    /// Writes the buckets that changed.
    pub(super) fn write(mut self, connection: &Connection) -> Result<(), Problem> {
        self.changed.sort_unstable();
        self.changed.dedup();
        let changed = self.changed.iter().filter_map(|at| Some((*at, *self.proved.get(at)?)));
        write(connection, self.provider, changed)
    }
}

/// Makes room for more orders of a provider: as many buckets as they need, each with few orders.
pub(super) fn make_room(
    connection: &Connection,
    provider: i64,
    providers: &mut Providers,
    more: u64,
) -> Result<(), Problem> {
    let (from, orders) = (providers.buckets(provider), providers.orders(provider));
    let to = orders.saturating_add(more).div_ceil(FILL).next_power_of_two();
    if to <= from {
        return Ok(());
    }
    let failed = sqlite(PROVING);
    let mut buckets = vec![Bucket::default(); usize::try_from(to).unwrap_or(usize::MAX)];
    let mut move_in = |hash, checksum| {
        if let Some(bucket) = usize::try_from(index(hash, to)).ok().and_then(|at| buckets.get_mut(at)) {
            bucket.add(checksum);
        }
    };
    for bucket in 0..from {
        scan(connection, provider, bucket.cast_signed(), from, &mut move_in)?;
    }
    let found: u64 = buckets.iter().map(|bucket| bucket.orders).sum();
    let is_empty = "SELECT NOT EXISTS (SELECT 1 FROM orders WHERE provider_id = ?1)";
    let is_empty: bool = connection.query_row(is_empty, [provider], |row| row.get(0)).map_err(failed)?;
    if found != orders || (found == 0) != is_empty {
        return Err(damaged(format!("{found} found, {orders} were written")));
    }
    connection.execute("DELETE FROM buckets WHERE provider_id = ?1", [provider]).map_err(failed)?;
    providers.set_buckets(provider, to);
    write(connection, provider, (0..).zip(buckets))
}

/// Proves the next share of a provider's buckets.
pub(super) fn prove_share(connection: &Connection, provider: i64) -> Result<(), Problem> {
    let mut providers = Providers::read(connection)?;
    let (count, next) = (providers.buckets(provider), providers.next_bucket(provider));
    let end = next.saturating_add(count.div_ceil(NIGHTS)).min(count);
    for bucket in next..end {
        scan(connection, provider, bucket.cast_signed(), count, |_, _| {})?;
    }
    providers.set_next_bucket(provider, if end == count { 0 } else { end });
    providers.write(connection)
}

/// The bucket of a hash, of so many.
const fn index(hash: i64, count: u64) -> i64 {
    hash >> (HASH_BITS - count.trailing_zeros())
}

/// Reads a bucket, of so many, and visits the hash and the checksum of each of its orders. The bucket must be as it was
/// written, with each order undamaged and where it is looked up.
fn scan(
    connection: &Connection,
    provider: i64,
    bucket: i64,
    count: u64,
    mut visit: impl FnMut(i64, i64),
) -> Result<Bucket, Problem> {
    let failed = sqlite(PROVING);
    let shift = HASH_BITS - count.trailing_zeros();
    let (first, last) = (bucket << shift, (bucket << shift) | (i64::MAX >> (HASH_BITS - shift)));
    let query = format!(
        "SELECT {} FROM orders WHERE provider_id = ?1 AND hash BETWEEN ?2 AND ?3 ORDER BY hash, run_order_id",
        ORDERS.list("")
    );
    let mut statement = connection.prepare_cached(&query).map_err(failed)?;
    let mut rows = statement.query((provider, first, last)).map_err(failed)?;
    let (mut found, mut earlier) = (Bucket::default(), None);
    while let Some(row) = rows.next().map_err(failed)? {
        let read = |row| -> Result<_, Problem> {
            let mut cells = Cells::open(row, 0, &ORDERS)?;
            cells.skip();
            Ok(((cells.required_integer()?, cells.required_text()?), cells.checksum()?))
        };
        let (key, checksum) = read(row)?;
        if key.0 != hash(&key.1) || earlier.as_ref().is_some_and(|earlier| *earlier >= key) {
            return Err(damaged(format!("{} is not in its place", key.1)));
        }
        found.add(checksum);
        visit(key.0, checksum);
        earlier = Some(key);
    }
    let written = read(connection, provider, bucket)?;
    if found.orders != written.orders {
        return Err(damaged(format!("{} found in bucket {bucket}, {} were written", found.orders, written.orders)));
    }
    if found != written {
        return Err(damaged(format!("an order of bucket {bucket} is not as it was written")));
    }
    Ok(found)
}

fn read(connection: &Connection, provider: i64, bucket: i64) -> Result<Bucket, Problem> {
    let failed = sqlite(PROVING);
    let query = format!("SELECT {} FROM buckets WHERE provider_id = ?1 AND bucket = ?2", BUCKETS.list(""));
    let mut statement = connection.prepare_cached(&query).map_err(failed)?;
    let mut rows = statement.query((provider, bucket)).map_err(failed)?;
    let row = rows.next().map_err(failed)?.ok_or_else(|| damaged(format!("bucket {bucket} is missing")))?;
    let mut cells = Cells::open(row, 0, &BUCKETS)?;
    cells.skip();
    cells.skip();
    Ok(Bucket { orders: cells.required_count()?, checksums: cells.required_integer()? })
}

fn write(connection: &Connection, provider: i64, buckets: impl Iterator<Item = (i64, Bucket)>) -> Result<(), Problem> {
    let failed = sqlite(PROVING);
    let mut statement = connection.prepare_cached(&BUCKETS.replace()).map_err(failed)?;
    for (at, Bucket { orders, checksums }) in buckets {
        let orders = i64::try_from(orders).unwrap_or(i64::MAX);
        let row = with_checksum([provider.into(), at.into(), orders.into(), checksums.into()]);
        statement.execute(params_from_iter(row)).map_err(failed)?;
    }
    Ok(())
}

fn damaged(problem: String) -> Problem {
    Problem::damaged("the memory of orders", problem)
}
