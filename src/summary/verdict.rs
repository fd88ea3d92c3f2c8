//! The verdict of a report, worst first.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

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

/// A verdict that is fine by default and that `--fail-on` makes fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailOn {
    /// Fail on `warnings`.
    Warnings,
    /// Fail where anything is pending.
    Pending,
    /// Fail where a difference that nothing waives is material (`--material`), be it only a warning.
    Material,
}

impl FailOn {
    /// The word of the option.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Warnings => "warnings",
            Self::Pending => "pending",
            Self::Material => "material",
        }
    }
}

impl Weighed {
    /// The exit code of the report: 0, 1 or 3.
    #[must_use]
    pub fn exit_code(&self, fail_on: &[FailOn]) -> u8 {
        match self.verdict {
            Verdict::Incomplete => 3,
            Verdict::Discrepant => 1,
            Verdict::Warnings if fail_on.contains(&FailOn::Warnings) => 1,
            // Warnings outrank what is pending, but do not hide it from who asked to hear of it.
            Verdict::Warnings | Verdict::Pending if fail_on.contains(&FailOn::Pending) && self.pending > 0 => 1,
            _ if fail_on.contains(&FailOn::Material) && self.material > 0 => 1,
            Verdict::Warnings | Verdict::Pending | Verdict::Reconciled | Verdict::Empty => 0,
        }
    }
}

/// What tells for or against a report as a whole, beside where its rows landed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// A finding is a warning.
    pub warnings: bool,
    /// A control total does not tie out, or the input lacks an order that it must have.
    pub variance: bool,
    /// Rows of one order are added: that it stands on several is nothing to warn of.
    pub rows_are_added: bool,
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
        } else if signs.warnings || any(&[Bucket::Waived]) || (!signs.rows_are_added && any(&[Bucket::Duplicate])) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_has_its_code() {
        let of =
            |verdict, fail_on: &[FailOn]| Weighed { verdict, pending: 0, material: 0, gap: false }.exit_code(fail_on);
        let cases = [
            (Verdict::Reconciled, 0),
            (Verdict::Empty, 0),
            (Verdict::Warnings, 0),
            (Verdict::Pending, 0),
            (Verdict::Discrepant, 1),
            (Verdict::Incomplete, 3),
        ];
        for (verdict, code) in cases {
            assert_eq!(of(verdict, &[]), code, "{verdict:?}");
        }
        assert_eq!(of(Verdict::Warnings, &[FailOn::Warnings]), 1);
        assert_eq!(of(Verdict::Warnings, &[FailOn::Pending]), 0);
        assert_eq!(of(Verdict::Pending, &[FailOn::Warnings]), 0);
        assert_eq!(of(Verdict::Warnings, &[FailOn::Material]), 0);
    }

    #[test]
    fn what_is_asked_for_fails_whatever_outranks_it() {
        let weighed = |verdict| Weighed { verdict, pending: 1, material: 1, gap: false };
        for verdict in [Verdict::Warnings, Verdict::Pending] {
            assert_eq!(weighed(verdict).exit_code(&[]), 0);
            assert_eq!(weighed(verdict).exit_code(&[FailOn::Pending]), 1);
            assert_eq!(weighed(verdict).exit_code(&[FailOn::Material]), 1);
        }
        assert_eq!(weighed(Verdict::Incomplete).exit_code(&[FailOn::Material]), 3);
    }
}
