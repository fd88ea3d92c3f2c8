//! Tables as CSV: comma, LF, always with a heading, in UTF-8 unless a different encoding is requested.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use encoding_rs::GB18030;
use serde::{Deserialize, Serialize};

use crate::domain::visible;
use crate::report::ReportError;
use crate::report::content::table::{Cell, Table};

/// The only character without a code in GB18030 as browsers and `encoding_rs` define it, in a private use
/// area.
const NOT_IN_GB18030: char = '\u{e5e5}';

/// The encoding of CSV files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8, for programs.
    #[default]
    Utf8,
    /// UTF-8 with a byte order mark, by which spreadsheets recognise it.
    Utf8Bom,
    /// GB18030, which Chinese spreadsheets expect in a file without a byte order mark.
    Gb18030,
}

impl Encoding {
    /// Whether it is UTF-8, which manifests leave out.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The byte order mark at the start of a file; empty for encodings without one.
    const fn mark(self) -> &'static [u8] {
        match self {
            Self::Utf8Bom => b"\xef\xbb\xbf",
            Self::Utf8 | Self::Gb18030 => b"",
        }
    }

    fn bytes<'t>(self, text: &'t str) -> Cow<'t, [u8]> {
        match self {
            Self::Utf8 | Self::Utf8Bom => Cow::Borrowed(text.as_bytes()),
            // No byte of a multi-byte character equals a comma, a quotation mark or a line ending.
            Self::Gb18030 if !text.contains(NOT_IN_GB18030) => GB18030.encode(text).0,
            Self::Gb18030 => {
                let held = text.replace(NOT_IN_GB18030, "\u{fffd}");
                Cow::Owned(GB18030.encode(&held).0.into_owned())
            }
        }
    }

    /// Decodes a cell; `None` if it is not valid in this encoding.
    pub(in crate::report) fn text(self, cell: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Utf8 | Self::Utf8Bom => str::from_utf8(cell).ok().map(Cow::Borrowed),
            Self::Gb18030 => GB18030.decode_without_bom_handling_and_without_replacement(cell),
        }
    }
}

/// Writes a table and returns the number of its rows.
///
/// # Errors
/// If the output can't be written.
pub fn write(table: Table<'_>, encoding: Encoding, mut out: impl Write) -> Result<u64, ReportError> {
    let failed = |source| ReportError::Csv { table: table.name, source };
    out.write_all(encoding.mark()).map_err(|error| failed(error.into()))?;
    let mut writer = ::csv::Writer::from_writer(out);
    writer.write_record(table.columns.iter().map(|column| column.name)).map_err(failed)?;
    let mut count = 0;
    for row in table.rows {
        writer.write_record(row.iter().map(|cell| encoding.bytes(&text_of(cell)).into_owned())).map_err(failed)?;
        count += 1;
    }
    writer.flush().map_err(|error| failed(error.into()))?;
    Ok(count)
}

/// Writes a table to `<name>.csv` in a folder.
pub(super) fn write_file(table: Table<'_>, encoding: Encoding, folder: &Path) -> Result<(), ReportError> {
    let path = folder.join(format!("{}.csv", table.name));
    let file = File::create(&path).map_err(|source| ReportError::io(&path, source))?;
    let mut out = BufWriter::new(file);
    write(table, encoding, &mut out)?;
    out.flush().map_err(|source| ReportError::io(&path, source))
}

/// The text of a cell in CSV files: exact, without harmful characters, and never a formula.
pub(in crate::report) fn text_of<'c>(cell: &'c Cell<'_>) -> Cow<'c, str> {
    match cell {
        Cell::Empty => Cow::Borrowed(""),
        Cell::Text(text) => visible::cell(text),
        Cell::Amount(sum) => Cow::Owned(sum.to_string()),
        Cell::Percent(percent) => Cow::Owned(percent.to_string()),
        Cell::Integer(number) => Cow::Owned(number.to_string()),
        Cell::Time(time) => Cow::Owned(time.to_string()),
        Cell::Flag(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Sum;
    use crate::report::content::table::{Column, Kind, column};

    const COLUMNS: &[Column] = &[column("text", Kind::Text), column("amount", Kind::Amount)];

    fn written(rows: Vec<Vec<Cell<'static>>>) -> String {
        let mut out = Vec::new();
        let count = rows.len() as u64;
        let table = Table { name: "t", columns: COLUMNS, rows: Box::new(rows.into_iter()) };
        assert_eq!(write(table, Encoding::Utf8, &mut out).expect("a vector takes everything"), count);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn an_empty_table_has_its_heading() {
        assert_eq!(written(vec![]), "text,amount\n");
    }

    #[test]
    fn every_encoding_holds_every_character() {
        let text = "订单, \"圆\" é 😀 \u{10ffff}\u{e7c7}";
        let written = |encoding, text: &'static str| {
            let mut out = Vec::new();
            let rows = vec![vec![Cell::text(text), Cell::Empty]];
            let table = Table { name: "t", columns: COLUMNS, rows: Box::new(rows.into_iter()) };
            assert_eq!(write(table, encoding, &mut out).expect("a vector takes everything"), 1);
            out
        };
        for encoding in [Encoding::Utf8, Encoding::Utf8Bom, Encoding::Gb18030] {
            let out = written(encoding, text);
            let mut reader = ::csv::Reader::from_reader(&*out);
            assert_eq!(reader.byte_headers().expect("a heading"), vec!["text", "amount"], "{encoding:?}");
            let row = reader.byte_records().next().expect("a row").expect("cells");
            assert_eq!(encoding.text(&row[0]).as_deref(), Some(text), "{encoding:?}");
        }
        assert!(written(Encoding::Utf8Bom, text).starts_with(&[0xef, 0xbb, 0xbf, b't']));
        // 订 is B6A9 in GB2312, of which GB18030 is an extension; 😀 has four bytes.
        assert_eq!(written(Encoding::Gb18030, "订😀")[12..], *b"\xb6\xa9\x94\x39\xfc\x36,\n");
        assert_eq!(written(Encoding::Gb18030, "\u{e5e5}")[12..], *b"\x84\x31\xa4\x37,\n", "a replacement character");
        assert_eq!(Encoding::Gb18030.text(b"\xff"), None);
        assert_eq!(Encoding::Utf8.text(b"\xb6\xa9"), None);
    }

    #[test]
    fn formulas_and_controls_are_made_harmless_and_numbers_stay() {
        let minus = Sum::from_units(-1).expect("small");
        let cells = ["=1+1", "+1", "-1", "@a", "\tx", "＝1", "a=b", "a\u{1b}[31m", "a\u{202e}b", "a,\"b"];
        let rows = cells.iter().map(|text| vec![Cell::text(text), Cell::Amount(minus)]).collect();
        let expected =
            ["'=1+1", "'+1", "'-1", "'@a", "'\u{fffd}x", "'＝1", "a=b", "a\u{fffd}[31m", "a\u{fffd}b", "\"a,\"\"b\""];
        let lines: String = expected.iter().map(|text| format!("{text},-0.00000001\n")).collect();
        assert_eq!(written(rows), format!("text,amount\n{lines}"));
    }
}
