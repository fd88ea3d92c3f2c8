//! The end of a job on the terminal: verdict, population, control totals, the worst discrepancies, and where the
//! report is.

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
use crate::language::{Texts, Word};
use crate::report::builder::{ReasonCount, Report};
use crate::report::content::summary_json::{CompletenessCounts, ControlTotals, Lifecycle, SummaryJson, WaiverCounts};
use crate::report::content::tables::Discrepancy;
use crate::report::content::wording;
use crate::store::Confirmations;
use crate::summary::{CheckCount, NetAndGross, Tie, TieFigure};

/// How many discrepancies are shown; the report has them all.
const WORST: usize = 5;
/// How many characters of what is wrong are shown.
const WHAT: usize = 100;

/// Writes the summary of a report for people.
///
/// # Errors
/// When standard output can't be written.
pub(super) fn show(
    report: &Report,
    folder: &Path,
    confirmed: Confirmations,
    voice: &Voice,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (summary, texts) = (&report.summary, voice.texts);
    let verdict = texts.with("terminal-verdict", &[("verdict", texts.of(Word::VerdictName, summary.verdict).into())]);
    let verdict = voice.verdict(report.weighed.verdict, &verdict);
    let why = wording::verdict(summary, &report.weighed, texts);
    // Where all orders met one answer there is nothing else to read: it is in the very first line.
    writeln!(out, "{verdict}{}{why}", if summary.sole_reason.is_some() { " " } else { "\n" })?;

    heading(&texts.get("terminal-population"), voice, out)?;
    let mut population = grid(&[]);
    for (bucket, count) in summary.population.buckets().filter(|(bucket, count)| *count > 0 || is_usual(*bucket)) {
        population.add_row(vec![texts.of(Word::BucketName, bucket.code()), count.to_string()]);
    }
    population.add_row(vec![texts.get("terminal-rows-read"), summary.population.rows().to_string()]);
    print(&mut population, &[1], out)?;
    for line in wording::input(summary, texts) {
        writeln!(out, "{line}")?;
    }
    if report.exceptions > 0 {
        writeln!(out, "{}", texts.with("terminal-exceptions", &[("count", report.exceptions.into())]))?;
    }
    // That there is no such order is its own reason.
    let told = report.reasons.iter().filter(|reason| reason.bucket != Bucket::NotFound);
    for ReasonCount { bucket, code, detail, orders } in told.take(WORST) {
        let said = if detail.is_empty() { code.clone() } else { format!("{code}: {}", cut(detail)) };
        writeln!(out, "  {} × {orders} {said}", texts.of(Word::BucketName, bucket.code()))?;
    }
    if summary.reused > 0 {
        writeln!(out, "{}", texts.with("terminal-reused", &[("count", summary.reused.into())]))?;
    }

    show_control_totals(&summary.control_totals, voice, out)?;
    show_books(&summary.control_totals, voice, out)?;
    wording::column_causes(summary, texts).iter().try_for_each(|said| writeln!(out, "{said}"))?;
    show_ties(&summary.ties, voice, out)?;
    show_completeness(summary.completeness.as_ref(), texts, out)?;
    wording::outside_period(summary, texts).iter().try_for_each(|said| writeln!(out, "{said}"))?;
    show_causes(summary, voice, out)?;
    show_worst(report, voice, out)?;
    show_waivers(report, texts, out)?;
    show_lifecycle(summary.lifecycle, texts, out)?;
    show_confirmed(confirmed, texts, out)?;
    writeln!(out)?;
    if voice.is_on_terminal {
        // The summary is longer than a screen, and its first lines are out of sight.
        writeln!(out, "{verdict} {why}")?;
    }
    writeln!(out, "{}", texts.with("terminal-report", &[("folder", folder.display().to_string().into())]))
}

/// The heading of a part of the summary, after a blank line.
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
        let settled = texts.with("terminal-settled", &[("amount", texts.of(Word::AmountName, name).into())]);
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

/// What came of reading failing orders once more.
fn show_confirmed(confirmed: Confirmations, texts: Texts, out: &mut dyn Write) -> io::Result<()> {
    let Confirmations { asked, changed } = confirmed;
    if asked == 0 {
        return Ok(());
    }
    writeln!(out, "\n{}", texts.with("terminal-confirmed", &[("count", asked.into()), ("changed", changed.into())]))
}

/// Our own books beside the provider's.
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
            table.add_row(iter::once(texts.of(Word::AmountName, field)).chain(figures).chain(last).collect::<Vec<_>>());
        }
    }
    if table.is_empty() {
        return Ok(());
    }
    heading(&texts.get("terminal-books"), voice, out)?;
    print(&mut table, &[1, 2, 3, 4], out)
}

/// The control totals from outside.
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
            texts.of(Word::AmountName, tie.field),
            tie.expected.to_string(),
            figure(tie.actual),
            figure(tie.difference),
            wording::tie_currency(tie, texts),
            if tie.holds() { wording::tie_result(tie, texts) } else { texts.get("terminal-tie-fails") },
        ]);
    }
    print(&mut table, &[1, 2, 3], out)
}

