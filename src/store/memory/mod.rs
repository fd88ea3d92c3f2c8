//! The memory of orders, shared by all runs: each order's latest state, and its baseline, the first settled state with
//! all six amounts.
//!
//! While it fetches, a run only appends to `outcomes` and `observations`. Its sightings enter the memory at its end,
//! sorted, since looking up each order as it comes in would cost more than all the rest. [`buckets`] proves the memory. Of two sightings, the one by
//! the job with the higher number is the later one, whatever the clock said and whichever run enters the memory first.

pub(super) mod buckets;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row};

use super::cells::{Cells, Layout};
use super::error::{Problem, StoreError, sqlite};
use super::facts::{OBSERVATIONS, Observation};
use super::rows::{self, OUTCOMES, OutcomeCells, Shown};
use super::runs::{self, Providers};
use super::seal::{DIGEST, checksum_of, with_checksum};
use super::{RunId, Store, schema};
use crate::domain::order::{Charge, RunOrder};
use buckets::{Buckets, hash};

const REMEMBERING: &str = "remember orders in";
/// How many sightings are sorted at once.
const BATCH: usize = 1 << 17;

/// The memory: what is remembered of each order.
pub(super) static ORDERS: Layout = Layout {
    table: "orders",
    columns: &[
        "provider_id",
        "hash",
        "run_order_id",
        "start",
        "shown",
        "latest",
        "latest_state",
        "baseline",
        "baseline_start",
        "settled_seen_at",
    ],
};

/// What is remembered of one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OrderMemory {
    /// The number of the job that last got an answer about it.
    job: i64,
    /// Whether that answer showed the order, and was not a 404, a refusal, malformed, or about a different order.
    is_shown: bool,
    /// The ID of the observation of its latest state.
    pub(super) latest: i64,
    /// The digest of its latest state.
    pub(super) latest_state: [u8; DIGEST],
    /// The ID of the observation of its baseline.
    pub(super) baseline: Option<i64>,
    /// The number of the job that saw its baseline; 0 without a baseline.
    baseline_job: i64,
    /// When a fetch last showed it settled.
    settled_seen_at: Option<Timestamp>,
}

impl OrderMemory {
    fn read(row: &Row<'_>) -> Result<Self, Problem> {
        let mut cells = Cells::open(row, 0, &ORDERS)?;
        cells.skip();
        cells.skip();
        cells.skip();
        Ok(Self {
            job: cells.required_integer()?,
            is_shown: cells.flag()?,
            latest: cells.required_integer()?,
            latest_state: cells.bytes()?,
            baseline: cells.integer()?,
            baseline_job: cells.required_integer()?,
            settled_seen_at: cells.time()?,
        })
    }

    fn row(&self, provider: i64, hash: i64, run_order_id: &str) -> Vec<rusqlite::types::Value> {
        with_checksum([
            provider.into(),
            hash.into(),
            run_order_id.to_owned().into(),
            self.job.into(),
            self.is_shown.into(),
            self.latest.into(),
            self.latest_state.to_vec().into(),
            self.baseline.into(),
            self.baseline_job.into(),
            self.settled_seen_at.map(Timestamp::as_microsecond).into(),
        ])
    }

    /// The memory of an order that was never seen before.
    fn of(sighting: &Sighting) -> Self {
        Self {
            job: sighting.job,
            is_shown: true,
            latest: sighting.observation,
            latest_state: sighting.state,
            baseline: None,
            baseline_job: 0,
            settled_seen_at: None,
        }
    }

    /// Takes in one sighting. Taking it in again changes nothing.
    fn note(&mut self, sighting: &Sighting) {
        if sighting.job >= self.job {
            (self.job, self.is_shown) = (sighting.job, true);
            (self.latest, self.latest_state) = (sighting.observation, sighting.state);
        }
        if sighting.is_settled {
            // An earlier job may be taken in after later ones.
            let is_first = self.baseline.is_none() || sighting.job < self.baseline_job;
            if is_first && sighting.is_whole {
                (self.baseline, self.baseline_job) = (Some(sighting.observation), sighting.job);
            }
            self.settled_seen_at = self.settled_seen_at.max(Some(sighting.seen_at));
        }
    }

    /// Takes in an answer that did not show the order.
    fn miss(&mut self, job: i64) {
        if job >= self.job {
            (self.job, self.is_shown) = (job, false);
        }
    }
}

