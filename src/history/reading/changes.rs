//! What a dataset says of orders now beside what it said by some of its runs alone.
//!
//! Days are read like those of an audit, but each file up to three times: to learn the newest rows of both, to compare
//! those that are not the same row, and to tell the orders that are not as they were.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use super::day::{Runs, settled};
use super::days::{Ended, Visits, on_each_core};
use super::exceptional::{Failed, newest_rows};
use super::frames::{self, Place, ReadFile};
use super::identifier::{ByIdentifier, Identifier, Identifiers};
use super::{AT_ONCE, Names, Reading, rows};
use crate::domain::facts::{OrderFacts, TextColumn};
use crate::domain::order::RunOrder;
use crate::history::orders::{self, MOVED_TO, RUN, SETTLED};
use crate::history::{DatasetError, DatasetFile, RunRecord};
use crate::parquet::columns::{FactArrays, texts};

/// Which orders are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Those whose figures have changed.
    Changed,
    /// Those that are or were unsettled as well.
    Unsettled,
    /// All of them.
    All,
}

/// What was known then.
#[derive(Clone, Copy, Debug)]
pub enum Then<'t> {
    /// What these runs saw.
    Runs(&'t BTreeSet<String>),
    /// What jobs saw that began before a moment.
    Before(Timestamp),
}

impl Then<'_> {
    fn has(self, run: &str, began: Timestamp) -> bool {
        match self {
            Self::Runs(runs) => runs.contains(run),
            Self::Before(moment) => began < moment,
        }
    }
}

/// What is known of an order, or was known of it then.
#[derive(Clone, Debug)]
pub struct Side {
    /// The day on which the order was created, or 1970-01-01.
    pub day: Date,
    /// The order's ID.
    pub run_order_id: String,
    /// Whether it is what is known now.
    pub is_now: bool,
    /// The order, without what only identifies its task.
    pub order: Box<RunOrder>,
}

/// The newest row about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Newest {
    rank: u32,
    /// `None` if it moved to another day.
    settled: Option<bool>,
}

/// What is known of an order before its rows are compared: then, and now.
#[derive(Clone, Copy, Debug, Default)]
struct Pair {
    sides: [Option<Newest>; 2],
    /// The digest of the side that came first.
    digest: Option<Identifier>,
    task: Task,
}

/// What is to be done with a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Task {
    #[default]
    Nothing,
    Compare,
    Tell,
}

/// What is needed to compare the orders of a day.
struct Days<'p> {
    reading: &'p Reading<'p>,
    names: &'p Names<'p>,
    identifiers: &'p Identifiers,
    extent: Extent,
    /// Whether the run of each rank was known then.
    was_known: &'p [bool],
    /// The newest rows without a fetched order: of those that were known then, and of all.
    exceptions: &'p [ByIdentifier<Failed>; 2],
}

impl Reading<'_> {
    /// Visits what is known of the orders of some days, and what was known of them then: the two sides of each order that is
    /// told, or the only one that there is, in no particular sequence. An order that could not be fetched since it was
    /// observed has no side. Returns how many orders have none now because the newest answer about them can't be read.
    ///
    /// # Errors
    /// When a file is not as it was written, and those of `visit`.
    pub fn changes<E: From<DatasetError>>(
        &self,
        days: impl Fn(Date) -> bool,
        then: Then<'_>,
        extent: Extent,
        mut visit: impl FnMut(Side) -> Result<(), E>,
    ) -> Result<u64, E> {
        let exceptions = self.exception_files();
        let is_of_new_run = |file: &&DatasetFile| {
            let runs = self.files.runs_of(&file.path);
            let is_new = |run: &RunRecord| {
                runs.is_some_and(|runs| runs.contains(&run.run)) && !then.has(&run.run, run.started_at)
            };
            runs.is_none() || self.runs.iter().any(is_new)
        };
        let is_any_read = extent != Extent::Changed || !exceptions.is_empty();
        let by_day = self.files.by_day().into_iter();
        let by_day = by_day.filter(|(day, files)| days(*day) && (is_any_read || files.iter().any(is_of_new_run)));
        let by_day: Vec<_> = by_day.collect();
        if by_day.is_empty() {
            return Ok(0);
        }
        let largest = by_day.iter().map(|(_, files)| rows(files.iter().copied())).max().unwrap_or_default();
        let passes = largest.max(rows(exceptions.iter().copied())).div_ceil(AT_ONCE).max(1);
        let (names, identifiers) = (self.names_of_rows(), Identifiers::of_passes(passes));
        let was_known: Vec<bool> = self.jobs().iter().map(|(run, _, began)| then.has(run, *began)).collect();
        let mut unreadable = 0;
        for pass in 0..passes {
            let identifiers = identifiers.of_pass(pass);
            let days = Days {
                reading: self,
                names: &names,
                identifiers: &identifiers,
                extent,
                was_known: &was_known,
                exceptions: &newest_rows(self, &exceptions, &names, &identifiers, &was_known)?,
            };
            unreadable += on_each_core(&by_day, &|date, files, sides| days.read_day(date, files, sides), &mut visit)?;
        }
        Ok(unreadable)
    }
}

