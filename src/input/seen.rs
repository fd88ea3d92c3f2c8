//! Which IDs stood on an earlier row.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::domain::id::RunOrderId;

/// 96 bits of SHA-256 stand for an ID: among ten million of them, two different ones share these bits with a chance of
/// less than 10⁻¹⁵. With the line that makes 16 bytes an entry, whatever the IDs' length.
type Short = [u8; 12];

/// The first line of each ID.
#[derive(Debug, Default)]
pub(super) struct Seen {
    lines: HashMap<Short, [u8; 4]>,
    /// Lines past 32 bits, of which there are hardly ever any.
    far: HashMap<Short, u64>,
}

impl Seen {
    /// The line on which the ID stood before; `None` when this is the first.
    pub(super) fn first_line(&mut self, id: &RunOrderId, line: u64) -> Option<u64> {
        let hash = Sha256::digest(id.as_str());
        let mut short = Short::default();
        short.copy_from_slice(&hash[..12]);
        if let Some(first) = self.lines.get(&short) {
            return Some(u32::from_le_bytes(*first).into());
        }
        if let Some(first) = self.far.get(&short) {
            return Some(*first);
        }
        match u32::try_from(line) {
            Ok(line) => self.lines.insert(short, line.to_le_bytes()).map(|_| 0),
            Err(_) => self.far.insert(short, line),
        }
    }
}
