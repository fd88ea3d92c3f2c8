//! What all runs know of an order together: its latest state, and its baseline, the first settled state with all six amounts.
//!
//! A run only adds to `outcomes` and `observations`, in the order in which it writes. Its sightings enter the memory
//! at its end, sorted, since to find the place of every order one by one would cost more than all the rest. What was seen later is
//! told by the number of the job that saw it: no clock, and no order in which runs enter the memory, can turn that round.

use std::collections::HashMap;
use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, Transaction, TransactionBehavior};

use super::cells::{Cells, Layout};
use super::error::{Problem, StoreError, sqlite};
use super::facts::{OBSERVATIONS, Observation};
use super::rows;
use super::runs::{self, Providers};
use super::seal::{DIGEST, sealed};
use super::{RunId, Store, schema};
use crate::domain::order::{Charge, RunOrder};
use crate::domain::outcome::{Evidence, Outcome};

const REMEMBERING: &str = "remember orders in";
/// How many sightings are sorted at once.
const BATCH: usize = 1 << 17;

/// The memory.
pub(super) static ORDERS: Layout = Layout {
    table: "orders",
    columns: &[
        "provider_id",
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
pub(super) struct Memory {
    /// The job that last had an answer about it.
    start: i64,
    /// Whether that answer showed the order: the provider may not know it any more, refuse it, or speak of another one.
    is_shown: bool,
    /// The observation of its latest state.
    pub(super) latest: i64,
    /// That state.
    pub(super) latest_state: [u8; DIGEST],
    /// The observation of its baseline.
    pub(super) baseline: Option<i64>,
    /// The job that saw its baseline, or 0.
    baseline_start: i64,
    /// When it was last fetched and settled.
    settled_seen_at: Option<Timestamp>,
}

impl Memory {
    fn read(row: &Row<'_>) -> Result<Self, Problem> {
        let mut cells = Cells::open(row, 0, &ORDERS)?;
        cells.skip();
        cells.skip();
        Ok(Self {
            start: cells.required_integer()?,
            is_shown: cells.flag()?,
            latest: cells.required_integer()?,
            latest_state: cells.bytes()?,
            baseline: cells.integer()?,
            baseline_start: cells.required_integer()?,
            settled_seen_at: cells.time()?,
        })
    }

    fn row(&self, provider: i64, run_order_id: &str) -> Vec<rusqlite::types::Value> {
        sealed([
            provider.into(),
            run_order_id.to_owned().into(),
            self.start.into(),
            self.is_shown.into(),
            self.latest.into(),
            self.latest_state.to_vec().into(),
            self.baseline.into(),
            self.baseline_start.into(),
            self.settled_seen_at.map(Timestamp::as_microsecond).into(),
        ])
    }

    /// That of an order that was never seen before.
    fn of(sighting: &Sighting) -> Self {
        Self {
            start: sighting.start,
            is_shown: true,
            latest: sighting.observation,
            latest_state: sighting.state,
            baseline: None,
            baseline_start: 0,
            settled_seen_at: None,
        }
    }

    /// Takes in one sighting. However often that is done, the result is the same.
    fn note(&mut self, sighting: &Sighting) {
        if sighting.start >= self.start {
            (self.start, self.is_shown) = (sighting.start, true);
            (self.latest, self.latest_state) = (sighting.observation, sighting.state);
        }
        if sighting.is_settled {
            // A job that began before others may be taken in after them.
            let is_first = self.baseline.is_none() || sighting.start < self.baseline_start;
            if is_first && sighting.is_whole {
                (self.baseline, self.baseline_start) = (Some(sighting.observation), sighting.start);
            }
            self.settled_seen_at = self.settled_seen_at.max(Some(sighting.seen_at));
        }
    }

    /// Takes in an answer that did not show the order.
    fn miss(&mut self, start: i64) {
        if start >= self.start {
            (self.start, self.is_shown) = (start, false);
        }
    }
}

/// One time that an order was seen.
struct Sighting {
    start: i64,
    seen_at: Timestamp,
    observation: i64,
    is_settled: bool,
    /// Whether it had all six amounts.
    is_whole: bool,
    state: [u8; DIGEST],
}

/// What a row tells of its order.
enum Glimpse {
    /// The provider showed it.
    Seen(Sighting),
    /// It was not asked for: an earlier observation was taken.
    Reused { observation: i64 },
    /// The answer did not show it; whether it was that there is no such order.
    Missed { start: i64, is_unknown: bool },
}

impl Glimpse {
    /// `None` where nothing was asked or answered.
    fn of(row: rows::Read) -> Option<(String, Self)> {
        let rows::Read { outcome: Outcome { run_order_id, evidence, .. }, start, seen_at, observed } = row;
        let glimpse = match (evidence, observed) {
            (Evidence::Fetched(fetched), Some(seen)) => {
                match (fetched.is_reused, fetched.order.is_about(&run_order_id)) {
                    (true, _) => Self::Reused { observation: seen.observation },
                    (false, false) => Self::Missed { start, is_unknown: false },
                    (false, true) => Self::Seen(Sighting {
                        start,
                        seen_at,
                        observation: seen.observation,
                        is_settled: seen.is_settled,
                        is_whole: fetched.order.amounts.in_order().iter().all(Option::is_some),
                        state: seen.state,
                    }),
                }
            }
            (Evidence::NotFound(_), _) => Self::Missed { start, is_unknown: true },
            (Evidence::Refused(_) | Evidence::Malformed(_), _) => Self::Missed { start, is_unknown: false },
            _ => return None,
        };
        Some((run_order_id, glimpse))
    }
}

/// The statement that looks an order up.
pub(super) struct Lookup<'c> {
    statement: CachedStatement<'c>,
}

impl<'c> Lookup<'c> {
    pub(super) fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        let query = format!("SELECT {} FROM orders WHERE provider_id = ?1 AND run_order_id = ?2", ORDERS.list(""));
        Ok(Self { statement: connection.prepare_cached(&query)? })
    }

    /// What is remembered of an order.
    pub(super) fn find(&mut self, provider: i64, order: &str) -> Result<Option<Memory>, Problem> {
        let found = self.statement.query_row((provider, order), |row| Ok(Memory::read(row))).optional();
        let found = found.map_err(sqlite("look up an order in"))?;
        found.transpose()
    }
}

