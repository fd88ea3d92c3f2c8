//! Detects the delimiter from the first records.

use std::cmp::Reverse;
use std::io::{self, Cursor, Read};

use csv::{ByteRecord, ReaderBuilder};

use super::error::LONGEST_RECORD;

/// The heading must be one of this many first records.
pub(super) const FIRST_RECORDS: usize = 50;
/// How many bytes of them are examined; more if the first record alone is longer.
const FIRST_BYTES: usize = 64 * 1024;

/// A text whose beginning was read ahead. An error met while reading ahead is returned after that beginning.
pub(super) struct ReadAhead<R> {
    beginning: Cursor<Vec<u8>>,
    failure: Option<io::Error>,
    rest: R,
}

impl<R: Read> ReadAhead<R> {
    /// A reader that reads nothing ahead, for a delimiter that is already known.
    pub(super) fn nothing(rest: R) -> Self {
        Self { beginning: Cursor::default(), failure: None, rest }
    }

    /// Reads the first records ahead and detects the delimiter: the one that a first line `sep=;` names, else the one
    /// with which a heading is found first, else the most frequent one in the first record.
    pub(super) fn first_records(mut rest: R, is_heading: impl Fn(&ByteRecord) -> bool) -> (Self, u8) {
        let mut beginning = Vec::new();
        let mut scan = Scan::default();
        let mut chunk = [0; 8192];
        let mut failure = None;
        while beginning.len() < LONGEST_RECORD {
            let read = match rest.read(&mut chunk) {
                Ok(read) => read,
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            };
            beginning.extend_from_slice(&chunk[..read]);
            scan.take(&chunk[..read]);
            let has_enough = scan.records >= FIRST_RECORDS || (scan.records > 0 && beginning.len() >= FIRST_BYTES);
            if read == 0 || has_enough {
                break;
            }
        }
        let named = named_by_sep_line(&beginning).or_else(|| named_by_heading(&beginning, is_heading));
        let delimiter = named.unwrap_or_else(|| scan.winner());
        (Self { beginning: Cursor::new(beginning), failure, rest }, delimiter)
    }

    pub(super) fn into_rest(self) -> R {
        self.rest
    }
}

impl<R: Read> Read for ReadAhead<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match (self.beginning.read(buffer)?, self.failure.take()) {
            (0, Some(failure)) => Err(failure),
            (0, None) => self.rest.read(buffer),
            (read, failure) => {
                self.failure = failure;
                Ok(read)
            }
        }
    }
}

const DELIMITERS: [u8; 3] = *b",;\t";

/// The delimiter named by Excel's first line `sep=;`, quoted or not.
fn named_by_sep_line(text: &[u8]) -> Option<u8> {
    let line = text.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    match line {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] if delimiter.is_ascii() && *delimiter != b'"' => {
            Some(*delimiter)
        }
        _ => None,
    }
}

/// The delimiter with which a heading is found first and, among equals, has the most cells; `None` if that is a tie.
fn named_by_heading(text: &[u8], is_heading: impl Fn(&ByteRecord) -> bool) -> Option<u8> {
    let found = DELIMITERS.into_iter().filter_map(|delimiter| {
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text);
        let records = reader.byte_records().take(FIRST_RECORDS).map_while(Result::ok).enumerate();
        let (at, heading) = records.into_iter().find(|(_, record)| is_heading(record))?;
        Some((at, Reverse(heading.len()), delimiter))
    });
    let mut found: Vec<_> = found.collect();
    found.sort_unstable();
    match found.as_slice() {
        [(.., only)] => Some(*only),
        [(at, cells, first), (next_at, next_cells, _), ..] if (at, cells) != (next_at, next_cells) => Some(*first),
        _ => None,
    }
}

/// Whether the record is Excel's `sep=` line, parsed with the delimiter that it names.
pub(super) fn is_sep_line(record: &ByteRecord) -> bool {
    let first = record.get(0).unwrap_or_default();
    let names = |text: &[u8]| text.len() <= 5 && text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"sep="));
    names(first) && (first.len() == 5 || record.iter().skip(1).all(<[u8]>::is_empty))
}

/// Counts records, and how often each delimiter occurs outside quotes in the first one.
#[derive(Debug, Default)]
struct Scan {
    records: usize,
    counts: [usize; 3],
    in_record: bool,
    in_cell: bool,
    quoted: bool,
    after_quote: bool,
}

impl Scan {
    fn take(&mut self, text: &[u8]) {
        text.iter().for_each(|&byte| self.byte(byte));
    }

    fn byte(&mut self, byte: u8) {
        let doubled = std::mem::take(&mut self.after_quote);
        match byte {
            b'"' if self.quoted => (self.quoted, self.after_quote) = (false, true),
            // A quote opens a quoted cell only at its start; inside a plain cell it is an ordinary character.
            b'"' if doubled || !self.in_cell => self.quoted = true,
            _ if self.quoted => {}
            b'\r' | b'\n' => {
                self.records += usize::from(self.in_record);
                (self.in_record, self.in_cell) = (false, false);
                return;
            }
            byte => {
                if let Some(index) = DELIMITERS.iter().position(|&delimiter| delimiter == byte) {
                    self.counts[index] += usize::from(self.records == 0);
                    (self.in_record, self.in_cell) = (true, false);
                    return;
                }
            }
        }
        (self.in_record, self.in_cell) = (true, true);
    }

    /// The most frequent delimiter; the comma in a tie.
    fn winner(&self) -> u8 {
        let most = self.counts.iter().copied().max().unwrap_or_default();
        let mut winners = DELIMITERS.into_iter().zip(self.counts).filter(|(_, count)| *count == most);
        match (winners.next(), winners.next()) {
            (Some((only, _)), None) => only,
            _ => b',',
        }
    }
}
