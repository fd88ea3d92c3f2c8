//! `tieout dataset` and `tieout compact`: what a dataset holds, reports that are added to it, and small files merged.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;

use serde_json::json;

use super::cli::{DatasetAction, DatasetCommand, Output};
use super::exit::{self, Exit, Failure};
use super::terminal;
use crate::domain::month::Month;
use crate::domain::visible::visible;
use crate::history::{Compacted, Contents, CurrencyTotals, Dataset, DatasetError, Proof};
use crate::pipeline::JobError;
use crate::pipeline::close;
use crate::pipeline::dataset::{Import, import};

/// The most files that are listed of one kind.
const LISTED: usize = 20;

/// Runs the command.
///
/// # Errors
/// A [`Failure`] if there is no dataset or it can't be read, or a report can't be appended.
pub(super) fn run(command: &DatasetCommand) -> Result<Exit, Failure> {
    match (&command.action, &command.dataset) {
        (Some(DatasetAction::Import { reports, dataset }), _) => add(reports, dataset),
        (None, Some(dataset)) => show(dataset, command),
        // Clap asks for one of them.
        (None, None) => Ok(Exit::Usage),
    }
}

/// Merges the small files of a dataset.
///
/// # Errors
/// A [`Failure`] if there is no dataset, it is damaged, or it can't be written.
pub(super) fn compact(folder: &Path) -> Result<Exit, Failure> {
    let compacted = Dataset::open(folder).and_then(|dataset| dataset.compact());
    let Compacted { merged, into, days } = compacted.map_err(|error| failure(error.into()))?;
    let shown = writeln!(io::stdout().lock(), "files merged: {merged} (days: {days}), into: {into}");
    exit::ignore_closed_pipe(shown)?;
    Ok(Exit::Success)
}

fn add(reports: &Path, dataset: &Path) -> Result<Exit, Failure> {
    let Import { appended, present, audits } = import(dataset, reports).map_err(failure)?;
    let mut out = io::stdout().lock();
    let orders: u64 = appended.iter().map(|run| run.orders).sum();
    let shown = writeln!(
        out,
        "reports appended to {}: {} (orders: {orders}); there already: {present}; audits, which observe nothing: {audits}",
        dataset.display(),
        appended.len()
    );
    exit::ignore_closed_pipe(shown)?;
    Ok(Exit::Success)
}

fn show(folder: &Path, command: &DatasetCommand) -> Result<Exit, Failure> {
    let dataset = Dataset::open(folder).map_err(|error| failure(error.into()))?;
    let proof = if command.quick { Proof::Sizes } else { Proof::Hashes };
    let mut contents = dataset.contents(proof).map_err(|error| failure(error.into()))?;
    let closes: Vec<Month> = dataset.closes().map_err(|error| failure(error.into()))?.into_keys().collect();
    contents.damage.extend(close::damage(&dataset).map_err(failure)?);
    let mut out = io::stdout().lock();
    let shown = match command.output {
        Output::Json => {
            let json = json(&dataset, &contents, &closes);
            serde_json::to_writer_pretty(&mut out, &json).map_err(io::Error::from).and_then(|()| writeln!(out))
        }
        Output::Text => text((&dataset, &contents, &closes), proof, &mut out),
    };
    exit::ignore_closed_pipe(shown)?;
    if contents.damage.is_empty() {
        return Ok(Exit::Success);
    }
    let what = format!("the dataset in {} is damaged: {} files", folder.display(), contents.damage.len());
    Err(Failure::no_report(what).help("restore those files from a backup, or import their reports into a new dataset"))
}

fn json(dataset: &Dataset, contents: &Contents, closes: &[Month]) -> serde_json::Value {
    let newest = contents.runs.last();
    json!({
        "timezone": dataset.identity().timezone.name(),
        "base_url": dataset.identity().base_url,
        "account": dataset.identity().account,
        "runs": contents.runs.len(),
        "first_run": contents.runs.first().map(|run| run.started_at),
        "last_run": newest.map(|run| run.started_at),
        "observations": contents.observations,
        "exceptions": contents.exceptions,
        "days": contents.days.len(),
        "first_day": contents.days.first(),
        "last_day": contents.days.last(),
        "files": contents.files,
        "bytes": contents.bytes,
        "closes": closes,
        "last_control_totals": newest.map(|run| &run.control_totals),
        "damage": contents.damage,
        "uncounted": contents.uncounted,
    })
}

