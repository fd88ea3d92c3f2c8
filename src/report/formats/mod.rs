//! Which formats a report is written in, beside those that are always written.

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
use crate::report::files::{self, HTML_FILE, SUMMARY_FILE, XLSX_FILE};

/// A format that a report may be written in. `csv`, `json` and `parquet` are always written: the proofs need them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// The tables as CSV.
    Csv,
    /// The summary as JSON.
    Json,
    /// The facts as Parquet.
    Parquet,
    /// One page for people.
    Html,
    /// One workbook for people.
    Xlsx,
    /// The settled orders in the FinOps Open Cost and Usage Specification.
    Focus,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 6] = [Self::Csv, Self::Json, Self::Parquet, Self::Html, Self::Xlsx, Self::Focus];
    /// Those that every report has.
    const ALWAYS: [Self; 3] = [Self::Csv, Self::Json, Self::Parquet];

    /// Its word, on the command line and in the manifest.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Parquet => "parquet",
            Self::Html => "html",
            Self::Xlsx => "xlsx",
            Self::Focus => "focus",
        }
    }

    /// Writes the files of the format into a report's folder, unless the report is not wanted any more.
    fn write(self, content: &Content<'_>, brief: &FormatBrief<'_>) -> Result<(), ReportError> {
        let FormatBrief { folder, options, rules, go_on } = brief;
        let language = options.language;
        match self {
            Self::Csv => {
                for table in content.tables() {
                    go_on()?;
                    csv::write_file(table(), options.csv_encoding, folder)?;
                }
                reperform::write(folder, rules, &content.spend.by_day)
            }
            Self::Json => {
                let path = folder.join(SUMMARY_FILE);
                files::write_json(&path, &content.summary).map(drop).map_err(|source| ReportError::io(&path, source))
            }
            // The facts are there: all figures come from them.
            Self::Parquet => Ok(()),
            Self::Html => html::write(content, language, &folder.join(HTML_FILE)),
            Self::Xlsx => xlsx::write(content, language, &folder.join(XLSX_FILE)),
            Self::Focus => focus::write(folder, options.account.as_deref(), &rules.days()),
        }
    }
}

/// How the formats of a report are to be written.
pub(in crate::report) struct FormatBrief<'b> {
    /// The report's folder.
    pub(in crate::report) folder: &'b Path,
    /// What the report is to be.
    pub(in crate::report) options: &'b ReportOptions,
    /// What it was judged by.
    pub(in crate::report) rules: &'b Rules,
    /// Fails once the report is not wanted any more.
    pub(in crate::report) go_on: &'b dyn Fn() -> Result<(), ReportError>,
}

/// Writes a report in all its formats.
pub(in crate::report) fn write(content: &Content<'_>, brief: &FormatBrief<'_>) -> Result<(), ReportError> {
    brief.options.formats.0.iter().try_for_each(|format| {
        (brief.go_on)()?;
        format.write(content, brief)
    })
}

/// A text that names no format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give one or more of {}", Format::ALL.map(Format::word).join(", "))]
pub struct UnknownFormat;

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.into_iter().find(|format| format.word() == text).ok_or(UnknownFormat)
    }
}

/// The formats of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct Formats(BTreeSet<Format>);

impl Default for Formats {
    /// All that are not only for who asks for them.
    fn default() -> Self {
        Self::of([Format::Html, Format::Xlsx])
    }
}

impl From<Vec<String>> for Formats {
    /// As a manifest says them; what another version wrote besides is left out.
    fn from(words: Vec<String>) -> Self {
        Self::of(Format::ALL.into_iter().filter(|format| words.iter().any(|word| word == format.word())))
    }
}

impl From<Formats> for Vec<String> {
    /// Their words, in the order of [`Format::ALL`].
    fn from(formats: Formats) -> Self {
        formats.0.into_iter().map(|format| format.word().to_owned()).collect()
    }
}

impl Formats {
    /// Those named, and those that every report has.
    #[must_use]
    pub fn of(named: impl IntoIterator<Item = Format>) -> Self {
        Self(named.into_iter().chain(Format::ALWAYS).collect())
    }

    /// Whether a report is written in that format.
    #[must_use]
    pub fn has(&self, format: Format) -> bool {
        self.0.contains(&format)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proofs_need_is_always_written() {
        assert_eq!(Vec::from(Formats::of([])), ["csv", "json", "parquet"]);
        assert_eq!(Vec::from(Formats::of([Format::Focus])), ["csv", "json", "parquet", "focus"]);
        assert_eq!(Vec::from(Formats::default()), ["csv", "json", "parquet", "html", "xlsx"]);
    }

    #[test]
    fn words_lead_back_and_unknown_ones_are_left_out() {
        let words = |words: &[&str]| Formats::from(words.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(words(&["xlsx", "hologram"]), Formats::of([Format::Xlsx]));
        assert!(!words(&[]).has(Format::Xlsx));
        assert_eq!(Formats::from(Vec::from(Formats::of(Format::ALL))), Formats::of(Format::ALL));
    }
}
