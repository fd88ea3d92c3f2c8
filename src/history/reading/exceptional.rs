//! Orders whose newest sighting may be a row without a fetched order.

use std::collections::HashMap;
use std::path::Path;

use jiff::civil::Date;
use polars::prelude::PolarsError;

use super::frames::for_each_frame;
use super::identifier::Identifier;
use super::{Part, Sighting};
use crate::history::exceptions::{self, BUCKET, DETAIL, ID, REASON};
use crate::history::orders::RUN;
use crate::history::{DatasetError, DatasetFile};
use crate::parquet::columns::texts;

/// What is known of such an order.
struct Exceptional {
    /// The newest run with such a row.
    rank: u32,
    /// The day on which it was created, if it was ever observed.
    day: Option<Date>,
    /// Whether it belongs to the selection, as far as it is known.
    is_selected: bool,
}

/// The orders with rows without a fetched order, as long as no newer observation of them was found.
#[derive(Default)]
pub(super) struct ExceptionalOrders(HashMap<Identifier, Exceptional>);

/// How an order's newest observation compares with its newest row without a fetched order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Latest {
    /// The observation is the newest sighting.
    Observation,
    /// The order could not be fetched since.
    Exception,
}

impl ExceptionalOrders {
    fn note(&mut self, order: Identifier, rank: u32) {
        let new = Exceptional { rank, day: None, is_selected: true };
        let known = self.0.entry(order).or_insert(new);
        known.rank = known.rank.max(rank);
    }

    /// Compares with an order's newest observation, on a day: an older exception is forgotten.
    pub(super) fn compare(&mut self, order: &Identifier, observed: u32, day: Date) -> Latest {
        match self.0.get_mut(order) {
            Some(known) if known.rank > observed => {
                known.day = Some(day);
                Latest::Exception
            }
            Some(_) => {
                self.0.remove(order);
                Latest::Observation
            }
            None => Latest::Observation,
        }
    }

    /// Notes that an order belongs to a workflow that is not selected.
    pub(super) fn note_not_selected(&mut self, order: &Identifier) {
        if let Some(known) = self.0.get_mut(order) {
            known.is_selected = false;
        }
    }

    /// Forgets an order that was created on a day that is not selected.
    pub(super) fn forget_undated(&mut self, order: &Identifier) {
        if self.0.get(order).is_some_and(|known| known.day.is_none()) {
            self.0.remove(order);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn all_are_known(&self) -> bool {
        self.0.values().all(|known| known.day.is_some())
    }
}

impl Part<'_> {
    /// Notes the newest row without a fetched order of each order.
    pub(super) fn note_exceptions<E: From<DatasetError>>(&mut self, files: &[&DatasetFile]) -> Result<(), E> {
        for_each_frame(self.dataset, files, &exceptions::shape(), Some(&[ID, RUN]), |_, path, frame| {
            let failed = |error: PolarsError| DatasetError::damaged(path, error.to_string());
            let (ids, runs) = (texts(frame, ID).map_err(failed)?, texts(frame, RUN).map_err(failed)?);
            for (id, run) in ids.iter().zip(runs.iter()) {
                let (Some(id), Some(run)) = (id, run) else { return Err(lacking(path).into()) };
                if let (Some(rank), Some(order)) = (self.ranks.get(run), self.identifiers.of(id)) {
                    self.exceptional.note(order, *rank);
                }
            }
            Ok(())
        })
    }

    /// Visits the rows without a fetched order that are newer than any observation of their orders.
    pub(super) fn visit_exceptions<E: From<DatasetError>>(
        &mut self,
        files: &[&DatasetFile],
        visit: &mut impl FnMut(Sighting<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.exceptional.is_empty() {
            return Ok(());
        }
        for_each_frame(self.dataset, files, &exceptions::shape(), None, |_, path, frame| {
            let column = |name| texts(frame, name).map_err(|error| DatasetError::damaged(path, error.to_string()));
            let columns = [column(ID)?, column(BUCKET)?, column(REASON)?, column(DETAIL)?, column(RUN)?];
            for row in 0..frame.height() {
                let [Some(run_order_id), Some(bucket), Some(reason), Some(detail), Some(run)] =
                    [0, 1, 2, 3, 4].map(|column: usize| columns[column].get(row))
                else {
                    return Err(lacking(path).into());
                };
                let (rank, order) = (self.ranks.get(run), self.identifiers.of(run_order_id));
                let Some((rank, order)) = rank.zip(order) else { continue };
                if self.exceptional.0.get(&order).is_none_or(|known| known.rank != *rank) {
                    continue;
                }
                let Some(known) = self.exceptional.0.remove(&order).filter(|known| known.is_selected) else { continue };
                self.orders += 1;
                let row = exceptions::ExceptionRow { run_order_id, bucket, reason, detail };
                visit(Sighting::Exception { day: known.day, row })?;
            }
            Ok(())
        })
    }
}

fn lacking(path: &Path) -> DatasetError {
    DatasetError::damaged(path, "a value is missing")
}
