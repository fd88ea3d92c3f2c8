//! The orders of one day: which row of each is the newest, and what it was first settled for.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::civil::Date;
use polars::prelude::{BooleanChunked, DataFrame, NewChunkedArray, PolarsError, StringType};

use super::baselines::{Baseline, Baselines};
use super::days::{Days, Ended, Sightings};
use super::exceptional::Latest;
use super::frames::{self, ReadFile};
use super::identifier::{ByIdentifier, Identifier};
use super::{Observed, Ranks, Sighting};
use crate::domain::facts::{OrderFacts, TextColumn};
use crate::history::orders::{self, MOVED_TO, RUN, SETTLED};
use crate::history::{DatasetError, DatasetFile};
use crate::parquet::columns::{Array, Charges, FactArrays, OrderFrame, texts};

/// What is known of an order of the day before its rows are visited.
#[derive(Clone, Copy)]
struct Known {
    /// The newest run that says something about it.
    newest: u32,
    /// How many rows about it are not read yet.
    unread: u32,
    /// The place of its baseline, so far.
    baseline: Option<u32>,
    /// Whether the newest run says that it moved to another day.
    is_moved: bool,
    is_exception: bool,
    is_visited: bool,
}

/// The orders of a day.
#[derive(Default)]
struct Day {
    date: Date,
    known: ByIdentifier<Known>,
    baselines: Baselines,
    /// How many orders of the selection were visited.
    orders: u64,
}

