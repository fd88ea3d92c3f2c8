//! The catalogue of checks, and the judgement of one outcome by all of them.
//!
//! A check is a [`Check`] value: its stable code, its severity, and the pure function that examines one order. The
//! catalogue, [`CATALOGUE`], is the only list of them. What a check means, when it is due and what to do about it stands
//! in both languages in `locales/`, by its code.

mod amounts;
mod books;
mod cause;
mod charges;
mod completeness;
mod identities;
mod reply;
mod restated;
mod rules;
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
pub use rules::{ControlTotal, Counted, ExpectRows, Rules, STALE_AFTER, Thresholds};
pub use waiver::{Figures, NOT_FOUND, Waiver, WaiverKey, WaiverState, Waivers};

/// One check of the catalogue.
#[derive(Debug)]
pub struct Check {
    /// The stable code: it never changes its meaning.
    pub code: &'static str,
    /// What a failure does to the verdict.
    pub severity: Severity,
    examine: Examine,
}

/// How a check examines an order.
#[derive(Debug)]
enum Examine {
    /// It asks one question.
    Order(fn(&Case<'_>) -> Ruling),
    /// It asks one question of each field; what is not due may be left out.
    Fields { names: &'static [&'static str], examine: fn(&Case<'_>) -> Vec<(Subject, Ruling)> },
}

impl Check {
    /// The fields that it examines one by one; none where it examines the order as a whole.
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

/// The checks that compare an order with the input: what they find is remembered for the input. What any other check finds
/// is remembered for the order, whatever input it is in.
const OF_THE_INPUT: [&str; 3] =
    [books::EXPECTED_MISMATCH.code, books::BOOKED_TWICE.code, completeness::OUTSIDE_PERIOD.code];

/// Whether what that check finds depends on the input, and not on the order alone.
#[must_use]
pub fn depends_on_input(check: &str) -> bool {
    OF_THE_INPUT.contains(&check)
}

/// The code of the check that can be neither switched off nor softened: a foreign reply enters no sum.
pub const IDENTITY_MISMATCH: &str = reply::IDENTITY_MISMATCH.code;

/// The code of the check of `quote = final + released`.
pub const QUOTE_SPLIT: &str = identities::QUOTE_SPLIT.code;

/// The code of the check of `total = compute + external`.
pub const COST_SUM: &str = identities::COST_SUM.code;

/// The code of the check of our own books.
pub const EXPECTED_MISMATCH: &str = books::EXPECTED_MISMATCH.code;

/// The code of the check that input orders were created in the period that is asked for.
pub const OUTSIDE_PERIOD: &str = completeness::OUTSIDE_PERIOD.code;

/// The code of the check that [`Rules::stale_after`] is for.
pub const STALE_PENDING: &str = times::STALE_PENDING.code;
/// The code of the check that the input has every order of the list.
pub const UNLISTED_IN_INPUT: &str = completeness::UNLISTED_IN_INPUT.code;

/// The code of the check that [`Rules::warn_before`] is for.
pub const STALE_SOON: &str = times::STALE_SOON.code;

/// Every check, in the order in which they are explained.
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

/// One order before the checks.
struct Case<'c> {
    asked: &'c str,
    order: &'c RunOrder,
    settled: bool,
    settled_as: Option<&'c Charge>,
    background: &'c Background,
    as_of: Timestamp,
    rules: &'c Rules,
}

/// What a check says of one order.
enum Ruling {
    NotDue,
    Holds,
    /// Holds only thanks to the tolerance, or to the rounding of our books; the exact difference.
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
    /// What was found before of that check.
    fn past(&self, check: &Check) -> Option<&PastFinding> {
        self.background.past.iter().find(|past| past.check == check.code)
    }
}

impl From<Failure> for Ruling {
    fn from(failure: Failure) -> Self {
        Self::Fails(failure)
    }
}

/// A check that an order passes only thanks to the tolerance, or `expected-mismatch` only thanks to the rounding of our books.
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
    /// What passed only thanks to the tolerance, or to the rounding of our books.
    pub tolerated: Vec<Tolerated>,
    /// What became of the waivers of the order, where it has any.
    pub waivers: Vec<(WaiverKey, WaiverState)>,
    /// What was due and holds, where something was found of the order before.
    held: Vec<(&'static str, Subject)>,
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
            held: Vec::new(),
        }
    }

    /// Whether what was found before is put right: the same check was due again, and holds.
    #[must_use]
    pub fn resolves(&self, past: &PastFinding) -> bool {
        self.held.iter().any(|(check, subject)| past.is_of(check, *subject))
    }

    /// Whether what was found before is found again.
    #[must_use]
    pub fn repeats(&self, past: &PastFinding) -> bool {
        self.findings.iter().any(|finding| past.is_of(finding.check, finding.subject))
    }
}

/// Judges one outcome by every check that is due. Ages are counted to `as_of`.
#[must_use]
pub fn judge(outcome: &Outcome, background: &Background, rules: &Rules, as_of: Timestamp) -> Judgement {
    match &outcome.evidence {
        Evidence::Fetched(fetched) => {
            let Fetched { order, settled_as, .. } = &**fetched;
            let (asked, settled_as) = (outcome.run_order_id.as_str(), settled_as.as_ref());
            let settled = order.is_settled();
            judge_order(&Case { asked, order, settled, settled_as, background, as_of, rules })
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
        return weigh(judgement, case);
    }
    let mut judgement = Judgement { settled: case.settled, ..Judgement::unchecked(Bucket::Pending) };
    let has_past = !case.background.past.is_empty();
    for check in rules.checks() {
        check.examine(case, |subject, ruling| match ruling {
            Ruling::Tolerated(difference) => judgement.tolerated.push(Tolerated { check: check.code, difference }),
            Ruling::Holds if has_past => judgement.held.push((check.code, subject)),
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
    weigh(judgement, case)
}

/// Marks what is waived, and what is material. An order whose every error is waived is so itself.
fn weigh(mut judgement: Judgement, case: &Case<'_>) -> Judgement {
    let waivers = &case.rules.waivers;
    let material = case.rules.material_of(case.order);
    for finding in &mut judgement.findings {
        if !waivers.is_empty() {
            let key = WaiverKey::of(case.asked, finding);
            if let Some(waiver) = waivers.get(&key) {
                let state = waiver.meets(Some(finding), case.as_of);
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

/// That nothing fails. Where something did when the order was last judged, it must be due again: `failed` names those fields,
/// each a word, with what stood there after an equals sign.
fn holds_again(failed: Option<&str>, is_due: impl Fn(&str) -> bool) -> Ruling {
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
