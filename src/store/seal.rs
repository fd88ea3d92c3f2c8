//! The checksum that every row carries: a bit that flips on the disk must not become a figure of a report.

use crc32fast::Hasher;
use rusqlite::types::{Value, ValueRef};
use sha2::{Digest, Sha256};

/// How many bytes of a SHA-256 tell two states of an order apart.
pub(super) const DIGEST: usize = 16;

/// The checksum over the values of a row, in the order of its columns.
pub(super) fn checksum<'v>(values: impl IntoIterator<Item = ValueRef<'v>>) -> i64 {
    let mut hasher = Hasher::new();
    encode(values, |bytes| hasher.update(bytes));
    hasher.finalize().into()
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
    let mut hasher = Sha256::new();
    encode(values, |bytes| hasher.update(bytes));
    let mut digest = [0; DIGEST];
    digest.copy_from_slice(&hasher.finalize()[..DIGEST]);
    digest
}

/// Every value as its kind, its length and its bytes: different lists never come to the same bytes.
fn encode<'v>(values: impl IntoIterator<Item = ValueRef<'v>>, mut take: impl FnMut(&[u8])) {
    for value in values {
        let mut bytes = |kind: u8, bytes: &[u8]| {
            take(&[kind]);
            take(&(bytes.len() as u64).to_le_bytes());
            take(bytes);
        };
        match value {
            ValueRef::Null => bytes(0, &[]),
            ValueRef::Integer(value) => bytes(1, &value.to_le_bytes()),
            ValueRef::Real(value) => bytes(2, &value.to_le_bytes()),
            ValueRef::Text(text) => bytes(3, text),
            ValueRef::Blob(blob) => bytes(4, blob),
        }
    }
}
