//! The summary of a report for people on standard output: verdict, population, control totals, the worst
//! discrepancies, and the report's folder.

mod closing;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::iter;
use std::path::Path;

use comfy_table::{CellAlignment, ContentArrangement, Table, TableStyle};

use super::voice::Voice;
use crate::checks::WaiverState;
use crate::domain::finding::Finding;
use crate::domain::money::Sum;
use crate::domain::order::Amounts;
use crate::domain::outcome::Bucket;
use crate::history::RunRecord;
use crate::language::{Texts, Word};
use crate::report::builder::{ReasonCount, Report};
use crate::report::content::summary_json::{CompletenessCounts, ControlTotals, Lifecycle, SummaryJson, WaiverCounts};
use crate::report::content::tables::Discrepancy;
use crate::report::content::wording;
use crate::store::RecheckCounts;
use crate::summary::{CheckCount, NetAndGross, Tie, TieFigure};

/// How many discrepancies, reasons and lapsed waivers are shown; the report has them all.
const WORST: usize = 5;
/// The longest message shown, in characters.
const MAX_MESSAGE: usize = 100;

/// Writes the summary of a report for people.
///
/// # Errors
/// When standard output can't be written.
pub(super) fn show(
    report: &Report,
    folder: &Path,
    rechecks: RecheckCounts,
    voice: &Voice,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (summary, texts) = (&report.summary, voice.texts);
    let verdict = texts.with("terminal-verdict", &[("verdict", texts.word(Word::VerdictName, summary.verdict).into())]);
    let verdict = voice.verdict(report.exit_inputs.verdict, &verdict);
    let why = match &summary.sole_reason {
        Some(reason) => wording::sole_reason(reason.orders, &texts.translated(&reason.to_string()), texts),
        None => wording::verdict(summary, &report.exit_inputs, texts),
    };
    // Where all orders met one and the same answer, the first line says so.
    writeln!(out, "{verdict}{}{why}", if summary.sole_reason.is_some() { " " } else { "\n" })?;

    heading(&texts.get("terminal-population"), voice, out)?;
    let mut population = grid(&[]);
    for (bucket, count) in summary.population.buckets().filter(|(bucket, count)| *count > 0 || is_usual(*bucket)) {
        population.add_row(vec![texts.word(Word::BucketName, bucket.code()), count.to_string()]);
    }
    let is_of_dataset = summary.dataset.is_some();
    let read = if is_of_dataset { texts.get("terminal-orders-read") } else { texts.get("terminal-rows-read") };
    population.add_row(vec![read, summary.population.rows().to_string()]);
    print(&mut population, &[1], out)?;
    for line in wording::input(summary, texts) {
        writeln!(out, "{line}")?;
    }
    if report.exceptions > 0 {
        writeln!(out, "{}", texts.with("terminal-exceptions", &[("count", report.exceptions.into())]))?;
    }
    // `not_found` needs no reason: the bucket says it.
    let reasons = report.reasons.iter().filter(|reason| reason.bucket != Bucket::NotFound);
    for ReasonCount { bucket, code, detail, orders } in reasons.take(WORST) {
        // What the provider says of an order stays as it says it.
        let detail = if *bucket == Bucket::Refused { Cow::Borrowed(&**detail) } else { texts.translated(detail) };
        let text = if detail.is_empty() { code.clone() } else { format!("{code}: {}", cut(&detail)) };
        writeln!(out, "  {} × {orders} {text}", texts.word(Word::BucketName, bucket.code()))?;
    }
    if summary.reused > 0 {
        writeln!(out, "{}", texts.with("terminal-reused", &[("count", summary.reused.into())]))?;
    }

    show_control_totals(&summary.control_totals, voice, out)?;
    show_books(&summary.control_totals, voice, out)?;
    wording::column_causes(summary, texts).iter().try_for_each(|text| writeln!(out, "{text}"))?;
    show_ties(&summary.ties, voice, out)?;
    closing::show(summary, voice, out)?;
    show_completeness(summary.completeness.as_ref(), texts, out)?;
    wording::outside_period(summary, texts).iter().try_for_each(|text| writeln!(out, "{text}"))?;
    show_causes(summary, voice, out)?;
    show_worst(report, voice, out)?;
    show_waivers(report, texts, out)?;
    show_lifecycle(summary.lifecycle.unwrap_or_default(), texts, out)?;
    show_recheck(rechecks, texts, out)?;
    writeln!(out)?;
    if voice.is_on_terminal {
        // The summary is longer than a screen: repeat the verdict where it can be seen.
        writeln!(out, "{verdict} {why}")?;
    }
    writeln!(out, "{}", texts.with("terminal-report", &[("folder", folder.display().to_string().into())]))
}

