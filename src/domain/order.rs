//! A run order as the provider describes it: its billing facts, without prompts and other inputs of the user.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::money::{Amount, Sum};

/// The billing facts of one run order. An absent, null or empty field is `None`. A status word that the
/// provider's reference doesn't name is kept as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunOrder {
    /// The ID of the order that the reply is about.
    pub run_order_id: Option<String>,
    /// The ID of the workflow that ran.
    pub workflow_id: Option<String>,
    /// The ID of the workflow's version that ran.
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
    /// The ID of the task in the execution engine.
    pub task_id: Option<String>,
    /// The ID of the prompt in the execution engine, not its text.
    pub prompt_id: Option<String>,
    /// The provider's code for a failed run.
    pub error_code: Option<String>,
    /// When the order was submitted, to the microsecond.
    pub created_at: Option<Timestamp>,
    /// When the order last changed, to the microsecond.
    pub updated_at: Option<Timestamp>,
    /// Particulars of the reply that findings name. Nearly every order has none.
    pub remarks: Option<Box<Remarks>>,
}

/// Particulars of a reply, beyond its facts, that findings name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remarks {
    /// The time fields that hold a program's zero value, and so are treated as empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zero_times: Vec<TimeField>,
    /// Amounts that the provider's reference doesn't name, of exactly the size that an identity is off by.
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
    /// The provider's name of the field.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
        }
    }
}

impl RunOrder {
    /// Whether the reply is about the order that was asked for.
    #[must_use]
    pub fn is_about(&self, asked: &str) -> bool {
        self.run_order_id.as_deref() == Some(asked)
    }

    /// The order's currency and amounts.
    #[must_use]
    pub fn charge(&self) -> Charge {
        Charge { currency: self.quote_currency.clone(), amounts: self.amounts }
    }

    /// The time fields that hold a program's zero value.
    #[must_use]
    pub fn zero_times(&self) -> &[TimeField] {
        self.remarks.as_ref().map_or(&[], |remarks| &remarks.zero_times)
    }

    /// The names of the reply's other amounts of that size, whatever their sign.
    pub fn other_amounts_of(&self, size: Sum) -> impl Iterator<Item = &str> {
        let others = self.remarks.iter().flat_map(|remarks| &remarks.other_amounts);
        others.filter(move |(_, amount)| Sum::from(**amount).abs() == size.abs()).map(|(name, _)| name.as_str())
    }

    /// The provider's names of the text fields.
    pub const TEXTS: [&'static str; 11] = [
        "run_order_id",
        "workflow_id",
        "revision_id",
        "quote_currency",
        "freeze_status",
        "submission_status",
        "run_status",
        "settlement_status",
        "task_id",
        "prompt_id",
        "error_code",
    ];

    /// Every text field: the provider's name of it, and its value.
    #[must_use]
    pub fn texts(&self) -> [(&'static str, Option<&str>); Self::TEXTS.len()] {
        let values = [
            &self.run_order_id,
            &self.workflow_id,
            &self.revision_id,
            &self.quote_currency,
            &self.freeze_status,
            &self.submission_status,
            &self.run_status,
            &self.settlement_status,
            &self.task_id,
            &self.prompt_id,
            &self.error_code,
        ];
        std::array::from_fn(|field| (Self::TEXTS[field], values[field].as_deref()))
    }
}

/// The currency and amounts of an order: what a settlement fixes for good.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Charge {
    /// The currency of the amounts.
    pub currency: Option<String>,
    /// The six amounts.
    pub amounts: Amounts,
}

/// The six amounts of an order. One that the reply lacks is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// What was quoted, and frozen at submission.
    pub quote_amount: Option<Amount>,
    /// What is finally charged.
    pub final_amount: Option<Amount>,
    /// What is released of the frozen quote.
    pub released_amount: Option<Amount>,
    /// The cost of GPU time.
    pub compute_cost: Option<Amount>,
    /// The cost of third-party models.
    pub external_model_cost: Option<Amount>,
    /// Compute plus external, as the provider adds them up.
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

    /// `final + released - quote`, if all three are present.
    #[must_use]
    pub fn quote_difference(&self) -> Option<Sum> {
        let (quote, charged, released) = (self.quote_amount?, self.final_amount?, self.released_amount?);
        Some(Sum::of([charged, released, -quote]))
    }

    /// `total - compute - external`, if all three are present.
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
