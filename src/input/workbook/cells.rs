//! A sheet's cells as lines of CSV: how each value is written, and where.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Write;

use calamine::{Data, DataRef, ExcelDateTime};

use super::error::WorkbookError;

/// How many rows a sheet has at most, in every program we know.
pub(super) const MOST_ROWS: u32 = 1_048_576;
/// How many columns a sheet has at most.
pub(super) const MOST_COLUMNS: u32 = 16_384;
/// The digits that a workbook keeps of a number. The sixteenth of an ID or an amount is another one, or a zero.
const KEPT_DIGITS: usize = 15;
/// The most text that is written of one sheet: a sheet which says little may mean billions of empty cells.
pub(super) const LONGEST_TEXT: u64 = 2 << 30;
/// Serial dates end with the year 9999.
const DAYS: std::ops::Range<f64> = 0.0..2_958_466.0;
const MILLISECONDS_OF_A_DAY: f64 = 86_400_000.0;

/// What is said of a sheet with more text.
pub(super) fn too_long() -> WorkbookError {
    WorkbookError::too_large("the sheet is larger than 2 GiB as text")
}

/// A cell's row and column, counted from 0.
pub(super) type At = (u32, u32);

/// How people name a cell: `B7`.
pub(super) fn address((row, column): At) -> String {
    let (mut letters, mut rest) = (Vec::new(), u64::from(column) + 1);
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'A' + (rest % 26) as u8));
        rest /= 26;
    }
    letters.iter().rev().collect::<String>() + &(u64::from(row) + 1).to_string()
}

/// A number as the shortest decimal that is the same number, or as a text that is neither an ID nor an amount.
pub(super) fn number(value: f64, at: At) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    // Rust's own display is the shortest that reads back the same, and never an exponent.
    let plain = value.to_string();
    if !value.is_finite() {
        return format!("{plain} (cell {}: not a number)", address(at));
    }
    // The zeros that end a whole number count: a program may have put them in the place of an ID's last digits.
    let digits = plain.bytes().filter(u8::is_ascii_digit).skip_while(|digit| *digit == b'0').count();
    if digits > KEPT_DIGITS {
        return format!("{plain} (cell {}: more digits than a workbook keeps)", address(at));
    }
    plain
}

/// What stands for a formula that no program has computed: not nothing, which would be a value too.
pub(super) fn uncomputed(at: At) -> String {
    format!("(cell {}: a formula without a stored value)", address(at))
}

/// A date, a time of day or a duration in ISO 8601.
fn moment(moment: &ExcelDateTime, at: At) -> String {
    let value = moment.as_f64();
    if moment.is_duration() && value.abs() < DAYS.end {
        let milliseconds = (value.abs() * MILLISECONDS_OF_A_DAY).round() as u64;
        let (seconds, fraction) = (milliseconds / 1000, milliseconds % 1000);
        let sign = if value < 0.0 && milliseconds > 0 { "-" } else { "" };
        let mut text = format!("{sign}PT{}H{}M{}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        if fraction > 0 {
            let _ = write!(text, ".{fraction:03}");
        }
        return text + "S";
    }
    if !DAYS.contains(&value) {
        return format!("{value} (cell {}: not a date)", address(at));
    }
    let (year, month, day, hour, minute, second, fraction) = moment.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    let mut time = format!("{hour:02}:{minute:02}:{second:02}");
    if fraction > 0 {
        let _ = write!(time, ".{fraction:03}");
    }
    match (value < 1.0, time == "00:00:00") {
        (true, _) => time,
        (false, true) => date,
        (false, false) => format!("{date}T{time}"),
    }
}

/// What calamine found in a cell, as text. Empty if there is nothing.
pub(super) fn text<'a>(value: &DataRef<'a>, at: At) -> Cow<'a, str> {
    match value {
        DataRef::Empty => Cow::Borrowed(""),
        DataRef::SharedString(text) => Cow::Borrowed(text),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Cow::Owned(text.clone()),
        DataRef::Int(value) => Cow::Owned(number(*value as f64, at)),
        DataRef::Float(value) => Cow::Owned(number(*value, at)),
        DataRef::Bool(value) => Cow::Borrowed(truth(*value)),
        DataRef::DateTime(value) => Cow::Owned(moment(value, at)),
        DataRef::Error(error) => Cow::Owned(error.to_string()),
    }
}

/// Likewise of a cell that is held by its range.
pub(super) fn held_text(value: &Data, at: At) -> Cow<'_, str> {
    match value {
        Data::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(text(&borrowed(other), at).into_owned()),
    }
}

fn borrowed(value: &Data) -> DataRef<'_> {
    match value {
        Data::Int(value) => DataRef::Int(*value),
        Data::Float(value) => DataRef::Float(*value),
        Data::String(text) => DataRef::SharedString(text),
        Data::Bool(value) => DataRef::Bool(*value),
        Data::DateTime(value) => DataRef::DateTime(*value),
        Data::DateTimeIso(text) => DataRef::DateTimeIso(text.clone()),
        Data::DurationIso(text) => DataRef::DurationIso(text.clone()),
        Data::Error(error) => DataRef::Error(error.clone()),
        Data::Empty => DataRef::Empty,
    }
}

/// A truth value as every spreadsheet program shows it.
pub(super) fn truth(value: bool) -> &'static str {
    if value { "TRUE" } else { "FALSE" }
}

/// Writes cells, given in the order of their rows and columns, as lines: line 7 is row 7, whatever stands before it.
pub(super) struct Lines<'w, W: Write> {
    out: &'w mut W,
    /// Where the next cell can stand.
    row: u32,
    column: u32,
    written: u64,
    any: bool,
}

impl<'w, W: Write> Lines<'w, W> {
    pub(super) fn new(out: &'w mut W) -> Self {
        Self { out, row: 0, column: 0, written: 0, any: false }
    }

    /// Writes one cell. An empty one is written by those after it.
    pub(super) fn cell(&mut self, (row, column): At, text: &str) -> Result<(), WorkbookError> {
        if text.is_empty() {
            return Ok(());
        }
        while self.row < row {
            self.put(b"\n")?;
            (self.row, self.column) = (self.row + 1, 0);
        }
        while self.column < column {
            self.put(b",")?;
            self.column += 1;
        }
        self.any = true;
        if !text.contains(['\r', '\n', '"', ',', '\0']) {
            return self.put(text.as_bytes());
        }
        // A line of the text is a row of the sheet; and CSV has no way to write NUL.
        let text = text.replace("\r\n", " ").replace(['\r', '\n'], " ").replace('\0', "\u{fffd}").replace('"', "\"\"");
        self.put(b"\"")?;
        self.put(text.as_bytes())?;
        self.put(b"\"")
    }

    /// Ends the last line, and tells its row: how many rows the sheet has.
    pub(super) fn finish(mut self) -> Result<u64, WorkbookError> {
        if self.any {
            self.put(b"\n")?;
            self.row += 1;
        }
        self.out.flush().map_err(WorkbookError::Spool)?;
        Ok(u64::from(self.row))
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), WorkbookError> {
        self.written += bytes.len() as u64;
        if self.written > LONGEST_TEXT {
            return Err(too_long());
        }
        self.out.write_all(bytes).map_err(WorkbookError::Spool)
    }
}
