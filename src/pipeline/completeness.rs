//! Whether the input is complete: compares it with the provider's own list of orders, walked after the orders were
//! fetched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::discovery::{self, DiscoveryEnd, WalkError};
use super::fetch::FetchPhase;
use super::list_walk::OrderList;
use super::progress::say;
use super::{EarlierRuns, Job, JobError};
use crate::domain::order::RunOrder;
use crate::domain::outcome::{Evidence, Outcome};
use crate::domain::time::Period;
use crate::provider::ListQuery;
use crate::report::evidence::completeness::Completeness;

/// Walks the list, with `--complete`. If a page can't be fetched, the job goes on without the list.
pub(super) fn list(job: &Job, fetched: FetchPhase) -> Result<FetchPhase, JobError> {
    if job.rules.complete.is_none() {
        return Ok(fetched);
    }
    let texts = job.session.texts;
    say(job.session.display, &texts.get("progress-list"));
    match discovery::list(&job.session, &ListQuery::default()) {
        Ok(DiscoveryEnd::Listed(listing)) => Ok(FetchPhase { list: OrderList::Available(listing), ..fetched }),
        Ok(DiscoveryEnd::Stopped(_)) => Err(JobError::Stopped),
        Err(WalkError::Stop(stop)) => Err(stop.into()),
        Err(error @ WalkError::Page { .. }) => {
            Ok(FetchPhase { list: OrderList::Unavailable(error.to_string()), ..fetched })
        }
    }
}

/// The listed orders that the input must have, while its rows are being visited.
#[derive(Default)]
pub(super) struct RequiredOrders {
    /// How many listed orders may belong to the period.
    listed: u64,
    /// Those of them that no row has named yet.
    lacking: BTreeSet<Arc<str>>,
    /// Orders of the period that were fetched but are not listed. They disprove the list.
    absent: Doubts,
    /// Listed orders with an amount that can't be read.
    unreadable: Doubts,
}

/// Orders that cast doubt on the list: how many, and the first of them.
#[derive(Default)]
struct Doubts {
    count: u64,
    first: String,
}

impl Doubts {
    fn note(&mut self, run_order_id: &str) {
        if self.count == 0 {
            run_order_id.clone_into(&mut self.first);
        }
        self.count += 1;
    }
}

impl RequiredOrders {
    /// Takes in one row.
    pub(super) fn see(&mut self, outcome: &Outcome, list: &OrderList, period: Option<Period>) {
        let id = &outcome.run_order_id;
        self.lacking.remove(id.as_str());
        let (OrderList::Available(listing), Some(period)) = (list, period) else {
            return;
        };
        match listing.orders.get(id.as_str()) {
            Some(listed) if listed.is_unreadable => self.unreadable.note(id),
            _ if is_absent(outcome, list, Some(period)) => self.absent.note(id),
            _ => {}
        }
    }

    /// Why the list can't prove what the input lacks, although it was walked to its end.
    fn problem(&self) -> Option<String> {
        let Self { absent, unreadable, .. } = self;
        let orders = |count| if count == 1 { "1 order".to_owned() } else { format!("{count} orders") };
        if absent.count > 0 {
            let (orders, first) = (orders(absent.count), &absent.first);
            return Some(format!(
                "the provider's list lacks {orders} of the period that could be fetched, such as {first}"
            ));
        }
        let (orders, first) = (orders(unreadable.count), &unreadable.first);
        (unreadable.count > 0)
            .then(|| format!("the provider's list has amounts that can't be read for {orders}, such as {first}"))
    }
}

/// Whether the list lacks an order of the period that exists, or existed when it was last seen.
pub(super) fn is_absent(outcome: &Outcome, list: &OrderList, period: Option<Period>) -> bool {
    match (list, period, &outcome.evidence) {
        (OrderList::Available(listing), Some(period), Evidence::Fetched(fetched)) => {
            let id = outcome.run_order_id.as_str();
            !listing.orders.contains_key(id) && fetched.order.is_about(id) && is_of(&fetched.order, &period)
        }
        _ => false,
    }
}

/// Whether an order certainly belongs to a period.
fn is_of(order: &RunOrder, period: &Period) -> bool {
    *period == Period::default() || order.created_at.is_some_and(|created| period.holds(created))
}

