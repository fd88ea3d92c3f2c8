//! How a job begins: with a new run, or where an earlier one of the same input was cut off.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::progress::say;
use super::{Job, JobError};
use crate::store::{NewRun, Run, RunId};

/// What a job goes on from.
pub(super) struct Begun {
    pub(super) run: RunId,
    /// The lines that are done, in their order.
    pub(super) done: Vec<u64>,
    /// The run as an earlier start left it.
    pub(super) continued: Option<Run>,
}

/// When an earlier run is continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resuming {
    /// How long after its last sign of life; `None` for never.
    pub within: Option<Duration>,
    /// Whether `as_of` was asked for: then it must be that of the earlier run.
    pub as_of_is_given: bool,
}

/// Continues the last run of this input, or begins a new one and says why.
pub(super) fn begin(job: &mut Job) -> Result<Begun, JobError> {
    let new = job.new_run();
    let last = job.store.runs()?.into_iter().rev();
    let mut last = last.filter(|run| run.begun.base_url == new.base_url && run.begun.input_name == new.input_name);
    if let Some(run) = last.next().filter(Run::is_open) {
        let began = run.begun.started_at;
        match why_not(job, &run, &new)? {
            None => {
                job.store.reopen(run.id)?;
                job.as_of = run.begun.as_of;
                let done = job.store.done(run.id)?;
                let (count, rows) = (done.len(), job.input.rows());
                say(job.display, &format!("continuing run {} of {began}: {count} of {rows} rows are done", run.id));
                return Ok(Begun { run: run.id, done, continued: Some(run) });
            }
            Some(reason) => {
                say(job.display, &format!("starting anew: run {} of {began} is not continued: {reason}", run.id));
            }
        }
    }
    let run = job.store.begin(&new)?;
    Ok(Begun { run, done: Vec::new(), continued: None })
}

/// Why an open run is not continued.
fn why_not(job: &Job, run: &Run, new: &NewRun) -> Result<Option<String>, JobError> {
    let Some(within) = job.resuming.within else {
        return Ok(Some("--fresh was given".to_owned()));
    };
    let begun = &run.begun;
    let reason = if begun.input_sha256 != new.input_sha256 {
        "the input is another one".to_owned()
    } else if begun.settings != new.settings {
        "the settings that affect judgement are other ones".to_owned()
    } else if job.resuming.as_of_is_given && begun.as_of != new.as_of {
        format!("its --as-of is {}", begun.as_of)
    } else {
        let last = job.store.last_sign_of(run.id)?;
        // A time to come tells of a clock that was set back.
        let ago = new.started_at.duration_since(last).max(SignedDuration::ZERO);
        if ago <= SignedDuration::try_from(within).unwrap_or(SignedDuration::MAX) {
            return Ok(None);
        }
        format!("its last sign of life was at {last}, longer ago than --resume-within")
    };
    Ok(Some(reason))
}

impl Job {
    fn new_run(&self) -> NewRun {
        NewRun {
            base_url: self.base_url.clone(),
            input_name: self.input.name().to_owned(),
            input_sha256: self.input.sha256().to_owned(),
            rows: self.input.rows(),
            settings: serde_json::to_string(&self.judging_settings()).unwrap_or_default(),
            as_of: self.as_of,
            started_at: Timestamp::from_microsecond(self.started_at.as_microsecond()).unwrap_or(self.started_at),
        }
    }
}

/// The run before that: the last one of the same input name that made a report.
pub(super) fn run_before(job: &Job, run: RunId) -> Result<Option<Run>, JobError> {
    let runs = job.store.runs()?.into_iter().rev().skip_while(|other| other.id >= run);
    let mut same = runs.filter(|other| {
        other.begun.base_url == job.base_url && other.begun.input_name == job.input.name() && other.reported.is_some()
    });
    Ok(same.next())
}
