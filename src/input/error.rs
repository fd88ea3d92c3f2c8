//! What stops the reading of an input.

use std::io;

use super::workbook::WorkbookError;

/// The longest record, in bytes of UTF-8: what an unclosed quote may cost in memory.
pub(super) const LONGEST_RECORD: usize = 8 << 20;

/// Why an input can't be read. The text names the input, the place in it, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// There is no file by this name.
    #[error("{place}: there is no such file")]
    Missing {
        /// The input.
        place: String,
    },
    /// A folder stands there.
    #[error("{place}: this is a folder; name a CSV file")]
    Directory {
        /// The input.
        place: String,
    },
    /// The file is there but can't be opened.
    #[error("{place}: can't be opened: {source}")]
    Open {
        /// The input.
        place: String,
        /// What the system says.
        source: io::Error,
    },
    /// The system failed to deliver the bytes.
    #[error("{place}: can't be read: {source}")]
    Read {
        /// The input.
        place: String,
        /// What the system says.
        source: io::Error,
    },
    /// Standard input or a pipe couldn't be copied into a temporary file.
    #[error("{place}: can't be kept in a temporary file (its folder is set by TMPDIR): {source}")]
    Spool {
        /// The input.
        place: String,
        /// What the system says.
        source: io::Error,
    },
    /// The encoding asked for is none we know.
    #[error("{place}: unknown encoding `{label}`; name one such as utf-8, utf-16le, utf-16be or gb18030")]
    UnknownEncoding {
        /// The input.
        place: String,
        /// What was asked for.
        label: String,
    },
    /// The delimiter asked for can't be one.
    #[error(
        "{place}: the byte 0x{byte:02X} can't separate cells; name one ASCII character, no quote and no line break"
    )]
    BadDelimiter {
        /// The input.
        place: String,
        /// What was asked for.
        byte: u8,
    },
    /// The compressed data is cut or damaged.
    #[error("{place}: the {format} data is cut or damaged ({detail}); get the file again")]
    Compressed {
        /// The input.
        place: String,
        /// `gzip` or `zstd`.
        format: &'static str,
        /// What the decompressor says.
        detail: String,
    },
    /// The text is in no encoding that can be told from its bytes.
    #[error(
        "{place}: neither UTF-8 (byte {offset}, counted from 0, on line {line}, is the first that is invalid) nor GB18030; \
         name its encoding with --encoding"
    )]
    UnknownText {
        /// The input.
        place: String,
        /// The first byte invalid in UTF-8, counted from 0 after decompression.
        offset: u64,
        /// Its line, counted from 1.
        line: u64,
    },
    /// The text breaks the rules of its encoding.
    #[error("{place}: line {line} is not valid {encoding}; correct it, or name the file's encoding with --encoding")]
    Malformed {
        /// The input.
        place: String,
        /// The encoding named or found.
        encoding: &'static str,
        /// The line, counted from 1.
        line: u64,
    },
    /// There is a NUL in it.
    #[error(
        "{place}: looks like a binary file, not CSV: it has a NUL byte on line {line} \
         (UTF-16 without a byte order mark needs --encoding utf-16le or utf-16be)"
    )]
    Binary {
        /// The input.
        place: String,
        /// The line, counted from 1.
        line: u64,
    },
    /// The workbook can't be read.
    #[error("{place}: {source}")]
    Workbook {
        /// The input.
        place: String,
        /// Why.
        source: WorkbookError,
    },
    /// Which sheet holds the IDs can't be told.
    #[error("{place}: {} ({sheets}); name one with --sheet", if *found == 0 { "no sheet has an ID column".to_owned() }
        else { format!("{found} sheets have an ID column") })]
    WhichSheet {
        /// The input.
        place: String,
        /// How many have an ID column.
        found: usize,
        /// Those that have, or all.
        sheets: String,
    },
    /// A sheet is named, of what is no workbook.
    #[error("{place}: this is no workbook: leave --sheet out")]
    NoWorkbook {
        /// The input.
        place: String,
    },
    /// It is no table.
    #[error("{place}: this is {what}, not a table: {instead}")]
    Foreign {
        /// The input.
        place: String,
        /// What it is.
        what: &'static str,
        /// What to do.
        instead: &'static str,
    },
    /// A quoted cell never ends.
    #[error("{place}: the quote opened on line {line} is never closed, so every row after it would be lost; close it")]
    OpenQuote {
        /// The input.
        place: String,
        /// The line of the opening quote, counted from 1.
        line: u64,
    },
    /// A quoted cell ran over several lines and ended in the middle of another cell.
    #[error(
        "{place}: the quote opened on line {line} seems to be closed by one of line {end}, swallowing the rows between; \
         close it, or double the quotes inside the cell"
    )]
    RunawayQuote {
        /// The input.
        place: String,
        /// The line of the opening quote, counted from 1.
        line: u64,
        /// The line of the quote that closed it.
        end: u64,
    },
    /// One record is longer than memory should hold.
    #[error(
        "{place}: the record that begins on line {line} is longer than {} MiB; is a quote left open?",
        LONGEST_RECORD >> 20
    )]
    LongRecord {
        /// The input.
        place: String,
        /// The line, counted from 1.
        line: u64,
    },
    /// Nothing tells which column holds the IDs.
    #[error("{place}: which column holds the run order IDs can't be told ({found}); name one with --column")]
    NoIdColumn {
        /// The input.
        place: String,
        /// The headings, or that there are none.
        found: String,
    },
    /// One line that is no heading we know, and nothing else: an error page, say, or an ID of another form.
    #[error(
        "{place}: it holds nothing but one line that is no known heading (`{text}`): most likely an export failed; \
         if it is the heading, name it with --column, and if it is an ID, say --no-header"
    )]
    LoneLine {
        /// The input.
        place: String,
        /// What the line says.
        text: String,
    },
    /// The first record may be a heading or an order.
    #[error(
        "{place}: is line {line} (`{text}`) a heading or an order? Name the heading with --column, say --heading {line}, \
         or say --no-header if it is an order"
    )]
    HeadingOrOrder {
        /// The input.
        place: String,
        /// The line.
        line: u64,
        /// What it says.
        text: String,
    },
    /// The first record holds what could be an order, and names a column as a heading does.
    #[error(
        "{place}: line {line} (`{text}`) could be an order, wfrun_ and all, but it names the column `{column}` too: if it is the \
         heading, say --heading {line} and name the ID column with --column; if it is an order, say --no-header"
    )]
    OrderOrHeading {
        /// The input.
        place: String,
        /// The line.
        line: u64,
        /// The column that it names.
        column: String,
        /// What it says.
        text: String,
    },
    /// What stands above the heading could be an order.
    #[error(
        "{place}: line {line} (`{text}`) could be an order, but the heading is on line {heading}: say --heading {heading} if \
         nothing above it is an order, or --no-header if it is no heading"
    )]
    OrderAboveHeading {
        /// The input.
        place: String,
        /// The line.
        line: u64,
        /// What stands in the ID column there.
        text: String,
        /// The heading's line.
        heading: u64,
    },
    /// What was said to be the heading, or stands above it, is an order.
    #[error("{place}: line {line} (`{text}`) holds an order, and --heading would leave it out: correct the line")]
    OrderAboveRows {
        /// The input.
        place: String,
        /// The line.
        line: u64,
        /// What it says.
        text: String,
    },
    /// No record begins on the line that should be the heading.
    #[error(
        "{place}: there is no record on line {line} among the first 50 (they end on line {last}): correct --heading"
    )]
    NoHeadingLine {
        /// The input.
        place: String,
        /// What was asked for.
        line: u64,
        /// The line of the last of the first records.
        last: u64,
    },
    /// The IDs stand in another column than the heading says.
    #[error(
        "{place}: column {number} (`{column}`) is called like one of run order IDs, but they seem to stand in column {other_number} \
         (`{other}`): name the ID column with --column"
    )]
    OtherColumn {
        /// The input.
        place: String,
        /// What the column is called.
        column: String,
        /// Its number, counted from 1.
        number: usize,
        /// What the column that has them is called.
        other: String,
        /// Its number, counted from 1.
        other_number: usize,
    },
    /// The column asked for is not there.
    #[error("{place}: there is no column `{column}` ({found}); name one with --column")]
    NoSuchColumn {
        /// The input.
        place: String,
        /// What was asked for.
        column: String,
        /// The headings, or that there are none.
        found: String,
    },
    /// The column of our own books is not there, or there are several of that name.
    #[error("{place}: --expect {field}={column}: {} ({found}); name it by its heading or its number",
        if *count == 0 { "there is no such column".to_owned() } else { format!("{count} columns are called that") })]
    NoBookColumn {
        /// The input.
        place: String,
        /// The field that it should hold.
        field: &'static str,
        /// What was asked for.
        column: String,
        /// How many there are.
        count: usize,
        /// The headings, or that there are none.
        found: String,
    },
    /// More than one column could be the one.
    #[error("{place}: columns {numbers} could each be the ID column ({found}); name one by its number with --column")]
    AmbiguousColumn {
        /// The input.
        place: String,
        /// The columns' numbers, counted from 1.
        numbers: String,
        /// The headings, or that there are none.
        found: String,
    },
    /// A line number too large to be kept for finding duplicates.
    #[error("{place}: more than {} lines; split the file", u32::MAX)]
    TooManyLines {
        /// The input.
        place: String,
    },
    /// The second reading found something else than the first.
    #[error("{place}: the file changed while it was being read; run again once nothing writes to it")]
    Changed {
        /// The input.
        place: String,
    },
}

