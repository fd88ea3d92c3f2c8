//! What a file for people is drawn by, as a hash: a version of the program in which it is another one draws other bytes
//! from the same figures.

use sha2::{Digest, Sha256};

/// SHA-256, in hex, of everything that decides how a file is drawn.
pub(in crate::report) fn hash_of<'p>(parts: impl IntoIterator<Item = &'p str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}
