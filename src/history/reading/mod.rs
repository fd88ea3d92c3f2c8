//! What a dataset says about each order now: its newest sighting counts, and what it was first settled for is compared.
//!
//! Days are read at the same time, one on each core, and each file a row group at a time and twice: first only to learn
//! which row of each order is the newest. What is held is a few bytes for each order of those days, and for each order
//! without a reply. Where even those are too many, all is read in several passes, each for a part of the orders.

mod baselines;
mod changes;
mod day;
mod days;
mod exceptional;
mod frames;
mod identifier;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::ops::AddAssign;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;

pub(in crate::history) use self::baselines::Baseline;
pub use self::changes::{Extent, Side, Then};
pub(in crate::history) use self::day::CalendarDay;
use self::days::Days;
pub(in crate::history) use self::exceptional::require_reason;
use self::frames::Place;
use self::identifier::Identifiers;
use super::files::Files;
use super::{Dataset, DatasetError, DatasetFile, EXCEPTIONS, RunRecord, Selection};
use crate::checks::Soundness;
use crate::domain::order::{Charge, RunOrder};
use crate::parquet::columns::OrderFrame;

/// The most rows of a day, or rows without a fetched order, that are told apart at once: some 300 MB each.
const AT_ONCE: u64 = if cfg!(test) { 4 } else { 1 << 22 };

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
        /// The place of the job that saw it among all, by the time they started ([`Reading::names`]).
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
    /// The newest observation of an order that is an exception now and was seen settled.
    LastSeen(Observed),
}

/// An observation of an order.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The day on which the order was created, or 1970-01-01.
    pub day: Date,
    /// The order's ID.
    pub run_order_id: String,
    /// The place of the job that observed it among all, by the time they started ([`Reading::names`]).
    pub rank: u32,
    /// The order, without what only identifies its task.
    pub order: Box<RunOrder>,
}

/// How much was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadCounts {
    /// How many orders: each is counted once.
    pub orders: u64,
    /// How many observations of orders there are on the selected days.
    pub observations: u64,
}

impl AddAssign for ReadCounts {
    fn add_assign(&mut self, other: Self) {
        self.orders += other.orders;
        self.observations += other.observations;
    }
}

/// What is read of a dataset: some of its orders, as some of its runs saw them.
pub struct Reading<'d> {
    pub(super) dataset: &'d Dataset,
    pub(super) selection: Selection,
    /// By the time they started.
    runs: Vec<RunRecord>,
    /// The runs that are not read.
    other_runs: Vec<RunRecord>,
    /// The files of those runs.
    pub(super) files: Files,
}

impl Dataset {
    /// Prepares to read the orders of a selection, as all runs saw them, or only the named ones.
    ///
    /// # Errors
    /// When the records can't be read, or a named run is not there.
    pub fn read(&self, selection: Selection, runs: Option<&BTreeSet<String>>) -> Result<Reading<'_>, DatasetError> {
        let (all, mut files) = self.counted()?;
        let is_wanted = |run: &RunRecord| runs.is_none_or(|wanted| wanted.contains(&run.run));
        let (all, other_runs): (Vec<_>, Vec<_>) = all.into_iter().partition(is_wanted);
        if let Some(wanted) = runs {
            if let Some(run) = wanted.iter().find(|name| !all.iter().any(|run| run.run == **name)) {
                return Err(DatasetError::damaged(&self.storage.place(&super::run::path(run)), "it is missing"));
            }
            files.retain_runs(wanted);
        }
        Ok(Reading { dataset: self, selection, runs: all, other_runs, files })
    }
}

