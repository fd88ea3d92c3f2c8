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

/// Counts the reasons why orders could not be fetched, most frequent first. Duplicate, rejected and waived
/// rows are left out.
pub(super) fn reasons(exceptions: &[Exception]) -> Vec<ReasonCount> {
    let mut reasons: Vec<ReasonCount> = Vec::new();
    let mut places = HashMap::new();
    for Exception { bucket, reason, detail, .. } in exceptions {
        if matches!(bucket, Bucket::Duplicate | Bucket::Rejected | Bucket::Waived) {
            continue;
        }
        let place = *places.entry((*bucket, reason)).or_insert(reasons.len());
        match reasons.get_mut(place) {
            Some(reason) => reason.orders += 1,
            None => {
                reasons.push(ReasonCount { bucket: *bucket, code: reason.clone(), detail: detail.clone(), orders: 1 })
            }
        }
    }
    reasons.sort_by_key(|reason| Reverse(reason.orders));
    reasons
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
