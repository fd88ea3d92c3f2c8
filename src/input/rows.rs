//! Reads the records of an input, and turns them into rows.

use std::borrow::Cow;
use std::fmt;

use csv::{ByteRecord, Reader, ReaderBuilder};
use encoding_rs::Encoding;

use super::count::Count;
use super::decode::{CHUNK, Decoded, Decompressed};
use super::delimiter::{FIRST_RECORDS, ReadAhead};
use super::error::{InputError, LONGEST_RECORD};
use super::excerpt::excerpt;
use super::framing::Framing;
use super::heading::{Columns, FirstRecord, ID_PREFIX, LayoutOptions, columns};
use super::list_end;
use super::raw::{Fingerprint, Origin, Raw};
use super::seen::Seen;
use super::{Entry, Row};
use crate::domain::books::{Booking, Field};
use crate::domain::cell::{bare_text, is_placeholder, is_subtotal};
use crate::domain::id::{IdError, RunOrderId};
use crate::domain::layout::InputLayout;
use crate::domain::listed::ListShortfall;
use crate::domain::outcome::Reason;

/// How many characters of a rejected ID cell are shown.
const SHOWN: usize = 128;
/// How many characters of a cell of our own books are read: more than any amount needs.
const LONGEST_CELL: usize = 1_000;

/// How to read the input, from the options and what was detected.
#[derive(Clone, Debug)]
pub(super) struct Format {
    /// The name of the workbook's sheet.
    pub(super) sheet: Option<String>,
    encoding: &'static Encoding,
    delimiter: u8,
    /// `None` if there is nothing to take for a heading or a row.
    columns: Option<Columns>,
}

impl Format {
    /// The format in words. Two different ways to read the same bytes have different words.
    pub(super) fn reading(&self) -> String {
        let sheet = self.sheet.as_ref().map_or_else(String::new, |sheet| format!("sheet {sheet}, "));
        let (encoding, delimiter) = (self.encoding.name(), char::from(self.delimiter).escape_default());
        let Some(columns) = &self.columns else {
            return format!("{sheet}{encoding}, no record");
        };
        let heading = columns.heading.map_or_else(|| "no heading".to_owned(), |line| format!("heading on line {line}"));
        let books = columns.books.iter().map(|(field, at)| format!(", {field} in column {}", at + 1));
        let books: String = books.collect();
        format!("{sheet}{encoding}, delimiter {delimiter}, {heading}, IDs in column {}{books}", columns.id + 1)
    }

    /// Whether there is an ID column and its heading was not guessed.
    pub(super) fn has_ids(&self) -> bool {
        self.columns.as_ref().is_some_and(|columns| columns.guessed.is_none())
    }
}

/// What the first reading found. The second one must find the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Survey {
    pub(super) fingerprint: Fingerprint,
    pub(super) rows: u64,
    pub(super) layout: InputLayout,
    pub(super) shortfall: Option<ListShortfall>,
}

/// Reads the whole input: detects its format, hashes it and counts its records.
pub(super) fn survey(
    origin: &Origin,
    encoding: &'static Encoding,
    delimiter: Option<u8>,
    options: &LayoutOptions,
) -> Result<(Format, Survey), InputError> {
    let mut records = Records::open(origin, encoding, delimiter, options)?;
    let delimiter = records.delimiter;
    let mut first = Vec::new();
    let mut bytes = 0;
    while first.len() < FIRST_RECORDS && bytes < LONGEST_RECORD {
        let Some(line) = records.advance()? else { break };
        refuse_swallowed(&records.record, line, origin.place())?;
        bytes += records.record.as_slice().len();
        first.push(FirstRecord::new(line, records.record.clone()));
    }
    let columns = columns(&first, options, origin.place())?;
    let mut count = Count::new(columns.as_ref());
    first.iter().for_each(|first| count.record(&first.record, first.line));
    while let Some(line) = records.advance()? {
        refuse_swallowed(&records.record, line, origin.place())?;
        count.record(&records.record, line);
    }
    let is_cut = records.ends_within_a_line();
    let (fingerprint, (rows, layout, shortfall)) = (records.finish()?, count.finish(is_cut));
    if let (0, Some(text)) = (rows, &layout.guessed_heading) {
        return Err(InputError::LoneLine { place: origin.place().to_owned(), text: text.clone() });
    }
    Ok((Format { sheet: None, encoding, delimiter, columns }, Survey { fingerprint, rows, layout, shortfall }))
}

