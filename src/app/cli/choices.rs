//! Options that are one of a few words.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::domain::days;
use crate::report::formats::csv;

/// What standard output gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Output {
    /// A summary for people.
    #[default]
    Text,
    /// JSON: of a report, its summary.json.
    Json,
}

/// On which day an order's spend is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DayBy {
    /// The day on which it was created.
    #[default]
    Created,
    /// The day on which it was last updated.
    Updated,
}

impl From<DayBy> for days::DayBy {
    fn from(by: DayBy) -> Self {
        match by {
            DayBy::Created => Self::Created,
            DayBy::Updated => Self::Updated,
        }
    }
}

/// How the CSV files of a report are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CsvEncoding {
    /// UTF-8, for programs.
    Utf8,
    /// UTF-8 after a byte order mark, for Excel.
    Utf8Bom,
    /// GB18030, for older spreadsheets in Chinese.
    Gb18030,
}

impl From<CsvEncoding> for csv::Encoding {
    fn from(encoding: CsvEncoding) -> Self {
        match encoding {
            CsvEncoding::Utf8 => Self::Utf8,
            CsvEncoding::Utf8Bom => Self::Utf8Bom,
            CsvEncoding::Gb18030 => Self::Gb18030,
        }
    }
}

/// What is kept of a reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// The billing facts, and a hash of the reply.
    #[default]
    Billing,
    /// The whole reply as well, prompts included.
    Full,
}
