//! Why an input can't be read.

use std::io;

use super::workbook::WorkbookError;

/// The longest record, in bytes of UTF-8. It bounds the memory that an unclosed quote can take.
pub(super) const LONGEST_RECORD: usize = 8 << 20;

/// Why an input can't be read. The message names the input, the place in it and what to do. In every variant,
/// `place` is the input: its path as given or `standard input`, and for a workbook the sheet too.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// There is no file by this name.
    #[error("{place}: there is no such file; check its name and folder")]
    Missing {
        /// The input.
        place: String,
    },
    /// The path is a folder.
    #[error("{place}: this is a folder; name a CSV file or a workbook")]
    Directory {
        /// The input.
        place: String,
    },
    /// The file is there but can't be opened.
    #[error("{place}: can't be opened: {source}; check the path and the file's permissions")]
    Open {
        /// The input.
        place: String,
        /// The operating system's error.
        source: io::Error,
    },
    /// The operating system failed while reading.
    #[error("{place}: can't be read: {source}; check the disk or network drive it is on, and run again")]
    Read {
        /// The input.
        place: String,
        /// The operating system's error.
        source: io::Error,
    },
    /// Standard input, a pipe or a sheet couldn't be copied to a temporary file.
    #[error(
        "{place}: can't be copied to a temporary file: {source}; free some disk space, or set TMPDIR to another folder"
    )]
    Spool {
        /// The input.
        place: String,
        /// The operating system's error.
        source: io::Error,
    },
    /// The `--encoding` label is unknown.
    #[error("{place}: unknown encoding `{label}`; name one such as utf-8, utf-16le, utf-16be or gb18030")]
    UnknownEncoding {
        /// The input.
        place: String,
        /// The `--encoding` value.
        label: String,
    },
    /// The `--delimiter` can't be used.
    #[error(
        "{place}: the byte 0x{byte:02X} can't separate cells; give --delimiter one ASCII character \
         that is not a quote or a line break"
    )]
    BadDelimiter {
        /// The input.
        place: String,
        /// The `--delimiter` value.
        byte: u8,
    },
    /// The compressed data is truncated or damaged.
    #[error("{place}: the {format} data is cut or damaged ({detail}); get the file again")]
    Compressed {
        /// The input.
        place: String,
        /// `gzip` or `zstd`.
        format: &'static str,
        /// The decompressor's error.
        detail: String,
    },
    /// No `--encoding` was given and the text is in none of the encodings that are detected.
    #[error(
        "{place}: the text is neither UTF-8 (invalid from byte {offset}, counted from 0, on line {line}) nor GB18030; \
         name its encoding with --encoding"
    )]
    UnknownText {
        /// The input.
        place: String,
        /// Offset of the first byte that is not valid UTF-8, counted from 0 after decompression.
        offset: u64,
        /// The line of that byte, counted from 1.
        line: u64,
    },
    /// A line is not valid in the encoding that was given or detected.
    #[error("{place}: line {line} is not valid {encoding}; correct it, or name the file's encoding with --encoding")]
    Malformed {
        /// The input.
        place: String,
        /// The encoding that was given or detected.
        encoding: &'static str,
        /// The line, counted from 1.
        line: u64,
    },
    /// The text has a NUL byte.
    #[error(
        "{place}: looks like a binary file, not CSV: it has a NUL byte on line {line}; export the table as CSV or as a \
         workbook (for UTF-16 without a byte order mark, add --encoding utf-16le or utf-16be)"
    )]
    Binary {
        /// The input.
        place: String,
        /// The line, counted from 1.
        line: u64,
    },
    /// The input is a workbook that can't be read.
    #[error("{place}: {source}")]
    Workbook {
        /// The input.
        place: String,
        /// What is wrong with the workbook.
        source: WorkbookError,
    },
    /// No sheet, or more than one, has an ID column.
    #[error("{place}: {} ({sheets}); name one with --sheet", if *found == 0 { "no sheet has an ID column".to_owned() }
        else { format!("{found} sheets have an ID column") })]
    WhichSheet {
        /// The input.
        place: String,
        /// The number of sheets with an ID column.
        found: usize,
        /// The names of those sheets, or of all sheets if there are none; at most 20.
        sheets: String,
    },
    /// `--sheet` was given, but the input is not a workbook.
    #[error("{place}: this is not a workbook; leave out --sheet")]
    NoWorkbook {
        /// The input.
        place: String,
    },
    /// The file is of a kind that is not a table, such as HTML or JSON.
    #[error("{place}: this is {what}, not a table; {instead}")]
    Foreign {
        /// The input.
        place: String,
        /// What the file is.
        what: &'static str,
        /// What to do about it.
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
    /// A quoted cell runs over several lines and has text after its closing quote, or a line in it that begins with
    /// an ID.
    #[error(
        "{place}: the quote opened on line {line} seems to run on to line {end}, swallowing the rows between; \
         close it, or double the quotes inside the cell"
    )]
    RunawayQuote {
        /// The input.
        place: String,
        /// The line of the opening quote, or of the record that has it, counted from 1.
        line: u64,
        /// The line of the closing quote, or the line in the cell that begins with an ID.
        end: u64,
    },
    /// A record is longer than 8 MiB.
    #[error(
        "{place}: the record that begins on line {line} is longer than {} MiB; look for a quote that is never closed",
        LONGEST_RECORD >> 20
    )]
    LongRecord {
        /// The input.
        place: String,
        /// The first line of the record, counted from 1.
        line: u64,
    },
    /// No column has a known heading or, without a heading, an ID in the first row.
    #[error("{place}: can't tell which column holds the run order IDs ({found}); name it with --column")]
    NoIdColumn {
        /// The input.
        place: String,
        /// The headings, or a note that there is no heading.
        found: String,
    },
    /// There are no rows, only a line that is not a known heading: an error page, say, or an ID in an unknown form.
    #[error(
        "{place}: there are no rows, only a line that is not a known heading (`{text}`): the export probably failed. \
         Get the file again; if the line is the heading, name it with --column; if it is an ID, add --no-header"
    )]
    LoneLine {
        /// The input.
        place: String,
        /// An excerpt of that line.
        text: String,
    },
    /// The first record may be a heading or an order.
    #[error(
        "{place}: is line {line} (`{text}`) a heading or an order? If it is the heading, name the ID column \
         with --column or add --heading {line}; if it is an order, add --no-header"
    )]
    AmbiguousFirstLine {
        /// The input.
        place: String,
        /// The line, counted from 1.
        line: u64,
        /// An excerpt of that line.
        text: String,
    },
    /// A record has `wfrun_` in it, as an order does, and also a column name, as a heading does.
    #[error(
        "{place}: line {line} (`{text}`) could be a heading or, because of wfrun_, an order (see `{column}`): \
         if it is the heading, add --heading {line} and name the ID column with --column; \
         if it is an order, add --no-header"
    )]
    HeadingWithOrderId {
        /// The input.
        place: String,
        /// The line, counted from 1.
        line: u64,
        /// The column name on that line or, if the line has a known ID heading, the cell that could be an order.
        column: String,
        /// An excerpt of that line.
        text: String,
    },
    /// A record above the heading could be an order.
    #[error(
        "{place}: line {line} (`{text}`) could be an order, but the heading is on line {heading}: \
         if nothing above line {heading} is an order, add --heading {heading}; \
         if line {heading} is not a heading, add --no-header"
    )]
    OrderAboveHeading {
        /// The input.
        place: String,
        /// The line above the heading, counted from 1.
        line: u64,
        /// An excerpt of that line.
        text: String,
        /// The line of the heading, counted from 1.
        heading: u64,
    },
    /// The line given with `--heading`, or one above it, has an order.
    #[error(
        "{place}: line {line} (`{text}`) holds an order, which --heading would leave out; correct --heading or the line"
    )]
    OrderSkippedByHeading {
        /// The input.
        place: String,
        /// The line, counted from 1.
        line: u64,
        /// An excerpt of that line.
        text: String,
    },
    /// No record begins on the line given with `--heading`.
    #[error(
        "{place}: there is no record on line {line} among the first 50 (the last begins on line {last}); \
         correct --heading"
    )]
    NoHeadingLine {
        /// The input.
        place: String,
        /// The line given with `--heading`.
        line: u64,
        /// The line on which the last of the first records begins.
        last: u64,
    },
    /// A column has a known ID heading, but the IDs are in a different column.
    #[error(
        "{place}: column {number} (`{column}`) has a heading for run order IDs, but the IDs seem to be \
         in column {other_number} (`{other}`); name the ID column with --column"
    )]
    IdsInDifferentColumn {
        /// The input.
        place: String,
        /// The heading of the column that should hold the IDs.
        column: String,
        /// The number of that column, counted from 1.
        number: usize,
        /// The heading of the column that seems to hold the IDs.
        other: String,
        /// The number of that column, counted from 1.
        other_number: usize,
    },
    /// The column given with `--column` is not there.
    #[error("{place}: there is no column `{column}` ({found}); name one with --column")]
    NoSuchColumn {
        /// The input.
        place: String,
        /// The `--column` value.
        column: String,
        /// The headings, or a note that there is no heading.
        found: String,
    },
    /// The column given with `--expect` is not there, or several have that heading.
    #[error("{place}: --expect {field}={column}: {} ({found}); name it by its heading or its number",
        if *count == 0 { "there is no such column".to_owned() } else { format!("{count} columns have that heading") })]
    NoBookColumn {
        /// The input.
        place: String,
        /// The field that the column should hold.
        field: &'static str,
        /// The column in `--expect`.
        column: String,
        /// The number of columns with that heading: 0, or 2 or more.
        count: usize,
        /// The headings, or a note that there is no heading.
        found: String,
    },
    /// More than one column could be the ID column.
    #[error("{place}: columns {numbers} could each be the ID column ({found}); name one by its number with --column")]
    AmbiguousColumn {
        /// The input.
        place: String,
        /// The numbers of those columns, counted from 1.
        numbers: String,
        /// The headings, or a note that there is no heading.
        found: String,
    },
    /// A line number does not fit in the 32 bits kept for finding duplicates.
    #[error("{place}: more than {} lines; split the file", u32::MAX)]
    TooManyLines {
        /// The input.
        place: String,
    },
    /// The second reading differs from the first.
    #[error("{place}: the file changed while it was being read; run again once nothing is writing to it")]
    Changed {
        /// The input.
        place: String,
    },
}

/// A fault in the data, found by one of the chained readers. It travels inside an [`io::Error`] through the CSV
/// parser to [`InputError::from_io`], which knows the input's name.
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
    /// The text is not valid in its encoding. `line` is 0 until `framing`, which counts lines, fills it in.
    Malformed {
        encoding: &'static str,
        line: u64,
    },
    /// The text has a NUL byte. `line` is 0 until `framing` fills it in.
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
            // Byte records of any length are accepted, so only reading can fail.
            other => Self::from_io(place, io::Error::other(format!("{other:?}"))),
        }
    }
}
