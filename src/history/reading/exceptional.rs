//! Orders whose newest sighting may be a row without a fetched order.

use jiff::civil::Date;

use super::identifier::{ByIdentifier, Identifier, Identifiers};
use super::{Names, Reading, Sighting, frames};
use crate::domain::outcome::Bucket;
use crate::history::exceptions::{self, BUCKET, DETAIL, ID, IDENTITY_MISMATCH, REASON};
use crate::history::orders::RUN;
use crate::history::{DatasetError, DatasetFile};
use crate::parquet::columns::texts;

/// The buckets of rows that say nothing of their order.
const UNFETCHED: [Bucket; 4] = [Bucket::NotFound, Bucket::Refused, Bucket::Malformed, Bucket::Unfetched];

/// What is known of such an order.
struct Exceptional {
    /// The newest job with such a row.
    rank: u32,
    /// The day on which it was created, if it was ever observed on one that is selected.
    day: Option<Date>,
    /// Whether there is a newer observation, on any day.
    is_superseded: bool,
    /// Whether it belongs to the selection, as far as it is known.
    is_selected: bool,
}

/// The orders with rows without a fetched order.
#[derive(Default)]
pub(super) struct ExceptionalOrders(ByIdentifier<Exceptional>);

/// How an order's newest observation on a day compares with its newest row without a fetched order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Latest {
    /// The observation is the newest sighting.
    Observation,
    /// The order could not be fetched since.
    Exception,
}

impl ExceptionalOrders {
    fn note(&mut self, order: Identifier, rank: u32) {
        let new = Exceptional { rank, day: None, is_superseded: false, is_selected: true };
        let known = self.0.entry(order).or_insert(new);
        known.rank = known.rank.max(rank);
    }

    /// Compares with an order's newest observation on a day that is selected.
    pub(super) fn compare(&mut self, order: &Identifier, observed: u32, day: Date) -> Latest {
        let Some(known) = self.0.get_mut(order) else { return Latest::Observation };
        if known.rank > observed {
            // Of several days, whichever is read first, the last.
            known.day = known.day.max(Some(day));
            return Latest::Exception;
        }
        known.is_superseded = true;
        Latest::Observation
    }

    /// Compares with an order's newest observation on a day that is not selected.
    pub(super) fn compare_elsewhere(&mut self, order: &Identifier, observed: u32) {
        if let Some(known) = self.0.get_mut(order) {
            known.is_superseded |= known.rank <= observed;
            known.is_selected &= known.day.is_some();
        }
    }

    /// Notes that an order belongs to a workflow that is not selected.
    pub(super) fn note_not_selected(&mut self, order: &Identifier) {
        if let Some(known) = self.0.get_mut(order) {
            known.is_selected = false;
        }
    }

    /// Whether there may be an order to list.
    pub(super) fn has_any_left(&self) -> bool {
        self.0.values().any(|known| known.is_selected && !known.is_superseded)
    }
}

/// The newest row without a fetched order of each order.
pub(super) fn note(
    reading: &Reading<'_>,
    files: &[&DatasetFile],
    names: &Names<'_>,
    identifiers: &Identifiers,
) -> Result<ExceptionalOrders, DatasetError> {
    let mut orders = ExceptionalOrders::default();
    each_row(reading, files, names, identifiers, |order, rank, _| orders.note(order, rank))?;
    Ok(orders)
}

/// The newest row without a fetched order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failed {
    pub(super) rank: u32,
    /// Whether the answer can't be read: then nothing is known of the order.
    pub(super) is_unreadable: bool,
}