/// Refuses a record with a cell over several lines in which a line begins with an ID: a quote was left open before it.
fn refuse_swallowed(record: &ByteRecord, line: u64, place: &str) -> Result<(), InputError> {
    if !record.as_slice().iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
        return Ok(());
    }
    let text = String::from_utf8_lossy(record.as_slice());
    let mut lines = text.split(['\n', '\r']).skip(1);
    match lines
        .position(|text| bare_text(text.split([',', ';', '\t']).next().unwrap_or_default()).starts_with(ID_PREFIX))
    {
        None => Ok(()),
        Some(at) => Err(InputError::RunawayQuote { place: place.to_owned(), line, end: line + at as u64 + 1 }),
    }
}

/// One reading of the input as records.
struct Records {
    reader: Reader<Framing<ReadAhead<Decoded>>>,
    record: ByteRecord,
    delimiter: u8,
    origin: Origin,
}

impl Records {
    fn open(
        origin: &Origin,
        encoding: &'static Encoding,
        delimiter: Option<u8>,
        options: &LayoutOptions,
    ) -> Result<Self, InputError> {
        let source =
            Decompressed::open(Raw::new(origin)).map_err(|error| InputError::from_io(origin.place(), error))?;
        let text = Decoded::new(source, encoding);
        let (text, delimiter) = match delimiter {
            Some(delimiter) => (ReadAhead::nothing(text), delimiter),
            None => ReadAhead::first_records(text, |record| options.is_heading(record)),
        };
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .buffer_capacity(CHUNK)
            .from_reader(Framing::new(text, delimiter));
        Ok(Self { reader, record: ByteRecord::new(), delimiter, origin: origin.clone() })
    }

    /// Reads the next record and returns the line on which it begins.
    fn advance(&mut self) -> Result<Option<u64>, InputError> {
        match self.reader.read_byte_record(&mut self.record) {
            Ok(false) => Ok(None),
            // The framing has seen the first byte of every record that the parser yields.
            Ok(true) => Ok(Some(self.reader.get_mut().next_record_line().unwrap_or_default())),
            Err(error) => Err(InputError::from_csv(self.origin.place(), error)),
        }
    }

    /// Whether the text ends without a line break.
    fn ends_within_a_line(&self) -> bool {
        self.reader.get_ref().is_within_a_line()
    }

    fn finish(self) -> Result<Fingerprint, InputError> {
        let raw = self.reader.into_inner().into_inner().into_rest().into_raw();
        let read = raw.finish();
        self.origin.fingerprint().unwrap_or(read).map_err(|error| InputError::from_io(self.origin.place(), error))
    }
}

/// Iterates over the rows of an input. It ends after the first error.
pub struct Rows {
    /// `None` after the end or an error.
    records: Option<Records>,
    columns: Option<Columns>,
    /// How many records above the first row are still to be skipped.
    to_skip: usize,
    seen: Seen,
    expected: Survey,
    rows: u64,
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("read", &self.rows).field("expected", &self.expected).finish_non_exhaustive()
    }
}

impl Rows {
    pub(super) fn new(origin: &Origin, format: Format, expected: Survey) -> Result<Self, InputError> {
        Ok(Self {
            records: Some(Records::open(origin, format.encoding, Some(format.delimiter), &LayoutOptions::default())?),
            to_skip: format.columns.as_ref().map_or(0, Columns::records_above_rows),
            columns: format.columns,
            seen: Seen::new(&expected.fingerprint.sha256),
            expected,
            rows: 0,
        })
    }

