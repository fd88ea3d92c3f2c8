//! A table as a sheet, or as several if it has more rows than one sheet holds.

use rust_xlsxwriter::{ConditionalFormatCell, ConditionalFormatCellRule, IgnoreError, Workbook, Worksheet, XlsxError};
use unicode_width::UnicodeWidthStr;

use super::cells::{self, Styles};
use crate::language::Texts;
use crate::report::content::table::{Cell, Column, Kind, Source};

const HEADING: u32 = 0;
const A4: u8 = 9;
/// The narrowest and the widest column in characters, then the widest column of sentences.
const WIDTHS: (usize, usize) = (9, 32);
const SENTENCE_WIDTH: usize = 60;
/// The most characters across a printed page that are still readable.
const PAGE_WIDTH: usize = 210;
/// The most characters of a heading that widen its column; a longer heading wraps.
const HEADING_WIDTH: usize = 16;

/// A table that was written, for the list of sheets in the summary.
pub(super) struct WrittenTable {
    /// The table's machine name.
    pub(super) table: &'static str,
    /// The number of its rows.
    pub(super) rows: u64,
    /// The names of its sheets.
    pub(super) sheets: Vec<String>,
    /// A sentence about its content.
    pub(super) about: String,
}

/// Writes tables as sheets.
pub(super) struct Sheets<'w> {
    /// The workbook that creates the sheets.
    pub(super) workbook: &'w mut Workbook,
    /// The formats of cells.
    pub(super) styles: &'w Styles,
    /// The texts in the workbook's language.
    pub(super) texts: Texts,
    /// The most rows per sheet, not counting the heading.
    pub(super) most: u32,
    /// The sheets that are complete.
    pub(super) finished: Vec<Worksheet>,
}

/// Properties of a column that must be known before its cells are written.
struct ColumnMeasure {
    /// Its index in the sheet.
    at: u16,
    /// Whether a column of exact texts follows.
    exact: bool,
    /// Its heading.
    heading: String,
    /// Whether it holds numbers, whose heading is aligned right.
    of_numbers: bool,
    /// The width of its widest cell, in characters.
    width: usize,
}

