//! `tieout status`: a line that tells whether the nightly job did its work, and an exit code.

use std::io::{self, Write};

use jiff::{SignedDuration, Timestamp, Unit};
use serde_json::{Value as Json, json};

use super::audit::failure;
use super::cli::{General, Output, StatusCommand};
use super::exit::{self, Exit, Failure};
use super::settings;
use super::voice::Voice;
use crate::domain::schedule::Schedule;
use crate::domain::time::Period;
use crate::domain::visible::visible;
use crate::language::{Texts, Value, Word};
use crate::pipeline::status::{Expectation, Status, StatusProblem, status};

/// How many missing nights the JSON lists.
const LISTED: usize = 100;

/// Looks at the reports folder and prints the result. Exits with 1 if anything is amiss.
pub(super) fn run(command: &StatusCommand, general: &General, voice: &Voice) -> Result<Exit, Failure> {
    let wanted = settings::resolve_status(command, general).map_err(Failure::usage)?;
    let found = status(&wanted).map_err(failure)?;
    let mut out = io::stdout().lock();
    let shown = match command.output {
        Output::Text => writeln!(out, "{}", visible(&line(&found, &wanted, &voice.texts))),
        Output::Json => serde_json::to_writer_pretty(&mut out, &as_json(&found, &wanted, &voice.texts))
            .map_err(io::Error::from)
            .and_then(|()| writeln!(out)),
    };
    exit::ignore_closed_pipe(shown)?;
    Ok(if found.problems.is_empty() { Exit::Success } else { Exit::Discrepant })
}

/// All of the status in one line.
fn line(status: &Status, wanted: &Expectation, texts: &Texts) -> String {
    let is_well = status.problems.is_empty();
    let word = if is_well { texts.get("status-well") } else { texts.get("status-not-well") };
    let newest = status.newest.as_ref().map(|newest| {
        let newest_line = texts.with(
            "status-newest",
            &[
                ("report", newest.report.as_str().into()),
                ("age", shown(newest.age).into()),
                ("verdict", texts.word(Word::VerdictName, &newest.verdict).into()),
            ],
        );
        if is_well { format!("{newest_line}, {}", texts.get("status-proven")) } else { newest_line }
    });
    let nights = texts.with("status-nights", &[("count", number(status.nights))]);
    let none_missing = status
        .since
        .filter(|_| status.missing.is_empty())
        .map(|day| texts.with("status-none-missing", &[("day", day.to_string().into())]));
    let is_stale = |problem: &StatusProblem| matches!(problem, StatusProblem::StaleLock { .. });
    let running = status.running.filter(|_| !status.problems.iter().any(is_stale));
    let running = running.map(|holder| texts.with("status-running", &[("pid", holder.pid.to_string().into())]));
    let nights = [nights].into_iter().chain(none_missing).collect::<Vec<_>>().join(", ");
    let problems = status.problems.iter().map(|problem| problem_text(problem, wanted, texts));
    let all: Vec<String> = newest.into_iter().chain(problems).chain([nights]).chain(running).collect();
    format!("{word}: {}", all.join("; "))
}

fn problem_text(problem: &StatusProblem, wanted: &Expectation, texts: &Texts) -> String {
    let text = |text: &str| Value::from(text.to_owned());
    let translated = |text: &str| Value::from(texts.translated(text).into_owned());
    match problem {
        StatusProblem::NoReport => {
            texts.with("status-no-report", &[("folder", wanted.reports.display().to_string().into())])
        }
        StatusProblem::Damaged { report, problem } => {
            texts.with("status-damaged", &[("report", text(report)), ("problem", translated(problem))])
        }
        StatusProblem::NotProven { report, part, detail } => texts.with(
            "status-not-proven",
            &[("report", text(report)), ("part", text(part)), ("detail", translated(detail))],
        ),
        StatusProblem::ReportMissing { report, count } => {
            texts.with("status-report-missing", &[("count", number(*count)), ("report", text(report))])
        }
        StatusProblem::Copied { copy, report } => {
            texts.with("status-copied", &[("copy", text(copy)), ("report", text(report))])
        }
        StatusProblem::Incomplete => texts.get("status-incomplete"),
        StatusProblem::TooOld { max_age } => texts.with("status-too-old", &[("most", shown(*max_age).into())]),
        StatusProblem::FromTheFuture => texts.get("status-from-the-future"),
        StatusProblem::NightsMissing { count, first } => {
            texts.with("status-nights-missing", &[("count", number(*count)), ("first", night(first, wanted).into())])
        }
        StatusProblem::NoState => {
            texts.with("status-no-state", &[("state", wanted.state.display().to_string().into())])
        }
        StatusProblem::StateUnusable { problem } => texts.translated(problem).into_owned(),
        StatusProblem::StateTooYoung { report, count } => {
            texts.with("status-state-too-young", &[("count", number(*count)), ("report", text(report))])
        }
        StatusProblem::StaleLock { holder } => texts.with(
            "status-stale-lock",
            &[("pid", holder.pid.to_string().into()), ("since", holder.since.to_string().into())],
        ),
        StatusProblem::DiskAlmostFull { path, free, wanted } => texts.with(
            "status-disk-almost-full",
            &[
                ("path", path.display().to_string().into()),
                ("free", (free >> 20).to_string().into()),
                ("wanted", (wanted >> 20).to_string().into()),
            ],
        ),
    }
}

fn number(count: u64) -> Value<'static> {
    Value::from(count)
}

/// A duration to the minute, one of several days to the hour, and a brief one to the second.
fn shown(duration: SignedDuration) -> String {
    let duration = duration.abs();
    let (days, hours) = (duration.as_hours() / 24, duration.as_hours() % 24);
    match days.abs() {
        0 if duration < SignedDuration::from_mins(2) => {
            format!("{:#}", duration.round(Unit::Second).unwrap_or(duration))
        }
        0..=2 => format!("{:#}", duration.round(Unit::Minute).unwrap_or(duration)),
        _ => format!("{days}d {hours}h"),
    }
}

/// A night by its day, if nights are whole days, else by its period.
fn night(slot: &Period, wanted: &Expectation) -> String {
    let day = slot.since.filter(|_| wanted.every.is_some_and(Schedule::is_of_days));
    day.map_or_else(|| slot.to_string(), |since| wanted.days.day_of(since).date.to_string())
}

fn as_json(status: &Status, wanted: &Expectation, texts: &Texts) -> Json {
    let problem =
        |problem: &StatusProblem| json!({ "code": problem.code(), "text": problem_text(problem, wanted, texts) });
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    json!({
        "well": status.problems.is_empty(),
        "now": wanted.now.to_string(),
        "reports_dir": wanted.reports,
        "newest": status.newest.as_ref().map(|newest| json!({
            "report": newest.report,
            "as_of": newest.as_of.to_string(),
            "age_seconds": newest.age.as_secs(),
            "verdict": newest.verdict,
            "exit_code": newest.exit_code,
            "manifest_sha256": newest.manifest_sha256,
        })),
        "nights": status.nights,
        "since": status.since.map(|day| day.to_string()),
        "nights_missing": status.missing.len(),
        "missing": status.missing.iter().take(LISTED).map(|slot| json!({
            "since": time(slot.since),
            "until": time(slot.until),
        })).collect::<Vec<_>>(),
        "running": status.running,
        "problems": status.problems.iter().map(problem).collect::<Vec<_>>(),
    })
}
