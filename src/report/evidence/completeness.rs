//! `completeness.json`: what the provider's own list of orders says about the input. It is evidence, not
//! judgement: the report can be rebuilt from it.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::rows::amount;
use crate::domain::finding::PastFinding;
use crate::domain::listed::ListedOrder;
use crate::report::files::{COMPLETENESS_FILE, ProvenFile};
use crate::report::{ReportError, files};

/// The most that is read back of the file, in bytes: room for four million orders that the input lacks.
const MAX_FILE: u64 = 1 << 30;

/// The result of walking the provider's list, as far as it concerns the input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completeness {
    /// How many orders of the period are in the list.
    pub listed: u64,
    /// How many orders the provider counts in total, of any period; `None` if it does not say.
    pub counted: Option<u64>,
    /// How many of those were never listed; `None` if unknown.
    pub missing: Option<u64>,
    /// Why the list could not be fetched, or can't be relied on.
    pub problem: Option<String>,
    /// The orders of the period that the input lacks, sorted by ID, each with its earlier findings.
    pub unlisted: Vec<(ListedOrder, Vec<PastFinding>)>,
    /// Workflow titles by workflow ID.
    pub titles: BTreeMap<String, String>,
}

impl Completeness {
    /// Whether the list is complete and reliable, so that every order the input lacks is known.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.missing == Some(0) && self.problem.is_none()
    }

    pub(in crate::report) fn write(&self, folder: &Path) -> Result<(), ReportError> {
        let path = folder.join(COMPLETENESS_FILE);
        files::write_json(&path, &CompletenessJson::of(self)).map(drop).map_err(|source| ReportError::io(&path, source))
    }

    /// Reads the file back from a report folder.
    ///
    /// # Errors
    /// [`ReportError::Evidence`] if the file is not valid.
    pub fn read(proven: &ProvenFile) -> Result<Self, ReportError> {
        let damaged = |problem: String| ReportError::evidence(proven.path(), problem);
        let file = proven.reader().map_err(|error| damaged(error.to_string()))?;
        // Parsed as a stream: the text would otherwise be in memory beside the values.
        let text = BufReader::new(file).take(MAX_FILE);
        let written: CompletenessJson = serde_json::from_reader(text).map_err(|error| damaged(error.to_string()))?;
        written.completeness().map_err(damaged)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CompletenessJson {
    listed: u64,
    counted: Option<u64>,
    missing: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    unlisted: Vec<WrittenOrder>,
    titles: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenOrder {
    run_order_id: String,
    workflow_id: Option<String>,
    revision_id: Option<String>,
    run_status: Option<String>,
    quote_amount: Option<String>,
    final_amount: Option<String>,
    created_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    found_before: Vec<PastFinding>,
}

impl CompletenessJson {
    fn of(completeness: &Completeness) -> Self {
        Self {
            listed: completeness.listed,
            counted: completeness.counted,
            missing: completeness.missing,
            problem: completeness.problem.clone(),
            unlisted: completeness.unlisted.iter().map(|(order, past)| WrittenOrder::of(order, past)).collect(),
            titles: completeness.titles.clone(),
        }
    }

    fn completeness(self) -> Result<Completeness, String> {
        Ok(Completeness {
            listed: self.listed,
            counted: self.counted,
            missing: self.missing,
            problem: self.problem,
            unlisted: self.unlisted.into_iter().map(WrittenOrder::order).collect::<Result<_, _>>()?,
            titles: self.titles,
        })
    }
}

impl WrittenOrder {
    fn of(order: &ListedOrder, past: &[PastFinding]) -> Self {
        let text = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
        Self {
            run_order_id: order.run_order_id.to_string(),
            workflow_id: text(&order.workflow_id),
            revision_id: text(&order.revision_id),
            run_status: text(&order.run_status),
            quote_amount: order.quote_amount.map(|amount| amount.to_string()),
            final_amount: order.final_amount.map(|amount| amount.to_string()),
            created_at: order.created_at,
            found_before: past.to_vec(),
        }
    }

    fn order(self) -> Result<(ListedOrder, Vec<PastFinding>), String> {
        let order = ListedOrder {
            run_order_id: self.run_order_id.into(),
            workflow_id: self.workflow_id.map(Arc::from),
            revision_id: self.revision_id.map(Arc::from),
            // Titles are kept once each, in `Completeness::titles`.
            title: None,
            run_status: self.run_status.map(Arc::from),
            quote_amount: amount(self.quote_amount)?,
            final_amount: amount(self.final_amount)?,
            created_at: self.created_at,
            is_unreadable: false,
        };
        Ok((order, self.found_before))
    }
}
