//! The orders of a dataset that are judged one by one: sorted by day and ID, each with what belongs to it.

use std::cmp::{Ordering, Reverse};
use std::path::Path;

use jiff::civil::Date;

use super::rows::{read_amounts, read_day, read_order, write_amounts, write_day, write_order};
use crate::domain::order::{Charge, RunOrder};
use crate::domain::outcome::{Background, Bucket, Evidence, Fetched, Outcome, Reason};
use crate::history::{IDENTITY_MISMATCH, Observed, Sighting};
use crate::report::ReportError;
use crate::report::content::list::{ListRow, RowReader, RowWriter};
use crate::report::content::sorted::{SortedRow, SortedRows};

/// The day of an order that was never observed: before any other.
const NEVER: Date = Date::ZERO;

/// The orders of a dataset to judge, sorted once all are there.
pub(super) struct Candidates(SortedRows<Candidate>);

/// One thing that is known of an order.
struct Candidate {
    day: Date,
    run_order_id: String,
    known: Known,
}

enum Known {
    /// What it was settled for before, as the run with this rank saw it.
    Baseline(u32, Charge),
    /// Its newest observation, if it could not be fetched since.
    LastSeen(Box<RunOrder>),
    /// It could not be fetched.
    Exception { bucket: String, reason: Reason },
    /// Its newest observation.
    Observed(Box<RunOrder>),
}

impl Candidates {
    /// No orders yet. Those that don't fit in memory go to files without a name in this folder.
    pub(super) fn new(folder: &Path) -> Self {
        Self(SortedRows::new(folder))
    }

    /// Adds what a dataset says of an order. Sound orders need not be judged.
    ///
    /// # Errors
    /// When the disk can't hold it.
    pub(super) fn push(&mut self, sighting: Sighting) -> Result<(), ReportError> {
        let (day, run_order_id, known) = match sighting {
            Sighting::Sound(_) => return Ok(()),
            Sighting::Observed(Observed { day, run_order_id, order, .. }) => {
                (day, run_order_id, Known::Observed(order))
            }
            Sighting::LastSeen(Observed { day, run_order_id, order, .. }) => {
                (day, run_order_id, Known::LastSeen(order))
            }
            Sighting::Baseline { day, run_order_id, rank, charge } => {
                (day, run_order_id, Known::Baseline(rank, charge))
            }
            Sighting::Exception { day, run_order_id, bucket, reason, detail } => {
                let reason = Reason { code: reason, detail };
                (day.unwrap_or(NEVER), run_order_id, Known::Exception { bucket, reason })
            }
        };
        self.0.push(Candidate { day, run_order_id, known })
    }

    /// Visits each order, by day and ID, with what else is known of it.
    ///
    /// # Errors
    /// When the disk does not give back what it was given, and those of `visit`.
    pub(super) fn visit<E: From<ReportError>>(
        self,
        mut visit: impl FnMut(Outcome, Background) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut aside: Option<Candidate> = None;
        self.0.visit(|candidate| {
            let Candidate { day, run_order_id, known } = candidate;
            let beside = aside.take().filter(|aside| (aside.day, &aside.run_order_id) == (day, &run_order_id));
            let (evidence, background) = match (known, beside.map(|beside| beside.known)) {
                (known @ (Known::Baseline(..) | Known::LastSeen(_)), _) => {
                    aside = Some(Candidate { day, run_order_id, known });
                    return Ok(());
                }
                (Known::Observed(order), beside) => {
                    let baseline = match beside {
                        Some(Known::Baseline(_, charge)) => Some(charge),
                        _ => None,
                    };
                    (Fetched { order: *order, is_reused: false, baseline }.into(), Background::default())
                }
                (Known::Exception { bucket, reason }, beside) => {
                    // Only an order that was seen settled has vanished.
                    let last_seen = match beside {
                        Some(Known::LastSeen(order)) if order.is_settled() => Some(order),
                        _ => None,
                    };
                    (exception(&bucket, reason)?, Background { last_seen, ..Background::default() })
                }
            };
            // A dataset has no lines.
            visit(Outcome { line: 0, run_order_id, evidence }, background)
        })
    }
}

/// The evidence of a row without a fetched order.
fn exception(bucket: &str, reason: Reason) -> Result<Evidence, ReportError> {
    let bucket = Bucket::ALL.into_iter().find(|known| known.code() == bucket);
    Ok(match bucket {
        Some(Bucket::NotFound) => Evidence::NotFound(reason),
        Some(Bucket::Refused) => Evidence::Refused(reason),
        Some(Bucket::Malformed) => Evidence::Malformed(reason),
        Some(Bucket::Unfetched) => Evidence::Unfetched(reason),
        // The reply was about a different order, of which only the ID is known.
        Some(Bucket::Discrepant) if reason.code == IDENTITY_MISMATCH => {
            RunOrder { run_order_id: Some(reason.detail).filter(|id| !id.is_empty()), ..RunOrder::default() }.into()
        }
        _ => return Err(ReportError::Contradiction("a row of the dataset is in an unknown bucket".to_owned())),
    })
}

impl SortedRow for Candidate {
    fn compare(&self, other: &Self) -> Ordering {
        // What belongs to an order comes before it, what it was first settled for last.
        let place = |candidate: &Self| match candidate.known {
            Known::Baseline(rank, _) => (false, Reverse(rank)),
            Known::LastSeen(_) => (false, Reverse(0)),
            Known::Observed(_) | Known::Exception { .. } => (true, Reverse(0)),
        };
        let orders = (self.day, &self.run_order_id).cmp(&(other.day, &other.run_order_id));
        orders.then_with(|| place(self).cmp(&place(other)))
    }
}

impl ListRow for Candidate {
    fn write(&self, to: &mut RowWriter<'_>) {
        write_day(to, self.day);
        to.text(&self.run_order_id);
        match &self.known {
            Known::Baseline(rank, charge) => {
                to.word("baseline");
                to.number((*rank).into());
                to.option(charge.currency.as_deref(), RowWriter::text);
                write_amounts(to, charge.amounts);
            }
            Known::LastSeen(order) => {
                to.word("last-seen");
                write_order(to, order);
            }
            Known::Exception { bucket, reason: Reason { code, detail } } => {
                to.word("exception");
                [bucket, code, detail].into_iter().for_each(|text| to.text(text));
            }
            Known::Observed(order) => {
                to.word("observed");
                write_order(to, order);
            }
        }
    }

    fn read(from: &mut RowReader<'_>) -> Option<Self> {
        let (day, run_order_id) = (read_day(from)?, from.text()?);
        let known = match from.word()? {
            "baseline" => {
                let rank = from.number()?.try_into().ok()?;
                let currency = from.option(RowReader::text)?;
                Known::Baseline(rank, Charge { currency, amounts: read_amounts(from)? })
            }
            "last-seen" => Known::LastSeen(read_order(from)?),
            "exception" => {
                let (bucket, code, detail) = (from.text()?, from.text()?, from.text()?);
                Known::Exception { bucket, reason: Reason { code, detail } }
            }
            _ => Known::Observed(read_order(from)?),
        };
        Some(Self { day, run_order_id, known })
    }
}
