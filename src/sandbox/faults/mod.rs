//! Planned faults: which requests are mistreated, and how. The same plan, seed and order of requests give the same
//! faults.

mod compress;
mod conduct;
mod decider;
mod distort;
mod error;
mod fault;
mod glob;
mod plan;
mod rule;
mod written;

pub use error::{FaultPlanError, RuleError};
pub use plan::FaultPlan;

pub(super) use conduct::{Scene, commit};
pub(super) use decider::Decider;
pub(super) use rule::Rule;

#[cfg(test)]
mod tests;
