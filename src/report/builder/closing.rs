//! What changed in months that are closed, as it is added up.

use std::collections::BTreeMap;
use std::path::Path;

use crate::domain::month::Month;
use crate::domain::order::RunOrder;
use crate::report::ReportError;
use crate::report::content::closing::{AdjustmentRow, MonthAdjustments};
use crate::report::content::list::List;
use crate::report::evidence::spend::SpendRow;
use crate::summary::{Adjustment, AdjustmentTotals, Orders, Summary};

/// The adjustments of closed months, so far.
pub(super) struct Adjustments {
    pub(super) rows: List<AdjustmentRow>,
    /// The only workflow that is looked at.
    workflow: Option<String>,
    by_month: BTreeMap<(Option<Month>, String), AdjustmentTotals>,
}

impl Adjustments {
    pub(super) fn new(folder: &Path, workflow: Option<String>) -> Self {
        Self { rows: List::new(folder), workflow, by_month: BTreeMap::new() }
    }

    /// Adds an order, as it was when its month was closed and as it is.
    pub(super) fn add(
        &mut self,
        run_order_id: &str,
        month: Option<Month>,
        was: Option<&RunOrder>,
        is: Option<&RunOrder>,
    ) -> Result<(), ReportError> {
        let created_at = is.or(was).and_then(|order| order.created_at);
        let mut counted = None;
        let is_wanted = |it: &Adjustment| self.workflow.is_none() || self.workflow == it.workflow_id;
        for adjustment in Adjustment::of(was, is)?.into_iter().filter(is_wanted) {
            let currency = adjustment.currency.clone().unwrap_or_default();
            let is_first = counted.as_ref() != Some(&currency);
            self.by_month.entry((month, currency.clone())).or_default().add(&adjustment, is_first)?;
            counted = Some(currency);
            let run_order_id = run_order_id.to_owned();
            self.rows.push(&AdjustmentRow { run_order_id, month, created_at, adjustment })?;
        }
        Ok(())
    }

    /// The sums by month and currency, those of orders without a creation time last.
    pub(super) fn by_month(&self) -> Vec<MonthAdjustments> {
        let sums = self.by_month.iter().map(|((month, currency), totals)| {
            let (month, currency, totals) = (*month, currency.clone(), totals.clone());
            MonthAdjustments { month, currency, totals }
        });
        let (dated, undated): (Vec<_>, Vec<_>) = sums.partition(|sums| sums.month.is_some());
        [dated, undated].concat()
    }
}

/// All orders of a report and the settled ones, by currency.
pub(super) fn orders(summary: &Summary, rows: &[SpendRow]) -> Result<BTreeMap<String, Orders>, ReportError> {
    let mut by_currency = BTreeMap::<String, Orders>::new();
    for row in rows {
        let orders = by_currency.entry(row.currency.clone()).or_default();
        let [quotes, ..] = row.amounts;
        orders.all.orders += row.orders;
        orders.settled.orders += row.settled;
        orders.settled.quote_amount = orders.settled.quote_amount.plus(quotes)?;
    }
    for (currency, orders) in &mut by_currency {
        let frozen = summary.currencies.get(currency).map(|totals| totals.frozen_in_all()).transpose()?;
        orders.all.quote_amount = orders.settled.quote_amount.plus(frozen.unwrap_or_default().quote_amount)?;
    }
    Ok(by_currency)
}
