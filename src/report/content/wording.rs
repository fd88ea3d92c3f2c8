//! Sentences and labels that the page, the workbook and the terminal share: the verdict, the layout of the
//! input, the settings, and what the provider's list shows.

use jiff::Timestamp;
use jiff::civil::Date;

use super::summary_json::{CloseGap, CloseScope, CompletenessCounts, ControlTotals, DatasetScope, SummaryJson};
use crate::checks::{ExpectRows, Thresholds};
use crate::domain::books::Field;
use crate::domain::listed::ListShortfall;
use crate::domain::money::Amount;
use crate::domain::outcome::Bucket;
use crate::domain::time::{Age, Period};
use crate::domain::visible::visible;
use crate::language::Texts;
use crate::summary::{ColumnCause, ExitInputs, Tie, TieFigure, Verdict};

/// A count with a comma before each group of three digits, such as `12,345`.
pub(in crate::report) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A currency as people read it, with a name for the missing one (an empty code).
pub(in crate::report) fn currency_name(currency: &str, texts: Texts) -> String {
    if currency.is_empty() { texts.get("report-no-currency") } else { visible(currency).into_owned() }
}

/// The currency of a given control total: a question where a sum's currency is ambiguous, empty for a count.
#[must_use]
pub fn tie_currency(tie: &Tie, texts: Texts) -> String {
    match (&tie.currency, tie.expected) {
        (Some(currency), _) => currency_name(currency, texts),
        (None, TieFigure::Sum(_)) => texts.get("report-tie-which"),
        (None, TieFigure::Count(_)) => String::new(),
    }
}

/// Whether a given control total ties out, in words.
#[must_use]
pub fn tie_result(tie: &Tie, texts: Texts) -> String {
    match (tie.passed_by_rounding, tie.holds()) {
        (true, _) => texts.get("report-tie-rounded"),
        (_, true) => texts.get("report-tie-holds"),
        _ => texts.get("report-tie-fails"),
    }
}

/// An age in hours if it is a whole number of them, else in seconds.
fn duration(age: Age, texts: Texts) -> String {
    let seconds = age.seconds();
    let hours = (seconds % 3_600 == 0).then_some(("report-setting-hours", seconds / 3_600));
    let (id, count) = hours.unwrap_or(("report-setting-seconds", seconds));
    texts.with(id, &[("count", count.to_string().into())])
}

/// The label of a setting: its text, or its option if there is no text.
fn setting(name: &str, texts: Texts) -> String {
    texts.try_with(&format!("report-setting-{name}"), &[]).unwrap_or_else(|_| format!("--{name}"))
}

/// The thresholds that one workflow overrides, such as `wf_1: Tolerance = 0.01000000`.
fn threshold(id: &str, own: &Thresholds, texts: Texts) -> String {
    let label = |name: &str| setting(name, texts);
    let text = |amount: Amount| amount.to_string();
    let stale = own.stale_after.map(|age| duration(age, texts));
    let parts = [("tolerance", own.tolerance.map(text)), ("stale-after", stale), ("material", own.material.map(text))];
    let parts = parts.into_iter().filter_map(|(name, value)| Some(format!("{} = {}", label(name), value?)));
    format!("{}: {}", visible(id), parts.collect::<Vec<_>>().join(", "))
}

/// The settings that affect judgement, each as a label and its values.
pub(in crate::report) fn settings(summary: &SummaryJson, texts: Texts) -> Vec<(String, Vec<String>)> {
    let settings = &summary.settings;
    let none = || texts.get("report-setting-none");
    let label = |name: &str| setting(name, texts);
    let clean = |text: &String| visible(text).into_owned();
    let mut rows = vec![(label("tolerance"), vec![settings.tolerance.to_string()])];
    for (currency, tolerance) in &settings.tolerances {
        let label = texts.with("report-setting-tolerance-of", &[("currency", clean(currency).into())]);
        rows.push((label, vec![tolerance.to_string()]));
    }
    let mut row = |name: &str, values: Vec<String>| {
        rows.push((label(name), if values.is_empty() { vec![none()] } else { values }));
    };
    row("currency", settings.currency.iter().map(clean).collect());
    row("stale-after", vec![duration(settings.stale_after, texts)]);
    if let Some(age) = settings.warn_before {
        row("warn-before", vec![duration(age, texts)]);
    }
    row("material", settings.material.iter().map(Amount::to_string).collect());
    let severities = settings.severities.iter().map(|(key, severity)| format!("{key} = {}", severity.code()));
    row("severities", severities.collect());
    row("waivers", vec![grouped(settings.waivers.len() as u64)]);
    if !settings.expect.is_empty() {
        row("expect", settings.expect.iter().map(|(field, column)| format!("{field} = {}", clean(column))).collect());
    }
    if settings.expect_rows == ExpectRows::Sum {
        row("expect-rows", vec![texts.get("report-setting-added")]);
    }
    if let Some(decimals) = settings.books_decimals {
        row("books-decimals", vec![decimals.to_string()]);
    }
    if !settings.workflows.is_empty() {
        row("workflows", settings.workflows.iter().map(|(id, own)| threshold(id, own, texts)).collect());
    }
    if let Some(Period { since, until }) = summary.period.or(settings.complete) {
        let bound = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
        row("complete", vec![format!("{} … {}", bound(since), bound(until))]);
    }
    row("timezone", vec![visible(settings.timezone.name()).into_owned()]);
    row("day-by", vec![settings.day_by.code().to_owned()]);
    row("checks", settings.checks().map(|check| check.code.to_owned()).collect());
    row("off", settings.checks_off().map(str::to_owned).collect());
    rows
}

