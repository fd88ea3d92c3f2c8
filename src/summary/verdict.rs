//! The verdict of a report, and the exit code that follows from it.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::population::Population;
use crate::domain::outcome::Bucket;

/// The verdict over a report's whole population, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No verdict can be given: run again.
    Incomplete,
    /// Something needs review.
    Discrepant,
    /// There is no unwaived error, but something worth knowing.
    Warnings,
    /// Everything due so far ties out; some orders are not settled yet.
    Pending,
    /// Every order is settled and ties out.
    Reconciled,
    /// The input has no rows, and `--allow-empty` accepts that.
    Empty,
}

/// What the exit code of a report depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitInputs {
    /// The verdict.
    pub verdict: Verdict,
    /// How many orders are pending.
    pub pending: u64,
    /// How many findings are material and not waived. Zero if no materiality is set.
    pub material: u64,
    /// Whether it is unknown if the input lacks an order that it must have.
    pub completeness_unknown: bool,
}

/// A condition for `--fail-on`: it exits with 1 instead of 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailOn {
    /// Fail if the verdict is `warnings`.
    Warnings,
    /// Fail if any order is pending.
    Pending,
    /// Fail if a difference that is not waived is material (`--material`), even as a warning.
    Material,
}

impl FailOn {
    /// The word for it in `--fail-on`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warnings => "warnings",
            Self::Pending => "pending",
            Self::Material => "material",
        }
    }
}

impl ExitInputs {
    /// The exit code of the report: 0, 1 or 3.
    #[must_use]
    pub fn exit_code(&self, fail_on: &[FailOn]) -> u8 {
        match self.verdict {
            Verdict::Incomplete => 3,
            Verdict::Discrepant => 1,
            Verdict::Warnings if fail_on.contains(&FailOn::Warnings) => 1,
            // Warnings outrank pending orders, but must not hide them from `--fail-on pending`.
            Verdict::Warnings | Verdict::Pending if fail_on.contains(&FailOn::Pending) && self.pending > 0 => 1,
            _ if fail_on.contains(&FailOn::Material) && self.material > 0 => 1,
            Verdict::Warnings | Verdict::Pending | Verdict::Reconciled | Verdict::Empty => 0,
        }
    }
}

/// What affects the verdict of a report, apart from the buckets of its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerdictFactors {
    /// There is something to warn of, such as a finding of severity warning.
    pub warnings: bool,
    /// A control total does not tie out, or the input lacks an order that it must have.
    pub variance: bool,
    /// Rows of one order are added, so that several rows of one order are nothing to warn of.
    pub rows_are_summed: bool,
    /// The input must have every order, but it is unknown whether it does.
    pub completeness_unknown: bool,
    /// The input is an incomplete list.
    pub list_incomplete: bool,
    /// No order could be fetched, all for one reason. It concerns the API or the account, not the orders.
    pub sole_reason: bool,
}

impl Verdict {
    /// Every verdict, worst first.
    pub const ALL: [Self; 6] =
        [Self::Incomplete, Self::Discrepant, Self::Warnings, Self::Pending, Self::Reconciled, Self::Empty];

    /// The verdict over a population. One that is empty, or without any order fetched, never looks clean.
    #[must_use]
    pub fn of(population: &Population, factors: VerdictFactors, allow_empty: bool) -> Self {
        let any = |buckets: &[Bucket]| population.of_any(buckets) > 0;
        if population.rows() == 0 {
            return match (allow_empty && !factors.completeness_unknown && !factors.list_incomplete, factors.variance) {
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
        let is_unknown = factors.completeness_unknown || factors.list_incomplete || factors.sole_reason;
        if !answered || is_unknown || any(&[Bucket::Unfetched, Bucket::Malformed]) {
            Self::Incomplete
        } else if factors.variance || any(&[Bucket::Discrepant, Bucket::NotFound, Bucket::Refused, Bucket::Rejected]) {
            Self::Discrepant
        } else if factors.warnings || any(&[Bucket::Waived]) || (!factors.rows_are_summed && any(&[Bucket::Duplicate]))
        {
            Self::Warnings
        } else if any(&[Bucket::Pending]) {
            Self::Pending
        } else {
            Self::Reconciled
        }
    }

    /// The word that reports use.
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
    fn every_verdict_has_its_exit_code() {
        let of = |verdict, fail_on: &[FailOn]| {
            ExitInputs { verdict, pending: 0, material: 0, completeness_unknown: false }.exit_code(fail_on)
        };
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
    fn what_fail_on_names_fails_whatever_outranks_it() {
        let exit_inputs = |verdict| ExitInputs { verdict, pending: 1, material: 1, completeness_unknown: false };
        for verdict in [Verdict::Warnings, Verdict::Pending] {
            assert_eq!(exit_inputs(verdict).exit_code(&[]), 0);
            assert_eq!(exit_inputs(verdict).exit_code(&[FailOn::Pending]), 1);
            assert_eq!(exit_inputs(verdict).exit_code(&[FailOn::Material]), 1);
        }
        assert_eq!(exit_inputs(Verdict::Incomplete).exit_code(&[FailOn::Material]), 3);
    }
}
