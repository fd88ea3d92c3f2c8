//! What has changed since months were closed: listed as adjustments, and rolled forward by a close.

use std::cmp::Ordering;
use std::mem;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;

use super::closes::{ClosedMonth, Closes};
use super::rows::{read_day, read_order, write_day, write_order};
use crate::domain::month::Month;
use crate::domain::order::RunOrder;
use crate::history::sql::Answers;
use crate::history::{Extent, Reading, Selection, Side, Then, UNDATED};
use crate::pipeline::JobError;
use crate::report::ReportError;
use crate::report::builder::Builder;
use crate::report::content::list::{ListRow, RowReader, RowWriter};
use crate::report::content::sorted::{SortedRow, SortedRows};
use crate::summary::RollForwards;

/// The two sides of orders, sorted once all are there.
pub(super) struct Changes(SortedRows<Side>);

/// An order as it was and as it is.
struct Pair {
    day: Date,
    run_order_id: String,
    was: Option<Box<RunOrder>>,
    is: Option<Box<RunOrder>>,
}

/// Who tells what has changed.
pub(super) struct Told<'t> {
    pub(super) reading: &'t Reading<'t>,
    /// The answers of an engine, if one was asked.
    pub(super) answers: Option<&'t Answers<'t>>,
}

/// Adds what has changed in the closed months of a selection.
pub(super) fn adjust(
    told: &Told<'_>,
    selection: &Selection,
    closes: &Closes,
    folder: &Path,
    builder: &mut Builder,
) -> Result<(), JobError> {
    let Some(newest) = closes.compared.last() else { return Ok(()) };
    let mut changes = Changes::new(folder);
    let Told { reading, answers } = told;
    if let Some(answers) = answers {
        answers.changes(|side| changes.push(side))?;
    } else {
        for ClosedMonth { month, runs, .. } in &closes.compared {
            let is_wanted = |day| month.has(day) && selection.has_day(day);
            reading.changes(is_wanted, Then::Runs(runs), Extent::Changed, |side| changes.push(side))?;
        }
        reading.changes(|day| day == UNDATED, Then::Runs(&newest.runs), Extent::Changed, |side| changes.push(side))?;
    }
    builder.begin_adjustments();
    changes.visit(|pair| pair.adjust(builder))
}

/// Adds what has changed since the last close, and what became of the orders that were pending then.
pub(super) fn roll_forward(
    reading: &Reading<'_>,
    (month, begins): (Month, Timestamp),
    closes: &Closes,
    folder: &Path,
    builder: &mut Builder,
) -> Result<(), JobError> {
    let last = closes.compared.last();
    // What was known before the month stands for a close that there is not.
    let then = last.map_or_else(|| Then::Before(begins), |last| Then::Runs(&last.runs));
    let mut changes = Changes::new(folder);
    // Undated orders are among those of the report: their newest answers are known there.
    reading.changes(|day| day == UNDATED, then, Extent::All, |side| changes.push(side))?;
    let extent = if last.is_some() { Extent::Changed } else { Extent::Unsettled };
    let is_earlier = |day| day != UNDATED && day < month.first();
    let unreadable = reading.changes(is_earlier, then, extent, |side| changes.push(side))?;
    let mut lines = RollForwards::begin(last.map(|last| last.pending.clone()));
    let first_closed = closes.first();
    if first_closed.is_some() {
        builder.begin_adjustments();
    }
    changes.visit(|pair| {
        let (was, is) = (pair.was.as_deref(), pair.is.as_deref());
        lines.add_earlier(was, is).map_err(ReportError::from)?;
        if let (UNDATED, Some(is)) = (pair.day, is) {
            lines.add_undated(is).map_err(ReportError::from)?;
        }
        let was_closed = first_closed.is_some_and(|first| pair.day == UNDATED || first.first() <= pair.day);
        if was_closed { pair.adjust(builder) } else { Ok(()) }
    })?;
    builder.set_roll_forward(lines, unreadable);
    Ok(())
}

impl Changes {
    fn new(folder: &Path) -> Self {
        Self(SortedRows::new(folder))
    }

    fn push(&mut self, side: Side) -> Result<(), JobError> {
        Ok(self.0.push(side)?)
    }

    /// Visits each order with its sides, by month and ID: one that moved within a month is the same.
    fn visit(self, mut visit: impl FnMut(Pair) -> Result<(), JobError>) -> Result<(), JobError> {
        let mut sides: Vec<Side> = Vec::new();
        self.0.visit(|side| {
            let is_other =
                |known: &Side| (month_of(known.day), &known.run_order_id) != (month_of(side.day), &side.run_order_id);
            if sides.first().is_some_and(is_other) {
                pairs(mem::take(&mut sides)).into_iter().try_for_each(&mut visit)?;
            }
            sides.push(side);
            Ok::<_, JobError>(())
        })?;
        pairs(sides).into_iter().try_for_each(visit)
    }
}

/// The sides of an order in a month as pairs: those of a day, then what it moved from and to. Where a move was missed, it
/// counts on both days, and so there are two pairs.
fn pairs(sides: Vec<Side>) -> Vec<Pair> {
    let (is, was): (Vec<Side>, Vec<Side>) = sides.into_iter().partition(|side| side.is_now);
    let (mut pairs, mut left) = (Vec::new(), is);
    let mut alone = Vec::new();
    for was in was {
        match left.iter().position(|is| is.day == was.day) {
            Some(place) => pairs.push(Pair::of(Some(was), Some(left.remove(place)))),
            None => alone.push(was),
        }
    }
    let (mut was, mut is) = (alone.into_iter(), left.into_iter());
    loop {
        match (was.next(), is.next()) {
            (None, None) => break,
            (was, is) => pairs.push(Pair::of(was, is)),
        }
    }
    pairs.into_iter().flatten().collect()
}

impl Pair {
    fn of(was: Option<Side>, is: Option<Side>) -> Option<Self> {
        let side = is.as_ref().or(was.as_ref())?;
        let (day, run_order_id) = (side.day, side.run_order_id.clone());
        Some(Self { day, run_order_id, was: was.map(|side| side.order), is: is.map(|side| side.order) })
    }

    fn adjust(&self, builder: &mut Builder) -> Result<(), JobError> {
        let month = month_of(self.day);
        let sides = (self.was.as_deref(), self.is.as_deref());
        Ok(builder.add_adjustment(&self.run_order_id, month, sides.0, sides.1)?)
    }
}

/// The month of a day; `None` for that of orders without a creation time.
fn month_of(day: Date) -> Option<Month> {
    Month::of(day).filter(|_| day != UNDATED)
}

impl SortedRow for Side {
    fn compare(&self, other: &Self) -> Ordering {
        let place = |side: &Self| (month_of(side.day), side.is_now, side.day);
        let (ours, theirs) = (place(self), place(other));
        (ours.0, &self.run_order_id, ours.1, ours.2).cmp(&(theirs.0, &other.run_order_id, theirs.1, theirs.2))
    }
}

impl ListRow for Side {
    fn write(&self, to: &mut RowWriter<'_>) {
        write_day(to, self.day);
        to.text(&self.run_order_id);
        to.number(self.is_now.into());
        write_order(to, &self.order);
    }

    fn read(from: &mut RowReader<'_>) -> Option<Self> {
        let (day, run_order_id) = (read_day(from)?, from.text()?);
        let is_now = from.number()? != 0;
        Some(Self { day, run_order_id, is_now, order: read_order(from)? })
    }
}
