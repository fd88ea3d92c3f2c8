//! Short stand-ins for the IDs of orders.

use std::hash::{BuildHasherDefault, Hash, Hasher};

use siphasher::sip128::SipHasher13;

/// Stands for an ID: 128 bits by random keys, so that no two orders share one, whoever chose their IDs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identifier([u64; 2]);

/// A map by identifiers, which are as random as a hash.
pub(super) type ByIdentifier<T> = std::collections::HashMap<Identifier, T, BuildHasherDefault<FirstHalf>>;

impl Hash for Identifier {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0[0]);
    }
}

/// Takes the first half of an identifier for its hash.
#[derive(Default)]
pub(super) struct FirstHalf(u64);

impl Hasher for FirstHalf {
    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, half: u64) {
        self.0 = half;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Makes the identifiers of the orders of one pass.
#[derive(Clone)]
pub(super) struct Identifiers {
    key: SipHasher13,
    pass: u64,
    passes: u64,
}

impl Identifiers {
    /// Identifiers for the first of several passes.
    pub(super) fn of_passes(passes: u64) -> Self {
        Self { key: SipHasher13::new_with_keys(rand::random(), rand::random()), pass: 0, passes }
    }

    /// The same identifiers, for another pass.
    pub(super) fn of_pass(&self, pass: u64) -> Self {
        Self { pass, ..self.clone() }
    }

    /// The identifier of an order; `None` if it belongs to another pass.
    pub(super) fn of(&self, run_order_id: &str) -> Option<Identifier> {
        let hash = self.key.hash(run_order_id.as_bytes());
        (hash.h2 % self.passes == self.pass).then_some(Identifier([hash.h1, hash.h2]))
    }

    /// Stands for some bytes, in every pass.
    pub(super) fn digest(&self, bytes: &[u8]) -> Identifier {
        let hash = self.key.hash(bytes);
        Identifier([hash.h1, hash.h2])
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
