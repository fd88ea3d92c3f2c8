//! The first sheet: verdict, population, control totals, comparisons with figures from outside, spend, failed
//! checks, the list of sheets, the settings, and notes for readers.

use rust_xlsxwriter::{Chart, ChartFormat, ChartLine, ChartSolidFill, Format, Worksheet, XlsxError};
use unicode_width::UnicodeWidthStr;

use super::Book;
use super::cells::{self, ACCENT, RULE, Styles};
use super::sheet::{WrittenTable, print_setup};
use crate::domain::finding::Severity;
use crate::domain::money::Sum;
use crate::domain::order::Amounts;
use crate::language::{Texts, Word};
use crate::report::content::largest::{self, MOST_SHOWN, SpendFigure};
use crate::report::content::summary_json::{ControlTotals, SummaryJson};
use crate::report::content::table::Cell;
use crate::report::content::wording;
use crate::summary::{CheckCount, TieFigure};

const WHAT: u16 = 0;
const CODE: u16 = 1;
const CURRENCY: u16 = 2;
const FIGURE: u16 = 3;
const EXACT: u16 = 4;
const MEANING: u16 = 5;
const WIDTHS: [(u16, f64); 6] =
    [(WHAT, 42.0), (CODE, 42.0), (CURRENCY, 11.0), (FIGURE, 20.0), (EXACT, 28.0), (MEANING, 78.0)];
/// The width of a line of meaning, and of a narrow and a wide (such as Chinese) character, in tenths of a
/// pixel.
const MEANING_LINE: usize = 5_200;
const NARROW: usize = 63;
const WIDE: usize = 150;
/// The height of a line, in points.
const LINE: f64 = 15.0;
/// The width of a chart and the height of a row, in pixels.
const CHART_WIDTH: u32 = 540;
const ROW_HEIGHT: u32 = 20;
/// The fewest bars that are worth a chart, and the fewest rows that a chart covers.
const LEAST_BARS: usize = 2;
const LEAST_ROWS: u32 = 6;
/// The most values of a setting on one row.
const SETTINGS_A_LINE: usize = 6;
/// The table that the charts show.
const CHARTED: &str = "spend_by_workflow";

/// Writes the summary to an empty sheet.
pub(super) fn write(
    sheet: &mut Worksheet,
    book: &Book<'_, '_>,
    written: &[WrittenTable],
    styles: &Styles,
    texts: Texts,
) -> Result<(), XlsxError> {
    for (column, width) in WIDTHS {
        sheet.set_column_width(column, width)?;
    }
    sheet.set_screen_gridlines(false);
    let name = sheet.name();
    let mut page = Page { sheet, name, row: 0, styles, texts };
    page.opening(book)?;
    page.population(book.summary)?;
    page.control_totals(book.summary)?;
    page.ties(book.summary)?;
    page.books(book.summary)?;
    page.completeness(book.summary)?;
    page.spend(book)?;
    page.failed_checks(book.summary)?;
    page.sheets(written)?;
    page.settings(book.summary)?;
    page.notes()?;
    print_setup(page.sheet, texts, 1)
}

/// A sheet that is written from top to bottom.
struct Page<'w> {
    sheet: &'w mut Worksheet,
    name: String,
    row: u32,
    styles: &'w Styles,
    texts: Texts,
}

