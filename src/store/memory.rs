//! What all runs know of an order together: its latest state, and the one with which it was first seen settled.
//!
//! A run only adds to `outcomes` and `observations`, in the order in which it writes. Its sightings enter the memory
//! at its end, sorted, since to find the place of every order one by one would cost more than all the rest.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, Transaction, TransactionBehavior};

use super::cells::{Cells, Damage, Layout};
use super::error::{StoreError, sqlite};
use super::facts::{OBSERVATIONS, Observation};
use super::rows::{self, Observed};
use super::runs::{self, Providers};
use super::seal::{DIGEST, sealed};
use super::{RunId, Store};
use crate::checks::is_about;
use crate::domain::order::{Charge, RunOrder};
use crate::domain::outcome::{Evidence, Outcome};

const REMEMBERING: &str = "remember orders in";
/// How many sightings are sorted at once.
const BATCH: usize = 1 << 17;

/// The memory.
pub(super) static ORDERS: Layout = Layout {
    table: "orders",
    columns: &["provider_id", "run_order_id", "latest", "latest_state", "baseline", "settled_seen_at"],
};

/// What is remembered of one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Memory {
    /// The observation of its latest state.
    pub(super) latest: i64,
    /// That state.
    pub(super) latest_state: [u8; DIGEST],
    /// The observation that was the first to see it settled.
    pub(super) baseline: Option<i64>,
    /// When it was last asked for and settled.
    settled_seen_at: Option<Timestamp>,
}

impl Memory {
    fn read(row: &Row<'_>) -> Result<Self, Damage> {
        let mut cells = Cells::open(row, 0, &ORDERS)?;
        cells.skip();
        cells.skip();
        Ok(Self {
            latest: cells.required_integer()?,
            latest_state: cells.bytes()?,
            baseline: cells.integer()?,
            settled_seen_at: cells.time()?,
        })
    }

    fn row(&self, provider: i64, run_order_id: &str) -> Vec<rusqlite::types::Value> {
        sealed([
            provider.into(),
            run_order_id.to_owned().into(),
            self.latest.into(),
            self.latest_state.to_vec().into(),
            self.baseline.into(),
            self.settled_seen_at.map(Timestamp::as_microsecond).into(),
        ])
    }

    /// Takes in one sighting. Whatever the order in which runs are remembered, and however often, the same comes of it.
    fn note(&mut self, sighting: &Sighting) {
        if sighting.observation >= self.latest {
            (self.latest, self.latest_state) = (sighting.observation, sighting.state);
        }
        if sighting.is_settled {
            self.baseline = Some(self.baseline.map_or(sighting.observation, |first| first.min(sighting.observation)));
            self.settled_seen_at = self.settled_seen_at.max(Some(sighting.seen_at));
        }
    }
}

/// One time that an order was seen.
struct Sighting {
    run_order_id: String,
    seen_at: Timestamp,
    observation: i64,
    is_settled: bool,
    state: [u8; DIGEST],
}

impl Sighting {
    /// `None` where no order was seen, where the reply was about another one, and where it was not asked for.
    fn of(row: rows::Read) -> Option<Self> {
        let Outcome { run_order_id, evidence: Evidence::Fetched(fetched), .. } = row.outcome else {
            return None;
        };
        let Observed { observation, is_settled, state } = row.observed?;
        let is_sighting = !fetched.is_reused && is_about(&run_order_id, &fetched.order);
        is_sighting.then_some(Self { run_order_id, seen_at: row.seen_at, observation, is_settled, state })
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
    pub(super) fn find(&mut self, path: &Path, provider: i64, order: &str) -> Result<Option<Memory>, StoreError> {
        let found = self.statement.query_row((provider, order), |row| Ok(Memory::read(row))).optional();
        let found = found.map_err(sqlite(path, "look up an order in"))?;
        found.transpose().map_err(|damage| damage.at(path))
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
    path: std::path::PathBuf,
    connection: Connection,
    provider: i64,
    since: Timestamp,
}

impl Recall {
    /// The order, if it was last seen settled, and at that time or later.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn settled(&self, order: &str) -> Result<Option<Recalled>, StoreError> {
        const RECALLING: &str = "look up an order in";
        let failed = || sqlite(&self.path, RECALLING);
        let found = Lookup::prepare(&self.connection).map_err(failed())?.find(&self.path, self.provider, order)?;
        let Some(memory) = found.filter(|memory| memory.settled_seen_at.is_some_and(|seen| seen >= self.since)) else {
            return Ok(None);
        };
        let seen = observation(&self.connection, &self.path, memory.latest)?;
        if seen.run_order_id != order {
            return Err(Damage::new(format!("the memory of order {order}"), "it leads to another order").at(&self.path));
        }
        Ok(seen.is_settled.then_some(Recalled { observation: memory.latest, order: seen.order }))
    }
}

impl Store {
    /// Recalls orders of a provider that were seen settled at that time or later.
    ///
    /// # Errors
    /// When the state can't be opened once more.
    pub fn recall(&mut self, base_url: &str, since: Timestamp) -> Result<Recall, StoreError> {
        let connection = super::schema::connect(&self.path)?;
        let provider = Providers::read(&self.connection, &self.path)?.id(base_url);
        Ok(Recall { path: self.path.clone(), connection, provider: provider.unwrap_or(-1), since })
    }

