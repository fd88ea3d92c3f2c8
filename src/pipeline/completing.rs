//! Whether the input is complete: the provider's own list of orders, walked after the orders were fetched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::discovery::{self, Discovered, DiscoveryError, WalkError};
use super::fetching::Fetched;
use super::listing::Listing;
use super::progress::say;
use super::{Earlier, Job, JobError, RunId};
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
    if fetched.stopped_by.is_some() || job.judging.complete.is_none() {
        return Ok(fetched);
    }
    say(job.display, "walking the provider's list of orders");
    let query = ListQuery::default();
    match job.runtime.block_on(discovery::list(&job.provider, &query, job.display)) {
        Ok(Discovered::Listed(listing)) => Ok(Fetched { list: OrderList::Had(listing), ..fetched }),
        Ok(Discovered::Stopped(signal)) => Ok(Fetched { stopped_by: Some(signal), ..fetched }),
        Err(DiscoveryError::List(WalkError::Stop(stop))) => Err(stop.into()),
        Err(DiscoveryError::List(lacking @ WalkError::Page { .. })) => {
            Ok(Fetched { list: OrderList::NotHad(lacking.to_string()), ..fetched })
        }
        Err(DiscoveryError::Store(error)) => Err(error.into()),
        Err(DiscoveryError::Signals(error)) => Err(JobError::Signals(error)),
    }
}

impl Job {
    /// What the list says of the input; `None` where it was not asked for.
    pub(super) fn completeness(
        &self,
        run: RunId,
        list: &OrderList,
        earlier: &Earlier,
    ) -> Result<Option<Completeness>, JobError> {
        let Some(period) = self.judging.complete else {
            return Ok(None);
        };
        // An order that is younger than the report need not be in an input that is older still.
        let until = period.until.map_or(self.as_of, |until| until.min(self.as_of));
        let period = Period { until: Some(until), ..period };
        let listing = match list {
            OrderList::Unwanted => return Ok(None),
            OrderList::NotHad(problem) => {
                return Ok(Some(Completeness { problem: Some(problem.clone()), ..Completeness::default() }));
            }
            OrderList::Had(listing) => listing,
        };
        let is_wanted = |created: Option<jiff::Timestamp>| created.is_none_or(|created| period.holds(created));
        let mut wanted: BTreeSet<Arc<str>> = listing
            .orders
            .iter()
            .filter(|(_, order)| is_wanted(order.created_at))
            .map(|(id, _)| Arc::clone(id))
            .collect();
        let listed = wanted.len() as u64;
        self.store.for_each_outcome(run, |outcome, _| {
            wanted.remove(outcome.run_order_id.as_str());
            Ok::<_, JobError>(())
        })?;
        let unlisted = wanted.iter().filter_map(|id| listing.orders.get(id));
        let titles = listing.orders.values().filter_map(|order| {
            let (id, title) = (order.workflow_id.as_deref()?, order.title.as_deref()?);
            Some((id.to_owned(), title.to_owned()))
        });
        Ok(Some(Completeness {
            listed,
            counted: listing.total,
            missing: listing.missing(),
            problem: None,
            unlisted: unlisted.map(|order| (order.clone(), earlier.found_of(&order.run_order_id))).collect(),
            titles: titles.collect::<BTreeMap<_, _>>(),
        }))
    }
}