    fn advance(&mut self) -> Result<Option<Row>, InputError> {
        let Some(records) = &mut self.records else { return Ok(None) };
        while self.to_skip > 0 && records.advance()?.is_some() {
            self.to_skip -= 1;
        }
        // Records after the last counted row are footers. New ones are caught by the comparison at the end.
        while let (Some(line), Some(columns)) = (records.advance()?, &self.columns) {
            if list_end::is_end(&records.record) || self.rows == self.expected.rows {
                continue;
            }
            self.rows += 1;
            let entry = entry(&records.record, columns, line, &mut self.seen, records.origin.place())?;
            return Ok(Some(Row { line, entry, booking: booking(&records.record, columns, line) }));
        }
        let Some(records) = self.records.take() else { return Ok(None) };
        let place = records.origin.place().to_owned();
        let found = Survey { fingerprint: records.finish()?, rows: self.rows, ..self.expected.clone() };
        if found == self.expected { Ok(None) } else { Err(InputError::Changed { place }) }
    }
}

impl Iterator for Rows {
    type Item = Result<Row, InputError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.advance();
        if row.is_err() {
            self.records = None;
        }
        row.transpose()
    }
}

fn entry(record: &ByteRecord, columns: &Columns, line: u64, seen: &mut Seen, place: &str) -> Result<Entry, InputError> {
    let Some(cell) = record.get(columns.id) else {
        let cells = record.len();
        let detail = format!(
            "the row has {cells} of {} cells, but the ID belongs in cell {}; complete the row or remove it",
            columns.count,
            columns.id + 1
        );
        return Ok(Entry::Rejected { text: String::new(), reason: Reason::new("missing-cell", detail) });
    };
    // The cell is valid UTF-8, because the text is and was split at ASCII bytes: nothing is copied or replaced.
    let cell: Cow<'_, str> = String::from_utf8_lossy(cell);
    let id = match usable_id(bare_text(&cell), columns) {
        Ok(id) => id,
        Err(reason) => return Ok(Entry::Rejected { text: excerpt(&cell, SHOWN), reason }),
    };
    let short = u32::try_from(line).map_err(|_| InputError::TooManyLines { place: place.to_owned() })?;
    Ok(match seen.first_line(&id, short) {
        Some(first) => Entry::Duplicate { id, first_line: u64::from(first) },
        None => Entry::Order(id),
    })
}

/// The ID in a cell that was stripped by [`bare_text`], or the reason why it is not usable.
fn usable_id(bare: &str, columns: &Columns) -> Result<RunOrderId, Reason> {
    if is_placeholder(bare) {
        return Err(Reason::new(code(IdError::Empty), IdError::Empty.to_string()));
    }
    if is_subtotal(bare) {
        return Err(Reason::new(
            "subtotal",
            "the ID cell is the label of a total, not an ID; remove the row or enter its ID".to_owned(),
        ));
    }
    if columns.repeats_heading(bare) {
        return Err(Reason::new("repeated-heading", "the row repeats the heading; remove it".to_owned()));
    }
    RunOrderId::parse(bare).map_err(|error| Reason::new(code(error), error.to_string()))
}

/// The row's cells of our own books, if such columns were requested. A missing cell is empty.
fn booking(record: &ByteRecord, columns: &Columns, line: u64) -> Option<Booking> {
    let cell = |(field, at): &(Field, usize)| {
        let text = String::from_utf8_lossy(record.get(*at).unwrap_or_default());
        (*field, text.chars().take(LONGEST_CELL).collect())
    };
    (!columns.books.is_empty()).then(|| Booking { line, cells: columns.books.iter().map(cell).collect() })
}

fn code(error: IdError) -> &'static str {
    match error {
        IdError::Empty => "empty-id",
        IdError::TooLong => "id-too-long",
        IdError::BadCharacter => "bad-character",
    }
}
