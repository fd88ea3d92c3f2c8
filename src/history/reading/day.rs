//! The orders of one day: which row of each is the newest, and what it was first settled for.

use std::collections::{BTreeSet, HashMap};
use std::hash::RandomState;
use std::path::Path;

use jiff::civil::Date;
use polars::prelude::{BooleanChunked, Column, DataFrame, NewChunkedArray, PolarsError, StringChunked};

use super::exceptional::Latest;
use super::frames::for_each_frame;
use super::identifier::Identifier;
use super::{Observed, Part, Sighting};
use crate::domain::facts::{OrderFacts, TextColumn};
use crate::domain::order::Charge;
use crate::history::orders::{self, MOVED_TO, RUN, SETTLED};
use crate::history::{DatasetError, DatasetFile};
use crate::parquet::columns::{Charges, FactArrays, OrderFrame, texts};

/// What is known of an order of the day before its rows are visited.
#[derive(Clone, Copy)]
struct Known {
    /// The newest run that says something about it.
    newest: u32,
    /// What it said; `None` if the order moved to another day.
    charge: Option<u64>,
    /// The first run that saw it settled with all six amounts, and with which charge.
    baseline: Option<(u32, u64)>,
    is_exception: bool,
    is_visited: bool,
}

impl Known {
    /// The first run that saw another charge than the newest.
    fn other_baseline(&self) -> Option<u32> {
        self.baseline.filter(|(_, charge)| self.charge.is_some_and(|now| now != *charge)).map(|(rank, _)| rank)
    }
}

/// The newest rows of a day.
type Day = HashMap<Identifier, Known>;