/// What a reader of the chain found wrong with the data. It travels inside an [`io::Error`], through the CSV parser,
/// to [`InputError::from_io`], which knows the input's name.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub(super) enum Fault {
    Compressed {
        format: &'static str,
        detail: String,
    },
    UnknownText {
        offset: u64,
        line: u64,
    },
    /// The line is 0 until `framing`, which counts lines, fills it in.
    Malformed {
        encoding: &'static str,
        line: u64,
    },
    /// Likewise.
    Binary {
        line: u64,
    },
    OpenQuote {
        line: u64,
    },
    RunawayQuote {
        line: u64,
        end: u64,
    },
    LongRecord {
        line: u64,
    },
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        Self::new(io::ErrorKind::InvalidData, fault)
    }
}

impl InputError {
    pub(super) fn from_io(place: &str, error: io::Error) -> Self {
        let place = place.to_owned();
        match error.downcast::<Fault>() {
            Ok(Fault::Compressed { format, detail }) => Self::Compressed { place, format, detail },
            Ok(Fault::UnknownText { offset, line }) => Self::UnknownText { place, offset, line },
            Ok(Fault::Malformed { encoding, line }) => Self::Malformed { place, encoding, line },
            Ok(Fault::Binary { line }) => Self::Binary { place, line },
            Ok(Fault::OpenQuote { line }) => Self::OpenQuote { place, line },
            Ok(Fault::RunawayQuote { line, end }) => Self::RunawayQuote { place, line, end },
            Ok(Fault::LongRecord { line }) => Self::LongRecord { place, line },
            Err(source) => Self::Read { place, source },
        }
    }

    pub(super) fn from_csv(place: &str, error: csv::Error) -> Self {
        match error.into_kind() {
            csv::ErrorKind::Io(error) => Self::from_io(place, error),
            // Records of any length are taken as bytes, so nothing but reading can fail.
            other => Self::from_io(place, io::Error::other(format!("{other:?}"))),
        }
    }
}
