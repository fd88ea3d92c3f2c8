//! Why orders could not be fetched, and whether all of them got the same answer.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::domain::outcome::Bucket;
use crate::report::content::summary_json::SoleReason;
use crate::report::content::tables::Exception;

/// One reason why orders could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonCount {
    /// The bucket that these orders are counted in.
    pub bucket: Bucket,
    /// The reason's code, such as `http-404`.
    pub code: String,
    /// The detail given for the first of these orders.
    pub detail: String,
    /// How many orders have this reason.
    pub orders: u64,
}

/// Counts the reasons why orders could not be fetched. Duplicate, rejected and waived rows are left out.
#[derive(Default)]
pub(super) struct Reasons {
    counts: Vec<ReasonCount>,
    /// The place of each reason in `counts`.
    places: HashMap<(Bucket, String), usize>,
}

impl Reasons {
    pub(super) fn count(&mut self, exception: &Exception) {
        let Exception { bucket, reason, detail, .. } = exception;
        if matches!(bucket, Bucket::Duplicate | Bucket::Rejected | Bucket::Waived) {
            return;
        }
        let place = *self.places.entry((*bucket, reason.clone())).or_insert(self.counts.len());
        match self.counts.get_mut(place) {
            Some(reason) => reason.orders += 1,
            None => {
                let (code, detail) = (reason.clone(), detail.clone());
                self.counts.push(ReasonCount { bucket: *bucket, code, detail, orders: 1 });
            }
        }
    }

    pub(super) fn most_frequent_first(mut self) -> Vec<ReasonCount> {
        self.counts.sort_by_key(|reason| Reverse(reason.orders));
        self.counts
    }
}

/// Reasons that come from our own settings, not from an answer.
const OUR_OWN: [&str; 1] = ["deadline"];

/// The one answer that all orders got, if there is one. It takes at least two orders, and `not_found` does
/// not count: it is about each order alone.
pub(super) fn sole_reason(reasons: &[ReasonCount]) -> Option<SoleReason> {
    let first = reasons.first()?;
    let orders = reasons.iter().map(|reason| reason.orders).sum();
    let is_one = |reason: &ReasonCount| {
        reason.code == first.code && reason.bucket != Bucket::NotFound && !OUR_OWN.contains(&&*reason.code)
    };
    let (code, detail) = (first.code.clone(), first.detail.clone());
    (orders > 1 && reasons.iter().all(is_one)).then_some(SoleReason { code, detail, orders })
}