/// One time that an order was seen.
struct Sighting {
    /// The number of the job that saw it.
    job: i64,
    seen_at: Timestamp,
    observation: i64,
    is_settled: bool,
    /// Whether it had all six amounts.
    is_whole: bool,
    state: [u8; DIGEST],
}

/// What a row adds to the memory of its order.
enum OrderUpdate {
    /// The provider showed it.
    Seen(Sighting),
    /// It was not fetched: an earlier observation was reused.
    Reused { observation: i64 },
    /// The answer did not show it. `is_unknown` if it said that there is no such order.
    Missed { job: i64, is_unknown: bool },
}

impl OrderUpdate {
    /// The order's ID and what the row adds to its memory; `None` without an answer about it.
    fn of(row: OutcomeCells) -> Option<(String, Self)> {
        let update = match (row.observation, row.shown) {
            (Some(observation), _) if row.is_reused => Self::Reused { observation },
            (Some(observation), Some(Shown { is_settled, is_whole, state })) => {
                Self::Seen(Sighting { job: row.job, seen_at: row.seen_at, observation, is_settled, is_whole, state })
            }
            (Some(_), None) => Self::Missed { job: row.job, is_unknown: false },
            (None, _) if row.is_not_found() => Self::Missed { job: row.job, is_unknown: true },
            (None, _) if row.shows_nothing() => Self::Missed { job: row.job, is_unknown: false },
            (None, _) => return None,
        };
        Some((row.run_order_id, update))
    }
}

/// The statement that looks up an order in the memory.
pub(super) struct Lookup<'c> {
    statement: CachedStatement<'c>,
}

impl<'c> Lookup<'c> {
    pub(super) fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        let query = format!(
            "SELECT {} FROM orders WHERE provider_id = ?1 AND hash = ?2 AND run_order_id = ?3",
            ORDERS.list("")
        );
        Ok(Self { statement: connection.prepare_cached(&query)? })
    }

    /// What is remembered of an order, whose ID has that [`hash`].
    pub(super) fn find(&mut self, provider: i64, hash: i64, order: &str) -> Result<Option<OrderMemory>, Problem> {
        let found = self.statement.query_row((provider, hash, order), |row| Ok(OrderMemory::read(row))).optional();
        let found = found.map_err(sqlite("look up an order in"))?;
        found.transpose()
    }
}

/// A settled order that is reused instead of fetched.
#[derive(Debug)]
pub struct ReusedOrder {
    /// The ID of its observation.
    pub(super) observation: i64,
    /// Its facts.
    pub order: RunOrder,
}

/// Looks up orders that were recently seen settled, to reuse them instead of fetching them again.
#[derive(Debug)]
pub struct Recall {
    path: PathBuf,
    connection: Connection,
    provider: i64,
    buckets: RefCell<Buckets>,
    since: Timestamp,
    until: Timestamp,
}

impl Recall {
    /// The order, if the last answer about it showed it settled, within the period of this recall.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn settled(&self, order: &str) -> Result<Option<ReusedOrder>, StoreError> {
        self.find(order).map_err(|problem| problem.at(&self.path))
    }

    fn find(&self, order: &str) -> Result<Option<ReusedOrder>, Problem> {
        let hash = hash(order);
        self.buckets.borrow_mut().prove(&self.connection, hash)?;
        let mut lookup = Lookup::prepare(&self.connection).map_err(sqlite("look up an order in"))?;
        let found = lookup.find(self.provider, hash, order)?;
        // A time in the future means that the clock was set back: how long ago it was is unknown.
        let is_recent = |seen: Timestamp| (self.since..=self.until).contains(&seen);
        let is_reusable = |memory: &OrderMemory| memory.is_shown && memory.settled_seen_at.is_some_and(is_recent);
        let Some(memory) = found.filter(is_reusable) else {
            return Ok(None);
        };
        let seen = observation(&self.connection, memory.latest)?;
        if seen.run_order_id != order {
            return Err(Problem::damaged(format!("the memory of order {order}"), "it points to a different order"));
        }
        Ok(seen.is_settled.then_some(ReusedOrder { observation: memory.latest, order: seen.order }))
    }
}

impl Store {
    /// Prepares to recall orders of a provider that were seen settled from `since` to `until`.
    ///
    /// # Errors
    /// When a second connection to the state can't be opened.
    pub fn recall(&mut self, base_url: &str, since: Timestamp, until: Timestamp) -> Result<Recall, StoreError> {
        self.read(|own| {
            let connection = schema::connect(&self.path)?;
            let providers = Providers::read(own)?;
            let provider = providers.id(base_url).unwrap_or(-1);
            let buckets = RefCell::new(Buckets::of(provider, &providers));
            Ok(Recall { path: self.path.clone(), connection, provider, buckets, since, until })
        })
    }

