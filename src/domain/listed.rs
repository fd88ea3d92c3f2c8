//! A run order as one line of the provider's list, which has fewer fields than the order's own reply.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::money::Amount;
use super::order::{Amounts, RunOrder};
use super::time::Period;

/// The columns of the CSV that `tieout discover` writes.
pub const LIST_COLUMNS: [&str; 8] =
    ["run_order_id", "workflow_id", "revision_id", "title", "run_status", "quote_amount", "final_amount", "created_at"];
/// How its last line begins: `#tieout-end,<orders>,<missing>`. `<missing>` may be `unknown`.
pub const LIST_END: &str = "#tieout-end";

/// Why a CSV from `tieout discover` is not the whole list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum ListShortfall {
    /// The last line, which marks the end of the list, is missing or unreadable.
    BrokenOff,
    /// The list has more or fewer rows than were written.
    OtherRows {
        /// How many rows were written.
        written: u64,
        /// How many rows were read.
        read: u64,
    },
    /// The provider counted more orders than it listed.
    Missing {
        /// How many orders are missing.
        orders: u64,
    },
    /// The provider did not say how many orders it has.
    Unknown,
}

/// One line of the list. A field that is absent, null, empty or unreadable is `None`. Texts are shared: a
/// list may hold a million orders of a few workflows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedOrder {
    /// The order's ID, which is always usable.
    pub run_order_id: Arc<str>,
    /// The ID of the workflow that ran.
    pub workflow_id: Option<Arc<str>>,
    /// The ID of the workflow's version that ran.
    pub revision_id: Option<Arc<str>>,
    /// The workflow's title, given by its maker.
    pub title: Option<Arc<str>>,
    /// The state of the run: `queued`, `running`, `succeeded`, `failed`, …
    pub run_status: Option<Arc<str>>,
    /// What was quoted.
    pub quote_amount: Option<Amount>,
    /// What is finally charged.
    pub final_amount: Option<Amount>,
    /// When the order was submitted, to the microsecond.
    pub created_at: Option<Timestamp>,
    /// Whether an amount of the line can't be read.
    pub is_unreadable: bool,
}

#[cfg(test)]
impl ListedOrder {
    /// An order of which only the ID is known.
    pub(crate) fn bare(id: &str) -> Self {
        Self {
            run_order_id: id.into(),
            workflow_id: None,
            revision_id: None,
            title: None,
            run_status: None,
            quote_amount: None,
            final_amount: None,
            created_at: None,
            is_unreadable: false,
        }
    }
}

/// The amounts of one line of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListedAmounts {
    /// What was quoted.
    pub quote_amount: Option<Amount>,
    /// What is finally charged.
    pub final_amount: Option<Amount>,
}

impl ListedOrder {
    /// Whether the order may have been submitted in the period. Without a creation time it always may.
    #[must_use]
    pub fn may_be_of(&self, period: &Period) -> bool {
        self.created_at.is_none_or(|created| period.holds(created))
    }

    /// The amounts of the line.
    #[must_use]
    pub const fn amounts(&self) -> ListedAmounts {
        ListedAmounts { quote_amount: self.quote_amount, final_amount: self.final_amount }
    }

    /// The line as a run order: the fields that it shares with a reply, and no others.
    #[must_use]
    pub fn order(&self) -> RunOrder {
        let text = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
        RunOrder {
            run_order_id: Some(self.run_order_id.to_string()),
            workflow_id: text(&self.workflow_id),
            revision_id: text(&self.revision_id),
            run_status: text(&self.run_status),
            created_at: self.created_at,
            amounts: Amounts { quote_amount: self.quote_amount, final_amount: self.final_amount, ..Amounts::default() },
            ..RunOrder::default()
        }
    }

    /// Whether both lines have the same amounts.
    #[must_use]
    pub fn has_amounts_of(&self, other: &Self) -> bool {
        (self.quote_amount, self.final_amount) == (other.quote_amount, other.final_amount)
    }

    /// Every text field: the provider's name of it, and its value.
    #[must_use]
    pub fn texts(&self) -> [(&'static str, Option<&str>); 5] {
        [
            ("run_order_id", Some(&self.run_order_id)),
            ("workflow_id", self.workflow_id.as_deref()),
            ("revision_id", self.revision_id.as_deref()),
            ("title", self.title.as_deref()),
            ("run_status", self.run_status.as_deref()),
        ]
    }
}
