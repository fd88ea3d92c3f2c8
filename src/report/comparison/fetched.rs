//! Which orders a report assessed, and why not the others.

use std::collections::{BTreeMap, HashMap};

use polars::prelude::DataFrame;
use serde::Serialize;

use super::error::ComparisonError;
use super::folder::Folder;
use super::rows;
use crate::domain::outcome::Bucket;
use crate::report::evidence::facts;
use crate::report::files::FACTS_FILE;

const FILE: &str = "exceptions.csv";
const RUN_ORDER_ID: &str = "run_order_id";

/// Why a report did not assess an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnassessedReason {
    /// No row of its input names the order.
    NotInInput,
    /// The provider said that there is no such order.
    NotFound,
    /// The provider refused the order.
    Refused,
    /// The reply was JSON but not a run order.
    Malformed,
    /// No usable answer came.
    Unfetched,
    /// The reply was about a different order.
    IdentityMismatch,
}

impl UnassessedReason {
    /// The stable kebab-case word for the reason.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotInInput => "not-in-input",
            Self::NotFound => "not-found",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
            Self::Unfetched => "unfetched",
            Self::IdentityMismatch => "identity-mismatch",
        }
    }

    /// Why an order in that bucket was not assessed; `None` where the bucket does not tell.
    fn of(bucket: Bucket) -> Option<Self> {
        match bucket {
            // Of the rows without an order, only one that was not found can be waived.
            Bucket::NotFound | Bucket::Waived => Some(Self::NotFound),
            Bucket::Refused => Some(Self::Refused),
            Bucket::Malformed => Some(Self::Malformed),
            Bucket::Unfetched => Some(Self::Unfetched),
            Bucket::Duplicate | Bucket::Rejected | Bucket::Reconciled | Bucket::Discrepant | Bucket::Pending => None,
        }
    }
}

/// Removes from `orders` those that the report assessed: the ones in its `run_orders.parquet`. Reads only the
/// column of IDs, one row group at a time.
pub(super) fn remove_fetched(
    folder: &Folder,
    orders: &mut HashMap<String, UnassessedReason>,
) -> Result<(), ComparisonError> {
    let proven = folder.proven(FACTS_FILE)?;
    if orders.is_empty() {
        return Ok(());
    }
    let damaged = |problem: String| ComparisonError::damaged(proven.path(), problem);
    let facts = facts::open(&proven).map_err(damaged)?;
    for group in 0..facts.groups() {
        let remove = |rows: &DataFrame| {
            rows.column(RUN_ORDER_ID)?.str()?.iter().flatten().for_each(|order| _ = orders.remove(order));
            Ok(())
        };
        facts.group(group, Some(&[RUN_ORDER_ID]), remove).map_err(damaged)?;
    }
    Ok(())
}

/// Counts the rows of `exceptions.csv` by bucket, and passes each order that was not assessed to `unseen`,
/// with the reason.
pub(super) fn exceptions(
    folder: &Folder,
    mut unseen: impl FnMut(&str, UnassessedReason),
) -> Result<BTreeMap<&'static str, u64>, ComparisonError> {
    let mut counts = BTreeMap::new();
    rows::for_each(folder, FILE, [RUN_ORDER_ID, "bucket"], |[order, word]| {
        let bucket = Bucket::ALL.into_iter().find(|bucket| bucket.code() == word);
        let bucket = bucket.ok_or_else(|| format!("{} is not a bucket", rows::excerpt(word)))?;
        *counts.entry(bucket.code()).or_default() += 1;
        if let Some(why) = UnassessedReason::of(bucket) {
            unseen(order, why);
            // The CSV writer puts a `'` before what a spreadsheet would run.
            order.strip_prefix('\'').into_iter().for_each(|order| unseen(order, why));
        }
        Ok(())
    })?;
    Ok(counts)
}
