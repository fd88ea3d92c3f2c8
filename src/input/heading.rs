//! Which delimiter, whether there is a heading, and which column holds the IDs.

use std::io::{self, BufRead, BufReader, Read};

use super::Options;
use super::decode::{END, Text};
use super::error::{InputError, shown};

/// The headings by which an ID column is known, best first.
const ID_HEADINGS: [&str; 6] = ["run_order_id", "order_id", "运行订单id", "运行订单号", "订单id", "订单号"];
/// How a run order ID begins.
const ID_START: &str = "wfrun_";
/// The longest first record that is looked at, in bytes.
const LONGEST_HEADING: u64 = 1 << 20;
/// How many headings an error shows.
const SHOWN_HEADINGS: usize = 20;

/// How the records are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) delimiter: u8,
    pub(super) has_heading: bool,
    /// The ID column, counted from 0.
    pub(super) column: usize,
}

impl Default for Layout {
    fn default() -> Self {
        Self { delimiter: b',', has_heading: false, column: 0 }
    }
}

/// Finds the layout from the first record.
pub(super) fn find(text: Text, options: &Options) -> Result<Layout, InputError> {
    let first = first_record(text).map_err(|source| options.unreadable(source))?;
    let delimiter = options.delimiter.unwrap_or_else(|| likely_delimiter(&first));
    let cells = cells(&first, delimiter);
    let starts_with_id = cells.iter().any(|cell| cell.starts_with(ID_START));
    let has_heading = !options.no_header && !starts_with_id && !cells.is_empty();
    let column = match &options.column {
        Some(name) => named_column(name, &cells, has_heading, options)?,
        None if has_heading => heading_column(&cells, options)?,
        None => cells
            .iter()
            .position(|cell| cell.starts_with(ID_START))
            .or((cells.len() <= 1).then_some(0))
            .ok_or_else(|| InputError::NoIdColumn { input: options.shown(), headings: listed(&cells) })?,
    };
    Ok(Layout { delimiter, has_heading, column })
}

/// The text of the first record: the first lines that are not blank, as far as quotes are open.
fn first_record(text: Text) -> io::Result<Vec<u8>> {
    let mut lines = BufReader::new(text.take(LONGEST_HEADING));
    let mut record = Vec::new();
    loop {
        let before = record.len();
        let count = lines.read_until(b'\n', &mut record)?;
        let blank = record.iter().all(|byte| *byte == b'\n');
        if blank {
            record.clear();
        }
        let ended = count == 0 || record[before.min(record.len())..].starts_with(END);
        let open_quote = record.iter().filter(|byte| **byte == b'"').count() % 2 == 1;
        if ended || !(blank || open_quote) {
            record.retain(|byte| *byte != END[0]);
            return Ok(record);
        }
    }
}

fn likely_delimiter(record: &[u8]) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in record {
        quoted ^= *byte == b'"';
        if let Some((_, count)) = counts.iter_mut().find(|(delimiter, _)| !quoted && delimiter == byte) {
            *count += 1;
        }
    }
    // The first of equals wins: the comma.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| *delimiter)
}

fn cells(record: &[u8], delimiter: u8) -> Vec<String> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(record);
    let first = reader.byte_records().next().and_then(Result::ok).unwrap_or_default();
    first.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect()
}

fn heading_column(cells: &[String], options: &Options) -> Result<usize, InputError> {
    for name in ID_HEADINGS {
        if let Some(column) = only(name, cells, options)? {
            return Ok(column);
        }
    }
    if cells.len() == 1 {
        return Ok(0);
    }
    Err(InputError::NoIdColumn { input: options.shown(), headings: listed(cells) })
}

fn named_column(name: &str, cells: &[String], has_heading: bool, options: &Options) -> Result<usize, InputError> {
    if has_heading && let Some(column) = only(name.trim(), cells, options)? {
        return Ok(column);
    }
    match name.trim().parse::<usize>() {
        Ok(number) if (1..=cells.len().max(1)).contains(&number) => Ok(number - 1),
        _ if cells.is_empty() => Ok(0),
        _ => {
            let headings = format!("{}, but no {name:?}", listed(cells));
            Err(InputError::NoIdColumn { input: options.shown(), headings })
        }
    }
}

/// The only column of that heading, in any case; more than one is an error.
fn only(name: &str, cells: &[String], options: &Options) -> Result<Option<usize>, InputError> {
    let wanted = name.to_lowercase();
    let mut found = cells.iter().enumerate().filter(|(_, cell)| cell.to_lowercase() == wanted);
    match (found.next(), found.next()) {
        (Some(_), Some(_)) => Err(InputError::AmbiguousColumn { input: options.shown(), name: name.to_owned() }),
        (first, _) => Ok(first.map(|(column, _)| column)),
    }
}

fn listed(cells: &[String]) -> String {
    let shown: Vec<String> = cells.iter().take(SHOWN_HEADINGS).map(|cell| format!("{:?}", shown(cell))).collect();
    let more = if cells.len() > SHOWN_HEADINGS { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}
