//! The catalogue of checks, and the judgement of one outcome by all of them.
//!
//! A check is a [`Check`] value: its stable code, its severity, and the pure function that examines one order. The
//! catalogue, [`CATALOGUE`], is the only list of them. What a check means, when it is due and what to do about it stands
//! in both languages in `locales/`, by its code.

mod amounts;
mod cause;
mod charges;
mod identities;
mod reply;
mod restated;
mod statuses;
mod times;
mod waiver;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::domain::finding::{Figure, Finding, Severity};
use crate::domain::money::{Amount, Sum};
use crate::domain::order::{Charge, RunOrder};
use crate::domain::outcome::{Bucket, Evidence, Fetched, Outcome};

pub use cause::Cause;
pub use statuses::{has_failed, is_settled};
pub use waiver::{Figures, NOT_FOUND, Waiver, WaiverState, Waivers};

/// The age from which an order that is not settled is stale, where no other is set.
pub const STALE_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// The settings that affect judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judging {
    /// By how much `quote-split` and `cost-sum` may be off and still hold.
    pub tolerance: Tolerances,
    /// The only currency expected, if there is one.
    pub currency: Option<String>,
    /// The age from which an order that is not settled is stale.
    pub stale_after: SignedDuration,
    /// The codes of checks that judge nothing. What a reply is about is always judged.
    pub off: BTreeSet<&'static str>,
    /// Other severities than the catalogue's, by code or by code and cause (`quote-split.overage`): the narrower wins.
    pub severities: BTreeMap<String, Severity>,
    /// Whether a failed identity is given its cause. Reports of before there were causes are made again without.
    pub names_causes: bool,
    /// The discrepancies that somebody answers for.
    pub waivers: Waivers,
    /// From which size on, in the order's currency, a difference is material.
    pub material: Option<Amount>,
}

/// By how much an identity may be off and still hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tolerances {
    /// For orders in a currency that is not named.
    pub otherwise: Amount,
    /// By currency.
    pub by_currency: BTreeMap<String, Amount>,
}

impl Tolerances {
    /// What orders of that currency are allowed.
    fn of(&self, currency: Option<&str>) -> Amount {
        currency.and_then(|currency| self.by_currency.get(currency)).copied().unwrap_or(self.otherwise)
    }
}

impl Default for Judging {
    fn default() -> Self {
        Self {
            tolerance: Tolerances::default(),
            currency: None,
            stale_after: STALE_AFTER,
            off: BTreeSet::new(),
            severities: BTreeMap::new(),
            names_causes: true,
            waivers: Waivers::new(),
            material: None,
        }
    }
}

impl Judging {
    /// What a finding of that check and cause does to the verdict.
    fn severity(&self, check: &Check, cause: Option<Cause>) -> Severity {
        let by_cause = cause.and_then(|cause| self.severities.get(&format!("{}.{}", check.code, cause.code())));
        by_cause.or_else(|| self.severities.get(check.code)).copied().unwrap_or(check.severity)
    }

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
    /// What a failure does to the verdict.
    pub severity: Severity,
    examine: fn(&Case<'_>) -> Ruling,
}

/// The code of the check that can be neither switched off nor softened: a foreign reply enters no sum.
pub const IDENTITY_MISMATCH: &str = reply::IDENTITY_MISMATCH.code;

/// The code of the check that [`Judging::stale_after`] is for.
pub const STALE_PENDING: &str = times::STALE_PENDING.code;

/// Every check, in the order in which they are explained.
pub static CATALOGUE: [&Check; 14] = [
    &identities::QUOTE_SPLIT,
    &identities::COST_SUM,
    &amounts::MISSING_AMOUNT,
    &amounts::NEGATIVE_AMOUNT,
    &reply::IDENTITY_MISMATCH,
    &reply::CURRENCY,
    &restated::RESTATED,
    &charges::CHARGE_EQUALS_COST,
    &charges::CHARGE_EXCEEDS_QUOTE,
    &charges::FAILED_RUN_CHARGED,
    &statuses::STATUS_CONFLICT,
    &times::STALE_PENDING,
    &times::TIMESTAMP_ORDER,
    &statuses::UNKNOWN_STATUS,
];

/// One order before the checks.
struct Case<'c> {
    asked: &'c str,
    order: &'c RunOrder,
    settled: bool,
    settled_as: Option<&'c Charge>,
    as_of: Timestamp,
    judging: &'c Judging,
}

/// What a check says of one order.
enum Ruling {
    NotDue,
    Holds,
    /// Holds only thanks to the tolerance; the exact difference.
    Tolerated(Sum),
    Fails(Failure),
}

