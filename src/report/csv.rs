//! Tables as CSV: UTF-8, comma, LF, always with a heading.

use std::borrow::Cow;
use std::io::Write;

use super::ReportError;
use super::table::{Cell, Table};

/// What a spreadsheet takes for the beginning of a formula, full-width forms among them.
const FORMULA_STARTS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// Writes a table; returns the number of its rows.
///
/// # Errors
/// When the output can't be written.
pub fn write(table: Table<'_>, out: impl Write) -> Result<u64, ReportError> {
    let failed = |source| ReportError::Csv { table: table.name, source };
    let mut writer = ::csv::Writer::from_writer(out);
    writer.write_record(table.columns.iter().map(|column| column.name)).map_err(failed)?;
    let mut count = 0;
    for row in table.rows {
        writer.write_record(row.iter().map(|cell| text_of(cell).into_owned().into_bytes())).map_err(failed)?;
        count += 1;
    }
    writer.flush().map_err(|error| failed(error.into()))?;
    Ok(count)
}

/// A cell as the CSV files write it.
pub(super) fn text_of<'c>(cell: &'c Cell<'_>) -> Cow<'c, str> {
    match cell {
        Cell::Empty => Cow::Borrowed(""),
        Cell::Text(text) => clean(text),
        Cell::Amount(sum) => Cow::Owned(sum.to_string()),
        Cell::Percent(percent) => Cow::Owned(percent.to_string()),
        Cell::Integer(number) => Cow::Owned(number.to_string()),
        Cell::Time(time) => Cow::Owned(time.to_string()),
        Cell::Flag(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
    }
}

/// A text from outside, made harmless: no control characters, and nothing that a spreadsheet would run.
fn clean(text: &str) -> Cow<'_, str> {
    let formula = text.starts_with(FORMULA_STARTS);
    if !formula && !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let visible = text.chars().map(|char| if is_harmful(char) { char::REPLACEMENT_CHARACTER } else { char });
    Cow::Owned(formula.then_some('\'').into_iter().chain(visible).collect())
}

/// Control characters, line separators and direction overrides.
pub(crate) fn is_harmful(char: char) -> bool {
    char.is_control() || matches!(char, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Sum;
    use crate::report::table::{Column, Kind};

    const COLUMNS: &[Column] =
        &[Column { name: "text", kind: Kind::Text }, Column { name: "amount", kind: Kind::Amount }];

    fn written(rows: Vec<Vec<Cell<'static>>>) -> String {
        let mut out = Vec::new();
        let count = rows.len() as u64;
        let table = Table { name: "t", columns: COLUMNS, rows: Box::new(rows.into_iter()) };
        assert_eq!(write(table, &mut out).expect("a vector takes everything"), count);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn an_empty_table_has_its_heading() {
        assert_eq!(written(vec![]), "text,amount\n");
    }

    #[test]
    fn formulas_and_controls_are_harmless_and_numbers_untouched() {
        let minus = Sum::from_units(-1).expect("small");
        let cells = ["=1+1", "+1", "-1", "@a", "\tx", "＝1", "a=b", "a\u{1b}[31m", "a\u{202e}b", "a,\"b"];
        let rows = cells.iter().map(|text| vec![Cell::text(text), Cell::Amount(minus)]).collect();
        let expected =
            ["'=1+1", "'+1", "'-1", "'@a", "'\u{fffd}x", "'＝1", "a=b", "a\u{fffd}[31m", "a\u{fffd}b", "\"a,\"\"b\""];
        let lines: String = expected.iter().map(|text| format!("{text},-0.00000001\n")).collect();
        assert_eq!(written(rows), format!("text,amount\n{lines}"));
    }
}
