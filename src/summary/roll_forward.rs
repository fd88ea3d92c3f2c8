//! The roll-forward of a close: how the pending orders of one close become those of the next.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::FrozenTotals;
use crate::domain::money::{Amount, Overflow, Sum};
use crate::domain::order::RunOrder;

/// How pending orders became others between two closes, in one currency. Money is that of quotes:
/// at open + new + late + reopened + requoted − settled − gone = at close.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollForward {
    /// The orders of earlier months that were unsettled at the previous close.
    pub pending_at_open: FrozenTotals,
    /// The orders that were created in the month.
    pub new: FrozenTotals,
    /// The orders of earlier months that were first observed, or observed again, after the previous close.
    pub late: FrozenTotals,
    /// The orders of earlier months that were settled at the previous close and no longer are.
    pub reopened: FrozenTotals,
    /// By how much the quotes of orders have changed that were unsettled at the previous close.
    pub requoted: Sum,
    /// The orders that were settled since, of those above.
    pub settled: FrozenTotals,
    /// The orders that were unsettled at the previous close, and can't be fetched any more or moved to another month.
    pub gone: FrozenTotals,
    /// The orders of this month and of earlier ones that are unsettled.
    pub pending_at_close: FrozenTotals,
}

/// The roll-forward in the making, by currency.
#[derive(Debug)]
pub struct RollForwards {
    by_currency: BTreeMap<String, RollForward>,
    /// Orders without a creation time: they are among those of every month, but not new in it.
    undated: BTreeMap<String, Orders>,
    /// Whether what was pending at open is still to be counted.
    is_first: bool,
}

/// Some orders of a currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Orders {
    /// All of them.
    pub all: FrozenTotals,
    /// Those that are settled.
    pub settled: FrozenTotals,
}

impl RollForward {
    /// What is pending at close, by the other lines.
    fn close(&self) -> Result<FrozenTotals, Overflow> {
        let Self { pending_at_open, new, late, reopened, requoted, settled, gone, .. } = *self;
        let orders = |totals: &[FrozenTotals]| totals.iter().map(|totals| totals.orders).sum::<u64>();
        let quotes = |totals: &[FrozenTotals]| totals.iter().try_fold(Sum::ZERO, |sum, it| sum.plus(it.quote_amount));
        let (more, less) = ([pending_at_open, new, late, reopened], [settled, gone]);
        Ok(FrozenTotals {
            orders: orders(&more).saturating_sub(orders(&less)),
            quote_amount: quotes(&more)?.plus(requoted)?.minus(quotes(&less)?)?,
        })
    }
}

impl RollForwards {
    /// Begins with what was pending at the previous close; `None` if there is none, so that it is counted.
    #[must_use]
    pub fn begin(pending_at_open: Option<BTreeMap<String, FrozenTotals>>) -> Self {
        let is_first = pending_at_open.is_none();
        let open = |(currency, pending_at_open)| (currency, RollForward { pending_at_open, ..RollForward::default() });
        let by_currency = pending_at_open.into_iter().flatten().map(open).collect();
        Self { by_currency, undated: BTreeMap::new(), is_first }
    }

    /// Adds an order of an earlier month, as it was at the previous close and as it is.
    ///
    /// # Errors
    /// [`Overflow`] if a total exceeds what a report can hold.
    pub fn add_earlier(&mut self, was: Option<&RunOrder>, is: Option<&RunOrder>) -> Result<(), Overflow> {
        if let (Some(before), Some(now)) = (was, is)
            && currency(before) != currency(now)
        {
            self.add_earlier(was, None)?;
            return self.add_earlier(None, is);
        }
        let Some(order) = is.or(was) else { return Ok(()) };
        let is_first = self.is_first;
        let lines = self.by_currency.entry(currency(order)).or_default();
        let was_pending = was.filter(|order| !order.is_settled());
        if let Some(was) = was_pending.filter(|_| is_first) {
            lines.pending_at_open.add_quote(was)?;
        }
        match (was, was_pending, is) {
            (None, _, Some(is)) => lines.late.add_quote(is)?,
            (_, Some(was), Some(is)) => {
                lines.requoted = lines.requoted.plus(quote(is))?.minus(quote(was))?;
            }
            (_, Some(was), None) => lines.gone.add_quote(was)?,
            (Some(_), None, Some(is)) if !is.is_settled() => lines.reopened.add_quote(is)?,
            _ => return Ok(()),
        }
        is.filter(|is| is.is_settled()).map_or(Ok(()), |is| lines.settled.add_quote(is))
    }

    /// Adds an order without a creation time, as it is: it is among the orders of the report, though not new.
    ///
    /// # Errors
    /// [`Overflow`] if a total exceeds what a report can hold.
    pub fn add_undated(&mut self, is: &RunOrder) -> Result<(), Overflow> {
        let orders = self.undated.entry(currency(is)).or_default();
        orders.all.add_quote(is)?;
        if is.is_settled() { orders.settled.add_quote(is) } else { Ok(()) }
    }

