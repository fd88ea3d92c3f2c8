//! The IDs seen so far, each with the line on which it first occurred.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use sha2::{Digest, Sha256};

use crate::domain::id::RunOrderId;

/// The digest of an ID: the first 96 bits of SHA-256 over the input's hash and the ID.
///
/// Among ten million rows, the odds that two different IDs collide by chance are about 1 in 10^15. Collisions can't be
/// forged either: the salt is the hash of the whole input, which changes with every ID in it. And because the digest
/// depends on the input alone, the same file always gives the same duplicates.
type Digest96 = [u8; 12];

/// The first line of each ID. An entry takes 16 bytes, or 20 to 39 with the spare capacity of its table.
pub(super) struct Seen {
    salted: Sha256,
    /// 256 tables, chosen by the digest's first byte: while one grows, only 1/256 of the entries is held twice.
    shards: Vec<HashMap<Digest96, u32>>,
}

impl Seen {
    /// `salt` is the hash of the input in hex: 64 bytes, exactly one block of SHA-256, so it is hashed only once.
    pub(super) fn new(salt: &str) -> Self {
        Self { salted: Sha256::new().chain_update(salt), shards: vec![HashMap::new(); 256] }
    }

    /// The line of the ID's first occurrence. `None` if this is the first one, which is then remembered.
    pub(super) fn first_line(&mut self, id: &RunOrderId, line: u32) -> Option<u32> {
        let digest = self.salted.clone().chain_update(id.as_str()).finalize();
        let mut key = Digest96::default();
        key.copy_from_slice(&digest[..size_of::<Digest96>()]);
        match self.shards[usize::from(key[0])].entry(key) {
            Entry::Occupied(first) => Some(*first.get()),
            Entry::Vacant(vacant) => {
                vacant.insert(line);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_stays_and_entries_are_small() {
        let mut seen = Seen::new(&"0".repeat(64));
        let id = |text: &str| RunOrderId::parse(text).unwrap();
        assert_eq!(seen.first_line(&id("wfrun_1"), 2), None);
        assert_eq!(seen.first_line(&id("wfrun_2"), 3), None);
        assert_eq!(seen.first_line(&id("wfrun_1"), 4), Some(2));
        assert_eq!(seen.first_line(&id("wfrun_1"), 5), Some(2));
        assert_eq!(seen.first_line(&id("WFRUN_1"), 6), None, "IDs are compared as they are written");
        assert_eq!(size_of::<(Digest96, u32)>(), 16);
    }
}
