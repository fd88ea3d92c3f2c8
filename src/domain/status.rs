//! What the provider's status words mean.
//!
//! Statuses are open sets: a word that is not in these tables is kept, and never means by itself that money
//! is settled.

use super::order::RunOrder;

/// The `settlement_status` of a settled order. The words before settlement are undocumented.
pub const SETTLED: &str = "settled";
/// The `freeze_status` of a pre-charge that is held.
pub const FROZEN: &str = "frozen";
/// The `freeze_status` of a pre-charge that is no longer held.
pub const RELEASED: &str = "released";
/// The `submission_status` of an order that was submitted.
pub const SUBMITTED: &str = "submitted";
/// The `run_status` of a run that is waiting.
pub const QUEUED: &str = "queued";
/// The `run_status` of a run in progress.
pub const RUNNING: &str = "running";
/// The `run_status` of a run that succeeded.
pub const SUCCEEDED: &str = "succeeded";
/// The `run_status` of a run that failed.
pub const FAILED: &str = "failed";
/// Every `run_status` of a run that has ended.
const ENDED: [&str; 2] = [SUCCEEDED, FAILED];

/// A status field and its known words.
#[derive(Debug)]
pub struct StatusField {
    /// The provider's name of the field.
    pub name: &'static str,
    /// The words that the provider's reference names.
    pub known: &'static [&'static str],
    /// The field's value in an order.
    pub of: fn(&RunOrder) -> Option<&str>,
    /// Whether unknown words are normal until the run has ended.
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
        known: &[SUBMITTED],
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
    /// Whether the order is settled: `settlement_status` says so, or it is a word we don't know while the
    /// freeze is released and the run has ended. Amounts play no part: a failing order must not excuse itself.
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

    /// Whether the run has ended, in success or failure.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.run_status.as_deref().is_some_and(|status| ENDED.contains(&status))
    }
}
