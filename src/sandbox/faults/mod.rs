//! Planned faults: which requests get a fault, and which one. The same plan, seed and sequence of requests give the
//! same faults.

mod compress;
mod conduct;
mod decider;
mod distort;
mod error;
mod fault;
mod glob;
mod plan;
mod rule;
mod rule_spec;

pub use error::{FaultPlanError, RuleError};
pub use plan::FaultPlan;

pub(super) use conduct::{Scene, commit};
pub(super) use decider::Decider;
pub(super) use rule::Rule;

#[cfg(test)]
mod tests;
