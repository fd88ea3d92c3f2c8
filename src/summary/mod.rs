//! What all outcomes add up to: population, control totals, counts per check, the bridge and the verdict.
//!
//! Nothing here depends on the sequence in which outcomes arrive. Everything is computed order by order on
//! integers: the second path that proves the aggregates of reports.

mod adjustment;
mod ageing;
mod books;
mod bridge;
mod population;
mod roll_forward;
mod ties;
mod totals;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use crate::checks::Judgement;
use crate::domain::finding::{Finding, Severity};
use crate::domain::money::{Overflow, Sum};
use crate::domain::order::RunOrder;
use crate::domain::outcome::Bucket;

pub use adjustment::{Adjustment, AdjustmentTotals, Change};
pub use ageing::{AgeBucket, age_hours};
pub use books::{BookTotals, Books, ColumnCause, ColumnCauses};
pub use bridge::{Bridge, BridgeLine};
pub use population::Population;
pub use roll_forward::{Orders, RollForward, RollForwards};
pub use ties::{Tie, TieFigure};
pub use totals::{
    CurrencyTotals, Differences, FrozenTotals, LackingTotals, OutsidePeriodTotals, ToleratedTotals, WaivedTotals,
};
pub use verdict::{ExitInputs, FailOn, Verdict, VerdictFactors};

/// What all outcomes of a run add up to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many rows landed in each bucket.
    pub population: Population,
    /// The control totals by currency. Orders without a currency are counted under the empty text.
    pub currencies: BTreeMap<String, CurrencyTotals>,
    /// The findings by check code.
    pub checks: BTreeMap<&'static str, CheckCount>,
    /// The findings that have a cause, by check and cause, such as `quote-split.overage`.
    pub causes: BTreeMap<String, CheckCount>,
    /// The causes that mismatches of our own books share, by column.
    pub columns: ColumnCauses,
    /// How many findings are material and not waived. Zero if no materiality is set.
    pub material: u64,
    /// How many findings there are of each severity.
    pub severities: BTreeMap<Severity, u64>,
    /// What affects the verdict, apart from the buckets of the rows.
    pub factors: VerdictFactors,
}

/// How many orders failed one check, or failed it for one cause, and by how much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckCount {
    /// The graver severity among these findings: `error` or `warning`.
    #[serde(serialize_with = "word")]
    pub severity: Severity,
    /// How many orders fail the check.
    pub orders: u64,
    /// The differences by currency. Empty if the check has no differences.
    pub differences: BTreeMap<String, NetAndGross>,
}

fn word<S: Serializer>(severity: &Severity, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(severity.code())
}

impl CheckCount {
    fn none(severity: Severity) -> Self {
        Self { severity, orders: 0, differences: BTreeMap::new() }
    }

    fn add(&mut self, finding: &Finding, currency: &str, is_first_of_order: bool) -> Result<(), Overflow> {
        // Errors sort before warnings.
        self.severity = self.severity.min(finding.severity);
        self.orders += u64::from(is_first_of_order);
        if let Some(difference) = finding.difference {
            self.differences.entry(currency.to_owned()).or_default().add(difference)?;
        }
        Ok(())
    }
}

/// The total of signed differences, and that of their absolute values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetAndGross {
    /// The signed total.
    pub net: Sum,
    /// The total of the absolute values, in which opposite differences don't cancel out.
    pub gross: Sum,
}

impl NetAndGross {
    fn add(&mut self, difference: Sum) -> Result<(), Overflow> {
        self.net = self.net.plus(difference)?;
        self.gross = self.gross.plus(difference.abs())?;
        Ok(())
    }
}

impl Summary {
    /// Adds one judged outcome, with its order if one was fetched. Ages are measured at `as_of`.
    ///
    /// # Errors
    /// [`Overflow`] if a total exceeds what a report can hold.
    pub fn add(&mut self, judgement: &Judgement, order: Option<&RunOrder>, as_of: Timestamp) -> Result<(), Overflow> {
        self.population.count(judgement.bucket);
        self.material += judgement.findings.iter().filter(|finding| finding.is_material).count() as u64;
        let currency = order.and_then(|order| order.quote_currency.as_deref()).unwrap_or_default();
        self.count_findings(&judgement.findings, currency)?;
        if let Some(order) = order.filter(|_| !judgement.foreign) {
            self.currencies.entry(currency.to_owned()).or_default().add(order, judgement, as_of)?;
        }
        Ok(())
    }

    /// Adds orders that are sound: their differences are zero, and they have no findings.
    pub fn add_sound(&mut self, currency: &str, orders: u64) {
        self.population.count_all(Bucket::Reconciled, orders);
        // An entry would copy the key for every order.
        if !self.currencies.contains_key(currency) {
            self.currencies.insert(currency.to_owned(), CurrencyTotals::default());
        }
    }

    /// Adds the judgement of an order that the input lacks. It is not a row, and its amounts enter no sum.
    ///
    /// # Errors
    /// [`Overflow`] if a total exceeds what a report can hold.
    pub fn add_unlisted(&mut self, judgement: &Judgement) -> Result<(), Overflow> {
        self.count_findings(&judgement.findings, "")?;
        for finding in &judgement.findings {
            match (finding.is_waived, finding.severity) {
                (false, Severity::Error) => self.factors.variance = true,
                _ => self.factors.warnings = true,
            }
        }
        Ok(())
    }

    /// Counts the findings of one order. For each check, and for each of its causes, the order counts once.
    fn count_findings(&mut self, findings: &[Finding], currency: &str) -> Result<(), Overflow> {
        let mut counted = BTreeSet::new();
        for finding in findings {
            self.columns.add(finding);
            self.factors.warnings |= finding.severity == Severity::Warning;
            *self.severities.entry(finding.severity).or_default() += 1;
            let none = || CheckCount::none(finding.severity);
            let check = self.checks.entry(finding.check).or_insert_with(none);
            check.add(finding, currency, counted.insert((finding.check, None)))?;
            if let Some(cause) = finding.cause {
                let of_cause = self.causes.entry(format!("{}.{cause}", finding.check)).or_insert_with(none);
                of_cause.add(finding, currency, counted.insert((finding.check, Some(cause))))?;
            }
        }
        Ok(())
    }

    /// The verdict over everything that was added so far.
    #[must_use]
    pub fn verdict(&self, allow_empty: bool) -> Verdict {
        Verdict::of(&self.population, self.factors, allow_empty)
    }

    /// The verdict, and what else the exit code depends on.
    #[must_use]
    pub fn exit_inputs(&self, allow_empty: bool) -> ExitInputs {
        let (verdict, pending) = (self.verdict(allow_empty), self.population.of(Bucket::Pending));
        ExitInputs {
            verdict,
            pending,
            material: self.material,
            completeness_unknown: self.factors.completeness_unknown,
        }
    }
}

#[cfg(test)]
mod tests;
