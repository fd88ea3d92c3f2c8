//! Why orders could not be fetched, and whether all met one and the same answer.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::domain::outcome::Bucket;
use crate::report::content::summary_json::SoleReason;
use crate::report::content::tables::Exception;

/// A reason for which orders could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonCount {
    /// Where these rows are counted.
    pub bucket: Bucket,
    /// The reason's code.
    pub code: String,
    /// What the first of them was told.
    pub detail: String,
    /// How many there are.
    pub orders: u64,
}

/// Why orders could not be fetched. Rows that name no order are not among them.
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

/// What we stopped for ourselves is no answer of anybody's.
const OUR_OWN: [&str; 1] = ["deadline"];

/// The answer that all share; one order alone shares nothing, and that there is no such order is said of each by itself.
pub(super) fn sole_reason(reasons: &[ReasonCount]) -> Option<SoleReason> {
    let first = reasons.first()?;
    let orders = reasons.iter().map(|reason| reason.orders).sum();
    let is_one = |reason: &ReasonCount| {
        reason.code == first.code && reason.bucket != Bucket::NotFound && !OUR_OWN.contains(&&*reason.code)
    };
    let (code, detail) = (first.code.clone(), first.detail.clone());
    (orders > 1 && reasons.iter().all(is_one)).then_some(SoleReason { code, detail, orders })
}