impl Job {
    /// The listed orders that the input must have; none without `--complete` or without the list.
    pub(super) fn required_orders(&self, list: &OrderList) -> RequiredOrders {
        let listing = match (list, self.rules.complete) {
            (OrderList::Available(listing), Some(period)) => Some((listing, period)),
            _ => None,
        };
        // If our clock is slow, the period ends by the provider's clock. A slow provider's clock excuses nothing.
        let clock = self.clock_off().filter(|_| !self.resumption.as_of_is_given);
        let now = clock.map_or(self.as_of, |clock| clock.provider.max(self.as_of));
        let lacking: BTreeSet<Arc<str>> = listing
            .into_iter()
            .flat_map(|(listing, period)| {
                // An order created after `as_of` need not be in the input, which was made before.
                let until = period.until.map_or(now, |until| until.min(now));
                let period = Period { until: Some(until), ..period };
                listing.orders.iter().filter(move |(_, order)| order.may_be_of(&period)).map(|(id, _)| Arc::clone(id))
            })
            .collect();
        RequiredOrders { listed: lacking.len() as u64, lacking, ..RequiredOrders::default() }
    }
}

/// What the list shows about the input, once every row was seen; `None` if the list was not asked for.
pub(super) fn completeness(
    list: &OrderList,
    required: &RequiredOrders,
    earlier: &mut EarlierRuns,
) -> Option<Completeness> {
    let listing = match list {
        OrderList::NotRequested => return None,
        OrderList::Unavailable(problem) => {
            return Some(Completeness { problem: Some(problem.clone()), ..Completeness::default() });
        }
        OrderList::Available(listing) => listing,
    };
    let unlisted = required.lacking.iter().filter_map(|id| listing.orders.get(id));
    let titles = listing.orders.values().filter_map(|order| {
        let (id, title) = (order.workflow_id.as_deref()?, order.title.as_deref()?);
        Some((id.to_owned(), title.to_owned()))
    });
    Some(Completeness {
        listed: required.listed,
        counted: listing.total,
        missing: listing.missing(),
        problem: required.problem(),
        unlisted: unlisted
            .map(|order| {
                let known = earlier.take(&order.run_order_id).into_iter();
                (order.clone(), known.map(|known| known.finding).collect())
            })
            .collect(),
        titles: titles.collect::<BTreeMap<_, _>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::listed::ListedOrder;
    use crate::pipeline::list_walk::Listing;

    fn listed(id: &str, is_unreadable: bool) -> (Arc<str>, ListedOrder) {
        (id.into(), ListedOrder { is_unreadable, ..ListedOrder::bare(id) })
    }

    fn fetched(id: &str, created_at: Option<&str>) -> Outcome {
        let created_at = created_at.map(|time| time.parse().expect("a time"));
        let order = RunOrder { run_order_id: Some(id.to_owned()), created_at, ..RunOrder::default() };
        Outcome { line: 2, run_order_id: id.to_owned(), evidence: order.into() }
    }

    /// The problem of a list of two orders, given an order that was fetched.
    fn problem(period: Period, seen: &Outcome) -> Option<String> {
        let mut listing = Listing::default();
        listing.orders = [listed("wfrun_1", false), listed("wfrun_2", true)].into();
        let list = OrderList::Available(Box::new(listing));
        let mut required = RequiredOrders::default();
        required.see(seen, &list, Some(period));
        required.problem()
    }

    #[test]
    fn an_order_of_the_period_that_the_list_lacks_disproves_it() {
        let may = Period { since: "2026-05-01T00:00:00Z".parse().ok(), until: "2026-06-01T00:00:00Z".parse().ok() };
        let lacks = "the provider's list lacks 1 order of the period that could be fetched, such as wfrun_3";
        for (period, created_at, expected) in [
            (may, Some("2026-05-08T10:00:00Z"), Some(lacks)),
            (may, Some("2026-06-01T00:00:00Z"), None),
            (may, Some("2026-04-30T23:59:59Z"), None),
            (may, None, None),
            (Period::default(), Some("2020-01-01T00:00:00Z"), Some(lacks)),
            (Period::default(), None, Some(lacks)),
        ] {
            let seen = fetched("wfrun_3", created_at);
            assert_eq!(problem(period, &seen).as_deref(), expected, "{period:?} {created_at:?}");
        }
        assert_eq!(problem(Period::default(), &fetched("wfrun_1", None)), None);
        let foreign = Outcome { run_order_id: "wfrun_9".to_owned(), ..fetched("wfrun_3", None) };
        assert_eq!(problem(Period::default(), &foreign), None, "a reply about a different order proves nothing");
    }

    #[test]
    fn an_unreadable_amount_in_the_list_is_a_gap() {
        let gap = problem(Period::default(), &fetched("wfrun_2", None)).expect("a gap");
        assert_eq!(gap, "the provider's list has amounts that can't be read for 1 order, such as wfrun_2");
    }
}