    /// Takes every sighting of earlier runs that is not in the memory yet into it. What was seen by a run that was
    /// killed and never continued was seen all the same.
    ///
    /// # Errors
    /// Nothing is remembered if the state can't be written.
    pub fn remember(&mut self) -> Result<(), StoreError> {
        self.remember_runs(|_| true, None).map(drop)
    }

    /// The same, but for that run and later ones: a run that is continued asks for none of its orders again, and takes
    /// them into the memory at its end.
    ///
    /// # Errors
    /// Nothing is remembered if the state can't be written.
    pub fn remember_before(&mut self, run: RunId) -> Result<(), StoreError> {
        self.remember_runs(|other| other < run, None).map(drop)
    }

    /// The same, with this run's sightings. Says with which figures its orders were first seen settled, where that
    /// was another state of them.
    ///
    /// # Errors
    /// Nothing is remembered if the state can't be written.
    pub fn remember_with(&mut self, run: RunId) -> Result<SettledAs, StoreError> {
        self.remember_runs(|_| true, Some(run))
    }

    /// What [`Store::remember_with`] would say, and nothing is remembered.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn would_remember_with(&mut self, run: RunId) -> Result<SettledAs, StoreError> {
        let path = self.path.clone();
        if self.runs()?.len() == 1 {
            // There is no earlier run that could have seen anything settled.
            return Ok(SettledAs::default());
        }
        let (transaction, settled_as) = self.take_in(|_| true, Some(run))?;
        transaction.rollback().map_err(sqlite(&path, REMEMBERING))?;
        Ok(settled_as)
    }

    fn remember_runs(
        &mut self,
        is_wanted: impl Fn(RunId) -> bool,
        current: Option<RunId>,
    ) -> Result<SettledAs, StoreError> {
        let path = self.path.clone();
        let (transaction, settled_as) = self.take_in(is_wanted, current)?;
        transaction.commit().map_err(sqlite(&path, REMEMBERING))?;
        Ok(settled_as)
    }

    fn take_in(
        &mut self,
        is_wanted: impl Fn(RunId) -> bool,
        current: Option<RunId>,
    ) -> Result<(Transaction<'_>, SettledAs), StoreError> {
        let path = self.path.clone();
        let failed = || sqlite(&path, REMEMBERING);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed())?;
        let mut providers = Providers::read(&transaction, &path)?;
        prove(&transaction, &path, &providers)?;
        let mut settled_as = SettledAs::default();
        for mut run in runs::all(&transaction, &path)? {
            let is_current = current == Some(run.id);
            if !is_wanted(run.id) || (run.is_remembered && !is_current) {
                continue;
            }
            let provider = runs::provider_of(&transaction, &path, run.id, &providers)?;
            let mut take =
                Take { transaction: &transaction, path: &path, provider, added: 0, settled_as: SettledAs::default() };
            take.run(run.id)?;
            providers.add_orders(provider, take.added);
            if is_current {
                settled_as = take.settled_as;
            }
            run.is_remembered = true;
            runs::replace(&transaction, &path, &run)?;
        }
        providers.write(&transaction, &path)?;
        Ok((transaction, settled_as))
    }
}

/// The figures with which orders of a run were first seen settled, by line, where the run saw them in another state.
#[derive(Debug, Default)]
pub struct SettledAs(HashMap<u64, Charge>);

impl SettledAs {
    /// Those of the order on that line.
    pub fn take(&mut self, line: u64) -> Option<Charge> {
        self.0.remove(&line)
    }
}

