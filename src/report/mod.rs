//! From outcomes to a report folder: aggregates, typed tables, files in each format, manifest, publishing.
//!
//! A report is a set of typed tables first; the writer of a format decides nothing.

pub mod builder;
pub mod comparison;
pub mod content;
pub mod evidence;
pub mod files;
pub mod folder;
pub mod formats;

use std::io;
use std::path::{Path, PathBuf};

use polars::prelude::PolarsError;
use rust_xlsxwriter::XlsxError;

use crate::domain::money::Overflow;

/// Why a report can't be written or read back.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file can't be written or read.
    #[error("can't write {}: {source}; check the disk and its permissions", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// A CSV file can't be written.
    #[error("can't write {table}.csv: {source}; check the disk")]
    Csv {
        /// The table's name.
        table: &'static str,
        /// The error from the library that writes it.
        source: ::csv::Error,
    },
    /// The workbook can't be written.
    #[error("can't write {}: {source}; check the disk and its permissions", path.display())]
    Xlsx {
        /// The file.
        path: PathBuf,
        /// The error from the library that writes it.
        source: XlsxError,
    },
    /// The Parquet file can't be written or read back.
    #[error("can't {what} run_orders.parquet: {source}; check the disk")]
    Polars {
        /// The action that failed, such as `write` or `aggregate`.
        what: &'static str,
        /// The error from Polars.
        source: PolarsError,
    },
    /// The evidence of a report can't be read back.
    #[error("can't read {}: {problem}; run `tieout verify` to check the report", path.display())]
    Evidence {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A total does not fit `DECIMAL(38,8)`.
    #[error(transparent)]
    Overflow(#[from] Overflow),
    /// Two figures that must agree do not. This is a bug in tieout, so no report is published.
    #[error("the report contradicts itself, so it was not published ({0}); please report this as a bug")]
    Contradiction(String),
    /// The caller stopped it ([`builder::Builder::finish_unless`]).
    #[error("stopped before the report was complete")]
    Stopped,
}

impl ReportError {
    fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    fn evidence(path: &Path, problem: impl Into<String>) -> Self {
        Self::Evidence { path: path.to_owned(), problem: problem.into() }
    }

    fn polars(what: &'static str) -> impl Fn(PolarsError) -> Self {
        move |source| Self::Polars { what, source }
    }
}
