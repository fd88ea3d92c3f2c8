//! The closed months of a dataset that an audit or a close looks back at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::domain::month::Month;
use crate::history::{Dataset, DatasetError, Reading, Selection};
use crate::pipeline::JobError;
use crate::report::ReportError;
use crate::report::evidence::sources::{SourceClose, Sources};
use crate::report::files::{SOURCES_FILE, SUMMARY_FILE};
use crate::report::folder::chain;
use crate::report::folder::manifest::Link;
use crate::report::folder::{FolderError, ReportFolder};
use crate::summary::{FrozenTotals, RollForward};

/// A closed month, as its report says.
pub(super) struct ClosedMonth {
    pub(super) month: Month,
    /// The runs that it was closed with.
    pub(super) runs: BTreeSet<String>,
    /// What was pending at close, by currency.
    pub(super) pending: BTreeMap<String, FrozenTotals>,
}

/// The closed months that are looked back at.
#[derive(Default)]
pub(super) struct Closes {
    /// All of them, by month.
    pub(super) named: Vec<SourceClose>,
    /// Those that orders are compared with.
    pub(super) compared: Vec<ClosedMonth>,
}

/// What is read back of the summary of a close.
#[derive(Deserialize)]
struct ClosedSummary {
    roll_forward: BTreeMap<String, RollForward>,
}

impl Closes {
    /// The closed months that have days of a selection.
    pub(super) fn of_selection(dataset: &Dataset, selection: &Selection) -> Result<Self, JobError> {
        let named: Vec<SourceClose> =
            all(dataset)?.into_iter().filter(|close| selection.has_any_day_of(close.month)).collect();
        let compared = named.iter().map(|close| ClosedMonth::read(dataset, close.month)).collect::<Result<_, _>>()?;
        Ok(Self { named, compared })
    }

    /// The months that were closed before another.
    pub(super) fn before(dataset: &Dataset, month: Month) -> Result<Self, JobError> {
        let named: Vec<SourceClose> = all(dataset)?.into_iter().filter(|close| close.month < month).collect();
        let last = named.last().map(|last| ClosedMonth::read(dataset, last.month)).transpose()?;
        Ok(Self { named, compared: last.into_iter().collect() })
    }

    /// Leaves only the months that a report names; the problems if they are not as it names them.
    pub(super) fn retain(&mut self, named: &[SourceClose]) -> Vec<String> {
        self.named.retain(|found| named.iter().any(|named| named.month == found.month));
        self.compared.retain(|found| named.iter().any(|named| named.month == found.month));
        let differing = named.iter().filter(|named| !self.named.contains(named));
        differing.map(|named| format!("the close of {} is not as it was", named.month)).collect()
    }

    /// Fails unless every run that a month was closed with is still there: without one, what was known then would be
    /// something else.
    pub(super) fn require_runs(&self, dataset: &Dataset, reading: &Reading<'_>) -> Result<(), DatasetError> {
        let there: BTreeSet<&str> = reading.runs().iter().map(|run| run.run.as_str()).collect();
        let runs = self.compared.iter().flat_map(|closed| closed.runs.iter().map(|run| (closed.month, run)));
        let missing = runs.into_iter().find(|(_, run)| !there.contains(run.as_str()));
        missing.map_or(Ok(()), |(month, run)| {
            let problem = format!("the run {run}, with which {month} was closed, is missing");
            Err(DatasetError::Damaged { path: dataset.folder().to_owned(), problem })
        })
    }

    /// The link from a close to the one before it.
    pub(super) fn last(&self, dataset: &Dataset) -> Option<Link> {
        self.named.last().and_then(|last| chain::link(&dataset.close_of(last.month)))
    }

    /// The first month that was closed.
    pub(super) fn first(&self) -> Option<Month> {
        self.named.first().map(|close| close.month)
    }
}

/// Every closed month, with the hash of its manifest. The last one names those before it: they must be there as they were.
fn all(dataset: &Dataset) -> Result<Vec<SourceClose>, JobError> {
    let named = |(month, folder): (Month, PathBuf)| {
        Ok::<_, JobError>(SourceClose { month, manifest_sha256: open(&folder)?.manifest_sha256().to_owned() })
    };
    let all = dataset.closes()?.into_iter().map(named).collect::<Result<Vec<_>, _>>()?;
    let Some((last, earlier)) = all.split_last() else { return Ok(all) };
    let folder = dataset.close_of(last.month);
    let sources = sources(&open(&folder)?)?;
    let differing = sources.closes.iter().find(|named| !earlier.contains(named)).map(|named| named.month);
    let unnamed = || earlier.iter().find(|close| !sources.closes.contains(close)).map(|close| close.month);
    match differing.or_else(unnamed) {
        None => Ok(all),
        Some(month) => {
            let problem = format!("{} was closed when {month} was closed in another way, or not at all", last.month);
            Err(DatasetError::Damaged { path: dataset.close_of(month), problem }.into())
        }
    }
}

fn sources(report: &ReportFolder) -> Result<Sources, JobError> {
    Ok(Sources::read(&report.prove(SOURCES_FILE).map_err(damaged(&report.path("")))?)?)
}

impl ClosedMonth {
    fn read(dataset: &Dataset, month: Month) -> Result<Self, JobError> {
        let folder = &dataset.close_of(month);
        let report = open(folder)?;
        let manifest = report.manifest().map_err(damaged(folder))?;
        let closes = manifest.stamp.dataset.and_then(|dataset| dataset.close);
        if closes.is_none_or(|close| close.month != month) {
            let problem = format!("its manifest does not say that it closes {month}");
            return Err(DatasetError::Damaged { path: folder.to_owned(), problem }.into());
        }
        let runs = sources(&report)?.runs.into_iter().map(|run| run.run).collect();
        let summary = report.prove(SUMMARY_FILE).map_err(damaged(folder))?;
        let not_read = |problem: String| ReportError::Evidence { path: summary.path().to_owned(), problem };
        let file = summary.reader().map_err(|error| not_read(error.to_string()))?;
        let read: ClosedSummary = serde_json::from_reader(file).map_err(|error| not_read(error.to_string()))?;
        let pending = read.roll_forward.into_iter().map(|(currency, lines)| (currency, lines.pending_at_close));
        Ok(Self { month, runs, pending: pending.collect() })
    }
}

fn open(folder: &Path) -> Result<ReportFolder, JobError> {
    Ok(ReportFolder::open(folder).map_err(damaged(folder))?)
}

/// A close that can't be read is damage of its dataset.
fn damaged(folder: &Path) -> impl Fn(FolderError) -> DatasetError {
    move |error| DatasetError::Damaged { path: folder.to_owned(), problem: error.to_string() }
}
