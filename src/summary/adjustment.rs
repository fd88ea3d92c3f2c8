//! Prior-period adjustments: what later observations change in the figures of a month that is closed.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::money::{Amount, Overflow, Sum};
use crate::domain::order::{Amounts, RunOrder};

/// What became of an order since its month was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is settled now.
    Settled,
    /// It was settled, and no longer is.
    Reopened,
    /// It was settled for other amounts.
    Restated,
    /// It is still unsettled, with another quote.
    Requoted,
    /// It was not known then, or could not be fetched.
    Added,
    /// It can't be fetched any more, or moved to another month.
    Gone,
    /// It belongs to another workflow, revision or currency.
    Reattributed,
}

/// By how much an order changes the figures of its month, for one workflow, revision and currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// What became of the order.
    pub change: Change,
    /// The workflow whose figures change.
    pub workflow_id: Option<String>,
    /// The revision whose figures change.
    pub revision_id: Option<String>,
    /// The currency of the amounts.
    pub currency: Option<String>,
    /// The changes of the sums over settled orders, in the order of [`Amounts::NAMES`].
    pub amounts: [Sum; Amounts::NAMES.len()],
    /// The change of the quotes of unsettled orders.
    pub pending_quote: Sum,
}

/// The adjustments of a month, or of the orders without a creation time, in one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AdjustmentTotals {
    /// How many orders changed.
    pub orders: u64,
    /// The changes of the sums over settled orders.
    pub amounts: BTreeMap<&'static str, Sum>,
    /// The change of the quotes of unsettled orders.
    pub pending_quote: Sum,
}

impl Change {
    /// Every change.
    pub const ALL: [Self; 7] =
        [Self::Settled, Self::Reopened, Self::Restated, Self::Requoted, Self::Added, Self::Gone, Self::Reattributed];

    /// The word that reports use.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Reopened => "reopened",
            Self::Restated => "restated",
            Self::Requoted => "requoted",
            Self::Added => "added",
            Self::Gone => "gone",
            Self::Reattributed => "reattributed",
        }
    }

    fn of(was: Option<&RunOrder>, is: Option<&RunOrder>) -> Self {
        match (was, is) {
            (None, _) => Self::Added,
            (_, None) => Self::Gone,
            (Some(was), Some(is)) if place(was) != place(is) => Self::Reattributed,
            (Some(was), Some(is)) => match (was.is_settled(), is.is_settled()) {
                (false, true) => Self::Settled,
                (true, false) => Self::Reopened,
                (true, true) => Self::Restated,
                (false, false) => Self::Requoted,
            },
        }
    }
}

impl Adjustment {
    /// What an order changes in the figures of its month: nothing, one workflow's figures, or those of two.
    ///
    /// # Errors
    /// [`Overflow`] if a difference exceeds what a report can hold.
    pub fn of(was: Option<&RunOrder>, is: Option<&RunOrder>) -> Result<Vec<Self>, Overflow> {
        let change = Change::of(was, is);
        let sides = if change == Change::Reattributed { vec![(was, None), (None, is)] } else { vec![(was, is)] };
        let mut adjustments = Vec::new();
        for (was, is) in sides {
            let Some(order) = is.or(was) else { continue };
            let (before, now) = (Figures::of(was), Figures::of(is));
            let mut amounts = [Sum::ZERO; Amounts::NAMES.len()];
            for (place, amount) in amounts.iter_mut().enumerate() {
                *amount = Sum::from(now.settled[place]).minus(before.settled[place])?;
            }
            let pending_quote = Sum::from(now.pending_quote).minus(before.pending_quote)?;
            let [workflow_id, revision_id, currency] = place(order).map(|text| text.map(str::to_owned));
            adjustments.push(Self { change, workflow_id, revision_id, currency, amounts, pending_quote });
        }
        // A pending order may change in what enters no figure.
        let is_any =
            |adjustment: &Self| adjustment.has_figures() || !matches!(change, Change::Restated | Change::Requoted);
        adjustments.retain(is_any);
        Ok(adjustments)
    }

    fn has_figures(&self) -> bool {
        !self.pending_quote.is_zero() || self.amounts.iter().any(|amount| !amount.is_zero())
    }
}

