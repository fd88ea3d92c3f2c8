//! Cells of a table as cells of a sheet, and how they look.

use jiff::Timestamp;
use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Worksheet, XlsxError};
use unicode_width::UnicodeWidthStr;

use super::super::csv;
use crate::domain::money::Sum;
use crate::domain::visible::is_harmful;
use crate::report::content::table::Cell;

/// The largest absolute amount that a spreadsheet keeps exactly, in units of 10⁻⁸: spreadsheets keep 15
/// digits.
const MOST_EXACT: u128 = 999_999_999_999_999;
/// The largest absolute whole number that is written as a number; larger ones are written as text.
const MOST_WHOLE: u64 = 999_999_999_999_999;
/// The most UTF-16 code units that a cell holds.
const MOST_UNITS: usize = 32_767;
/// Days from day 0 of spreadsheets to 1970-01-01.
const EPOCH_DAYS: f64 = 25_569.0;
const MICROSECONDS_A_DAY: f64 = 86_400_000_000.0;
/// 1900-03-01, in seconds from 1970-01-01. Spreadsheets treat 1900 as a leap year, so earlier days are off by
/// one.
const FIRST_SECOND: i64 = -2_203_891_200;
/// The first second of the year 10000, which spreadsheets can no longer show.
const END_SECOND: i64 = 253_402_300_800;

/// The accent colour of part headings and charts; then the background of headings and the line below them.
pub(super) const ACCENT: u32 = 0x001A_56B8;
const BAND: u32 = 0x00F4_F6F9;
pub(super) const RULE: u32 = 0x00C6_CCD4;

/// The formats of all cells.
pub(super) struct Styles {
    /// The heading of a column of texts.
    pub(super) heading: Format,
    /// The heading of a column of numbers.
    pub(super) heading_of_numbers: Format,
    /// The heading of a column of sentences.
    pub(super) heading_of_long: Format,
    /// The title of the workbook.
    pub(super) title: Format,
    /// The heading of a part of the summary.
    pub(super) part: Format,
    /// Text, including IDs. Spreadsheets never turn it into a number.
    pub(super) text: Format,
    /// Text that belongs to the row above.
    pub(super) indented: Format,
    /// Text that wraps onto several lines.
    pub(super) long: Format,
    /// An amount with its 8 decimals.
    pub(super) amount: Format,
    /// An amount as exact text.
    pub(super) exact: Format,
    /// A whole number.
    pub(super) whole: Format,
    /// A time in UTC.
    pub(super) time: Format,
    /// A time in UTC in a column of texts, aligned left.
    pub(super) moment: Format,
    /// True or false.
    pub(super) flag: Format,
    /// The colours of an error.
    pub(super) error: Format,
    /// The colours of a warning.
    pub(super) warning: Format,
    /// The colours of a good verdict.
    pub(super) good: Format,
}

impl Styles {
    pub(super) fn new() -> Self {
        let top = || Format::new().set_align(FormatAlign::Top);
        let toned = |paper: u32, ink: u32| top().set_background_color(paper).set_font_color(ink);
        let heading = top()
            .set_bold()
            .set_text_wrap()
            .set_background_color(BAND)
            .set_border_bottom(FormatBorder::Thin)
            .set_border_bottom_color(RULE);
        let time = top().set_num_format("yyyy-mm-dd hh:mm:ss");
        Self {
            heading_of_long: heading.clone().set_align(FormatAlign::Left).set_indent(1),
            heading_of_numbers: heading.clone().set_align(FormatAlign::Right),
            heading,
            title: Format::new().set_bold().set_font_size(18.0),
            part: Format::new().set_bold().set_font_size(12.0).set_font_color(ACCENT),
            text: top().set_num_format("@"),
            indented: top().set_num_format("@").set_align(FormatAlign::Left).set_indent(1),
            long: top().set_num_format("@").set_text_wrap().set_align(FormatAlign::Left).set_indent(1),
            amount: top().set_num_format("0.00000000"),
            exact: top().set_num_format("@").set_align(FormatAlign::Right),
            whole: top().set_num_format("0"),
            moment: time.clone().set_align(FormatAlign::Left),
            time,
            flag: top(),
            error: toned(0x00FC_F1F0, 0x00B3_261E),
            warning: toned(0x00FB_F4E6, 0x0086_5000),
            good: toned(0x00EE_F6F1, 0x001A_6B42),
        }
    }
}

/// Writes a table's cell in the format of its kind. Numbers and times that a spreadsheet can't hold become
/// text.
pub(super) fn write(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    cell: &Cell<'_>,
    styles: &Styles,
) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty => return Ok(()),
        Cell::Amount(sum) => sheet.write_number_with_format(row, column, number(*sum), &styles.amount)?,
        // An `f64` holds every whole number up to 2⁵³.
        Cell::Integer(whole) if whole.unsigned_abs() <= MOST_WHOLE => {
            sheet.write_number_with_format(row, column, *whole as f64, &styles.whole)?
        }
        Cell::Flag(flag) => sheet.write_boolean_with_format(row, column, *flag, &styles.flag)?,
        Cell::Time(time) if has_days(*time) => {
            sheet.write_number_with_format(row, column, days(*time), &styles.time)?
        }
        Cell::Text(_) | Cell::Percent(_) | Cell::Integer(_) | Cell::Time(_) => {
            sheet.write_string_with_format(row, column, text(cell), &styles.text)?
        }
    };
    Ok(())
}

