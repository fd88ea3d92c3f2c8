//! `tieout dataset` and `tieout compact`: what a dataset holds, reports that are added to it, and small files merged.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;

use serde_json::json;

use super::cli::{DatasetAction, DatasetCommand, Output};
use super::exit::{self, Exit, Failure};
use super::terminal;
use super::wrap::padded;
use crate::domain::month::Month;
use crate::domain::visible::visible;
use crate::history::{Compacted, Contents, CurrencyTotals, Dataset, DatasetError, Proof};
use crate::language::{Texts, Value};
use crate::pipeline::JobError;
use crate::pipeline::close;
use crate::pipeline::dataset::{Import, import};

/// The most files that are listed of one kind.
const LISTED: usize = 20;

/// Runs the command.
///
/// # Errors
/// A [`Failure`] if there is no dataset or it can't be read, or a report can't be appended.
pub(super) fn run(command: &DatasetCommand, texts: Texts) -> Result<Exit, Failure> {
    match (&command.action, &command.dataset) {
        (Some(DatasetAction::Import { reports, dataset }), _) => add(reports, dataset, texts),
        (None, Some(dataset)) => show(dataset, command, texts),
        // Clap asks for one of them.
        (None, None) => Ok(Exit::Usage),
    }
}

/// Merges the small files of a dataset.
///
/// # Errors
/// A [`Failure`] if there is no dataset, it is damaged, or it can't be written.
pub(super) fn compact(folder: &Path, texts: Texts) -> Result<Exit, Failure> {
    let compacted = Dataset::open(folder).and_then(|dataset| dataset.compact());
    let Compacted { merged, into, days } = compacted.map_err(|error| failure(error.into()))?;
    let counts = [merged, days, into].map(|count| count.to_string());
    let [merged, days, into] = counts;
    let text = texts.with("compact-merged", &[("merged", merged.into()), ("days", days.into()), ("into", into.into())]);
    exit::ignore_closed_pipe(writeln!(io::stdout().lock(), "{text}"))?;
    Ok(Exit::Success)
}

fn add(reports: &Path, dataset: &Path, texts: Texts) -> Result<Exit, Failure> {
    let Import { appended, present, audits } = import(dataset, reports).map_err(failure)?;
    let orders: u64 = appended.iter().map(|run| run.orders).sum();
    let text = texts.with(
        "dataset-appended",
        &[
            ("dataset", dataset.display().to_string().into()),
            ("reports", appended.len().to_string().into()),
            ("orders", orders.to_string().into()),
            ("present", present.to_string().into()),
            ("audits", audits.to_string().into()),
        ],
    );
    exit::ignore_closed_pipe(writeln!(io::stdout().lock(), "{text}"))?;
    Ok(Exit::Success)
}

fn show(folder: &Path, command: &DatasetCommand, texts: Texts) -> Result<Exit, Failure> {
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
        Output::Text => text((&dataset, &contents, &closes), proof, texts, &mut out),
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
    texts: Texts,
    out: &mut dyn Write,
) -> io::Result<()> {
    let folder = dataset.folder().display().to_string();
    writeln!(out, "{}", texts.with("dataset-heading", &[("folder", folder.into())]))?;
    for (heading, value) in facts((dataset, contents, closes), texts) {
        writeln!(out, "  {} {value}", padded(&heading, 13))?;
    }
    let damage = match proof {
        _ if !contents.damage.is_empty() => texts.get("dataset-damage-found"),
        Proof::Hashes => texts.get("dataset-hashes-hold"),
        Proof::Sizes => texts.get("dataset-sizes-hold"),
    };
    writeln!(out, "  {} {damage}", padded(&texts.get("dataset-damage"), 13))?;
    list(contents.damage.iter().map(|damage| texts.translated(damage)), texts, out)?;
    if !contents.uncounted.is_empty() {
        let count = texts.with("dataset-uncounted-files", &[("count", contents.uncounted.len().to_string().into())]);
        writeln!(out, "  {} {count}", padded(&texts.get("dataset-uncounted"), 13))?;
        list(contents.uncounted.iter().filter_map(|path| path.to_str()).map(Cow::Borrowed), texts, out)?;
    }
    let Some(newest) = contents.runs.last() else { return Ok(()) };
    writeln!(out, "\n{}", texts.with("dataset-totals", &[("run", newest.run.to_string().into())]))?;
    let headings = ["currency", "orders", "settled", "quote_amount", "final_amount", "released_amount", "total_cost"];
    let mut table = terminal::grid(&headings.map(str::to_owned));
    for CurrencyTotals { currency, orders, settled, amounts } in &newest.control_totals {
        let [quote, charged, released, _, _, total] = amounts.map(|sum| sum.to_string());
        let counts = [visible(currency).into_owned(), orders.to_string(), settled.to_string()];
        table.add_row(counts.into_iter().chain([quote, charged, released, total]));
    }
    terminal::print(&mut table, &[1, 2, 3, 4, 5, 6], out)
}

