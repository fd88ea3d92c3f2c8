//! The details of an order that the lists of a report show next to its figures. Orders share equal texts: a
//! list may hold a million orders, and their texts are few.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::money::Amount;
use crate::domain::order::RunOrder;

/// The details of one order that lists show, as the provider reports them.
#[derive(Clone, Debug, Default)]
pub struct Particulars {
    /// The workflow that ran.
    pub workflow_id: Option<Arc<str>>,
    /// The version of the workflow that ran.
    pub revision_id: Option<Arc<str>>,
    /// The currency of every amount of the order.
    pub quote_currency: Option<Arc<str>>,
    /// The state of the pre-charge.
    pub freeze_status: Option<Arc<str>>,
    /// The state of the run.
    pub run_status: Option<Arc<str>>,
    /// The state of the settlement.
    pub settlement_status: Option<Arc<str>>,
    /// What was quoted, in the order's currency.
    pub quote_amount: Option<Amount>,
    /// When the order was submitted.
    pub created_at: Option<Timestamp>,
    /// When the order last changed.
    pub updated_at: Option<Timestamp>,
}

/// A pool of the texts that orders share.
#[derive(Debug, Default)]
pub(in crate::report) struct TextPool(HashSet<Arc<str>>);

impl TextPool {
    /// Takes the particulars of an order and shares their texts with those of earlier orders.
    pub(in crate::report) fn particulars(&mut self, order: RunOrder) -> Particulars {
        Particulars {
            workflow_id: self.share(order.workflow_id),
            revision_id: self.share(order.revision_id),
            quote_currency: self.share(order.quote_currency),
            freeze_status: self.share(order.freeze_status),
            run_status: self.share(order.run_status),
            settlement_status: self.share(order.settlement_status),
            quote_amount: order.amounts.quote_amount,
            created_at: order.created_at,
            updated_at: order.updated_at,
        }
    }

    fn share(&mut self, text: Option<String>) -> Option<Arc<str>> {
        let text = text?;
        if let Some(shared) = self.0.get(&*text) {
            return Some(Arc::clone(shared));
        }
        let shared: Arc<str> = Arc::from(text);
        self.0.insert(Arc::clone(&shared));
        Some(shared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_is_held_once() {
        let order = |workflow: &str| RunOrder { workflow_id: Some(workflow.into()), ..RunOrder::default() };
        let mut pool = TextPool::default();
        let [one, other, third] = ["wf_1", "wf_1", "wf_2"].map(|id| pool.particulars(order(id)).workflow_id);
        let (one, other) = (one.expect("a workflow"), other.expect("a workflow"));
        assert!(Arc::ptr_eq(&one, &other));
        assert_eq!((&*one, third.as_deref()), ("wf_1", Some("wf_2")));
        assert_eq!(pool.particulars(RunOrder::default()).workflow_id, None);
    }
}
