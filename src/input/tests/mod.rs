//! Tests with whole input files, as people and their tools write them.

mod faults;
mod formats;
mod layout;
mod properties;
mod readings;
mod structure;
mod workbooks;

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use encoding_rs::GB18030;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// An input file in a folder of its own, and the options to read it with.
struct Case {
    _folder: TempDir,
    path: PathBuf,
    options: Options,
}

impl Case {
    fn new(bytes: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ids.csv");
        fs::write(&path, bytes).unwrap();
        let source = Source::File(path.clone());
        let options = Options::detecting(source);
        Self { _folder: folder, path, options }
    }

    fn column(mut self, column: &str) -> Self {
        self.options.column = Some(column.to_owned());
        self
    }

    fn no_header(mut self) -> Self {
        self.options.no_header = true;
        self
    }

    fn heading(mut self, line: u64) -> Self {
        self.options.heading = Some(line);
        self
    }

    fn book(mut self, field: Field, column: &str) -> Self {
        self.options.books.insert(field, column.to_owned());
        self
    }

    fn encoding(mut self, label: Option<&str>) -> Self {
        self.options.encoding = label.map(str::to_owned);
        self
    }

    fn delimiter(mut self, delimiter: Option<u8>) -> Self {
        self.options.delimiter = delimiter;
        self
    }

    fn open(&self) -> Result<Input, InputError> {
        Input::open(self.options.clone())
    }

    /// A short text for each row. Checks that two streams agree, and that they have as many rows as were counted.
    fn rows(&self) -> Vec<String> {
        let input = self.open().unwrap();
        let rows: Vec<String> = input.read().unwrap().map(|row| brief(row.unwrap())).collect();
        let again: Vec<String> = input.read().unwrap().map(|row| brief(row.unwrap())).collect();
        assert_eq!(rows, again);
        assert_eq!(input.rows(), rows.len() as u64);
        rows
    }

    /// The error's message without the path.
    fn error(&self) -> String {
        let text = self.open().unwrap_err().to_string();
        let (before, after) = text.split_once("ids.csv: ").unwrap();
        assert_eq!(before, self.path.to_str().unwrap().strip_suffix("ids.csv").unwrap());
        after.to_owned()
    }
}

fn brief(row: Row) -> String {
    match row.entry {
        Entry::Order(id) => format!("{} {id}", row.line),
        Entry::Duplicate { id, first_line } => format!("{} {id} as {first_line}", row.line),
        Entry::Rejected { text, reason } => format!("{} {}({text})", row.line, reason.code),
    }
}

type Compress = fn(&[u8]) -> Vec<u8>;

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 1).unwrap()
}

fn in_two(bytes: &[u8], compress: Compress) -> Vec<u8> {
    let (one, two) = bytes.split_at(bytes.len() / 2);
    [compress(one), compress(two)].concat()
}

fn utf16(text: &str, encode: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(encode).collect()
}
