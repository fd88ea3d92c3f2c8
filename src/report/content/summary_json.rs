//! `summary.json`: verdict, population, control totals and counts, for scripts.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::checks::Rules;
use crate::domain::finding::Severity;
use crate::domain::layout::InputLayout;
use crate::domain::listed::ListShortfall;
use crate::domain::money::{Overflow, Sum};
use crate::domain::order::Amounts;
use crate::domain::time::Period;
use crate::summary::{
    AgeBucket, Books, Bridge, CheckCount, ColumnCause, CurrencyTotals, Differences, Frozen, OutsidePeriod, Population,
    Tie, Tolerance, Waived,
};

/// The whole of `summary.json`, in the order of its fields.
#[derive(Clone, Debug, Serialize)]
pub struct SummaryJson {
    /// The verdict's word.
    pub verdict: &'static str,
    /// The exit code of the job that made the report.
    pub exit_code: u8,
    /// What ages are counted to, RFC 3339.
    pub as_of: String,
    /// The label of the account, if one was given.
    pub account: Option<String>,
    /// Rows in all and by bucket.
    pub population: Population,
    /// What the input's records are, beside the rows.
    pub input: InputLayout,
    /// Why not one order could be fetched, where all met the same answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sole_reason: Option<SoleReason>,
    /// Why the input is not whole, where it is a list that `tieout discover` wrote and is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_shortfall: Option<ListShortfall>,
    /// The control totals by currency.
    pub control_totals: BTreeMap<String, ControlTotals>,
    /// The findings by check.
    pub checks: BTreeMap<&'static str, CheckCount>,
    /// The findings by check and cause, such as `quote-split.overage`.
    pub causes: BTreeMap<String, CheckCount>,
    /// What all mismatches of a column of our own books have in common, by field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub column_causes: BTreeMap<&'static str, ColumnCause>,
    /// How many findings there are of each severity: for people alone.
    #[serde(skip)]
    pub severities: BTreeMap<Severity, u64>,
    /// What became of discrepancies since their orders were last judged.
    pub lifecycle: Lifecycle,
    /// How many orders were not asked for again, because an earlier run saw them settled.
    pub reused: u64,
    /// What became of the waivers, where any were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waivers: Option<WaiverCounts>,
    /// How many findings that nothing waives are material, where a materiality is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub material: Option<u64>,
    /// The control totals from outside, and whether the sums tie out to them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ties: Vec<Tie>,
    /// What the provider's own list of orders says of the input, where it was walked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completeness: Option<CompletenessCounts>,
    /// When the orders were created that the input is about, where it says so: the end that is not given is `as_of`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// The settings that affect judgement.
    pub settings: Rules,
}

/// The one answer that all orders met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SoleReason {
    /// Its code, such as `code-402`.
    pub code: String,
    /// What the first order was told, in the provider's words where it had any.
    pub detail: String,
    /// How many orders that are.
    pub orders: u64,
}

impl fmt::Display for SoleReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, detail, .. } = self;
        if detail.is_empty() { f.write_str(code) } else { write!(f, "{code}: {detail}") }
    }
}

/// What the provider's own list of orders says of the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CompletenessCounts {
    /// Orders of the period that the list had.
    pub listed: u64,
    /// How many of them the input lacks.
    pub unlisted: u64,
    /// Orders in all that the provider counts; null where it does not say.
    pub counted: Option<u64>,
    /// How many of those were never listed; null where there is no telling.
    pub missing: Option<u64>,
    /// Why the list could not be had, where it could not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What became of discrepancies since their orders were last judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifecycle {
    /// Those that were not found then.
    pub new: u64,
    /// Those that were found then, too.
    pub persisting: u64,
    /// Those that were found then, were due again, and hold.
    pub resolved: u64,
    /// Those that were found then and not judged this time, of orders that are not in this input too.
    pub not_assessed: u64,
}

/// How many waivers became what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WaiverCounts {
    /// Those that cover a discrepancy.
    pub applied: u64,
    /// Those whose day is over.
    pub expired: u64,
    /// Those whose figures are other ones now.
    pub changed: u64,
    /// Those that nothing in this input was in need of.
    pub unused: u64,
}

/// The control totals of one currency.
#[derive(Clone, Debug, Serialize)]
pub struct ControlTotals {
    /// The six amounts summed over settled orders, from the aggregates.
    pub amounts: BTreeMap<&'static str, Sum>,
    /// What the identities are off, summed order by order.
    pub differences: IdentityDifferences,
    /// What passed only thanks to the tolerance.
    pub passed_by_tolerance: Tolerance,
    /// What passed only thanks to the rounding of our books, where they are kept to fewer decimals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passed_by_rounding: Option<Tolerance>,
    /// What is waived.
    pub waived: Waived,
    /// The quotes of unsettled orders.
    pub frozen: FrozenMoney,
    /// The orders that were created outside the period that is asked for, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside_period: Option<OutsidePeriod>,
    /// The proof of the report on itself.
    pub bridge: Bridge,
    /// Our own books beside the provider's, by amount.
    #[serde(skip_serializing_if = "Books::is_empty")]
    pub books: Books,
}

/// The differences of both identities.
#[derive(Clone, Debug, Serialize)]
pub struct IdentityDifferences {
    /// `final + released − quote`.
    pub quote_split: Differences,
    /// `total − compute − external`.
    pub cost_sum: Differences,
}

/// Money the provider still holds.
#[derive(Clone, Debug, Serialize)]
pub struct FrozenMoney {
    /// All of it.
    #[serde(flatten)]
    pub total: Frozen,
    /// By age of the order.
    pub by_age: BTreeMap<AgeBucket, Frozen>,
    /// Of orders that are about to be stale, where that is warned of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_soon: Option<Frozen>,
}

impl ControlTotals {
    /// Puts together the control totals of one currency.
    ///
    /// # Errors
    /// [`Overflow`] past 38 digits.
    pub fn of(aggregates: &[Sum; 6], totals: &CurrencyTotals, bridge: Bridge, rules: &Rules) -> Result<Self, Overflow> {
        Ok(Self {
            amounts: Amounts::NAMES.into_iter().zip(*aggregates).collect(),
            differences: IdentityDifferences { quote_split: totals.quote, cost_sum: totals.cost },
            passed_by_tolerance: totals.tolerated,
            passed_by_rounding: rules.books_decimals.map(|_| totals.rounded),
            waived: totals.waived,
            frozen: FrozenMoney {
                total: totals.frozen_in_all()?,
                by_age: totals.frozen.clone(),
                stale_soon: (totals.stale_soon.orders > 0).then_some(totals.stale_soon),
            },
            outside_period: (totals.outside_period.orders > 0).then_some(totals.outside_period),
            bridge,
            books: totals.books.clone(),
        })
    }
}

#[cfg(test)]
impl SummaryJson {
    /// That of nothing.
    pub(in crate::report) fn empty() -> Self {
        Self {
            verdict: "reconciled",
            exit_code: 0,
            as_of: "2026-06-01T00:00:00Z".into(),
            account: None,
            population: Population::default(),
            input: InputLayout::default(),
            sole_reason: None,
            input_shortfall: None,
            control_totals: BTreeMap::new(),
            checks: BTreeMap::new(),
            causes: BTreeMap::new(),
            column_causes: BTreeMap::new(),
            severities: BTreeMap::new(),
            lifecycle: Lifecycle::default(),
            reused: 0,
            waivers: None,
            material: None,
            ties: Vec::new(),
            completeness: None,
            period: None,
            settings: Rules::default(),
        }
    }
}
