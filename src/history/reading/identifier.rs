//! Short stand-ins for the IDs of orders.

use std::hash::{BuildHasher, RandomState};

/// Stands for an ID: 128 bits by random keys, so that no two orders share one, whoever chose their IDs.
pub(super) type Identifier = [u64; 2];

/// Makes the identifiers of the orders of one pass.
#[derive(Clone)]
pub(super) struct Identifiers {
    keys: [RandomState; 2],
    pass: u64,
    passes: u64,
}

impl Identifiers {
    /// Identifiers for the first of several passes.
    pub(super) fn of_passes(passes: u64) -> Self {
        Self { keys: [RandomState::new(), RandomState::new()], pass: 0, passes }
    }

    /// The same identifiers, for another pass.
    pub(super) fn of_pass(&self, pass: u64) -> Self {
        Self { pass, ..self.clone() }
    }

    /// The identifier of an order; `None` if it belongs to another pass.
    pub(super) fn of(&self, run_order_id: &str) -> Option<Identifier> {
        let identifier = [self.keys[0].hash_one(run_order_id), self.keys[1].hash_one(run_order_id)];
        (identifier[0] % self.passes == self.pass).then_some(identifier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_order_belongs_to_one_pass() {
        let identifiers = Identifiers::of_passes(3);
        for number in 0..1_000 {
            let id = format!("wfrun_{number}");
            let passes = (0..3).filter(|pass| identifiers.of_pass(*pass).of(&id).is_some());
            assert_eq!(passes.count(), 1, "{id}");
        }
    }
}
