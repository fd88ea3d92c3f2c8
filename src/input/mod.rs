//! The input: a CSV of run order IDs, read once to prove it and hash it, then streamed. Every row is accounted for.

mod decode;
mod heading;
mod seen;

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use csv::ByteRecord;
use encoding_rs::Encoding;
use sha2::{Digest, Sha256};

use crate::domain::id::{IdError, RunOrderId};
use crate::domain::outcome::Reason;
use decode::{END, Text};
use heading::Layout;
use seen::Seen;

/// How many characters of an unusable cell are shown.
const SHOWN: usize = 128;

/// How to read the input.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it is.
    pub source: Source,
    /// The ID column: its heading, or its number from 1.
    pub column: Option<String>,
    /// Whether the first row is no heading.
    pub no_header: bool,
    /// The label of the encoding; detected where there is none.
    pub encoding: Option<String>,
    /// The delimiter; detected where there is none.
    pub delimiter: Option<u8>,
}

/// Where the input is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Standard input; it is spooled to a temporary file.
    Stdin,
}

/// Why the input can't be used.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file can't be read.
    #[error("can't read {input}: {source}")]
    Unreadable {
        /// The input's name.
        input: String,
        /// What the operating system, or the decompressor, says.
        source: io::Error,
    },
    /// The file is a folder.
    #[error("{input} is a folder: name a CSV file in it")]
    Folder {
        /// The input's name.
        input: String,
    },
    /// Nobody knows an encoding of that name.
    #[error(
        "there is no encoding {label:?}: use utf-8, utf-16le, utf-16be, gb18030 or another label of the WHATWG standard"
    )]
    UnknownEncoding {
        /// What was given.
        label: String,
    },
    /// The text is in neither of the encodings that are detected.
    #[error(
        "{input} is neither UTF-8 (byte {offset} is not) nor UTF-16 nor GB18030: name its encoding with --encoding"
    )]
    UndetectedEncoding {
        /// The input's name.
        input: String,
        /// The first byte that is not UTF-8.
        offset: u64,
    },
    /// The text is not in the encoding that was named.
    #[error("{input} is not {encoding}: line {line} can't be decoded; name another --encoding")]
    Undecodable {
        /// The input's name.
        input: String,
        /// The encoding.
        encoding: &'static str,
        /// The line.
        line: u64,
    },
    /// There is a NUL character.
    #[error(
        "{input} looks like a binary file (line {line} has a NUL character): a CSV text is expected; if it is UTF-16, say --encoding utf-16le"
    )]
    Binary {
        /// The input's name.
        input: String,
        /// The line.
        line: u64,
    },
    /// There is no ID column.
    #[error("{input} has no column of run order IDs; found: {headings}. Name one with --column")]
    NoIdColumn {
        /// The input's name.
        input: String,
        /// What the first row holds.
        headings: String,
    },
    /// More than one column could be meant.
    #[error("{input} has more than one column {name:?}; give the number of the right one with --column")]
    AmbiguousColumn {
        /// The input's name.
        input: String,
        /// The heading.
        name: String,
    },
    /// A quoted cell runs to the end of the file: it would swallow every row after it.
    #[error(
        "{input}: a quote that opens on line {line} is never closed, so the rows after it can't be told apart; close or remove it"
    )]
    UnclosedQuote {
        /// The input's name.
        input: String,
        /// The line on which the record begins.
        line: u64,
    },
    /// The file changed while it was being used.
    #[error("{input} changed while it was being read: run again")]
    Changed {
        /// The input's name.
        input: String,
    },
}

/// An input that has been read through once and can be streamed.
#[derive(Debug)]
pub struct Input {
    options: Options,
    /// Standard input, or a pipe, spooled.
    spool: Option<File>,
    encoding: &'static Encoding,
    layout: Layout,
    sha256: String,
    bytes: u64,
    rows: u64,
}

