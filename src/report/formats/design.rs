//! The design of a file for people, as a hash. Where it differs, another version of the program may draw
//! different bytes from the same figures.

use sha2::{Digest, Sha256};

/// The SHA-256, in hex, of all sources that decide how a file is drawn, each with its length.
pub(in crate::report) fn hash_of<'p>(parts: impl IntoIterator<Item = &'p str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}
