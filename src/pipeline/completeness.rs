//! Whether the input is complete: the provider's own list of orders, walked after the orders were fetched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::discovery::{self, Discovered, WalkError};
use super::fetch::Fetched;
use super::list_walk::OrderList;
use super::progress::say;
use super::{Earlier, Job, JobError};
use crate::domain::order::RunOrder;
use crate::domain::outcome::{Evidence, Outcome};
use crate::domain::time::Period;
use crate::provider::ListQuery;
use crate::report::evidence::completeness::Completeness;

/// Walks the list, where the input is to be complete.
pub(super) fn list(job: &Job, fetched: Fetched) -> Result<Fetched, JobError> {
    if job.rules.complete.is_none() {
        return Ok(fetched);
    }
    say(job.session.display, "walking the provider's list of orders");
    match discovery::list(&job.session, &ListQuery::default()) {
        Ok(Discovered::Listed(listing)) => Ok(Fetched { list: OrderList::Had(listing), ..fetched }),
        Ok(Discovered::Stopped(_)) => Err(JobError::Stopped),
        Err(WalkError::Stop(stop)) => Err(stop.into()),
        Err(lacking @ WalkError::Page { .. }) => {
            Ok(Fetched { list: OrderList::NotHad(lacking.to_string()), ..fetched })
        }
    }
}

/// What the input must have of the list, while it is not known yet which of it the input lacks.
#[derive(Default)]
pub(super) struct Wanted {
    /// How many orders the list has of the period.
    listed: u64,
    /// Those of them that no row was seen of.
    lacking: BTreeSet<Arc<str>>,
    /// What disproves the list: orders of the period that were fetched, and that it does not have.
    absent: Doubts,
    /// Orders of which it says an amount that can't be read.
    unreadable: Doubts,
}

/// Orders that make the list doubtful: how many, and the first.
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

impl Wanted {
    /// A row names that order.
    pub(super) fn see(&mut self, outcome: &Outcome, list: &OrderList, period: Option<Period>) {
        let id = &outcome.run_order_id;
        self.lacking.remove(id.as_str());
        let (OrderList::Had(listing), Some(period)) = (list, period) else {
            return;
        };
        match listing.orders.get(id.as_str()) {
            Some(listed) if listed.is_unreadable => self.unreadable.note(id),
            _ if is_absent(outcome, list, Some(period)) => self.absent.note(id),
            _ => {}
        }
    }

    /// Why the list, although it was walked to its end, does not tell what the input lacks.
    fn problem(&self) -> Option<String> {
        let Self { absent, unreadable, .. } = self;
        let orders = |count| if count == 1 { "1 order".to_owned() } else { format!("{count} orders") };
        if absent.count > 0 {
            let (orders, first) = (orders(absent.count), &absent.first);
            return Some(format!("the provider's list lacks {orders} of the period that it has, such as {first}"));
        }
        let (orders, first) = (orders(unreadable.count), &unreadable.first);
        (unreadable.count > 0)
            .then(|| format!("the provider's list says amounts that can't be read of {orders}, such as {first}"))
    }
}

/// Whether the list lacks an order of the period that is there, or was when it was seen last.
pub(super) fn is_absent(outcome: &Outcome, list: &OrderList, period: Option<Period>) -> bool {
    match (list, period, &outcome.evidence) {
        (OrderList::Had(listing), Some(period), Evidence::Fetched(fetched)) => {
            let id = outcome.run_order_id.as_str();
            !listing.orders.contains_key(id) && fetched.order.is_about(id) && is_of(&fetched.order, &period)
        }
        _ => false,
    }
}

/// Whether an order is certain to be of a period.
fn is_of(order: &RunOrder, period: &Period) -> bool {
    *period == Period::default() || order.created_at.is_some_and(|created| period.holds(created))
}

impl Job {
    /// What the input must have of the list; nothing where it was not asked for.
    pub(super) fn wanted(&self, list: &OrderList) -> Wanted {
        let listing = match (list, self.rules.complete) {
            (OrderList::Had(listing), Some(period)) => Some((listing, period)),
            _ => None,
        };
        // Where our clock is slow, the list ends by the provider's. One that is slower than ours excuses nothing.
        let clock = self.clock_off().filter(|_| !self.resuming.as_of_is_given);
        let now = clock.map_or(self.as_of, |clock| clock.provider.max(self.as_of));
        let lacking: BTreeSet<Arc<str>> = listing
            .into_iter()
            .flat_map(|(listing, period)| {
                // An order that is younger than the report need not be in an input that is older still.
                let until = period.until.map_or(now, |until| until.min(now));
                let period = Period { until: Some(until), ..period };
                listing.orders.iter().filter(move |(_, order)| order.may_be_of(&period)).map(|(id, _)| Arc::clone(id))
            })
            .collect();
        Wanted { listed: lacking.len() as u64, lacking, ..Wanted::default() }
    }
}

/// What the list says of the input, once every row was seen; `None` where it was not asked for.
pub(super) fn completeness(list: &OrderList, wanted: &Wanted, earlier: &mut Earlier) -> Option<Completeness> {
    let listing = match list {
        OrderList::Unwanted => return None,
        OrderList::NotHad(problem) => {
            return Some(Completeness { problem: Some(problem.clone()), ..Completeness::default() });
        }
        OrderList::Had(listing) => listing,
    };
    let unlisted = wanted.lacking.iter().filter_map(|id| listing.orders.get(id));
    let titles = listing.orders.values().filter_map(|order| {
        let (id, title) = (order.workflow_id.as_deref()?, order.title.as_deref()?);
        Some((id.to_owned(), title.to_owned()))
    });
    Some(Completeness {
        listed: wanted.listed,
        counted: listing.total,
        missing: listing.missing(),
        problem: wanted.problem(),
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

    /// What is wrong with a list of two orders, in view of an order that was fetched.
    fn problem(period: Period, seen: &Outcome) -> Option<String> {
        let mut listing = Listing::default();
        listing.orders = [listed("wfrun_1", false), listed("wfrun_2", true)].into();
        let list = OrderList::Had(Box::new(listing));
        let mut wanted = Wanted::default();
        wanted.see(seen, &list, Some(period));
        wanted.problem()
    }

    #[test]
    fn an_order_of_the_period_that_the_list_lacks_disproves_it() {
        let may = Period { since: "2026-05-01T00:00:00Z".parse().ok(), until: "2026-06-01T00:00:00Z".parse().ok() };
        let lacks = "the provider's list lacks 1 order of the period that it has, such as wfrun_3";
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
        assert_eq!(problem(Period::default(), &foreign), None, "somebody else's reply proves nothing");
    }

    #[test]
    fn an_amount_of_the_list_that_can_not_be_read_is_a_gap() {
        let said = problem(Period::default(), &fetched("wfrun_2", None)).expect("a gap");
        assert_eq!(said, "the provider's list says amounts that can't be read of 1 order, such as wfrun_2");
    }
}