fn text(
    (dataset, contents, closes): (&Dataset, &Contents, &[Month]),
    proof: Proof,
    out: &mut dyn Write,
) -> io::Result<()> {
    let identity = dataset.identity();
    let account = identity.account.as_deref().unwrap_or("no account named");
    writeln!(out, "Dataset {}", dataset.folder().display())?;
    writeln!(out, "  provider      {} ({})", visible(&identity.base_url), visible(account))?;
    let (days, runs) = (&contents.days, &contents.runs);
    let zone = identity.timezone.name();
    writeln!(out, "  days          {}{}, by {zone}", days.len(), span(days.first(), days.last()))?;
    let started = [runs.first(), runs.last()].map(|run| run.map(|run| run.started_at));
    writeln!(out, "  runs          {}{}", runs.len(), span(started[0], started[1]))?;
    writeln!(out, "  observations  {} of orders, {} rows without", contents.observations, contents.exceptions)?;
    let per_order = contents.bytes.checked_div(contents.observations).map(|bytes| format!(", {bytes} an order"));
    writeln!(out, "  files         {} with {} bytes{}", contents.files, contents.bytes, per_order.unwrap_or_default())?;
    if !closes.is_empty() {
        writeln!(out, "  closed        months: {}{}", closes.len(), span(closes.first(), closes.last()))?;
    }
    let looked = if proof == Proof::Hashes { "every hash is as written" } else { "every size is as written" };
    writeln!(out, "  damage        {}", if contents.damage.is_empty() { looked } else { "FOUND" })?;
    list(contents.damage.iter().map(String::as_str), out)?;
    if !contents.uncounted.is_empty() {
        writeln!(out, "  uncounted     {} files that no run names", contents.uncounted.len())?;
        list(contents.uncounted.iter().filter_map(|path| path.to_str()), out)?;
    }
    let Some(newest) = contents.runs.last() else { return Ok(()) };
    writeln!(out, "\nControl totals of the newest run, {}", newest.run)?;
    let headings = ["currency", "orders", "settled", "quote_amount", "final_amount", "released_amount", "total_cost"];
    let mut table = terminal::grid(&headings.map(str::to_owned));
    for CurrencyTotals { currency, orders, settled, amounts } in &newest.control_totals {
        let [quote, charged, released, _, _, total] = amounts.map(|sum| sum.to_string());
        let counts = [visible(currency).into_owned(), orders.to_string(), settled.to_string()];
        table.add_row(counts.into_iter().chain([quote, charged, released, total]));
    }
    terminal::print(&mut table, &[1, 2, 3, 4, 5, 6], out)
}

/// The first and the last of something, in brackets.
fn span<T: Display + PartialEq>(first: Option<T>, last: Option<T>) -> String {
    match (first, last) {
        (Some(first), Some(last)) if first == last => format!(" ({first})"),
        (Some(first), Some(last)) => format!(" ({first} to {last})"),
        _ => String::new(),
    }
}

fn list<'t>(texts: impl Iterator<Item = &'t str>, out: &mut dyn Write) -> io::Result<()> {
    let texts: Vec<_> = texts.collect();
    for text in texts.iter().take(LISTED) {
        writeln!(out, "    {}", visible(text))?;
    }
    let more = texts.len().saturating_sub(LISTED);
    if more > 0 { writeln!(out, "    and {more} more") } else { Ok(()) }
}

/// The failure for a folder that is not a dataset or not a report, or for another dataset than wanted (exit 2); else exit 4.
fn failure(error: JobError) -> Failure {
    match error {
        JobError::NoReport { .. }
        | JobError::Dataset(DatasetError::NotADataset { .. } | DatasetError::Other { .. }) => Failure::usage(error),
        error => Failure::no_report(error),
    }
}
