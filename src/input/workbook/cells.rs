//! Writes a sheet's cells as lines of CSV.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Write;

use calamine::{Data, DataRef, ExcelDateTime};

use super::error::WorkbookError;

/// The most rows of a sheet in the common spreadsheet programs.
pub(super) const MOST_ROWS: u32 = 1_048_576;
/// The most columns of a sheet in the common spreadsheet programs.
pub(super) const MOST_COLUMNS: u32 = 16_384;
/// How many digits of a number a workbook keeps. From the sixteenth digit on, an ID or amount is wrong or zero.
const KEPT_DIGITS: usize = 15;
/// The most bytes of text written for one sheet: a few bytes of a workbook can stand for billions of cells.
pub(super) const LONGEST_TEXT: u64 = 2 << 30;
/// The range of serial dates, in days. It ends with the year 9999.
const DAYS: std::ops::Range<f64> = 0.0..2_958_466.0;
const MILLISECONDS_OF_A_DAY: f64 = 86_400_000.0;

/// The error for a sheet with more text than [`LONGEST_TEXT`].
pub(super) fn too_long() -> WorkbookError {
    WorkbookError::too_large("the sheet is larger than 2 GiB as text")
}

/// A cell's row and column, counted from 0.
pub(super) type CellPosition = (u32, u32);

/// The name of a cell, such as `B7`.
pub(super) fn address((row, column): CellPosition) -> String {
    let (mut letters, mut rest) = (Vec::new(), u64::from(column) + 1);
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'A' + (rest % 26) as u8));
        rest /= 26;
    }
    letters.iter().rev().collect::<String>() + &(u64::from(row) + 1).to_string()
}

/// A number as the shortest decimal that reads back as the same number. If it isn't finite or has too many digits, the
/// result is a text that can't pass for an ID or an amount.
pub(super) fn number(value: f64, at: CellPosition) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    // Rust prints the shortest decimal that reads back the same, and never an exponent.
    let plain = value.to_string();
    if !value.is_finite() {
        return format!("{plain} (cell {}: not a number)", address(at));
    }
    // Trailing zeros of a whole number count: a program may have replaced the last digits of an ID with them.
    let digits = plain.bytes().filter(u8::is_ascii_digit).skip_while(|digit| *digit == b'0').count();
    if digits > KEPT_DIGITS {
        return format!("{plain} (cell {}: more digits than a workbook keeps)", address(at));
    }
    plain
}

/// The text for a formula without a stored result. It isn't left empty, because empty is a value too.
pub(super) fn uncomputed(at: CellPosition) -> String {
    format!("(cell {}: a formula without a stored value)", address(at))
}

/// A date, a time of day or a duration in ISO 8601.
fn moment(moment: &ExcelDateTime, at: CellPosition) -> String {
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

/// The text of a value that calamine found; empty for an empty cell.
pub(super) fn text<'a>(value: &DataRef<'a>, at: CellPosition) -> Cow<'a, str> {
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

/// The text of a value in a range that calamine holds in memory; empty for an empty cell.
pub(super) fn held_text(value: &Data, at: CellPosition) -> Cow<'_, str> {
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

/// Writes cells as lines of CSV. Line 7 is row 7, even if rows before it are empty. The cells must come in order.
pub(super) struct Lines<'w, W: Write> {
    out: &'w mut W,
    /// The row and column up to which lines and commas are written, counted from 0.
    row: u32,
    column: u32,
    /// How many bytes were written.
    written: u64,
    /// Whether any cell was written.
    any: bool,
}

impl<'w, W: Write> Lines<'w, W> {
    pub(super) fn new(out: &'w mut W) -> Self {
        Self { out, row: 0, column: 0, written: 0, any: false }
    }

    /// Writes one cell. An empty cell writes nothing: the next cell writes the missing line breaks and commas.
    pub(super) fn cell(&mut self, (row, column): CellPosition, text: &str) -> Result<(), WorkbookError> {
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
        // One line of the text must be one row of the sheet, and the CSV must have no NUL.
        let text = text.replace("\r\n", " ").replace(['\r', '\n'], " ").replace('\0', "\u{fffd}").replace('"', "\"\"");
        self.put(b"\"")?;
        self.put(text.as_bytes())?;
        self.put(b"\"")
    }

    /// Ends the last line and returns the number of rows.
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
