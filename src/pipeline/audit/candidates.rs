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

/// What is known of an order before its newest sighting comes.
#[derive(Default)]
struct Aside {
    day: Date,
    run_order_id: String,
    baseline: Option<Charge>,
    last_seen: Option<Box<RunOrder>>,
}

enum Known {
    /// What it was settled for before, as the run with this rank saw it.
    Baseline(u32, Charge),
    /// Its newest observation, if it was seen settled and could not be fetched since.
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
        let mut aside = Aside::default();
        self.0.visit(|candidate| {
            let Candidate { day, run_order_id, known } = candidate;
            if (aside.day, &aside.run_order_id) != (day, &run_order_id) {
                aside = Aside { day, run_order_id: run_order_id.clone(), ..Aside::default() };
            }
            let (evidence, background) = match known {
                Known::Baseline(_, charge) => {
                    aside.baseline = Some(charge);
                    return Ok(());
                }
                Known::LastSeen(order) => {
                    aside.last_seen = Some(order);
                    return Ok(());
                }
                Known::Observed(order) => {
                    let baseline = aside.baseline.take();
                    (Fetched { order: *order, is_reused: false, baseline }.into(), Background::default())
                }
                Known::Exception { bucket, reason } => {
                    let last_seen = aside.last_seen.take();
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

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn order(workflow: &str) -> Box<RunOrder> {
        Box::new(RunOrder { workflow_id: Some(workflow.to_owned()), ..RunOrder::default() })
    }

    fn charge(currency: &str) -> Charge {
        Charge { currency: Some(currency.to_owned()), amounts: crate::domain::order::Amounts::default() }
    }

    #[test]
    fn what_belongs_to_an_order_comes_with_it_in_whatever_sequence_it_was_seen() {
        let day = date(2026, 10, 1);
        let exception = || {
            let reason = Reason { code: "code-404".to_owned(), detail: String::new() };
            Known::Exception { bucket: Bucket::NotFound.code().to_owned(), reason }
        };
        let known = |number: usize| match number {
            0 => ("gone", Known::Baseline(0, charge("first"))),
            1 => ("gone", Known::LastSeen(order("last"))),
            2 => ("gone", exception()),
            3 => ("here", Known::Baseline(3, charge("later"))),
            4 => ("here", Known::Baseline(0, charge("first"))),
            5 => ("here", Known::Observed(order("now"))),
            _ => ("other", Known::Observed(order("other"))),
        };
        for turn in 0..7 {
            let folder = tempfile::tempdir().expect("a folder");
            let mut candidates = Candidates::new(folder.path());
            for number in (0..7).map(|number| (number + turn) % 7) {
                let (run_order_id, known) = known(number);
                candidates.0.push(Candidate { day, run_order_id: run_order_id.to_owned(), known }).expect("room");
            }
            let mut told = Vec::new();
            let visit = |outcome: Outcome, background: Background| {
                let baseline = match outcome.evidence {
                    Evidence::Fetched(fetched) => fetched.baseline.and_then(|charge| charge.currency),
                    _ => None,
                };
                let last_seen = background.last_seen.and_then(|order| order.workflow_id);
                told.push((outcome.run_order_id, baseline.unwrap_or_default(), last_seen.unwrap_or_default()));
                Ok::<_, ReportError>(())
            };
            candidates.visit(visit).expect("readable");
            let expected = [("gone", "", "last"), ("here", "first", ""), ("other", "", "")];
            let told: Vec<_> =
                told.iter().map(|(id, one, other)| (id.as_str(), one.as_str(), other.as_str())).collect();
            assert_eq!(told, expected, "turn {turn}");
        }
    }
}