impl Sheets<'_> {
    /// Writes one table.
    pub(super) fn write(&mut self, source: &Source<'_>) -> Result<WrittenTable, XlsxError> {
        let table = source();
        let [name, about] = ["sheet", "about"].map(|text| self.texts.get(&format!("xlsx-{text}-{}", table.name)));
        let (columns, kinds) = (self.measure(source), table.columns);
        let (mut rows, mut names) = (0, Vec::new());
        let mut open: Option<(Worksheet, u32)> = None;
        for row in table.rows {
            let (mut sheet, count) = match open.take() {
                Some((sheet, count)) if count < self.most => (sheet, count),
                full => {
                    full.into_iter().try_for_each(|(sheet, count)| self.finish(sheet, count, &columns, kinds))?;
                    (self.begin(&name, &mut names, &columns)?, 0)
                }
            };
            for (cell, column) in row.iter().zip(&columns) {
                cells::write(&mut sheet, (count + 1, column.at), cell, self.styles)?;
                if column.exact {
                    cells::write_exact(&mut sheet, (count + 1, column.at + 1), cell, self.styles)?;
                }
            }
            open = Some((sheet, count + 1));
            rows += 1;
        }
        let (last, count) = match open {
            Some(open) => open,
            None => (self.begin(&name, &mut names, &columns)?, 0),
        };
        self.finish(last, count, &columns, kinds)?;
        Ok(WrittenTable { table: table.name, rows, sheets: names, about })
    }

    /// Reads a table through to measure its columns.
    fn measure(&self, source: &Source<'_>) -> Vec<ColumnMeasure> {
        let table = source();
        let is_sums = is_of_sums(table.name);
        let mut at = 0;
        let mut columns: Vec<ColumnMeasure> = Vec::with_capacity(table.columns.len());
        let (mut widths, mut exact) = (vec![0; table.columns.len()], vec![true; table.columns.len()]);
        for row in table.rows {
            for (place, cell) in row.iter().enumerate() {
                widths[place] = cells::width(cell).max(widths[place]);
                exact[place] &= !matches!(cell, Cell::Amount(sum) if !cells::is_exact(*sum));
            }
        }
        for ((column, width), exact) in table.columns.iter().zip(widths).zip(exact) {
            let exact = column.kind == Kind::Amount && (is_sums || !exact);
            let of_numbers = matches!(column.kind, Kind::Amount | Kind::Integer);
            columns.push(ColumnMeasure {
                at,
                exact,
                of_numbers,
                heading: self.texts.get(&format!("report-column-{}", column.name)),
                width,
            });
            at += 1 + u16::from(exact);
        }
        columns
    }

    /// Creates the table's next sheet and writes its heading.
    fn begin(
        &mut self,
        name: &str,
        names: &mut Vec<String>,
        columns: &[ColumnMeasure],
    ) -> Result<Worksheet, XlsxError> {
        let name = if names.is_empty() { name.to_owned() } else { format!("{name} {}", names.len() + 1) };
        let mut sheet = self.workbook.new_worksheet_with_constant_memory()?;
        sheet.set_name(&name)?;
        names.push(name);
        for column in columns {
            let style = if column.of_numbers { &self.styles.heading_of_numbers } else { &self.styles.heading };
            sheet.write_string_with_format(HEADING, column.at, &column.heading, style)?;
            if column.exact {
                sheet.write_string_with_format(HEADING, column.at + 1, self.exact(column), style)?;
            }
        }
        Ok(sheet)
    }

    fn exact(&self, column: &ColumnMeasure) -> String {
        let texts = self.texts;
        texts.with("xlsx-exact", &[("name", column.heading.as_str().into())])
    }

    /// Applies the settings that depend on the sheet's number of rows: filter, widths, colours, print.
    fn finish(
        &mut self,
        mut sheet: Worksheet,
        rows: u32,
        columns: &[ColumnMeasure],
        kinds: &[Column],
    ) -> Result<(), XlsxError> {
        let last = columns.last().map_or(0, |column| column.at + u16::from(column.exact));
        let mut across = 0;
        sheet.set_freeze_panes(HEADING + 1, 1)?;
        sheet.autofilter(HEADING, 0, HEADING + rows, last)?;
        for (column, kind) in columns.iter().zip(kinds) {
            let most = if kind.kind == Kind::Sentence { SENTENCE_WIDTH } else { WIDTHS.1 };
            let width = column.width.max(column.heading.width().min(HEADING_WIDTH)).clamp(WIDTHS.0, most);
            across += width * (1 + usize::from(column.exact));
            let width = chars(width);
            sheet.set_column_width(column.at, width)?;
            if column.exact {
                sheet.set_column_width(column.at + 1, width)?;
                sheet.ignore_error_range(
                    HEADING + 1,
                    column.at + 1,
                    HEADING + rows.max(1),
                    column.at + 1,
                    IgnoreError::NumberStoredAsText,
                )?;
            }
            if kind.kind == Kind::Severity {
                self.colour(&mut sheet, column.at, rows)?;
            }
        }
        let pages = u16::try_from(across.div_ceil(PAGE_WIDTH)).unwrap_or(u16::MAX).max(1);
        print_setup(&mut sheet, self.texts, pages)?;
        sheet.set_repeat_rows(HEADING, HEADING)?.set_repeat_columns(0, 0)?;
        self.finished.push(sheet);
        Ok(())
    }

    /// Colours the severities. The words stay, so nothing depends on colour alone.
    fn colour(&self, sheet: &mut Worksheet, column: u16, rows: u32) -> Result<(), XlsxError> {
        for (word, format) in [("error", &self.styles.error), ("warning", &self.styles.warning)] {
            let rule =
                ConditionalFormatCell::new().set_rule(ConditionalFormatCellRule::EqualTo(word)).set_format(format);
            sheet.add_conditional_format(HEADING + 1, column, HEADING + rows.max(1), column, &rule)?;
        }
        Ok(())
    }
}

/// Sets a sheet up to print in landscape on A4, `pages` pages wide, with a footer.
pub(super) fn print_setup(sheet: &mut Worksheet, texts: Texts, pages: u16) -> Result<(), XlsxError> {
    sheet.set_landscape().set_paper_size(A4).set_print_fit_to_pages(pages, 0);
    let page = texts.with("xlsx-footer-page", &[("page", "&P".into()), ("pages", "&N".into())]);
    sheet.set_footer(format!("&L{} · &A&R{page}", texts.get("xlsx-title")));
    Ok(())
}

/// The width of a column for this many characters, with some padding.
fn chars(width: usize) -> f64 {
    u32::try_from(width).map_or(0.0, f64::from) + 2.0
}

/// Whether the amounts of a table are sums, which always get an exact text.
fn is_of_sums(table: &str) -> bool {
    table.starts_with("spend_") || ["roll_forward", "adjustments_by_month"].contains(&table)
}
