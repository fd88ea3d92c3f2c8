//! How the sightings of a run enter the memory: in batches, sorted, bucket by bucket.

use rusqlite::{Connection, params_from_iter};

use super::buckets::{BucketOrder, Buckets, hash};
use super::{ORDERS, OrderMemory, OrderUpdate, REMEMBERING, RememberedOrders, observation};
use crate::store::RunId;
use crate::store::error::{Problem, sqlite};
use crate::store::rechecks::Rechecks;
use crate::store::rows::{self, OUTCOMES, OutcomeCells};
use crate::store::seal::checksum_of;

/// How many updates are sorted at once: some 100 MB. The more, the fewer times is each bucket touched.
const BATCH: usize = 1 << 20;

/// Takes the sightings of one run into the memory.
pub(super) struct Intake<'t> {
    connection: &'t Connection,
    buckets: Buckets,
    /// Whether the memory stays as it is.
    only_compares: bool,
    /// Whether the memory of the provider is proved to be empty, so that no bucket needs to be read.
    is_new: bool,
    /// How many orders are new in the memory.
    pub(super) added: u64,
    pub(super) remembered: RememberedOrders,
}

impl<'t> Intake<'t> {
    /// An intake that changes the memory. `is_new` if the memory of the provider is proved to be empty.
    pub(super) fn of(connection: &'t Connection, buckets: Buckets, is_new: bool) -> Self {
        let remembered = RememberedOrders::default();
        Self { connection, buckets, only_compares: false, is_new, added: 0, remembered }
    }

    /// An intake that leaves the memory as it is.
    pub(super) fn comparing(connection: &'t Connection, buckets: Buckets) -> Self {
        Self { only_compares: true, ..Self::of(connection, buckets, false) }
    }

    pub(super) fn run(&mut self, run: RunId) -> Result<(), Problem> {
        let failed = sqlite(REMEMBERING);
        let mut statement = self.connection.prepare(&rows::select_cells(&OUTCOMES)).map_err(failed)?;
        let mut rows = statement.query([run.0]).map_err(failed)?;
        // A rechecked order may have been half settled when it was read first: that state is not remembered.
        let mut rechecks = Rechecks::prepare_cells(self.connection, |row| {
            let cells = OutcomeCells::read(row)?;
            Ok((cells.line, (cells.is_not_found(), OrderUpdate::of(&cells))))
        })?;
        let mut rechecks = rechecks.open(run)?;
        let at_most = rows::at_most(self.connection, run)?;
        let mut batch = Batch::of(usize::try_from(at_most).unwrap_or(BATCH).min(BATCH));
        while let Some(row) = rows.next().map_err(failed)? {
            let first = OutcomeCells::read(row)?;
            let again = rechecks.take(first.line)?;
            // But an order that is gone at the recheck was there before, so its first reading counts as well.
            let counts = again.as_ref().is_none_or(|(is_gone, _)| *is_gone);
            let update = OrderUpdate::of(&first).filter(|_| counts);
            let updates = update.into_iter().chain(again.and_then(|(_, update)| update));
            updates.for_each(|update| batch.add(first.run_order_id, first.line, update));
            if batch.updates.len() >= BATCH {
                self.batch(&mut batch)?;
            }
        }
        self.batch(&mut batch)
    }