/// What the dataset holds, by heading.
fn facts((dataset, contents, closes): (&Dataset, &Contents, &[Month]), texts: Texts) -> Vec<(String, String)> {
    let (identity, days, runs) = (dataset.identity(), &contents.days, &contents.runs);
    let number = |count: u64| Value::from(count.to_string());
    let account = identity.account.clone().unwrap_or_else(|| texts.get("dataset-no-account"));
    let started = [runs.first(), runs.last()].map(|run| run.map(|run| run.started_at));
    let mut files =
        texts.with("dataset-files-bytes", &[("files", number(contents.files)), ("bytes", number(contents.bytes))]);
    if let Some(bytes) = contents.bytes.checked_div(contents.observations) {
        files += &texts.with("dataset-bytes-per-order", &[("bytes", number(bytes))]);
    }
    let days_held = format!("{}{}", days.len(), span(days.first(), days.last(), texts));
    let mut facts = vec![
        (texts.get("dataset-provider"), format!("{} ({})", visible(&identity.base_url), visible(&account))),
        (
            texts.get("dataset-days"),
            texts.with(
                "dataset-days-by",
                &[("days", days_held.into()), ("zone", identity.timezone.name().to_owned().into())],
            ),
        ),
        (texts.get("dataset-runs"), format!("{}{}", runs.len(), span(started[0], started[1], texts))),
        (
            texts.get("dataset-observations"),
            texts.with(
                "dataset-observed",
                &[("orders", number(contents.observations)), ("without", number(contents.exceptions))],
            ),
        ),
        (texts.get("dataset-files"), files),
    ];
    if !closes.is_empty() {
        let months = format!("{}{}", closes.len(), span(closes.first(), closes.last(), texts));
        facts.push((texts.get("dataset-closed"), texts.with("dataset-months", &[("months", months.into())])));
    }
    facts
}

/// The first and the last of something, in brackets.
fn span<T: Display + PartialEq>(first: Option<T>, last: Option<T>, texts: Texts) -> String {
    match (first, last) {
        (Some(first), Some(last)) if first == last => format!(" ({first})"),
        (Some(first), Some(last)) => {
            texts.with("dataset-span", &[("first", first.to_string().into()), ("last", last.to_string().into())])
        }
        _ => String::new(),
    }
}

fn list<'t>(lines: impl Iterator<Item = Cow<'t, str>>, texts: Texts, out: &mut dyn Write) -> io::Result<()> {
    let lines: Vec<_> = lines.collect();
    for line in lines.iter().take(LISTED) {
        writeln!(out, "    {}", visible(line))?;
    }
    match lines.len().saturating_sub(LISTED) {
        0 => Ok(()),
        more => writeln!(out, "    {}", texts.with("dataset-more", &[("count", more.to_string().into())])),
    }
}

/// The failure for a folder that is not a dataset or not a report, or for another dataset than wanted (exit 2); else exit 4.
fn failure(error: JobError) -> Failure {
    match error {
        JobError::NoReport { .. }
        | JobError::Dataset(DatasetError::NotADataset { .. } | DatasetError::Other { .. }) => Failure::usage(error),
        error => Failure::no_report(error),
    }
}
