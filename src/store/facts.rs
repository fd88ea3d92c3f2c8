//! Converts the facts of an order to columns of the table `observations`, and back.

use jiff::Timestamp;
use rusqlite::types::{Value, ValueRef};

use super::cells::{Cells, Layout};
use super::error::Problem;
use super::seal::{self, DIGEST};
use crate::domain::facts::OrderFacts;
use crate::domain::money::Amount;
use crate::domain::order::{Remarks, RunOrder};

/// The states that orders were seen in: a row whenever a state differs from the latest one in the memory.
pub(super) static OBSERVATIONS: Layout = Layout {
    table: "observations",
    columns: &[
        "observation_id",
        "provider_id",
        "run_order_id",
        "first_seen_at",
        "settled",
        "state",
        "replied_run_order_id",
        "workflow_id",
        "revision_id",
        "quote_currency",
        "quote_amount",
        "final_amount",
        "released_amount",
        "compute_cost",
        "external_model_cost",
        "total_cost",
        "freeze_status",
        "submission_status",
        "run_status",
        "settlement_status",
        "task_id",
        "prompt_id",
        "error_code",
        "created_at",
        "updated_at",
        "remarks",
    ],
};

const FACTS: usize = 20;
/// How many texts stand before the amounts: the IDs and the currency.
const TEXTS_BEFORE_AMOUNTS: usize = 4;

/// The facts of one order, ready to be written.
pub(super) struct Facts {
    values: [Value; FACTS],
    /// A digest of the facts, which identifies this state of the order.
    pub(super) state: [u8; DIGEST],
    /// Whether the reply is about the order that was asked for, and settled.
    pub(super) is_settled: bool,
}

impl Facts {
    /// The facts of the reply to a request for the order `asked`.
    pub(super) fn of(asked: &str, order: RunOrder) -> Self {
        let is_settled = order.is_about(asked) && order.is_settled();
        let [quote, charged, released, compute, external, total] = order.amounts.in_order().map(amount);
        let values = [
            order.run_order_id.into(),
            order.workflow_id.into(),
            order.revision_id.into(),
            order.quote_currency.into(),
            quote,
            charged,
            released,
            compute,
            external,
            total,
            order.freeze_status.into(),
            order.submission_status.into(),
            order.run_status.into(),
            order.settlement_status.into(),
            order.task_id.into(),
            order.prompt_id.into(),
            order.error_code.into(),
            order.created_at.map(Timestamp::as_microsecond).into(),
            order.updated_at.map(Timestamp::as_microsecond).into(),
            order.remarks.as_deref().and_then(|remarks| serde_json::to_string(remarks).ok()).into(),
        ];
        let state = seal::digest(values.iter().map(ValueRef::from));
        Self { values, state, is_settled }
    }

    /// The column values of a new observation, checksum included.
    pub(super) fn row(self, observation: i64, provider: i64, asked: String, seen_at: Timestamp) -> Vec<Value> {
        let head = [
            observation.into(),
            provider.into(),
            asked.into(),
            seen_at.as_microsecond().into(),
            self.is_settled.into(),
            self.state.to_vec().into(),
        ];
        seal::with_checksum(head.into_iter().chain(self.values))
    }
}

/// An amount in units of 10⁻⁸, or as a text if it does not fit SQLite's 64 bits.
fn amount(amount: Option<Amount>) -> Value {
    amount.map_or(Value::Null, |amount| match i64::try_from(amount.units()) {
        Ok(units) => units.into(),
        Err(_) => amount.to_string().into(),
    })
}

/// One row of [`OBSERVATIONS`].
#[derive(Debug)]
pub(super) struct Observation<'r> {
    pub(super) run_order_id: &'r str,
    pub(super) is_settled: bool,
    pub(super) state: [u8; DIGEST],
    pub(super) facts: OrderFacts<'r>,
    pub(super) remarks: Option<Box<Remarks>>,
}

impl<'r> Observation<'r> {
    /// Reads one row strictly: a value that does not fit is an error, never replaced by a default.
    pub(super) fn read(mut cells: Cells<'r>) -> Result<Self, Problem> {
        cells.skip();
        cells.skip();
        let run_order_id = cells.required_str()?;
        cells.skip();
        let is_settled = cells.flag()?;
        let state = cells.bytes()?;
        let mut facts = OrderFacts::default();
        let (before, after) = facts.texts.split_at_mut(TEXTS_BEFORE_AMOUNTS);
        for text in before {
            *text = cells.str()?;
        }
        for units in &mut facts.units {
            *units = cells.units()?;
        }
        for text in after {
            *text = cells.str()?;
        }
        for time in &mut facts.microseconds {
            *time = cells.microseconds()?;
        }
        let remarks = cells.str()?.map(serde_json::from_str).transpose();
        let remarks = remarks.map_err(|error| cells.damage(&error.to_string()))?.map(Box::new);
        Ok(Self { run_order_id, is_settled, state, facts, remarks })
    }

    /// The order with these facts.
    pub(super) fn order(self) -> Result<RunOrder, Problem> {
        let out_of_range = || Problem::damaged(OBSERVATIONS.table, "an amount is out of range");
        self.facts.order(self.remarks).ok_or_else(out_of_range)
    }
}