impl Input {
    /// Reads the input through: proves it readable, finds encoding, delimiter and ID column, hashes it and counts its
    /// rows.
    ///
    /// # Errors
    /// [`InputError`] says why it can't be used.
    pub fn open(options: Options) -> Result<Self, InputError> {
        let spool = match &options.source {
            Source::File(path) => {
                let found = fs::metadata(path).map_err(|source| options.unreadable(source))?;
                if found.is_dir() {
                    return Err(InputError::Folder { input: options.shown() });
                }
                // What can be read only once, such as a named pipe, is kept like standard input.
                let once = (!found.is_file()).then(|| File::open(path).and_then(spool));
                once.transpose().map_err(|source| options.unreadable(source))?
            }
            Source::Stdin => Some(spool(io::stdin().lock()).map_err(|source| options.unreadable(source))?),
        };
        let mut input = Self {
            options,
            spool,
            encoding: encoding_rs::UTF_8,
            layout: Layout::default(),
            sha256: String::new(),
            bytes: 0,
            rows: 0,
        };
        input.survey()?;
        Ok(input)
    }

    fn survey(&mut self) -> Result<(), InputError> {
        let hashed = Hashed::new(self.raw()?);
        let hash = hashed.handle();
        let mut text = decode::decompressed(hashed).map_err(|source| self.options.unreadable(source))?;
        self.encoding = match &self.options.encoding {
            Some(label) => decode::named(label).ok_or_else(|| InputError::UnknownEncoding { label: label.clone() })?,
            None => decode::detect(&mut text)
                .map_err(|source| self.options.unreadable(source))?
                .map_err(|offset| InputError::UndetectedEncoding { input: self.options.shown(), offset })?,
        };
        io::copy(&mut text, &mut io::sink()).map_err(|source| self.options.unreadable(source))?;
        drop(text);
        (self.sha256, self.bytes) = hash.finish();

        self.layout = {
            let text = Text::new(
                decode::decompressed(self.raw()?).map_err(|source| self.options.unreadable(source))?,
                self.encoding,
            );
            heading::find(text, &self.options)?
        };
        let mut records = self.records()?;
        while let Some(record) = records.next_record()? {
            let _ = record;
            self.rows += 1;
        }
        Ok(())
    }

    /// The name of the file without its folder, or `stdin`.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.options.source {
            Source::File(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            Source::Stdin => "stdin".to_owned(),
        }
    }

    /// SHA-256 of the input's bytes as they were given, in hex.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The size in bytes, as given.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many rows there are: no heading, no blank lines.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Streams the rows.
    ///
    /// # Errors
    /// When the input can't be opened again.
    pub fn read(&self) -> Result<Rows, InputError> {
        Ok(Rows {
            records: self.records()?,
            column: self.layout.column,
            seen: Seen::default(),
            expected: (self.sha256.clone(), self.rows),
            count: 0,
            ended: false,
        })
    }

    fn records(&self) -> Result<Records, InputError> {
        let hashed = Hashed::new(self.raw()?);
        let hash = hashed.handle();
        let bytes = decode::decompressed(hashed).map_err(|source| self.options.unreadable(source))?;
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.layout.delimiter)
            .from_reader(Text::new(bytes, self.encoding));
        let mut records = Records { reader, record: ByteRecord::new(), line: 0, options: self.options.clone(), hash };
        if self.layout.has_heading {
            records.next_record()?;
        }
        Ok(records)
    }

    fn raw(&self) -> Result<File, InputError> {
        let opened = match (&self.spool, &self.options.source) {
            (Some(spool), _) => spool.try_clone().and_then(|mut file| file.rewind().map(|()| file)),
            (None, Source::File(path)) => File::open(path),
            (None, Source::Stdin) => Err(io::Error::other("standard input was not spooled")),
        };
        opened.map_err(|source| self.options.unreadable(source))
    }
}

impl Options {
    fn shown(&self) -> String {
        match &self.source {
            Source::File(path) => path.display().to_string(),
            Source::Stdin => "standard input".to_owned(),
        }
    }

    fn unreadable(&self, source: io::Error) -> InputError {
        let input = self.shown();
        match decode::Fault::of(&source) {
            Some(decode::Fault::Undecodable { encoding, line }) => InputError::Undecodable { input, encoding, line },
            Some(decode::Fault::Nul { line }) => InputError::Binary { input, line },
            None => InputError::Unreadable { input, source },
        }
    }
}

fn spool(mut from: impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut from, &mut file)?;
    Ok(file)
}

