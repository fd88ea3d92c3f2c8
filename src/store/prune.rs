//! What is too old to keep: outcomes of ended runs, and the observations that nothing leads to any more.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::cells::{Cells, Layout};
use super::error::{StoreError, sqlite};
use super::seal::sealed;
use super::{Store, runs};

const PRUNING: &str = "remove old rows from";

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
    /// Removes what runs that ended before that time learnt. The latest state of an order stays, and its baseline: what it is
    /// compared with. What was found when orders were last judged stays too.
    ///
    /// # Errors
    /// Nothing is removed if the state can't be written.
    pub fn prune(&mut self, before: Timestamp, is_dry_run: bool) -> Result<Pruned, StoreError> {
        // What is not in the memory yet must not vanish unseen.
        self.remember()?;
        let path = self.path.clone();
        let transaction = self.connection.transaction().map_err(sqlite(&path, PRUNING))?;
        let mut pruned = Pruned::default();
        let all = runs::all(&transaction, &path)?;
        for run in &all {
            if run.is_pruned || run.ended.is_none_or(|(at, _)| at >= before) {
                continue;
            }
            pruned.runs += 1;
            pruned.outcomes += execute(&transaction, &path, "DELETE FROM outcomes WHERE run_id = ?1", Some(run.id.0))?;
            for table in ["replies", "books", "confirmations"] {
                execute(&transaction, &path, &format!("DELETE FROM {table} WHERE run_id = ?1"), Some(run.id.0))?;
            }
            let run = runs::Run { is_pruned: true, ..run.clone() };
            runs::replace(&transaction, &path, &run)?;
        }
        let needless = "DELETE FROM observations
                        WHERE observation_id NOT IN (SELECT latest FROM orders)
                        AND observation_id NOT IN (SELECT baseline FROM orders WHERE baseline IS NOT NULL)
                        AND observation_id NOT IN (SELECT observation_id FROM outcomes WHERE observation_id IS NOT NULL)
                        AND observation_id NOT IN
                            (SELECT observation_id FROM confirmations WHERE observation_id IS NOT NULL)";
        pruned.observations = execute(&transaction, &path, needless, None)?;
        if !is_dry_run {
            transaction.commit().map_err(sqlite(&path, PRUNING))?;
        }
        Ok(pruned)
    }

    /// Notes that a report is about to be removed because it is too old.
    ///
    /// # Errors
    /// Nothing is noted if the state can't be written.
    pub fn note_pruned_report(&mut self, manifest_sha256: &str) -> Result<(), StoreError> {
        self.change("record a pruned report in", |connection, path| {
            let row = sealed([Value::from(manifest_sha256.to_owned())]);
            let noted = connection.execute(&PRUNED_REPORTS.replace(), params_from_iter(row));
            noted.map(drop).map_err(sqlite(path, "record a pruned report in"))
        })
    }

    /// Whether the report of that manifest was removed because it was too old.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn has_pruned_report(&self, manifest_sha256: &str) -> Result<bool, StoreError> {
        let failed = || sqlite(&self.path, "look up a pruned report in");
        let query = format!("SELECT {} FROM pruned_reports WHERE manifest_sha256 = ?1", PRUNED_REPORTS.list(""));
        let mut statement = self.connection.prepare_cached(&query).map_err(failed())?;
        let found = statement.query_row([manifest_sha256], |row| Ok(Cells::open(row, 0, &PRUNED_REPORTS).map(drop)));
        let found = found.optional().map_err(failed())?;
        found.transpose().map(|found| found.is_some()).map_err(|damage| damage.at(&self.path))
    }
}

fn execute(
    connection: &Connection,
    path: &std::path::Path,
    statement: &str,
    run: Option<i64>,
) -> Result<u64, StoreError> {
    let removed = match run {
        Some(run) => connection.execute(statement, [run]),
        None => connection.execute(statement, ()),
    };
    removed.map(|rows| rows as u64).map_err(sqlite(path, PRUNING))
}
