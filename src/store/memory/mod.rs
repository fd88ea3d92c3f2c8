//! The memory of orders, shared by all runs: each order's latest state, and its baseline, the first settled state with
//! all six amounts.
//!
//! While it fetches, a run only appends to `outcomes` and `observations`. Its sightings enter the memory at its end,
//! sorted ([`intake`]), since looking up each order as it comes in would cost more than all the rest. [`buckets`] proves
//! the memory. Of two sightings, the one by the job with the higher number is the later one, whatever the clock said and
//! whichever run enters the memory first.

pub(super) mod buckets;
mod intake;
mod since;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::mem;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, InterruptHandle, OptionalExtension, Row};

use super::cells::{Cells, Layout};
use super::error::{Problem, StoreError, io, sqlite};
use super::facts::{OBSERVATIONS, Observation};
use super::rows::{self, OutcomeCells, Shown};
use super::runs::{self, Providers, Run};
use super::seal::{DIGEST, with_checksum};
use super::{RunId, Store, change, schema};
use crate::domain::order::{Charge, RunOrder};
use buckets::{Buckets, hash};
use intake::Intake;

const REMEMBERING: &str = "remember orders in";

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
        Self::read_rest(cells)
    }

    /// Reads the cells after the key.
    fn read_rest(mut cells: Cells<'_>) -> Result<Self, Problem> {
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
    /// What the row adds to the memory of its order; `None` without an answer about it.
    fn of(row: &OutcomeCells<'_>) -> Option<Self> {
        Some(match (row.observation, row.shown) {
            (Some(observation), _) if row.is_reused => Self::Reused { observation },
            (Some(observation), Some(Shown { is_settled, is_whole, state })) => {
                Self::Seen(Sighting { job: row.job, seen_at: row.seen_at, observation, is_settled, is_whole, state })
            }
            (Some(_), None) => Self::Missed { job: row.job, is_unknown: false },
            (None, _) if row.is_not_found() => Self::Missed { job: row.job, is_unknown: true },
            (None, _) if row.shows_nothing() => Self::Missed { job: row.job, is_unknown: false },
            (None, _) => return None,
        })
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
    buckets: Buckets,
    /// The buckets that were proved: each is read once, however many of its orders are recalled.
    proved: RefCell<HashSet<i64>>,
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
        let bucket = self.buckets.index(hash);
        if self.proved.borrow_mut().insert(bucket) {
            self.buckets.read(&self.connection, bucket)?;
        }
        let mut lookup = Lookup::prepare(&self.connection).map_err(sqlite("look up an order in"))?;
        let found = lookup.find(self.buckets.provider, hash, order)?;
        // A time in the future means that the clock was set back: how long ago it was is unknown.
        let is_recent = |seen: Timestamp| (self.since..=self.until).contains(&seen);
        let is_reusable = |memory: &OrderMemory| memory.is_shown && memory.settled_seen_at.is_some_and(is_recent);
        let Some(memory) = found.filter(is_reusable) else {
            return Ok(None);
        };
        let (run_order_id, is_settled, seen) = observation(&self.connection, memory.latest)?;
        if run_order_id != order {
            return Err(Problem::damaged(format!("the memory of order {order}"), "it points to a different order"));
        }
        Ok(is_settled.then_some(ReusedOrder { observation: memory.latest, order: seen }))
    }
}

impl Store {
    /// Prepares to recall orders of a provider that were seen settled from `since` to `until`.
    ///
    /// # Errors
    /// When a second connection to the state can't be opened.
    pub fn recall(&mut self, base_url: &str, since: Timestamp, until: Timestamp) -> Result<Recall, StoreError> {
        self.require_in_place()?;
        self.read(|own| {
            let connection = schema::connect(&self.path)?;
            let providers = Providers::read(own)?;
            let provider = providers.id(base_url).unwrap_or(-1);
            let buckets = Buckets::of(provider, &providers);
            let proved = RefCell::default();
            Ok(Recall { path: self.path.clone(), connection, buckets, proved, since, until })
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
            let mut intake = Intake::comparing(connection, Buckets::of(provider, &providers));
            intake.run(run)?;
            Ok(intake.remembered)
        })
    }

    /// Does what [`Store::remember_with`] does. If nothing is remembered that the orders of `run` could differ from, that
    /// happens on a thread of its own, while the run can be read.
    ///
    /// # Errors
    /// When the state can't be written, is no longer at its path, or the memory is damaged; nothing is remembered then.
    pub fn begin_to_remember(&mut self, run: RunId) -> Result<Remembering, StoreError> {
        if self.read(|connection| remembers_nothing(connection, run))? {
            self.require_in_place()?;
            return self.read(|_| Remembering::start(&self.path, run));
        }
        Ok(Remembering { orders: self.remember_with(run)?, working: None, path: self.path.clone() })
    }

