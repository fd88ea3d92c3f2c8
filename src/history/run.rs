//! `runs/<run>.json`: what a run appended. It is written last, and only then the run's files count.

use std::path::Path;

use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize};

use super::{DatasetError, EXCEPTIONS, ORDERS, RUNS, record};
use crate::domain::money::Sum;
use crate::domain::order::Amounts;

const FORMAT: u32 = 1;

/// The path of a run's record, from the dataset's folder.
pub(super) fn path(run: &str) -> String {
    format!("{RUNS}/{run}.json")
}

/// What a run appended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    format: u32,
    /// The run's name: when it started, its report, and random digits.
    pub run: String,
    /// When the job started that observed the orders. Of several observations of an order, the latest counts.
    pub started_at: Timestamp,
    /// The moment at which the report measured ages.
    pub as_of: Timestamp,
    /// SHA-256 of the manifest of the run's report, in hex.
    pub manifest_sha256: String,
    /// The version of tieout that appended it.
    pub tieout_version: String,
    /// Whether orders may be missing from its input: the list that it read was not complete, or could not be compared with
    /// the provider's.
    pub list_incomplete: bool,
    /// How many orders the run observed.
    pub orders: u64,
    /// How many orders moved away from a day on which they were seen before.
    pub moved: u64,
    /// How many rows have no fetched order.
    pub exceptions: u64,
    /// The control totals of the orders, by currency.
    pub control_totals: Vec<CurrencyTotals>,
    /// The run's files.
    pub files: Vec<DatasetFile>,
    /// The jobs of the run before its last, if it was continued: each has a line of its own in the record.
    #[serde(skip)]
    pub earlier_jobs: Vec<EarlierJob>,
}

/// A job of a run that a later job continued. The rows that it read carry its own name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlierJob {
    /// Its name.
    pub run: String,
    /// When it read its first row.
    pub started_at: Timestamp,
}

/// The control totals of the orders in one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurrencyTotals {
    /// The currency, empty for orders without one.
    pub currency: String,
    /// How many orders.
    pub orders: u64,
    /// How many of them are settled.
    pub settled: u64,
    /// The sums of the amounts, in the order of `Amounts::NAMES`.
    pub amounts: [Sum; Amounts::NAMES.len()],
}

/// A file of a dataset, as its run names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetFile {
    /// Where it is, from the dataset's folder.
    pub path: String,
    /// How many rows it has.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
}

impl RunRecord {
    /// A run that has appended nothing yet.
    pub(super) fn begin(run: String, started_at: Timestamp, as_of: Timestamp, manifest_sha256: String) -> Self {
        Self {
            format: FORMAT,
            run,
            started_at: microsecond(started_at),
            as_of,
            manifest_sha256,
            tieout_version: crate::domain::program::VERSION.to_owned(),
            list_incomplete: false,
            orders: 0,
            moved: 0,
            exceptions: 0,
            control_totals: Vec::new(),
            files: Vec::new(),
            earlier_jobs: Vec::new(),
        }
    }

    pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Self, DatasetError> {
        let (mut record, earlier_jobs): (Self, Vec<EarlierJob>) = record::parse_lines(path, bytes)?;
        record::require(path, record.format == FORMAT, &record.run, &record.files)?;
        let rows = record.orders.saturating_add(record.moved);
        record::require_rows(path, "orders and moves", rows, record::rows_below(&record.files, ORDERS))?;
        record::require_rows(path, "exceptions", record.exceptions, record::rows_below(&record.files, EXCEPTIONS))?;
        record.earlier_jobs = earlier_jobs;
        // A moment between two microseconds would be a different one to other engines.
        if record.jobs().any(|(_, started_at)| started_at != microsecond(started_at)) {
            return Err(DatasetError::damaged(path, "a time has more than six decimals"));
        }
        Ok(record)
    }

    /// Every name that rows of the run carry, with the time at which that job started.
    pub fn jobs(&self) -> impl Iterator<Item = (&str, Timestamp)> {
        let earlier = self.earlier_jobs.iter().map(|job| (job.run.as_str(), job.started_at));
        earlier.chain([(self.run.as_str(), self.started_at)])
    }

    /// Whether rows of the run carry this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.jobs().any(|(run, _)| run == name)
    }
}

/// A moment as other engines know it: they have no nanoseconds, and must find the same run to be the last.
pub(super) fn microsecond(time: Timestamp) -> Timestamp {
    time.round(Unit::Microsecond).unwrap_or(time)
}
