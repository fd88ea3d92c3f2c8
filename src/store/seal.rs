//! The checksums of rows: a bit that flips on the disk must not become a figure in a report.

use std::cell::RefCell;

use rusqlite::types::{Value, ValueRef};
use sha2::{Digest, Sha256};

/// The bytes of a SHA-256 that are kept to tell states of an order apart.
pub(super) const DIGEST: usize = 16;

thread_local! {
    /// The row that is encoded, kept from one row to the next: allocating it would cost as much as the checksum.
    static ENCODED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The checksum (CRC-32) of a row's values, in the order of its columns.
pub(super) fn checksum<'v>(values: impl IntoIterator<Item = ValueRef<'v>>) -> i64 {
    with_encoded(values, |encoded| crc32fast::hash(encoded).into())
}

/// The values of a row, followed by their checksum.
pub(super) fn with_checksum(values: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let values = values.into_iter();
    let mut row = Vec::with_capacity(values.size_hint().0 + 1);
    row.extend(values);
    let checksum = checksum(row.iter().map(ValueRef::from));
    row.push(checksum.into());
    row
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
    with_encoded(values, |encoded| digest.copy_from_slice(&Sha256::digest(encoded)[..DIGEST]));
    digest
}

/// Encodes each value as its kind, length and bytes, so that different lists never have the same encoding. In one
/// buffer, since hashing many small pieces takes several times as long.
fn with_encoded<'v, T>(values: impl IntoIterator<Item = ValueRef<'v>>, work: impl FnOnce(&[u8]) -> T) -> T {
    ENCODED.with_borrow_mut(|encoded| {
        encoded.clear();
        for value in values {
            match value {
                ValueRef::Null => encoded.extend_from_slice(&head(0, 0)),
                ValueRef::Integer(value) => encoded.extend_from_slice(&number(1, value.to_le_bytes())),
                ValueRef::Real(value) => encoded.extend_from_slice(&number(2, value.to_le_bytes())),
                ValueRef::Text(bytes) => append(encoded, 3, bytes),
                ValueRef::Blob(bytes) => append(encoded, 4, bytes),
            }
        }
        work(encoded)
    })
}

/// The bytes before a value: its kind and its length.
const HEAD: usize = 1 + size_of::<u64>();

fn head(kind: u8, length: usize) -> [u8; HEAD] {
    let mut head = [kind; HEAD];
    head[1..].copy_from_slice(&(length as u64).to_le_bytes());
    head
}

/// A number, written at once: most values of a row are numbers.
fn number(kind: u8, bytes: [u8; 8]) -> [u8; HEAD + 8] {
    let mut number = [kind; HEAD + 8];
    number[..HEAD].copy_from_slice(&head(kind, bytes.len()));
    number[HEAD..].copy_from_slice(&bytes);
    number
}

fn append(encoded: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    encoded.extend_from_slice(&head(kind, bytes.len()));
    encoded.extend_from_slice(bytes);
}
