//! `summary.json`: verdict, population, control totals and counts, for scripts.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize, Serializer};

use super::closing::MonthAdjustments;
use crate::checks::Rules;
use crate::domain::finding::Severity;
use crate::domain::layout::InputLayout;
use crate::domain::listed::ListShortfall;
use crate::domain::money::{Overflow, Sum};
use crate::domain::month::Month;
use crate::domain::order::Amounts;
use crate::domain::time::Period;
use crate::summary::{
    AgeBucket, Books, Bridge, CheckCount, ColumnCause, CurrencyTotals, Differences, FrozenTotals, OutsidePeriodTotals,
    Population, RollForward, Tie, ToleratedTotals, WaivedTotals,
};

/// The content of `summary.json`, with its fields in the order of the file.
#[derive(Clone, Debug, Serialize)]
pub struct SummaryJson {
    /// The verdict's code, such as `discrepant`.
    pub verdict: &'static str,
    /// The exit code of the job that made the report.
    pub exit_code: u8,
    /// The time at which the ages of orders are measured, in RFC 3339.
    pub as_of: String,
    /// The label of the account, if one was given.
    pub account: Option<String>,
    /// The number of rows, in total and by bucket.
    pub population: Population,
    /// How the input is laid out: its sheet, its heading, and the records that are not rows. Without an input the orders
    /// come from a dataset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<InputLayout>,
    /// Which orders of a dataset the report is about, if they come from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<DatasetScope>,
    /// The answer that every order got, where no order could be fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sole_reason: Option<SoleReason>,
    /// Why the input is incomplete, where it is an incomplete list from `tieout discover`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_shortfall: Option<ListShortfall>,
    /// The control totals by currency. The key is empty for orders without a currency.
    pub control_totals: BTreeMap<String, ControlTotals>,
    /// The orders that fail each check, and their differences.
    pub checks: BTreeMap<&'static str, CheckCount>,
    /// The orders that fail a check for each cause, and their differences, keyed like `quote-split.overage`.
    pub causes: BTreeMap<String, CheckCount>,
    /// The cause that all mismatches in a column of our own books share, by field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub column_causes: BTreeMap<&'static str, ColumnCause>,
    /// The number of findings, by severity.
    #[serde(rename = "findings", serialize_with = "by_severity")]
    pub severities: BTreeMap<Severity, u64>,
    /// How discrepancies changed since their orders were last judged. It is not known of orders of a dataset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Lifecycle>,
    /// The number of orders that were not fetched again, because an earlier run saw them settled.
    pub reused: u64,
    /// The number of waivers in each state, where any were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waivers: Option<WaiverCounts>,
    /// The number of unwaived findings that are material, where a materiality is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub material: Option<u64>,
    /// The control totals that were given, and whether our figures tie out to them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ties: Vec<Tie>,
    /// What the provider's list of orders shows about the input, where the list was walked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completeness: Option<CompletenessCounts>,
    /// How what was pending at the previous close became what is pending at this one, by currency, if the report closes a
    /// month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roll_forward: Option<BTreeMap<String, RollForward>>,
    /// What later observations change in months that are closed, if the report is about any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adjustments: Option<Vec<MonthAdjustments>>,
    /// The period in which the input's orders were created, where one was given. An end that was not given is
    /// `as_of`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// The settings that affect judgement.
    pub settings: Rules,
}

/// Both severities, also where there are no findings.
fn by_severity<S: Serializer>(counts: &BTreeMap<Severity, u64>, serializer: S) -> Result<S::Ok, S::Error> {
    let count = |severity| counts.get(&severity).copied().unwrap_or_default();
    serializer.collect_map(Severity::ALL.map(|severity| (severity.code(), count(severity))))
}

impl SummaryJson {
    /// Whether the report closes a month that lacks something.
    #[must_use]
    pub fn has_gaps(&self) -> bool {
        self.dataset.as_ref().is_some_and(DatasetScope::has_gaps)
    }
}

/// Which orders of a dataset a report is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetScope {
    /// The first day on which they were created, in the dataset's time zone; `None` from the beginning.
    pub since: Option<Date>,
    /// The day after the last one; `None` to the end.
    pub until: Option<Date>,
    /// Their workflow; `None` for all.
    pub workflow: Option<String>,
    /// How many runs observed orders, of any day.
    pub runs: u64,
    /// When the first of these runs started.
    pub first_run: Timestamp,
    /// When the last of them started.
    pub last_run: Timestamp,
    /// How many observations there are of orders of those days.
    pub observations: u64,
    /// The month that the report closes, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close: Option<CloseScope>,
}

impl DatasetScope {
    /// Whether the report closes a month that lacks something.
    #[must_use]
    pub fn has_gaps(&self) -> bool {
        self.close.as_ref().is_some_and(|close| !close.gaps.is_empty())
    }
}

/// The month that a report closes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseScope {
    /// The month.
    pub month: Month,
    /// What its dataset lacks: it was closed nonetheless, by `--force`, without a verdict.
    pub gaps: Vec<CloseGap>,
}