impl Part<'_> {
    /// Visits the newest observation of each order of a day.
    pub(super) fn visit_day<E: From<DatasetError>>(
        &mut self,
        day: Date,
        files: &[&DatasetFile],
        visit: &mut impl FnMut(Sighting<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut known = Day::new();
        let mut needed = BTreeSet::new();
        let read = self.note_day::<E>(files, &mut known)?;
        for (order, known) in known.iter_mut().filter(|(_, known)| known.charge.is_some()) {
            known.is_exception = self.exceptional.compare(order, known.newest, day) == Latest::Exception;
            needed.insert(known.newest);
            needed.extend(known.other_baseline());
        }
        let needed: Vec<&DatasetFile> = files
            .iter()
            .zip(read)
            .filter(|(_, ranks)| !ranks.is_disjoint(&needed))
            .map(|(file, _)| *file)
            .collect();
        for_each_frame(self.dataset, &needed, &orders::shape(), None, |_, path, frame| {
            self.visit_frame(day, path, frame, &mut known, visit)
        })
    }

    /// Notes the newest row of each order of a day; returns the runs that each file has rows of.
    fn note_day<E: From<DatasetError>>(
        &self,
        files: &[&DatasetFile],
        known: &mut Day,
    ) -> Result<Vec<BTreeSet<u32>>, E> {
        let charge_key = RandomState::new();
        let columns = Charges::COLUMNS.into_iter().chain([SETTLED, RUN]).collect::<Vec<_>>();
        let mut ranks = vec![BTreeSet::new(); files.len()];
        for_each_frame(self.dataset, files, &orders::shape(), Some(&columns), |file, path, frame| {
            let failed = |error: PolarsError| DatasetError::damaged(path, error.to_string());
            let charges = Charges::of(frame).map_err(failed)?;
            let settled = frame.column(SETTLED).and_then(Column::bool).map_err(failed)?.rechunk();
            let runs = texts(frame, RUN).map_err(failed)?;
            let mut runs = Ranks::of(&self.ranks, &runs);
            for row in 0..frame.height() {
                let (Some((_, rank)), Some(id)) = (runs.at(row), charges.run_order_id(row)) else {
                    return Err(lacking(path).into());
                };
                let Some((rank, order)) = rank.zip(self.identifiers.of(id)) else { continue };
                ranks[file].insert(rank);
                let (charge, is_complete) = charges.hash(row, &charge_key);
                let new = Known::new(rank, settled.get(row), charge, is_complete);
                known.entry(order).and_modify(|known| known.note(&new)).or_insert(new);
            }
            Ok::<_, E>(())
        })?;
        Ok(ranks)
    }

    fn visit_frame<E: From<DatasetError>>(
        &mut self,
        day: Date,
        path: &Path,
        frame: &DataFrame,
        known: &mut Day,
        visit: &mut impl FnMut(Sighting<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error: PolarsError| DatasetError::damaged(path, error.to_string());
        let facts = FactArrays::of(frame).map_err(failed)?;
        let moved = frame.column(MOVED_TO).map_err(failed)?.is_not_null();
        let settled = frame.column(SETTLED).map_err(failed)?.is_not_null();
        let runs = texts(frame, RUN).map_err(failed)?;
        let mut runs = Ranks::of(&self.ranks, &runs);
        let mut is_sound = vec![false; frame.height()];
        for row in 0..frame.height() {
            let facts = facts.row(row).ok_or_else(|| lacking(path))?;
            let id = facts.text(TextColumn::RunOrderId).filter(|_| settled.get(row) != moved.get(row));
            let (Some(run_order_id), Some((run, rank))) = (id, runs.at(row)) else {
                return Err(lacking(path).into());
            };
            let Some((order, rank)) = self.identifiers.of(run_order_id).zip(rank) else { continue };
            let Some(known) = known.get_mut(&order) else { continue };
            if known.other_baseline() == Some(rank) && settled.get(row) == Some(true) {
                visit(Sighting::Baseline { day, run_order_id, charge: charge(&facts).ok_or_else(|| lacking(path))? })?;
            }
            // Files that were merged twice have the same rows twice.
            if known.newest != rank || known.charge.is_none() || known.is_visited {
                continue;
            }
            known.is_visited = true;
            let observed = Observed { day, run_order_id, facts, run };
            let is_selected = self.selection.has_workflow(facts.text(TextColumn::WorkflowId));
            match (known.is_exception, is_selected) {
                (true, true) => visit(Sighting::LastSeen(observed))?,
                (true, false) => self.exceptional.note_not_selected(&order),
                (false, false) => {}
                (false, true) => {
                    self.orders += 1;
                    is_sound[row] = known.other_baseline().is_none() && self.soundness.holds(run_order_id, &facts);
                    if !is_sound[row] {
                        visit(Sighting::Observed(observed))?;
                    }
                }
            }
        }
        if !is_sound.contains(&true) {
            return Ok(());
        }
        let is_sound = BooleanChunked::from_slice("".into(), &is_sound);
        visit(Sighting::Sound(OrderFrame::of(frame, &is_sound)))
    }

    /// Forgets the exceptions of orders that were created on a day that is not selected.
    pub(super) fn drop_exceptions_of_other_day<E: From<DatasetError>>(
        &mut self,
        files: &[&DatasetFile],
    ) -> Result<(), E> {
        let mut known = Day::new();
        self.note_day::<E>(files, &mut known)?;
        for (order, _) in known.iter().filter(|(_, known)| known.charge.is_some()) {
            self.exceptional.forget_undated(order);
        }
        Ok(())
    }
}

impl Known {
    fn new(rank: u32, settled: Option<bool>, charge: u64, is_complete: bool) -> Self {
        let is_baseline = settled == Some(true) && is_complete;
        Self {
            newest: rank,
            charge: settled.map(|_| charge),
            baseline: is_baseline.then_some((rank, charge)),
            is_exception: false,
            is_visited: false,
        }
    }

    /// Adds another row about the order.
    fn note(&mut self, other: &Self) {
        if other.newest > self.newest {
            (self.newest, self.charge) = (other.newest, other.charge);
        }
        let baselines = [self.baseline, other.baseline].into_iter().flatten();
        self.baseline = baselines.min_by_key(|(rank, _)| *rank);
    }
}

/// The ranks of a frame's runs, row by row.
struct Ranks<'r> {
    by_run: &'r HashMap<&'r str, u32>,
    runs: &'r StringChunked,
    /// Neighbours mostly share a run.
    last: Option<(&'r str, Option<u32>)>,
}

impl<'r> Ranks<'r> {
    const fn of(by_run: &'r HashMap<&'r str, u32>, runs: &'r StringChunked) -> Self {
        Self { by_run, runs, last: None }
    }

    /// The run of a row, and its rank; `None` without a run, and no rank if it is not read.
    fn at(&mut self, row: usize) -> Option<(&'r str, Option<u32>)> {
        let run = self.runs.get(row)?;
        let last = self.last.filter(|(last, _)| *last == run);
        self.last = last.or_else(|| Some((run, self.by_run.get(run).copied())));
        self.last
    }
}

/// The charge in the facts of an order; `None` if an amount is out of range.
fn charge(facts: &OrderFacts<'_>) -> Option<Charge> {
    facts.order(None).map(|order| order.charge())
}

fn lacking(path: &Path) -> DatasetError {
    DatasetError::damaged(path, "a value is missing or out of range")
}
