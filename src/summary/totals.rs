//! The control totals of one currency, added up order by order.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ageing::AgeBucket;
use super::{Books, NetAndGross};
use crate::checks::{EXPECTED_MISMATCH, Judgement, OUTSIDE_PERIOD, STALE_SOON};
use crate::domain::money::{Amount, Overflow, Sum};
use crate::domain::order::{Amounts, RunOrder};

/// The control totals of one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CurrencyTotals {
    /// The differences between `final + released` and quote, over settled orders, whatever checks are on.
    pub quote: Differences,
    /// The differences between total and `compute + external`, over settled orders, whatever checks are on.
    pub cost: Differences,
    /// What passed only thanks to the tolerance.
    pub tolerated: ToleratedTotals,
    /// What passed only thanks to the rounding of our books.
    pub rounded: ToleratedTotals,
    /// The findings that waivers cover.
    pub waived: WaivedTotals,
    /// The quotes of all unsettled orders, by age.
    pub frozen: BTreeMap<AgeBucket, FrozenTotals>,
    /// The quotes of the unsettled orders that fail `stale-soon`.
    pub stale_soon: FrozenTotals,
    /// The orders that were created outside the requested period.
    pub outside_period: OutsidePeriodTotals,
    /// The totals of our own books and of the provider's. Empty if they are not compared.
    pub books: Books,
}

/// The differences of one identity over settled orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Differences {
    /// The differences of the orders that have all three amounts.
    #[serde(flatten)]
    pub difference: NetAndGross,
    /// The orders that lack one of the three amounts.
    pub lacking: LackingTotals,
}

/// The settled orders that lack an amount of an identity: a line of their own in the bridge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LackingTotals {
    /// How many there are.
    pub orders: u64,
    /// The sum of their wholes: quotes, or total costs.
    pub whole: Sum,
    /// The sum of those parts that they have.
    pub parts: Sum,
}

/// What passed only thanks to the tolerance, or to the rounding of our books.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ToleratedTotals {
    /// How many checks passed that way, over all orders.
    pub passes: u64,
    /// The differences that passed.
    #[serde(flatten)]
    pub difference: NetAndGross,
}

/// The findings that waivers cover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WaivedTotals {
    /// How many findings are waived.
    pub findings: u64,
    /// The differences that are waived.
    #[serde(flatten)]
    pub difference: NetAndGross,
}

/// The orders that were created outside the requested period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OutsidePeriodTotals {
    /// How many there are.
    pub orders: u64,
    /// The sum of the charges of those that are settled.
    pub final_amount: Sum,
    /// The sum of the quotes of those that are not settled.
    pub quote_amount: Sum,
}

/// Money that the provider still holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrozenTotals {
    /// How many unsettled orders there are.
    pub orders: u64,
    /// The sum of their quotes.
    pub quote_amount: Sum,
}

impl CurrencyTotals {
    pub(super) fn add(&mut self, order: &RunOrder, judgement: &Judgement, as_of: Timestamp) -> Result<(), Overflow> {
        let amounts = &order.amounts;
        if judgement.settled {
            self.quote.add(amounts.quote_amount, [amounts.final_amount, amounts.released_amount], Side::Parts)?;
            self.cost.add(amounts.total_cost, [amounts.compute_cost, amounts.external_model_cost], Side::Whole)?;
        } else {
            let quote = amounts.quote_amount.unwrap_or_default();
            self.frozen.entry(AgeBucket::of(order.created_at, as_of)).or_default().add(quote)?;
            if judgement.findings.iter().any(|finding| finding.check == STALE_SOON) {
                self.stale_soon.add(quote)?;
            }
        }
        if judgement.findings.iter().any(|finding| finding.check == OUTSIDE_PERIOD) {
            self.outside_period.add(amounts, judgement.settled)?;
        }
        for finding in judgement.findings.iter().filter(|finding| finding.is_waived) {
            self.waived.findings += 1;
            self.waived.difference.add(finding.difference.unwrap_or_default())?;
        }
        for tolerated in &judgement.tolerated {
            let is_of_books = tolerated.check == EXPECTED_MISMATCH;
            let passed = if is_of_books { &mut self.rounded } else { &mut self.tolerated };
            passed.passes += 1;
            passed.difference.add(tolerated.difference)?;
        }
        Ok(())
    }

    /// The money still frozen, over all ages.
    ///
    /// # Errors
    /// [`Overflow`] beyond 38 digits.
    pub fn frozen_in_all(&self) -> Result<FrozenTotals, Overflow> {
        self.frozen.values().try_fold(FrozenTotals::default(), |all, band| {
            Ok(FrozenTotals {
                orders: all.orders + band.orders,
                quote_amount: all.quote_amount.plus(band.quote_amount)?,
            })
        })
    }
}

impl OutsidePeriodTotals {
    fn add(&mut self, amounts: &Amounts, is_settled: bool) -> Result<(), Overflow> {
        self.orders += 1;
        let (sum, amount) = if is_settled {
            (&mut self.final_amount, amounts.final_amount)
        } else {
            (&mut self.quote_amount, amounts.quote_amount)
        };
        *sum = sum.plus(amount.unwrap_or_default())?;
        Ok(())
    }
}

impl FrozenTotals {
    pub(super) fn add(&mut self, quote: Amount) -> Result<(), Overflow> {
        self.orders += 1;
        self.quote_amount = self.quote_amount.plus(quote)?;
        Ok(())
    }
}

/// Which side of an identity is the actual one: `difference = actual − expected`.
#[derive(Clone, Copy)]
enum Side {
    Whole,
    Parts,
}

impl Differences {
    fn add(&mut self, whole: Option<Amount>, parts: [Option<Amount>; 2], actual: Side) -> Result<(), Overflow> {
        if let (Some(whole), [Some(first), Some(second)]) = (whole, parts) {
            return self.difference.add(match actual {
                Side::Whole => Sum::of([whole, -first, -second]),
                Side::Parts => Sum::of([first, second, -whole]),
            });
        }
        self.lacking.orders += 1;
        self.lacking.whole = self.lacking.whole.plus(whole.unwrap_or_default())?;
        self.lacking.parts = self.lacking.parts.plus(Sum::of(parts.map(Option::unwrap_or_default)))?;
        Ok(())
    }
}