/// Takes the sightings of one run into the memory.
struct Take<'t> {
    transaction: &'t Transaction<'t>,
    path: &'t Path,
    provider: i64,
    /// How many orders are new in the memory.
    added: u64,
    settled_as: SettledAs,
}

impl Take<'_> {
    fn run(&mut self, run: RunId) -> Result<(), StoreError> {
        let failed = || sqlite(self.path, REMEMBERING);
        let mut statement = self.transaction.prepare(&rows::select()).map_err(failed())?;
        let mut rows = statement.query([run.0]).map_err(failed())?;
        // What was read once more was perhaps being settled when it was read first: that is no state to remember.
        let mut confirmed = rows::confirmations(self.transaction, self.path, run)?;
        let mut batch = Vec::new();
        while let Some(row) = rows.next().map_err(failed())? {
            let first = rows::read(row).map_err(|damage| damage.at(self.path))?;
            let row = confirmed.remove(&first.outcome.line).unwrap_or(first);
            let line = row.outcome.line;
            batch.extend(Sighting::of(row).map(|sighting| (line, sighting)));
            if batch.len() >= BATCH {
                self.batch(&mut batch)?;
            }
        }
        self.batch(&mut batch)
    }

    /// Sorted, so that neighbours in the memory are touched one after the other.
    fn batch(&mut self, batch: &mut Vec<(u64, Sighting)>) -> Result<(), StoreError> {
        let failed = || sqlite(self.path, REMEMBERING);
        batch.sort_by(|(_, one), (_, other)| one.run_order_id.cmp(&other.run_order_id));
        let mut lookup = Lookup::prepare(self.transaction).map_err(failed())?;
        let mut replace = self.transaction.prepare_cached(&ORDERS.replace()).map_err(failed())?;
        for (line, sighting) in batch.drain(..) {
            let known = lookup.find(self.path, self.provider, &sighting.run_order_id)?;
            self.added += u64::from(known.is_none());
            let mut memory = known.clone().unwrap_or(Memory {
                latest: sighting.observation,
                latest_state: sighting.state,
                baseline: None,
                settled_seen_at: None,
            });
            memory.note(&sighting);
            if let Some(baseline) = memory.baseline.filter(|baseline| *baseline < sighting.observation) {
                let before = observation(self.transaction, self.path, baseline)?;
                self.settled_as.0.insert(line, before.order.charge());
            }
            if known.as_ref() != Some(&memory) {
                let row = memory.row(self.provider, &sighting.run_order_id);
                replace.execute(rusqlite::params_from_iter(row)).map_err(failed())?;
            }
        }
        Ok(())
    }
}

/// Proves that every order in the memory is there, whole and where it is looked for: a settlement that is forgotten could
/// change unseen.
fn prove(connection: &Connection, path: &Path, providers: &Providers) -> Result<(), StoreError> {
    let failed = || sqlite(path, "prove the memory of orders in");
    let damaged = |problem: String| Damage::new("the memory of orders", problem).at(path);
    let query = format!("SELECT {} FROM orders ORDER BY provider_id, run_order_id", ORDERS.list(""));
    let mut statement = connection.prepare(&query).map_err(failed())?;
    let mut rows = statement.query(()).map_err(failed())?;
    let (mut found, mut last) = (HashMap::<i64, u64>::new(), None);
    while let Some(row) = rows.next().map_err(failed())? {
        let key = |row| -> Result<_, Damage> {
            let mut cells = Cells::open(row, 0, &ORDERS)?;
            Ok((cells.required_integer()?, cells.required_text()?))
        };
        let key = key(row).map_err(|damage| damage.at(path))?;
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
fn observation(connection: &Connection, path: &Path, id: i64) -> Result<Observation, StoreError> {
    let failed = || sqlite(path, "read an observation in");
    let query = format!("SELECT {} FROM observations WHERE observation_id = ?1", OBSERVATIONS.list(""));
    let mut statement = connection.prepare_cached(&query).map_err(failed())?;
    let read = |row: &Row<'_>| Ok(Cells::open(row, 0, &OBSERVATIONS).and_then(Observation::read));
    let found = statement.query_row([id], read).optional().map_err(failed())?;
    let missing = || Damage::new(format!("observation {id}"), "it is not there");
    found.unwrap_or_else(|| Err(missing())).map_err(|damage| damage.at(path))
}