/// How the input was read, one sentence per peculiarity: the sheet, hidden rows, records that are not rows, a
/// guessed heading, a cut last line. Empty for an ordinary CSV file.
pub fn input(summary: &SummaryJson, texts: Texts) -> Vec<String> {
    if let Some(dataset) = &summary.dataset {
        return self::dataset(dataset, texts);
    }
    let Some(layout) = &summary.input else { return Vec::new() };
    let mut said = Vec::new();
    if let Some(sheet) = &layout.sheet {
        let sheet = visible(sheet).into_owned();
        said.push(texts.with("report-input-sheet", &[("sheet", sheet.into())]));
    }
    if let Some(hidden) = layout.hidden_rows {
        said.push(texts.with("report-input-hidden", &[("count", grouped(hidden).into())]));
    }
    if layout.preamble + layout.footers > 0 {
        let heading = u64::from(layout.heading_line.is_some());
        said.push(texts.with(
            "report-input-records",
            &[
                ("records", grouped(layout.records).into()),
                ("above", grouped(layout.preamble).into()),
                ("heading", grouped(heading).into()),
                ("rows", grouped(summary.population.rows()).into()),
                ("below", grouped(layout.footers).into()),
            ],
        ));
        said.extend(layout.shown.iter().map(|record| format!("  {}", visible(record))));
    }
    if let (Some(line), Some(heading)) = (layout.heading_line, &layout.guessed_heading) {
        let heading = visible(heading).into_owned();
        said.push(texts.with("report-input-guessed", &[("line", grouped(line).into()), ("heading", heading.into())]));
    }
    if let Some(line) = layout.cut_line {
        said.push(texts.with("report-input-cut", &[("line", grouped(line).into())]));
    }
    said
}