impl Reading<'_> {
    /// The runs that are read, by the time they started.
    #[must_use]
    pub fn runs(&self) -> &[RunRecord] {
        &self.runs
    }

    /// The names that rows carry, by their ranks: those of the runs, and of the earlier jobs of continued ones.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        names(&self.runs)
    }

    /// The jobs that are read, by rank: the run of each, its name, and when it began.
    pub(super) fn jobs(&self) -> Vec<(&str, &str, Timestamp)> {
        jobs(&self.runs)
    }

    /// The files that are read: those of the selected days, and those of rows without a fetched order.
    pub fn files(&self) -> impl Iterator<Item = &DatasetFile> {
        self.files.all().filter(|file| self.reads(file))
    }

    /// The days on which orders were created that the runs saw.
    pub fn days(&self) -> impl Iterator<Item = Date> {
        self.files.by_day().into_keys()
    }

    /// Whether a file is of a selected day, or of rows without a fetched order.
    pub(super) fn reads(&self, file: &DatasetFile) -> bool {
        let day = super::files::day(&file.path);
        day.map_or_else(|| file.path.starts_with(EXCEPTIONS), |day| self.selection.has_day(day))
    }

    /// Fails unless every file that is read is as it was written.
    ///
    /// # Errors
    /// [`DatasetError::Damaged`] names the first that is not.
    pub fn prove(&self) -> Result<(), DatasetError> {
        self.files().try_for_each(|file| self.dataset.prove(file).map(drop))
    }

    /// Whether the same files count as when the reading began: none was replaced by a compaction meanwhile.
    ///
    /// # Errors
    /// When the records can't be read.
    pub fn is_current(&self) -> Result<bool, DatasetError> {
        let (_, now) = self.dataset.counted()?;
        Ok(self.files().all(|file| now.counts(&file.path)))
    }

    /// Visits every order of the selection; returns how many there are, and how often they were observed.
    ///
    /// # Errors
    /// When a file is not as it was written, and those of `visit`.
    pub fn each<E: From<DatasetError>>(
        &self,
        soundness: &Soundness,
        mut visit: impl FnMut(Sighting) -> Result<(), E>,
    ) -> Result<ReadCounts, E> {
        let by_day = self.files.by_day();
        let (selected, others): (Vec<_>, Vec<_>) =
            by_day.into_iter().partition(|(day, _)| self.selection.has_day(*day));
        let exceptions = self.exception_files();
        // The records may claim any number of rows: the first pass finds out.
        let largest = selected.iter().map(|(_, files)| rows(files.iter().copied())).max().unwrap_or_default();
        let passes = largest.max(rows(exceptions.iter().copied())).div_ceil(AT_ONCE).max(1);
        let (names, identifiers) = (self.names_of_rows(), Identifiers::of_passes(passes));
        let mut counts = ReadCounts::default();
        for pass in 0..passes {
            let identifiers = identifiers.of_pass(pass);
            let exceptional = exceptional::note(self, &exceptions, &names, &identifiers)?;
            let days = Days {
                reading: self,
                soundness,
                names: &names,
                identifiers: &identifiers,
                exceptional: Mutex::new(exceptional),
            };
            counts += days.each(&selected, &mut visit)?;
            for (_, files) in &others {
                if !days.compare_with_other_day(files)? {
                    break;
                }
            }
            let exceptional = days.exceptional.into_inner().unwrap_or_else(PoisonError::into_inner);
            counts.orders += exceptional::visit(exceptional, self, &exceptions, &names, &identifiers, &mut visit)?;
        }
        Ok(counts)
    }

    fn names_of_rows(&self) -> Names<'_> {
        let all = self.runs.iter().chain(&self.other_runs);
        let runs = all.flat_map(|run| run.jobs().map(|(name, _)| (name, run.run.as_str()))).collect();
        Names { runs, ranks: names(&self.runs).into_iter().zip(0..).collect() }
    }

    fn exception_files(&self) -> Vec<&DatasetFile> {
        self.files.all().filter(|file| file.path.starts_with(EXCEPTIONS)).collect()
    }
}

/// What is known of the names that rows carry.
struct Names<'r> {
    /// The run of each job, whether it is read or not.
    runs: HashMap<&'r str, &'r str>,
    /// The place of each job among those that are read, by the time they started.
    ranks: HashMap<&'r str, u32>,
}

impl Names<'_> {
    /// The rank of a row's job, `None` if it is not read. Fails if the file of those runs can't have such a row.
    fn rank(&self, name: &str, place: &Place<'_>) -> Result<Option<u32>, DatasetError> {
        let run = self.runs.get(name).filter(|run| place.runs.is_some_and(|runs| runs.contains(**run)));
        run.map(|_| self.ranks.get(name).copied())
            .ok_or_else(|| place.damaged(format!("it has rows of another run, {name:?}")))
    }
}

/// How many rows some files have.
fn rows<'f>(files: impl Iterator<Item = &'f DatasetFile>) -> u64 {
    files.fold(0, |rows, file| rows.saturating_add(file.rows))
}

/// The names that rows carry, by the time those jobs started.
fn names(runs: &[RunRecord]) -> Vec<&str> {
    jobs(runs).into_iter().map(|(_, name, _)| name).collect()
}

/// The jobs of some runs, by the time they started: the run of each, its name, and when it began.
fn jobs(runs: &[RunRecord]) -> Vec<(&str, &str, Timestamp)> {
    let of = |run| RunRecord::jobs(run).map(move |(name, began)| (run.run.as_str(), name, began));
    let mut jobs: Vec<_> = runs.iter().flat_map(of).collect();
    jobs.sort_by_key(|(_, name, began)| (*began, *name));
    jobs
}