/// The newest row without a fetched order, by order: of those that were known then, and of all.
pub(super) fn newest_rows(
    reading: &Reading<'_>,
    files: &[&DatasetFile],
    names: &Names<'_>,
    identifiers: &Identifiers,
    was_known: &[bool],
) -> Result<[ByIdentifier<Failed>; 2], DatasetError> {
    let mut newest = [ByIdentifier::<Failed>::default(), ByIdentifier::default()];
    each_row(reading, files, names, identifiers, |order, rank, bucket| {
        let counts = [was_known.get(rank as usize) == Some(&true), true];
        let is_unreadable = [Bucket::Unfetched, Bucket::Malformed].iter().any(|known| known.code() == bucket);
        let new = Failed { rank, is_unreadable };
        for (newest, _) in newest.iter_mut().zip(counts).filter(|(_, counts)| *counts) {
            let known = newest.entry(order).or_insert(new);
            if known.rank < rank {
                *known = new;
            }
        }
    })?;
    Ok(newest)
}

/// Fails if a row can't be without a fetched order for this reason.
pub(in crate::history) fn require_reason(id: &str, bucket: &str, reason: &str, detail: &str) -> Result<(), String> {
    let is_foreign = bucket == Bucket::Discrepant.code() && reason == IDENTITY_MISMATCH && detail != id;
    let is_known = is_foreign || UNFETCHED.iter().any(|known| known.code() == bucket);
    if is_known { Ok(()) } else { Err(format!("it has a row in the bucket {bucket:?} for {reason:?}")) }
}

/// Visits the order, the job and the bucket of each row without a fetched order.
fn each_row(
    reading: &Reading<'_>,
    files: &[&DatasetFile],
    names: &Names<'_>,
    identifiers: &Identifiers,
    mut visit: impl FnMut(Identifier, u32, &str),
) -> Result<(), DatasetError> {
    for mut file in frames::files(reading, files) {
        file.for_each_frame(exceptions::shape(), &[ID, BUCKET, RUN], false, |place, frame| {
            let column = |name| texts(frame, name).map_err(place.failed());
            let (ids, buckets, runs) = (column(ID)?, column(BUCKET)?, column(RUN)?);
            for row in 0..frame.height() {
                let (Some(id), Some(bucket), Some(run)) = (ids.get(row), buckets.get(row), runs.get(row)) else {
                    return Err(place.lacking());
                };
                if let (Some(rank), Some(order)) = (names.rank(run, place)?, identifiers.of(id)) {
                    visit(order, rank, bucket);
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Visits the rows without a fetched order that are newer than any observation of their orders; returns how many there are.
pub(super) fn visit<E: From<DatasetError>>(
    mut orders: ExceptionalOrders,
    reading: &Reading<'_>,
    files: &[&DatasetFile],
    names: &Names<'_>,
    identifiers: &Identifiers,
    visit: &mut impl FnMut(Sighting) -> Result<(), E>,
) -> Result<u64, E> {
    let mut visited = 0;
    if orders.0.is_empty() {
        return Ok(visited);
    }
    let columns = [ID, BUCKET, REASON, DETAIL, RUN];
    for mut file in frames::files(reading, files) {
        file.for_each_frame(exceptions::shape(), &columns, false, |place, frame| {
            let column = |name| texts(frame, name).map_err(place.failed());
            let columns = [column(ID)?, column(BUCKET)?, column(REASON)?, column(DETAIL)?, column(RUN)?];
            for row in 0..frame.height() {
                let [Some(id), Some(bucket), Some(reason), Some(detail), Some(run)] =
                    [0, 1, 2, 3, 4].map(|column: usize| columns[column].get(row))
                else {
                    return Err(place.lacking().into());
                };
                require_reason(id, bucket, reason, detail).map_err(|problem| place.damaged(problem))?;
                let rank = names.rank(run, place)?;
                let Some((rank, order)) = rank.zip(identifiers.of(id)) else { continue };
                if orders.0.get(&order).is_none_or(|known| known.rank != rank) {
                    continue;
                }
                let Some(known) = orders.0.remove(&order).filter(|known| known.is_selected && !known.is_superseded)
                else {
                    continue;
                };
                visited += 1;
                let [run_order_id, bucket, reason, detail] = [id, bucket, reason, detail].map(str::to_owned);
                visit(Sighting::Exception { day: known.day, run_order_id, bucket, reason, detail })?;
            }
            Ok::<_, E>(())
        })?;
    }
    Ok(visited)
}
