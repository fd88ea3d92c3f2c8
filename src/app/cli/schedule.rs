//! When runs are expected: the table `[schedule]` of the settings file.

use serde::{Deserialize, Serialize};

/// When runs are expected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScheduleOptions {
    /// How often, such as `24h`.
    pub every: Option<String>,
}
