//! The input: run order IDs from a CSV file, a workbook or standard input.
//!
//! [`Input::open`] reads the whole input before anything is fetched: it detects the encoding, the delimiter and the
//! ID column, hashes the bytes as given and counts the rows. [`Input::read`] then streams the rows, each with its
//! line and content, and checks at the end that it read the same bytes again.
//!
//! ```text
//! raw (bytes, hash) → workbook (a sheet as text) → decode (gzip, zstd; UTF-8) → delimiter
//!   → framing (lines, quotes) → heading, count → rows (IDs, duplicates)
//! ```
//!
//! Memory grows with the longest record and the number of distinct IDs, not with the size of the input.

mod count;
mod decode;
mod delimiter;
mod error;
mod excerpt;
mod foreign;
mod framing;
mod heading;
mod list_end;
mod raw;
mod rows;
mod seen;
mod sheet;
#[cfg(test)]
mod tests;
mod workbook;

use std::collections::BTreeMap;
use std::path::PathBuf;

use encoding_rs::Encoding;

use crate::domain::books::{Booking, Field};
use crate::domain::id::RunOrderId;
use crate::domain::layout::InputLayout;
use crate::domain::listed::ListShortfall;
use crate::domain::outcome::Reason;
use decode::Decompressed;
use foreign::ForeignFile;
use raw::{Origin, Raw};
use rows::{Format, Survey};
use sheet::SheetSurvey;

pub use error::InputError;
pub use rows::Rows;
pub use workbook::WorkbookError;

/// Where the input is and how to read it. Whatever is `None` is detected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// A file or standard input.
    pub source: Source,
    /// The ID column: its heading, or its number counted from 1.
    pub column: Option<String>,
    /// Treat the first record as a row, even if it looks like a heading.
    pub no_header: bool,
    /// The line of the heading, counted from 1. Records above it are not rows.
    pub heading: Option<u64>,
    /// The name of the sheet to read. An error if the input is not a workbook.
    pub sheet: Option<String>,
    /// The encoding by its WHATWG label, such as `gb18030` or `utf-16le`. A byte order mark overrides it.
    pub encoding: Option<String>,
    /// The byte between two cells: ASCII, and not a quote, a line break or NUL.
    pub delimiter: Option<u8>,
    /// The columns of our own books to read as well: for each field, its heading or its number counted from 1.
    pub books: BTreeMap<Field, String>,
}

impl Options {
    /// Options that read `source` and detect everything else.
    #[must_use]
    pub const fn detecting(source: Source) -> Self {
        Self {
            source,
            column: None,
            no_header: false,
            heading: None,
            sheet: None,
            encoding: None,
            delimiter: None,
            books: BTreeMap::new(),
        }
    }
}

/// Where the bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file. A pipe or device is first copied to a temporary file, because it is read twice.
    File(PathBuf),
    /// Standard input, copied to an unnamed temporary file.
    Stdin,
}

/// One row of the input: a record between the heading and the footers. Blank lines and the closing line of a
/// `tieout discover` list are not rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line on which the row begins, counted from 1. LF, CR LF and a lone CR each end a line.
    pub line: u64,
    /// The order ID, or why the row has none.
    pub entry: Entry,
    /// The cells of our own books. `None` if no such columns were requested.
    pub booking: Option<Booking>,
}

/// The ID cell of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A usable ID that no earlier row has.
    Order(RunOrderId),
    /// A usable ID that an earlier row has too.
    Duplicate {
        /// The repeated ID.
        id: RunOrderId,
        /// The line of the first row with this ID.
        first_line: u64,
    },
    /// No usable ID.
    Rejected {
        /// The cell, safe to print: trimmed, control characters replaced, at most 128 characters.
        text: String,
        /// Code `empty-id`, `id-too-long`, `bad-character`, `missing-cell`, `subtotal` or `repeated-heading`, and
        /// the explanation for people.
        reason: Reason,
    },
}

/// An input that was validated by a first reading and can now be streamed as rows.
#[derive(Debug)]
pub struct Input {
    origin: Origin,
    format: Format,
    survey: Survey,
}

