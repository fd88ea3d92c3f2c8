//! A run order as the provider describes it: the billing facts, and nothing of what the user asked for.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::money::{Amount, Sum};

/// The billing facts of one run order. An absent, null or empty field is `None`; a status the provider's
/// reference does not name is kept as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunOrder {
    /// The order the reply says it is about.
    pub run_order_id: Option<String>,
    /// The workflow that ran.
    pub workflow_id: Option<String>,
    /// The version of the workflow that ran.
    pub revision_id: Option<String>,
    /// The currency of every amount of this order.
    pub quote_currency: Option<String>,
    /// The six amounts.
    pub amounts: Amounts,
    /// The state of the pre-charge: `frozen`, `released`, …
    pub freeze_status: Option<String>,
    /// The state of the submission: `submitted`, …
    pub submission_status: Option<String>,
    /// The state of the run: `queued`, `running`, `succeeded`, `failed`, …
    pub run_status: Option<String>,
    /// The state of the settlement: `settled`, …
    pub settlement_status: Option<String>,
    /// The task in the execution engine.
    pub task_id: Option<String>,
    /// The prompt in the execution engine (its ID, not its text).
    pub prompt_id: Option<String>,
    /// The provider's code for a failed run.
    pub error_code: Option<String>,
    /// When the order was submitted, to the microsecond.
    pub created_at: Option<Timestamp>,
    /// When the order last changed, to the microsecond.
    pub updated_at: Option<Timestamp>,
    /// What else is to be said of the reply. Hardly ever anything.
    pub remarks: Option<Box<Remarks>>,
}

/// What a reply says beside the facts, where a finding is to name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remarks {
    /// The times that were a zero of the provider's program, and are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zero_times: Vec<TimeField>,
    /// Amounts under names that the provider's reference does not have, of the size that an identity is off.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub other_amounts: BTreeMap<String, Amount>,
}

/// A field that holds a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeField {
    /// `created_at`.
    CreatedAt,
    /// `updated_at`.
    UpdatedAt,
}

impl TimeField {
    /// The provider's name of it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
        }
    }
}

impl RunOrder {
    /// Whether it is the order that was asked for.
    #[must_use]
    pub fn is_about(&self, asked: &str) -> bool {
        self.run_order_id.as_deref() == Some(asked)
    }

    /// The order's figures.
    #[must_use]
    pub fn charge(&self) -> Charge {
        Charge { currency: self.quote_currency.clone(), amounts: self.amounts }
    }

    /// The times that were a zero of the provider's program.
    #[must_use]
    pub fn zero_times(&self) -> &[TimeField] {
        self.remarks.as_ref().map_or(&[], |remarks| &remarks.zero_times)
    }

    /// The amounts that the reply has of that size, by names that the provider's reference does not have.
    pub fn other_amounts_of(&self, size: Sum) -> impl Iterator<Item = &str> {
        let others = self.remarks.iter().flat_map(|remarks| &remarks.other_amounts);
        others.filter(move |(_, amount)| Sum::from(**amount).abs() == size.abs()).map(|(name, _)| name.as_str())
    }

    /// Every text with the provider's name of its field.
    #[must_use]
    pub fn texts(&self) -> [(&'static str, Option<&str>); 11] {
        [
            ("run_order_id", self.run_order_id.as_deref()),
            ("workflow_id", self.workflow_id.as_deref()),
            ("revision_id", self.revision_id.as_deref()),
            ("quote_currency", self.quote_currency.as_deref()),
            ("freeze_status", self.freeze_status.as_deref()),
            ("submission_status", self.submission_status.as_deref()),
            ("run_status", self.run_status.as_deref()),
            ("settlement_status", self.settlement_status.as_deref()),
            ("task_id", self.task_id.as_deref()),
            ("prompt_id", self.prompt_id.as_deref()),
            ("error_code", self.error_code.as_deref()),
        ]
    }
}

/// The figures of an order: what a settlement fixes for good.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Charge {
    /// The currency of the amounts.
    pub currency: Option<String>,
    /// The six amounts.
    pub amounts: Amounts,
}

/// The six amounts of an order, each where the reply had one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// What was quoted, and frozen at submission.
    pub quote_amount: Option<Amount>,
    /// What is finally charged.
    pub final_amount: Option<Amount>,
    /// What of the frozen quote is given back.
    pub released_amount: Option<Amount>,
    /// The cost of GPU time.
    pub compute_cost: Option<Amount>,
    /// The cost of third-party models.
    pub external_model_cost: Option<Amount>,
    /// Compute plus external, in the provider's words.
    pub total_cost: Option<Amount>,
}

impl Amounts {
    /// The provider's names of the six amounts, in the order of the reports.
    pub const NAMES: [&'static str; 6] =
        ["quote_amount", "final_amount", "released_amount", "compute_cost", "external_model_cost", "total_cost"];

    /// The six amounts in the order of [`Amounts::NAMES`].
    #[must_use]
    pub const fn in_order(&self) -> [Option<Amount>; 6] {
        [
            self.quote_amount,
            self.final_amount,
            self.released_amount,
            self.compute_cost,
            self.external_model_cost,
            self.total_cost,
        ]
    }

    /// `final + released - quote`, where all three are there.
    #[must_use]
    pub fn quote_difference(&self) -> Option<Sum> {
        let (quote, charged, released) = (self.quote_amount?, self.final_amount?, self.released_amount?);
        Some(Sum::of([charged, released, -quote]))
    }

    /// `total - compute - external`, where all three are there.
    #[must_use]
    pub fn cost_difference(&self) -> Option<Sum> {
        let (compute, external, total) = (self.compute_cost?, self.external_model_cost?, self.total_cost?);
        Some(Sum::of([total, -compute, -external]))
    }

    /// The inverse of [`Amounts::in_order`].
    #[must_use]
    pub const fn from_order(values: [Option<Amount>; 6]) -> Self {
        let [quote_amount, final_amount, released_amount, compute_cost, external_model_cost, total_cost] = values;
        Self { quote_amount, final_amount, released_amount, compute_cost, external_model_cost, total_cost }
    }
}
