//! JSON, written by hand.

use std::fmt::Write;

/// A JSON string.
pub(super) fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            char if char.is_control() => {
                // Writing to a string can't fail.
                let _ = write!(out, "\\u{:04x}", u32::from(char));
            }
            char => out.push(char),
        }
    }
    out.push('"');
    out
}

/// A JSON object of fields whose values are JSON already.
pub(super) fn object<'f>(fields: impl IntoIterator<Item = (&'f str, String)>) -> String {
    let fields: Vec<String> = fields.into_iter().map(|(name, value)| format!("{}:{value}", string(name))).collect();
    format!("{{{}}}", fields.join(","))
}

/// A JSON array of values that are JSON already.
pub(super) fn array(values: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", values.into_iter().collect::<Vec<_>>().join(","))
}

/// Units of 10⁻⁸ with 8 decimals.
pub(super) fn decimal(units: i64) -> String {
    let size = units.unsigned_abs();
    format!("{}{}.{:08}", if units < 0 { "-" } else { "" }, size / 100_000_000, size % 100_000_000)
}
