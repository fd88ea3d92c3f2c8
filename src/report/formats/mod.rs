//! The output formats of a report, and which of them a report has.

pub mod csv;
mod design;
pub mod focus;
pub mod html;
pub mod ids;
pub mod options;
pub mod reperform;
pub mod xlsx;

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use self::options::ReportOptions;
use crate::checks::Rules;
use crate::report::ReportError;
use crate::report::content::Content;
use crate::report::files::{self, HTML_FILE, ProvenFile, SUMMARY_FILE, XLSX_FILE};

/// An output format. Every report has `csv`, `json` and `parquet`, because the proofs need them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// The tables as CSV files, and `reperform.sql`.
    Csv,
    /// `summary.json`.
    Json,
    /// The facts, as `run_orders.parquet`.
    Parquet,
    /// `report.html`, a page for people.
    Html,
    /// `report.xlsx`, a workbook for people.
    Xlsx,
    /// `focus.csv`, the settled orders in the FinOps Open Cost and Usage Specification.
    Focus,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 6] = [Self::Csv, Self::Json, Self::Parquet, Self::Html, Self::Xlsx, Self::Focus];
    /// The formats that every report has.
    const ALWAYS: [Self; 3] = [Self::Csv, Self::Json, Self::Parquet];

    /// Its name on the command line and in the manifest.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Parquet => "parquet",
            Self::Html => "html",
            Self::Xlsx => "xlsx",
            Self::Focus => "focus",
        }
    }

    /// Writes the files of the format into the report's folder. Fails as soon as `check_wanted` does.
    fn write(self, content: &Content<'_>, brief: &FormatBrief<'_>) -> Result<(), ReportError> {
        let FormatBrief { folder, options, rules, facts, check_wanted } = brief;
        let language = options.language;
        match self {
            Self::Csv => {
                for table in content.tables() {
                    check_wanted()?;
                    csv::write_file(table(), options.csv_encoding, folder)?;
                }
                reperform::write(folder, rules, &content.spend.by_day, content.summary.dataset.as_ref())
            }
            Self::Json => {
                let path = folder.join(SUMMARY_FILE);
                files::write_json(&path, &content.summary).map(drop).map_err(|source| ReportError::io(&path, source))
            }
            // Already written: all figures come from this file.
            Self::Parquet => Ok(()),
            Self::Html => html::write(content, language, &folder.join(HTML_FILE)),
            Self::Xlsx => xlsx::write(content, language, &folder.join(XLSX_FILE)),
            // A dataset is in a form that other programs read already.
            Self::Focus => {
                facts.map_or(Ok(()), |facts| focus::write(facts, folder, options.account.as_deref(), &rules.days()))
            }
        }
    }
}

/// Where and how to write the formats of a report.
pub(in crate::report) struct FormatBrief<'b> {
    /// The report's folder.
    pub(in crate::report) folder: &'b Path,
    /// The formats, encoding and language of the report.
    pub(in crate::report) options: &'b ReportOptions,
    /// The settings that judged it.
    pub(in crate::report) rules: &'b Rules,
    /// The facts of its orders; `None` if they stay in a dataset.
    pub(in crate::report) facts: Option<&'b ProvenFile>,
    /// Fails once the report is no longer wanted.
    pub(in crate::report) check_wanted: &'b dyn Fn() -> Result<(), ReportError>,
}

/// Writes a report in every format of its options.
pub(in crate::report) fn write(content: &Content<'_>, brief: &FormatBrief<'_>) -> Result<(), ReportError> {
    brief.options.formats.0.iter().try_for_each(|format| {
        (brief.check_wanted)()?;
        format.write(content, brief)?;
        content.require_read()
    })
}

/// The error for a text that does not name a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give one or more of {}", Format::ALL.map(Format::name).join(", "))]
pub struct UnknownFormat;

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.into_iter().find(|format| format.name() == text).ok_or(UnknownFormat)
    }
}

/// The formats of a report, always including those that every report has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct Formats(BTreeSet<Format>);

impl Default for Formats {
    /// Every format except `focus`, which is written on request only.
    fn default() -> Self {
        Self::of([Format::Html, Format::Xlsx])
    }
}

impl From<Vec<String>> for Formats {
    /// Reads the names in a manifest and ignores those that only another version knows.
    fn from(words: Vec<String>) -> Self {
        Self::of(Format::ALL.into_iter().filter(|format| words.iter().any(|word| word == format.name())))
    }
}

impl From<Formats> for Vec<String> {
    /// The names of the formats, in the order of [`Format::ALL`].
    fn from(formats: Formats) -> Self {
        formats.0.into_iter().map(|format| format.name().to_owned()).collect()
    }
}

impl Formats {
    /// The named formats, and those that every report has.
    #[must_use]
    pub fn of(named: impl IntoIterator<Item = Format>) -> Self {
        Self(named.into_iter().chain(Format::ALWAYS).collect())
    }

    /// Whether the report is written in a format.
    #[must_use]
    pub fn has(&self, format: Format) -> bool {
        self.0.contains(&format)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_that_proofs_need_are_always_written() {
        assert_eq!(Vec::from(Formats::of([])), ["csv", "json", "parquet"]);
        assert_eq!(Vec::from(Formats::of([Format::Focus])), ["csv", "json", "parquet", "focus"]);
        assert_eq!(Vec::from(Formats::default()), ["csv", "json", "parquet", "html", "xlsx"]);
    }

    #[test]
    fn names_round_trip_and_unknown_ones_are_ignored() {
        let words = |words: &[&str]| Formats::from(words.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(words(&["xlsx", "hologram"]), Formats::of([Format::Xlsx]));
        assert!(!words(&[]).has(Format::Xlsx));
        assert_eq!(Formats::from(Vec::from(Formats::of(Format::ALL))), Formats::of(Format::ALL));
    }
}
