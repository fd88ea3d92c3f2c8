//! The verdict of a report, worst first.

use super::population::Population;
use crate::domain::outcome::Bucket;

/// What a report says of its population as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No verdict can be given: run again.
    Incomplete,
    /// A person must look.
    Discrepant,
    /// There is no error that nothing waives, but something worth knowing.
    Warnings,
    /// Everything due so far ties out; some orders are not settled yet.
    Pending,
    /// Everything ties out.
    Reconciled,
    /// There was no row, and that is fine (`--allow-empty`).
    Empty,
}

/// What the exit code of a report depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weighed {
    /// The verdict.
    pub verdict: Verdict,
    /// How many orders are pending.
    pub pending: u64,
    /// How many findings that nothing waives are material, where a materiality is set.
    pub material: u64,
}

impl Verdict {
    /// The verdict over a population. A population of nothing, or one where nothing could be fetched, never looks
    /// clean.
    #[must_use]
    pub fn of(population: &Population, has_warnings: bool, allow_empty: bool) -> Self {
        let any = |buckets: &[Bucket]| population.of_any(buckets) > 0;
        if population.rows() == 0 {
            return if allow_empty { Self::Empty } else { Self::Incomplete };
        }
        let answered = any(&[
            Bucket::Reconciled,
            Bucket::Discrepant,
            Bucket::Waived,
            Bucket::Pending,
            Bucket::NotFound,
            Bucket::Refused,
        ]);
        if !answered || any(&[Bucket::Unfetched, Bucket::Malformed]) {
            Self::Incomplete
        } else if any(&[Bucket::Discrepant, Bucket::NotFound, Bucket::Refused, Bucket::Rejected]) {
            Self::Discrepant
        } else if has_warnings || any(&[Bucket::Waived, Bucket::Duplicate]) {
            Self::Warnings
        } else if any(&[Bucket::Pending]) {
            Self::Pending
        } else {
            Self::Reconciled
        }
    }

    /// The word the reports use.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::Discrepant => "discrepant",
            Self::Warnings => "warnings",
            Self::Pending => "pending",
            Self::Reconciled => "reconciled",
            Self::Empty => "empty",
        }
    }
}
