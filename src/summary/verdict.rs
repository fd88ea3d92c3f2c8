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
    /// Whether there is no telling if the input lacks an order that it must have.
    pub gap: bool,
}

/// What tells for or against a report as a whole, beside where its rows landed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// A finding is a warning.
    pub warnings: bool,
    /// A control total does not tie out, or the input lacks an order that it must have.
    pub variance: bool,
    /// There is no telling whether the input lacks an order, and it must not.
    pub gap: bool,
    /// The input is a list that is not whole.
    pub shortfall: bool,
    /// No order could be fetched, and all for one reason: it is about the API or the account, and no finding about orders.
    pub sole_reason: bool,
}

impl Verdict {
    /// Every verdict, worst first.
    pub const ALL: [Self; 6] =
        [Self::Incomplete, Self::Discrepant, Self::Warnings, Self::Pending, Self::Reconciled, Self::Empty];

    /// The verdict over a population. A population of nothing, or one where nothing could be fetched, never looks
    /// clean.
    #[must_use]
    pub fn of(population: &Population, signs: Signs, allow_empty: bool) -> Self {
        let any = |buckets: &[Bucket]| population.of_any(buckets) > 0;
        if population.rows() == 0 {
            return match (allow_empty && !signs.gap && !signs.shortfall, signs.variance) {
                (false, _) => Self::Incomplete,
                (true, true) => Self::Discrepant,
                (true, false) => Self::Empty,
            };
        }
        let answered = any(&[
            Bucket::Reconciled,
            Bucket::Discrepant,
            Bucket::Waived,
            Bucket::Pending,
            Bucket::NotFound,
            Bucket::Refused,
        ]);
        let is_unknown = signs.gap || signs.shortfall || signs.sole_reason;
        if !answered || is_unknown || any(&[Bucket::Unfetched, Bucket::Malformed]) {
            Self::Incomplete
        } else if signs.variance || any(&[Bucket::Discrepant, Bucket::NotFound, Bucket::Refused, Bucket::Rejected]) {
            Self::Discrepant
        } else if signs.warnings || any(&[Bucket::Waived, Bucket::Duplicate]) {
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
