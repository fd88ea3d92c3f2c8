//! Proofs of a report's own figures: counts and sums that were computed on different paths must agree.

use std::collections::BTreeMap;

use crate::checks::Rules;
use crate::domain::money::Sum;
use crate::domain::outcome::Bucket;
use crate::report::ReportError;
use crate::report::content::summary_json::ControlTotals;
use crate::report::evidence::spend::SpendRow;
use crate::summary::{Bridge, Population, Summary, Tie};

/// Independent counts that must agree with the population.
pub(super) struct Counts {
    pub(super) rows_read: u64,
    pub(super) facts_rows: u64,
    pub(super) exceptions: u64,
    /// How many replies are about a different order.
    pub(super) foreign: u64,
    /// How many exceptions are in the bucket `waived`.
    pub(super) waived_missing: u64,
}

impl Counts {
    pub(super) fn prove(&self, summary: &Summary, aggregates: &[&[SpendRow]]) -> Result<(), ReportError> {
        let population = &summary.population;
        let mut contradictions = vec![("rows read and population", self.rows_read, population.rows())];
        let fetched = population.of_any(&[Bucket::Reconciled, Bucket::Discrepant, Bucket::Waived, Bucket::Pending]);
        let fetched = fetched.saturating_sub(self.waived_missing);
        contradictions.push(("rows and fetched orders plus exceptions", population.rows(), fetched + self.exceptions));
        contradictions.push(("fetched orders and facts", fetched, self.facts_rows + self.foreign));
        for rows in aggregates {
            let orders = rows.iter().map(|row| row.orders).sum();
            contradictions.push(("facts and aggregated orders", self.facts_rows, orders));
        }
        match contradictions.into_iter().find(|(_, one, other)| one != other) {
            None => Ok(()),
            Some((what, one, other)) => Err(ReportError::Contradiction(format!("{what}: {one} and {other}"))),
        }
    }
}

/// The control totals by currency. The bridge must close for each of the aggregates.
pub(super) fn prove_totals(
    summary: &Summary,
    aggregates: &[&[SpendRow]],
    rules: &Rules,
) -> Result<BTreeMap<String, ControlTotals>, ReportError> {
    let mut control_totals = BTreeMap::new();
    for rows in aggregates {
        let mut sums = sums(rows)?;
        summary.currencies.keys().for_each(|currency| _ = sums.entry(currency).or_default());
        for (currency, sums) in sums {
            let totals = summary.currencies.get(currency).cloned().unwrap_or_default();
            let bridge = Bridge::build(&sums, &totals)?;
            if !bridge.holds() {
                return Err(ReportError::Contradiction(format!(
                    "the bridge of {currency:?} does not close: {} is left of the quotes, {} of the costs",
                    bridge.quote_split.residual, bridge.cost_sum.residual
                )));
            }
            control_totals.insert(currency.to_owned(), ControlTotals::of(&sums, &totals, bridge, rules)?);
        }
    }
    Ok(control_totals)
}

/// The six amounts summed over settled orders, by currency.
fn sums(rows: &[SpendRow]) -> Result<BTreeMap<&str, [Sum; 6]>, ReportError> {
    let mut sums = BTreeMap::<&str, [Sum; 6]>::new();
    for row in rows {
        for (sum, amount) in sums.entry(&*row.currency).or_default().iter_mut().zip(row.amounts) {
            *sum = sum.plus(amount)?;
        }
    }
    Ok(sums)
}

/// Compares the sums and the population with the control totals from outside.
pub(super) fn tie_out(rules: &Rules, rows: &[SpendRow], population: &Population) -> Result<Vec<Tie>, ReportError> {
    Ok(Tie::compare_all(rules, &sums(rows)?, population)?)
}