/// An order that need not be asked for again.
#[derive(Debug)]
pub struct Recalled {
    /// Its observation.
    pub(super) observation: i64,
    /// Its facts.
    pub order: RunOrder,
}

/// Recalls orders that were seen settled not long ago.
#[derive(Debug)]
pub struct Recall {
    path: PathBuf,
    connection: Connection,
    provider: i64,
    since: Timestamp,
    until: Timestamp,
}

impl Recall {
    /// The order, if the last answer about it showed it settled, and that was within the time.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn settled(&self, order: &str) -> Result<Option<Recalled>, StoreError> {
        self.find(order).map_err(|problem| problem.at(&self.path))
    }

    fn find(&self, order: &str) -> Result<Option<Recalled>, Problem> {
        let mut lookup = Lookup::prepare(&self.connection).map_err(sqlite("look up an order in"))?;
        let found = lookup.find(self.provider, order)?;
        // A time to come tells of a clock that was set back: nobody knows how long ago that was.
        let is_recent = |seen: Timestamp| (self.since..=self.until).contains(&seen);
        let is_recalled = |memory: &Memory| memory.is_shown && memory.settled_seen_at.is_some_and(is_recent);
        let Some(memory) = found.filter(is_recalled) else {
            return Ok(None);
        };
        let seen = observation(&self.connection, memory.latest)?;
        if seen.run_order_id != order {
            return Err(Problem::damaged(format!("the memory of order {order}"), "it leads to another order"));
        }
        Ok(seen.is_settled.then_some(Recalled { observation: memory.latest, order: seen.order }))
    }
}

impl Store {
    /// Recalls orders of a provider that were seen settled between two times.
    ///
    /// # Errors
    /// When the state can't be opened once more.
    pub fn recall(&mut self, base_url: &str, since: Timestamp, until: Timestamp) -> Result<Recall, StoreError> {
        self.read(|own| {
            let connection = schema::connect(&self.path)?;
            let provider = Providers::read(own)?.id(base_url).unwrap_or(-1);
            Ok(Recall { path: self.path.clone(), connection, provider, since, until })
        })
    }

    /// Takes every sighting of earlier runs that is not in the memory yet into it. What was seen by a run that was
    /// killed and never continued was seen all the same.
    ///
    /// # Errors
    /// Nothing is remembered if the state can't be written.
    pub fn remember(&mut self) -> Result<(), StoreError> {
        self.remember_runs(|_| true, None).map(drop)
    }

    /// The same, but for that run: where it is continued it asks for none of its orders again, and takes them into the
    /// memory at its end.
    ///
    /// # Errors
    /// Nothing is remembered if the state can't be written.
    pub fn remember_others(&mut self, run: RunId) -> Result<(), StoreError> {
        self.remember_runs(|other| other != run, None).map(drop)
    }