/// What a dataset lacks to close a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "gap", rename_all = "kebab-case", deny_unknown_fields)]
pub enum CloseGap {
    /// No night that late: the last orders of the month have not had the time to settle.
    NotOver {
        /// When the last run started.
        last_run: Timestamp,
        /// When a run must have started, at the earliest.
        until: Timestamp,
    },
    /// Nights without a run.
    MissingNights {
        /// How many.
        count: u64,
        /// When the first of them began.
        first: Timestamp,
    },
    /// Nights whose runs all had an incomplete list of orders.
    IncompleteNights {
        /// How many.
        count: u64,
        /// When the first of them began.
        first: Timestamp,
    },
    /// Orders of earlier months about which the newest answer can't be read.
    UnreadableOrders {
        /// How many.
        count: u64,
    },
}

/// The one answer that all orders got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SoleReason {
    /// Its code, such as `code-402`.
    pub code: String,
    /// The answer to the first order, in the provider's words where it gave any.
    pub detail: String,
    /// The number of orders.
    pub orders: u64,
}

impl fmt::Display for SoleReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, detail, .. } = self;
        if detail.is_empty() { f.write_str(code) } else { write!(f, "{code}: {detail}") }
    }
}

/// What the provider's list of orders shows about the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CompletenessCounts {
    /// The number of listed orders that belong to the period.
    pub listed: u64,
    /// The number of those orders that the input lacks.
    pub unlisted: u64,
    /// The total number of orders that the provider counts; null where it does not say.
    pub counted: Option<u64>,
    /// The number of those orders that were never listed; null where it is unknown.
    pub missing: Option<u64>,
    /// Why the list could not be fetched, where that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// How discrepancies changed since their orders were last judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifecycle {
    /// Discrepancies that were not found the last time.
    pub new: u64,
    /// Discrepancies that were also found the last time.
    pub persisting: u64,
    /// Earlier discrepancies whose check was due again and now holds.
    pub resolved: u64,
    /// Earlier discrepancies that were not judged this time, including those of orders that are not in this
    /// input.
    pub not_assessed: u64,
}

/// The number of waivers in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WaiverCounts {
    /// Waivers that cover a discrepancy.
    pub applied: u64,
    /// Waivers that have expired.
    pub expired: u64,
    /// Waivers whose figures have changed.
    pub changed: u64,
    /// Waivers that no finding of this input needs.
    pub unused: u64,
}

/// The control totals of one currency.
#[derive(Clone, Debug, Serialize)]
pub struct ControlTotals {
    /// The sums of the six amounts over settled orders, from the aggregates.
    pub amounts: BTreeMap<&'static str, Sum>,
    /// By how much the identities are off, summed order by order.
    pub differences: IdentityDifferences,
    /// What passed only thanks to the tolerance.
    pub passed_by_tolerance: ToleratedTotals,
    /// What passed only thanks to the rounding of our books, where `--books-decimals` is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passed_by_rounding: Option<ToleratedTotals>,
    /// The findings that are waived, and their differences.
    pub waived: WaivedTotals,
    /// The quotes of unsettled orders, which the provider still holds.
    pub frozen: FrozenMoney,
    /// The orders that were created outside the requested period, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside_period: Option<OutsidePeriodTotals>,
    /// The bridge from the aggregates to the differences, by which the report checks itself.
    pub bridge: Bridge,
    /// Our own books beside the provider's, by amount.
    #[serde(skip_serializing_if = "Books::is_empty")]
    pub books: Books,
}

/// By how much each identity is off, over settled orders.
#[derive(Clone, Debug, Serialize)]
pub struct IdentityDifferences {
    /// `final + released − quote`.
    pub quote_split: Differences,
    /// `total − compute − external`.
    pub cost_sum: Differences,
}

/// Money the provider still holds: the quotes of unsettled orders.
#[derive(Clone, Debug, Serialize)]
pub struct FrozenMoney {
    /// All unsettled orders.
    #[serde(flatten)]
    pub total: FrozenTotals,
    /// The unsettled orders by age.
    pub by_age: BTreeMap<AgeBucket, FrozenTotals>,
    /// The unsettled orders with a `stale-soon` warning, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_soon: Option<FrozenTotals>,
}

impl ControlTotals {
    /// Assembles the control totals of one currency. `aggregates` has the sums in the order of
    /// [`Amounts::NAMES`].
    ///
    /// # Errors
    /// [`Overflow`] if a sum needs more than 38 digits.
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
    /// The summary of a report without rows, for tests.
    pub(in crate::report) fn empty() -> Self {
        Self {
            verdict: "reconciled",
            exit_code: 0,
            as_of: "2026-06-01T00:00:00Z".into(),
            account: None,
            population: Population::default(),
            input: Some(InputLayout::default()),
            dataset: None,
            sole_reason: None,
            input_shortfall: None,
            control_totals: BTreeMap::new(),
            checks: BTreeMap::new(),
            causes: BTreeMap::new(),
            column_causes: BTreeMap::new(),
            severities: BTreeMap::new(),
            lifecycle: Some(Lifecycle::default()),
            reused: 0,
            waivers: None,
            material: None,
            ties: Vec::new(),
            completeness: None,
            roll_forward: None,
            adjustments: None,
            period: None,
            settings: Rules::default(),
        }
    }
}
