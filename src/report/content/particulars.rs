//! The details of an order that the lists of a report show next to its figures.

use jiff::Timestamp;

use crate::domain::money::Amount;
use crate::domain::order::RunOrder;

/// The details of one order that lists show, as the provider reports them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Particulars {
    /// The workflow that ran.
    pub workflow_id: Option<String>,
    /// The version of the workflow that ran.
    pub revision_id: Option<String>,
    /// The currency of every amount of the order.
    pub quote_currency: Option<String>,
    /// The state of the pre-charge.
    pub freeze_status: Option<String>,
    /// The state of the run.
    pub run_status: Option<String>,
    /// The state of the settlement.
    pub settlement_status: Option<String>,
    /// What was quoted, in the order's currency.
    pub quote_amount: Option<Amount>,
    /// When the order was submitted.
    pub created_at: Option<Timestamp>,
    /// When the order last changed.
    pub updated_at: Option<Timestamp>,
}

impl From<RunOrder> for Particulars {
    fn from(order: RunOrder) -> Self {
        Self {
            workflow_id: order.workflow_id,
            revision_id: order.revision_id,
            quote_currency: order.quote_currency,
            freeze_status: order.freeze_status,
            run_status: order.run_status,
            settlement_status: order.settlement_status,
            quote_amount: order.amounts.quote_amount,
            created_at: order.created_at,
            updated_at: order.updated_at,
        }
    }
}