    /// Ends the roll-forward with the orders of the report in each currency, those without a creation time among them.
    ///
    /// # Errors
    /// [`Overflow`] if a total exceeds what a report can hold.
    pub fn finish(mut self, of_report: BTreeMap<String, Orders>) -> Result<BTreeMap<String, RollForward>, Overflow> {
        for (currency, orders) in of_report {
            let undated = self.undated.get(&currency).copied().unwrap_or_default();
            let lines = self.by_currency.entry(currency).or_default();
            lines.new = orders.all.without(undated.all)?;
            let settled = orders.settled.without(undated.settled)?;
            lines.settled.orders += settled.orders;
            lines.settled.quote_amount = lines.settled.quote_amount.plus(settled.quote_amount)?;
        }
        self.by_currency.retain(|_, lines| *lines != RollForward::default());
        for lines in self.by_currency.values_mut() {
            lines.pending_at_close = lines.close()?;
        }
        Ok(self.by_currency)
    }
}

impl FrozenTotals {
    fn add_quote(&mut self, order: &RunOrder) -> Result<(), Overflow> {
        self.add(quote(order))
    }

    fn without(self, some: Self) -> Result<Self, Overflow> {
        let orders = self.orders.saturating_sub(some.orders);
        Ok(Self { orders, quote_amount: self.quote_amount.minus(some.quote_amount)? })
    }
}

fn quote(order: &RunOrder) -> Amount {
    order.amounts.quote_amount.unwrap_or_default()
}

fn currency(order: &RunOrder) -> String {
    order.quote_currency.clone().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::order::Amounts;

    fn order(settled: bool, quote: &str) -> RunOrder {
        RunOrder {
            quote_currency: Some("CNY".to_owned()),
            run_status: Some("succeeded".to_owned()),
            settlement_status: Some(if settled { "settled" } else { "pending" }.to_owned()),
            amounts: Amounts { quote_amount: Some(Amount::parse(quote).expect("an amount")), ..Amounts::default() },
            ..RunOrder::default()
        }
    }

    fn totals(orders: u64, quote: &str) -> FrozenTotals {
        FrozenTotals { orders, quote_amount: Amount::parse(quote).expect("an amount").into() }
    }

    #[test]
    fn every_way_of_an_order_ends_in_what_is_pending_at_close() {
        let open = BTreeMap::from([("CNY".to_owned(), totals(4, "10"))]);
        for is_first in [false, true] {
            let mut lines = RollForwards::begin((!is_first).then(|| open.clone()));
            let mut add = |was: Option<RunOrder>, is: Option<RunOrder>| {
                lines.add_earlier(was.as_ref(), is.as_ref()).expect("in range");
            };
            add(Some(order(false, "1")), Some(order(true, "1.5")));
            add(Some(order(false, "2")), Some(order(false, "2.25")));
            add(Some(order(false, "3")), None);
            // Only the first close is told of an order that is as it was.
            if is_first {
                add(Some(order(false, "4")), Some(order(false, "4")));
            }
            add(None, Some(order(true, "10")));
            add(None, Some(order(false, "20")));
            add(Some(order(true, "30")), Some(order(false, "31")));
            add(Some(order(true, "40")), None);
            add(Some(order(true, "50")), Some(order(true, "51")));
            let report = Orders { all: totals(7, "700"), settled: totals(5, "500") };
            let lines = lines.finish(BTreeMap::from([("CNY".to_owned(), report)])).expect("in range");
            let expected = RollForward {
                pending_at_open: totals(4, "10"),
                new: totals(7, "700"),
                late: totals(2, "30"),
                reopened: totals(1, "31"),
                requoted: Amount::parse("0.75").expect("an amount").into(),
                settled: totals(7, "511.5"),
                gone: totals(1, "3"),
                // 2.25 + 4 + 20 + 31 of earlier months, and 200 of this one.
                pending_at_close: totals(6, "257.25"),
            };
            assert_eq!(lines, BTreeMap::from([("CNY".to_owned(), expected)]), "{is_first}");
        }
    }

    #[test]
    fn orders_without_a_creation_time_are_not_new_in_every_month() {
        let mut lines = RollForwards::begin(Some(BTreeMap::new()));
        lines.add_earlier(None, Some(&order(false, "1"))).expect("in range");
        lines.add_undated(&order(false, "1")).expect("in range");
        lines.add_undated(&order(true, "2")).expect("in range");
        let report = Orders { all: totals(3, "13"), settled: totals(2, "12") };
        let lines = lines.finish(BTreeMap::from([("CNY".to_owned(), report)])).expect("in range")["CNY"];
        assert_eq!((lines.late, lines.new, lines.settled), (totals(1, "1"), totals(1, "10"), totals(1, "10")));
        assert_eq!(lines.pending_at_close, totals(1, "1"));
    }

    #[test]
    fn an_order_that_changes_its_currency_leaves_one_and_enters_the_other() {
        let mut lines = RollForwards::begin(None);
        let dollars = RunOrder { quote_currency: Some("USD".to_owned()), ..order(false, "2") };
        lines.add_earlier(Some(&order(false, "1")), Some(&dollars)).expect("in range");
        let lines = lines.finish(BTreeMap::new()).expect("in range");
        assert_eq!((lines["CNY"].gone, lines["CNY"].pending_at_close), (totals(1, "1"), totals(0, "0")));
        assert_eq!((lines["USD"].late, lines["USD"].pending_at_close), (totals(1, "2"), totals(1, "2")));
    }
}