/// Writes a time in a column of texts, aligned left.
pub(super) fn write_moment(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    time: Timestamp,
    styles: &Styles,
) -> Result<(), XlsxError> {
    if has_days(time) {
        sheet.write_number_with_format(row, column, days(time), &styles.moment)?;
    } else {
        sheet.write_string_with_format(row, column, text(&Cell::Time(time)), &styles.text)?;
    }
    Ok(())
}

/// Writes a cell as the text that the CSV files have for it.
pub(super) fn write_exact(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    cell: &Cell<'_>,
    styles: &Styles,
) -> Result<(), XlsxError> {
    if *cell != Cell::Empty {
        sheet.write_string_with_format(row, column, text(cell), &styles.exact)?;
    }
    Ok(())
}

/// The text of a cell as in the CSV files, made fit for a sheet by [`printable`].
fn text(cell: &Cell<'_>) -> String {
    printable(&csv::text_of(cell))
}

/// A text that a workbook can hold: harmful characters and the two code points that XML excludes are
/// replaced, and text that is too long for a cell is cut.
pub(super) fn printable(text: &str) -> String {
    let allowed = text.chars().map(|char| match char {
        '\u{fffe}' | '\u{ffff}' => char::REPLACEMENT_CHARACTER,
        char if is_harmful(char) => char::REPLACEMENT_CHARACTER,
        char => char,
    });
    if text.len() <= MOST_UNITS {
        return allowed.collect();
    }
    let mut units = 0;
    let mut kept: String = allowed
        .take_while(|char| {
            units += char.len_utf16();
            units < MOST_UNITS
        })
        .collect();
    if kept.len() < text.len() {
        kept.push('…');
    }
    kept
}

/// Whether a spreadsheet keeps every digit of an amount.
pub(super) const fn is_exact(sum: Sum) -> bool {
    sum.units().unsigned_abs() <= MOST_EXACT
}

/// The number nearest to an amount. For amounts of up to 15 digits it identifies the amount.
pub(super) fn number(sum: Sum) -> f64 {
    // A `Sum` is always written as a valid number.
    sum.to_string().parse().unwrap_or(f64::NAN)
}

fn has_days(time: Timestamp) -> bool {
    (FIRST_SECOND..END_SECOND).contains(&time.as_second())
}

/// A time as spreadsheets count it: days in UTC, to the microsecond.
fn days(time: Timestamp) -> f64 {
    time.as_microsecond() as f64 / MICROSECONDS_A_DAY + EPOCH_DAYS
}

/// The width of a cell, in characters.
pub(super) fn width(cell: &Cell<'_>) -> usize {
    match cell {
        Cell::Text(text) => text.width(),
        Cell::Time(_) => "2026-11-25 18:48:01".len(),
        cell => csv::text_of(cell).width(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_up_to_15_digits_are_exact() {
        for (units, shown, exact) in [
            (999_999_999_999_999, "9999999.99999999", true),
            (-999_999_999_999_999, "-9999999.99999999", true),
            (1_000_000_000_000_000, "10000000", false),
            (1, "0.00000001", true),
            (28_780, "0.0002878", true),
        ] {
            let sum = Sum::from_units(units).expect("small");
            assert_eq!((number(sum).to_string().as_str(), is_exact(sum)), (shown, exact));
        }
    }

    #[test]
    fn days_match_spreadsheets() {
        // According to DATEVALUE in spreadsheets, 2026-05-08 is day 46150 and 1900-03-01 is day 61.
        for (time, expected) in
            [("2026-05-08T12:00:00Z", 46_150.5), ("1970-01-01T00:00:00Z", 25_569.0), ("1900-03-01T00:00:00Z", 61.0)]
        {
            let time: Timestamp = time.parse().expect("a time");
            assert!(has_days(time));
            assert!((days(time) - expected).abs() < 1e-12, "{time}");
        }
        for time in ["1900-02-28T23:59:59Z", "-000001-01-01T00:00:00Z"] {
            assert!(!has_days(time.parse().expect("a time")), "{time}");
        }
    }

    #[test]
    fn text_too_long_for_a_cell_is_cut() {
        let long = "😀".repeat(20_000);
        let kept = printable(&long);
        assert!(kept.ends_with('…') && kept.encode_utf16().count() <= MOST_UNITS);
        assert_eq!(printable("a\u{ffff}b\u{1}"), "a\u{fffd}b\u{fffd}");
        let chinese = "差".repeat(20_000);
        assert_eq!(printable(&chinese), chinese, "many bytes, but few UTF-16 units");
    }
}
