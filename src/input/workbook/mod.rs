//! Workbooks: a sheet is written out as CSV, which is then read like any CSV file.
//!
//! Line 7 of the text is row 7 of the sheet, and its second cell is column B, even if everything before is empty.
//! Nothing is misread silently: a number with more digits than a workbook keeps is written as a text that says so, and
//! a damaged file is refused.
//!
//! ```text
//! kind (by content) → parts (ZIP), compound (streams) → xlsx, xls, ods → cells (text, lines)
//! ```
//!
//! Memory grows with a sheet's longest row and the workbook's distinct texts; an `.xls` workbook is held whole, but its
//! size is limited.

mod cells;
mod compound;
mod error;
mod kind;
mod ods;
mod parts;
mod source;
#[cfg(test)]
mod tests;
mod xls;
mod xlsx;

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{Read as _, Write};

use compound::Compound;
use parts::Parts;
use source::Source;

pub use error::WorkbookError;
pub(super) use kind::{Kind, kind_of};

/// An opened workbook of any format.
pub(super) struct Workbook {
    sheets: Vec<String>,
    book: Book,
}

enum Book {
    Xlsx(Box<xlsx::Book>),
    Xls(Box<xls::Book>),
    Ods(Box<ods::Book>),
}

impl Book {
    const fn format(&self) -> &'static str {
        match self {
            Self::Xlsx(_) => xlsx::FORMAT,
            Self::Xls(_) => xls::FORMAT,
            Self::Ods(_) => ods::FORMAT,
        }
    }
}

/// Facts about a sheet that was written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sheet {
    /// The number of the last non-empty row, counted from 1, which is also the number of lines written.
    pub(super) rows: u64,
    /// The number of non-empty rows that are hidden, by hand or by a filter. They are written like all others.
    /// `None` if unknown.
    pub(super) hidden: Option<u64>,
    /// The number of merged ranges. The value of a merged range is written in its first cell only.
    pub(super) merged: u64,
}

impl fmt::Debug for Workbook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workbook").field("sheets", &self.sheets).finish_non_exhaustive()
    }
}

impl Workbook {
    /// Opens a workbook. Its format is detected from its content.
    ///
    /// # Errors
    /// [`WorkbookError`]: the file is not a workbook, or it is protected, too large, damaged or without a worksheet.
    pub(super) fn open(file: File) -> Result<Self, WorkbookError> {
        let source = Source::new(file)?;
        let mut first = [0; 8];
        let mut reader = source.reader();
        let compound = reader.read_exact(&mut first).is_ok() && first == compound::COMPOUND;
        let (book, sheets) = if compound {
            let compound = Compound::open(&source)?;
            match kind::of_streams(&compound) {
                Kind::Protected => return Err(WorkbookError::Protected),
                Kind::Xls => {
                    xls::Book::open(&source, compound).map(|(book, sheets)| (Book::Xls(Box::new(book)), sheets))?
                }
                _ => return Err(WorkbookError::NotAWorkbook { found: "a document of another Office program" }),
            }
        } else if first.starts_with(b"PK") {
            let mut parts = Parts::open(&source, "ZIP")?;
            match kind::of_parts(&mut parts)? {
                Kind::Protected => return Err(WorkbookError::Protected),
                Kind::Xlsb => return Err(WorkbookError::Binary),
                Kind::Xlsx => {
                    xlsx::Book::open(&source, parts).map(|(book, sheets)| (Book::Xlsx(Box::new(book)), sheets))?
                }
                Kind::Ods => {
                    ods::Book::open(&source, parts).map(|(book, sheets)| (Book::Ods(Box::new(book)), sheets))?
                }
                _ => return Err(WorkbookError::NotAWorkbook { found: "a ZIP archive" }),
            }
        } else {
            return Err(WorkbookError::NotAWorkbook { found: "neither a ZIP archive nor an .xls file" });
        };
        if sheets.is_empty() {
            return Err(WorkbookError::NoSheets);
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = sheets.iter().find(|sheet| !names.insert(*sheet)) {
            return Err(WorkbookError::unreadable(book.format(), format!("two sheets are called `{twice}`")));
        }
        Ok(Self { sheets, book })
    }

    /// The names of the worksheets in order, hidden ones included. Chart sheets are not worksheets.
    pub(super) fn sheets(&self) -> &[String] {
        &self.sheets
    }

    /// Writes one sheet as comma-separated UTF-8, one line per row from row 1 to the last non-empty row.
    ///
    /// # Errors
    /// [`WorkbookError`]: there is no such sheet, it can't be read completely, it is too large, or the text can't be
    /// written. The text written before an error must not be used.
    pub(super) fn write_sheet(&mut self, name: &str, out: &mut impl Write) -> Result<Sheet, WorkbookError> {
        if !self.sheets.iter().any(|sheet| sheet == name) {
            return Err(WorkbookError::no_such_sheet(name, &self.sheets));
        }
        match &mut self.book {
            Book::Xlsx(book) => book.write_sheet(name, out),
            Book::Xls(book) => book.write_sheet(name, out),
            Book::Ods(book) => book.write_sheet(name, out),
        }
    }
}
