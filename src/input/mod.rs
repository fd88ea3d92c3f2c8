//! The input: run order IDs out of a CSV file or standard input.
//!
//! [`Input::open`] reads the whole input through before anything is fetched: it finds the encoding, the delimiter
//! and the ID column, hashes the bytes as given and counts the rows. [`Input::read`] then streams the rows, each
//! with its line and what stands in it, and proves at the end that it read what was opened.
//!
//! ```text
//! raw (bytes, hash) → workbook (a sheet as text) → decode (gzip, zstd; UTF-8) → delimiter → framing (lines, quotes) → heading, count → rows (IDs, duplicates)
//! ```
//!
//! Memory is bounded by the longest record and by the distinct IDs, never by the size of the input.

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
use foreign::Foreign;
use raw::{Origin, Raw};
use rows::{Format, Survey};
use sheet::Surveyed;

pub use error::InputError;
pub use rows::Rows;
pub use workbook::WorkbookError;

/// Where the input is and how it is to be read. What is `None` is detected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What to read.
    pub source: Source,
    /// The ID column: its heading, or its number counted from 1.
    pub column: Option<String>,
    /// The first record is a row, whatever stands in it.
    pub no_header: bool,
    /// The line of the heading, counted from 1: what stands above it is no row.
    pub heading: Option<u64>,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// The encoding by its WHATWG label, such as `gb18030` or `utf-16le`. A byte order mark outranks it.
    pub encoding: Option<String>,
    /// The byte between two cells: ASCII, and neither a quote nor a line break.
    pub delimiter: Option<u8>,
    /// The columns of our own books that are read too, by field: each by its heading, or its number counted from 1.
    pub books: BTreeMap<Field, String>,
}

impl Options {
    /// That source, and all else detected.
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

/// What to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file. A pipe or device is copied into a temporary file first, as standard input is.
    File(PathBuf),
    /// Standard input, copied into an unnamed temporary file.
    Stdin,
}

/// One row of the input: every record between the heading and the footers. Blank lines and the end of a list of `tieout discover`
/// are no rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line on which the row begins, counted from 1. LF, CR LF and a lone CR each end a line.
    pub line: u64,
    /// What stands there.
    pub entry: Entry,
    /// What stands in the columns of our own books, where any are read.
    pub booking: Option<Booking>,
}

/// What stands in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A usable ID that no earlier row holds.
    Order(RunOrderId),
    /// A usable ID that an earlier row holds.
    Duplicate {
        /// The ID.
        id: RunOrderId,
        /// The line of the first row with this ID.
        first_line: u64,
    },
    /// No usable ID.
    Rejected {
        /// What stood there, fit for a terminal: trimmed, control characters replaced, at most 128 characters.
        text: String,
        /// `empty-id`, `id-too-long`, `bad-character`, `missing-cell`, `subtotal` or `repeated-heading`.
        reason: Reason,
    },
}

/// An input that was read through once and can be read as rows.
#[derive(Debug)]
pub struct Input {
    origin: Origin,
    format: Format,
    survey: Survey,
}

impl Input {
    /// Reads the input through: validates, hashes and counts it.
    ///
    /// # Errors
    /// [`InputError`]: the options can't be followed, the input can't be read, is cut or corrupt, is not text in the
    /// encoding named or in any that is recognised, has a quote left open, or has no ID column that can be told.
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
        let wanted = heading::Wanted { column, no_header, heading, sheet, books };
        if sheet::is_workbook(&origin)? {
            let Surveyed { origin, format, survey } = sheet::survey(&origin, &wanted)?;
            return Ok(Self { origin, format, survey });
        }
        if wanted.sheet.is_some() {
            return Err(InputError::NoWorkbook { place: origin.place().to_owned() });
        }
        refuse_foreign(&origin)?;
        let encoding = match named {
            Some(encoding) => encoding,
            None => decode::detect(|| Decompressed::open(Raw::new(&origin)))
                .map_err(|error| InputError::from_io(origin.place(), error))?,
        };
        let (format, survey) = rows::survey(&origin, encoding, delimiter, &wanted)?;
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

    /// How it is read, whatever of that was given and whatever was detected: encoding, delimiter, heading and columns.
    #[must_use]
    pub fn reading(&self) -> String {
        self.format.reading()
    }

    /// SHA-256 of the bytes as given, before decompression, in lower-case hex.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.survey.fingerprint.sha256
    }

    /// How many bytes were given, before decompression.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.survey.fingerprint.bytes
    }

    /// Why it is not whole, where it is a list that `tieout discover` wrote and is not. Any other input may be what it is.
    #[must_use]
    pub fn shortfall(&self) -> Option<ListShortfall> {
        self.survey.shortfall
    }

    /// What its records are, beside the rows.
    #[must_use]
    pub fn layout(&self) -> &InputLayout {
        &self.survey.layout
    }

    /// How many rows there are, counted as [`Row`] says.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.survey.rows
    }

    /// Streams the rows. After the last one, or after an error, there is nothing more; that the input is no longer
    /// what was opened is an error in the place of the end.
    ///
    /// # Errors
    /// [`InputError`] if the input can't be read from its beginning again.
    pub fn read(&self) -> Result<Rows, InputError> {
        Rows::new(&self.origin, self.format.clone(), self.survey.clone())
    }
}

/// Refuses what is no table, compressed or not.
fn refuse_foreign(origin: &Origin) -> Result<(), InputError> {
    let place = origin.place();
    let mut beginning = vec![0; foreign::BEGINNING];
    // What can't be read is told by the reading of the whole.
    let read = Decompressed::open(Raw::new(origin)).and_then(|mut text| raw::fill(&mut text, &mut beginning));
    match foreign::told_by(&beginning[..read.unwrap_or_default()]) {
        None => Ok(()),
        Some(Foreign { what, instead }) => Err(InputError::Foreign { place: place.to_owned(), what, instead }),
    }
}

fn named_encoding(place: &str, label: &str) -> Result<&'static Encoding, InputError> {
    Encoding::for_label_no_replacement(label.as_bytes())
        .ok_or_else(|| InputError::UnknownEncoding { place: place.to_owned(), label: excerpt::excerpt(label, 64) })
}
