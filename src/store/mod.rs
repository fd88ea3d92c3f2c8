//! The state: an SQLite file that keeps what was learnt about every input row. Every report is made from it and
//! nothing else, and an outcome counts only when it is committed.
//!
//! Resuming a run, locking, retention and the memory of earlier nights have their room here and are not built yet.

mod rows;
mod schema;
mod writer;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, params};

use crate::domain::outcome::Outcome;

pub use writer::Writer;

/// The state of one reports folder.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    connection: Connection,
}

/// One run in the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunId(i64);

/// What is known of a run when it begins.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// Whose orders these are: the provider's base URL, or `sandbox`.
    pub base_url: String,
    /// The input's name, without its folder.
    pub input_name: String,
    /// SHA-256 of the input, in hex.
    pub input_sha256: String,
    /// How many rows the input has.
    pub rows: u64,
    /// The settings that affect judgement, as canonical JSON.
    pub settings: String,
    /// What ages are counted to.
    pub as_of: Timestamp,
    /// When the run started.
    pub started_at: Timestamp,
}

/// Why the state can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file is something else.
    #[error("{} is not a state of tieout: choose another --state; nothing was touched", .0.display())]
    NotOurs(PathBuf),
    /// The file was written by a newer program.
    #[error("{} was written by a newer tieout (layout {found}, this one knows {known}): upgrade, or choose another --state",
        path.display())]
    Newer {
        /// The state.
        path: PathBuf,
        /// Its layout.
        found: i64,
        /// The newest layout that this program knows.
        known: i64,
    },
    /// A stored row can't be understood.
    #[error("{} is damaged: line {line}, column {column}; move it away to start afresh", path.display())]
    Damaged {
        /// The state.
        path: PathBuf,
        /// The input line of the row.
        line: u64,
        /// The column.
        column: &'static str,
    },
    /// The disk is full.
    #[error("the disk of {} is full: everything committed so far is safe; make room and run again", .0.display())]
    DiskFull(PathBuf),
    /// The state's folder can't be made.
    #[error("can't make the folder of the state {}: {source}; choose another --state", path.display())]
    Folder {
        /// The state.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// SQLite can't do what was asked.
    #[error("can't use the state {}: {source}; everything committed so far is safe", path.display())]
    Sqlite {
        /// The state.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The writer's thread can't be started.
    #[error("can't start the writer of the state {}: {source}", path.display())]
    Thread {
        /// The state.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The writer's thread ended before its time.
    #[error("the writer of the state {} stopped; everything committed so far is safe", .0.display())]
    WriterStopped(PathBuf),
}

impl StoreError {
    /// Makes errors of SQLite ones of this state.
    fn at(path: &Path) -> impl Fn(rusqlite::Error) -> Self + use<'_> {
        |source| match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotOurs(path.to_owned()),
            Some(ErrorCode::DiskFull) => Self::DiskFull(path.to_owned()),
            _ => Self::Sqlite { path: path.to_owned(), source },
        }
    }
}

impl Store {
    /// Opens the state, or makes a new one, with the folders above it.
    ///
    /// # Errors
    /// [`StoreError`] says why it can't be used. A file that is not a state is never touched.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|source| StoreError::Folder { path: path.to_owned(), source })?;
        }
        Ok(Self { path: path.to_owned(), connection: schema::open(path)? })
    }

    /// Begins a run.
    ///
    /// # Errors
    /// When it can't be committed.
    pub fn begin(&mut self, run: &NewRun) -> Result<RunId, StoreError> {
        let values = params![
            run.base_url,
            run.input_name,
            run.input_sha256,
            run.rows.cast_signed(),
            run.settings,
            run.as_of.as_microsecond(),
            run.started_at.as_microsecond(),
        ];
        self.connection.execute(schema::BEGIN_RUN, values).map_err(StoreError::at(&self.path))?;
        Ok(RunId(self.connection.last_insert_rowid()))
    }

    /// A writer of this run's outcomes. It takes `capacity` outcomes before whoever puts more has to wait.
    ///
    /// # Errors
    /// When its connection or its thread can't be had.
    pub fn writer(&self, run: RunId, capacity: usize) -> Result<Writer, StoreError> {
        Writer::start(&self.path, run, capacity)
    }

    /// Visits every committed outcome of a run in the order of its lines, one at a time.
    ///
    /// # Errors
    /// When a row can't be read or understood, or the visitor says so.
    pub fn for_each_outcome<E: From<StoreError>>(
        &self,
        run: RunId,
        mut visit: impl FnMut(Outcome) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = StoreError::at(&self.path);
        let mut statement = self.connection.prepare(schema::READ_OUTCOMES).map_err(&failed)?;
        let mut rows = statement.query([run.0]).map_err(&failed)?;
        while let Some(row) = rows.next().map_err(&failed)? {
            visit(rows::read(row, &self.path)?)?;
        }
        Ok(())
    }

    /// Marks a run as finished.
    ///
    /// # Errors
    /// When it can't be committed.
    pub fn finish(&mut self, run: RunId, finished_at: Timestamp) -> Result<(), StoreError> {
        let values = params![finished_at.as_microsecond(), run.0];
        self.connection.execute(schema::FINISH_RUN, values).map_err(StoreError::at(&self.path)).map(drop)
    }
}

#[cfg(test)]
mod tests;
