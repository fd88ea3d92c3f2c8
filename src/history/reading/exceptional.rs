//! Orders whose newest sighting may be a row without a fetched order.

use std::path::Path;

use jiff::civil::Date;
use polars::prelude::PolarsError;

use super::identifier::{ByIdentifier, Identifier, Identifiers};
use super::{Ranks, Reading, Sighting, frames};
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
pub(super) struct ExceptionalOrders(ByIdentifier<Exceptional>);

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

    pub(super) fn all_are_known(&self) -> bool {
        self.0.values().all(|known| known.day.is_some())
    }
}

/// The newest row without a fetched order of each order.
pub(super) fn note(
    reading: &Reading<'_>,
    files: &[&DatasetFile],
    ranks: &Ranks,
    identifiers: &Identifiers,
) -> Result<ExceptionalOrders, DatasetError> {
    let mut orders = ExceptionalOrders::default();
    for mut file in frames::files(reading.dataset, files) {
        file.for_each_frame(reading.dataset, exceptions::shape(), &[ID, RUN], false, |path, frame| {
            let failed = |error: PolarsError| DatasetError::damaged(path, error.to_string());
            let (ids, runs) = (texts(frame, ID).map_err(failed)?, texts(frame, RUN).map_err(failed)?);
            for (id, run) in ids.iter().zip(runs.iter()) {
                let (Some(id), Some(run)) = (id, run) else { return Err(lacking(path)) };
                if let (Some(rank), Some(order)) = (ranks.get(run), identifiers.of(id)) {
                    orders.note(order, *rank);
                }
            }
            Ok(())
        })?;
    }
    Ok(orders)
}

/// Visits the rows without a fetched order that are newer than any observation of their orders; returns how many there are.
pub(super) fn visit<E: From<DatasetError>>(
    mut orders: ExceptionalOrders,
    reading: &Reading<'_>,
    files: &[&DatasetFile],
    ranks: &Ranks,
    identifiers: &Identifiers,
    visit: &mut impl FnMut(Sighting) -> Result<(), E>,
) -> Result<u64, E> {
    let mut visited = 0;
    if orders.0.is_empty() {
        return Ok(visited);
    }
    let names = [ID, BUCKET, REASON, DETAIL, RUN];
    for mut file in frames::files(reading.dataset, files) {
        file.for_each_frame(reading.dataset, exceptions::shape(), &names, false, |path, frame| {
            let column = |name| texts(frame, name).map_err(|error| DatasetError::damaged(path, error.to_string()));
            let columns = [column(ID)?, column(BUCKET)?, column(REASON)?, column(DETAIL)?, column(RUN)?];
            for row in 0..frame.height() {
                let [Some(id), Some(bucket), Some(reason), Some(detail), Some(run)] =
                    [0, 1, 2, 3, 4].map(|column: usize| columns[column].get(row))
                else {
                    return Err(lacking(path).into());
                };
                let Some((rank, order)) = ranks.get(run).zip(identifiers.of(id)) else { continue };
                if orders.0.get(&order).is_none_or(|known| known.rank != *rank) {
                    continue;
                }
                let Some(known) = orders.0.remove(&order).filter(|known| known.is_selected) else { continue };
                visited += 1;
                let [run_order_id, bucket, reason, detail] = [id, bucket, reason, detail].map(str::to_owned);
                visit(Sighting::Exception { day: known.day, run_order_id, bucket, reason, detail })?;
            }
            Ok::<_, E>(())
        })?;
    }
    Ok(visited)
}

fn lacking(path: &Path) -> DatasetError {
    DatasetError::damaged(path, "a value is missing")
}
