//! What can be wrong with a dataset.

use std::io;
use std::path::{Path, PathBuf};

use polars::prelude::PolarsError;

use crate::domain::money::Overflow;

/// Why a dataset can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The folder holds no dataset.
    #[error("{} is not a tieout dataset: {problem}", path.display())]
    NotADataset {
        /// The folder.
        path: PathBuf,
        /// What is there instead.
        problem: String,
    },
    /// The dataset is about other orders, or divides days differently.
    #[error("the dataset in {} has the {what} {theirs:?}, this is {ours:?}; name another folder", path.display())]
    Other {
        /// The folder.
        path: PathBuf,
        /// What differs, such as `time zone`.
        what: &'static str,
        /// The dataset's.
        theirs: String,
        /// The one that was wanted.
        ours: String,
    },
    /// Something can't be read or written.
    #[error("can't {doing} {}: {source}; check the disk and its permissions", path.display())]
    Io {
        /// The action that failed, such as `write`.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// A bucket can't be used.
    #[error("{}: {problem}", address.display())]
    Bucket {
        /// The address.
        address: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Parquet can't be written.
    #[error("can't write {}: {source}; check the disk and its permissions", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// The error from Polars.
        source: PolarsError,
    },
    /// A file was written by another version.
    #[error("{} is of another version of tieout; use that one", path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
    },
    /// A file is missing or not as it was written.
    #[error("{} is damaged: {problem}; restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A compaction was killed, or is at work: other engines would read what it replaces twice.
    #[error("{} is left of a compaction that was killed: run `tieout compact` first; or it is at work: wait for its end", path.display())]
    Compacted {
        /// A file that does not count.
        path: PathBuf,
    },
    /// Two compactions merged the same file at once.
    #[error(
        "{} was merged by two compactions at once, so that its rows are there twice: audit the dataset here, without \
         --engine", path.display()
    )]
    MergedTwice {
        /// The file that both replaced.
        path: PathBuf,
    },
    /// A file lies among those of the dataset.
    #[error("{} is not one of the dataset, and other engines would read it: move it elsewhere", path.display())]
    Stray {
        /// The file.
        path: PathBuf,
    },
    /// Only one compaction may be at work.
    #[error("another compaction of {} is at work; wait for its end", path.display())]
    Compacting {
        /// The dataset's folder.
        path: PathBuf,
    },
    /// Only one close may be at work.
    #[error("another close of {} is at work; wait for its end", path.display())]
    Closing {
        /// The dataset's folder.
        path: PathBuf,
    },
    /// A close in a bucket has begun, and was not ended.
    #[error(
        "{} has another {file}: another close was at work; see what is there with `tieout dataset`", path.display()
    )]
    UnfinishedClose {
        /// The address of the close.
        path: PathBuf,
        /// The file.
        file: String,
    },
    /// A total of a run has too many digits.
    #[error("the totals of the run: {0}")]
    Overflow(#[from] Overflow),
    /// A run of the dataset started in the future, so that it would count as newer than this one.
    #[error(
        "run {run} of the dataset started at {started_at}, in the future by this clock, so that it would count for ever: set \
         this clock; or, if it was wrong then, remove runs/{run}.json and import that report again"
    )]
    FutureRun {
        /// The run.
        run: String,
        /// When it started, by the clock of then.
        started_at: jiff::Timestamp,
    },
}

impl DatasetError {
    pub(super) fn io(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { doing, path: path.clone(), source }
    }

    pub(super) fn parquet(path: &Path) -> impl Fn(PolarsError) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Parquet { path: path.clone(), source }
    }

    pub(super) fn damaged(path: &Path, problem: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), problem: problem.into() }
    }
}
