//! The first sheet: verdict, population, control totals, failed checks, what the other sheets hold, and how to read them.

use rust_xlsxwriter::{Chart, Format, Worksheet, XlsxError};
use unicode_width::UnicodeWidthStr;

use super::Content;
use super::cells::{self, Styles};
use super::chart::{self, Largest};
use super::sheet::{Written, print_setup};
use crate::domain::finding::Severity;
use crate::domain::money::Sum;
use crate::domain::order::Amounts;
use crate::language::{Texts, Word};
use crate::report::summary_json::ControlTotals;
use crate::report::table::Cell;
use crate::summary::CheckCount;

const WHAT: u16 = 0;
const CODE: u16 = 1;
const CURRENCY: u16 = 2;
const FIGURE: u16 = 3;
const EXACT: u16 = 4;
const MEANING: u16 = 5;
const WIDTHS: [(u16, f64); 6] =
    [(WHAT, 40.0), (CODE, 40.0), (CURRENCY, 10.0), (FIGURE, 22.0), (EXACT, 32.0), (MEANING, 70.0)];
/// How much of a meaning stands on a line, in characters: words are not broken.
const MEANING_WIDTH: usize = 60;
/// The height of a line in points.
const LINE: f64 = 15.0;
/// A chart's size in pixels, and how many rows it covers.
const CHART: (u32, u32, u32) = (800, 340, 18);
/// The name of the table that charts are drawn from.
const CHARTED: &str = "spend_by_workflow";

