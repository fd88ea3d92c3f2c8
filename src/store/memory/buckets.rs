//! The proof of the memory, bucket by bucket, so that a night costs what the night is and not what the years are.
//!
//! Orders are kept by a hash of their ID; a bucket is a range of hashes. For each bucket the state keeps the number of
//! its orders and the XOR of their checksums. So a lost, changed or misplaced order is found before its bucket is used,
//! whether the order is looked for there or must be absent. A job proves the buckets that it uses and a share of the
//! others, so that each is proved within [`NIGHTS`] jobs.

use std::ops::Range;
use std::sync::LazyLock;

use rusqlite::{Connection, Row, params_from_iter};
use sha2::{Digest, Sha256};

use super::super::cells::{Cells, Layout};
use super::super::error::{Problem, sqlite};
use super::super::runs::Providers;
use super::super::seal::with_checksum;
use super::{ORDERS, OrderMemory};

/// Jobs until every bucket is proved.
const NIGHTS: u64 = 30;
/// The most orders that a bucket is planned for.
const FILL: u64 = 8;
/// The bits of a hash, which fits SQLite's signed integer.
const HASH_BITS: u32 = 63;
/// The place of the hash in the columns of an order.
const HASH: usize = 1;
const PROVING: &str = "prove the memory of orders in";

static BUCKETS: Layout = Layout { table: "buckets", columns: &["provider_id", "bucket", "orders", "checksums"] };

// Written once: a night asks for a thousand buckets.
static ORDERS_OF: LazyLock<String> = LazyLock::new(|| {
    let columns = ORDERS.list("");
    format!(
        "SELECT {columns} FROM orders WHERE provider_id = ?1 AND hash BETWEEN ?2 AND ?3 ORDER BY hash, run_order_id"
    )
});
static RECORDS_OF: LazyLock<String> = LazyLock::new(|| {
    let columns = BUCKETS.list("");
    format!("SELECT {columns} FROM buckets WHERE provider_id = ?1 AND bucket BETWEEN ?2 AND ?3 ORDER BY bucket")
});
static REPLACE: LazyLock<String> = LazyLock::new(|| BUCKETS.replace());

/// The place of an order in the memory: the first 63 bits of its ID's SHA-256.
pub(in crate::store) fn hash(run_order_id: &str) -> i64 {
    let digest = Sha256::digest(run_order_id);
    let first = digest.iter().take(8).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    (first >> (u64::BITS - HASH_BITS)).cast_signed()
}

/// What the state records of a bucket.
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

/// One order of a bucket.
pub(super) struct BucketOrder {
    pub(super) hash: i64,
    pub(super) run_order_id: String,
    pub(super) memory: OrderMemory,
    /// Whether the memory is not what the state has.
    pub(super) has_changed: bool,
    /// The checksum of the order's row.
    pub(super) checksum: i64,
}

impl BucketOrder {
    /// An order that the state does not have yet.
    pub(super) fn new(hash: i64, run_order_id: &str, memory: OrderMemory) -> Self {
        Self { hash, run_order_id: run_order_id.to_owned(), memory, has_changed: true, checksum: 0 }
    }

    /// Replaces what is remembered of the order.
    pub(super) fn note(&mut self, memory: OrderMemory) {
        self.has_changed |= self.memory != memory;
        self.memory = memory;
    }

    fn read(mut cells: Cells<'_>) -> Result<Self, Problem> {
        cells.skip();
        let (hash, run_order_id) = (cells.required_integer()?, cells.required_text()?);
        let checksum = cells.checksum();
        Ok(Self { hash, run_order_id, memory: OrderMemory::read_rest(cells)?, has_changed: false, checksum })
    }
}

/// The buckets of one provider.
#[derive(Clone, Copy, Debug)]
pub(super) struct Buckets {
    pub(super) provider: i64,
    /// How many there are: a power of two, or 0 before the first order.
    count: u64,
}

impl Buckets {
    pub(super) fn of(provider: i64, providers: &Providers) -> Self {
        Self { provider, count: providers.buckets(provider) }
    }

    /// The bucket of a hash.
    pub(super) const fn index(self, hash: i64) -> i64 {
        if self.count == 0 { 0 } else { index(hash, self.count) }
    }

    /// Proves a bucket and returns its orders.
    pub(super) fn read(self, connection: &Connection, bucket: i64) -> Result<Vec<BucketOrder>, Problem> {
        let mut orders = Vec::<BucketOrder>::new();
        if self.count == 0 {
            return Ok(orders);
        }
        scan(connection, self, bucket..bucket + 1, |row| {
            let order = BucketOrder::read(Cells::open(row, 0, &ORDERS)?)?;
            let is_misplaced = orders
                .last()
                .is_some_and(|earlier| (earlier.hash, &earlier.run_order_id) >= (order.hash, &order.run_order_id));
            if is_misplaced || order.hash != hash(&order.run_order_id) {
                return Err(damaged(format!("{} is not in its place", order.run_order_id)));
            }
            let place = (order.hash, order.checksum);
            orders.push(order);
            Ok(place)
        })?;
        Ok(orders)
    }

    /// Records what a bucket holds now.
    pub(super) fn write(self, connection: &Connection, at: i64, orders: &[BucketOrder]) -> Result<(), Problem> {
        let mut bucket = Bucket::default();
        orders.iter().for_each(|order| bucket.add(order.checksum));
        write(connection, self.provider, [(at, bucket)].into_iter())
    }
}

