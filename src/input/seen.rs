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

/// How many tables the IDs are spread over.
const TABLES: u32 = 256;

/// The first line of each ID. An entry takes 16 bytes, or 26 to 29 with the spare capacity of the tables.
pub(super) struct Seen {
    salted: Sha256,
    /// Tables, as [`table`] chooses them. While one grows, only its own entries are held twice.
    tables: Vec<HashMap<Digest96, u32>>,
}

impl Seen {
    /// `salt` is the hash of the input in hex: 64 bytes, exactly one block of SHA-256, so it is hashed only once.
    pub(super) fn new(salt: &str) -> Self {
        Self { salted: Sha256::new().chain_update(salt), tables: vec![HashMap::new(); TABLES as usize] }
    }

    /// The line of the ID's first occurrence. `None` if this is the first one, which is then remembered.
    pub(super) fn first_line(&mut self, id: &RunOrderId, line: u32) -> Option<u32> {
        let digest = self.salted.clone().chain_update(id.as_str()).finalize();
        let mut key = Digest96::default();
        key.copy_from_slice(&digest[..size_of::<Digest96>()]);
        match self.tables[table(key)].entry(key) {
            Entry::Occupied(first) => Some(*first.get()),
            Entry::Vacant(vacant) => {
                vacant.insert(line);
                None
            }
        }
    }
}

/// The table of a digest. The last one gets twice as many as the first, those between them evenly more: a table doubles
/// its room when it is full, and if all were equally full, all would do so at once.
fn table(key: Digest96) -> usize {
    let digest = u32::from(u16::from_be_bytes([key[0], key[1]]));
    // Of a share x of the digests, the tables from the first to number `TABLES` · (√(1 + 3x) - 1).
    ((TABLES * TABLES + 3 * digest).isqrt() - TABLES) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_evenly_of_different_sizes() {
        let mut counts = [0_u32; TABLES as usize];
        for digest in 0..=u16::MAX {
            let [first, second] = digest.to_be_bytes();
            let mut key = Digest96::default();
            (key[0], key[1]) = (first, second);
            counts[table(key)] += 1;
        }
        // In all there are 65,536 digests, and the mean of the shares is 1.5 times the first.
        let expected = |at: u32| f64::from(65_536) * (1.0 + (f64::from(at) + 0.5) / 256.0) / 1.5 / 256.0;
        for (at, count) in (0..).zip(counts) {
            assert!((f64::from(count) - expected(at)).abs() < 0.5, "table {at} has {count}");
        }
    }

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
