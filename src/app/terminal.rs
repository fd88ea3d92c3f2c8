//! The end of a job on the terminal: verdict, population, control totals, the worst discrepancies, and where the
//! report is.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::iter;
use std::path::Path;

use comfy_table::{CellAlignment, ContentArrangement, Table, TableStyle};

use crate::checks::{CATALOGUE, WaiverState};
use crate::domain::money::Sum;
use crate::domain::order::Amounts;
use crate::domain::outcome::Bucket;
use crate::report::builder::Report;
use crate::report::summary_json::{ControlTotals, Lifecycle, SummaryJson, WaiverCounts};
use crate::report::tables::Discrepancy;
use crate::summary::{CheckCount, NetAndGross, Verdict};

/// How many discrepancies are shown; the report has them all.
const WORST: usize = 5;
/// How many characters of what is wrong are shown.
const WHAT: usize = 100;

/// Writes the summary of a report for people.
///
/// # Errors
/// When standard output can't be written.
pub(super) fn show(report: &Report, folder: &Path, out: &mut dyn Write) -> io::Result<()> {
    let summary = &report.summary;
    writeln!(out, "Verdict: {}", summary.verdict.to_uppercase())?;
    writeln!(out, "{}", explanation(report))?;

    writeln!(out, "\nPopulation")?;
    let mut population = grid(&[]);
    for (bucket, count) in summary.population.buckets().filter(|(bucket, count)| *count > 0 || is_usual(*bucket)) {
        population.add_row(vec![bucket.code().to_owned(), count.to_string()]);
    }
    population.add_row(vec!["= rows read".to_owned(), summary.population.rows().to_string()]);
    print(&mut population, &[1], out)?;
    if report.exceptions > 0 {
        let rows = counted(report.exceptions as u64, "row is", "rows are");
        writeln!(out, "{rows} no fetched order: exceptions.csv in the report says which, and why.")?;
    }
    if summary.reused > 0 {
        let reused = counted(summary.reused, "order was", "orders were");
        writeln!(out, "{reused} not asked for again: an earlier run saw them settled.")?;
    }

    show_control_totals(&summary.control_totals, out)?;
    show_causes(summary, out)?;
    show_worst(report, out)?;
    show_waivers(report, out)?;
    show_lifecycle(summary.lifecycle, out)?;
    writeln!(out, "\nReport: {}", folder.display())
}

fn show_control_totals(by_currency: &BTreeMap<String, ControlTotals>, out: &mut dyn Write) -> io::Result<()> {
    if by_currency.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nControl totals")?;
    let currencies: Vec<String> = by_currency.keys().map(|currency| currency_name(currency)).collect();
    let headings: Vec<&str> = iter::once("").chain(currencies.iter().map(String::as_str)).collect();
    let mut table = grid(&headings);
    let mut row = |name: &str, figure: &dyn Fn(&ControlTotals) -> Sum| {
        let figures = by_currency.values().map(|totals| figure(totals).to_string());
        table.add_row(iter::once(name.to_owned()).chain(figures).collect::<Vec<_>>());
    };
    for name in Amounts::NAMES {
        row(&format!("{name} (settled)"), &|totals| totals.amounts.get(name).copied().unwrap_or_default());
    }
    row("quote-split differences, net", &|totals| totals.differences.quote_split.difference.net);
    row("cost-sum differences, net", &|totals| totals.differences.cost_sum.difference.net);
    row("passed by tolerance, gross", &|totals| totals.passed_by_tolerance.difference.gross);
    row("still frozen", &|totals| totals.frozen.total.quote_amount);
    print(&mut table, &(1..=currencies.len()).collect::<Vec<_>>(), out)
}

/// The largest differences; where a materiality is set, those that come to it.
fn show_worst(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let all = report.discrepancies.len();
    let is_shown = |row: &&Discrepancy| report.summary.material.is_none() || row.finding.is_material;
    let mut worst: Vec<&Discrepancy> = report.discrepancies.iter().filter(is_shown).collect();
    worst.sort_by_key(|row| std::cmp::Reverse(row.finding.difference.unwrap_or_default().abs()));
    if let Some(material) = &report.summary.settings.material {
        writeln!(
            out,
            "\nMaterial discrepancies, from {material} on ({} of {} in {all})",
            worst.len().min(WORST),
            worst.len()
        )?;
    } else if all > 0 {
        writeln!(out, "\nWorst discrepancies ({} of {all})", all.min(WORST))?;
    }
    if worst.is_empty() {
        return Ok(());
    }
    let mut table = grid(&["line", "run order", "check", "difference", "what"]);
    for row in worst.into_iter().take(WORST) {
        let finding = &row.finding;
        table.add_row(vec![
            row.line.to_string(),
            row.run_order_id.to_string(),
            finding.check.to_owned(),
            finding.difference.map(|difference| difference.to_string()).unwrap_or_default(),
            format!("{}{}", if finding.is_waived { "waived: " } else { "" }, cut(&finding.message)),
        ]);
    }
    print(&mut table, &[0, 3], out)
}

