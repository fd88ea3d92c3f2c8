//! The state: one SQLite file that keeps what was learnt about every input row. Every report is made from it and
//! from nothing else, and an outcome counts only once it is committed here.
//!
//! [`Store`] begins, reads and finishes runs; [`Writer`] commits outcomes on a thread of its own. A line of a run
//! is written once: a second outcome for it is an error, never a replacement.

mod error;
mod queue;
mod rows;
mod schema;
mod sends;
mod writer;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use crate::domain::outcome::Outcome;

pub use error::StoreError;
pub use sends::Sends;
pub use writer::Writer;

use error::{io, sqlite};

/// A run of the job, as the state numbers it. Numbers are never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(i64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is known of a run when it begins. Times are kept to the microsecond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRun {
    /// The provider that is asked. Observations belong to one base URL.
    pub base_url: String,
    /// The input as the user named it.
    pub input_name: String,
    /// The SHA-256 of the input's bytes, in hex.
    pub input_sha256: String,
    /// How many rows the input holds.
    pub rows: u64,
    /// The judging settings as canonical JSON.
    pub settings: String,
    /// The moment that ages are counted to.
    pub as_of: Timestamp,
    /// When the run began.
    pub started_at: Timestamp,
}

/// The open state.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    connection: Connection,
}

impl Store {
    /// Opens the state at `path`, creating it and the folders above it where they are missing, and brings an
    /// older format up to date.
    ///
    /// # Errors
    /// A file that is not a state of this program, or one of a newer format, is refused and left untouched.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        // Absolute, so that the writer's connection opens the same file wherever the process has moved to, and
        // so that SQLite's special name `:memory:` is an ordinary file name.
        let path = std::path::absolute(path).map_err(io(path, "find"))?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(io(&path, "create the folder of"))?;
        }
        schema::refuse_others(&path)?;
        let mut connection = schema::connect(&path)?;
        schema::prepare(&mut connection, &path)?;
        Ok(Self { path, connection })
    }

    /// Records that a run begins.
    ///
    /// # Errors
    /// The run is not recorded if the state can't be written.
    pub fn begin(&mut self, run: &NewRun) -> Result<RunId, StoreError> {
        let rows = rows::integer("rows", run.rows).map_err(|problem| problem.at(&self.path))?;
        let values = (
            &run.base_url,
            &run.input_name,
            &run.input_sha256,
            rows,
            &run.settings,
            run.as_of.as_microsecond(),
            run.started_at.as_microsecond(),
        );
        self.connection
            .execute(
                "INSERT INTO runs (base_url, input_name, input_sha256, rows, settings, as_of, started_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                values,
            )
            .map_err(sqlite(&self.path, "record a new run in"))?;
        Ok(RunId(self.connection.last_insert_rowid()))
    }

    /// Starts the writer of an unfinished run. At most `capacity` outcomes wait for it (at least one).
    ///
    /// # Errors
    /// The run must be in the state and not be finished.
    pub fn writer(&self, run: RunId, capacity: usize) -> Result<Writer, StoreError> {
        self.require_unfinished(run)?;
        Writer::start(&self.path, run, capacity)
    }

    /// Visits every committed outcome of a run by line, whatever the order in which they were committed, one at
    /// a time. What is committed after the visit began is not seen.
    ///
    /// # Errors
    /// The visit ends at the first error of the visitor or of the state. A row that can't be understood is
    /// [`StoreError::Damaged`].
    pub fn for_each_outcome<E: From<StoreError>>(
        &self,
        run: RunId,
        mut visit: impl FnMut(Outcome) -> Result<(), E>,
    ) -> Result<(), E> {
        const READING: &str = "read the outcomes in";
        // A run that is not there must not look like one without rows.
        self.is_finished(run)?;
        let mut statement = self.connection.prepare_cached(&rows::select()).map_err(sqlite(&self.path, READING))?;
        let mut rows = statement.query([run.0]).map_err(sqlite(&self.path, READING))?;
        while let Some(row) = rows.next().map_err(sqlite(&self.path, READING))? {
            visit(rows::read(row).map_err(|damage| damage.at(&self.path, run))?)?;
        }
        Ok(())
    }

    /// Marks a run finished. Nothing is written to it any more.
    ///
    /// # Errors
    /// The run must be in the state and not be finished yet.
    pub fn finish(&mut self, run: RunId, finished_at: Timestamp) -> Result<(), StoreError> {
        self.require_unfinished(run)?;
        self.connection
            .execute("UPDATE runs SET finished_at = ?2 WHERE run_id = ?1", (run.0, finished_at.as_microsecond()))
            .map_err(sqlite(&self.path, "mark a run finished in"))?;
        Ok(())
    }

    fn require_unfinished(&self, run: RunId) -> Result<(), StoreError> {
        if self.is_finished(run)? {
            return Err(StoreError::Finished { path: self.path.clone(), run });
        }
        Ok(())
    }

    fn is_finished(&self, run: RunId) -> Result<bool, StoreError> {
        self.connection
            .query_row("SELECT finished_at IS NOT NULL FROM runs WHERE run_id = ?1", [run.0], |row| row.get(0))
            .optional()
            .map_err(sqlite(&self.path, "look up a run in"))?
            .ok_or_else(|| StoreError::UnknownRun { path: self.path.clone(), run })
    }
}

#[cfg(test)]
mod tests;
