//! The orders of one day: which row of each is the newest, and what it was first settled for.

use std::collections::BTreeSet;

use jiff::civil::Date;
use polars::prelude::{BooleanChunked, DataFrame, NewChunkedArray, PolarsError, StringType};

use super::baselines::{Baseline, Baselines};
use super::days::{Days, Ended, Sightings};
use super::exceptional::Latest;
use super::frames::{self, Place, ReadFile};
use super::identifier::{ByIdentifier, Identifier};
use super::{Names, Observed, ReadCounts, Sighting};
use crate::domain::days as domain;
use crate::domain::facts::{OrderFacts, TextColumn};
use crate::domain::order::TimeField;
use crate::domain::time::{Period, from_microsecond};
use crate::history::orders::{self, MOVED_TO, RUN, SETTLED, UNDATED};
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
    /// Whether any row shows it settled.
    was_settled: bool,
}

/// The orders of a day.
struct Day {
    calendar: CalendarDay,
    known: ByIdentifier<Known>,
    baselines: Baselines,
    /// How many orders of the selection were visited, and how many observations there are.
    counts: ReadCounts,
}

impl Days<'_> {
    /// Tells the newest observation of each order of a day; returns how many orders of the selection there are, and how
    /// often orders were observed.
    pub(super) fn read_day(
        &self,
        date: Date,
        files: &[&DatasetFile],
        sightings: &Sightings<'_>,
    ) -> Result<ReadCounts, Ended> {
        let mut files = frames::files(self.reading, files);
        let (mut day, ranks) = self.note_day(date, &mut files, true)?;
        let mut needed = BTreeSet::new();
        let mut exceptional = self.exceptional();
        for (order, known) in day.known.iter_mut().filter(|(_, known)| !known.is_moved) {
            needed.insert(known.newest);
            known.is_exception = exceptional.compare(order, known.newest, date) == Latest::Exception;
        }
        drop(exceptional);
        // By the time their runs started, so that what an order was first settled for is mostly known when its newest row
        // comes.
        let mut files: Vec<(ReadFile<'_>, BTreeSet<u32>)> = files.into_iter().zip(ranks).collect();
        files.sort_by_key(|(_, ranks)| ranks.first().copied());
        for (mut file, ranks) in files {
            if ranks.is_disjoint(&needed) {
                let columns = [&Charges::COLUMNS[..], &[SETTLED, RUN]].concat();
                file.for_each_frame(orders::shape(), &columns, false, |place, frame| {
                    self.read_superseded(&mut day, place, frame, sightings)
                })?;
            } else {
                let columns = [&FactArrays::JUDGED[..], &[SETTLED, MOVED_TO, RUN]].concat();
                file.for_each_frame(orders::shape(), &columns, false, |place, frame| {
                    self.read_newest(&mut day, place, frame, sightings)
                })?;
            }
        }
        Ok(day.counts)
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
        let mut day = Day {
            calendar: CalendarDay::new(date, self.reading.dataset.days()),
            known: ByIdentifier::default(),
            baselines: Baselines::default(),
            counts: ReadCounts::default(),
        };
        let mut all_ranks = Vec::new();
        for file in files {
            let mut ranks = BTreeSet::new();
            file.for_each_frame(orders::shape(), &columns, are_kept, |place, frame| {
                let ids = texts(frame, columns[0]).map_err(place.failed())?;
                let settled = settled(frame).map_err(place.failed())?;
                let runs = texts(frame, RUN).map_err(place.failed())?;
                let mut runs = Runs::of(self.names, place, &runs);
                for row in 0..frame.height() {
                    let (rank, id) = (runs.rank(row)?, ids.get(row).ok_or_else(|| place.lacking())?);
                    let Some(rank) = rank else { continue };
                    if runs.is_other {
                        ranks.insert(rank);
                    }
                    let Some(order) = self.identifiers.of(id) else { continue };
                    day.counts.observations += u64::from(settled.get(row).is_some());
                    let new = Known::new(rank, settled.get(row));
                    day.known.entry(order).and_modify(|known| known.note(new)).or_insert(new);
                }
                Ok::<_, DatasetError>(())
            })?;
            all_ranks.push(ranks);
        }
        Ok((day, all_ranks))
    }

    /// Notes what orders were settled for, in rows that are not the newest.
    fn read_superseded(
        &self,
        day: &mut Day,
        place: &Place<'_>,
        frame: &DataFrame,
        sightings: &Sightings<'_>,
    ) -> Result<(), Ended> {
        let charges = Charges::of(frame).map_err(place.failed())?;
        let settled = settled(frame).map_err(place.failed())?;
        let runs = texts(frame, RUN).map_err(place.failed())?;
        let mut runs = Runs::of(self.names, place, &runs);
        for row in 0..frame.height() {
            let rank = runs.rank(row)?;
            let run_order_id = charges.run_order_id(row).ok_or_else(|| place.lacking())?;
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
        place: &Place<'_>,
        frame: &DataFrame,
        sightings: &Sightings<'_>,
    ) -> Result<(), Ended> {
        let facts = FactArrays::of(frame).map_err(place.failed())?;
        let moved = frame.column(MOVED_TO).map_err(place.failed())?.is_not_null();
        let settled = settled(frame).map_err(place.failed())?;
        let runs = texts(frame, RUN).map_err(place.failed())?;
        let mut runs = Runs::of(self.names, place, &runs);
        let mut is_sound = vec![false; frame.height()];
        for (row, is_sound) in is_sound.iter_mut().enumerate() {
            let facts = facts.row(row).ok_or_else(|| place.lacking())?;
            let is_moved = moved.get(row) == Some(true);
            let id = facts.text(TextColumn::RunOrderId).filter(|_| settled.get(row).is_none() == is_moved);
            let (rank, run_order_id) = (runs.rank(row)?, id.ok_or_else(|| place.lacking())?);
            let Some((rank, order)) = rank.zip(self.identifiers.of(run_order_id)) else { continue };
            if day.known.get(&order).is_some_and(|known| known.newest != rank) {
                let charge = Baseline::of(rank, &facts).filter(|_| settled.get(row) == Some(true));
                day.note_superseded(order, run_order_id, charge, sightings)?;
            } else {
                let newest = Newest { order, rank, facts, settled: settled.get(row) };
                *is_sound = self.tell_newest(day, place, &newest, sightings)?;
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
        place: &Place<'_>,
        newest: &Newest<'_>,
        sightings: &Sightings<'_>,
    ) -> Result<bool, Ended> {
        let Newest { order, rank, facts, settled } = newest;
        let (order, rank) = (*order, *rank);
        // Files that were merged twice have the same rows twice.
        let known = day.known.get_mut(&order).filter(|known| !known.is_moved && !known.is_visited);
        let Some(known) = known else { return Ok(false) };
        known.is_visited = true;
        let run_order_id = facts.text(TextColumn::RunOrderId).unwrap_or_default();
        if !day.calendar.has(facts.microseconds(TimeField::CreatedAt)) {
            return Err(place.damaged(format!("the order {run_order_id:?} was created on another day")).into());
        }
        let contradiction = || place.damaged(format!("the order {run_order_id:?} is not settled as its words say"));
        let observed = || {
            let order = Box::new(facts.order(None).unwrap_or_default());
            if Some(order.is_settled()) != *settled {
                return Err(contradiction());
            }
            Ok(Observed { day: day.calendar.date, run_order_id: run_order_id.to_owned(), rank, order })
        };
        if !self.reading.selection.has_workflow(facts.text(TextColumn::WorkflowId)) {
            if known.is_exception {
                self.exceptional().note_not_selected(&order);
            }
            return Ok(false);
        }
        if known.is_exception {
            let observed = observed()?;
            return if known.was_settled {
                sightings.add(Sighting::LastSeen(observed)).map(|()| false)
            } else {
                Ok(false)
            };
        }
        day.counts.orders += 1;
        let all_is_read = known.unread <= 1;
        let baseline = known.baseline.and_then(|place| day.baselines.get(place));
        // Even the charge that it has now: else a later one would be taken for the first.
        let baseline = baseline.filter(|baseline| !all_is_read || !baseline.is_of(facts));
        if all_is_read && baseline.is_none() && self.soundness.holds(run_order_id, facts) {
            // Every sound order is settled.
            return if *settled == Some(true) { Ok(true) } else { Err(contradiction().into()) };
        }
        sightings.add(Sighting::Observed(observed()?))?;
        if let Some(baseline) = baseline {
            sightings.add(baseline.sighting(day.calendar.date, run_order_id))?;
        }
        Ok(false)
    }

    /// Compares the orders without a reply with those of a day that is not selected. Returns whether there are any left to
    /// compare.
    pub(super) fn compare_with_other_day(&self, files: &[&DatasetFile]) -> Result<bool, DatasetError> {
        if !self.exceptional().has_any_left() {
            return Ok(false);
        }
        let mut files = frames::files(self.reading, files);
        let (day, _) = self.note_day(Date::default(), &mut files, false)?;
        let mut exceptional = self.exceptional();
        for (order, known) in day.known.iter().filter(|(_, known)| !known.is_moved) {
            exceptional.compare_elsewhere(order, known.newest);
        }
        Ok(true)
    }
}

/// A row that is the newest about its order.
struct Newest<'n> {
    order: Identifier,
    rank: u32,
    facts: OrderFacts<'n>,
    settled: Option<bool>,
}

/// A day as the dataset divides time.
pub(in crate::history) struct CalendarDay {
    date: Date,
    period: Period,
    days: domain::Days,
}

impl CalendarDay {
    pub(in crate::history) fn new(date: Date, days: domain::Days) -> Self {
        Self { date, period: days.day(date).period, days }
    }

    /// Whether an order that was created at a time belongs to the day.
    pub(in crate::history) fn has(&self, created_at: Option<i64>) -> bool {
        match created_at.and_then(from_microsecond) {
            None => self.date == UNDATED,
            Some(time) if self.period.holds(time) => true,
            // The rules of a time zone are corrected now and then, by some hours.
            Some(time) => (orders::day_of(self.days.day_of(time).date) - self.date).get_days().abs() <= 1,
        }
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
            Some(charge) if known.is_visited => sightings.add(charge.sighting(self.calendar.date, run_order_id)),
            Some(charge) => {
                known.baseline = Some(self.baselines.note(known.baseline, &charge));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Known {
    /// A row that was judged settled or not; `None` if it says that the order moved.
    fn new(rank: u32, settled: Option<bool>) -> Self {
        Self {
            newest: rank,
            unread: 1,
            baseline: None,
            is_moved: settled.is_none(),
            is_exception: false,
            is_visited: false,
            was_settled: settled == Some(true),
        }
    }

    /// Adds another row about the order.
    const fn note(&mut self, other: Self) {
        self.unread += 1;
        self.was_settled |= other.was_settled;
        if other.newest > self.newest {
            (self.newest, self.is_moved) = (other.newest, other.is_moved);
        }
    }
}

/// The ranks of a frame's rows.
pub(super) struct Runs<'r> {
    names: &'r Names<'r>,
    place: &'r Place<'r>,
    column: &'r Array<StringType>,
    /// Neighbours mostly share a run.
    last: Option<(&'r str, Option<u32>)>,
    /// Whether the row that was asked for last has another run than the one before.
    is_other: bool,
}

impl<'r> Runs<'r> {
    pub(super) const fn of(names: &'r Names<'r>, place: &'r Place<'r>, column: &'r Array<StringType>) -> Self {
        Self { names, place, column, last: None, is_other: false }
    }

    /// The rank of a row; `None` if its run is not read.
    pub(super) fn rank(&mut self, row: usize) -> Result<Option<u32>, DatasetError> {
        let run = self.column.get(row).ok_or_else(|| self.place.lacking())?;
        let last = self.last.filter(|(last, _)| *last == run);
        self.is_other = last.is_none();
        if let Some((_, rank)) = last {
            return Ok(rank);
        }
        let rank = self.names.rank(run, self.place)?;
        self.last = Some((run, rank));
        Ok(rank)
    }
}

/// Whether each row was judged settled; `None` if it moved.
pub(super) fn settled(frame: &DataFrame) -> Result<BooleanChunked, PolarsError> {
    Ok(frame.column(SETTLED)?.bool()?.rechunk().into_owned())
}
