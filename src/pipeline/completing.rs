//! Whether the input is complete: the provider's own list of orders, walked after the orders were fetched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::discovery::{self, Discovered, WalkError};
use super::fetching::Fetched;
use super::listing::Listing;
use super::progress::say;
use super::{Earlier, Job, JobError};
use crate::domain::listed::ListedAmounts;
use crate::domain::time::Period;
use crate::provider::ListQuery;
use crate::report::completeness::Completeness;

/// What became of the list.
#[derive(Debug, Default)]
pub(super) enum OrderList {
    /// Nobody asked for it.
    #[default]
    Unwanted,
    /// It was walked to its end.
    Had(Box<Listing>),
    /// It could not be had, and why.
    NotHad(String),
}

impl OrderList {
    /// What it says of an order.
    pub(super) fn amounts(&self, run_order_id: &str) -> Option<ListedAmounts> {
        match self {
            Self::Had(listing) => listing.orders.get(run_order_id).map(|order| order.amounts()),
            Self::Unwanted | Self::NotHad(_) => None,
        }
    }
}

/// Walks the list, where the input is to be complete.
pub(super) fn list(job: &Job, fetched: Fetched) -> Result<Fetched, JobError> {
    if job.judging.complete.is_none() {
        return Ok(fetched);
    }
    say(job.display, "walking the provider's list of orders");
    let query = ListQuery::default();
    match job.runtime.block_on(discovery::list(&job.provider, &query, &job.signals, job.display)) {
        Ok(Discovered::Listed(listing)) => Ok(Fetched { list: OrderList::Had(listing), ..fetched }),
        Ok(Discovered::Stopped(_)) => Err(JobError::Stopped),
        Err(WalkError::Stop(stop)) => Err(stop.into()),
        Err(lacking @ WalkError::Page { .. }) => {
            Ok(Fetched { list: OrderList::NotHad(lacking.to_string()), ..fetched })
        }
    }
}

/// What the input must have of the list, while it is not known yet which of it the input lacks.
pub(super) struct Wanted {
    /// How many orders the list has of the period.
    listed: u64,
    /// Those of them that no row was seen of.
    lacking: BTreeSet<Arc<str>>,
}

impl Wanted {
    /// A row names that order.
    pub(super) fn see(&mut self, run_order_id: &str) {
        self.lacking.remove(run_order_id);
    }
}

impl Job {
    /// What the input must have of the list; nothing where it was not asked for.
    pub(super) fn wanted(&self, list: &OrderList) -> Wanted {
        let listing = match (list, self.judging.complete) {
            (OrderList::Had(listing), Some(period)) => Some((listing, period)),
            _ => None,
        };
        let lacking: BTreeSet<Arc<str>> = listing
            .into_iter()
            .flat_map(|(listing, period)| {
                // An order that is younger than the report need not be in an input that is older still.
                let until = period.until.map_or(self.as_of, |until| until.min(self.as_of));
                let period = Period { until: Some(until), ..period };
                listing.orders.iter().filter(move |(_, order)| order.may_be_of(&period)).map(|(id, _)| Arc::clone(id))
            })
            .collect();
        Wanted { listed: lacking.len() as u64, lacking }
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
        problem: None,
        unlisted: unlisted.map(|order| (order.clone(), earlier.take(&order.run_order_id))).collect(),
        titles: titles.collect::<BTreeMap<_, _>>(),
    })
}
