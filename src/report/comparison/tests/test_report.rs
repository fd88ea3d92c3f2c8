//! Small report folders, written by hand.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::domain::facts::OrderFacts;
use crate::domain::finding::Subject;
use crate::domain::outcome::Bucket;
use crate::report::content::tables::discrepancy_id;
use crate::report::evidence::facts::FactsWriter;
use crate::report::files::FACTS_FILE;
use crate::report::folder::manifest::Stamp;

const DISCREPANCIES: &str = "run_order_id,input_line,workflow_id,revision_id,check,severity,cause,currency,expected,actual,difference,waived,lifecycle,run_status,settlement_status,created_at,updated_at,message,discrepancy_id,field\n";
const MEASURES: &str = "currency,orders,settled,pending,failed_runs,discrepant,quote_amount,final_amount,released_amount,compute_cost,external_model_cost,total_cost,quote_gross_difference,quote_net_difference,cost_gross_difference,cost_net_difference\n";

/// The contents of a report; `write` makes it a folder with a manifest.
#[derive(Clone, Debug)]
pub(super) struct TestReport {
    pub(super) base_url: &'static str,
    pub(super) discrepancies: String,
    pub(super) exceptions: String,
    pub(super) by_workflow: String,
    pub(super) by_revision: String,
    pub(super) orders: Vec<String>,
}

impl Default for TestReport {
    fn default() -> Self {
        Self {
            base_url: "sandbox",
            discrepancies: DISCREPANCIES.to_owned(),
            exceptions: "run_order_id,input_line,bucket,reason,detail\n".to_owned(),
            by_workflow: format!("workflow_id,{MEASURES}"),
            by_revision: format!("workflow_id,revision_id,{MEASURES}"),
            orders: Vec::new(),
        }
    }
}

impl TestReport {
    /// A failed check of an order that was fetched. `cells` are severity, cause, currency, expected, actual,
    /// difference, waived.
    pub(super) fn with(mut self, order: &str, check: &str, cells: &str) -> Self {
        let id = discrepancy_id(order, check, Subject::ORDER);
        // What the CSV writer does to a text that begins like a formula.
        let cell = if order.starts_with(['=', '+', '-', '@']) { format!("'{order}") } else { order.to_owned() };
        self.discrepancies +=
            &format!("{cell},2,wf_1,wfr_1,{check},{cells},new,succeeded,settled,,,what it says,{id},\n");
        self.fetched(order)
    }

    /// An order that was fetched and is in the facts.
    pub(super) fn fetched(mut self, order: &str) -> Self {
        self.orders.push(order.to_owned());
        self
    }

    /// An order whose reply was about a different order: it is not in the facts.
    pub(super) fn foreign(mut self, order: &str) -> Self {
        self = self.with(order, "identity-mismatch", "error,,CNY,x,y,,");
        self.orders.retain(|fetched| fetched != order);
        self
    }

    pub(super) fn exception(mut self, order: &str, bucket: &str) -> Self {
        self.exceptions += &format!("{order},9,{bucket},reason,detail\n");
        self
    }

    /// A workflow with a single revision: its settled orders and their final amount.
    pub(super) fn spent(mut self, workflow: &str, currency: &str, settled: u64, amount: &str) -> Self {
        let zeros = ["0.00000000"; 4].join(",");
        let measures = format!("{currency},{settled},{settled},0,0,0,{amount},{amount},{zeros},{zeros}\n");
        self.by_workflow += &format!("{workflow},{measures}");
        self.by_revision += &format!("{workflow},{workflow}_r1,{measures}");
        self
    }

    pub(super) fn write(&self) -> Folder {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("report");
        fs::create_dir(&path).expect("writable");
        for (name, text) in [
            ("discrepancies.csv", &self.discrepancies),
            ("exceptions.csv", &self.exceptions),
            ("spend_by_workflow.csv", &self.by_workflow),
            ("spend_by_revision.csv", &self.by_revision),
        ] {
            fs::write(path.join(name), text).expect("writable");
        }
        let mut facts = FactsWriter::create(&path.join(FACTS_FILE)).expect("writable");
        for order in &self.orders {
            facts.push(2, order, &OrderFacts::default(), true, Bucket::Reconciled, false).expect("writable");
        }
        facts.finish().expect("writable");
        let stamp = Stamp { base_url: self.base_url.to_owned(), verdict: "discrepant".to_owned(), ..Stamp::default() };
        stamp.write(&path).expect("writable");
        Folder { _place: place, path }
    }
}

/// A report folder that is deleted when dropped.
pub(super) struct Folder {
    _place: TempDir,
    path: PathBuf,
}

impl Folder {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}
