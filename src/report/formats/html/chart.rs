//! Bar charts above the spend tables. The length of a bar is computed in integers; the figure beside it is
//! exact.

use std::cmp::Reverse;

use jiff::ToSpan;
use jiff::civil::Date;

use super::{Titles, WORKFLOW, workflow_name};
use crate::domain::money::Sum;
use crate::domain::visible::visible;
use crate::language::Texts;
use crate::report::content::largest::{MOST_SHOWN, SpendFigure, by_currency, key_of, largest_first, spend_figures};
use crate::report::content::table::{Cell, Column};
use crate::report::content::wording::{currency_name, grouped};

/// The length of the longest bar, in ten thousandths of the chart.
const LONGEST: i128 = 10_000;
/// The distance between the bars of a ranking, in pixels.
const STEP: usize = 38;
/// The height of a timeline, in pixels.
const HEIGHT: i128 = 120;
/// The fewest places of a timeline, so that the bars of a few days do not fill the page.
const LEAST_DAYS: usize = 14;
/// The most days for which days without spend get a place too; with more, the bars would be too thin to see.
const MOST_DAYS: usize = 400;
/// The column that makes a chart a timeline.
const DAY: &str = "day";

/// One chart. It shows a single currency: figures are never mixed across currencies.
pub(super) struct Chart {
    /// Its title.
    pub(super) title: String,
    /// Whether its bars are days in order, rather than a ranking by size.
    pub(super) is_timeline: bool,
    /// The labels below a timeline: its first and its last day, in one label or two.
    pub(super) span: Vec<String>,
    /// Its bars.
    pub(super) bars: Vec<Bar>,
    /// Its height in pixels.
    pub(super) height: usize,
}

/// One bar.
pub(super) struct Bar {
    /// What the bar stands for: a workflow, a revision or a day.
    pub(super) label: String,
    /// Its exact figure.
    pub(super) amount: String,
    /// Whether the figure is below zero.
    pub(super) is_negative: bool,
    /// In a ranking, its distance from the top in pixels; in a timeline, its distance from the left in
    /// percent.
    pub(super) place: String,
    /// In a ranking, its length; in a timeline, its width. In percent of the chart.
    pub(super) extent: String,
    /// In a timeline, its distance from the top and its height in pixels; zeros in a ranking.
    pub(super) upright: (i128, i128),
}

/// The charts of a spend table, one per currency.
pub(super) fn charts(columns: &[Column], rows: &[Vec<Cell<'_>>], titles: &Titles, texts: Texts) -> Vec<Chart> {
    let Some(key) = key_of(columns) else {
        return Vec::new();
    };
    let figures = spend_figures(columns, rows);
    let is_timeline = columns[key].name == DAY;
    let titles = (columns[key].name == WORKFLOW).then_some(titles);
    let days = if is_timeline { days(figures.iter().filter_map(day)) } else { Vec::new() };
    let chart = |(currency, figures)| {
        if is_timeline {
            timeline(figures, &days, currency, "report-chart-days", texts)
        } else {
            ranking(&largest_first(figures), titles, currency, texts)
        }
    };
    most_rows_first(&figures).into_iter().map(chart).collect()
}

/// The timelines of what each night's orders were charged, one per currency, with a place for each of these days.
pub(super) fn by_night(figures: &[SpendFigure], days: &[Date], texts: Texts) -> Vec<Chart> {
    let chart = |(currency, figures)| timeline(figures, days, currency, "report-chart-nights", texts);
    most_rows_first(figures).into_iter().map(chart).collect()
}

/// The figures by currency; the currency with the most rows comes first.
fn most_rows_first(figures: &[SpendFigure]) -> Vec<(&str, Vec<&SpendFigure>)> {
    let mut currencies: Vec<_> = by_currency(figures).into_iter().collect();
    currencies.sort_by_key(|(_, figures)| Reverse(figures.len()));
    currencies
}

fn ranking(figures: &[&SpendFigure], titles: Option<&Titles>, currency: &str, texts: Texts) -> Chart {
    let shown = &figures[..figures.len().min(MOST_SHOWN)];
    let largest = largest(shown);
    let label = |key: &str| {
        let title = titles.and_then(|titles| workflow_name(key, titles));
        title.unwrap_or_else(|| if key.is_empty() { texts.get("report-chart-none") } else { visible(key).into_owned() })
    };
    let bars: Vec<Bar> = shown
        .iter()
        .enumerate()
        .map(|(at, figure)| {
            let length = percent(share(figure.amount, largest));
            bar(label(&figure.key), figure.amount, (at * STEP).to_string(), length, (0, 0))
        })
        .collect();
    let id = if shown.len() < figures.len() { "report-chart-largest" } else { "report-chart-all" };
    let title = texts.with(
        id,
        &[
            ("currency", currency_name(currency, texts).into()),
            ("count", grouped(shown.len() as u64).into()),
            ("all", grouped(figures.len() as u64).into()),
        ],
    );
    Chart { title, is_timeline: false, span: Vec::new(), height: bars.len() * STEP, bars }
}

/// The days that every timeline of the table has a place for, so that timelines can be compared.
pub(super) fn days(days: impl IntoIterator<Item = Date>) -> Vec<Date> {
    let mut days: Vec<Date> = days.into_iter().collect();
    days.sort_unstable();
    days.dedup();
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return days;
    };
    let all: Vec<Date> = first.series(1.day()).take_while(|day| day <= last).take(MOST_DAYS + 1).collect();
    if all.len() <= MOST_DAYS { all } else { days }
}

