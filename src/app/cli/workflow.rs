//! The settings of one workflow: a table `[workflow.ID]` of the settings file.

use serde::{Deserialize, Serialize};

/// Overrides for the orders of one workflow; `None` keeps the general setting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorkflowOptions {
    /// How far `quote-split` and `cost-sum` may be off: a decimal amount.
    pub tolerance: Option<String>,
    /// The age at which an unsettled order becomes a warning, such as `72h`.
    pub stale_after: Option<String>,
    /// The smallest difference that counts as material, in the order's currency.
    pub material: Option<String>,
}
