//! The bridge: a report's proof of its own sums.
//!
//! Per currency, `Σ quote = Σ final + Σ released − Σ (final + released − quote)` and
//! `Σ total = Σ compute + Σ external + Σ (total − compute − external)`, over settled orders. The sums come from
//! the aggregates; the differences are added up order by order, on a separate path. Orders that lack an amount
//! have a line of their own. The residual must be zero.

use serde::Serialize;

use super::totals::CurrencyTotals;
use crate::domain::money::{Overflow, Sum};

/// The bridge of one currency, with one line for each identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bridge {
    /// `quote = final + released`.
    pub quote_split: BridgeLine,
    /// `total = compute + external`.
    pub cost_sum: BridgeLine,
}

/// One identity, summed over settled orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BridgeLine {
    /// The aggregate of the whole: quotes, or total costs.
    pub whole: Sum,
    /// The aggregates of both parts, added.
    pub parts: Sum,
    /// The differences (actual − expected) of the orders that have all three amounts, added order by order.
    pub differences: Sum,
    /// Whole minus parts over the orders that lack an amount.
    pub lacking: Sum,
    /// What remains unexplained. Unless it is zero, the report is wrong.
    pub residual: Sum,
}

impl Bridge {
    /// Builds the bridge of one currency from the aggregates (the six sums over settled orders, in the order
    /// of `Amounts::NAMES`) and the totals added up order by order.
    ///
    /// # Errors
    /// [`Overflow`] beyond 38 digits.
    pub fn build(aggregates: &[Sum; 6], totals: &CurrencyTotals) -> Result<Self, Overflow> {
        let [quote, charged, released, compute, external, total] = *aggregates;
        let (split, cost) = (&totals.quote, &totals.cost);
        let quote_split = {
            let (whole, parts) = (quote, charged.plus(released)?);
            let lacking = split.lacking.whole.minus(split.lacking.parts)?;
            let residual = whole.minus(parts)?.plus(split.difference.net)?.minus(lacking)?;
            BridgeLine { whole, parts, differences: split.difference.net, lacking, residual }
        };
        let cost_sum = {
            let (whole, parts) = (total, compute.plus(external)?);
            let lacking = cost.lacking.whole.minus(cost.lacking.parts)?;
            let residual = whole.minus(parts)?.minus(cost.difference.net)?.minus(lacking)?;
            BridgeLine { whole, parts, differences: cost.difference.net, lacking, residual }
        };
        Ok(Self { quote_split, cost_sum })
    }

    /// Whether both residuals are zero.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.quote_split.residual.is_zero() && self.cost_sum.residual.is_zero()
    }
}
