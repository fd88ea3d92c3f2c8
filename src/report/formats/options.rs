//! What a report is to be, beside what it judges by: one value from the settings to the manifest.

use serde::{Deserialize, Serialize};

use super::Formats;
use super::csv::Encoding;
use crate::language::Language;
use crate::summary::FailOn;

/// What a report is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportOptions {
    /// A label for the report's heading.
    pub account: Option<String>,
    /// How its CSV files are written; left out where they are UTF-8.
    #[serde(default, skip_serializing_if = "Encoding::is_default")]
    pub csv_encoding: Encoding,
    /// The formats it is written in.
    pub formats: Formats,
    /// The language people read it in.
    pub language: Language,
    /// Whether an empty input is fine.
    pub allow_empty: bool,
    /// Which verdicts exit with 1 as well.
    pub fail_on: Vec<FailOn>,
}
