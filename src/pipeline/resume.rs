//! How a job begins: with a new run, or where an earlier one of the same input was cut off.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, Unit};

use super::progress::say;
use super::{Job, JobError, unrecorded};
use crate::input::{Entry, Row};
use crate::store::{Done, NewRun, RowKind, Run, RunId};

/// What a job goes on from.
pub(super) struct Start {
    pub(super) run: RunId,
    /// The lines that are done, in their order.
    pub(super) done: Vec<u64>,
    /// The run as an earlier start left it.
    pub(super) continued: Option<Run>,
}

/// When an earlier run is continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resumption {
    /// How long after its last sign of life; `None` for never.
    pub within: Option<Duration>,
    /// Whether `as_of` was asked for: then it must be that of the earlier run.
    pub as_of_is_given: bool,
}

/// Continues the last run of this very job, or begins a new one and says why.
pub(super) fn begin(job: &mut Job) -> Result<Start, JobError> {
    let new = job.new_run();
    let runs = job.session.store.runs()?;
    let of_the_input: Vec<Run> = runs.into_iter().rev().filter(|run| run.begun.is_of_the_input_of(&new)).collect();
    // Another job on the same input may have come in between: with other settings, say.
    let same = of_the_input.iter().find(|run| differs(job, run, &new).is_none());
    if let Some(run) = same.or(of_the_input.first()).filter(|run| run.is_open()) {
        let began = run.begun.started_at;
        match why_not(job, run, &new)? {
            None => {
                unrecorded::record(job, Some(run.id))?;
                job.session.store.reopen(run.id, &new.input_place)?;
                job.as_of = run.begun.as_of;
                let done: Vec<u64> = job.session.store.done(run.id)?.into_iter().map(|done| done.line).collect();
                let (count, rows) = (done.len(), job.input.rows());
                say(
                    job.session.display,
                    &format!("continuing run {} of {began}: {count} of {rows} rows are done", run.id),
                );
                return Ok(Start { run: run.id, done, continued: Some(run.clone()) });
            }
            Some(reason) => {
                say(
                    job.session.display,
                    &format!("starting anew: run {} of {began} is not continued: {reason}", run.id),
                );
            }
        }
    }
    unrecorded::record(job, None)?;
    let run = job.session.store.begin(&new)?;
    Ok(Start { run, done: Vec::new(), continued: None })
}

/// Why an open run is not continued; nothing where it is.
fn why_not(job: &Job, run: &Run, new: &NewRun) -> Result<Option<String>, JobError> {
    let Some(within) = job.resuming.within else {
        return Ok(Some("--fresh was given".to_owned()));
    };
    if let Some(reason) = differs(job, run, new) {
        return Ok(Some(reason));
    }
    let (what, since) = match &run.reported {
        Some(report) => ("its first report was made", report.first_at),
        None => ("it was last active", job.session.store.last_activity_of(run.id)?),
    };
    // A time to come tells of a clock that was set back.
    let ago = new.started_at.duration_since(since).max(SignedDuration::ZERO);
    if ago > SignedDuration::try_from(within).unwrap_or(SignedDuration::MAX) {
        return Ok(Some(format!("{what} at {since}, longer ago than --resume-within")));
    }
    differing_row(job, run)
}

/// What tells the job that began a run from this one; nothing where they are the same.
fn differs(job: &Job, run: &Run, new: &NewRun) -> Option<String> {
    let begun = &run.begun;
    if begun.input_sha256 != new.input_sha256 {
        Some("the input has changed".to_owned())
    } else if begun.reading != new.reading {
        Some("the input is read in a different way: column, heading, encoding or delimiter".to_owned())
    } else if begun.settings != new.settings {
        Some("the settings that affect judgement have changed".to_owned())
    } else if begun.as_of != new.as_of && (job.resuming.as_of_is_given || is_as_of_given(begun)) {
        Some(format!("its --as-of is {}", begun.as_of))
    } else {
        None
    }
}

/// Whether the job that began a run was told what ages are counted to: else it is when the job began.
fn is_as_of_given(begun: &NewRun) -> bool {
    begun.started_at.round(Unit::Second).is_ok_and(|began| began != begun.as_of)
}

/// Why a line that is done is not the input's, where the file was a different one for a while.
fn differing_row(job: &Job, run: &Run) -> Result<Option<String>, JobError> {
    let mut done = job.session.store.done(run.id)?.into_iter().peekable();
    let mut rows = job.input.read()?;
    while let Some(next) = done.peek().copied() {
        let Some(row) = rows.next().transpose()? else {
            return Ok(Some(format!("line {} of the input holds no row", next.line)));
        };
        if row.line >= next.line {
            if mark(&row) != next {
                return Ok(Some(format!("line {} of the input held a different row when it was done", next.line)));
            }
            done.next();
        }
    }
    Ok(None)
}

/// What stands in a row, as the state keeps it of a line that is done.
fn mark(row: &Row) -> Done {
    let (kind, text) = match &row.entry {
        Entry::Order(id) => (RowKind::Order, id.as_str()),
        Entry::Duplicate { id, first_line } => (RowKind::Duplicate { first_line: *first_line }, id.as_str()),
        Entry::Rejected { text, .. } => (RowKind::Rejected, text.as_str()),
    };
    Done::of(row.line, kind, text, row.booking.as_ref())
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
    /// Whether both ask one provider for one input: the same file, or the same bytes wherever they are.
    fn is_of_the_input_of(&self, other: &Self) -> bool {
        let is_same_file = !self.input_place.is_empty() && self.input_place == other.input_place;
        self.base_url == other.base_url && (is_same_file || self.input_sha256 == other.input_sha256)
    }
}
