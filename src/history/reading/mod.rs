//! What a dataset says about each order now: its newest sighting counts, and what it was first settled for is compared.
//!
//! Days are read at the same time, one on each core, and each file a row group at a time and twice: first only to learn
//! which row of each order is the newest. What is held is a few bytes for each order of those days, and for each order
//! without a reply. Where even those are too many, all is read in several passes, each for a part of the orders.

mod baselines;
mod day;
mod days;
mod exceptional;
mod frames;
mod identifier;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use jiff::civil::Date;

use self::days::Days;
use self::identifier::Identifiers;
use super::files::Files;
use super::{Dataset, DatasetError, DatasetFile, EXCEPTIONS, RunRecord, Selection};
use crate::checks::Soundness;
use crate::domain::order::{Charge, RunOrder};
use crate::parquet::columns::OrderFrame;

/// The most rows of a day, or rows without a fetched order, that are told apart at once: some 300 MB each.
const AT_ONCE: u64 = if cfg!(test) { 16 } else { 1 << 22 };

/// What a dataset says about one order, or about several. They come in no particular sequence.
#[derive(Debug)]
pub enum Sighting {
    /// Orders that are sound, and whose figures are those that they were first settled for.
    Sound(OrderFrame),
    /// The newest observation of another order.
    Observed(Observed),
    /// A charge that such an order was settled for before, with all six amounts. Of several the one with the lowest rank
    /// is the first.
    Baseline {
        /// The day of the order.
        day: Date,
        /// The ID of the order.
        run_order_id: String,
        /// The place of the run that saw it among all runs, by the time they started.
        rank: u32,
        /// The charge.
        charge: Charge,
    },
    /// The newest sighting of an order is a row without a fetched order.
    Exception {
        /// The day on which the order was created, if it was observed before.
        day: Option<Date>,
        /// The ID of the order.
        run_order_id: String,
        /// The code of the bucket that the row was counted in.
        bucket: String,
        /// The code of the reason.
        reason: String,
        /// The reason in full.
        detail: String,
    },
    /// The newest observation of an order that is an exception now.
    LastSeen(Observed),
}

/// An observation of an order.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The day on which the order was created, or 1970-01-01.
    pub day: Date,
    /// The order's ID.
    pub run_order_id: String,
    /// The place of the run that observed it among all runs, by the time they started.
    pub rank: u32,
    /// The order, without what only identifies its task.
    pub order: Box<RunOrder>,
}

/// What is read of a dataset: some of its orders, as some of its runs saw them.
pub struct Reading<'d> {
    dataset: &'d Dataset,
    selection: Selection,
    /// By the time they started.
    runs: Vec<RunRecord>,
    /// The files of those runs.
    files: Files,
}

impl Dataset {
    /// Prepares to read the orders of a selection, as all runs saw them, or only the named ones.
    ///
    /// # Errors
    /// When the records can't be read, or a named run is not there.
    pub fn read(&self, selection: Selection, runs: Option<&BTreeSet<String>>) -> Result<Reading<'_>, DatasetError> {
        let (mut all, mut files) = self.counted()?;
        if let Some(wanted) = runs {
            all.retain(|run| wanted.contains(&run.run));
            if let Some(run) = wanted.iter().find(|name| !all.iter().any(|run| run.run == **name)) {
                return Err(DatasetError::damaged(&self.folder().join(super::run::path(run)), "it is missing"));
            }
            files.retain_runs(wanted);
        }
        Ok(Reading { dataset: self, selection, runs: all, files })
    }
}

impl Reading<'_> {
    /// The runs that are read, by the time they started.
    #[must_use]
    pub fn runs(&self) -> &[RunRecord] {
        &self.runs
    }

    /// The files that are read: those of the selected days, and those of rows without a fetched order.
    pub fn files(&self) -> impl Iterator<Item = &DatasetFile> {
        let is_read = |file: &&DatasetFile| {
            super::files::day(&file.path)
                .map_or_else(|| file.path.starts_with(EXCEPTIONS), |day| self.selection.has_day(day))
        };
        self.files.all().filter(is_read)
    }

    /// How many observations of orders there are on the selected days, each run's own.
    #[must_use]
    pub fn observations(&self) -> u64 {
        rows(self.files().filter(|file| !file.path.starts_with(EXCEPTIONS)))
    }

    /// Visits every order of the selection; returns how many orders there are.
    ///
    /// # Errors
    /// When a file is not as it was written, and those of `visit`.
    pub fn each<E: From<DatasetError>>(
        &self,
        soundness: &Soundness,
        mut visit: impl FnMut(Sighting) -> Result<(), E>,
    ) -> Result<u64, E> {
        let by_day = self.files.by_day();
        let (selected, others): (Vec<_>, Vec<_>) =
            by_day.into_iter().partition(|(day, _)| self.selection.has_day(*day));
        let exceptions = self.exception_files();
        let largest = selected.iter().map(|(_, files)| rows(files.iter().copied())).max().unwrap_or_default();
        let passes = largest.max(rows(exceptions.iter().copied())).div_ceil(AT_ONCE).max(1);
        let (ranks, identifiers) = (ranks(&self.runs), Identifiers::of_passes(passes));
        let mut orders = 0;
        for pass in 0..passes {
            let identifiers = identifiers.of_pass(pass);
            let exceptional = exceptional::note(self, &exceptions, &ranks, &identifiers)?;
            let days = Days {
                reading: self,
                soundness,
                ranks: &ranks,
                identifiers: &identifiers,
                exceptional: Mutex::new(exceptional),
            };
            orders += days.each(&selected, &mut visit)?;
            for (_, files) in &others {
                if !days.forget_exceptions_of_other_day(files)? {
                    break;
                }
            }
            let exceptional = days.exceptional.into_inner().unwrap_or_else(PoisonError::into_inner);
            orders += exceptional::visit(exceptional, self, &exceptions, &ranks, &identifiers, &mut visit)?;
        }
        Ok(orders)
    }

    fn exception_files(&self) -> Vec<&DatasetFile> {
        self.files.all().filter(|file| file.path.starts_with(EXCEPTIONS)).collect()
    }
}

/// The place of each run in the order in which they started.
type Ranks<'r> = HashMap<&'r str, u32>;

/// How many rows some files have.
fn rows<'f>(files: impl Iterator<Item = &'f DatasetFile>) -> u64 {
    files.fold(0, |rows, file| rows.saturating_add(file.rows))
}

fn ranks(runs: &[RunRecord]) -> Ranks<'_> {
    runs.iter().map(|run| run.run.as_str()).zip(0..).collect()
}
