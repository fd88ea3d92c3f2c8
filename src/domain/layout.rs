//! What an input is made of: its records are a preamble, a heading, rows, and footers.

use serde::{Deserialize, Serialize};

/// The records of an input that are no rows. What there is nothing of is left out of reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputLayout {
    /// All records: preamble, heading, rows and footers.
    pub records: u64,
    /// The records above the heading.
    pub preamble: u64,
    /// The line of the heading, counted from 1.
    pub heading_line: Option<u64>,
    /// The heading, where it is taken for one only because no order could be called that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guessed_heading: Option<String>,
    /// The closing records: sums, remarks, and the end of a list.
    pub footers: u64,
    /// The first of the preamble and of the footers, each shortened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<String>,
    /// The line of the last row, where it has fewer cells than the others and no end of line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_line: Option<u64>,
    /// The sheet of the workbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The rows of the sheet that its owner hid or filtered out. They are rows all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_rows: Option<u64>,
}