impl AdjustmentTotals {
    /// Adds an adjustment. Of an order with several in one currency only the first `is_first`.
    ///
    /// # Errors
    /// [`Overflow`] if a total exceeds what a report can hold.
    pub fn add(&mut self, adjustment: &Adjustment, is_first: bool) -> Result<(), Overflow> {
        self.orders += u64::from(is_first);
        self.pending_quote = self.pending_quote.plus(adjustment.pending_quote)?;
        for (name, amount) in Amounts::NAMES.into_iter().zip(adjustment.amounts) {
            let sum = self.amounts.entry(name).or_default();
            *sum = sum.plus(amount)?;
        }
        Ok(())
    }
}

/// What an order adds to the figures of its month.
#[derive(Default)]
struct Figures {
    settled: [Amount; Amounts::NAMES.len()],
    pending_quote: Amount,
}

impl Figures {
    fn of(order: Option<&RunOrder>) -> Self {
        let Some(order) = order else { return Self::default() };
        if order.is_settled() {
            let settled = order.amounts.in_order().map(Option::unwrap_or_default);
            return Self { settled, ..Self::default() };
        }
        Self { pending_quote: order.amounts.quote_amount.unwrap_or_default(), ..Self::default() }
    }
}

fn place(order: &RunOrder) -> [Option<&str>; 3] {
    [&order.workflow_id, &order.revision_id, &order.quote_currency].map(|text| text.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(workflow: &str, settled: bool, quote: &str) -> RunOrder {
        let amount = Amount::parse(quote).expect("an amount");
        RunOrder {
            workflow_id: Some(workflow.to_owned()),
            quote_currency: Some("CNY".to_owned()),
            run_status: Some("succeeded".to_owned()),
            settlement_status: Some(if settled { "settled" } else { "pending" }.to_owned()),
            amounts: Amounts { quote_amount: Some(amount), final_amount: Some(amount), ..Amounts::default() },
            ..RunOrder::default()
        }
    }

    /// Each adjustment: what became of the order, the workflow, and the changes of quote, final and pending quote.
    fn told(was: Option<&RunOrder>, is: Option<&RunOrder>) -> Vec<String> {
        let adjustments = Adjustment::of(was, is).expect("in range");
        let told = adjustments.into_iter().map(|it| {
            let [quote, charged, ..] = it.amounts.map(|amount| amount.units());
            let workflow = it.workflow_id.unwrap_or_default();
            format!("{} {workflow} {quote} {charged} {}", it.change.code(), it.pending_quote.units())
        });
        told.collect()
    }

    #[test]
    fn every_change_adjusts_what_it_changes() {
        let (pending, settled) = (order("w", false, "0.00000002"), order("w", true, "0.00000005"));
        let (other, dearer) = (order("v", true, "0.00000005"), order("w", true, "0.00000009"));
        let requoted = order("w", false, "0.00000003");
        assert_eq!(told(Some(&pending), Some(&settled)), ["settled w 5 5 -2"]);
        assert_eq!(told(Some(&settled), Some(&pending)), ["reopened w -5 -5 2"]);
        assert_eq!(told(Some(&settled), Some(&dearer)), ["restated w 4 4 0"]);
        assert_eq!(told(Some(&pending), Some(&requoted)), ["requoted w 0 0 1"]);
        assert_eq!(told(None, Some(&settled)), ["added w 5 5 0"]);
        assert_eq!(told(Some(&settled), None), ["gone w -5 -5 0"]);
        assert_eq!(told(Some(&settled), Some(&other)), ["reattributed w -5 -5 0", "reattributed v 5 5 0"]);
    }

    #[test]
    fn what_enters_no_figure_is_no_adjustment() {
        let pending = order("w", false, "0.00000002");
        let amounts = Amounts { final_amount: None, ..pending.amounts };
        let charged_later = RunOrder { amounts, ..pending.clone() };
        assert_eq!(told(Some(&charged_later), Some(&pending)), [""; 0]);
        let settled = order("w", true, "0");
        let amounts = Amounts { final_amount: None, ..settled.amounts };
        assert_eq!(told(Some(&RunOrder { amounts, ..settled.clone() }), Some(&settled)), [""; 0]);
    }
}
