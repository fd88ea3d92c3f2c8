//! Errors of the state.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{ErrorCode, ffi};

use super::RunId;

/// What is wrong with a state, and its path. Every message says what happened, where, and what to do. Cheap to clone,
/// so that a failure of the writer reaches every task that waits for it.
#[derive(Clone, Debug)]
pub struct StoreError {
    /// The path of the state.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Problem,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.problem.to_string();
        // Every message names the state before any text from outside, which may hold `{path}` itself.
        let (before, after) = text.split_once("{path}").unwrap_or((&text, ""));
        write!(f, "{before}{}{after}", self.path.display())
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.problem.source()
    }
}

/// What is wrong with a state. The messages hold `{path}`, which [`StoreError`] replaces with the path of the state.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Problem {
    /// The file is not a tieout state, but a text, say, or another program's SQLite file.
    #[error("{{path}} is not a tieout state file; it was left untouched: give --state another path")]
    NotOurs,
    /// Only a newer version of tieout knows the file's format.
    #[error(
        "the state {{path}} has format {found}, this tieout knows formats up to {known}; it was left untouched: \
         use a newer tieout, or give --state another path"
    )]
    Newer {
        /// The format of the file.
        found: i64,
        /// The newest format this program knows.
        known: i64,
    },
    /// The file or its folder can't be written.
    #[error(
        "the state {{path}} can't be written; its content is kept: make the file and its folder writable and run the \
         same command again, or give --state another path"
    )]
    ReadOnly,
    /// Beside a file that can't be written, there is a log that is not part of it yet.
    #[error(
        "the state {{path}} can't be written, and its log beside it (-wal) can't be read without that: copy both to where \
         they can be written, and name the copy with --state"
    )]
    LogUnread,
    /// The disk reports an I/O error.
    #[error(
        "can't {doing} the state {{path}} ({source}): its disk is failing, full or gone; what is committed is kept: \
         fix this and run the same command again"
    )]
    DiskFails {
        /// What was being done, as in `can't {doing} the state`.
        doing: &'static str,
        /// The error from SQLite.
        source: Arc<rusqlite::Error>,
    },
    /// The path no longer leads to the file that was opened.
    #[error(
        "the state {{path}} is not where it was: its disk or folder was removed while the job ran; what is \
         committed is kept there: bring it back and run the same command again"
    )]
    Moved,
    /// The disk is full.
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
        "the state {{path}} is on a file system where SQLite's write-ahead log doesn't work: give --state a path \
         on a local disk"
    )]
    NoWriteAheadLog,
    /// The file has hard links.
    #[error(
        "the state {{path}} has {names} names (hard links), but its log lies beside only one of them: remove \
         the others, or give --state another path"
    )]
    HardLinks {
        /// How many names it has.
        names: u64,
    },
    /// SQLite finds the file corrupt.
    #[error(
        "the state {{path}} is damaged: it is not a complete SQLite file; restore it from a backup, or move it away to \
         start a new one (finished reports are not affected)"
    )]
    Corrupt,
    /// Something in the state is not what was written. It is never read as something else.
    #[error(
        "the state {{path}} is damaged: {what}: {problem}; restore the file from a backup, or move it away to start a \
         new one (finished reports are not affected)"
    )]
    Damaged {
        /// The damaged part, as in "run 3".
        what: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The state has no run with this number.
    #[error("the state {{path}} has no run {run}: `tieout runs` lists the runs it has")]
    UnknownRun {
        /// The number of the run.
        run: RunId,
    },
    /// The run is finished, and its evidence is closed.
    #[error("run {run} in the state {{path}} is finished and accepts nothing more: start a new run")]
    Finished {
        /// The number of the run.
        run: RunId,
    },
    /// The run already has an outcome for this line. A bug in tieout: a row would have counted twice.
    #[error(
        "run {run} in the state {{path}} already has an outcome for line {line}; a second one was refused: this is \
         a bug in tieout, please report it"
    )]
    AlreadyStored {
        /// The number of the run.
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
    /// The thread that writes the state ended without reporting an error.
    #[error(
        "the thread that writes the state {{path}} ended unexpectedly; what is committed is kept: run the \
         same command again"
    )]
    WriterLost,
    /// The operating system reports an error.
    #[error("can't {doing} the state {{path}}: {source}; check the path and its permissions")]
    Io {
        /// What was being done, as in `can't {doing} the state`.
        doing: &'static str,
        /// The error from the operating system.
        source: Arc<io::Error>,
    },
    /// SQLite reports an error that has no variant of its own.
    #[error(
        "can't {doing} the state {{path}}: {source}; check the disk and the permissions of the file and its folder"
    )]
    Sqlite {
        /// What was being done, as in `can't {doing} the state`.
        doing: &'static str,
        /// The error from SQLite.
        source: Arc<rusqlite::Error>,
    },
}

impl Problem {
    /// `what` is the damaged part, as in "run 3"; `problem` says how it is damaged.
    pub(super) fn damaged(what: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Damaged { what: what.into(), problem: problem.into() }
    }

    /// Adds the path of the state.
    pub(super) fn at(self, path: &Path) -> StoreError {
        StoreError { path: path.to_owned(), problem: self }
    }
}

/// Converts an error from SQLite, raised while `doing` something with the state, to a problem that says what to do.
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
        // Our statements fit our tables, and our rows their constraints: these tables were altered.
        None | Some(ErrorCode::Unknown | ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch) => {
            Problem::damaged("its tables", error.to_string())
        }
        _ => Problem::Sqlite { doing, source: Arc::new(error) },
    }
}

/// Converts an error from the operating system, raised while `doing` something with the state.
pub(super) fn io(doing: &'static str) -> impl Fn(io::Error) -> Problem + Copy {
    move |error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Problem::DiskFull,
        io::ErrorKind::ReadOnlyFilesystem => Problem::ReadOnly,
        _ => Problem::Io { doing, source: Arc::new(error) },
    }
}