    /// Takes all sightings that are not in the memory yet into it, also those of runs that were killed and never
    /// continued.
    ///
    /// # Errors
    /// When the state can't be written or the memory is damaged; nothing is remembered then.
    pub fn remember(&mut self) -> Result<(), StoreError> {
        self.remember_runs(|_| true, None).map(drop)
    }

    /// Does what [`Store::remember`] does, but leaves out `run`: while it is continued, it does not ask for its
    /// finished orders again, and they enter the memory at its end.
    ///
    /// # Errors
    /// When the state can't be written or the memory is damaged; nothing is remembered then.
    pub fn remember_others(&mut self, run: RunId) -> Result<(), StoreError> {
        self.remember_runs(|other| other != run, None).map(drop)
    }

    /// Does what [`Store::remember`] does, and always takes in the sightings of `run`. Returns what is remembered of
    /// the orders of `run`.
    ///
    /// # Errors
    /// When the state can't be written or the memory is damaged; nothing is remembered then.
    pub fn remember_with(&mut self, run: RunId) -> Result<RememberedOrders, StoreError> {
        self.remember_runs(|_| true, Some(run))
    }

    /// What [`Store::remember_with`] would return, without taking in the sightings of `run`. Those of other runs are
    /// taken in.
    ///
    /// # Errors
    /// When the state can't be read or written, or the memory is damaged.
    pub fn would_remember_with(&mut self, run: RunId) -> Result<RememberedOrders, StoreError> {
        if self.runs()?.len() == 1 {
            // There is no earlier run that could have seen anything settled.
            return Ok(RememberedOrders::default());
        }
        self.remember_others(run)?;
        self.read(|connection| {
            let providers = Providers::read(connection)?;
            let provider = runs::provider_of(connection, run, &providers)?;
            let mut intake = Intake::of(connection, provider, &providers);
            intake.only_compares = true;
            intake.run(run)?;
            Ok(intake.remembered)
        })
    }

    fn remember_runs(
        &mut self,
        is_wanted: impl Fn(RunId) -> bool,
        current: Option<RunId>,
    ) -> Result<RememberedOrders, StoreError> {
        self.change(REMEMBERING, |connection| {
            let remembered = take_in(connection, is_wanted, current)?;
            if let Some(run) = current {
                let provider = runs::provider_of(connection, run, &Providers::read(connection)?)?;
                buckets::prove_share(connection, provider)?;
            }
            Ok(remembered)
        })
    }
}

/// Takes the sightings of the wanted runs into the memory, unless they are in it already, and those of the current run
/// in any case.
fn take_in(
    connection: &Connection,
    is_wanted: impl Fn(RunId) -> bool,
    current: Option<RunId>,
) -> Result<RememberedOrders, Problem> {
    let mut providers = Providers::read(connection)?;
    let mut remembered = RememberedOrders::default();
    let mut runs = runs::all(connection)?;
    // The current run comes last, so that its rows are compared with what all others saw.
    runs.sort_by_key(|run| Some(run.id) == current);
    for mut run in runs {
        let is_current = current == Some(run.id);
        if !is_wanted(run.id) || (run.is_remembered && !is_current) {
            continue;
        }
        let provider = runs::provider_of(connection, run.id, &providers)?;
        buckets::make_room(connection, provider, &mut providers, rows::count(connection, run.id)?)?;
        let mut intake = Intake::of(connection, provider, &providers);
        intake.run(run.id)?;
        intake.buckets.write(connection)?;
        providers.add_orders(provider, intake.added);
        if is_current {
            remembered = intake.remembered;
        }
        run.is_remembered = true;
        runs::replace(connection, &run)?;
    }
    providers.write(connection)?;
    Ok(remembered)
}

/// What is remembered of the orders of a run, by line.
#[derive(Debug, Default)]
pub struct RememberedOrders {
    baselines: HashMap<u64, Charge>,
    vanished: HashMap<u64, RunOrder>,
}

impl RememberedOrders {
    /// Takes the baseline of the order on `line`, if the row shows a different observation of it.
    pub fn take_baseline(&mut self, line: u64) -> Option<Charge> {
        self.baselines.remove(&line)
    }

