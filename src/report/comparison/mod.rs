//! What changed between two reports: discrepancies by their IDs, and spend by workflow, revision and
//! currency.
//!
//! It holds the discrepancies of both reports and an entry per group of spend in memory, and streams the
//! orders.

mod discrepancies;
mod error;
mod fetched;
mod folder;
mod rows;
mod spend;
mod table;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use folder::{Folder, ManifestFields};

pub use discrepancies::{Discrepancy, Side, State, StateCounts};
pub use error::ComparisonError;
pub use fetched::UnassessedReason;
pub use spend::{Figures, Group, GroupState, Movement, Spend, Total};
pub use table::table;

/// What changed between two reports. As JSON it is what scripts read.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// Always `tieout-comparison`.
    pub kind: &'static str,
    /// The version of this layout.
    pub format: u32,
    /// Whether both reports are about orders of the same provider.
    pub same_base_url: bool,
    /// Whether both were judged under the same settings.
    pub same_settings: bool,
    /// The old report: the one to compare with.
    pub old: ComparedReport,
    /// The new report.
    pub new: ComparedReport,
    /// How many discrepancies are in each state.
    pub counts: StateCounts,
    /// Every discrepancy of either report: by state, then in the order of its report.
    pub discrepancies: Vec<Discrepancy>,
    /// How spend moved.
    pub spend: Spend,
}

/// One of the two reports.
#[derive(Debug, Serialize)]
pub struct ComparedReport {
    /// The moment at which its ages are measured.
    pub as_of: Timestamp,
    /// Whose orders these are: the provider's base URL, or `sandbox`.
    pub base_url: String,
    /// The code of its verdict, such as `discrepant`.
    pub verdict: String,
    /// SHA-256 of its manifest, in hex.
    pub manifest_sha256: String,
    /// How many orders its spend covers, settled or not.
    pub orders: u64,
    /// How many rows `exceptions.csv` has, by bucket.
    pub exceptions: BTreeMap<&'static str, u64>,
}

impl Comparison {
    /// Compares two report folders.
    ///
    /// # Errors
    /// [`ComparisonError`] says which of them is not a report, or which file differs from its manifest.
    pub fn of(old: &Path, new: &Path) -> Result<Self, ComparisonError> {
        let (old, new) = (Folder::open(old)?, Folder::open(new)?);
        let mut matches = discrepancies::match_discrepancies(&old, &new)?;
        let (old_exceptions, new_exceptions) = (fetched::exceptions(&old, |_, _| {})?, matches.assess(&new)?);
        let (spend, [old_orders, new_orders]) = spend::compare_spend(&old, &new)?;
        let discrepancies = matches.into_sorted();
        Ok(Self {
            kind: "tieout-comparison",
            format: 1,
            same_base_url: old.manifest.base_url == new.manifest.base_url,
            same_settings: old.manifest.settings_sha256 == new.manifest.settings_sha256,
            old: ComparedReport::of(old, old_orders, old_exceptions),
            new: ComparedReport::of(new, new_orders, new_exceptions),
            counts: StateCounts::of(&discrepancies),
            discrepancies,
            spend,
        })
    }
}

impl ComparedReport {
    fn of(folder: Folder, orders: u64, exceptions: BTreeMap<&'static str, u64>) -> Self {
        let manifest_sha256 = folder.manifest_sha256().to_owned();
        let ManifestFields { as_of, base_url, verdict, .. } = folder.manifest;
        Self { as_of, base_url, verdict, manifest_sha256, orders, exceptions }
    }
}

#[cfg(test)]
mod tests;
