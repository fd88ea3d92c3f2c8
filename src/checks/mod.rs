//! The catalogue of checks, and the judgement of one outcome by all of them.
//!
//! A check is a [`Check`] value: a stable code, a severity, and a pure function that examines one order.
//! [`CATALOGUE`] is the only list of checks. `locales/` explains each code in both languages: what it means,
//! when it is due, and what to do about it.

mod amounts;
mod books;
mod cause;
mod charges;
mod completeness;
mod identities;
mod reply;
mod restated;
mod rules;
mod sound;
mod statuses;
mod times;
mod vanished;
mod waiver;
mod waiver_list;

use jiff::Timestamp;

use crate::domain::finding::{Figure, Finding, PastFinding, Severity, Subject};
use crate::domain::money::Sum;
use crate::domain::order::{Charge, RunOrder};
use crate::domain::outcome::{Background, Bucket, Evidence, Fetched, Outcome};

pub use cause::{Cause, power_of_ten};
pub use completeness::judge_unlisted;
pub use rules::{ControlTotal, CountField, ExpectRows, Rules, STALE_AFTER, Thresholds};
pub use sound::{CONDITIONS, Condition, Soundness};
pub use waiver::{Figures, NOT_FOUND, Waiver, WaiverKey, WaiverState, Waivers};

/// One check of the catalogue.
#[derive(Debug)]
pub struct Check {
    /// The stable kebab-case code. Its meaning never changes.
    pub code: &'static str,
    /// What a failure does to the verdict, unless the settings change it.
    pub severity: Severity,
    examine: Examine,
}

/// How a check examines an order.
#[derive(Debug)]
enum Examine {
    /// One ruling on the order as a whole.
    Order(fn(&Case<'_>) -> Ruling),
    /// One ruling per field, or per field and row of our books. Fields that are not due may be left out.
    Fields { names: &'static [&'static str], examine: fn(&Case<'_>) -> Vec<(Subject, Ruling)> },
}

impl Check {
    /// The fields that the check examines one by one. Empty if it examines the order as a whole.
    #[must_use]
    pub const fn fields(&self) -> &'static [&'static str] {
        match self.examine {
            Examine::Order(_) => &[],
            Examine::Fields { names, .. } => names,
        }
    }

    fn examine(&self, case: &Case<'_>, mut take: impl FnMut(Subject, Ruling)) {
        match self.examine {
            Examine::Order(examine) => take(Subject::ORDER, examine(case)),
            Examine::Fields { examine, .. } => {
                examine(case).into_iter().for_each(|(subject, ruling)| take(subject, ruling));
            }
        }
    }
}

/// The checks that compare an order with the input. Their findings are remembered per input. Findings of all
/// other checks are remembered per order, whatever input it is in.
const INPUT_CHECKS: [&str; 3] =
    [books::EXPECTED_MISMATCH.code, books::BOOKED_TWICE.code, completeness::OUTSIDE_PERIOD.code];

/// Whether a check's findings depend on the input, and not on the order alone.
#[must_use]
pub fn depends_on_input(check: &str) -> bool {
    INPUT_CHECKS.contains(&check)
}

/// The code of the check that the reply is about the order that was asked for. It can be neither switched off
/// nor softened, so that a foreign reply never enters a sum.
pub const IDENTITY_MISMATCH: &str = reply::IDENTITY_MISMATCH.code;

/// The code of the check that `quote = final + released`.
pub const QUOTE_SPLIT: &str = identities::QUOTE_SPLIT.code;

/// The code of the check that `total = compute + external`.
pub const COST_SUM: &str = identities::COST_SUM.code;

/// The code of the check that our own books agree with the provider.
pub const EXPECTED_MISMATCH: &str = books::EXPECTED_MISMATCH.code;

/// The code of the check that the input's orders were created in the requested period.
pub const OUTSIDE_PERIOD: &str = completeness::OUTSIDE_PERIOD.code;

/// The code of the check that no unsettled order is as old as [`Rules::stale_after`].
pub const STALE_PENDING: &str = times::STALE_PENDING.code;

/// The code of the check that the input has every order that the provider lists.
pub const UNLISTED_IN_INPUT: &str = completeness::UNLISTED_IN_INPUT.code;

/// The code of the check that no unsettled order is within [`Rules::warn_before`] of being stale.
pub const STALE_SOON: &str = times::STALE_SOON.code;

/// The checks of what a dataset does not have: our own books, the provider's list, a period that the input must keep to,
/// and the remarks on a reply.
pub const NOT_IN_A_DATASET: [&str; 6] = [
    books::EXPECTED_MISMATCH.code,
    books::BOOKED_TWICE.code,
    completeness::UNLISTED_IN_INPUT.code,
    completeness::LIST_MISMATCH.code,
    completeness::OUTSIDE_PERIOD.code,
    times::ZERO_TIME.code,
];

/// Every check, in the order in which `tieout checks` lists them.
pub static CATALOGUE: [&Check; 22] = [
    &identities::QUOTE_SPLIT,
    &identities::COST_SUM,
    &amounts::MISSING_AMOUNT,
    &amounts::NEGATIVE_AMOUNT,
    &reply::IDENTITY_MISMATCH,
    &reply::CURRENCY,
    &books::EXPECTED_MISMATCH,
    &books::BOOKED_TWICE,
    &completeness::UNLISTED_IN_INPUT,
    &completeness::LIST_MISMATCH,
    &restated::RESTATED,
    &vanished::VANISHED,
    &charges::CHARGE_EQUALS_COST,
    &charges::CHARGE_EXCEEDS_QUOTE,
    &charges::FAILED_RUN_CHARGED,
    &statuses::STATUS_CONFLICT,
    &times::STALE_PENDING,
    &times::STALE_SOON,
    &completeness::OUTSIDE_PERIOD,
    &times::TIMESTAMP_ORDER,
    &times::ZERO_TIME,
    &statuses::UNKNOWN_STATUS,
];

/// One order and everything that the checks need to judge it.
struct Case<'c> {
    asked: &'c str,
    order: &'c RunOrder,
    settled: bool,
    baseline: Option<&'c Charge>,
    background: &'c Background,
    as_of: Timestamp,
    rules: &'c Rules,
}

/// What a check decides about one order, or about one field of it.
enum Ruling {
    NotDue,
    Holds,
    /// Holds only thanks to the tolerance, or to the rounding of our books. Carries the exact difference.
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

impl Case<'_> {
    /// The check's finding from when the order was last judged.
    fn past_finding(&self, check: &Check) -> Option<&PastFinding> {
        self.background.past_findings.iter().find(|past| past.check == check.code)
    }
}

impl From<Failure> for Ruling {
    fn from(failure: Failure) -> Self {
        Self::Fails(failure)
    }
}

/// A check passed only thanks to the tolerance or, for `expected-mismatch`, to the rounding of our books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToleratedDifference {
    /// The check's code.
    pub check: &'static str,
    /// The exact difference that was tolerated.
    pub difference: Sum,
}