impl Page<'_> {
    fn opening(&mut self, book: &Book<'_, '_>) -> Result<(), XlsxError> {
        let (texts, styles, summary) = (self.texts, self.styles, book.summary);
        self.sheet.write_string_with_format(self.row, WHAT, texts.get("xlsx-title"), &styles.title)?;
        self.row += 1;
        let tone = match summary.verdict {
            "incomplete" | "discrepant" => &styles.error,
            "warnings" | "pending" => &styles.warning,
            _ => &styles.good,
        };
        let tone = Format::clone(tone).set_bold();
        let verdict = texts.word(Word::VerdictName, summary.verdict);
        self.sheet.write_string_with_format(self.row, WHAT, verdict, &tone)?;
        self.sheet.write_string_with_format(self.row, CODE, summary.verdict, &tone)?;
        self.text(MEANING, &texts.word(Word::Verdict, summary.verdict))?;
        self.row += 1;
        if let Some(reason) = &summary.sole_reason {
            self.text(WHAT, &texts.get("xlsx-sole-reason"))?;
            self.text(CODE, &reason.code)?;
            self.text(MEANING, &reason.detail)?;
            self.row += 1;
        }
        if let Some(shortfall) = summary.input_shortfall {
            self.text(WHAT, &texts.get("xlsx-shortfall"))?;
            self.text(MEANING, &wording::shortfall(shortfall, texts))?;
            self.row += 1;
        }
        self.text(WHAT, &texts.get("xlsx-as-of"))?;
        cells::write_moment(self.sheet, (self.row, CODE), book.as_of, styles)?;
        self.row += 1;
        self.text(WHAT, &texts.get("report-setting-timezone"))?;
        self.text(CODE, summary.settings.timezone.name())?;
        self.row += 1;
        if let Some(account) = &summary.account {
            self.text(WHAT, &texts.get("xlsx-account"))?;
            self.text(CODE, account)?;
            self.row += 1;
        }
        Ok(())
    }

    fn population(&mut self, summary: &SummaryJson) -> Result<(), XlsxError> {
        let texts = self.texts;
        let population = &summary.population;
        self.part(&texts.get("xlsx-population"))?;
        for (bucket, count) in population.buckets() {
            self.text(WHAT, &texts.word(Word::BucketName, bucket.code()))?;
            self.text(CODE, bucket.code())?;
            self.count(count)?;
            self.text(MEANING, &texts.word(Word::Bucket, bucket.code()))?;
            self.row += 1;
        }
        self.text(WHAT, &texts.get("xlsx-rows-read"))?;
        self.text(CODE, "rows")?;
        self.count(population.rows())?;
        self.row += 1;
        for line in wording::input(summary, texts) {
            self.text(WHAT, &line)?;
            self.row += 1;
        }
        Ok(())
    }

    fn control_totals(&mut self, summary: &SummaryJson) -> Result<(), XlsxError> {
        let texts = self.texts;
        for (currency, totals) in &summary.control_totals {
            let name = wording::currency_name(currency, texts);
            self.part(&texts.with("xlsx-control-totals", &[("currency", name.into())]))?;
            for name in Amounts::NAMES {
                let amount = texts.get(&format!("report-column-{name}"));
                let what = texts.with("xlsx-settled", &[("amount", amount.into())]);
                let figure = totals.amounts.get(name).copied().unwrap_or_default();
                self.figure(&what, &format!("amounts.{name}"), currency, figure)?;
            }
            for (what, code, figure) in other_totals(totals, texts) {
                self.figure(&what, code, currency, figure)?;
            }
        }
        Ok(())
    }

    /// The given control totals, each beside our figure and with the difference.
    fn ties(&mut self, summary: &SummaryJson) -> Result<(), XlsxError> {
        let texts = self.texts;
        if summary.ties.is_empty() {
            return Ok(());
        }
        self.part(&texts.get("report-ties"))?;
        for tie in &summary.ties {
            let (field, currency) = (tie.field, tie.currency.as_deref().unwrap_or_default());
            self.text(MEANING, &wording::tie_result(tie, texts))?;
            for (whose, key, figure) in [
                (texts.get("report-tie-given"), "expected", Some(tie.expected)),
                (texts.get("report-tie-summed"), "actual", tie.actual),
                (texts.get("xlsx-difference"), "difference", tie.difference),
            ] {
                let code = format!("ties.{field}.{key}");
                match figure {
                    Some(TieFigure::Sum(sum)) => self.compared_amount(field, &whose, &code, currency, sum)?,
                    Some(TieFigure::Count(count)) => self.compared_count(field, &whose, &code, count)?,
                    None => {}
                }
            }
        }
        Ok(())
    }

    /// Our own books beside the provider's.
    fn books(&mut self, summary: &SummaryJson) -> Result<(), XlsxError> {
        let texts = self.texts;
        let by_currency = &summary.control_totals;
        if by_currency.values().all(|totals| totals.books.is_empty()) {
            return Ok(());
        }
        self.part(&texts.get("report-books"))?;
        for (currency, totals) in by_currency {
            for (field, books) in &totals.books {
                for (whose, key, figure) in [
                    (texts.get("report-books-ours"), "ours", books.ours),
                    (texts.get("report-books-provider"), "provider", books.provider),
                    (texts.get("xlsx-difference"), "difference", books.difference),
                ] {
                    self.compared_amount(field, &whose, &format!("books.{field}.{key}"), currency, figure)?;
                }
            }
        }
        wording::column_causes(summary, texts).iter().try_for_each(|said| self.line(said))
    }

    /// A row with one of the amounts that are compared; `whose` says which.
    fn compared_amount(
        &mut self,
        field: &str,
        whose: &str,
        code: &str,
        currency: &str,
        figure: Sum,
    ) -> Result<(), XlsxError> {
        let name = self.texts.get(&format!("report-column-{field}"));
        self.figure(&format!("{name}: {whose}"), code, currency, figure)
    }

    /// A row with one of the counts that are compared; `whose` says which.
    fn compared_count(&mut self, field: &str, whose: &str, code: &str, count: i64) -> Result<(), XlsxError> {
        let name = self.texts.get(&format!("report-column-{field}"));
        self.text(WHAT, &format!("{name}: {whose}"))?;
        self.text(CODE, code)?;
        cells::write(self.sheet, (self.row, FIGURE), &Cell::Integer(count), self.styles)?;
        self.row += 1;
        Ok(())
    }

    /// What the provider's list shows about the input, and the orders from outside the period.
    fn completeness(&mut self, summary: &SummaryJson) -> Result<(), XlsxError> {
        let said = [wording::completeness(summary, self.texts), wording::outside_period(summary, self.texts)].concat();
        if !said.is_empty() {
            self.heading(&self.texts.get("report-completeness"))?;
        }
        said.iter().try_for_each(|said| self.line(said))
    }

    /// The settings that affect judgement, including the time zone of the days.
    fn settings(&mut self, summary: &SummaryJson) -> Result<(), XlsxError> {
        self.heading(&self.texts.get("report-settings"))?;
        for (name, values) in wording::settings(summary, self.texts) {
            self.text(WHAT, &name)?;
            for values in values.chunks(SETTINGS_A_LINE) {
                self.text(CODE, &values.join(", "))?;
                self.row += 1;
            }
        }
        Ok(())
    }

    fn failed_checks(&mut self, summary: &SummaryJson) -> Result<(), XlsxError> {
        let texts = self.texts;
        if summary.checks.is_empty() {
            return Ok(());
        }
        self.part(&texts.get("xlsx-failed-checks"))?;
        for (check, count) in &summary.checks {
            self.failed(check, &texts.word(Word::CheckHolds, check), count)?;
            let of_check = |code: &str| code.strip_prefix(check)?.strip_prefix('.').map(str::to_owned);
            for (code, count) in &summary.causes {
                if let Some(cause) = of_check(code) {
                    self.failed(code, &texts.word(Word::Cause, &cause), count)?;
                }
            }
        }
        Ok(())
    }

    /// A failed check, or one of its causes, with the differences by currency.
    fn failed(&mut self, code: &str, means: &str, count: &CheckCount) -> Result<(), XlsxError> {
        let (texts, styles) = (self.texts, self.styles);
        let severity = count.severity;
        let tone = if severity == Severity::Error { &styles.error } else { &styles.warning };
        let name = texts.word(Word::SeverityName, severity.code());
        self.sheet.write_string_with_format(self.row, WHAT, name, tone)?;
        self.text(CODE, code)?;
        self.count(count.orders)?;
        self.text(MEANING, means)?;
        self.row += 1;
        for (currency, difference) in &count.differences {
            self.figure_below(&texts.get("xlsx-net"), &format!("{code}.net"), currency, difference.net)?;
            self.figure_below(&texts.get("xlsx-gross"), &format!("{code}.gross"), currency, difference.gross)?;
        }
        Ok(())
    }

    fn spend(&mut self, book: &Book<'_, '_>) -> Result<(), XlsxError> {
        // A page break, so that charts that fit on one page are not split in print.
        self.sheet.set_page_breaks(&[self.row])?;
        let Some(table) = book.tables.iter().map(|source| source()).find(|table| table.name == CHARTED) else {
            return Ok(());
        };
        let figures = largest::spend_figures(table.columns, table.rows);
        largest::by_currency(&figures)
            .into_iter()
            .try_for_each(|(currency, figures)| self.largest(currency, &largest::largest_first(figures)))
    }

    fn largest(&mut self, currency: &str, figures: &[&SpendFigure]) -> Result<(), XlsxError> {
        let texts = self.texts;
        let shown = &figures[..figures.len().min(MOST_SHOWN)];
        let name = wording::currency_name(currency, texts);
        let heading = self.row + 1;
        let [shown_count, all] = [shown.len(), figures.len()].map(Into::into);
        let part = texts.with("xlsx-spend", &[("currency", (&*name).into()), ("shown", shown_count), ("all", all)]);
        self.part(&part)?;
        let first = self.row;
        for spend in shown {
            self.figure("", &spend.key, currency, spend.amount)?;
        }
        if shown.len() < LEAST_BARS {
            return Ok(());
        }
        let last = self.row - 1;
        let title = texts.with("xlsx-chart", &[("currency", name.into())]);
        let mut chart = Chart::new_bar();
        let (ids, amounts) = ((&*self.name, first, CODE, last, CODE), (&*self.name, first, FIGURE, last, FIGURE));
        let mut fill = ChartFormat::new();
        fill.set_solid_fill(ChartSolidFill::new().set_color(ACCENT));
        chart.add_series().set_categories(ids).set_values(amounts).set_format(&mut fill).set_gap(40);
        chart.title().set_hidden();
        chart.legend().set_hidden();
        let line = ChartLine::new().set_color(RULE).clone();
        // The largest bar on top, as in the rows.
        chart.y_axis().set_reverse().set_format(ChartFormat::new().set_line(&line));
        // The cells beside the chart have the figures.
        chart.x_axis().set_hidden(true).set_major_gridlines(false);
        chart.chart_area().set_format(ChartFormat::new().set_no_border());
        let rows = (self.row - heading).max(LEAST_ROWS);
        chart.set_width(CHART_WIDTH).set_height(rows * ROW_HEIGHT).set_alt_text(&title);
        self.sheet.insert_chart(heading, MEANING, &chart)?;
        self.row = self.row.max(heading + rows);
        Ok(())
    }

    fn sheets(&mut self, written: &[WrittenTable]) -> Result<(), XlsxError> {
        let texts = self.texts;
        self.part(&texts.get("xlsx-sheets"))?;
        for WrittenTable { table, rows, sheets, about } in written {
            let (first, more) = sheets.split_first().map_or(("", &[][..]), |(first, more)| (first.as_str(), more));
            self.text(WHAT, first)?;
            self.text(CODE, table)?;
            self.count(*rows)?;
            self.text(MEANING, about)?;
            self.row += 1;
            if !more.is_empty() {
                let split = texts.with("xlsx-split", &[("sheets", more.join(", ").into())]);
                self.text(WHAT, &split)?;
                self.row += 1;
            }
        }
        Ok(())
    }

    fn notes(&mut self) -> Result<(), XlsxError> {
        let texts = self.texts;
        self.heading(&texts.get("xlsx-notes"))?;
        for note in [
            texts.get("xlsx-note-exact"),
            texts.get("xlsx-note-difference"),
            texts.get("xlsx-note-currency"),
            texts.get("xlsx-note-formula"),
            texts.get("xlsx-note-source"),
        ] {
            self.line(&note)?;
        }
        Ok(())
    }

    /// A sentence on a row of its own.
    fn line(&mut self, text: &str) -> Result<(), XlsxError> {
        self.sheet.write_string(self.row, WHAT, cells::printable(text))?;
        self.row += 1;
        Ok(())
    }

    /// The heading of a part, after an empty row.
    fn heading(&mut self, name: &str) -> Result<(), XlsxError> {
        self.row += 1;
        self.sheet.write_string_with_format(self.row, WHAT, name, &self.styles.part)?;
        self.row += 1;
        Ok(())
    }

    /// The heading of a part, with the headings of its columns.
    fn part(&mut self, name: &str) -> Result<(), XlsxError> {
        let (texts, styles) = (self.texts, self.styles);
        self.heading(name)?;
        for (column, heading) in [
            (WHAT, texts.get("xlsx-head-what")),
            (CODE, texts.get("xlsx-head-code")),
            (CURRENCY, texts.get("xlsx-head-currency")),
            (FIGURE, texts.get("xlsx-head-figure")),
            (EXACT, texts.get("xlsx-head-exact")),
            (MEANING, texts.get("xlsx-head-meaning")),
        ] {
            let style = match column {
                FIGURE | EXACT => &styles.heading_of_numbers,
                MEANING => &styles.heading_of_long,
                _ => &styles.heading,
            };
            self.sheet.write_string_with_format(self.row, column, heading, style)?;
        }
        self.row += 1;
        Ok(())
    }

    /// A row with an amount that belongs to the row above.
    fn figure_below(&mut self, what: &str, code: &str, currency: &str, figure: Sum) -> Result<(), XlsxError> {
        let row = self.row;
        self.figure("", code, currency, figure)?;
        self.sheet.write_string_with_format(row, WHAT, what, &self.styles.indented)?;
        Ok(())
    }

    /// A row with an amount and its exact text.
    fn figure(&mut self, what: &str, code: &str, currency: &str, figure: Sum) -> Result<(), XlsxError> {
        self.text(WHAT, what)?;
        self.text(CODE, code)?;
        self.text(CURRENCY, currency)?;
        let cell = Cell::Amount(figure);
        cells::write(self.sheet, (self.row, FIGURE), &cell, self.styles)?;
        cells::write_exact(self.sheet, (self.row, EXACT), &cell, self.styles)?;
        self.row += 1;
        Ok(())
    }

    fn count(&mut self, count: u64) -> Result<(), XlsxError> {
        let cell = Cell::Integer(i64::try_from(count).unwrap_or(i64::MAX));
        cells::write(self.sheet, (self.row, FIGURE), &cell, self.styles)
    }

    fn text(&mut self, column: u16, text: &str) -> Result<(), XlsxError> {
        let cell = Cell::text(text);
        if column == MEANING {
            self.sheet.write_string_with_format(self.row, column, text, &self.styles.long)?;
            // Not every spreadsheet program adjusts the height of rows by itself.
            let wide = text.width().saturating_sub(text.chars().count());
            let narrow = text.width().saturating_sub(2 * wide);
            let lines = (narrow * NARROW + wide * WIDE).div_ceil(MEANING_LINE).max(1);
            self.sheet.set_row_height(self.row, u32::try_from(lines).map_or(LINE, |lines| LINE * f64::from(lines)))?;
            return Ok(());
        }
        cells::write(self.sheet, (self.row, column), if text.is_empty() { &Cell::Empty } else { &cell }, self.styles)
    }
}