    /// The lines of which something is remembered.
    #[must_use]
    pub fn lines(&self) -> BTreeSet<u64> {
        self.baselines.keys().chain(self.vanished.keys()).copied().collect()
    }

    /// Takes the latest state of the order on `line`, if the provider no longer knows it and it was once seen settled.
    pub fn take_vanished(&mut self, line: u64) -> Option<RunOrder> {
        self.vanished.remove(&line)
    }
}

/// Takes the sightings of one run into the memory.
struct Intake<'t> {
    connection: &'t Connection,
    provider: i64,
    buckets: Buckets,
    /// Whether the memory stays as it is.
    only_compares: bool,
    /// How many orders are new in the memory.
    added: u64,
    remembered: RememberedOrders,
}

impl<'t> Intake<'t> {
    fn of(connection: &'t Connection, provider: i64, providers: &Providers) -> Self {
        let (buckets, remembered) = (Buckets::of(provider, providers), RememberedOrders::default());
        Self { connection, provider, buckets, only_compares: false, added: 0, remembered }
    }

    fn run(&mut self, run: RunId) -> Result<(), Problem> {
        let failed = sqlite(REMEMBERING);
        let mut statement = self.connection.prepare(&rows::select_cells(&OUTCOMES)).map_err(failed)?;
        let mut rows = statement.query([run.0]).map_err(failed)?;
        // A rechecked order may have been half settled when it was read first: that state is not remembered.
        let mut rechecked = rows::rechecked_cells(self.connection, run)?;
        let mut batch = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let first = OutcomeCells::read(row)?;
            let line = first.line;
            let again = rechecked.remove(&line);
            // But an order that is gone at the recheck was there before, so its first reading counts as well.
            let is_gone = again.as_ref().is_some_and(OutcomeCells::is_not_found);
            let first = Some(first).filter(|_| again.is_none() || is_gone);
            let updates = first.into_iter().chain(again).filter_map(OrderUpdate::of);
            batch.extend(updates.map(|(order, update)| (hash(&order), order, line, update)));
            if batch.len() >= BATCH {
                self.batch(&mut batch)?;
            }
        }
        self.batch(&mut batch)
    }

    /// Takes in a batch, sorted so that neighbours in the memory are touched one after the other.
    fn batch(&mut self, batch: &mut Vec<(i64, String, u64, OrderUpdate)>) -> Result<(), Problem> {
        let failed = sqlite(REMEMBERING);
        batch.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
        let mut lookup = Lookup::prepare(self.connection).map_err(failed)?;
        let mut replace = self.connection.prepare_cached(&ORDERS.replace()).map_err(failed)?;
        for (hash, order, line, update) in batch.drain(..) {
            self.buckets.prove(self.connection, hash)?;
            let known = lookup.find(self.provider, hash, &order)?;
            let Some(memory) = self.take(line, known.clone(), &update)? else {
                continue;
            };
            if self.only_compares {
                continue;
            }
            self.added += u64::from(known.is_none());
            if known.as_ref() != Some(&memory) {
                let row = memory.row(self.provider, hash, &order);
                let earlier = known.map(|known| checksum_of(&known.row(self.provider, hash, &order)));
                self.buckets.replace(hash, earlier, checksum_of(&row));
                replace.execute(rusqlite::params_from_iter(row)).map_err(failed)?;
            }
        }
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
                    let latest = observation(self.connection, memory.latest)?;
                    self.remembered.vanished.insert(line, latest.order);
                }
            }
        }
        // A row of a continued run may be older than the baseline, which another run saw since.
        if let (Some(baseline), Some((shown, job))) = (memory.baseline, shown)
            && baseline != shown
            && job >= memory.baseline_job
        {
            let baseline = observation(self.connection, baseline)?;
            self.remembered.baselines.insert(line, baseline.order.charge());
        }
        Ok(Some(memory))
    }
}

/// Reads one observation.
fn observation(connection: &Connection, id: i64) -> Result<Observation, Problem> {
    let failed = sqlite("read an observation in");
    let query = format!("SELECT {} FROM observations WHERE observation_id = ?1", OBSERVATIONS.list(""));
    let mut statement = connection.prepare_cached(&query).map_err(failed)?;
    let read = |row: &Row<'_>| Ok(Cells::open(row, 0, &OBSERVATIONS).and_then(Observation::read));
    let found = statement.query_row([id], read).optional().map_err(failed)?;
    let missing = || Problem::damaged(format!("observation {id}"), "it is missing");
    found.unwrap_or_else(|| Err(missing()))
}