/// The judgement of one outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The bucket that the row is counted in.
    pub bucket: Bucket,
    /// Whether the order is settled. False for a foreign reply, and if no order was fetched.
    pub settled: bool,
    /// Whether the reply is about a different order, whose amounts enter no sum.
    pub foreign: bool,
    /// The failed checks, sorted by code, field and row.
    pub findings: Vec<Finding>,
    /// The checks that passed only thanks to the tolerance, or to the rounding of our books.
    pub tolerated: Vec<ToleratedDifference>,
    /// The waivers of what was found, each with its state.
    pub waivers: Vec<(WaiverKey, WaiverState)>,
    /// The checks that were due and hold. Collected only if the order has earlier findings to resolve.
    passes: Vec<(&'static str, Subject)>,
}

impl Judgement {
    /// The judgement of an order that is settled and passes every check, and of which nothing else is known.
    #[must_use]
    pub fn sound() -> Self {
        Self { settled: true, ..Self::unchecked(Bucket::Reconciled) }
    }

    fn unchecked(bucket: Bucket) -> Self {
        Self {
            bucket,
            settled: false,
            foreign: false,
            findings: Vec::new(),
            tolerated: Vec::new(),
            waivers: Vec::new(),
            passes: Vec::new(),
        }
    }

    /// Whether an earlier finding is resolved: the same check was due again, and now holds.
    #[must_use]
    pub fn resolves(&self, past: &PastFinding) -> bool {
        self.passes.iter().any(|(check, subject)| past.is_of(check, *subject))
    }

    /// Whether an earlier finding is found again.
    #[must_use]
    pub fn repeats(&self, past: &PastFinding) -> bool {
        self.findings.iter().any(|finding| past.is_of(finding.check, finding.subject))
    }
}