    /// The same, with this run's sightings. Returns what is remembered of its orders.
    ///
    /// # Errors
    /// Nothing is remembered if the state can't be written.
    pub fn remember_with(&mut self, run: RunId) -> Result<Remembered, StoreError> {
        self.remember_runs(|_| true, Some(run))
    }

    /// What [`Store::remember_with`] would say, and nothing is remembered.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn would_remember_with(&mut self, run: RunId) -> Result<Remembered, StoreError> {
        if self.runs()?.len() == 1 {
            // There is no earlier run that could have seen anything settled.
            return Ok(Remembered::default());
        }
        self.read(|connection| {
            let failed = sqlite(REMEMBERING);
            let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(failed)?;
            let remembered = take_in(&transaction, |_| true, Some(run))?;
            transaction.rollback().map_err(failed)?;
            Ok(remembered)
        })
    }

    fn remember_runs(
        &mut self,
        is_wanted: impl Fn(RunId) -> bool,
        current: Option<RunId>,
    ) -> Result<Remembered, StoreError> {
        self.change(REMEMBERING, |connection| take_in(connection, is_wanted, current))
    }
}

/// Takes the sightings of the runs that are wanted and not in the memory yet into it, and those of the current one in any case.
fn take_in(
    connection: &Connection,
    is_wanted: impl Fn(RunId) -> bool,
    current: Option<RunId>,
) -> Result<Remembered, Problem> {
    let mut providers = Providers::read(connection)?;
    prove(connection, &providers)?;
    let mut remembered = Remembered::default();
    let mut runs = runs::all(connection)?;
    // What other runs saw is known when the rows of this one are looked at.
    runs.sort_by_key(|run| Some(run.id) == current);
    for mut run in runs {
        let is_current = current == Some(run.id);
        if !is_wanted(run.id) || (run.is_remembered && !is_current) {
            continue;
        }
        let provider = runs::provider_of(connection, run.id, &providers)?;
        let mut take = Take { connection, provider, added: 0, remembered: Remembered::default() };
        take.run(run.id)?;
        providers.add_orders(provider, take.added);
        if is_current {
            remembered = take.remembered;
        }
        run.is_remembered = true;
        runs::replace(connection, &run)?;
    }
    providers.write(connection)?;
    Ok(remembered)
}

/// What is remembered of the orders of a run, by line.
#[derive(Debug, Default)]
pub struct Remembered {
    baselines: HashMap<u64, Charge>,
    vanished: HashMap<u64, RunOrder>,
}

impl Remembered {
    /// The baseline of the order on that line, where the row shows it in another state.
    pub fn take_baseline(&mut self, line: u64) -> Option<Charge> {
        self.baselines.remove(&line)
    }

    /// The latest state of the order on that line, where the provider does not know it any more and it was once seen settled.
    pub fn take_vanished(&mut self, line: u64) -> Option<RunOrder> {
        self.vanished.remove(&line)
    }
}

/// Takes the sightings of one run into the memory.
struct Take<'t> {
    connection: &'t Connection,
    provider: i64,
    /// How many orders are new in the memory.
    added: u64,
    remembered: Remembered,
}

