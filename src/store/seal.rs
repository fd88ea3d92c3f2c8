//! The checksums of rows: a bit that flips on the disk must not become a figure in a report.

use rusqlite::types::{Value, ValueRef};
use sha2::{Digest, Sha256};

/// The bytes of a SHA-256 that are kept to tell states of an order apart.
pub(super) const DIGEST: usize = 16;

/// Enough bytes for most encoded rows.
const ROW_CAPACITY: usize = 1024;

/// The checksum (CRC-32) of a row's values, in the order of its columns.
pub(super) fn checksum<'v>(values: impl IntoIterator<Item = ValueRef<'v>>) -> i64 {
    crc32fast::hash(&encode(values)).into()
}

/// The values of a row, followed by their checksum.
pub(super) fn with_checksum(values: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let mut values: Vec<Value> = values.into_iter().collect();
    let checksum = checksum(values.iter().map(ValueRef::from));
    values.push(checksum.into());
    values
}

/// The checksum in a row of [`with_checksum`].
pub(super) fn checksum_of(row: &[Value]) -> i64 {
    match row.last() {
        Some(Value::Integer(checksum)) => *checksum,
        _ => 0,
    }
}

/// A digest of a list of values: two different lists practically never have the same one.
pub(super) fn digest<'v>(values: impl IntoIterator<Item = ValueRef<'v>>) -> [u8; DIGEST] {
    let mut digest = [0; DIGEST];
    digest.copy_from_slice(&Sha256::digest(encode(values))[..DIGEST]);
    digest
}

/// Encodes each value as its kind, length and bytes, so that different lists never have the same encoding. In one
/// buffer, since hashing many small pieces takes several times as long.
fn encode<'v>(values: impl IntoIterator<Item = ValueRef<'v>>) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(ROW_CAPACITY);
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
