//! What is too old to keep: outcomes of runs that are over, and the observations that nothing leads to any more.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::cells::{Cells, Layout};
use super::compact::fold_log;
use super::error::{Problem, StoreError, sqlite};
use super::runs::{self, Ending, Run};
use super::seal::sealed;
use super::{RunId, Store};

const PRUNING: &str = "remove old rows from";
/// What a run leaves, one row a line.
const ROWS: [&str; 4] = ["outcomes", "replies", "books", "confirmations"];
/// How many rows go in one step, at most. Removing takes room in the log before it frees any.
const STEP: usize = 1000;

static PRUNED_REPORTS: Layout = Layout { table: "pruned_reports", columns: &["manifest_sha256"] };

/// What was removed, or would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Runs whose outcomes are gone. That they were, and the hash of their manifest, is kept.
    pub runs: u64,
    /// Their outcomes.
    pub outcomes: u64,
    /// Observations of orders.
    pub observations: u64,
}

impl Store {
    /// Removes what runs learnt that were over before that time: they ended, or were killed and a later run of the same series has
    /// reported. The latest state of an order stays, and its baseline: what it is compared with. What was found when orders were
    /// last judged stays too.
    ///
    /// # Errors
    /// When the state can't be written. What was removed until then is, and the next time goes on from there.
    pub fn prune(&mut self, before: Timestamp, is_dry_run: bool) -> Result<Pruned, StoreError> {
        // What is not in the memory yet must not vanish unseen.
        self.remember()?;
        let all = self.runs()?;
        let mut old = Vec::new();
        for run in all.iter().filter(|run| !run.is_pruned) {
            let over = match run.ended {
                None if is_superseded(run, &all) => Some(run.abandoned_at(self.last_activity_of(run.id)?)),
                None => None,
                Some(_) => Some(run.clone()),
            };
            old.extend(over.filter(|run| run.ended.is_some_and(|(at, _)| at < before)));
        }
        // One that was interrupted left rows of runs that are marked already.
        let gone: Vec<RunId> = all.iter().filter(|run| run.is_pruned).chain(&old).map(|run| run.id).collect();
        let needless = self.read(|connection| needless(connection, &gone))?;
        let mut pruned = Pruned { runs: old.len() as u64, observations: needless.len() as u64, outcomes: 0 };
        for run in &gone {
            pruned.outcomes += self.count_done(*run)?;
        }
        if is_dry_run {
            return Ok(pruned);
        }
        self.change(PRUNING, |connection| {
            old.into_iter().try_for_each(|run| runs::replace(connection, &Run { is_pruned: true, ..run }))
        })?;
        for run in gone {
            for table in ROWS {
                self.remove_rows(table, run)?;
            }
        }
        self.in_steps(|connection, removed, step| {
            let mut statement = connection.prepare_cached("DELETE FROM observations WHERE observation_id = ?1")?;
            needless.iter().skip(removed).take(step).map(|id| statement.execute([id])).sum()
        })?;
        Ok(pruned)
    }

    /// Notes that a report is about to be removed because it is too old.
    ///
    /// # Errors
    /// Nothing is noted if the state can't be written.
    pub fn note_pruned_report(&mut self, manifest_sha256: &str) -> Result<(), StoreError> {
        self.change("record a pruned report in", |connection| {
            let row = sealed([Value::from(manifest_sha256.to_owned())]);
            let noted = connection.execute(&PRUNED_REPORTS.replace(), params_from_iter(row));
            noted.map(drop).map_err(sqlite("record a pruned report in"))
        })
    }

    /// Whether the report of that manifest was removed because it was too old.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn has_pruned_report(&self, manifest_sha256: &str) -> Result<bool, StoreError> {
        self.read(|connection| {
            let failed = sqlite("look up a pruned report in");
            let query = format!("SELECT {} FROM pruned_reports WHERE manifest_sha256 = ?1", PRUNED_REPORTS.list(""));
            let mut statement = connection.prepare_cached(&query).map_err(failed)?;
            let found =
                statement.query_row([manifest_sha256], |row| Ok(Cells::open(row, 0, &PRUNED_REPORTS).map(drop)));
            found.optional().map_err(failed)?.transpose().map(|found| found.is_some())
        })
    }

    fn remove_rows(&mut self, table: &str, run: RunId) -> Result<(), StoreError> {
        let lines = format!("SELECT line FROM {table} WHERE run_id = ?1 LIMIT ?2");
        let statement = format!("DELETE FROM {table} WHERE run_id = ?1 AND line IN ({lines})");
        self.in_steps(|connection, _, step| {
            connection.prepare_cached(&statement)?.execute((run.0, i64::try_from(step).unwrap_or(i64::MAX)))
        })
    }

    /// Removes rows until there are none left, in steps that the disk has room for. `remove` is told how many are gone by now, and
    /// how many may go next, and answers how many went.
    fn in_steps(
        &mut self,
        remove: impl Fn(&Connection, usize, usize) -> rusqlite::Result<usize>,
    ) -> Result<(), StoreError> {
        let (mut removed, mut step) = (0, STEP);
        loop {
            let went = self.change(PRUNING, |connection| remove(connection, removed, step).map_err(sqlite(PRUNING)));
            match went {
                Ok(0) => return Ok(()),
                Ok(went) => removed += went,
                Err(StoreError { problem: Problem::DiskFull, .. }) if step > 1 => step /= 10,
                Err(error) => return Err(error),
            }
            self.read(fold_log)?;
        }
    }
}

/// The observations that neither the memory nor a run needs, once those runs are gone.
fn needless(connection: &Connection, gone: &[RunId]) -> Result<Vec<i64>, Problem> {
    let mut needed = HashSet::new();
    for query in ["SELECT 0, latest FROM orders", "SELECT 0, baseline FROM orders"] {
        each_id(connection, query, |_, id| {
            needed.insert(id);
        })?;
    }
    let gone: HashSet<i64> = gone.iter().map(|run| run.0).collect();
    for table in ["outcomes", "confirmations"] {
        each_id(connection, &format!("SELECT run_id, observation_id FROM {table}"), |run, id| {
            if !gone.contains(&run) {
                needed.insert(id);
            }
        })?;
    }
    let mut needless = Vec::new();
    each_id(connection, "SELECT 0, observation_id FROM observations", |_, id| {
        if !needed.contains(&id) {
            needless.push(id);
        }
    })?;
    Ok(needless)
}

/// Visits a run's number and what it leads to, where it leads to anything.
fn each_id(connection: &Connection, query: &str, mut visit: impl FnMut(i64, i64)) -> Result<(), Problem> {
    let failed = sqlite(PRUNING);
    let mut statement = connection.prepare(query).map_err(failed)?;
    let mut rows = statement.query(()).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let id: Option<i64> = row.get(1).map_err(failed)?;
        if let Some(id) = id {
            visit(row.get(0).map_err(failed)?, id);
        }
    }
    Ok(())
}

/// Whether a later job on the same provider and the same series of inputs has reported.
fn is_superseded(run: &Run, all: &[Run]) -> bool {
    all.iter().any(|later| {
        later.start > run.start
            && later.reported.is_some()
            && later.begun.base_url == run.begun.base_url
            && later.begun.series() == run.begun.series()
    })
}

impl Run {
    /// The same, ended where it was last active, never to be continued.
    fn abandoned_at(&self, at: Timestamp) -> Self {
        let ending = if self.reported.is_some() { Ending::Reported } else { Ending::GivenUp };
        Self { ended: Some((at, ending)), ..self.clone() }
    }
}
