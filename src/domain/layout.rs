//! The layout of an input: its records are a preamble, a heading, rows, and footers.

use serde::{Deserialize, Serialize};

/// The records of an input, counted, and what stands beside its rows. Reports leave out most empty fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputLayout {
    /// How many records there are: preamble, heading, rows and footers.
    pub records: u64,
    /// How many records stand above the heading.
    pub preamble: u64,
    /// The line of the heading, counted from 1; `None` without a heading.
    pub heading_line: Option<u64>,
    /// The text of a guessed heading: it has no known name, but can't be an order either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guessed_heading: Option<String>,
    /// How many records close the table: sums, remarks, and the end of a list.
    pub footers: u64,
    /// The text of the first records of preamble and footers, each shortened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<String>,
    /// The line of the last row if it has too few cells and no end of line: the file may be cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_line: Option<u64>,
    /// The name of the workbook's sheet that is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// How many rows of the sheet are hidden or filtered out. They count as rows all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_rows: Option<u64>,
}
