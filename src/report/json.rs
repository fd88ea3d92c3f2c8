//! JSON files for people and programs: indented, with a newline at the end.

use std::path::Path;
use std::{fs, io};

use serde::Serialize;

/// Writes a file; returns the bytes that it holds.
///
/// # Errors
/// When it can't be written.
pub(super) fn write(path: &Path, value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    fs::write(path, &text)?;
    Ok(text)
}
