//! What changed between two reports: discrepancies by their IDs, and spend by workflow, revision and currency.
//!
//! In memory are the discrepancies of both reports and one entry a group of spend; the orders are streamed.

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

use folder::{Folder, Listed};

pub use discrepancies::{Discrepancy, Side, State, StateCounts};
pub use error::ComparisonError;
pub use fetched::Unassessed;
pub use spend::{Figures, Group, GroupState, Movement, Spend, Total};
pub use table::table;

/// What changed between two reports; as JSON, what scripts read.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// `tieout-comparison`.
    pub kind: &'static str,
    /// The version of this layout.
    pub format: u32,
    /// Whether both reports are about orders of the same provider.
    pub same_base_url: bool,
    /// Whether both were judged under the same settings.
    pub same_settings: bool,
    /// The report that is compared with.
    pub old: Compared,
    /// The report that is compared.
    pub new: Compared,
    /// How many discrepancies are in each state.
    pub counts: StateCounts,
    /// Every discrepancy of either report: by state, then in the order of its report.
    pub discrepancies: Vec<Discrepancy>,
    /// What moved in the spend.
    pub spend: Spend,
}

/// One of the two reports.
#[derive(Debug, Serialize)]
pub struct Compared {
    /// What its ages are counted to.
    pub as_of: Timestamp,
    /// Whose orders these are: the provider's base URL, or `sandbox`.
    pub base_url: String,
    /// Its verdict.
    pub verdict: String,
    /// SHA-256 of its manifest, in hex.
    pub manifest_sha256: String,
    /// How many orders its spend is of, settled or not.
    pub orders: u64,
    /// How many rows are no fetched order, by bucket.
    pub exceptions: BTreeMap<&'static str, u64>,
}

impl Comparison {
    /// Compares two report folders. The same folder twice has no change.
    ///
    /// # Errors
    /// [`ComparisonError`] says which of them is no report, or which file is not what its manifest says.
    pub fn of(old: &Path, new: &Path) -> Result<Self, ComparisonError> {
        let (old, new) = (Folder::open(old)?, Folder::open(new)?);
        let mut matched = discrepancies::matched(&old, &new)?;
        let (old_exceptions, new_exceptions) = (fetched::exceptions(&old, |_, _| {})?, matched.assess(&new)?);
        let (spend, [old_orders, new_orders]) = spend::moved(&old, &new)?;
        let discrepancies = matched.into_sorted();
        Ok(Self {
            kind: "tieout-comparison",
            format: 1,
            same_base_url: old.listed.base_url == new.listed.base_url,
            same_settings: old.listed.settings_sha256 == new.listed.settings_sha256,
            old: Compared::of(old, old_orders, old_exceptions),
            new: Compared::of(new, new_orders, new_exceptions),
            counts: StateCounts::of(&discrepancies),
            discrepancies,
            spend,
        })
    }
}

impl Compared {
    fn of(folder: Folder, orders: u64, exceptions: BTreeMap<&'static str, u64>) -> Self {
        let manifest_sha256 = folder.manifest_sha256().to_owned();
        let Listed { as_of, base_url, verdict, .. } = folder.listed;
        Self { as_of, base_url, verdict, manifest_sha256, orders, exceptions }
    }
}

#[cfg(test)]
mod tests;
