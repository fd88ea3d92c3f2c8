//! What the settings file may say of one workflow.

use serde::{Deserialize, Serialize};

/// What is other than usual for the orders of one workflow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorkflowOptions {
    /// By how much quote-split and cost-sum may be off.
    pub tolerance: Option<String>,
    /// From which age an order that is not settled is a warning.
    pub stale_after: Option<String>,
    /// From which size on a difference is material.
    pub material: Option<String>,
}