    fn batch(&mut self, batch: &mut Batch) -> Result<(), Problem> {
        let failed = sqlite(REMEMBERING);
        batch.sort();
        let mut replace = self.connection.prepare_cached(&ORDERS.replace()).map_err(failed)?;
        let buckets = self.buckets;
        let is_same = |one: &Update, other: &Update| buckets.index(one.hash) == buckets.index(other.hash);
        for updates in batch.updates.chunk_by(is_same) {
            let at = updates.first().map_or(0, |update| buckets.index(update.hash));
            let mut bucket = if self.is_new { Vec::new() } else { buckets.read(self.connection, at)? };
            let was = bucket.len();
            for update in updates {
                let id = batch.id(update);
                let place = bucket.iter().position(|order| order.run_order_id == id);
                let known = place.and_then(|place| bucket.get(place)).map(|order| order.memory.clone());
                let Some(memory) = self.take(update.line, known, &update.update)? else {
                    continue;
                };
                match place.and_then(|place| bucket.get_mut(place)) {
                    Some(order) => order.note(memory),
                    None => bucket.push(BucketOrder::new(update.hash, id, memory)),
                }
            }
            if self.only_compares {
                continue;
            }
            self.added += (bucket.len() - was) as u64;
            if bucket.iter().all(|order| !order.has_changed) {
                continue;
            }
            for order in bucket.iter_mut().filter(|order| order.has_changed) {
                let row = order.memory.row(buckets.provider, order.hash, &order.run_order_id);
                order.checksum = checksum_of(&row);
                replace.execute(params_from_iter(row)).map_err(failed)?;
            }
            buckets.write(self.connection, at, &bucket)?;
        }
        batch.ids.clear();
        batch.updates.clear();
        // The next batch may be about orders of this one.
        self.is_new = false;
        Ok(())
    }

    /// What is remembered of an order after one more row; `None` if the order was never seen.
    fn take(
        &mut self,
        line: u64,
        known: Option<OrderMemory>,
        update: &OrderUpdate,
    ) -> Result<Option<OrderMemory>, Problem> {
        let (mut memory, shown) = match (known, update) {
            (None, OrderUpdate::Seen(sighting)) => {
                (OrderMemory::of(sighting), Some((sighting.observation, sighting.job)))
            }
            (Some(memory), OrderUpdate::Seen(sighting)) => (memory, Some((sighting.observation, sighting.job))),
            (Some(memory), OrderUpdate::Reused { observation }) => (memory, Some((*observation, i64::MAX))),
            (Some(memory), OrderUpdate::Missed { .. }) => (memory, None),
            (None, OrderUpdate::Reused { .. } | OrderUpdate::Missed { .. }) => return Ok(None),
        };
        match update {
            OrderUpdate::Seen(sighting) => memory.note(sighting),
            OrderUpdate::Reused { .. } => {}
            OrderUpdate::Missed { job, is_unknown } => {
                // An answer that is older than the latest sighting does not mean that the order has vanished.
                let is_latest = *job >= memory.job || !memory.is_shown;
                memory.miss(*job);
                if *is_unknown && is_latest && memory.settled_seen_at.is_some() {
                    let (_, _, latest) = observation(self.connection, memory.latest)?;
                    self.remembered.vanished.insert(line, latest);
                }
            }
        }
        // A row of a continued run may be older than the baseline, which another run saw since.
        if let (Some(baseline), Some((shown, job))) = (memory.baseline, shown)
            && baseline != shown
            && job >= memory.baseline_job
        {
            let (_, _, baseline) = observation(self.connection, baseline)?;
            self.remembered.baselines.insert(line, baseline.charge());
        }
        Ok(Some(memory))
    }
}

/// What rows add to the memory, to be sorted.
struct Batch {
    /// The IDs of the orders, one after the other.
    ids: String,
    updates: Vec<Update>,
}

/// What one row adds to the memory of its order.
struct Update {
    hash: i64,
    /// Where the order's ID begins in the IDs of the batch, and its length.
    id: (usize, u32),
    line: u64,
    update: OrderUpdate,
}

impl Batch {
    /// A batch with room for so many updates: growing would copy all of them time and again.
    fn of(updates: usize) -> Self {
        Self { ids: String::new(), updates: Vec::with_capacity(updates) }
    }

    fn add(&mut self, order: &str, line: u64, update: OrderUpdate) {
        let id = (self.ids.len(), u32::try_from(order.len()).unwrap_or(u32::MAX));
        self.ids.push_str(order);
        self.updates.push(Update { hash: hash(order), id, line, update });
    }

    fn id(&self, update: &Update) -> &str {
        let (from, length) = update.id;
        self.ids.get(from..from + length as usize).unwrap_or_default()
    }

    /// Sorts the updates so that neighbours in the memory are touched one after the other. Those of one order stay in the
    /// sequence in which they came.
    fn sort(&mut self) {
        self.updates.sort_unstable_by_key(|update| (update.hash, update.id));
    }
}