/// Says what was appended to a dataset.
pub(super) fn show_appended(runs: &[RunRecord], dataset: &Path, voice: &Voice, out: &mut dyn Write) -> io::Result<()> {
    let orders: u64 = runs.iter().map(|run| run.orders).sum();
    let folder = dataset.display().to_string();
    let text = voice.texts.with("terminal-dataset", &[("folder", folder.into()), ("orders", orders.into())]);
    writeln!(out, "{text}")
}

/// Prints a blank line and the heading of a part of the summary.
pub(super) fn heading(text: &str, voice: &Voice, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{}", voice.bold(text))
}

fn show_control_totals(
    by_currency: &BTreeMap<String, ControlTotals>,
    voice: &Voice,
    out: &mut dyn Write,
) -> io::Result<()> {
    if by_currency.is_empty() {
        return Ok(());
    }
    let texts = voice.texts;
    heading(&texts.get("terminal-control-totals"), voice, out)?;
    let currencies: Vec<String> = by_currency.keys().map(|currency| currency_name(currency, texts)).collect();
    let mut table = grid(&iter::once(String::new()).chain(currencies.iter().cloned()).collect::<Vec<_>>());
    let mut row = |name: String, figure: &dyn Fn(&ControlTotals) -> Sum| {
        let figures = by_currency.values().map(|totals| figure(totals).to_string());
        table.add_row(iter::once(name).chain(figures).collect::<Vec<_>>());
    };
    for name in Amounts::NAMES {
        let settled = texts.with("terminal-settled", &[("amount", texts.word(Word::AmountName, name).into())]);
        row(settled, &|totals| totals.amounts.get(name).copied().unwrap_or_default());
    }
    row(texts.get("terminal-quote-split"), &|totals| totals.differences.quote_split.difference.net);
    row(texts.get("terminal-cost-sum"), &|totals| totals.differences.cost_sum.difference.net);
    row(texts.get("terminal-tolerated"), &|totals| totals.passed_by_tolerance.difference.gross);
    if by_currency.values().any(|totals| totals.passed_by_rounding.is_some()) {
        row(texts.get("terminal-rounded"), &|totals| totals.passed_by_rounding.unwrap_or_default().difference.gross);
    }
    row(texts.get("terminal-frozen"), &|totals| totals.frozen.total.quote_amount);
    if by_currency.values().any(|totals| totals.frozen.stale_soon.is_some()) {
        row(texts.get("terminal-stale-soon"), &|totals| totals.frozen.stale_soon.unwrap_or_default().quote_amount);
    }
    print(&mut table, &(1..=currencies.len()).collect::<Vec<_>>(), out)
}

/// How many failing orders were fetched again, and how many of them had changed.
fn show_recheck(rechecks: RecheckCounts, texts: Texts, out: &mut dyn Write) -> io::Result<()> {
    let RecheckCounts { rechecked, changed } = rechecks;
    if rechecked == 0 {
        return Ok(());
    }
    writeln!(out, "\n{}", texts.with("terminal-confirmed", &[("count", rechecked.into()), ("changed", changed.into())]))
}

/// Totals of our own books beside the provider's.
fn show_books(by_currency: &BTreeMap<String, ControlTotals>, voice: &Voice, out: &mut dyn Write) -> io::Result<()> {
    let texts = voice.texts;
    let mut table = grid(&[
        String::new(),
        texts.get("terminal-column-ours"),
        texts.get("terminal-column-provider"),
        texts.get("terminal-column-difference"),
        texts.get("terminal-column-without"),
        texts.get("terminal-column-currency"),
    ]);
    for (currency, totals) in by_currency {
        for (field, books) in &totals.books {
            let figures = [books.ours, books.provider, books.difference].map(|figure| figure.to_string());
            let last = [books.without_amount.to_string(), currency_name(currency, texts)];
            table.add_row(
                iter::once(texts.word(Word::AmountName, field)).chain(figures).chain(last).collect::<Vec<_>>(),
            );
        }
    }
    if table.is_empty() {
        return Ok(());
    }
    heading(&texts.get("terminal-books"), voice, out)?;
    print(&mut table, &[1, 2, 3, 4], out)
}

/// The control totals that the user gave (`--control-total`).
fn show_ties(ties: &[Tie], voice: &Voice, out: &mut dyn Write) -> io::Result<()> {
    if ties.is_empty() {
        return Ok(());
    }
    let texts = voice.texts;
    heading(&texts.get("terminal-ties"), voice, out)?;
    let mut table = grid(&[
        String::new(),
        texts.get("terminal-column-given"),
        texts.get("terminal-column-summed"),
        texts.get("terminal-column-difference"),
        texts.get("terminal-column-currency"),
        String::new(),
    ]);
    for tie in ties {
        let figure = |figure: Option<TieFigure>| figure.map(|figure| figure.to_string()).unwrap_or_default();
        table.add_row(vec![
            texts.word(Word::AmountName, tie.field),
            tie.expected.to_string(),
            figure(tie.actual),
            figure(tie.difference),
            wording::tie_currency(tie, texts),
            if tie.holds() { wording::tie_result(tie, texts) } else { texts.get("terminal-tie-fails") },
        ]);
    }
    print(&mut table, &[1, 2, 3], out)
}