/// One row of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line on which the row begins, counted from 1.
    pub line: u64,
    /// What stands there.
    pub entry: Entry,
}

/// What stands in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A usable ID, for the first time.
    Order(RunOrderId),
    /// An ID that stood on an earlier row.
    Duplicate {
        /// The ID.
        id: RunOrderId,
        /// The line of the row with the same ID.
        first_line: u64,
    },
    /// No usable ID.
    Rejected {
        /// What stands in its place, cut and without control characters.
        text: String,
        /// Why it is not usable.
        reason: Reason,
    },
}

/// The rows of an input, one at a time.
pub struct Rows {
    records: Records,
    column: usize,
    seen: Seen,
    expected: (String, u64),
    count: u64,
    ended: bool,
}

impl Iterator for Rows {
    type Item = Result<Row, InputError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let row = match self.records.next_record() {
            Ok(Some((line, record))) => Ok(Row { line, entry: entry(record, self.column, line, &mut self.seen) }),
            Ok(None) => {
                self.ended = true;
                let unchanged = (self.records.hash.finish().0, self.count) == self.expected;
                return (!unchanged).then(|| Err(InputError::Changed { input: self.records.options.shown() }));
            }
            Err(error) => Err(error),
        };
        self.ended = row.is_err();
        self.count += 1;
        Some(row)
    }
}

fn entry(record: &ByteRecord, column: usize, line: u64, seen: &mut Seen) -> Entry {
    let Some(cell) = record.get(column) else {
        let detail = format!("the row has no column {}", column + 1);
        return Entry::Rejected { text: String::new(), reason: Reason::new("missing-cell", detail) };
    };
    let cell = String::from_utf8_lossy(cell);
    match RunOrderId::parse(&cell) {
        Ok(id) => match seen.first_line(&id, line) {
            None => Entry::Order(id),
            Some(first_line) => Entry::Duplicate { id, first_line },
        },
        Err(error) => {
            let code = match error {
                IdError::Empty => "empty-id",
                IdError::TooLong => "id-too-long",
                IdError::BadCharacter => "bad-character",
            };
            Entry::Rejected { text: shown(&cell), reason: Reason::new(code, error.to_string()) }
        }
    }
}

fn shown(cell: &str) -> String {
    let visible = |char: char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char };
    cell.trim().chars().take(SHOWN).map(visible).collect()
}

/// The records of the CSV, each with the line on which it begins.
struct Records {
    reader: csv::Reader<Text>,
    record: ByteRecord,
    line: u64,
    options: Options,
    hash: HashHandle,
}

impl Records {
    fn next_record(&mut self) -> Result<Option<(u64, &ByteRecord)>, InputError> {
        let more = self.reader.read_byte_record(&mut self.record).map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(source) => self.options.unreadable(source),
            other => self.options.unreadable(io::Error::other(format!("{other:?}"))),
        })?;
        // Each record ends with a line feed (`Text` sees to it). The reader's own start of a record is before the blank
        // lines it skips, so the start is counted back from the end.
        let within: usize = self.record.iter().map(|cell| cell.iter().filter(|byte| **byte == b'\n').count()).sum();
        self.line = self.reader.position().line() - 1 - within as u64;
        if self.record.len() == 1 && self.record.get(0) == Some(END) {
            return Ok(None);
        }
        let swallowed_end = self.record.iter().any(|cell| cell.contains(&END[0]));
        if !more || swallowed_end {
            // This record has no line feed after it: all of them are within.
            return Err(InputError::UnclosedQuote { input: self.options.shown(), line: self.line + 1 });
        }
        Ok(Some((self.line, &self.record)))
    }
}

/// Hashes what is read through it.
struct Hashed {
    file: File,
    state: HashHandle,
}

#[derive(Clone)]
struct HashHandle(Arc<Mutex<(Sha256, u64)>>);

impl Hashed {
    fn new(file: File) -> Self {
        Self { file, state: HashHandle(Arc::default()) }
    }

    fn handle(&self) -> HashHandle {
        self.state.clone()
    }
}

impl HashHandle {
    fn finish(&self) -> (String, u64) {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (hex::encode(state.0.clone().finalize()), state.1)
    }
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        let mut state = self.state.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.update(&buffer[..count]);
        state.1 += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
