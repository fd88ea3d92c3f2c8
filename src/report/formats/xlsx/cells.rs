//! One cell of a table as one cell of a sheet.

use jiff::Timestamp;
use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Worksheet, XlsxError};
use unicode_width::UnicodeWidthStr;

use super::super::csv;
use crate::domain::money::Sum;
use crate::domain::visible::is_harmful;
use crate::report::content::table::Cell;

/// The largest size, in units of 10⁻⁸, of which a spreadsheet keeps every digit: it keeps 15.
const MOST_EXACT: u128 = 999_999_999_999_999;
/// Past this size a whole number is written as a text.
const MOST_WHOLE: u64 = 999_999_999_999_999;
/// The most UTF-16 units that a cell holds.
const MOST_UNITS: usize = 32_767;
/// Days from the spreadsheets' day 0 to 1970-01-01.
const EPOCH_DAYS: f64 = 25_569.0;
const MICROSECONDS_A_DAY: f64 = 86_400_000_000.0;
/// Spreadsheets take 1900 for a leap year, so their days are those of the calendar from 1900-03-01 on only.
const FIRST_SECOND: i64 = -2_203_891_200;
/// The first second of the year 10000.
const END_SECOND: i64 = 253_402_300_800;

/// The one colour that is there for its own sake; the paper of headings and the rule under them.
pub(super) const ACCENT: u32 = 0x001A_56B8;
const BAND: u32 = 0x00F4_F6F9;
pub(super) const RULE: u32 = 0x00C6_CCD4;

/// How cells look.
pub(super) struct Styles {
    /// The heading of a column of texts.
    pub(super) heading: Format,
    /// The heading of a column of numbers.
    pub(super) heading_of_numbers: Format,
    /// The heading of a column of sentences.
    pub(super) heading_of_long: Format,
    /// The heading of a workbook.
    pub(super) title: Format,
    /// The heading of a part of the summary.
    pub(super) part: Format,
    /// Text, an ID among it: never taken for a number.
    pub(super) text: Format,
    /// A text that belongs to the row above.
    pub(super) indented: Format,
    /// A text of more than one line.
    pub(super) long: Format,
    /// An amount with its 8 decimals.
    pub(super) amount: Format,
    /// An amount as a text.
    pub(super) exact: Format,
    /// A whole number.
    pub(super) whole: Format,
    /// A time in UTC.
    pub(super) time: Format,
    /// The same among texts.
    pub(super) moment: Format,
    /// True or false.
    pub(super) flag: Format,
    /// What a person must look at.
    pub(super) error: Format,
    /// What is worth a look.
    pub(super) warning: Format,
    /// What ties out.
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

/// Writes a cell of a table where it belongs.
pub(super) fn write(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    cell: &Cell<'_>,
    styles: &Styles,
) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty => return Ok(()),
        Cell::Amount(sum) => sheet.write_number_with_format(row, column, number(*sum), &styles.amount)?,
        // Lossless below 2⁵³.
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

/// Writes a time among texts.
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

/// Writes a cell as the text that the CSV files have of it.
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

/// The text of a cell, cut to what a sheet can hold.
fn text(cell: &Cell<'_>) -> String {
    printable(&csv::text_of(cell))
}

/// A text that is part of a workbook: XML has no place for two code points, and a cell ends somewhere.
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

/// The number that is nearest to an amount. Up to 15 digits it stands for that amount alone.
pub(super) fn number(sum: Sum) -> f64 {
    // What `Sum` writes is a number, always.
    sum.to_string().parse().unwrap_or(f64::NAN)
}

fn has_days(time: Timestamp) -> bool {
    (FIRST_SECOND..END_SECOND).contains(&time.as_second())
}

/// A time as spreadsheets count it: days, in UTC. To the microsecond.
fn days(time: Timestamp) -> f64 {
    time.as_microsecond() as f64 / MICROSECONDS_A_DAY + EPOCH_DAYS
}

/// How wide a cell is, in characters.
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
    fn an_amount_of_15_digits_is_that_amount_alone() {
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
    fn days_are_those_of_spreadsheets() {
        // As the spreadsheets' own DATEVALUE says: 2026-05-08 is day 46150, 1900-03-01 is day 61.
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
    fn a_cell_ends_where_a_sheet_ends_it() {
        let long = "😀".repeat(20_000);
        let kept = printable(&long);
        assert!(kept.ends_with('…') && kept.encode_utf16().count() <= MOST_UNITS);
        assert_eq!(printable("a\u{ffff}b\u{1}"), "a\u{fffd}b\u{fffd}");
        let chinese = "差".repeat(20_000);
        assert_eq!(printable(&chinese), chinese, "it is bytes that are many");
    }
}
