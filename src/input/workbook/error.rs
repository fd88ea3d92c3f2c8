//! Why a workbook can't be read.

use std::io;

use super::super::excerpt::excerpt;

/// How many characters of a library's error or of sheet names are shown.
const SHOWN: usize = 500;

/// Why a workbook can't be read. The message says what is wrong, where in the workbook and what to do; the caller adds
/// the file's name.
#[derive(Debug, thiserror::Error)]
pub enum WorkbookError {
    /// The operating system failed while reading.
    #[error("can't be read: {0}; check the disk or network drive it is on, and run again")]
    Read(io::Error),
    /// The operating system failed while writing the sheet's text.
    #[error(
        "the sheet can't be copied to a temporary file: {0}; free some disk space, or set TMPDIR to another folder"
    )]
    Spool(io::Error),
    /// The file is not a workbook.
    #[error("this is {found}, not a workbook; name an .xlsx, .xlsm, .xls or .ods file, or a CSV file")]
    NotAWorkbook {
        /// What the file is instead.
        found: &'static str,
    },
    /// An `.xlsb` workbook, which would not be read completely.
    #[error("this is an Excel binary workbook (.xlsb), which is not supported; save it as .xlsx")]
    Binary,
    /// The workbook is encrypted.
    #[error("the workbook is protected by a password; save a copy without a password and use the copy")]
    Protected,
    /// A part of the workbook exceeds a limit that protects memory or disk.
    #[error("{what}; delete the sheets and rows that you don't need, or save the sheet as CSV")]
    TooLarge {
        /// What is too large, and the limit.
        what: String,
    },
    /// The workbook is truncated or damaged, or would be misread.
    #[error("the {format} workbook can't be read ({detail}); open it in a spreadsheet program and save it again")]
    Unreadable {
        /// `.xlsx`, `.xls` or `.ods`.
        format: &'static str,
        /// What is wrong, and where.
        detail: String,
    },
    /// The sheet given with `--sheet` is not there.
    #[error("there is no sheet `{name}`; name one of these with --sheet: {sheets}")]
    NoSuchSheet {
        /// The name that was given.
        name: String,
        /// The names of the worksheets, quoted and separated by commas.
        sheets: String,
    },
    /// There is no worksheet at all.
    #[error("the workbook has no worksheet; name the workbook that holds the run orders")]
    NoSheets,
}

impl WorkbookError {
    pub(super) fn unreadable(format: &'static str, detail: impl ToString) -> Self {
        Self::Unreadable { format, detail: excerpt(&detail.to_string(), SHOWN) }
    }

    pub(super) fn too_large(what: impl Into<String>) -> Self {
        Self::TooLarge { what: what.into() }
    }

    pub(super) fn no_such_sheet(name: &str, sheets: &[String]) -> Self {
        let quoted: Vec<String> = sheets.iter().map(|sheet| format!("`{sheet}`")).collect();
        Self::NoSuchSheet { name: excerpt(name, SHOWN), sheets: excerpt(&quoted.join(", "), SHOWN) }
    }
}
