//! `tieout runs`: lists the runs in the state.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::cli::{General, Output, Runs};
use super::exit::{self, Exit, Failure};
use super::settings;
use crate::domain::visible::visible;
use crate::language::Texts;
use crate::store::{Ending, Run, Store, StoreError, is_locked};

/// Lists the runs, newest first.
pub(super) fn run(command: &Runs, general: &General, texts: Texts) -> Result<Exit, Failure> {
    let (state, _) = settings::place(&command.place, general).map_err(Failure::usage)?;
    require(&state)?;
    let store = Store::open_to_read(&state).map_err(Failure::no_report)?;
    let rows = rows(&store).map_err(Failure::no_report)?;
    let mut out = io::stdout().lock();
    let shown = match command.output {
        Output::Json => {
            serde_json::to_writer_pretty(&mut out, &rows).map_err(io::Error::from).and_then(|()| writeln!(out))
        }
        Output::Text => show(&rows, texts, &mut out),
    };
    exit::ignore_closed_pipe(shown)?;
    Ok(Exit::Success)
}

/// Refuses to go on where there is no state file, so that opening it does not create one.
pub(super) fn require(state: &Path) -> Result<(), Failure> {
    if state.exists() {
        return Ok(());
    }
    let what = format!("there is no state file {}", state.display());
    Err(Failure::usage(what).help("name it with --state, or name the reports folder with --reports-dir"))
}

fn rows(store: &Store) -> Result<Vec<Value>, StoreError> {
    let mut rows = Vec::new();
    let mut holder = is_locked(store.path());
    for run in store.runs()?.into_iter().rev() {
        let done = if run.is_open() { store.count_finished_lines(run.id)? } else { run.setup.rows };
        rows.push(json!({
            "run": run.id.to_string(),
            "state": match holder.take() {
                Some(_) if run.ended.is_none() => "running",
                _ => word(&run),
            },
            "started_at": run.setup.started_at.to_string(),
            "as_of": run.setup.as_of.to_string(),
            "base_url": run.setup.base_url,
            "input": run.setup.input_name,
            "input_sha256": run.setup.input_sha256,
            "rows": run.setup.rows,
            "done": done,
            "ended_at": run.ended.map(|(at, _)| at.to_string()),
            "verdict": run.report.as_ref().map(|report| report.verdict.clone()),
            "report": run.report.as_ref().map(|report| report.folder.clone()),
            "manifest_sha256": run.report.as_ref().map(|report| report.manifest_sha256.clone()),
        }));
    }
    Ok(rows)
}

/// The status of a run. Unfinished and incomplete ones are continued when the same command is run again.
fn word(run: &Run) -> &'static str {
    match run.ended {
        None => "unfinished",
        Some((_, Ending::GivenUp)) => "given-up",
        Some((_, Ending::Reported)) if run.is_open() => "incomplete",
        Some((_, Ending::Reported)) => "finished",
    }
}

fn show(rows: &[Value], texts: Texts, out: &mut dyn Write) -> io::Result<()> {
    if rows.is_empty() {
        return writeln!(out, "{}", texts.get("runs-none"));
    }
    let text = |row: &Value, name: &str| match &row[name] {
        Value::String(text) => visible(text).into_owned(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let columns = [
        ("run", texts.get("runs-column-run")),
        ("state", texts.get("runs-column-state")),
        ("started_at", texts.get("runs-column-started-at")),
        ("done", texts.get("runs-column-done")),
        ("rows", texts.get("runs-column-rows")),
        ("verdict", texts.get("runs-column-verdict")),
        ("input", texts.get("runs-column-input")),
        ("report", texts.get("runs-column-report")),
    ];
    let mut table = super::terminal::grid(&columns.clone().map(|(_, heading)| heading));
    for row in rows {
        let cell = |name| match name {
            "state" => state_name(&text(row, name), texts),
            name => text(row, name),
        };
        table.add_row(columns.clone().map(|(name, _)| cell(name)));
    }
    super::terminal::print(&mut table, &[3, 4], out)
}

/// The status of a run as the table shows it.
fn state_name(state: &str, texts: Texts) -> String {
    match state {
        "running" => texts.get("runs-state-running"),
        "unfinished" => texts.get("runs-state-unfinished"),
        "given-up" => texts.get("runs-state-given-up"),
        "incomplete" => texts.get("runs-state-incomplete"),
        "finished" => texts.get("runs-state-finished"),
        other => other.to_owned(),
    }
}
