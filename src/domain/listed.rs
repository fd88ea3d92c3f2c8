//! A run order as a line of the provider's list: less than an order's own reply says, and nothing that is judged.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::money::Amount;
use super::order::{Amounts, RunOrder};
use super::time::Period;

/// The columns of the CSV that `tieout discover` writes.
pub const LIST_COLUMNS: [&str; 8] =
    ["run_order_id", "workflow_id", "revision_id", "title", "run_status", "quote_amount", "final_amount", "created_at"];
/// How its last line begins: `#tieout-end,<orders>,<missing>`, where `<missing>` may be `unknown`.
pub const LIST_END: &str = "#tieout-end";

/// Why a CSV that `tieout discover` wrote is not the whole list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum ListShortfall {
    /// It has no last line that says that it ends there.
    BrokenOff,
    /// It does not have the rows that were written.
    OtherRows {
        /// How many were written.
        written: u64,
        /// How many there are.
        read: u64,
    },
    /// The provider counted more orders than it listed.
    Missing {
        /// How many more.
        orders: u64,
    },
    /// The provider did not say how many orders it has.
    Unknown,
}

/// One line of the list. An absent, null or empty field is `None`, and so is one that can't be read. Texts are shared:
/// a list may hold a million orders of a few workflows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedOrder {
    /// The order, by a usable ID.
    pub run_order_id: Arc<str>,
    /// The workflow that ran.
    pub workflow_id: Option<Arc<str>>,
    /// The version of the workflow that ran.
    pub revision_id: Option<Arc<str>>,
    /// What the workflow's maker calls it.
    pub title: Option<Arc<str>>,
    /// The state of the run: `queued`, `running`, `succeeded`, `failed`, …
    pub run_status: Option<Arc<str>>,
    /// What was quoted.
    pub quote_amount: Option<Amount>,
    /// What is finally charged.
    pub final_amount: Option<Amount>,
    /// When the order was submitted, to the microsecond.
    pub created_at: Option<Timestamp>,
    /// Whether there is an amount that can't be read.
    pub is_unreadable: bool,
}

#[cfg(test)]
impl ListedOrder {
    /// An order of which nothing is known but its ID.
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
    /// Whether it may have been submitted in the period: an order of which nobody knows when may be of any.
    #[must_use]
    pub fn may_be_of(&self, period: &Period) -> bool {
        self.created_at.is_none_or(|created| period.holds(created))
    }

    /// The amounts.
    #[must_use]
    pub const fn amounts(&self) -> ListedAmounts {
        ListedAmounts { quote_amount: self.quote_amount, final_amount: self.final_amount }
    }

    /// What the line says, as far as a reply about the order would say it too.
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

    /// Whether the amounts are the same ones as those of another line.
    #[must_use]
    pub fn has_amounts_of(&self, other: &Self) -> bool {
        (self.quote_amount, self.final_amount) == (other.quote_amount, other.final_amount)
    }

    /// Every text with the provider's name of its field.
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
