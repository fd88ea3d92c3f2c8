//! The catalogue of checks, and the judgement of one outcome by all of them.
//!
//! A check is a [`Check`] value: its stable code, what it means, when it is due, what to do about it, and the
//! pure function that examines one order. The catalogue, [`CATALOGUE`], is the only list of them.

mod amounts;
mod identities;
mod reply;
mod restated;
mod statuses;

use std::collections::BTreeSet;

use crate::domain::finding::{Figure, Finding, Severity};
use crate::domain::money::{Amount, Sum};
use crate::domain::order::{Charge, RunOrder};
use crate::domain::outcome::{Bucket, Evidence, Fetched, Outcome};

pub use statuses::{has_failed, is_settled};

/// The settings that affect judgement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judging {
    /// By how much `quote-split` and `cost-sum` may be off and still hold, in the order's currency.
    pub tolerance: Amount,
    /// The only currency expected, if there is one.
    pub currency: Option<String>,
    /// The codes of checks that judge nothing. What a reply is about is always judged.
    pub off: BTreeSet<&'static str>,
}

impl Judging {
    /// The checks that judge orders, in the order of the catalogue.
    pub fn checks(&self) -> impl Iterator<Item = &'static Check> + '_ {
        CATALOGUE.into_iter().filter(|check| !self.off.contains(check.code))
    }
}

/// One check of the catalogue.
#[derive(Debug)]
pub struct Check {
    /// The stable code: it never changes its meaning.
    pub code: &'static str,
    /// What the check says of an order that passes.
    pub holds_when: &'static str,
    /// When the check is asked at all.
    pub due_when: &'static str,
    /// What a person should do about a failure.
    pub remedy: &'static str,
    /// What a failure does to the verdict.
    pub severity: Severity,
    examine: fn(&Case<'_>) -> Ruling,
}

/// Every check, in the order in which they are explained.
pub static CATALOGUE: [&Check; 7] = [
    &identities::QUOTE_SPLIT,
    &identities::COST_SUM,
    &amounts::MISSING_AMOUNT,
    &amounts::NEGATIVE_AMOUNT,
    &reply::IDENTITY_MISMATCH,
    &reply::CURRENCY,
    &restated::RESTATED,
];

/// One order before the checks.
struct Case<'c> {
    asked: &'c str,
    order: &'c RunOrder,
    settled: bool,
    settled_as: Option<&'c Charge>,
    judging: &'c Judging,
}

/// What a check says of one order.
enum Ruling {
    NotDue,
    Holds,
    /// Holds only thanks to the tolerance; the exact difference.
    Tolerated(Sum),
    Fails {
        expected: Figure,
        actual: Figure,
        difference: Option<Sum>,
        message: String,
    },
}

/// A check that an order passes only thanks to the tolerance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tolerated {
    /// The check's code.
    pub check: &'static str,
    /// The exact difference that was let pass.
    pub difference: Sum,
}

/// One outcome, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Where the row is counted.
    pub bucket: Bucket,
    /// Whether the order is settled; false for what is no order.
    pub settled: bool,
    /// Whether the reply is about another order: its amounts enter no sum.
    pub foreign: bool,
    /// The failed checks, sorted by code.
    pub findings: Vec<Finding>,
    /// What passed only thanks to the tolerance.
    pub tolerated: Vec<Tolerated>,
}

impl Judgement {
    fn unchecked(bucket: Bucket) -> Self {
        Self { bucket, settled: false, foreign: false, findings: Vec::new(), tolerated: Vec::new() }
    }
}

/// Judges one outcome by every check that is due.
#[must_use]
pub fn judge(outcome: &Outcome, judging: &Judging) -> Judgement {
    match &outcome.evidence {
        Evidence::Fetched(fetched) => judge_order(&outcome.run_order_id, fetched, judging),
        Evidence::NotFound(_) => Judgement::unchecked(Bucket::NotFound),
        Evidence::Refused(_) => Judgement::unchecked(Bucket::Refused),
        Evidence::Malformed(_) => Judgement::unchecked(Bucket::Malformed),
        Evidence::Unfetched(_) => Judgement::unchecked(Bucket::Unfetched),
        Evidence::Duplicate { .. } => Judgement::unchecked(Bucket::Duplicate),
        Evidence::Rejected(_) => Judgement::unchecked(Bucket::Rejected),
    }
}

/// Whether a reply is about the order that was asked for.
#[must_use]
pub fn is_about(asked: &str, order: &RunOrder) -> bool {
    order.run_order_id.as_deref() == Some(asked)
}

fn judge_order(asked: &str, fetched: &Fetched, judging: &Judging) -> Judgement {
    let Fetched { order, settled_as, .. } = fetched;
    let case = Case { asked, order, settled: is_settled(order), settled_as: settled_as.as_ref(), judging };
    let foreign = finding(&reply::IDENTITY_MISMATCH, (reply::IDENTITY_MISMATCH.examine)(&case));
    if let Some(mismatch) = foreign {
        return Judgement { foreign: true, findings: vec![mismatch], ..Judgement::unchecked(Bucket::Discrepant) };
    }
    let mut judgement = Judgement { settled: case.settled, ..Judgement::unchecked(Bucket::Pending) };
    for check in judging.checks() {
        match (check.examine)(&case) {
            Ruling::Tolerated(difference) => {
                judgement.tolerated.push(Tolerated { check: check.code, difference });
            }
            ruling => judgement.findings.extend(finding(check, ruling)),
        }
    }
    judgement.findings.sort_by_key(|finding| finding.check);
    judgement.bucket = if judgement.findings.iter().any(|finding| finding.severity == Severity::Error) {
        Bucket::Discrepant
    } else if case.settled {
        Bucket::Reconciled
    } else {
        Bucket::Pending
    };
    judgement
}

fn finding(check: &Check, ruling: Ruling) -> Option<Finding> {
    let Ruling::Fails { expected, actual, difference, message } = ruling else {
        return None;
    };
    Some(Finding { check: check.code, severity: check.severity, expected, actual, difference, message })
}

#[cfg(test)]
mod tests;
