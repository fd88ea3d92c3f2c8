//! What stops the work at the state.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{ErrorCode, ffi};

use super::RunId;

/// Why a state can't be used: its path and what is wrong. Every text says what happened, where, and what to do. It is
/// cheap to clone, so that the writer's one failure reaches all who wait for it.
#[derive(Clone, Debug)]
pub struct StoreError {
    /// The state.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Problem,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.problem.to_string();
        // Every text names the state before anything that comes from elsewhere.
        let (before, after) = text.split_once("{path}").unwrap_or((&text, ""));
        write!(f, "{before}{}{after}", self.path.display())
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.problem.source()
    }
}

/// What is wrong with a state. Which one that is, only [`StoreError`] knows: it puts the path where
/// these texts say `{path}`.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Problem {
    /// The file is something else: a text, an SQLite file of another program.
    #[error("{{path}} is not a state file of tieout; it was left untouched: give --state another path")]
    NotOurs,
    /// The file has a format that only a newer version of this program knows.
    #[error(
        "the state {{path}} has format {found}, this tieout knows formats up to {known}; it was left untouched: \
         use the newer tieout, or give --state another path"
    )]
    Newer {
        /// Its format.
        found: i64,
        /// The newest format this program knows.
        known: i64,
    },
    /// The file or its folder can't be written.
    #[error(
        "the state {{path}} can't be written; what is in it is kept: make the file and its folder writable and run the \
         same command again, or give --state another path"
    )]
    ReadOnly,
    /// The disk does not do what it should.
    #[error(
        "can't {doing} the state {{path}} ({source}): its disk fails, is full or is gone; what is committed is kept: \
         put that right and run the same command again"
    )]
    DiskFails {
        /// What was tried.
        doing: &'static str,
        /// What SQLite says.
        source: Arc<rusqlite::Error>,
    },
    /// Its path leads elsewhere, or nowhere, since it was opened.
    #[error(
        "the state {{path}} is not where it was: its disk or folder was taken away while the job ran; what is \
         committed is kept there: bring it back and run the same command again"
    )]
    Moved,
    /// No room is left.
    #[error(
        "the disk of the state {{path}} is full; what is committed is kept: free some space and run the same \
         command again"
    )]
    DiskFull,
    /// Another process kept the file locked for longer than we wait.
    #[error("another process keeps the state {{path}} locked: wait for it to end, or give --state another path")]
    Locked,
    /// The file system can't carry the write-ahead log.
    #[error(
        "the state {{path}} lies on a file system where SQLite's write-ahead log doesn't work: give --state a path \
         on a local disk"
    )]
    NoWriteAheadLog,
    /// The file has several names.
    #[error(
        "the state {{path}} has {names} names (hard links), and its log lies beside one of them alone: remove \
         the others, or give --state another path"
    )]
    HardLinks {
        /// How many names it has.
        names: u64,
    },
    /// SQLite finds the file corrupt.
    #[error(
        "the state {{path}} is damaged: it is no whole SQLite file; restore the file from a backup, or move it away to \
         begin a new one (finished reports stand by themselves)"
    )]
    Corrupt,
    /// A row is not what was written. It is never read as something else.
    #[error(
        "the state {{path}} is damaged: {what}: {problem}; restore the file from a backup, or move it away to begin a \
         new one (finished reports stand by themselves)"
    )]
    Damaged {
        /// What is damaged.
        what: String,
        /// How.
        problem: String,
    },
    /// There is no such run.
    #[error("the state {{path}} has no run {run}: `tieout runs` lists the runs it has")]
    UnknownRun {
        /// The run.
        run: RunId,
    },
    /// The run is finished, and its evidence is closed.
    #[error("run {run} in the state {{path}} is finished and takes nothing more: begin a new run")]
    Finished {
        /// The run.
        run: RunId,
    },
    /// The run has an outcome for this line already. A fault of this program: a row would have counted twice.
    #[error(
        "run {run} in the state {{path}} has an outcome for line {line} already, a second one was refused: this is \
         a fault of tieout, please report it"
    )]
    AlreadyStored {
        /// The run.
        run: RunId,
        /// The input line.
        line: i64,
    },
    /// A count that SQLite's 64 bits can't hold.
    #[error("{value} is too large for the column {column} of the state {{path}}: split the input into smaller files")]
    TooLarge {
        /// The column.
        column: &'static str,
        /// The count.
        value: u64,
    },
    /// The writing thread is gone without a word.
    #[error("the thread that writes the state {{path}} ended unexpectedly; what is committed is kept: run again")]
    WriterLost,
    /// The operating system refuses.
    #[error("can't {doing} the state {{path}}: {source}; check the path and its permissions")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// What the system says.
        source: Arc<io::Error>,
    },
    /// SQLite refuses, for a reason that has no variant of its own.
    #[error(
        "can't {doing} the state {{path}}: {source}; check the disk and the permissions of the file and its folder"
    )]
    Sqlite {
        /// What was tried.
        doing: &'static str,
        /// What SQLite says.
        source: Arc<rusqlite::Error>,
    },
}

impl Problem {
    /// What is damaged, as in "line 3 of run 2", and how.
    pub(super) fn damaged(what: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Damaged { what: what.into(), problem: problem.into() }
    }

    /// The same, of the state at `path`.
    pub(super) fn at(self, path: &Path) -> StoreError {
        StoreError { path: path.to_owned(), problem: self }
    }
}

/// Turns what SQLite says while `doing` something with the state into a problem that says what to do.
pub(super) fn sqlite(doing: &'static str) -> impl Fn(rusqlite::Error) -> Problem + Copy {
    move |error| match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Problem::DiskFull,
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Problem::ReadOnly,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Problem::Locked,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Problem::Corrupt,
        // The index of the write-ahead log can't grow.
        _ if error.sqlite_extended_error_code() == Some(ffi::SQLITE_IOERR_SHMSIZE) => Problem::DiskFull,
        _ if error.sqlite_extended_error_code() == Some(ffi::SQLITE_IOERR_SHMMAP) => Problem::NoWriteAheadLog,
        Some(ErrorCode::SystemIoFailure) => Problem::DiskFails { doing, source: Arc::new(error) },
        // Every statement is known to go with the tables, and every row with their constraints: these are other ones.
        None | Some(ErrorCode::Unknown | ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch) => {
            Problem::damaged("its tables", error.to_string())
        }
        _ => Problem::Sqlite { doing, source: Arc::new(error) },
    }
}

/// The same for the operating system.
pub(super) fn io(doing: &'static str) -> impl Fn(io::Error) -> Problem + Copy {
    move |error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Problem::DiskFull,
        io::ErrorKind::ReadOnlyFilesystem => Problem::ReadOnly,
        _ => Problem::Io { doing, source: Arc::new(error) },
    }
}