/// Whether the input has every order that the provider lists.
fn show_completeness(counts: Option<&CompletenessCounts>, texts: Texts, out: &mut dyn Write) -> io::Result<()> {
    let Some(CompletenessCounts { listed, unlisted, counted, missing, problem }) = counts else {
        return Ok(());
    };
    if let Some(problem) = problem {
        writeln!(out, "\n{}", texts.with("terminal-list-not-had", &[("problem", texts.translated(problem).into())]))?;
        if counted.is_none() {
            return Ok(());
        }
    }
    let text = texts.with("terminal-complete", &[("listed", (*listed).into()), ("unlisted", (*unlisted).into())]);
    writeln!(out, "\n{text}")?;
    match (missing, counted) {
        (Some(0), _) => Ok(()),
        (Some(missing), Some(counted)) => {
            let text =
                texts.with("terminal-list-missing", &[("counted", (*counted).into()), ("missing", (*missing).into())]);
            writeln!(out, "{text}")
        }
        _ => writeln!(out, "{}", texts.get("terminal-list-uncounted")),
    }
}

/// The largest differences; where a materiality is set, only those that reach it.
fn show_worst(report: &Report, voice: &Voice, out: &mut dyn Write) -> io::Result<()> {
    let texts = voice.texts;
    let all = report.discrepancies.len();
    let is_shown = |row: &Discrepancy| report.summary.material.is_none() || row.finding.is_material;
    let (mut worst, mut count) = (Vec::with_capacity(WORST + 1), 0_u64);
    for row in report.discrepancies.iter().filter(is_shown) {
        count += 1;
        let size = |row: &Discrepancy| row.finding.difference.unwrap_or_default().abs();
        // Behind those of the same size, which are on earlier lines.
        let place = worst.partition_point(|worse| size(worse) >= size(&row));
        worst.insert(place, row);
        worst.truncate(WORST);
    }
    let shown = worst.len();
    if report.summary.material.is_some() {
        let from = report.summary.settings.material.map(|material| material.to_string());
        let from = from.unwrap_or_else(|| texts.get("terminal-material-by-workflow"));
        let text = texts.with(
            "terminal-material",
            &[("material", from.into()), ("shown", shown.into()), ("count", count.into()), ("all", all.into())],
        );
        heading(&text, voice, out)?;
    } else if all > 0 {
        let text = texts.with("terminal-worst", &[("shown", shown.into()), ("all", all.into())]);
        heading(&text, voice, out)?;
    }
    if worst.is_empty() {
        return Ok(());
    }
    let mut table = grid(&[
        texts.get("terminal-column-line"),
        texts.get("terminal-column-order"),
        texts.get("terminal-column-check"),
        texts.get("terminal-column-difference"),
        texts.get("terminal-column-what"),
    ]);
    for row in worst {
        let finding = &row.finding;
        let what = cut(&what(finding, texts));
        table.add_row(vec![
            row.line.map(|line| line.to_string()).unwrap_or_default(),
            row.run_order_id.clone(),
            finding.check.to_owned(),
            finding.difference.map(|difference| difference.to_string()).unwrap_or_default(),
            if finding.is_waived { texts.with("terminal-waived", &[("what", what.into())]) } else { what },
        ]);
    }
    print(&mut table, &[0, 3], out)
}

/// The message of a finding. English ones are in the report, so they come from the code and have no text to look up.
fn what(finding: &Finding, texts: Texts) -> String {
    let sides = [("expected", finding.expected.to_string().into()), ("actual", finding.actual.to_string().into())];
    texts.try_with(&format!("finding-{}", finding.check), &sides).unwrap_or_else(|_| finding.message.clone())
}

