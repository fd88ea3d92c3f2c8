//! The IDs that were seen, and on which line first.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use sha2::{Digest, Sha256};

use crate::domain::id::RunOrderId;

/// Of an ID, the first 96 bits of SHA-256 over the input's own hash and the ID.
///
/// That a row of ten million meets another's digest by chance has odds of 1 in 10^15. Nor can it be brought about: the
/// input's hash changes with any ID in it, so colliding IDs can't be prepared before the file that holds them is
/// settled. And it depends on nothing but the input: the same file always gives the same duplicates.
type Digest96 = [u8; 12];

/// First lines by ID. An entry takes 16 bytes, and 20 to 39 with the spare room of its table.
pub(super) struct Seen {
    salted: Sha256,
    /// 256 tables by the digest's first byte, so that only a sliver is held twice while a table grows.
    shards: Vec<HashMap<Digest96, u32>>,
}

impl Seen {
    /// `salt` is the hash of the input in hex: 64 bytes, just one block of SHA-256, so its work is done once.
    pub(super) fn new(salt: &str) -> Self {
        Self { salted: Sha256::new().chain_update(salt), shards: vec![HashMap::new(); 256] }
    }

    /// The line on which the ID stood first, if it stood before; else it is remembered as standing on this one.
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