impl Input {
    /// Reads the whole input once to validate it, hash it and count its rows.
    ///
    /// # Errors
    /// [`InputError`]: the options don't fit the input, the input can't be read, is truncated or corrupt, is not text
    /// in the given encoding (or in any that is detected), has an unclosed quote, or its ID column can't be
    /// determined.
    pub fn open(options: Options) -> Result<Self, InputError> {
        let Options { source, column, no_header, heading, sheet, encoding, delimiter, books } = options;
        let place = raw::shown_place(&source);
        let named = encoding.map(|label| named_encoding(&place, &label)).transpose()?;
        if let Some(byte) = delimiter
            && (!byte.is_ascii() || matches!(byte, b'"' | b'\r' | b'\n' | 0))
        {
            return Err(InputError::BadDelimiter { place, byte });
        }
        let origin = Origin::open(&source, place)?;
        let options = heading::LayoutOptions { column, no_header, heading, sheet, books };
        if sheet::is_workbook(&origin)? {
            let SheetSurvey { origin, format, survey } = sheet::survey(&origin, &options)?;
            return Ok(Self { origin, format, survey });
        }
        if options.sheet.is_some() {
            return Err(InputError::NoWorkbook { place: origin.place().to_owned() });
        }
        refuse_foreign(&origin)?;
        let encoding = match named {
            Some(encoding) => encoding,
            None => decode::detect(|| Decompressed::open(Raw::new(&origin)))
                .map_err(|error| InputError::from_io(origin.place(), error))?,
        };
        let (format, survey) = rows::survey(&origin, encoding, delimiter, &options)?;
        Ok(Self { origin, format, survey })
    }

    /// The file's name without its folders, or `stdin`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.origin.name()
    }

    /// The file's absolute path; empty for standard input.
    #[must_use]
    pub fn path(&self) -> &str {
        self.origin.path()
    }

    /// How the input is read, in words: sheet, encoding, delimiter, heading and columns, whether given or detected.
    /// A resumed run must read the input the same way, so two ways of reading never have the same text.
    #[must_use]
    pub fn reading(&self) -> String {
        self.format.reading()
    }

    /// SHA-256 of the bytes as given, before decompression, in lower-case hex.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.survey.fingerprint.sha256
    }

    /// The size of the input in bytes, before decompression.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.survey.fingerprint.bytes
    }

    /// What is missing from a list that `tieout discover` wrote. `None` if the list is complete or the input is not
    /// such a list.
    #[must_use]
    pub fn shortfall(&self) -> Option<ListShortfall> {
        self.survey.shortfall
    }

    /// The records that are not rows: preamble, heading and footers.
    #[must_use]
    pub fn layout(&self) -> &InputLayout {
        &self.survey.layout
    }

    /// The number of rows, as [`Row`] defines them.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.survey.rows
    }

    /// Streams the rows from the beginning. The iterator ends after the last row or the first error. If the input
    /// changed since it was opened, the last item is an error: [`InputError::Changed`], or a fault in the new bytes.
    ///
    /// # Errors
    /// [`InputError`] if the input can't be read from its beginning again.
    pub fn read(&self) -> Result<Rows, InputError> {
        Rows::new(&self.origin, self.format.clone(), self.survey.clone())
    }
}

/// Refuses files that are not tables, compressed or not.
fn refuse_foreign(origin: &Origin) -> Result<(), InputError> {
    let place = origin.place();
    let mut beginning = vec![0; foreign::EXAMINED_BYTES];
    // A read error is ignored here: the full reading that follows reports it.
    let read = Decompressed::open(Raw::new(origin)).and_then(|mut text| raw::fill(&mut text, &mut beginning));
    match foreign::identify(&beginning[..read.unwrap_or_default()]) {
        None => Ok(()),
        Some(ForeignFile { what, instead }) => Err(InputError::Foreign { place: place.to_owned(), what, instead }),
    }
}

fn named_encoding(place: &str, label: &str) -> Result<&'static Encoding, InputError> {
    Encoding::for_label_no_replacement(label.as_bytes())
        .ok_or_else(|| InputError::UnknownEncoding { place: place.to_owned(), label: excerpt::excerpt(label, 64) })
}
