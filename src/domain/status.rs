//! What the provider's status words mean.
//!
//! Statuses are open sets: a word that is not in these tables is kept, and never taken to mean that money is settled.

use super::order::RunOrder;

/// The settlement word of what is settled. What stands there before is documented nowhere.
const SETTLED: &str = "settled";
/// The freeze word of a pre-charge that is held.
pub const FROZEN: &str = "frozen";
/// The freeze word of a pre-charge that is no longer held.
const RELEASED: &str = "released";
/// The run word of a run that waits.
pub const QUEUED: &str = "queued";
/// The run word of a run that goes on.
pub const RUNNING: &str = "running";
/// The run word of a run that did what it should.
const SUCCEEDED: &str = "succeeded";
/// The run word of a run that failed.
const FAILED: &str = "failed";
/// The run words after which nothing runs any more.
const ENDED: [&str; 2] = [SUCCEEDED, FAILED];

/// A status field with the words of it that the provider's reference names.
#[derive(Debug)]
pub struct StatusField {
    /// The provider's name of it.
    pub name: &'static str,
    /// The known words.
    pub known: &'static [&'static str],
    /// What stands there.
    pub of: fn(&RunOrder) -> Option<&str>,
    /// Whether other words are to be expected until the run has ended.
    pub is_open_until_ended: bool,
}

/// Every status field. This is the only list of known words.
pub static STATUS_FIELDS: [StatusField; 4] = [
    StatusField {
        name: "run_status",
        known: &[QUEUED, RUNNING, SUCCEEDED, FAILED],
        of: |order| order.run_status.as_deref(),
        is_open_until_ended: false,
    },
    StatusField {
        name: "freeze_status",
        known: &[FROZEN, RELEASED],
        of: |order| order.freeze_status.as_deref(),
        is_open_until_ended: true,
    },
    StatusField {
        name: "submission_status",
        known: &["submitted"],
        of: |order| order.submission_status.as_deref(),
        is_open_until_ended: true,
    },
    StatusField {
        name: "settlement_status",
        known: &[SETTLED],
        of: |order| order.settlement_status.as_deref(),
        is_open_until_ended: true,
    },
];

impl RunOrder {
    /// Whether it is settled: `settlement_status` says so; or it is a word we don't know while the freeze is released and the
    /// run has ended. The amounts are never looked at, else a failing order would excuse itself.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        match self.settlement_status.as_deref() {
            None => false,
            Some(SETTLED) => true,
            Some(_) => self.freeze_status.as_deref() == Some(RELEASED) && self.has_ended(),
        }
    }

    /// Whether the run failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.run_status.as_deref() == Some(FAILED)
    }

    /// Whether nothing runs any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.run_status.as_deref().is_some_and(|status| ENDED.contains(&status))
    }
}