/// What a failed check found.
struct Failure {
    expected: Figure,
    actual: Figure,
    difference: Option<Sum>,
    cause: Option<Cause>,
    message: String,
}

impl Failure {
    fn new(expected: Figure, actual: Figure, message: String) -> Self {
        Self { expected, actual, difference: None, cause: None, message }
    }

    fn difference(self, difference: impl Into<Option<Sum>>) -> Self {
        Self { difference: difference.into(), ..self }
    }

    fn cause(self, cause: Option<Cause>) -> Self {
        Self { cause, ..self }
    }
}

impl From<Failure> for Ruling {
    fn from(failure: Failure) -> Self {
        Self::Fails(failure)
    }
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
    /// What became of the waivers of the order, by check, where it has any.
    pub waivers: Vec<(String, WaiverState)>,
}

impl Judgement {
    fn unchecked(bucket: Bucket) -> Self {
        Self {
            bucket,
            settled: false,
            foreign: false,
            findings: Vec::new(),
            tolerated: Vec::new(),
            waivers: Vec::new(),
        }
    }
}

/// Judges one outcome by every check that is due. Ages are counted to `as_of`.
#[must_use]
pub fn judge(outcome: &Outcome, judging: &Judging, as_of: Timestamp) -> Judgement {
    match &outcome.evidence {
        Evidence::Fetched(fetched) => judge_order(&outcome.run_order_id, fetched, judging, as_of),
        Evidence::NotFound(_) => judge_missing(&outcome.run_order_id, judging, as_of),
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

fn judge_order(asked: &str, fetched: &Fetched, judging: &Judging, as_of: Timestamp) -> Judgement {
    let Fetched { order, settled_as, .. } = fetched;
    let case = Case { asked, order, settled: is_settled(order), settled_as: settled_as.as_ref(), as_of, judging };
    let foreign = finding(&reply::IDENTITY_MISMATCH, judging, (reply::IDENTITY_MISMATCH.examine)(&case));
    if let Some(mismatch) = foreign {
        let judgement =
            Judgement { foreign: true, findings: vec![mismatch], ..Judgement::unchecked(Bucket::Discrepant) };
        return weigh(judgement, &case);
    }
    let mut judgement = Judgement { settled: case.settled, ..Judgement::unchecked(Bucket::Pending) };
    for check in judging.checks() {
        match (check.examine)(&case) {
            Ruling::Tolerated(difference) => {
                judgement.tolerated.push(Tolerated { check: check.code, difference });
            }
            ruling => judgement.findings.extend(finding(check, judging, ruling)),
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
    weigh(judgement, &case)
}

/// Marks what is waived, and what is material. An order whose every error is waived is so itself.
fn weigh(mut judgement: Judgement, case: &Case<'_>) -> Judgement {
    let Judging { waivers, material, .. } = case.judging;
    for finding in &mut judgement.findings {
        if !waivers.is_empty() {
            let key = (case.asked.to_owned(), finding.check.to_owned());
            if let Some(waiver) = waivers.get(&key) {
                let state = waiver.meets(Some(finding), case.as_of);
                finding.is_waived = state == WaiverState::Applied;
                judgement.waivers.push((key.1, state));
            }
        }
        let size = finding.difference.map(Sum::abs);
        finding.is_material = !finding.is_waived && size.zip(*material).is_some_and(|(size, from)| size >= from.into());
    }
    let mut errors = judgement.findings.iter().filter(|finding| finding.severity == Severity::Error);
    if judgement.bucket == Bucket::Discrepant && errors.all(|finding| finding.is_waived) {
        judgement.bucket = Bucket::Waived;
    }
    judgement
}

/// Judges an order that the provider says there is not.
fn judge_missing(asked: &str, judging: &Judging, as_of: Timestamp) -> Judgement {
    let waiver = judging.waivers.get(&(asked.to_owned(), NOT_FOUND.to_owned()));
    let state = waiver.map(|waiver| waiver.meets(None, as_of));
    let bucket = if state == Some(WaiverState::Applied) { Bucket::Waived } else { Bucket::NotFound };
    let waivers = state.map(|state| (NOT_FOUND.to_owned(), state)).into_iter().collect();
    Judgement { waivers, ..Judgement::unchecked(bucket) }
}

fn finding(check: &Check, judging: &Judging, ruling: Ruling) -> Option<Finding> {
    let Ruling::Fails(Failure { expected, actual, difference, cause, message }) = ruling else {
        return None;
    };
    let severity = judging.severity(check, cause);
    let cause = cause.map(Cause::code);
    Some(Finding {
        check: check.code,
        severity,
        cause,
        expected,
        actual,
        difference,
        is_waived: false,
        is_material: false,
        message,
    })
}

#[cfg(test)]
mod tests;