/// How many orders fail which check for which cause, and by how much.
fn show_causes(summary: &SummaryJson, out: &mut dyn Write) -> io::Result<()> {
    if !summary.checks.is_empty() {
        writeln!(out, "\nFailed checks by cause")?;
        let mut table =
            grid(&["check", "cause", "severity", "orders", "net difference", "gross difference", "currency"]);
        for (check, count) in &summary.checks {
            let causes = summary.causes.iter().filter_map(|(key, count)| {
                let (of, cause) = key.split_once('.')?;
                (of == *check).then_some((cause, count))
            });
            let causes: Vec<(&str, &CheckCount)> = causes.collect();
            let rows = if causes.is_empty() { vec![("", count)] } else { causes };
            for (cause, count) in rows {
                add_cause(&mut table, [check, cause], count);
            }
        }
        print(&mut table, &[3, 4, 5], out)?;
    }
    let off = not_judged(summary);
    if !off.is_empty() {
        writeln!(out, "Not judged, as set: {}", off.join(", "))?;
    }
    Ok(())
}

/// The checks that are off.
fn not_judged(summary: &SummaryJson) -> Vec<&'static str> {
    let judged = &summary.settings.checks;
    CATALOGUE.iter().map(|check| check.code).filter(|code| !judged.iter().any(|on| on == code)).collect()
}

/// One line a currency: sums never cross currencies.
fn add_cause(table: &mut Table, words: [&str; 2], count: &CheckCount) {
    let mut head = [words[0], words[1], count.severity.code(), &count.orders.to_string()].map(str::to_owned).to_vec();
    if count.differences.is_empty() {
        table.add_row(head);
        return;
    }
    for (currency, NetAndGross { net, gross }) in &count.differences {
        let figures = [net.to_string(), gross.to_string(), currency_name(currency)];
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
fn show_waivers(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let Some(WaiverCounts { applied, expired, changed, unused }) = report.summary.waivers else {
        return Ok(());
    };
    let counts = [(applied, "applied"), (expired, "expired"), (changed, "changed"), (unused, "unused")];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    writeln!(out, "\nWaivers: {}", counts.collect::<Vec<_>>().join(", "))?;
    for (order, check, state) in report.lapsed.iter().take(WORST) {
        writeln!(
            out,
            "  {order} {check}: {}",
            match state {
                WaiverState::Expired => "its day is over",
                _ => "the figures are other ones now",
            }
        )?;
    }
    Ok(())
}

/// What became of discrepancies since the report before, once there is something to tell.
fn show_lifecycle(lifecycle: Lifecycle, out: &mut dyn Write) -> io::Result<()> {
    let Lifecycle { new, persisting, resolved, not_assessed } = lifecycle;
    if persisting + resolved + not_assessed == 0 {
        return Ok(());
    }
    write!(out, "\nSince the report before: {new} new, {persisting} persisting, {resolved} resolved")?;
    if not_assessed > 0 {
        write!(out, ", {not_assessed} could not be judged")?;
    }
    writeln!(out)
}

fn explanation(report: &Report) -> String {
    let population = &report.summary.population;
    // With a check off nobody knows whether everything ties out.
    let ties_out = if not_judged(&report.summary).is_empty() { "ties out" } else { "passes the checks that are on" };
    match report.weighed.verdict {
        Verdict::Reconciled => format!("Every order is settled and {ties_out}."),
        Verdict::Pending => format!(
            "Everything due so far {ties_out}; {} not settled yet.",
            counted(population.of(Bucket::Pending), "order is", "orders are")
        ),
        Verdict::Warnings => "There is no error, but something is worth a look.".to_owned(),
        Verdict::Discrepant => {
            let look = [Bucket::Discrepant, Bucket::NotFound, Bucket::Refused, Bucket::Rejected];
            format!(
                "{} a person's look. This is the finding, not a failure of the job.",
                counted(population.of_any(&look), "row needs", "rows need")
            )
        }
        Verdict::Incomplete => {
            let missing = population.of_any(&[Bucket::Unfetched, Bucket::Malformed]);
            match (population.rows(), missing) {
                (0, _) => {
                    "No verdict can be given: the input has no rows (if that is fine, say --allow-empty).".to_owned()
                }
                (_, 0) => "No verdict can be given: not one row led to an order.".to_owned(),
                _ => {
                    let rows = counted(missing, "row is", "rows are");
                    format!("No verdict can be given: {rows} without a readable answer. Run again.")
                }
            }
        }
        Verdict::Empty => "There was nothing to reconcile, as allowed.".to_owned(),
    }
}

pub(super) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

pub(super) fn currency_name(currency: &str) -> String {
    if currency.is_empty() { "no currency".to_owned() } else { currency.escape_debug().to_string() }
}

fn is_usual(bucket: Bucket) -> bool {
    matches!(bucket, Bucket::Reconciled | Bucket::Discrepant | Bucket::Pending)
}

pub(super) fn grid(headings: &[&str]) -> Table {
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