/// The day of a figure; `None` for orders without one.
fn day(figure: &SpendFigure) -> Option<Date> {
    figure.key.parse().ok()
}

/// A chart with one bar per day. Figures without a day have no bar; they are only in the table.
fn timeline(mut figures: Vec<&SpendFigure>, days: &[Date], currency: &str, title: &'static str, texts: Texts) -> Chart {
    figures.retain(|figure| day(figure).is_some());
    let largest = largest(&figures);
    let bars = figures.iter().filter_map(|figure| {
        let day = day(figure)?;
        let (place, width) = place(day, days)?;
        let height = (share(figure.amount, largest) * HEIGHT / LONGEST).max(1);
        Some(bar(day.to_string(), figure.amount, place, width, (HEIGHT - height, height)))
    });
    let title =
        texts.with(title, &[("currency", currency_name(currency, texts).into()), ("most", largest.to_string().into())]);
    let span = span(days);
    Chart { title, is_timeline: true, span, height: usize::try_from(HEIGHT).unwrap_or_default(), bars: bars.collect() }
}

/// The distance of a day's bar from the left and its width, in percent of the chart.
pub(super) fn place(day: Date, days: &[Date]) -> Option<(String, String)> {
    let places = i128::try_from(days.len().max(LEAST_DAYS)).unwrap_or(i128::MAX);
    let at = i128::try_from(days.binary_search(&day).ok()?).ok()?;
    // A fifth of each day's place is left free.
    Some((percent(at * LONGEST / places), percent(LONGEST * 4 / 5 / places)))
}

/// The labels below a timeline: its first and its last day, in one label or two.
pub(super) fn span(days: &[Date]) -> Vec<String> {
    match days {
        [] => Vec::new(),
        [day] => vec![day.to_string()],
        [first, .., last] if days.len() < LEAST_DAYS => vec![format!("{first} – {last}")],
        [first, .., last] => vec![first.to_string(), last.to_string()],
    }
}

fn bar(label: String, amount: Sum, place: String, extent: String, upright: (i128, i128)) -> Bar {
    Bar { label, amount: amount.to_string(), is_negative: amount.units() < 0, place, extent, upright }
}

fn largest(figures: &[&SpendFigure]) -> Sum {
    figures.iter().map(|figure| figure.amount.abs()).max().unwrap_or_default()
}

/// The size of a figure relative to the largest, in ten thousandths, rounded down.
fn share(amount: Sum, largest: Sum) -> i128 {
    let (size, largest) = (amount.abs().units(), largest.units());
    // Sums may have 38 digits, which leaves no room to multiply. The digits cut off here are less than a
    // pixel.
    let cut = (largest / 10_i128.pow(30)).max(1);
    (size / cut * LONGEST).checked_div(largest / cut).unwrap_or_default()
}

