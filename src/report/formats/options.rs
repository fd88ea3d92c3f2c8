//! The options of a report that do not affect judgement, from the settings to the manifest.

use serde::{Deserialize, Serialize};

use super::Formats;
use super::csv::Encoding;
use crate::language::Language;
use crate::summary::FailOn;

/// The form of a report, and which verdicts fail. These options do not affect judgement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportOptions {
    /// A label for the report's heading.
    pub account: Option<String>,
    /// The encoding of its CSV files. The manifest leaves it out if it is UTF-8.
    #[serde(default, skip_serializing_if = "Encoding::is_default")]
    pub csv_encoding: Encoding,
    /// The formats of the report.
    pub formats: Formats,
    /// The language of the page and the workbook.
    pub language: Language,
    /// Whether an empty input is accepted, with the verdict `empty`.
    pub allow_empty: bool,
    /// What also makes the job exit with 1: warnings, pending, material.
    pub fail_on: Vec<FailOn>,
}
