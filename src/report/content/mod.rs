//! The content of a report, independent of any format: its tables, its summary, and the sentences that
//! explain them.

pub mod closing;
pub mod largest;
pub mod list;
mod list_rows;
pub mod night_list;
pub mod particulars;
pub mod percent;
pub mod sorted;
pub mod summary_json;
pub mod table;
pub mod tables;
pub mod wording;

use std::collections::BTreeMap;

use jiff::Timestamp;

use self::closing::AdjustmentRow;
use self::list::List;
use self::summary_json::SummaryJson;
use self::table::{Source, Table};
use self::tables::{Discrepancy, Exception, PendingOrder, ResolvedFinding, WaiverRow};
use crate::report::ReportError;
use crate::report::evidence::spend::Spend;
use crate::report::files::FileStamp;
use crate::summary::ExitInputs;

/// The content of a report. Every format writes this and decides nothing.
#[derive(Debug)]
pub struct Content<'w> {
    /// The content of `summary.json`.
    pub summary: SummaryJson,
    /// The verdict, and the other facts that decide the exit code.
    pub exit_inputs: ExitInputs,
    /// The time at which the ages of orders are measured.
    pub as_of: Timestamp,
    /// The number of rows in the input.
    pub rows_read: u64,
    /// Every failed check, by line.
    pub discrepancies: List<Discrepancy>,
    /// The aggregated spend.
    pub spend: Spend,
    /// The unsettled orders.
    pub pending: List<PendingOrder>,
    /// The rows without an order to judge, each with its reason.
    pub exceptions: List<Exception>,
    /// Earlier discrepancies that are resolved.
    pub resolved: List<ResolvedFinding>,
    /// Every waiver that was given, with its state.
    pub waivers: Vec<WaiverRow<'w>>,
    /// What later observations change in months that are closed; `None` where no closed month is looked at.
    pub adjustments: Option<List<AdjustmentRow>>,
    /// The titles of workflows by ID, as far as the provider's list has them.
    pub titles: BTreeMap<String, String>,
    /// The files that all figures come from, with their hashes.
    pub evidence: Vec<FileStamp>,
}

impl Spend {
    /// The three spend tables: by workflow, by revision, by day.
    pub fn tables(&self) -> [Table<'_>; 3] {
        let Self { by_workflow, by_revision, by_day } = self;
        [tables::spend_by_workflow(by_workflow), tables::spend_by_revision(by_revision), tables::spend_by_day(by_day)]
    }
}

impl Content<'_> {
    /// Fails if a row of a list could not be read back: what was written since lacks it.
    ///
    /// # Errors
    /// Why it could not be read.
    pub fn require_read(&self) -> Result<(), ReportError> {
        self.discrepancies.require_read()?;
        self.pending.require_read()?;
        self.exceptions.require_read()?;
        self.adjustments.as_ref().map_or(Ok(()), List::require_read)?;
        self.resolved.require_read()
    }

    /// Every table, in the order of the workbook's sheets.
    #[must_use]
    pub fn tables(&self) -> Vec<Source<'_>> {
        let spend = &self.spend;
        let mut tables: Vec<Source<'_>> = vec![
            Box::new(|| tables::discrepancies(&self.discrepancies)),
            Box::new(|| tables::spend_by_workflow(&spend.by_workflow)),
            Box::new(|| tables::spend_by_revision(&spend.by_revision)),
            Box::new(|| tables::spend_by_day(&spend.by_day)),
            Box::new(|| tables::pending(&self.pending, self.as_of)),
            Box::new(|| tables::exceptions(&self.exceptions)),
            Box::new(|| tables::resolved(&self.resolved)),
        ];
        if !self.waivers.is_empty() {
            tables.push(Box::new(|| tables::waivers(&self.waivers)));
        }
        if let Some(by_currency) = &self.summary.roll_forward {
            tables.push(Box::new(|| closing::roll_forward(by_currency)));
        }
        if let (Some(by_month), Some(rows)) = (&self.summary.adjustments, &self.adjustments) {
            tables.push(Box::new(|| closing::adjustments_by_month(by_month)));
            tables.push(Box::new(|| closing::adjustments(rows)));
        }
        tables
    }
}
