//! What a report says, in no format: its tables, its summary, and the words for both.

pub mod largest;
pub mod particulars;
pub mod percent;
pub mod summary_json;
pub mod table;
pub mod tables;
pub mod wording;

use std::collections::BTreeMap;

use jiff::Timestamp;

use self::summary_json::SummaryJson;
use self::table::{Source, Table};
use self::tables::{Discrepancy, Exception, PendingOrder, Resolved, WaiverRow};
use crate::report::evidence::spend::SpendRow;
use crate::report::files::FileStamp;
use crate::summary::Weighed;

/// What a report says. Every format writes this and decides nothing.
#[derive(Debug)]
pub struct Content<'w> {
    /// What `summary.json` says.
    pub summary: SummaryJson,
    /// The verdict, and what else the exit code depends on.
    pub weighed: Weighed,
    /// What ages are counted to.
    pub as_of: Timestamp,
    /// How many rows the input has.
    pub rows_read: u64,
    /// Every failed check, by line.
    pub discrepancies: Vec<Discrepancy>,
    /// What was spent.
    pub spend: Spend,
    /// The unsettled orders.
    pub pending: Vec<PendingOrder>,
    /// The rows without an order to judge.
    pub exceptions: Vec<Exception>,
    /// What was found before and is resolved.
    pub resolved: Vec<Resolved>,
    /// The waivers, where any were given.
    pub waivers: Vec<WaiverRow<'w>>,
    /// What workflows are called, by ID, where the provider's list says it.
    pub titles: BTreeMap<String, String>,
    /// The files that all figures come from, with their hashes.
    pub evidence: Vec<FileStamp>,
}

/// What was spent, by what it is counted for.
#[derive(Debug, Default)]
pub struct Spend {
    /// By workflow.
    pub by_workflow: Vec<SpendRow>,
    /// By revision of a workflow.
    pub by_revision: Vec<SpendRow>,
    /// By day.
    pub by_day: Vec<SpendRow>,
}

impl Spend {
    /// Its tables.
    pub fn tables(&self) -> [Table<'_>; 3] {
        let Self { by_workflow, by_revision, by_day } = self;
        [tables::spend_by_workflow(by_workflow), tables::spend_by_revision(by_revision), tables::spend_by_day(by_day)]
    }
}

impl Content<'_> {
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
        tables
    }
}
