//! What the provider's status words mean. Statuses are open sets: a word that is not in these tables is kept
//! and never taken to mean that money is settled.

use crate::domain::order::RunOrder;

/// The settlement words the provider's reference names. What stands there before is documented nowhere.
const SETTLED: &str = "settled";
/// The freeze word of a pre-charge that is no longer held.
const RELEASED: &str = "released";
/// The run word of a run that failed.
const FAILED: &str = "failed";
/// The run words after which nothing runs any more.
const ENDED: [&str; 2] = ["succeeded", FAILED];

/// Whether the order is settled: `settlement_status` says so; or it is a word we don't know while the freeze is
/// released and the run has ended. The amounts are never looked at, else a failing order would excuse itself.
#[must_use]
pub fn is_settled(order: &RunOrder) -> bool {
    match order.settlement_status.as_deref() {
        None => false,
        Some(SETTLED) => true,
        Some(_) => {
            order.freeze_status.as_deref() == Some(RELEASED)
                && order.run_status.as_deref().is_some_and(|status| ENDED.contains(&status))
        }
    }
}

/// Whether the run failed.
#[must_use]
pub fn has_failed(order: &RunOrder) -> bool {
    order.run_status.as_deref() == Some(FAILED)
}