/// A moment to the second.
fn second(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Which orders of a dataset the report is about, and what can't be known of them.
fn dataset(dataset: &DatasetScope, texts: Texts) -> Vec<String> {
    let DatasetScope { since, until, workflow, runs, first_run, last_run, observations, close } = dataset;
    let last = until.and_then(|until| until.yesterday().ok());
    let period = match (since, last) {
        (None, None) => "all",
        (Some(_), None) => "since",
        (None, Some(_)) => "until",
        (Some(_), Some(_)) => "within",
    };
    let text = |date: Option<Date>| date.map(|date| date.to_string()).unwrap_or_default();
    let mut said = vec![texts.with(
        "report-dataset",
        &[
            ("observations", grouped(*observations).into()),
            ("runs", grouped(*runs).into()),
            ("first", second(*first_run).into()),
            ("last", second(*last_run).into()),
            ("period", period.into()),
            ("since", text(*since).into()),
            ("until", text(last).into()),
        ],
    )];
    if let Some(workflow) = workflow {
        let workflow = visible(workflow).into_owned();
        said.push(texts.with("report-dataset-workflow", &[("workflow", workflow.into())]));
    }
    said.extend(close.iter().flat_map(|close| self::close(close, texts)));
    said.push(texts.get("report-dataset-limits"));
    said
}

/// That the report closes a month, and what was lacking for that.
fn close(close: &CloseScope, texts: Texts) -> Vec<String> {
    let gap = |gap: &CloseGap| {
        let (gap, count, time) = match *gap {
            CloseGap::NotOver { until, .. } => ("not-over", 0, Some(until)),
            CloseGap::MissingNights { count, first } => ("missing", count, Some(first)),
            CloseGap::IncompleteNights { count, first } => ("incomplete", count, Some(first)),
            CloseGap::UnreadableOrders { count } => ("unreadable", count, None),
        };
        let time = time.map(second).unwrap_or_default();
        texts.with("report-dataset-gap", &[("gap", gap.into()), ("count", count.into()), ("time", time.into())])
    };
    let month = texts.with("report-dataset-close", &[("month", close.month.to_string().into())]);
    [month].into_iter().chain(close.gaps.iter().map(gap)).collect()
}

/// The reason for the verdict, in one sentence.
#[must_use]
pub fn verdict(summary: &SummaryJson, exit_inputs: &ExitInputs, texts: Texts) -> String {
    if let Some(reason) = &summary.sole_reason {
        return sole_reason(reason.orders, &reason.to_string(), texts);
    }
    if let Some(shortfall) = summary.input_shortfall {
        return self::shortfall(shortfall, texts);
    }
    let population = &summary.population;
    // With a check off, it is unknown whether everything ties out.
    let all_on = summary.settings.off.is_empty();
    let counted = |id: &str, count: u64| texts.with(id, &[("n", count.into()), ("count", grouped(count).into())]);
    match exit_inputs.verdict {
        Verdict::Reconciled if all_on => texts.get("report-why-reconciled"),
        Verdict::Reconciled => texts.get("report-why-reconciled-in-part"),
        Verdict::Pending if all_on => counted("report-why-pending", population.of(Bucket::Pending)),
        Verdict::Pending => counted("report-why-pending-in-part", population.of(Bucket::Pending)),
        Verdict::Warnings => texts.get("report-why-warnings"),
        Verdict::Discrepant => {
            let look = [Bucket::Discrepant, Bucket::NotFound, Bucket::Refused, Bucket::Rejected];
            let untied = summary.ties.iter().filter(|tie| !tie.holds()).count() as u64;
            let lacking = summary.completeness.as_ref().map_or(0, |counts| counts.unlisted);
            match (untied, population.of_any(&look)) {
                (0, 0) => counted("report-why-lacking", lacking),
                (0, rows) => counted("report-why-discrepant", rows),
                (_, rows) => {
                    let count = grouped(rows);
                    texts.with(
                        "report-why-variance",
                        &[("totals", untied.into()), ("n", rows.into()), ("count", count.into())],
                    )
                }
            }
        }
        Verdict::Incomplete => {
            let missing = population.of_any(&[Bucket::Unfetched, Bucket::Malformed]);
            match (population.rows(), missing) {
                (_, 0) if exit_inputs.completeness_unknown => texts.get("report-why-list-gap"),
                (_, 0) if summary.has_gaps() => texts.get("report-why-close-gaps"),
                (0, _) if summary.dataset.is_some() => texts.get("report-dataset-empty"),
                (0, _) => texts.get("report-why-no-rows"),
                (_, 0) => texts.get("report-why-no-orders"),
                _ => counted("report-why-incomplete", missing),
            }
        }
        Verdict::Empty => texts.get("report-why-empty"),
    }
}

/// The sentence that explains the verdict where all orders got one answer.
#[must_use]
pub fn sole_reason(orders: u64, reason: &str, texts: Texts) -> String {
    let said = visible(reason).into_owned();
    texts.with("report-why-sole-reason", &[("count", grouped(orders).into()), ("reason", said.into())])
}

/// Why the input is incomplete: the sentence that explains the verdict in that case.
pub(in crate::report) fn shortfall(shortfall: ListShortfall, texts: Texts) -> String {
    let (reason, [first, second]) = match shortfall {
        ListShortfall::BrokenOff => ("broken-off", [0, 0]),
        ListShortfall::OtherRows { written, read } => ("other-rows", [written, read]),
        ListShortfall::Missing { orders } => ("missing", [orders, 0]),
        ListShortfall::Unknown => ("unknown", [0, 0]),
    };
    let [count, rows] = [first, second].map(|count| grouped(count).into());
    texts.with("report-why-shortfall", &[("reason", reason.into()), ("count", count), ("rows", rows)])
}

/// The cause that all mismatches in a column of our own books share, one sentence per column.
#[must_use]
pub fn column_causes(summary: &SummaryJson, texts: Texts) -> Vec<String> {
    let sentence = |(field, found): (&&str, &ColumnCause)| {
        let column = Field::named(field).and_then(|field| summary.settings.expect.get(&field));
        let column = column.map_or_else(|| (*field).to_owned(), |column| visible(column).into_owned());
        let power = found.power_of_ten.unwrap_or_default();
        let kind = match (found.cause, power) {
            ("scale", 2) => "fen",
            ("scale", 1..) => "larger",
            ("scale", _) => "smaller",
            (cause, _) => cause,
        };
        let factor = 10_u64.pow(power.unsigned_abs().into());
        texts.with(
            "report-column-cause-of-all",
            &[
                ("kind", kind.into()),
                ("count", grouped(found.rows).into()),
                ("column", column.into()),
                ("field", (*field).into()),
                ("factor", grouped(factor).into()),
            ],
        )
    };
    summary.column_causes.iter().map(sentence).collect()
}

/// The input's orders from outside the period, one sentence per currency.
#[must_use]
pub fn outside_period(summary: &SummaryJson, texts: Texts) -> Vec<String> {
    let sentence = |(currency, totals): (&String, &ControlTotals)| {
        let (outside, period) = (totals.outside_period?, summary.period?);
        let figures = [outside.final_amount, outside.quote_amount].map(|sum| sum.to_string().into());
        let [charged, quoted] = figures;
        Some(texts.with(
            "report-outside-period",
            &[
                ("n", outside.orders.into()),
                ("count", grouped(outside.orders).into()),
                ("period", period.to_string().into()),
                ("currency", currency_name(currency, texts).into()),
                ("charged", charged),
                ("quoted", quoted),
            ],
        ))
    };
    summary.control_totals.iter().filter_map(sentence).collect()
}

/// What the provider's list shows about the input, in sentences. Empty where the list was not walked.
pub(in crate::report) fn completeness(summary: &SummaryJson, texts: Texts) -> Vec<String> {
    let Some(CompletenessCounts { listed, unlisted, counted, missing, problem }) = &summary.completeness else {
        return Vec::new();
    };
    let problem = problem
        .as_ref()
        .map(|problem| texts.with("report-list-not-had", &[("problem", visible(problem).into_owned().into())]));
    if counted.is_none() && problem.is_some() {
        return problem.into_iter().collect();
    }
    let [listed, unlisted] = [*listed, *unlisted].map(|count| grouped(count).into());
    let mut said: Vec<String> = problem.into_iter().collect();
    said.push(texts.with("report-listed", &[("listed", listed), ("unlisted", unlisted)]));
    match (missing, counted) {
        (Some(0), _) => {}
        (Some(missing), Some(counted)) => {
            let [missing, counted] = [*missing, *counted].map(|count| grouped(count).into());
            said.push(texts.with("report-list-missing", &[("counted", counted), ("missing", missing)]));
        }
        _ => said.push(texts.get("report-list-uncounted")),
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn counts_are_grouped_in_thousands() {
        let cases = [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345, "12,345"), (1_234_567, "1,234,567")];
        for (count, expected) in cases {
            assert_eq!(grouped(count), expected);
        }
    }

    #[test]
    fn a_shared_cause_of_a_column_is_one_sentence() {
        let said = |cause, power_of_ten| {
            let column_causes = [("final_amount", ColumnCause { cause, rows: 1_200, power_of_ten })].into();
            let summary = SummaryJson { column_causes, ..SummaryJson::empty() };
            column_causes_of(&summary)
        };
        let cases = [
            (said("scale", Some(2)), "in fen"),
            (said("scale", Some(3)), "1,000 times"),
            (said("scale", Some(-2)), "a 100th"),
            (said("sign-flipped", None), "opposite sign"),
            (said("rounding", None), "--books-decimals"),
        ];
        for (said, part) in cases {
            assert!(said.contains(part) && said.contains("1,200") && said.contains("final_amount"), "{part}: {said}");
        }
    }

    fn column_causes_of(summary: &SummaryJson) -> String {
        column_causes(summary, Texts::new(Language::English)).concat()
    }

    #[test]
    fn gaps_in_the_list_are_reported() {
        let said = |missing, counted, problem: Option<&str>| {
            let counts = CompletenessCounts {
                listed: 1_200,
                unlisted: 3,
                counted,
                missing,
                problem: problem.map(str::to_owned),
            };
            completeness(
                &SummaryJson { completeness: Some(counts), ..SummaryJson::empty() },
                Texts::new(Language::English),
            )
        };
        let whole = said(Some(0), Some(1_200), None);
        assert!(whole.len() == 1 && whole[0].contains("1,200") && whole[0].contains("lacks 3"), "{whole:?}");
        assert!(said(Some(7), Some(1_207), None)[1].contains("1,207"));
        assert_eq!(said(None, None, None).len(), 2);
        assert_eq!(said(None, None, Some("no <list>")).len(), 1);
        assert!(completeness(&SummaryJson::empty(), Texts::new(Language::English)).is_empty());
    }
}