/// Ten thousandths as a percentage for SVG, such as `12.34%`.
pub(super) fn percent(ten_thousandths: i128) -> String {
    format!("{}.{:02}%", ten_thousandths / 100, ten_thousandths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{Language, Texts};
    use crate::report::content::table::{Kind, column};

    const fn columns(key: &'static str) -> [Column; 3] {
        [column(key, Kind::Text), column("currency", Kind::Text), column("final_amount", Kind::Amount)]
    }

    fn charts_of(key: &'static str, rows: &[(&'static str, &'static str, i128)]) -> Vec<Chart> {
        let rows: Vec<_> = rows
            .iter()
            .map(|(key, currency, units)| {
                vec![Cell::text(key), Cell::text(currency), Cell::Amount(Sum::from_units(*units).expect("38 digits"))]
            })
            .collect();
        charts(
            &columns(key),
            &rows,
            &Titles::from([("b".to_owned(), "Portraits".to_owned())]),
            Texts::new(Language::English),
        )
    }

    #[test]
    fn the_largest_come_first_and_no_chart_mixes_currencies() {
        let charts = charts_of("workflow_id", &[("a", "CNY", 25), ("b", "CNY", 100), ("c", "USD", 7), ("", "CNY", 0)]);
        assert_eq!(
            charts.iter().map(|chart| &*chart.title).collect::<Vec<_>>(),
            ["Final amount, CNY", "Final amount, USD"]
        );
        let bars: Vec<_> = charts[0].bars.iter().map(|bar| (&*bar.label, &*bar.amount, &*bar.extent)).collect();
        let expected = [
            ("b · Portraits", "0.00000100", "100.00%"),
            ("a", "0.00000025", "25.00%"),
            ("(none)", "0.00000000", "0.00%"),
        ];
        assert_eq!(bars, expected);
        assert_eq!(charts[1].bars[0].extent, "100.00%");
    }

    #[test]
    fn the_largest_sums_fit_and_negative_ones_have_a_length() {
        let largest = 10_i128.pow(38) - 1;
        let charts =
            charts_of("workflow_id", &[("a", "CNY", largest), ("b", "CNY", -10_i128.pow(37)), ("c", "CNY", 1)]);
        let bars: Vec<_> = charts[0].bars.iter().map(|bar| (&*bar.label, &*bar.extent, bar.is_negative)).collect();
        assert_eq!(bars, [("a", "100.00%", false), ("c", "0.00%", false), ("b · Portraits", "10.00%", true)]);
    }

    #[test]
    fn days_stay_in_their_order() {
        let rows = [
            ("", "CNY", 7),
            ("2026-05-01", "CNY", 50),
            ("2026-05-02", "CNY", 100),
            ("2026-05-02", "USD", 3),
            ("2026-05-04", "CNY", 0),
            ("2026-05-05", "CNY", 1),
        ];
        let charts = charts_of(DAY, &rows);
        assert!(charts[0].is_timeline);
        assert_eq!(charts[0].title, "Final amount by day, CNY; tallest bar: 0.00000100");
        assert_eq!(charts[0].span, ["2026-05-01 – 2026-05-05"]);
        let bars: Vec<_> = charts[0].bars.iter().map(|bar| (&*bar.place, &*bar.extent, bar.upright)).collect();
        // There are fourteen places. The third day's is empty, and the figure without a day has no bar.
        let expected = [
            ("0.00%", "5.71%", (60, 60)),
            ("7.14%", "5.71%", (0, 120)),
            ("21.42%", "5.71%", (119, 1)),
            ("28.57%", "5.71%", (119, 1)),
        ];
        assert_eq!(bars, expected);
        assert_eq!(charts[1].bars[0].place, "7.14%", "every currency has the same days");
    }

    #[test]
    fn days_far_apart_stand_side_by_side() {
        let rows = [("1970-01-01", "CNY", 1), ("2026-05-01", "CNY", 1)];
        let places: Vec<_> = charts_of(DAY, &rows)[0].bars.iter().map(|bar| bar.place.clone()).collect();
        assert_eq!(places, ["0.00%", "7.14%"]);
    }
}
