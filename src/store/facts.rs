//! Converts the facts of an order to columns of the table `observations`, and back.

use std::fmt::Write as _;

use jiff::Timestamp;
use rusqlite::types::{Value, ValueRef};

use super::cells::{Cells, Layout};
use super::error::Problem;
use super::seal::{self, DIGEST};
use crate::domain::money::Amount;
use crate::domain::order::{Amounts, Remarks, RunOrder};

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

/// Enough bytes for the text of most amounts.
const AMOUNT_CAPACITY: usize = 24;
const FACTS: usize = 20;

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

fn amount(amount: Option<Amount>) -> Value {
    let written = |amount: Amount| {
        let mut text = String::with_capacity(AMOUNT_CAPACITY);
        // Writing to a `String` never fails.
        _ = write!(text, "{amount}");
        text
    };
    amount.map(written).into()
}

/// One row of [`OBSERVATIONS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Observation {
    pub(super) run_order_id: String,
    pub(super) is_settled: bool,
    pub(super) state: [u8; DIGEST],
    pub(super) order: RunOrder,
}

impl Observation {
    /// Reads one row strictly: a value that does not fit is an error, never replaced by a default.
    pub(super) fn read(mut cells: Cells<'_>) -> Result<Self, Problem> {
        cells.skip();
        cells.skip();
        let run_order_id = cells.required_text()?;
        cells.skip();
        let is_settled = cells.flag()?;
        let state = cells.bytes()?;
        Ok(Self { run_order_id, is_settled, state, order: order(&mut cells)? })
    }
}

/// Reads the facts, starting at the current cell.
pub(super) fn order(cells: &mut Cells<'_>) -> Result<RunOrder, Problem> {
    // Fields are evaluated in the order written here, which must be that of the columns.
    Ok(RunOrder {
        run_order_id: cells.text()?,
        workflow_id: cells.text()?,
        revision_id: cells.text()?,
        quote_currency: cells.text()?,
        amounts: Amounts::from_order([
            cells.amount()?,
            cells.amount()?,
            cells.amount()?,
            cells.amount()?,
            cells.amount()?,
            cells.amount()?,
        ]),
        freeze_status: cells.text()?,
        submission_status: cells.text()?,
        run_status: cells.text()?,
        settlement_status: cells.text()?,
        task_id: cells.text()?,
        prompt_id: cells.text()?,
        error_code: cells.text()?,
        created_at: cells.time()?,
        updated_at: cells.time()?,
        remarks: remarks(cells)?.map(Box::new),
    })
}

fn remarks(cells: &mut Cells<'_>) -> Result<Option<Remarks>, Problem> {
    let Some(text) = cells.text()? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|error| cells.damage(&error.to_string()))
}
