//! The checksum that every row carries: a bit that flips on the disk must not become a figure of a report.

use rusqlite::types::{Value, ValueRef};
use sha2::{Digest, Sha256};

/// How many bytes of a SHA-256 tell two states of an order apart.
pub(super) const DIGEST: usize = 16;

/// More than a row usually comes to, in bytes.
const USUAL_ROW: usize = 1024;

/// The checksum over the values of a row, in the order of its columns.
pub(super) fn checksum<'v>(values: impl IntoIterator<Item = ValueRef<'v>>) -> i64 {
    crc32fast::hash(&encoded(values)).into()
}

/// The values of a row with their checksum after them.
pub(super) fn sealed(values: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let mut values: Vec<Value> = values.into_iter().collect();
    let checksum = checksum(values.iter().map(ValueRef::from));
    values.push(checksum.into());
    values
}

/// A digest that no two different lists of values share.
pub(super) fn digest<'v>(values: impl IntoIterator<Item = ValueRef<'v>>) -> [u8; DIGEST] {
    let mut digest = [0; DIGEST];
    digest.copy_from_slice(&Sha256::digest(encoded(values))[..DIGEST]);
    digest
}

/// Every value as its kind, its length and its bytes: different lists never come to the same bytes. In one piece, since
/// to hash many small ones takes several times as long.
fn encoded<'v>(values: impl IntoIterator<Item = ValueRef<'v>>) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(USUAL_ROW);
    for value in values {
        let mut put = |kind: u8, bytes: &[u8]| {
            encoded.push(kind);
            encoded.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            encoded.extend_from_slice(bytes);
        };
        match value {
            ValueRef::Null => put(0, &[]),
            ValueRef::Integer(value) => put(1, &value.to_le_bytes()),
            ValueRef::Real(value) => put(2, &value.to_le_bytes()),
            ValueRef::Text(text) => put(3, text),
            ValueRef::Blob(blob) => put(4, blob),
        }
    }
    encoded
}