impl Days<'_> {
    fn read_day(&self, date: Date, files: &[&DatasetFile], sides: &Visits<'_, Side>) -> Result<u64, Ended> {
        let mut files = frames::files(self.reading, files);
        let are_kept = frames::can_be_kept_open(files.len());
        let mut pairs = self.note(&mut files, are_kept)?;
        let mut unreadable = 0;
        for (order, pair) in &mut pairs {
            unreadable += u64::from(pair.end_at(order, self.exceptions));
            pair.task = self.task(pair);
        }
        let has = |pairs: &ByIdentifier<Pair>, task| pairs.values().any(|pair| pair.task == task);
        if has(&pairs, Task::Compare) {
            self.compare(&mut files, &mut pairs, are_kept)?;
        }
        if has(&pairs, Task::Tell) {
            self.tell(date, &mut files, &mut pairs, sides)?;
        }
        Ok(unreadable)
    }

    /// Notes the newest rows of each order.
    fn note(&self, files: &mut [ReadFile<'_>], are_kept: bool) -> Result<ByIdentifier<Pair>, DatasetError> {
        let mut pairs = ByIdentifier::<Pair>::default();
        for file in files {
            file.for_each_frame(orders::shape(), &[ID, SETTLED, RUN], are_kept, |place, frame| {
                let ids = texts(frame, ID).map_err(place.failed())?;
                let settled = settled(frame).map_err(place.failed())?;
                let runs = texts(frame, RUN).map_err(place.failed())?;
                let mut runs = Runs::of(self.names, place, &runs);
                for row in 0..frame.height() {
                    let (rank, id) = (runs.rank(row)?, ids.get(row).ok_or_else(|| place.lacking())?);
                    let Some((rank, order)) = rank.zip(self.identifiers.of(id)) else { continue };
                    let was_known = self.was_known.get(rank as usize) == Some(&true);
                    let new = Newest { rank, settled: settled.get(row) };
                    pairs.entry(order).or_default().note(new, was_known);
                }
                Ok::<_, DatasetError>(())
            })?;
        }
        Ok(pairs)
    }

    /// What is to be done with a pair whose newest rows are known.
    fn task(&self, pair: &Pair) -> Task {
        let is_unsettled = pair.sides.iter().flatten().any(|side| side.settled == Some(false));
        match (pair.sides, self.extent) {
            ([None, None], _) => Task::Nothing,
            ([Some(_), None] | [None, Some(_)], _) | (_, Extent::All) => Task::Tell,
            (_, Extent::Unsettled) if is_unsettled => Task::Tell,
            ([Some(was), Some(is)], _) if was.settled != is.settled => Task::Tell,
            ([was, is], _) if was == is => Task::Nothing,
            _ => Task::Compare,
        }
    }

    /// Tells apart the orders whose figures have changed from those that were only seen again.
    fn compare(
        &self,
        files: &mut [ReadFile<'_>],
        pairs: &mut ByIdentifier<Pair>,
        are_kept: bool,
    ) -> Result<(), DatasetError> {
        self.each_newest(files, pairs, Task::Compare, are_kept, |_, _, facts, pair| {
            let digest = self.identifiers.digest(&figures(facts));
            match pair.digest {
                None => pair.digest = Some(digest),
                Some(other) if other != digest => pair.task = Task::Tell,
                Some(_) => {}
            }
            Ok(())
        })
    }

    fn tell(
        &self,
        day: Date,
        files: &mut [ReadFile<'_>],
        pairs: &mut ByIdentifier<Pair>,
        sides: &Visits<'_, Side>,
    ) -> Result<(), Ended> {
        self.each_newest(files, pairs, Task::Tell, false, |place, rank, facts, pair| {
            let order = facts.order(None).ok_or_else(|| place.lacking())?;
            let run_order_id = facts.text(TextColumn::RunOrderId).ok_or_else(|| place.lacking())?;
            for (side, is_now) in pair.sides.iter_mut().zip([false, true]) {
                // Files that were merged twice have the same rows twice.
                let Some(newest) = side.take_if(|side| side.rank == rank) else { continue };
                if newest.settled != Some(order.is_settled()) {
                    let problem = format!("the order {run_order_id:?} is not settled as its words say");
                    return Err(place.damaged(problem).into());
                }
                let (run_order_id, order) = (run_order_id.to_owned(), Box::new(order.clone()));
                sides.add(Side { day, run_order_id, is_now, order })?;
            }
            Ok(())
        })
    }

    /// Visits the rows that are the newest of one of the two sides of orders.
    fn each_newest<E: From<DatasetError>>(
        &self,
        files: &mut [ReadFile<'_>],
        pairs: &mut ByIdentifier<Pair>,
        task: Task,
        are_kept: bool,
        mut visit: impl FnMut(&Place<'_>, u32, &OrderFacts<'_>, &mut Pair) -> Result<(), E>,
    ) -> Result<(), E> {
        let columns = [&FactArrays::JUDGED[..], &[SETTLED, MOVED_TO, RUN]].concat();
        for file in files {
            file.for_each_frame(orders::shape(), &columns, are_kept, |place, frame| {
                let facts = FactArrays::of(frame).map_err(place.failed())?;
                let runs = texts(frame, RUN).map_err(place.failed())?;
                let mut runs = Runs::of(self.names, place, &runs);
                for row in 0..frame.height() {
                    let facts = facts.row(row).ok_or_else(|| place.lacking())?;
                    let id = facts.text(TextColumn::RunOrderId).ok_or_else(|| place.lacking())?;
                    let Some((rank, order)) = runs.rank(row)?.zip(self.identifiers.of(id)) else { continue };
                    let pair = pairs.get_mut(&order).filter(|pair| pair.task == task && pair.has(rank));
                    pair.map_or(Ok(()), |pair| visit(place, rank, &facts, pair))?;
                }
                Ok::<_, E>(())
            })?;
        }
        Ok(())
    }
}

impl Pair {
    /// Adds a row about the order.
    fn note(&mut self, new: Newest, was_known: bool) {
        let [was, is] = &mut self.sides;
        for side in [Some(was).filter(|_| was_known), Some(is)].into_iter().flatten() {
            if side.is_none_or(|newest| newest.rank < new.rank) {
                *side = Some(new);
            }
        }
    }

    /// Leaves a side empty if the order moved to another day, or could not be fetched since. Returns whether the newest
    /// answer about it can't be read.
    fn end_at(&mut self, order: &Identifier, exceptions: &[ByIdentifier<Failed>; 2]) -> bool {
        let mut is_unreadable = false;
        for (side, exceptions) in self.sides.iter_mut().zip(exceptions) {
            side.take_if(|side| side.settled.is_none());
            let failed = exceptions.get(order).copied();
            is_unreadable = side
                .take_if(|side| failed.is_some_and(|failed| failed.rank > side.rank))
                .and(failed)
                .is_some_and(|failed| failed.is_unreadable);
        }
        is_unreadable
    }

    /// Whether a job has one of the newest rows.
    fn has(&self, rank: u32) -> bool {
        self.sides.iter().flatten().any(|side| side.rank == rank)
    }
}

const ID: &str = FactArrays::JUDGED[0];

/// What two sides of an order with the same settlement are compared by: what it is charged to, and its amounts.
fn figures(facts: &OrderFacts<'_>) -> Vec<u8> {
    let mut figures = Vec::new();
    for column in [TextColumn::WorkflowId, TextColumn::RevisionId, TextColumn::QuoteCurrency] {
        let text = facts.text(column);
        figures.extend(text.map_or(u64::MAX, |text| text.len() as u64).to_le_bytes());
        figures.extend(text.unwrap_or_default().as_bytes());
    }
    for units in facts.units {
        figures.push(u8::from(units.is_some()));
        figures.extend(units.unwrap_or_default().to_le_bytes());
    }
    figures
}
