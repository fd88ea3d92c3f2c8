//! Values of options that take one of a few words.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::domain::days;
use crate::report::formats::csv;

/// What a command writes to standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Output {
    /// A summary for people.
    #[default]
    Text,
    /// JSON; for a report, its summary.json.
    Json,
}

/// Which day an order's spend is counted on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DayBy {
    /// The day it was created.
    #[default]
    Created,
    /// The day it was last updated.
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

/// Who reads a dataset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// This machine.
    #[default]
    Local,
    /// Any Spark, by a script that is written.
    Sql,
    /// The Spark at --spark-remote.
    Spark,
}

impl Engine {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Sql => "sql",
            Self::Spark => "spark",
        }
    }
}

/// Encoding of a report's CSV files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CsvEncoding {
    /// UTF-8, for programs.
    Utf8,
    /// UTF-8 with a byte order mark, for Excel.
    Utf8Bom,
    /// GB18030, for older Chinese spreadsheets.
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

/// How much of a reply is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceLevel {
    /// The billing facts of a reply, and a hash of it.
    #[default]
    Billing,
    /// Also the whole reply, prompts included.
    Full,
}
