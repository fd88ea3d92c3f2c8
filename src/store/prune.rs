//! Removes what is too old to keep: outcomes of runs that are over, and observations that nothing refers to.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::cells::{Cells, Layout};
use super::compact::fold_log;
use super::error::{Problem, StoreError, sqlite};
use super::runs::{self, Ending, Run};
use super::seal::with_checksum;
use super::{RunId, Store};

const PRUNING: &str = "remove old rows from";
/// The tables that hold what a run leaves, a row per line.
const ROWS: [&str; 4] = ["outcomes", "replies", "books", "confirmations"];
/// The most rows removed in one step. Removing rows takes space in the log before it frees any.
const STEP: usize = 1000;

static PRUNED_REPORTS: Layout = Layout { table: "pruned_reports", columns: &["manifest_sha256"] };

/// How much was removed, or would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PruneCounts {
    /// Runs whose outcomes are removed. The runs themselves and the hashes of their manifests are kept.
    pub runs: u64,
    /// Outcomes of those runs.
    pub outcomes: u64,
    /// Observations of orders that nothing refers to any more.
    pub observations: u64,
}

impl Store {
    /// Removes the outcomes of runs that were over before a time: runs that ended, and killed runs of a series for
    /// which a later run has reported. The latest state and the baseline of each order stay, and so does what was found
    /// when orders were last judged. A dry run only counts.
    ///
    /// # Errors
    /// When the state can't be written. What was removed by then stays removed, and the next call continues from there.
    pub fn prune(&mut self, before: Timestamp, is_dry_run: bool) -> Result<PruneCounts, StoreError> {
        // Sightings that are not in the memory yet must not be lost.
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
        // A prune that was interrupted left rows of runs that are already marked as pruned.
        let gone: Vec<RunId> = all.iter().filter(|run| run.is_pruned).chain(&old).map(|run| run.id).collect();
        let unreferenced = self.read(|connection| unreferenced(connection, &gone))?;
        let mut pruned = PruneCounts { runs: old.len() as u64, observations: unreferenced.len() as u64, outcomes: 0 };
        for run in &gone {
            pruned.outcomes += self.count_finished_lines(*run)?;
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
            unreferenced.iter().skip(removed).take(step).map(|id| statement.execute([id])).sum()
        })?;
        Ok(pruned)
    }

    /// Records that a report is about to be removed because it is too old.
    ///
    /// # Errors
    /// When the state can't be written; nothing is recorded then.
    pub fn note_pruned_report(&mut self, manifest_sha256: &str) -> Result<(), StoreError> {
        self.change("record a pruned report in", |connection| {
            let failed = sqlite("forget a proven report in");
            connection
                .execute("DELETE FROM proven_reports WHERE manifest_sha256 = ?1", [manifest_sha256])
                .map_err(failed)?;
            let row = with_checksum([Value::from(manifest_sha256.to_owned())]);
            let noted = connection.execute(&PRUNED_REPORTS.replace(), params_from_iter(row));
            noted.map(drop).map_err(sqlite("record a pruned report in"))
        })
    }

    /// Whether the report with this manifest was removed because it was too old.
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

    /// Removes rows until none are left, in steps that the disk has room for. `remove` gets the number of rows removed
    /// so far and the most it may remove now, and returns how many it removed.
    fn in_steps(
        &mut self,
        remove: impl Fn(&Connection, usize, usize) -> rusqlite::Result<usize>,
    ) -> Result<(), StoreError> {
        let (mut removed, mut step) = (0, STEP);
        loop {
            let result = self.change(PRUNING, |connection| remove(connection, removed, step).map_err(sqlite(PRUNING)));
            match result {
                Ok(0) => return Ok(()),
                Ok(count) => removed += count,
                Err(StoreError { problem: Problem::DiskFull, .. }) if step > 1 => step /= 10,
                Err(error) => return Err(error),
            }
            self.read(fold_log)?;
        }
    }
}

/// The observations that neither the memory nor a run refers to, once the runs in `gone` are removed.
fn unreferenced(connection: &Connection, gone: &[RunId]) -> Result<Vec<i64>, Problem> {
    let mut referenced = HashSet::new();
    for query in ["SELECT 0, latest FROM orders", "SELECT 0, baseline FROM orders"] {
        each_id(connection, query, |_, id| {
            referenced.insert(id);
        })?;
    }
    let gone: HashSet<i64> = gone.iter().map(|run| run.0).collect();
    for table in ["outcomes", "confirmations"] {
        each_id(connection, &format!("SELECT run_id, observation_id FROM {table}"), |run, id| {
            if !gone.contains(&run) {
                referenced.insert(id);
            }
        })?;
    }
    let mut unreferenced = Vec::new();
    each_id(connection, "SELECT 0, observation_id FROM observations", |_, id| {
        if !referenced.contains(&id) {
            unreferenced.push(id);
        }
    })?;
    Ok(unreferenced)
}

/// Visits the rows of a query, each a run's number and an observation's ID, except those whose ID is NULL.
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

/// Whether a later job for the same provider and series of inputs has reported.
fn is_superseded(run: &Run, all: &[Run]) -> bool {
    all.iter().any(|later| {
        later.job > run.job
            && later.report.is_some()
            && later.setup.base_url == run.setup.base_url
            && later.setup.series() == run.setup.series()
    })
}

impl Run {
    /// The run, ended at `at`, when it was last active, and never to be continued.
    fn abandoned_at(&self, at: Timestamp) -> Self {
        let ending = if self.report.is_some() { Ending::Reported } else { Ending::GivenUp };
        Self { ended: Some((at, ending)), ..self.clone() }
    }
}