impl Take<'_> {
    fn run(&mut self, run: RunId) -> Result<(), Problem> {
        let failed = sqlite(REMEMBERING);
        let mut statement = self.connection.prepare(&rows::select()).map_err(failed)?;
        let mut rows = statement.query([run.0]).map_err(failed)?;
        // What was read once more was perhaps being settled when it was read first: that is no state to remember.
        let mut confirmed = rows::confirmations(self.connection, run)?;
        let mut batch = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let first = rows::read(row)?;
            let line = first.outcome.line;
            let again = confirmed.remove(&line);
            // An order that is gone when it is read again was there all the same.
            let is_gone = again.as_ref().is_some_and(|row| matches!(row.outcome.evidence, Evidence::NotFound(_)));
            let first = Some(first).filter(|_| again.is_none() || is_gone);
            let glimpses = first.into_iter().chain(again).filter_map(Glimpse::of);
            batch.extend(glimpses.map(|(order, glimpse)| (order, line, glimpse)));
            if batch.len() >= BATCH {
                self.batch(&mut batch)?;
            }
        }
        self.batch(&mut batch)
    }

    /// Sorted, so that neighbours in the memory are touched one after the other.
    fn batch(&mut self, batch: &mut Vec<(String, u64, Glimpse)>) -> Result<(), Problem> {
        let failed = sqlite(REMEMBERING);
        batch.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        let mut lookup = Lookup::prepare(self.connection).map_err(failed)?;
        let mut replace = self.connection.prepare_cached(&ORDERS.replace()).map_err(failed)?;
        for (order, line, glimpse) in batch.drain(..) {
            let known = lookup.find(self.provider, &order)?;
            let Some(memory) = self.take(line, known.clone(), &glimpse)? else {
                continue;
            };
            self.added += u64::from(known.is_none());
            if known.as_ref() != Some(&memory) {
                replace.execute(rusqlite::params_from_iter(memory.row(self.provider, &order))).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// What is known of an order after one more row; `None` for an order that was never seen.
    fn take(&mut self, line: u64, known: Option<Memory>, glimpse: &Glimpse) -> Result<Option<Memory>, Problem> {
        let (mut memory, shown) = match (known, glimpse) {
            (None, Glimpse::Seen(sighting)) => (Memory::of(sighting), Some((sighting.observation, sighting.start))),
            (Some(memory), Glimpse::Seen(sighting)) => (memory, Some((sighting.observation, sighting.start))),
            (Some(memory), Glimpse::Reused { observation }) => (memory, Some((*observation, i64::MAX))),
            (Some(memory), Glimpse::Missed { .. }) => (memory, None),
            (None, Glimpse::Reused { .. } | Glimpse::Missed { .. }) => return Ok(None),
        };
        match glimpse {
            Glimpse::Seen(sighting) => memory.note(sighting),
            Glimpse::Reused { .. } => {}
            Glimpse::Missed { start, is_unknown } => {
                // An answer from before the order was seen again tells of none that has gone.
                let is_latest = *start >= memory.start || !memory.is_shown;
                memory.miss(*start);
                if *is_unknown && is_latest && memory.settled_seen_at.is_some() {
                    let latest = observation(self.connection, memory.latest)?;
                    self.remembered.vanished.insert(line, latest.order);
                }
            }
        }
        // A row of a run that is continued may be older than what another run saw since.
        if let (Some(baseline), Some((shown, start))) = (memory.baseline, shown)
            && baseline != shown
            && start >= memory.baseline_start
        {
            let baseline = observation(self.connection, baseline)?;
            self.remembered.baselines.insert(line, baseline.order.charge());
        }
        Ok(Some(memory))
    }
}

/// Proves that every order in the memory is there, whole and where it is looked for: a settlement that is forgotten could
/// change unseen.
fn prove(connection: &Connection, providers: &Providers) -> Result<(), Problem> {
    let failed = sqlite("prove the memory of orders in");
    let damaged = |problem: String| Problem::damaged("the memory of orders", problem);
    let query = format!("SELECT {} FROM orders ORDER BY provider_id, run_order_id", ORDERS.list(""));
    let mut statement = connection.prepare(&query).map_err(failed)?;
    let mut rows = statement.query(()).map_err(failed)?;
    let (mut found, mut last) = (HashMap::<i64, u64>::new(), None);
    while let Some(row) = rows.next().map_err(failed)? {
        let key = |row| -> Result<_, Problem> {
            let mut cells = Cells::open(row, 0, &ORDERS)?;
            Ok((cells.required_integer()?, cells.required_text()?))
        };
        let key = key(row)?;
        *found.entry(key.0).or_default() += 1;
        if last.as_ref().is_some_and(|last| *last >= key) {
            return Err(damaged(format!("{} is out of order", key.1)));
        }
        last = Some(key);
    }
    for (provider, written) in providers.each() {
        let found = found.remove(&provider).unwrap_or(0);
        if found != written {
            return Err(damaged(format!("{found} are there, {written} were written")));
        }
    }
    if found.is_empty() { Ok(()) } else { Err(damaged("some are of no provider".to_owned())) }
}

/// One observation.
fn observation(connection: &Connection, id: i64) -> Result<Observation, Problem> {
    let failed = sqlite("read an observation in");
    let query = format!("SELECT {} FROM observations WHERE observation_id = ?1", OBSERVATIONS.list(""));
    let mut statement = connection.prepare_cached(&query).map_err(failed)?;
    let read = |row: &Row<'_>| Ok(Cells::open(row, 0, &OBSERVATIONS).and_then(Observation::read));
    let found = statement.query_row([id], read).optional().map_err(failed)?;
    let missing = || Problem::damaged(format!("observation {id}"), "it is not there");
    found.unwrap_or_else(|| Err(missing()))
}
