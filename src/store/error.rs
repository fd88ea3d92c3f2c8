//! What stops the work at the state.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{ErrorCode, ffi};

use super::RunId;

/// Why the state can't be used. Every text says what happened, where, and what to do. It is cheap to clone, so
/// that the writer's one failure reaches all who wait for it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The file is something else: a text, an SQLite file of another program.
    #[error("{path} is not a state file of tieout; it was left untouched: give --state another path")]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// The file has a format that only a newer version of this program knows.
    #[error(
        "the state {path} has format {found}, this tieout knows formats up to {known}; it was left untouched: \
         use the newer tieout, or give --state another path"
    )]
    Newer {
        /// The state.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format this program knows.
        known: i64,
    },
    /// The file or its folder can't be written.
    #[error(
        "the state {path} can't be written; what is in it is kept: make the file and its folder writable and run the \
         same command again, or give --state another path"
    )]
    ReadOnly {
        /// The state.
        path: PathBuf,
    },
    /// The disk does not do what it should.
    #[error(
        "can't {doing} the state {path} ({source}): its disk fails, is full or is gone; what is committed is kept: put \
         that right and run the same command again"
    )]
    DiskFails {
        /// The state.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What SQLite says.
        source: Arc<rusqlite::Error>,
    },
    /// Its path leads elsewhere, or nowhere, since it was opened.
    #[error(
        "the state {path} is not where it was: its disk or folder was taken away while the job ran; what is committed \
         is kept there: bring it back and run the same command again"
    )]
    Moved {
        /// The state.
        path: PathBuf,
    },
    /// No room is left.
    #[error(
        "the disk of the state {path} is full; what is committed is kept: free some space and run the same \
         command again"
    )]
    DiskFull {
        /// The state.
        path: PathBuf,
    },
    /// Another process kept the file locked for longer than we wait.
    #[error("another process keeps the state {path} locked: wait for it to end, or give --state another path")]
    Locked {
        /// The state.
        path: PathBuf,
    },
    /// The file system can't carry the write-ahead log.
    #[error(
        "the state {path} lies on a file system where SQLite's write-ahead log doesn't work: give --state a path \
         on a local disk"
    )]
    NoWriteAheadLog {
        /// The state.
        path: PathBuf,
    },
    /// The file has several names.
    #[error(
        "the state {path} has {names} names (hard links), and its log lies beside one of them alone: remove the others, \
         or give --state another path"
    )]
    HardLinks {
        /// The state.
        path: PathBuf,
        /// How many names it has.
        names: u64,
    },
    /// SQLite finds the file corrupt.
    #[error(
        "the state {path} is damaged: it is no whole SQLite file; restore the file from a backup, or move it away to \
         begin a new one (finished reports stand by themselves)"
    )]
    Corrupt {
        /// The state.
        path: PathBuf,
    },
    /// A row is not what was written. It is never read as something else.
    #[error(
        "the state {path} is damaged: {what}: {problem}; restore the file from a backup, or move it away to begin a \
         new one (finished reports stand by themselves)"
    )]
    Damaged {
        /// The state.
        path: PathBuf,
        /// What is damaged.
        what: String,
        /// How.
        problem: String,
    },
    /// There is no such run.
    #[error("the state {path} has no run {run}: `tieout runs` lists the runs it has")]
    UnknownRun {
        /// The state.
        path: PathBuf,
        /// The run.
        run: RunId,
    },
    /// The run is finished, and its evidence is closed.
    #[error("run {run} in the state {path} is finished and takes nothing more: begin a new run")]
    Finished {
        /// The state.
        path: PathBuf,
        /// The run.
        run: RunId,
    },
    /// The run has an outcome for this line already. A fault of this program: a row would have counted twice.
    #[error(
        "run {run} in the state {path} has an outcome for line {line} already, a second one was refused: this is \
         a fault of tieout, please report it"
    )]
    AlreadyStored {
        /// The state.
        path: PathBuf,
        /// The run.
        run: RunId,
        /// The input line.
        line: i64,
    },
    /// A count that SQLite's 64 bits can't hold.
    #[error("{value} is too large for the column {column} of the state {path}: split the input into smaller files")]
    TooLarge {
        /// The state.
        path: PathBuf,
        /// The column.
        column: &'static str,
        /// The count.
        value: u64,
    },
    /// The writing thread is gone without a word.
    #[error("the thread that writes the state {path} ended unexpectedly; what is committed is kept: run again")]
    WriterLost {
        /// The state.
        path: PathBuf,
    },
    /// The operating system refuses.
    #[error("can't {doing} the state {path}: {source}; check the path and its permissions")]
    Io {
        /// The state.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What the system says.
        source: Arc<io::Error>,
    },
    /// SQLite refuses, for a reason that has no variant of its own.
    #[error("can't {doing} the state {path}: {source}; check the disk and the permissions of the file and its folder")]
    Sqlite {
        /// The state.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What SQLite says.
        source: Arc<rusqlite::Error>,
    },
}

/// Turns what SQLite says while `doing` something with the state at `path` into an error that says what to do.
pub(super) fn sqlite(path: &Path, doing: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    move |error| {
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::DiskFull { path },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreError::ReadOnly { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked { path },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt { path },
            // The index of the write-ahead log can't grow.
            _ if error.sqlite_extended_error_code() == Some(ffi::SQLITE_IOERR_SHMSIZE) => StoreError::DiskFull { path },
            _ if error.sqlite_extended_error_code() == Some(ffi::SQLITE_IOERR_SHMMAP) => {
                StoreError::NoWriteAheadLog { path }
            }
            Some(ErrorCode::SystemIoFailure) => StoreError::DiskFails { path, doing, source: Arc::new(error) },
            // Every statement is known to go with the tables, and every row with their constraints: these are other ones.
            None | Some(ErrorCode::Unknown | ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch) => {
                StoreError::Damaged { path, what: "its tables".to_owned(), problem: error.to_string() }
            }
            _ => StoreError::Sqlite { path, doing, source: Arc::new(error) },
        }
    }
}

/// The same for the operating system.
pub(super) fn io(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> StoreError {
    move |error| {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::DiskFull { path },
            io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly { path },
            _ => StoreError::Io { path, doing, source: Arc::new(error) },
        }
    }
}