/// Whether the input has all that the provider lists.
fn show_completeness(counts: Option<&CompletenessCounts>, texts: Texts, out: &mut dyn Write) -> io::Result<()> {
    let Some(CompletenessCounts { listed, unlisted, counted, missing, problem }) = counts else {
        return Ok(());
    };
    if let Some(problem) = problem {
        writeln!(out, "\n{}", texts.with("terminal-list-not-had", &[("problem", problem.clone().into())]))?;
        if counted.is_none() {
            return Ok(());
        }
    }
    let said = texts.with("terminal-complete", &[("listed", (*listed).into()), ("unlisted", (*unlisted).into())]);
    writeln!(out, "\n{said}")?;
    match (missing, counted) {
        (Some(0), _) => Ok(()),
        (Some(missing), Some(counted)) => {
            let said =
                texts.with("terminal-list-missing", &[("counted", (*counted).into()), ("missing", (*missing).into())]);
            writeln!(out, "{said}")
        }
        _ => writeln!(out, "{}", texts.get("terminal-list-uncounted")),
    }
}

/// The largest differences; where a materiality is set, those that come to it.
fn show_worst(report: &Report, voice: &Voice, out: &mut dyn Write) -> io::Result<()> {
    let texts = voice.texts;
    let all = report.discrepancies.len();
    let is_shown = |row: &&Discrepancy| report.summary.material.is_none() || row.finding.is_material;
    let mut worst: Vec<&Discrepancy> = report.discrepancies.iter().filter(is_shown).collect();
    worst.sort_by_key(|row| std::cmp::Reverse(row.finding.difference.unwrap_or_default().abs()));
    let (shown, count) = (worst.len().min(WORST), worst.len());
    if report.summary.material.is_some() {
        let from = report.summary.settings.material.map(|material| material.to_string());
        let from = from.unwrap_or_else(|| texts.get("terminal-material-by-workflow"));
        let said = texts.with(
            "terminal-material",
            &[("material", from.into()), ("shown", shown.into()), ("count", count.into()), ("all", all.into())],
        );
        heading(&said, voice, out)?;
    } else if all > 0 {
        let said = texts.with("terminal-worst", &[("shown", shown.into()), ("all", all.into())]);
        heading(&said, voice, out)?;
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
    for row in worst.into_iter().take(WORST) {
        let finding = &row.finding;
        let what = cut(&what(finding, texts));
        table.add_row(vec![
            row.line.map(|line| line.to_string()).unwrap_or_default(),
            row.run_order_id.to_string(),
            finding.check.to_owned(),
            finding.difference.map(|difference| difference.to_string()).unwrap_or_default(),
            if finding.is_waived { texts.with("terminal-waived", &[("what", what.into())]) } else { what },
        ]);
    }
    print(&mut table, &[0, 3], out)
}

/// What is wrong. The English message stands in the report as well, and so in the code.
fn what(finding: &Finding, texts: Texts) -> String {
    let sides = [("expected", finding.expected.to_string().into()), ("actual", finding.actual.to_string().into())];
    texts.try_with(&format!("finding-{}", finding.check), &sides).unwrap_or_else(|_| finding.message.clone())
}

/// How many orders fail which check for which cause, and by how much.
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
        writeln!(out, "{}", texts.with("terminal-not-judged", &[("codes", off.join(", ").into())]))?;
    }
    Ok(())
}

/// One line a currency: sums never cross currencies.
fn add_cause(table: &mut Table, words: [&str; 2], count: &CheckCount, texts: Texts) {
    let severity = texts.of(Word::SeverityName, count.severity.code());
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
    match message.char_indices().nth(WHAT) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

/// What became of the waivers, and which of them lapsed.
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
    let counts: Vec<String> = counts.into_iter().filter(|(count, _)| *count > 0).map(|(_, said)| said).collect();
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

/// What became of discrepancies since the report before, once there is something to tell.
fn show_lifecycle(lifecycle: Lifecycle, texts: Texts, out: &mut dyn Write) -> io::Result<()> {
    let Lifecycle { new, persisting, resolved, not_assessed } = lifecycle;
    if persisting + resolved + not_assessed == 0 {
        return Ok(());
    }
    let said = texts.with(
        "terminal-lifecycle",
        &[
            ("new", new.into()),
            ("persisting", persisting.into()),
            ("resolved", resolved.into()),
            ("unjudged", not_assessed.into()),
        ],
    );
    writeln!(out, "\n{said}")
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

/// Prints with those columns aligned to the right, and no blanks at line ends.
pub(super) fn print(table: &mut Table, right: &[usize], out: &mut dyn Write) -> io::Result<()> {
    for index in right {
        if let Some(column) = table.column_mut(*index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().try_for_each(|line| writeln!(out, " {}", line.trim_end()))
}