/// Writes the sheet.
pub(super) fn write(
    sheet: &mut Worksheet,
    content: &Content<'_>,
    written: &[Written],
    styles: &Styles,
    texts: Texts,
) -> Result<(), XlsxError> {
    for (column, width) in WIDTHS {
        sheet.set_column_width(column, width)?;
    }
    let name = sheet.name();
    let mut page = Page { sheet, name, row: 0, styles, texts };
    page.opening(content)?;
    page.population(content)?;
    page.control_totals(content)?;
    page.spend(content)?;
    page.failed_checks(content)?;
    page.sheets(written)?;
    page.notes()?;
    print_setup(page.sheet, texts)
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
    fn opening(&mut self, content: &Content<'_>) -> Result<(), XlsxError> {
        let (texts, styles, summary) = (self.texts, self.styles, content.summary);
        self.sheet.write_string_with_format(self.row, WHAT, texts.get("xlsx-title"), &styles.title)?;
        self.row += 1;
        self.text(WHAT, &texts.get("xlsx-as-of"))?;
        cells::write(self.sheet, (self.row, CODE), &Cell::Time(content.as_of), styles)?;
        self.row += 1;
        if let Some(account) = &summary.account {
            self.text(WHAT, &texts.get("xlsx-account"))?;
            self.text(CODE, account)?;
            self.row += 1;
        }
        self.text(WHAT, &texts.get("xlsx-verdict"))?;
        let tone = match summary.verdict {
            "incomplete" | "discrepant" => &styles.error,
            "warnings" | "pending" => &styles.warning,
            _ => &styles.good,
        };
        let tone = Format::clone(tone).set_bold();
        self.sheet.write_string_with_format(self.row, CODE, summary.verdict, &tone)?;
        self.sheet.write_string_with_format(
            self.row,
            CURRENCY,
            texts.of(Word::VerdictName, summary.verdict),
            &Format::new().set_bold(),
        )?;
        self.text(MEANING, &texts.of(Word::Verdict, summary.verdict))?;
        self.row += 1;
        Ok(())
    }

    fn population(&mut self, content: &Content<'_>) -> Result<(), XlsxError> {
        let texts = self.texts;
        let population = &content.summary.population;
        self.part(&texts.get("xlsx-population"))?;
        for (bucket, count) in population.buckets() {
            self.text(WHAT, &texts.of(Word::BucketName, bucket.code()))?;
            self.text(CODE, bucket.code())?;
            self.count(count)?;
            self.text(MEANING, &texts.of(Word::Bucket, bucket.code()))?;
            self.row += 1;
        }
        self.text(WHAT, &texts.get("xlsx-rows-read"))?;
        self.text(CODE, "rows")?;
        self.count(population.rows())?;
        self.row += 1;
        Ok(())
    }

    fn control_totals(&mut self, content: &Content<'_>) -> Result<(), XlsxError> {
        let by_currency = &content.summary.control_totals;
        if by_currency.is_empty() {
            return Ok(());
        }
        let texts = self.texts;
        self.part(&texts.get("xlsx-control-totals"))?;
        for (currency, totals) in by_currency {
            for name in Amounts::NAMES {
                let amount = texts.of(Word::AmountName, name);
                let what = texts.with("xlsx-settled", &[("amount", amount.into())]);
                let figure = totals.amounts.get(name).copied().unwrap_or_default();
                self.figure(&what, &format!("amounts.{name}"), currency, figure)?;
            }
            for (what, code, figure) in others(totals, texts) {
                self.figure(&what, code, currency, figure)?;
            }
        }
        Ok(())
    }

    fn failed_checks(&mut self, content: &Content<'_>) -> Result<(), XlsxError> {
        let (texts, summary) = (self.texts, content.summary);
        if summary.checks.is_empty() {
            return Ok(());
        }
        self.part(&texts.get("xlsx-failed-checks"))?;
        for (check, count) in &summary.checks {
            self.failed(check, &texts.of(Word::CheckHolds, check), count)?;
            let of_check = |code: &str| code.strip_prefix(check)?.strip_prefix('.').map(str::to_owned);
            for (code, count) in &summary.causes {
                if let Some(cause) = of_check(code) {
                    self.failed(code, &texts.of(Word::Cause, &cause), count)?;
                }
            }
        }
        Ok(())
    }

    /// A failed check, or one cause of it, and by how much it failed.
    fn failed(&mut self, code: &str, means: &str, count: &CheckCount) -> Result<(), XlsxError> {
        let (texts, styles) = (self.texts, self.styles);
        let severity = count.severity;
        let tone = if severity == Severity::Error { &styles.error } else { &styles.warning };
        let name = texts.of(Word::SeverityName, severity.code());
        self.sheet.write_string_with_format(self.row, WHAT, name, tone)?;
        self.text(CODE, code)?;
        self.count(count.orders)?;
        self.text(MEANING, means)?;
        self.row += 1;
        for (currency, difference) in &count.differences {
            self.figure(&texts.get("xlsx-net"), &format!("{code}.net"), currency, difference.net)?;
            self.figure(&texts.get("xlsx-gross"), &format!("{code}.gross"), currency, difference.gross)?;
        }
        Ok(())
    }

    fn spend(&mut self, content: &Content<'_>) -> Result<(), XlsxError> {
        let tables = content.tables.iter().map(|source| source());
        let largest = tables.filter(|table| table.name == CHARTED).flat_map(chart::largest);
        for largest in largest {
            self.largest(&largest)?;
        }
        Ok(())
    }

    fn largest(&mut self, largest: &Largest) -> Result<(), XlsxError> {
        let texts = self.texts;
        let Largest { currency, all, shown } = largest;
        self.part(&texts.with("xlsx-spend", &[("shown", shown.len().into()), ("all", (*all).into())]))?;
        let first = self.row;
        for (workflow, spent) in shown {
            self.figure("", workflow, currency, *spent)?;
        }
        let last = self.row.saturating_sub(1).max(first);
        let (width, height, rows) = CHART;
        let currency = if currency.is_empty() { texts.get("xlsx-no-currency") } else { cells::printable(currency) };
        let title = texts.with("xlsx-chart", &[("currency", currency.into())]);
        let mut chart = Chart::new_bar();
        chart.add_series().set_categories((self.name.as_str(), first, CODE, last, CODE)).set_values((
            self.name.as_str(),
            first,
            FIGURE,
            last,
            FIGURE,
        ));
        chart.title().set_name(&title);
        chart.legend().set_hidden();
        // The largest on top, as in the list.
        chart.y_axis().set_reverse();
        chart.x_axis().set_num_format("0.00######");
        chart.set_width(width).set_height(height).set_alt_text(&title);
        self.sheet.insert_chart(self.row, WHAT, &chart)?;
        self.row += rows;
        Ok(())
    }

    fn sheets(&mut self, written: &[Written]) -> Result<(), XlsxError> {
        let texts = self.texts;
        self.part(&texts.get("xlsx-sheets"))?;
        for Written { table, rows, sheets, about } in written {
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
        self.row += 1;
        self.sheet.write_string_with_format(self.row, WHAT, texts.get("xlsx-notes"), &self.styles.part)?;
        self.row += 1;
        for note in [
            texts.get("xlsx-note-exact"),
            texts.get("xlsx-note-difference"),
            texts.get("xlsx-note-currency"),
            texts.get("xlsx-note-formula"),
            texts.get("xlsx-note-source"),
        ] {
            self.sheet.write_string(self.row, WHAT, note)?;
            self.row += 1;
        }
        Ok(())
    }

    /// The heading of a part, after a row of nothing, and those of its columns.
    fn part(&mut self, name: &str) -> Result<(), XlsxError> {
        let (texts, styles) = (self.texts, self.styles);
        self.row += 1;
        self.sheet.write_string_with_format(self.row, WHAT, name, &styles.part)?;
        self.row += 1;
        for (column, heading) in [
            (WHAT, texts.get("xlsx-head-what")),
            (CODE, texts.get("xlsx-head-code")),
            (CURRENCY, texts.get("xlsx-head-currency")),
            (FIGURE, texts.get("xlsx-head-figure")),
            (EXACT, texts.get("xlsx-head-exact")),
            (MEANING, texts.get("xlsx-head-meaning")),
        ] {
            self.sheet.write_string_with_format(self.row, column, heading, &styles.heading)?;
        }
        self.row += 1;
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
            // Not every program finds out by itself how high a row has to be.
            let lines = text.width().div_ceil(MEANING_WIDTH).max(1);
            self.sheet.set_row_height(self.row, u32::try_from(lines).map_or(LINE, |lines| LINE * f64::from(lines)))?;
            return Ok(());
        }
        cells::write(self.sheet, (self.row, column), if text.is_empty() { &Cell::Empty } else { &cell }, self.styles)
    }
}

/// The control totals beside the six sums, with where `summary.json` has them.
fn others(totals: &ControlTotals, texts: Texts) -> [(String, &'static str, Sum); 7] {
    let (quote, cost) = (totals.differences.quote_split.difference, totals.differences.cost_sum.difference);
    [
        (texts.get("xlsx-quote-net"), "differences.quote_split.net", quote.net),
        (texts.get("xlsx-quote-gross"), "differences.quote_split.gross", quote.gross),
        (texts.get("xlsx-cost-net"), "differences.cost_sum.net", cost.net),
        (texts.get("xlsx-cost-gross"), "differences.cost_sum.gross", cost.gross),
        (texts.get("xlsx-tolerated"), "passed_by_tolerance.gross", totals.passed_by_tolerance.difference.gross),
        (texts.get("xlsx-waived"), "waived.gross", totals.waived.difference.gross),
        (texts.get("xlsx-frozen"), "frozen.quote_amount", totals.frozen.total.quote_amount),
    ]
}