/// The control totals other than the six sums, each with its label and its path in `summary.json`.
fn other_totals(totals: &ControlTotals, texts: Texts) -> Vec<(String, &'static str, Sum)> {
    let (quote, cost) = (totals.differences.quote_split.difference, totals.differences.cost_sum.difference);
    let rounded = totals.passed_by_rounding.map(|rounded| rounded.difference.gross);
    let rounded = rounded.map(|gross| (texts.get("xlsx-rounded"), "passed_by_rounding.gross", gross));
    let figures = [
        (texts.get("xlsx-quote-net"), "differences.quote_split.net", quote.net),
        (texts.get("xlsx-quote-gross"), "differences.quote_split.gross", quote.gross),
        (texts.get("xlsx-cost-net"), "differences.cost_sum.net", cost.net),
        (texts.get("xlsx-cost-gross"), "differences.cost_sum.gross", cost.gross),
        (texts.get("xlsx-tolerated"), "passed_by_tolerance.gross", totals.passed_by_tolerance.difference.gross),
        (texts.get("xlsx-waived"), "waived.gross", totals.waived.difference.gross),
        (texts.get("xlsx-frozen"), "frozen.quote_amount", totals.frozen.total.quote_amount),
    ];
    figures.into_iter().chain(rounded).collect()
}