/// Makes room for more orders of a provider: as many buckets as they need, each with few orders. Returns whether the
/// provider had no order yet.
pub(super) fn make_room(
    connection: &Connection,
    provider: i64,
    providers: &mut Providers,
    more: u64,
) -> Result<bool, Problem> {
    let (from, orders) = (providers.buckets(provider), providers.orders(provider));
    let to = orders.saturating_add(more).div_ceil(FILL).next_power_of_two();
    if to <= from {
        return Ok(false);
    }
    let failed = sqlite(PROVING);
    let mut buckets = vec![Bucket::default(); usize::try_from(to).unwrap_or(usize::MAX)];
    if from > 0 {
        scan(connection, Buckets { provider, count: from }, 0..from.cast_signed(), |row| {
            let (hash, checksum) = proven(row)?;
            if let Some(bucket) = usize::try_from(index(hash, to)).ok().and_then(|at| buckets.get_mut(at)) {
                bucket.add(checksum);
            }
            Ok((hash, checksum))
        })?;
    }
    let found: u64 = buckets.iter().map(|bucket| bucket.orders).sum();
    if found != orders {
        return Err(damaged(format!("{found} found, {orders} were written")));
    }
    connection.execute("DELETE FROM buckets WHERE provider_id = ?1", [provider]).map_err(failed)?;
    providers.set_buckets(provider, to);
    write(connection, provider, (0..).zip(buckets))?;
    // Reading the providers proved that there is no order where none is counted.
    Ok(orders == 0)
}

/// Proves the next share of a provider's buckets.
pub(super) fn prove_share(connection: &Connection, provider: i64) -> Result<(), Problem> {
    let mut providers = Providers::read(connection)?;
    let (count, next) = (providers.buckets(provider), providers.next_bucket(provider));
    let end = next.saturating_add(count.div_ceil(NIGHTS)).min(count);
    if next < end {
        scan(connection, Buckets { provider, count }, next.cast_signed()..end.cast_signed(), proven)?;
    }
    let is_round = end == count;
    if is_round {
        let query = "SELECT coalesce(sum(orders), 0) FROM buckets WHERE provider_id = ?1";
        let found: i64 = connection.query_row(query, [provider], |row| row.get(0)).map_err(sqlite(PROVING))?;
        let written = providers.orders(provider);
        if found.unsigned_abs() != written {
            return Err(damaged(format!("{found} found, {written} were written")));
        }
    }
    providers.set_next_bucket(provider, if is_round { 0 } else { end });
    providers.write(connection)
}

/// The bucket of a hash, of so many.
const fn index(hash: i64, count: u64) -> i64 {
    hash >> (HASH_BITS - count.trailing_zeros())
}

/// The hash and the checksum of an order that is not damaged.
fn proven(row: &Row<'_>) -> Result<(i64, i64), Problem> {
    let checksum = Cells::prove(row, &ORDERS)?;
    // A row that its checksum proves was written by this program, with an integer there.
    Ok((row.get(HASH).map_err(sqlite(PROVING))?, checksum))
}

/// Reads some buckets and visits the rows of their orders; `visit` proves each and returns its hash and its checksum. Every
/// bucket must be as it was written.
fn scan(
    connection: &Connection,
    buckets: Buckets,
    range: Range<i64>,
    mut visit: impl FnMut(&Row<'_>) -> Result<(i64, i64), Problem>,
) -> Result<(), Problem> {
    let failed = sqlite(PROVING);
    let Buckets { provider, count } = buckets;
    let shift = HASH_BITS - count.trailing_zeros();
    let (first, last) = (range.start << shift, ((range.end - 1) << shift) | (i64::MAX >> (HASH_BITS - shift)));
    let mut orders = connection.prepare_cached(&ORDERS_OF).map_err(failed)?;
    let mut orders = orders.query((provider, first, last)).map_err(failed)?;
    let mut records = connection.prepare_cached(&RECORDS_OF).map_err(failed)?;
    let mut records = records.query((provider, range.start, range.end - 1)).map_err(failed)?;
    let mut require = |at: i64, found: Bucket| {
        let missing = || damaged(format!("bucket {at} is missing"));
        let (bucket, written) = read(records.next().map_err(failed)?.ok_or_else(missing)?)?;
        if bucket != at {
            return Err(missing());
        }
        if found.orders != written.orders {
            return Err(damaged(format!("{} found in bucket {at}, {} were written", found.orders, written.orders)));
        }
        if found != written {
            return Err(damaged(format!("an order of bucket {at} is not as it was written")));
        }
        Ok(())
    };
    let (mut current, mut found) = (range.start, Bucket::default());
    while let Some(row) = orders.next().map_err(failed)? {
        let (hash, checksum) = visit(row)?;
        let at = index(hash, count);
        if !(current..range.end).contains(&at) {
            return Err(damaged(format!("an order of bucket {at} is not in its place")));
        }
        while current < at {
            require(current, std::mem::take(&mut found))?;
            current += 1;
        }
        found.add(checksum);
    }
    while current < range.end {
        require(current, std::mem::take(&mut found))?;
        current += 1;
    }
    Ok(())
}

/// The number of a bucket, and what the state records of it.
fn read(row: &Row<'_>) -> Result<(i64, Bucket), Problem> {
    let mut cells = Cells::open(row, 0, &BUCKETS)?;
    cells.skip();
    let at = cells.required_integer()?;
    Ok((at, Bucket { orders: cells.required_count()?, checksums: cells.required_integer()? }))
}

fn write(connection: &Connection, provider: i64, buckets: impl Iterator<Item = (i64, Bucket)>) -> Result<(), Problem> {
    let failed = sqlite(PROVING);
    let mut statement = connection.prepare_cached(&REPLACE).map_err(failed)?;
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
