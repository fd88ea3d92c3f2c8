//! What the first record tells: the delimiter, whether it is a heading, and which column holds the IDs.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};

use csv::ByteRecord;

use super::error::{InputError, LONGEST_RECORD};
use super::excerpt::excerpt;
use crate::domain::books::Field;

/// How every run order ID of the provider begins: what tells a row from a heading.
const ID_PREFIX: &str = "wfrun_";

/// Headings of the ID column in lower case. An earlier one outranks the later ones.
const ID_HEADINGS: [&str; 6] = ["run_order_id", "order_id", "运行订单id", "运行订单号", "订单id", "订单号"];

/// What the user said about the heading.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) column: Option<String>,
    pub(super) no_header: bool,
    /// The columns of our own books.
    pub(super) books: BTreeMap<Field, String>,
}

/// What the first record is and where the IDs stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    /// Whether the first record is a heading.
    pub(super) heading: bool,
    /// Whether that heading is taken for one only because nothing says otherwise.
    pub(super) guessed: bool,
    /// The index of the ID column, counted from 0.
    pub(super) id: usize,
    /// How many cells the first record has.
    pub(super) count: usize,
    /// The indices of the columns of our own books.
    pub(super) books: Vec<(Field, usize)>,
}

/// Decides by the first record.
pub(super) fn columns(first: &ByteRecord, wanted: &Wanted, place: &str) -> Result<Columns, InputError> {
    let cells: Vec<String> = first.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect();
    let ids = positions(&cells, |cell| cell.starts_with(ID_PREFIX));
    let heading = !wanted.no_header && ids.is_empty();
    let found = if heading { shown_headings(&cells) } else { format!("no heading, {} cells in a row", cells.len()) };
    let place = place.to_owned();
    let books = wanted.books.iter().map(|(field, column)| match *named(&cells, heading, column) {
        [only] => Ok((*field, only)),
        ref found_at => Err(InputError::NoBookColumn {
            place: place.clone(),
            field: field.name(),
            column: excerpt(column, 64),
            count: found_at.len(),
            found: found.clone(),
        }),
    });
    let books = books.collect::<Result<_, _>>()?;
    let candidates = match &wanted.column {
        Some(column) => named(&cells, heading, column),
        None if heading => ID_HEADINGS
            .iter()
            .map(|name| positions(&cells, |cell| same(cell, name)))
            .find(|positions| !positions.is_empty())
            .unwrap_or_default(),
        None => ids,
    };
    let guessed = heading && candidates.is_empty();
    let id = match (candidates.as_slice(), &wanted.column) {
        (&[only], _) => only,
        ([], Some(column)) => return Err(InputError::NoSuchColumn { place, column: excerpt(column, 64), found }),
        ([], None) if cells.len() == 1 => 0,
        ([], None) => return Err(InputError::NoIdColumn { place, found }),
        (several, _) => {
            let numbers: Vec<String> = several.iter().take(20).map(|index| (index + 1).to_string()).collect();
            return Err(InputError::AmbiguousColumn { place, numbers: numbers.join(", "), found });
        }
    };
    Ok(Columns { heading, guessed, id, count: cells.len(), books })
}

/// Where the column of that heading stands, or of that number where no heading is it.
fn named(cells: &[String], has_heading: bool, column: &str) -> Vec<usize> {
    let named = if has_heading { positions(cells, |cell| same(cell, column)) } else { Vec::new() };
    if named.is_empty() { numbered(column, cells.len()) } else { named }
}

fn positions(cells: &[String], is_it: impl Fn(&str) -> bool) -> Vec<usize> {
    cells.iter().enumerate().filter(|(_, cell)| is_it(cell)).map(|(index, _)| index).collect()
}

fn same(cell: &str, name: &str) -> bool {
    cell.to_lowercase() == name.trim().to_lowercase()
}

fn numbered(column: &str, count: usize) -> Vec<usize> {
    let number = column.trim().parse::<usize>().ok().filter(|number| (1..=count).contains(number));
    number.map(|number| number - 1).into_iter().collect()
}

fn shown_headings(cells: &[String]) -> String {
    const MOST: usize = 20;
    let shown: Vec<String> = cells.iter().take(MOST).map(|cell| format!("`{}`", excerpt(cell, 40))).collect();
    let more = cells.len().saturating_sub(MOST);
    let and_more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("the headings are {}{and_more}", shown.join(", "))
}

/// A text of which the beginning was read ahead. What went wrong on the way comes after that beginning.
pub(super) struct ReadAhead<R> {
    beginning: Cursor<Vec<u8>>,
    failure: Option<io::Error>,
    rest: R,
}

impl<R: Read> ReadAhead<R> {
    /// Reads nothing ahead.
    pub(super) fn nothing(rest: R) -> Self {
        Self { beginning: Cursor::default(), failure: None, rest }
    }

    /// Reads the first record ahead, and tells the delimiter that occurs most in it.
    pub(super) fn first_record(mut rest: R) -> (Self, u8) {
        let mut beginning = Vec::new();
        let mut count = DelimiterCount::default();
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
            if read == 0 || count.is_ended_by(&chunk[..read]) {
                break;
            }
        }
        (Self { beginning: Cursor::new(beginning), failure, rest }, count.winner())
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

/// How often each delimiter stands outside quotes in the first record.
#[derive(Debug, Default)]
struct DelimiterCount {
    counts: [usize; 3],
    in_record: bool,
    in_cell: bool,
    quoted: bool,
    after_quote: bool,
}

impl DelimiterCount {
    /// Counts on, until the record ends.
    fn is_ended_by(&mut self, text: &[u8]) -> bool {
        text.iter().any(|&byte| self.ends(byte))
    }

    fn ends(&mut self, byte: u8) -> bool {
        let doubled = std::mem::take(&mut self.after_quote);
        match byte {
            b'"' if self.quoted => (self.quoted, self.after_quote) = (false, true),
            // A quote opens only where a cell begins; inside a plain cell it is a character.
            b'"' if doubled || !self.in_cell => self.quoted = true,
            _ if self.quoted => {}
            b'\r' | b'\n' => return self.in_record,
            byte => {
                if let Some(index) = DELIMITERS.iter().position(|&delimiter| delimiter == byte) {
                    self.counts[index] += 1;
                    self.in_record = true;
                    self.in_cell = false;
                    return false;
                }
            }
        }
        self.in_record = true;
        self.in_cell = true;
        false
    }

    /// The most frequent one; the comma if none is.
    fn winner(&self) -> u8 {
        let most = self.counts.iter().copied().max().unwrap_or_default();
        let mut winners = DELIMITERS.into_iter().zip(self.counts).filter(|(_, count)| *count == most);
        match (winners.next(), winners.next()) {
            (Some((only, _)), None) => only,
            _ => b',',
        }
    }
}
