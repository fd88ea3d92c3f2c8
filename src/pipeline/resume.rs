//! How a job begins: with a new run, or by continuing an earlier run of the same input.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, Unit};

use super::progress::say;
use super::{Job, JobError, unrecorded};
use crate::input::{Entry, Row};
use crate::store::{FinishedLine, NewRun, RowKind, Run, RunId};

/// The run that a job works on.
pub(super) struct CurrentRun {
    pub(super) run: RunId,
    /// The finished lines, in ascending order.
    pub(super) done: Vec<u64>,
    /// The run as the earlier job left it, if it is continued.
    pub(super) continued: Option<Run>,
}

/// Whether and when an earlier run is continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resumption {
    /// How long after its last activity, or its first report if it has one; `None` for never.
    pub within: Option<Duration>,
    /// Whether `--as-of` was given: then it must be that of the earlier run.
    pub as_of_is_given: bool,
}

/// Continues the last run with the same input and settings, or begins a new run and says why.
pub(super) fn begin(job: &mut Job) -> Result<CurrentRun, JobError> {
    let new = job.new_run();
    let runs = job.session.store.runs()?;
    let same_input: Vec<Run> = runs.into_iter().rev().filter(|run| run.setup.has_same_input_as(&new)).collect();
    // A job with different settings may have run on the same input in between.
    let same = same_input.iter().find(|run| difference(job, run, &new).is_none());
    if let Some(run) = same.or(same_input.first()).filter(|run| run.is_open()) {
        let began = run.setup.started_at;
        match reason_not_to_continue(job, run, &new)? {
            None => {
                unrecorded::record(job, Some(run.id))?;
                job.session.store.reopen(run.id, &new.input_place)?;
                job.as_of = run.setup.as_of;
                let done: Vec<u64> =
                    job.session.store.finished_lines(run.id)?.into_iter().map(|finished| finished.line).collect();
                let (count, rows) = (done.len(), job.input.rows());
                let texts = job.session.texts;
                let text = texts.with(
                    "progress-continuing",
                    &[
                        ("run", run.id.to_string().into()),
                        ("began", began.to_string().into()),
                        ("count", count.to_string().into()),
                        ("rows", rows.to_string().into()),
                    ],
                );
                say(job.session.display, &text);
                return Ok(CurrentRun { run: run.id, done, continued: Some(run.clone()) });
            }
            Some(reason) => {
                let texts = job.session.texts;
                let text = texts.with(
                    "progress-new-run",
                    &[
                        ("run", run.id.to_string().into()),
                        ("began", began.to_string().into()),
                        ("reason", reason.into()),
                    ],
                );
                say(job.session.display, &text);
            }
        }
    }
    unrecorded::record(job, None)?;
    let run = job.session.store.begin(&new)?;
    Ok(CurrentRun { run, done: Vec::new(), continued: None })
}

/// Why an open run is not continued; `None` if it is.
fn reason_not_to_continue(job: &Job, run: &Run, new: &NewRun) -> Result<Option<String>, JobError> {
    let texts = job.session.texts;
    let Some(within) = job.resumption.within else {
        return Ok(Some(texts.get("progress-new-fresh")));
    };
    if let Some(reason) = difference(job, run, new) {
        return Ok(Some(reason));
    }
    let since = match &run.report {
        Some(report) => report.first_at,
        None => job.session.store.last_activity_of(run.id)?,
    };
    // A time in the future means that the clock was set back.
    let ago = new.started_at.duration_since(since).max(SignedDuration::ZERO);
    if ago > SignedDuration::try_from(within).unwrap_or(SignedDuration::MAX) {
        let since = since.to_string();
        return Ok(Some(match &run.report {
            Some(_) => texts.with("progress-new-long-reported", &[("since", since.into())]),
            None => texts.with("progress-new-long-idle", &[("since", since.into())]),
        }));
    }
    differing_row(job, run)
}

/// How this job differs from the one that began a run; `None` if it does not.
fn difference(job: &Job, run: &Run, new: &NewRun) -> Option<String> {
    let (setup, texts) = (&run.setup, job.session.texts);
    if setup.input_sha256 != new.input_sha256 {
        Some(texts.get("progress-new-input"))
    } else if setup.reading != new.reading {
        Some(texts.get("progress-new-reading"))
    } else if setup.settings != new.settings {
        Some(texts.get("progress-new-settings"))
    } else if setup.as_of != new.as_of && (job.resumption.as_of_is_given || is_as_of_given(setup)) {
        Some(texts.with("progress-new-as-of", &[("as-of", setup.as_of.to_string().into())]))
    } else {
        None
    }
}

/// Whether the job that began a run was given `--as-of`; if not, `as_of` is its start, rounded to the second.
fn is_as_of_given(setup: &NewRun) -> bool {
    setup.started_at.round(Unit::Second).is_ok_and(|began| began != setup.as_of)
}

/// Why a finished line does not match the input, which happens if the file was a different one for a while.
fn differing_row(job: &Job, run: &Run) -> Result<Option<String>, JobError> {
    let mut done = job.session.store.finished_lines(run.id)?.into_iter().peekable();
    let (mut rows, texts) = (job.input.read()?, job.session.texts);
    while let Some(next) = done.peek().copied() {
        let Some(row) = rows.next().transpose()? else {
            return Ok(Some(texts.with("progress-new-no-row", &[("line", next.line.to_string().into())])));
        };
        if row.line >= next.line {
            if finished_line(&row) != next {
                return Ok(Some(texts.with("progress-new-other-row", &[("line", next.line.to_string().into())])));
            }
            done.next();
        }
    }
    Ok(None)
}

/// A row in the form in which the state keeps finished lines.
fn finished_line(row: &Row) -> FinishedLine {
    let (kind, text) = match &row.entry {
        Entry::Order(id) => (RowKind::Order, id.as_str()),
        Entry::Duplicate { id, first_line } => (RowKind::Duplicate { first_line: *first_line }, id.as_str()),
        Entry::Rejected { text, .. } => (RowKind::Rejected, text.as_str()),
    };
    FinishedLine::of(row.line, kind, text, row.booking.as_ref())
}

impl Job {
    fn new_run(&self) -> NewRun {
        NewRun {
            base_url: self.session.base_url.clone(),
            input_place: self.input.path().to_owned(),
            input_name: self.input.name().to_owned(),
            input_sha256: self.input.sha256().to_owned(),
            rows: self.input.rows(),
            reading: self.input.reading(),
            settings: serde_json::to_string(&self.rules).unwrap_or_default(),
            as_of: self.as_of,
            started_at: Timestamp::from_microsecond(self.started_at.as_microsecond()).unwrap_or(self.started_at),
        }
    }
}

impl NewRun {
    /// Whether both ask the same provider for the same input: the same file, or the same bytes in any file.
    fn has_same_input_as(&self, other: &Self) -> bool {
        let is_same_file = !self.input_place.is_empty() && self.input_place == other.input_place;
        self.base_url == other.base_url && (is_same_file || self.input_sha256 == other.input_sha256)
    }
}
