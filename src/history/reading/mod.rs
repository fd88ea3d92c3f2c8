//! What a dataset says about each order now: its newest sighting counts, and what it was first settled for is compared.
//!
//! Files are read a row group at a time, day by day, and each twice: first only to learn which row of each order is the
//! newest. What is held is a few bytes for each order of a day and for each order without a reply. Where even those are
//! too many, all is read in several passes, each for a part of the orders.

mod day;
mod exceptional;
mod frames;
mod identifier;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;

use self::exceptional::ExceptionalOrders;
use self::identifier::Identifiers;
use super::files::Files;
use super::{Dataset, DatasetError, DatasetFile, EXCEPTIONS, ExceptionRow, RunRecord, Selection};
use crate::checks::Soundness;
use crate::domain::facts::OrderFacts;
use crate::domain::order::Charge;
use crate::parquet::columns::OrderFrame;

/// The most rows of a day, or rows without a fetched order, that are told apart at once: some 300 MB each.
const AT_ONCE: u64 = if cfg!(test) { 16 } else { 1 << 22 };

/// What a dataset says about one order, or about several. They come in no particular sequence.
#[derive(Debug)]
pub enum Sighting<'s> {
    /// Orders that are sound, and whose figures are those that they were first settled for.
    Sound(OrderFrame<'s>),
    /// The newest observation of another order.
    Observed(Observed<'s>),
    /// The charge of such an order when it was first seen settled with all six amounts, if it differs now.
    Baseline {
        /// The day of the order.
        day: Date,
        /// The ID of the order.
        run_order_id: &'s str,
        /// The charge.
        charge: Charge,
    },
    /// The newest sighting of an order is a row without a fetched order.
    Exception {
        /// The day on which the order was created, if it was observed before.
        day: Option<Date>,
        /// The row.
        row: ExceptionRow<'s>,
    },
    /// The newest observation of an order that is an exception now.
    LastSeen(Observed<'s>),
}

/// An observation of an order.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'s> {
    /// The day on which the order was created, or 1970-01-01.
    pub day: Date,
    /// The order's ID.
    pub run_order_id: &'s str,
    /// Its facts.
    pub facts: OrderFacts<'s>,
    /// The run that observed it.
    pub run: &'s str,
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
        mut visit: impl FnMut(Sighting<'_>) -> Result<(), E>,
    ) -> Result<u64, E> {
        let by_day = self.files.by_day();
        let exceptions = self.exception_files();
        let selected: BTreeMap<Date, &[&DatasetFile]> = by_day
            .iter()
            .filter(|(day, _)| self.selection.has_day(**day))
            .map(|(day, files)| (*day, files.as_slice()))
            .collect();
        let largest = selected.values().map(|files| rows(files.iter().copied())).max().unwrap_or_default();
        let passes = largest.max(rows(exceptions.iter().copied())).div_ceil(AT_ONCE).max(1);
        let mut orders = 0;
        let identifiers = Identifiers::of_passes(passes);
        for pass in 0..passes {
            let mut part = Part {
                dataset: self.dataset,
                selection: &self.selection,
                soundness,
                ranks: ranks(&self.runs),
                identifiers: identifiers.of_pass(pass),
                exceptional: ExceptionalOrders::default(),
                orders: 0,
            };
            part.note_exceptions(&exceptions)?;
            for (day, files) in &selected {
                part.visit_day(*day, files, &mut visit)?;
            }
            for (_, files) in by_day.iter().filter(|(day, _)| !self.selection.has_day(**day)) {
                if part.exceptional.all_are_known() {
                    break;
                }
                part.drop_exceptions_of_other_day(files)?;
            }
            part.visit_exceptions(&exceptions, &mut visit)?;
            orders += part.orders;
        }
        Ok(orders)
    }

    fn exception_files(&self) -> Vec<&DatasetFile> {
        self.files.all().filter(|file| file.path.starts_with(EXCEPTIONS)).collect()
    }
}

/// One pass over a dataset: it visits a part of the orders.
struct Part<'p> {
    dataset: &'p Dataset,
    selection: &'p Selection,
    soundness: &'p Soundness,
    ranks: HashMap<&'p str, u32>,
    identifiers: Identifiers,
    exceptional: ExceptionalOrders,
    orders: u64,
}

/// How many rows some files have.
fn rows<'f>(files: impl Iterator<Item = &'f DatasetFile>) -> u64 {
    files.fold(0, |rows, file| rows.saturating_add(file.rows))
}

/// The place of each run in the order in which they started.
fn ranks(runs: &[RunRecord]) -> HashMap<&str, u32> {
    runs.iter().map(|run| run.run.as_str()).zip(0..).collect()
}