impl Days<'_> {
    /// Tells the newest observation of each order of a day; returns how many orders of the selection there are.
    pub(super) fn read_day(&self, date: Date, files: &[&DatasetFile], sightings: &Sightings<'_>) -> Result<u64, Ended> {
        let mut files = frames::files(self.reading.dataset, files);
        let (mut day, ranks) = self.note_day(date, &mut files, true)?;
        let mut needed = BTreeSet::new();
        for (order, known) in day.known.iter_mut().filter(|(_, known)| !known.is_moved) {
            needed.insert(known.newest);
            known.is_exception = self.exceptional().compare(order, known.newest, date) == Latest::Exception;
        }
        // By the time their runs started, so that what an order was first settled for is mostly known when its newest row
        // comes.
        let mut files: Vec<(ReadFile<'_>, BTreeSet<u32>)> = files.into_iter().zip(ranks).collect();
        files.sort_by_key(|(_, ranks)| ranks.first().copied());
        for (mut file, ranks) in files {
            let (dataset, shape) = (self.reading.dataset, orders::shape());
            if ranks.is_disjoint(&needed) {
                let columns = [&Charges::COLUMNS[..], &[SETTLED, RUN]].concat();
                file.for_each_frame(dataset, shape, &columns, false, |path, frame| {
                    self.read_superseded(&mut day, path, frame, sightings)
                })?;
            } else {
                let columns = [&FactArrays::JUDGED[..], &[SETTLED, MOVED_TO, RUN]].concat();
                file.for_each_frame(dataset, shape, &columns, false, |path, frame| {
                    self.read_newest(&mut day, path, frame, sightings)
                })?;
            }
        }
        Ok(day.orders)
    }

    /// Notes the newest run of each order of a day. Also tells the runs that each file has rows of.
    fn note_day(
        &self,
        date: Date,
        files: &mut [ReadFile<'_>],
        are_read_again: bool,
    ) -> Result<(Day, Vec<BTreeSet<u32>>), DatasetError> {
        let columns = [Charges::COLUMNS[0], SETTLED, RUN];
        let are_kept = are_read_again && frames::can_be_kept_open(files.len());
        let mut day = Day { date, ..Day::default() };
        let mut all_ranks = Vec::new();
        for file in files {
            let mut ranks = BTreeSet::new();
            file.for_each_frame(self.reading.dataset, orders::shape(), &columns, are_kept, |path, frame| {
                let failed = |error: PolarsError| DatasetError::damaged(path, error.to_string());
                let ids = texts(frame, columns[0]).map_err(failed)?;
                let settled = settled(frame).map_err(failed)?;
                let runs = texts(frame, RUN).map_err(failed)?;
                let mut runs = Runs::of(self.ranks, &runs);
                for row in 0..frame.height() {
                    let (Some(rank), Some(id)) = (runs.rank(row), ids.get(row)) else { return Err(lacking(path)) };
                    let Some((rank, order)) = rank.zip(self.identifiers.of(id)) else { continue };
                    if runs.is_other {
                        ranks.insert(rank);
                    }
                    let new = Known::new(rank, settled.get(row).is_none());
                    day.known.entry(order).and_modify(|known| known.note(new)).or_insert(new);
                }
                Ok(())
            })?;
            all_ranks.push(ranks);
        }
        Ok((day, all_ranks))
    }

    /// Notes what orders were settled for, in rows that are not the newest.
    fn read_superseded(
        &self,
        day: &mut Day,
        path: &Path,
        frame: &DataFrame,
        sightings: &Sightings<'_>,
    ) -> Result<(), Ended> {
        let failed = |error: PolarsError| DatasetError::damaged(path, error.to_string());
        let charges = Charges::of(frame).map_err(failed)?;
        let settled = settled(frame).map_err(failed)?;
        let runs = texts(frame, RUN).map_err(failed)?;
        let mut runs = Runs::of(self.ranks, &runs);
        for row in 0..frame.height() {
            let (Some(rank), Some(run_order_id)) = (runs.rank(row), charges.run_order_id(row)) else {
                return Err(lacking(path).into());
            };
            let Some((rank, order)) = rank.zip(self.identifiers.of(run_order_id)) else { continue };
            let units = charges.amounts(row).filter(|_| settled.get(row) == Some(true));
            let charge = units.map(|units| Baseline { rank, currency: charges.currency(row), units });
            day.note_superseded(order, run_order_id, charge, sightings)?;
        }
        Ok(())
    }

    /// Tells the rows that are the newest, and notes what orders were settled for in others.
    fn read_newest(
        &self,
        day: &mut Day,
        path: &Path,
        frame: &DataFrame,
        sightings: &Sightings<'_>,
    ) -> Result<(), Ended> {
        let failed = |error: PolarsError| DatasetError::damaged(path, error.to_string());
        let facts = FactArrays::of(frame).map_err(failed)?;
        let moved = frame.column(MOVED_TO).map_err(failed)?.is_not_null();
        let settled = settled(frame).map_err(failed)?;
        let runs = texts(frame, RUN).map_err(failed)?;
        let mut runs = Runs::of(self.ranks, &runs);
        let mut is_sound = vec![false; frame.height()];
        for (row, is_sound) in is_sound.iter_mut().enumerate() {
            let facts = facts.row(row).ok_or_else(|| lacking(path))?;
            let is_moved = moved.get(row) == Some(true);
            let id = facts.text(TextColumn::RunOrderId).filter(|_| settled.get(row).is_none() == is_moved);
            let (Some(run_order_id), Some(rank)) = (id, runs.rank(row)) else { return Err(lacking(path).into()) };
            let Some((rank, order)) = rank.zip(self.identifiers.of(run_order_id)) else { continue };
            if day.known.get(&order).is_some_and(|known| known.newest != rank) {
                let charge = Baseline::of(rank, &facts).filter(|_| settled.get(row) == Some(true));
                day.note_superseded(order, run_order_id, charge, sightings)?;
            } else {
                *is_sound = self.tell_newest(day, order, rank, &facts, sightings)?;
            }
        }
        if !is_sound.contains(&true) {
            return Ok(());
        }
        let is_sound = BooleanChunked::from_slice("".into(), &is_sound);
        sightings.add(Sighting::Sound(OrderFrame::of(frame.clone(), is_sound)))
    }

    /// Tells the newest observation of an order, unless it is sound; returns whether it is.
    fn tell_newest(
        &self,
        day: &mut Day,
        order: Identifier,
        rank: u32,
        facts: &OrderFacts<'_>,
        sightings: &Sightings<'_>,
    ) -> Result<bool, Ended> {
        // Files that were merged twice have the same rows twice.
        let known = day.known.get_mut(&order).filter(|known| !known.is_moved && !known.is_visited);
        let Some(known) = known else { return Ok(false) };
        known.is_visited = true;
        let run_order_id = facts.text(TextColumn::RunOrderId).unwrap_or_default();
        let observed = || {
            let order = Box::new(facts.order(None).unwrap_or_default());
            Observed { day: day.date, run_order_id: run_order_id.to_owned(), rank, order }
        };
        if !self.reading.selection.has_workflow(facts.text(TextColumn::WorkflowId)) {
            if known.is_exception {
                self.exceptional().note_not_selected(&order);
            }
            return Ok(false);
        }
        if known.is_exception {
            sightings.add(Sighting::LastSeen(observed()))?;
            return Ok(false);
        }
        day.orders += 1;
        let baseline = known.baseline.and_then(|place| day.baselines.get(place));
        let baseline = baseline.filter(|baseline| !baseline.is_of(facts));
        let all_is_read = known.unread <= 1;
        if all_is_read && baseline.is_none() && self.soundness.holds(run_order_id, facts) {
            return Ok(true);
        }
        sightings.add(Sighting::Observed(observed()))?;
        if let Some(baseline) = baseline {
            sightings.add(baseline.sighting(day.date, run_order_id))?;
        }
        Ok(false)
    }

    /// Forgets the exceptions of orders that were created on a day that is not selected. Returns whether there are
    /// exceptions left whose day is not known.
    pub(super) fn forget_exceptions_of_other_day(&self, files: &[&DatasetFile]) -> Result<bool, DatasetError> {
        if self.exceptional().all_are_known() {
            return Ok(false);
        }
        let mut files = frames::files(self.reading.dataset, files);
        let (day, _) = self.note_day(Date::default(), &mut files, false)?;
        let mut exceptional = self.exceptional();
        for (order, _) in day.known.iter().filter(|(_, known)| !known.is_moved) {
            exceptional.forget_undated(order);
        }
        Ok(true)
    }
}

impl Day {
    /// Notes what an order was settled for, in a row that is not the newest.
    fn note_superseded(
        &mut self,
        order: Identifier,
        run_order_id: &str,
        charge: Option<Baseline<'_>>,
        sightings: &Sightings<'_>,
    ) -> Result<(), Ended> {
        let Some(known) = self.known.get_mut(&order) else { return Ok(()) };
        known.unread = known.unread.saturating_sub(1);
        match charge {
            Some(charge) if known.is_visited => sightings.add(charge.sighting(self.date, run_order_id)),
            Some(charge) => {
                known.baseline = Some(self.baselines.note(known.baseline, &charge));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Known {
    const fn new(rank: u32, is_moved: bool) -> Self {
        Self { newest: rank, unread: 1, baseline: None, is_moved, is_exception: false, is_visited: false }
    }

    /// Adds another row about the order.
    const fn note(&mut self, other: Self) {
        self.unread += 1;
        if other.newest > self.newest {
            (self.newest, self.is_moved) = (other.newest, other.is_moved);
        }
    }
}

/// The ranks of a frame's runs, row by row.
struct Runs<'r> {
    ranks: &'r Ranks<'r>,
    runs: &'r Array<StringType>,
    /// Neighbours mostly share a run.
    last: Option<(&'r str, Option<u32>)>,
    /// Whether the row that was asked for last has another run than the one before.
    is_other: bool,
}

impl<'r> Runs<'r> {
    const fn of(ranks: &'r Ranks<'r>, runs: &'r Array<StringType>) -> Self {
        Self { ranks, runs, last: None, is_other: false }
    }

    /// The rank of a row's run; `None` without a run, and no rank if it is not read.
    fn rank(&mut self, row: usize) -> Option<Option<u32>> {
        let run = self.runs.get(row)?;
        let last = self.last.filter(|(last, _)| *last == run);
        self.is_other = last.is_none();
        self.last = last.or_else(|| Some((run, self.ranks.get(run).copied())));
        self.last.map(|(_, rank)| rank)
    }
}

/// Whether each row was judged settled; `None` if it moved.
fn settled(frame: &DataFrame) -> Result<BooleanChunked, PolarsError> {
    Ok(frame.column(SETTLED)?.bool()?.rechunk().into_owned())
}

fn lacking(path: &Path) -> DatasetError {
    DatasetError::damaged(path, "a value is missing or out of range")
}