/// Failed checks by cause: how many orders, and the differences.
fn show_causes(summary: &SummaryJson, voice: &Voice, out: &mut dyn Write) -> io::Result<()> {
    let texts = voice.texts;
    if !summary.checks.is_empty() {
        heading(&texts.get("terminal-causes"), voice, out)?;
        let mut table = grid(&[
            texts.get("terminal-column-check"),
            texts.get("terminal-column-cause"),
            texts.get("terminal-column-severity"),
            texts.get("terminal-column-orders"),
            texts.get("terminal-column-net"),
            texts.get("terminal-column-gross"),
            texts.get("terminal-column-currency"),
        ]);
        for (check, count) in &summary.checks {
            let causes = summary.causes.iter().filter_map(|(key, count)| {
                let (of, cause) = key.split_once('.')?;
                (of == *check).then_some((cause, count))
            });
            let causes: Vec<(&str, &CheckCount)> = causes.collect();
            let rows = if causes.is_empty() { vec![("", count)] } else { causes };
            for (cause, count) in rows {
                add_cause(&mut table, [check, cause], count, texts);
            }
        }
        print(&mut table, &[3, 4, 5], out)?;
    }
    let off: Vec<_> = summary.settings.checks_off().collect();
    if !off.is_empty() {
        let codes = off.join(", ");
        let off = match &summary.dataset {
            Some(_) => texts.with("terminal-not-assessed", &[("codes", codes.into())]),
            None => texts.with("terminal-not-judged", &[("codes", codes.into())]),
        };
        writeln!(out, "{off}")?;
    }
    Ok(())
}

/// Adds one line per currency: sums never cross currencies.
fn add_cause(table: &mut Table, words: [&str; 2], count: &CheckCount, texts: Texts) {
    let severity = texts.word(Word::SeverityName, count.severity.code());
    let mut head = [words[0], words[1], &severity, &count.orders.to_string()].map(str::to_owned).to_vec();
    if count.differences.is_empty() {
        table.add_row(head);
        return;
    }
    for (currency, NetAndGross { net, gross }) in &count.differences {
        let figures = [net.to_string(), gross.to_string(), currency_name(currency, texts)];
        table.add_row(head.iter().cloned().chain(figures));
        head.fill(String::new());
    }
}

fn cut(message: &str) -> String {
    match message.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

/// How many waivers applied, expired, changed or were unused, and which of them lapsed.
fn show_waivers(report: &Report, texts: Texts, out: &mut dyn Write) -> io::Result<()> {
    let Some(WaiverCounts { applied, expired, changed, unused }) = report.summary.waivers else {
        return Ok(());
    };
    let counts = [
        (applied, texts.with("terminal-waivers-applied", &[("count", applied.into())])),
        (expired, texts.with("terminal-waivers-expired", &[("count", expired.into())])),
        (changed, texts.with("terminal-waivers-changed", &[("count", changed.into())])),
        (unused, texts.with("terminal-waivers-unused", &[("count", unused.into())])),
    ];
    let counts: Vec<String> = counts.into_iter().filter(|(count, _)| *count > 0).map(|(_, text)| text).collect();
    let counts = counts.join(&texts.get("terminal-separator"));
    writeln!(out, "\n{}", texts.with("terminal-waivers", &[("counts", counts.into())]))?;
    for (key, state) in report.lapsed.iter().take(WORST) {
        let why = match state {
            WaiverState::Expired => texts.get("terminal-waiver-expired"),
            _ => texts.get("terminal-waiver-changed"),
        };
        let check = [Some(&*key.check), key.field.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let lapsed = texts.with(
            "terminal-waiver-lapsed",
            &[("order", key.order.clone().into()), ("check", check.into()), ("why", why.into())],
        );
        writeln!(out, "  {lapsed}")?;
    }
    Ok(())
}

/// New, persisting and resolved discrepancies, once an earlier run has found any.
fn show_lifecycle(lifecycle: Lifecycle, texts: Texts, out: &mut dyn Write) -> io::Result<()> {
    let Lifecycle { new, persisting, resolved, not_assessed } = lifecycle;
    if persisting + resolved + not_assessed == 0 {
        return Ok(());
    }
    let text = texts.with(
        "terminal-lifecycle",
        &[
            ("new", new.into()),
            ("persisting", persisting.into()),
            ("resolved", resolved.into()),
            ("unjudged", not_assessed.into()),
        ],
    );
    writeln!(out, "\n{text}")
}

pub(super) fn currency_name(currency: &str, texts: Texts) -> String {
    if currency.is_empty() { texts.get("terminal-no-currency") } else { currency.escape_debug().to_string() }
}

fn is_usual(bucket: Bucket) -> bool {
    matches!(bucket, Bucket::Reconciled | Bucket::Discrepant | Bucket::Pending)
}

pub(super) fn grid(headings: &[String]) -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Disabled);
    if !headings.is_empty() {
        table.set_header(headings.to_vec());
    }
    table
}

/// Prints a table with the columns in `right` aligned to the right, and without blanks at line ends.
pub(super) fn print(table: &mut Table, right: &[usize], out: &mut dyn Write) -> io::Result<()> {
    for index in right {
        if let Some(column) = table.column_mut(*index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().try_for_each(|line| writeln!(out, " {}", line.trim_end()))
}
