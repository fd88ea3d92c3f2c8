//! The facts of an order as columns hold them, borrowed from wherever they are kept: a reply, the state, or a report.

use jiff::Timestamp;
use jiff::civil::Date;

use super::money::{Amount, Sum};
use super::order::{Amounts, Remarks, RunOrder, TimeField};
use super::time::from_microsecond;

/// A column of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextColumn {
    /// The ID of the order that the reply is about.
    RunOrderId,
    /// The workflow that ran.
    WorkflowId,
    /// The workflow's version that ran.
    RevisionId,
    /// The currency of every amount.
    QuoteCurrency,
    /// The state of the pre-charge.
    FreezeStatus,
    /// The state of the submission.
    SubmissionStatus,
    /// The state of the run.
    RunStatus,
    /// The state of the settlement.
    SettlementStatus,
    /// The task in the execution engine.
    TaskId,
    /// The prompt in the execution engine.
    PromptId,
    /// The provider's code for a failed run.
    ErrorCode,
}

impl TextColumn {
    /// How many there are.
    pub const COUNT: usize = RunOrder::TEXTS.len();

    /// The name of the column.
    #[must_use]
    pub const fn name(self) -> &'static str {
        RunOrder::TEXTS[self as usize]
    }
}

/// A column of amounts, in the order of [`Amounts::NAMES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountColumn {
    /// What was quoted.
    Quote,
    /// What is charged.
    Final,
    /// What is released of the quote.
    Released,
    /// The cost of GPU time.
    Compute,
    /// The cost of third-party models.
    External,
    /// Both costs together.
    Total,
}

impl AmountColumn {
    /// The name of the column.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Amounts::NAMES[self as usize]
    }
}

/// How many columns of times there are.
pub const TIMES: usize = 2;

/// Sound orders that belong together, summed. All of them are settled, and their differences are zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundOrders {
    /// The workflow, or nothing.
    pub workflow_id: String,
    /// The workflow's version, or nothing.
    pub revision_id: String,
    /// The day on which they are counted.
    pub day: Date,
    /// The currency of the amounts.
    pub currency: String,
    /// How many orders there are.
    pub orders: u64,
    /// How many of their runs failed.
    pub failed_runs: u64,
    /// The sums of the amounts, in the order of [`Amounts::NAMES`].
    pub amounts: [Sum; Amounts::NAMES.len()],
}

/// The facts of one order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderFacts<'f> {
    /// The texts, in the order of [`TextColumn`].
    pub texts: [Option<&'f str>; TextColumn::COUNT],
    /// The amounts in units of 10⁻⁸, in the order of [`Amounts::NAMES`]. Each has at most 28 digits.
    pub units: [Option<i128>; Amounts::NAMES.len()],
    /// The times in microseconds since 1970, in the order of [`TimeField`].
    pub microseconds: [Option<i64>; TIMES],
}

impl<'f> OrderFacts<'f> {
    /// The facts of an order, without its remarks.
    #[must_use]
    pub fn of(order: &'f RunOrder) -> Self {
        Self {
            texts: order.texts().map(|(_, text)| text),
            units: order.amounts.in_order().map(|amount| amount.map(Amount::units)),
            microseconds: [order.created_at, order.updated_at].map(|time| time.map(Timestamp::as_microsecond)),
        }
    }

    /// The order with these facts; `None` if an amount or a time is out of range.
    #[must_use]
    pub fn order(&self, remarks: Option<Box<Remarks>>) -> Option<RunOrder> {
        let mut amounts = [None; Amounts::NAMES.len()];
        for (amount, units) in amounts.iter_mut().zip(self.units) {
            *amount = units.map(|units| Amount::from_units(units).ok_or(())).transpose().ok()?;
        }
        let mut times = [None; TIMES];
        for (time, microseconds) in times.iter_mut().zip(self.microseconds) {
            *time = microseconds.map(|time| from_microsecond(time).ok_or(())).transpose().ok()?;
        }
        let [created_at, updated_at] = times;
        let [id, workflow, revision, currency, freeze, submission, run, settlement, task, prompt, error] =
            self.texts.map(|text| text.map(str::to_owned));
        Some(RunOrder {
            run_order_id: id,
            workflow_id: workflow,
            revision_id: revision,
            quote_currency: currency,
            amounts: Amounts::from_order(amounts),
            freeze_status: freeze,
            submission_status: submission,
            run_status: run,
            settlement_status: settlement,
            task_id: task,
            prompt_id: prompt,
            error_code: error,
            created_at,
            updated_at,
            remarks,
        })
    }

    /// Whether every amount and every time can be that of an order.
    #[must_use]
    pub fn is_in_range(&self) -> bool {
        self.units.into_iter().flatten().all(|units| Amount::from_units(units).is_some())
            && self.microseconds.into_iter().flatten().all(|time| from_microsecond(time).is_some())
    }

    /// A text.
    #[must_use]
    pub const fn text(&self, column: TextColumn) -> Option<&'f str> {
        self.texts[column as usize]
    }

    /// An amount, in units of 10⁻⁸.
    #[must_use]
    pub const fn units(&self, column: AmountColumn) -> Option<i128> {
        self.units[column as usize]
    }

    /// A time, in microseconds since 1970.
    #[must_use]
    pub const fn microseconds(&self, field: TimeField) -> Option<i64> {
        self.microseconds[field as usize]
    }
}