    fn remember_runs(
        &mut self,
        is_wanted: impl Fn(RunId) -> bool,
        current: Option<RunId>,
    ) -> Result<RememberedOrders, StoreError> {
        self.change(REMEMBERING, |connection| take_in_and_prove(connection, is_wanted, current))
    }
}

/// Whether the memory of the provider of `run` is empty, and would be without `run`.
fn remembers_nothing(connection: &Connection, run: RunId) -> Result<bool, Problem> {
    let providers = Providers::read(connection)?;
    let provider = runs::provider_of(connection, run, &providers)?;
    let is_left_out = |other: &Run| other.id == run || other.is_remembered;
    Ok(providers.orders(provider) == 0 && runs::all(connection)?.iter().all(is_left_out))
}

/// The sightings of a run on their way into the memory.
pub struct Remembering {
    orders: RememberedOrders,
    /// The thread that takes them in, and what stops it; `None` if that is done.
    working: Option<(JoinHandle<Result<(), Problem>>, InterruptHandle)>,
    path: PathBuf,
}

impl Remembering {
    fn start(path: &Path, run: RunId) -> Result<Self, Problem> {
        let mut connection = schema::connect(path)?;
        let interrupt = connection.get_interrupt_handle();
        let work = move || {
            let remember = |connection: &Connection| take_in_and_prove(connection, |_| true, Some(run));
            change(&mut connection, REMEMBERING, remember).map(drop)
        };
        let thread = thread::Builder::new().name("tieout-memory".to_owned()).spawn(work);
        let thread = thread.map_err(io("start the thread that remembers orders in"))?;
        let orders = RememberedOrders::default();
        Ok(Self { orders, working: Some((thread, interrupt)), path: path.to_owned() })
    }

    /// Takes what is remembered of the orders of the run.
    pub fn take_orders(&mut self) -> RememberedOrders {
        mem::take(&mut self.orders)
    }

    /// Waits until every sighting is in the memory.
    ///
    /// # Errors
    /// When the state can't be written or the memory is damaged; nothing is remembered then.
    pub fn finish(mut self) -> Result<(), StoreError> {
        let Some((thread, _)) = self.working.take() else { return Ok(()) };
        let ended = thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        ended.map_err(|problem| problem.at(&self.path))
    }
}

impl Drop for Remembering {
    /// Stops the thread: the next job takes the sightings in.
    fn drop(&mut self) {
        if let Some((thread, interrupt)) = self.working.take() {
            interrupt.interrupt();
            _ = thread.join();
        }
    }
}

fn take_in_and_prove(
    connection: &Connection,
    is_wanted: impl Fn(RunId) -> bool,
    current: Option<RunId>,
) -> Result<RememberedOrders, Problem> {
    let remembered = take_in(connection, is_wanted, current)?;
    if let Some(run) = current {
        let provider = runs::provider_of(connection, run, &Providers::read(connection)?)?;
        buckets::prove_share(connection, provider)?;
    }
    Ok(remembered)
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
        let more = rows::at_most(connection, run.id)?.min(run.setup.rows);
        let is_new = buckets::make_room(connection, provider, &mut providers, more)?;
        let mut intake = Intake::of(connection, Buckets::of(provider, &providers), is_new);
        intake.run(run.id)?;
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
    /// Whether anything is remembered of the order on `line`.
    #[must_use]
    pub fn has(&self, line: u64) -> bool {
        let is_empty = self.baselines.is_empty() && self.vanished.is_empty();
        !is_empty && (self.baselines.contains_key(&line) || self.vanished.contains_key(&line))
    }

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

/// Reads one observation: the ID of its order, whether it is settled, and the order.
pub(super) fn observation(connection: &Connection, id: i64) -> Result<(String, bool, RunOrder), Problem> {
    let failed = sqlite("read an observation in");
    let query = format!("SELECT {} FROM observations WHERE observation_id = ?1", OBSERVATIONS.list(""));
    let mut statement = connection.prepare_cached(&query).map_err(failed)?;
    let mut rows = statement.query([id]).map_err(failed)?;
    let missing = || Problem::damaged(format!("observation {id}"), "it is missing");
    let row = rows.next().map_err(failed)?.ok_or_else(missing)?;
    let seen = Observation::read(Cells::open(row, 0, &OBSERVATIONS)?)?;
    Ok((seen.run_order_id.to_owned(), seen.is_settled, seen.order()?))
}