/// Judges one outcome by every check that is due. Ages are measured at `as_of`.
#[must_use]
pub fn judge(outcome: &Outcome, background: &Background, rules: &Rules, as_of: Timestamp) -> Judgement {
    match &outcome.evidence {
        Evidence::Fetched(fetched) => {
            let Fetched { order, baseline, .. } = &**fetched;
            let (asked, baseline) = (outcome.run_order_id.as_str(), baseline.as_ref());
            let settled = order.is_settled();
            judge_order(&Case { asked, order, settled, baseline, background, as_of, rules })
        }
        Evidence::NotFound(_) => vanished::judge_missing(&outcome.run_order_id, background, rules, as_of),
        Evidence::Refused(_) => Judgement::unchecked(Bucket::Refused),
        Evidence::Malformed(_) => Judgement::unchecked(Bucket::Malformed),
        Evidence::Unfetched(_) => Judgement::unchecked(Bucket::Unfetched),
        Evidence::Duplicate { .. } => Judgement::unchecked(Bucket::Duplicate),
        Evidence::Rejected(_) => Judgement::unchecked(Bucket::Rejected),
    }
}

fn judge_order(case: &Case<'_>) -> Judgement {
    let rules = case.rules;
    let foreign = finding(&reply::IDENTITY_MISMATCH, rules, Subject::ORDER, reply::identity_mismatch(case));
    if let Some(mismatch) = foreign {
        let judgement =
            Judgement { foreign: true, findings: vec![mismatch], ..Judgement::unchecked(Bucket::Discrepant) };
        return mark_waived_and_material(judgement, case);
    }
    let mut judgement = Judgement { settled: case.settled, ..Judgement::unchecked(Bucket::Pending) };
    let has_past = !case.background.past_findings.is_empty();
    for check in rules.checks() {
        check.examine(case, |subject, ruling| match ruling {
            Ruling::Tolerated(difference) => {
                judgement.tolerated.push(ToleratedDifference { check: check.code, difference })
            }
            Ruling::Holds if has_past => judgement.passes.push((check.code, subject)),
            ruling => judgement.findings.extend(finding(check, rules, subject, ruling)),
        });
    }
    judgement.findings.sort_by_key(|finding| (finding.check, finding.subject));
    judgement.bucket = if judgement.findings.iter().any(|finding| finding.severity == Severity::Error) {
        Bucket::Discrepant
    } else if case.settled {
        Bucket::Reconciled
    } else {
        Bucket::Pending
    };
    mark_waived_and_material(judgement, case)
}

/// Marks waived and material findings. A discrepant order whose errors are all waived is waived itself.
fn mark_waived_and_material(mut judgement: Judgement, case: &Case<'_>) -> Judgement {
    let waivers = &case.rules.waivers;
    let material = case.rules.material_of(case.order);
    for finding in &mut judgement.findings {
        if !waivers.is_empty() {
            let key = WaiverKey::of(case.asked, finding);
            if let Some(waiver) = waivers.get(&key) {
                let state = waiver.state(Some(finding), case.as_of);
                finding.is_waived = state == WaiverState::Applied;
                judgement.waivers.push((key, state));
            }
        }
        let size = finding.difference.map(Sum::abs);
        finding.is_material = !finding.is_waived && size.zip(material).is_some_and(|(size, from)| size >= from.into());
    }
    let mut errors = judgement.findings.iter().filter(|finding| finding.severity == Severity::Error);
    if judgement.bucket == Bucket::Discrepant && errors.all(|finding| finding.is_waived) {
        judgement.bucket = Bucket::Waived;
    }
    judgement
}

/// The ruling of a check that finds nothing wrong now. `failed` names the fields that failed when the order
/// was last judged, as words such as `final_amount` or `final_amount=-1`. The check holds only if each of
/// them is due again.
fn ruling_without_failure(failed: Option<&str>, is_due: impl Fn(&str) -> bool) -> Ruling {
    let names = failed.into_iter().flat_map(|failed| failed.split(' '));
    let mut names = names.map(|word| word.split_once('=').map_or(word, |(name, _)| name));
    if names.all(is_due) { Ruling::Holds } else { Ruling::NotDue }
}

fn finding(check: &Check, rules: &Rules, subject: Subject, ruling: Ruling) -> Option<Finding> {
    let Ruling::Fails(Failure { expected, actual, difference, cause, message }) = ruling else {
        return None;
    };
    let severity = rules.severity(check, cause);
    let cause = cause.map(Cause::code);
    Some(Finding {
        check: check.code,
        subject,
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
