//! What stops the reading of a workbook.

use std::io;

use super::super::excerpt::excerpt;

/// The most characters of what a library says, and of the names of sheets.
const SHOWN: usize = 500;

/// Why a workbook can't be read. The text says what is wrong, where in the workbook, and what to do; who opened the file names it.
#[derive(Debug, thiserror::Error)]
pub enum WorkbookError {
    /// The system failed to deliver the bytes.
    #[error("can't be read: {0}")]
    Read(io::Error),
    /// The system failed to take the sheet's text.
    #[error("the sheet can't be kept in a temporary file (its folder is set by TMPDIR): {0}")]
    Spool(io::Error),
    /// The bytes are no workbook.
    #[error("this is {found}, not a workbook; name an .xlsx, .xlsm, .xls or .ods file, or a CSV file")]
    NotAWorkbook {
        /// What they are.
        found: &'static str,
    },
    /// A workbook in a form that would not be read whole.
    #[error("this is an Excel binary workbook (.xlsb), which can't be read whole; save it as .xlsx")]
    Binary,
    /// The workbook is encrypted.
    #[error("the workbook is protected by a password; save a copy without a password and name that")]
    Protected,
    /// More than memory or disk should hold.
    #[error("{what}; delete the sheets and rows that are not needed, or save the sheet as CSV")]
    TooLarge {
        /// What is too large, and how large it may be.
        what: String,
    },
    /// The workbook is cut or damaged, or would be misread.
    #[error("the {format} workbook can't be read ({detail}); open it in a spreadsheet program and save it again")]
    Unreadable {
        /// `.xlsx`, `.xls` or `.ods`.
        format: &'static str,
        /// What is wrong, and where.
        detail: String,
    },
    /// The sheet asked for is not there.
    #[error("there is no sheet `{name}`; there are {sheets}")]
    NoSuchSheet {
        /// What was asked for.
        name: String,
        /// The sheets that are there.
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
