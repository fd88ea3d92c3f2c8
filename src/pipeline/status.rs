//! Whether the nightly job did its work: the newest report is there, recent, complete and proven, no night is missing,
//! and the next one will find what it needs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rustix::fs::statvfs;

use super::JobError;
use super::verify::folder::{missing, prove};
use super::verify::{PartResult, Reach};
use crate::domain::days::Days;
use crate::domain::schedule::Schedule;
use crate::domain::time::Period;
use crate::report::folder::nights::{Night, Nights};
use crate::sandbox::BASE_URL;
use crate::store::{Holder, Run, Store, StoreError, is_locked};

/// The exit code of an incomplete report.
const INCOMPLETE: u8 = 3;
/// How far ahead of this clock a report may be: `as_of` is rounded, and clocks are set.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_mins(1);
/// More nights than that are not looked for: ten years of one every minute.
const MOST_NIGHTS: usize = 5_256_000;
/// How many nights like the newest the disk must have room for.
const NIGHTS_AHEAD: u64 = 10;

/// What is expected of a reports folder.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// The reports folder.
    pub reports: PathBuf,
    /// The state file.
    pub state: PathBuf,
    /// The present moment.
    pub now: Timestamp,
    /// How old the newest report may be, and how long a job may run.
    pub max_age: SignedDuration,
    /// How often runs are expected; `None` if that is unknown.
    pub every: Option<Schedule>,
    /// The first day of which runs are expected, and the state must know the reports; `None` for that of the oldest
    /// report there.
    pub since: Option<Date>,
    /// The days that runs are expected on.
    pub days: Days,
    /// The least free space on the disks of the reports and of the state, in bytes.
    pub min_free: u64,
}

/// The newest report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewestReport {
    /// The name of its folder.
    pub report: String,
    /// The moment at which its ages are measured.
    pub as_of: Timestamp,
    /// How long ago that is.
    pub age: SignedDuration,
    /// The verdict's code.
    pub verdict: String,
    /// The exit code of the job that made it.
    pub exit_code: u8,
    /// SHA-256 of its manifest, in hex.
    pub manifest_sha256: String,
}

/// The status of a reports folder.
#[derive(Debug, Default)]
pub struct Status {
    /// The newest report of a run, if there is one.
    pub newest: Option<NewestReport>,
    /// How many reports of runs there are.
    pub nights: u64,
    /// The first day of which runs were expected, if it is known how often.
    pub since: Option<Date>,
    /// The expected nights without a report.
    pub missing: Vec<Period>,
    /// The job that is working on the state.
    pub running: Option<Holder>,
    /// What is not as it should be. Nothing if all is well.
    pub problems: Vec<StatusProblem>,
}

/// What is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusProblem {
    /// There is no report of a run.
    NoReport,
    /// A report can't be read.
    Damaged {
        /// The name of its folder.
        report: String,
        /// What is wrong with it.
        problem: String,
    },
    /// There is a copy of a report.
    Copied {
        /// The name of the copy's folder.
        copy: String,
        /// The name of the report's folder.
        report: String,
    },
    /// The newest report, or its chain to earlier ones, is not proven.
    NotProven {
        /// The name of its folder.
        report: String,
        /// The part of the proof.
        part: &'static str,
        /// The first sentence about that part.
        detail: String,
    },
    /// The state knows a report that is not there.
    ReportMissing {
        /// The name of its folder.
        report: String,
        /// How many are missing.
        count: u64,
    },
    /// The newest report is incomplete.
    Incomplete,
    /// The newest report is too old.
    TooOld {
        /// How old it may be.
        max_age: SignedDuration,
    },
    /// The newest report is of a moment that is yet to come.
    FromTheFuture,
    /// Expected nights have no report.
    NightsMissing {
        /// How many.
        count: u64,
        /// The first of them.
        first: Period,
    },
    /// There is no state.
    NoState,
    /// The state can't be used.
    StateUnusable {
        /// Why not.
        problem: String,
    },
    /// The state began after some of the reports: an earlier one was lost.
    StateTooYoung {
        /// The name of the folder of the last report that it does not know.
        report: String,
        /// How many reports it does not know.
        count: u64,
    },
    /// A job has held the state for too long.
    StaleLock {
        /// The process.
        holder: Holder,
    },
    /// The disk is almost full.
    DiskAlmostFull {
        /// What is on it.
        path: PathBuf,
        /// Its free space, in bytes.
        free: u64,
        /// How much should be free, in bytes.
        wanted: u64,
    },
}

impl StatusProblem {
    /// The word that scripts read.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoReport => "no-report",
            Self::Damaged { .. } => "damaged",
            Self::Copied { .. } => "copied",
            Self::NotProven { .. } => "not-proven",
            Self::ReportMissing { .. } => "report-missing",
            Self::Incomplete => "incomplete",
            Self::TooOld { .. } => "too-old",
            Self::FromTheFuture => "from-the-future",
            Self::NightsMissing { .. } => "nights-missing",
            Self::NoState => "no-state",
            Self::StateUnusable { .. } => "state-unusable",
            Self::StateTooYoung { .. } => "state-too-young",
            Self::StaleLock { .. } => "stale-lock",
            Self::DiskAlmostFull { .. } => "disk-almost-full",
        }
    }
}

/// Looks whether a reports folder is as expected.
///
/// # Errors
/// When the folder can't be read. A state that can't be used is part of the result.
pub fn status(wanted: &Expectation) -> Result<Status, JobError> {
    let (state, problem) = open(&wanted.state);
    match look(wanted, state, problem) {
        Err(JobError::Store(error)) => look(wanted, None, Some(unusable(&error))),
        looked => looked,
    }
}

fn look(
    wanted: &Expectation,
    mut state: Option<Store>,
    state_problem: Option<StatusProblem>,
) -> Result<Status, JobError> {
    let mut status = Status { running: is_locked(&wanted.state), ..Status::default() };
    let runs = state.as_ref().map(Store::runs).transpose()?.unwrap_or_default();
    let found = Nights::below(&wanted.reports)?;
    let damaged = found.damaged.iter().map(|(path, error)| StatusProblem::Damaged {
        report: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        problem: error.to_string(),
    });
    status.problems.extend(damaged);
    let absent = missing(&wanted.reports, &found, state.as_ref(), &runs)?;
    let absent_problem = absent
        .first()
        .map(|first| StatusProblem::ReportMissing { report: first.report.clone(), count: absent.len() as u64 });
    let mut nights: Vec<Night> = found.nights.into_iter().filter(Night::is_of_a_run).collect();
    set_trials_aside(&mut nights);
    status.set_copies_aside(&mut nights, &runs);
    status.nights = nights.len() as u64;
    status.look_for_missing_nights(wanted, &nights);
    let too_young = state.as_ref().and_then(|_| unknown(&runs, wanted, &nights));
    let newest_bytes = nights
        .last()
        .map_or(0, |newest| newest.manifest.files.iter().map(|file| file.bytes).fold(0, u64::saturating_add));
    match nights.into_iter().next_back() {
        Some(newest) => status.look_at(newest, wanted, state.as_mut())?,
        None => status.problems.push(StatusProblem::NoReport),
    }
    // A state is only missed where a report says that there was one.
    let state_problem = state_problem.filter(|problem| *problem != StatusProblem::NoState || status.newest.is_some());
    status.problems.extend(absent_problem.into_iter().chain(state_problem).chain(too_young));
    let stale = status.running.filter(|holder| wanted.now.duration_since(holder.since) > wanted.max_age);
    status.problems.extend(stale.map(|holder| StatusProblem::StaleLock { holder }));
    status.problems.extend(almost_full(wanted, newest_bytes));
    Ok(status)
}

/// Whether the report is about the simulator, so that it does not stand for a night.
fn is_trial(night: &Night) -> bool {
    night.stamp().base_url == BASE_URL
}

/// Leaves out trials where there are other reports.
fn set_trials_aside(nights: &mut Vec<Night>) {
    if !nights.iter().all(is_trial) {
        nights.retain(|night| !is_trial(night));
    }
}

/// Opens the state, or says why it can't be used.
fn open(state: &Path) -> (Option<Store>, Option<StatusProblem>) {
    if !state.exists() {
        return (None, Some(StatusProblem::NoState));
    }
    match Store::open_to_read(state) {
        Ok(store) => (Some(store), None),
        Err(error) => (None, Some(unusable(&error))),
    }
}

fn unusable(error: &StoreError) -> StatusProblem {
    StatusProblem::StateUnusable { problem: error.to_string() }
}

/// The reports that the state does not know, of those of which it must.
fn unknown(runs: &[Run], wanted: &Expectation, nights: &[Night]) -> Option<StatusProblem> {
    let known: BTreeSet<&str> = runs.iter().flat_map(|run| &run.manifests).map(String::as_str).collect();
    let begin = wanted.since.and_then(|since| wanted.days.day(since).period.since).unwrap_or(Timestamp::MIN);
    let is_unknown = |night: &&Night| {
        !is_trial(night) && begin <= night.stamp().as_of && !known.contains(night.report.manifest_sha256())
    };
    let unknown: Vec<&Night> = nights.iter().filter(is_unknown).collect();
    let last = unknown.last().map(|night| night.name());
    last.map(|report| StatusProblem::StateTooYoung { report, count: unknown.len() as u64 })
}

impl Status {
    fn look_at(&mut self, newest: Night, wanted: &Expectation, state: Option<&mut Store>) -> Result<(), JobError> {
        let stamp = newest.stamp();
        let age = wanted.now.duration_since(stamp.as_of);
        let report = NewestReport {
            report: newest.name(),
            as_of: stamp.as_of,
            age,
            verdict: stamp.verdict.clone(),
            exit_code: stamp.exit_code,
            manifest_sha256: newest.report.manifest_sha256().to_owned(),
        };
        if age > wanted.max_age {
            self.problems.push(StatusProblem::TooOld { max_age: wanted.max_age });
        }
        if age < -CLOCK_SLACK {
            self.problems.push(StatusProblem::FromTheFuture);
        }
        if stamp.exit_code == INCOMPLETE {
            self.problems.push(StatusProblem::Incomplete);
        }
        let has_state = state.is_some();
        let proof = prove(newest, state, Reach::First)?;
        let failed = proof.parts.into_iter().find(|part| match part.result {
            PartResult::Holds => false,
            PartResult::Fails => true,
            // What only the state could prove is told once, as what is wrong with the state.
            PartResult::NotProven => has_state || part.part == super::verify::REPERFORMANCE,
        });
        self.problems.extend(failed.map(|part| {
            let detail = part.details.first().cloned().unwrap_or_default();
            StatusProblem::NotProven { report: report.report.clone(), part: part.part, detail }
        }));
        self.newest = Some(report);
        Ok(())
    }

    /// Leaves one of several folders with the same manifest: the one that the state knows, or else that with the name of
    /// its time.
    fn set_copies_aside(&mut self, nights: &mut Vec<Night>, runs: &[Run]) {
        let recorded = |night: &Night| {
            let run = runs.iter().find(|run| run.wrote(night.report.manifest_sha256()))?;
            Some(Path::new(&run.report.as_ref()?.folder).file_name()?.to_string_lossy().into_owned())
        };
        let mut originals: BTreeMap<String, String> = BTreeMap::new();
        for night in nights.iter() {
            let original = originals.entry(night.report.manifest_sha256().to_owned()).or_insert_with(|| night.name());
            if recorded(night).is_some_and(|name| name == night.name()) {
                *original = night.name();
            }
        }
        nights.retain(|night| {
            let original = &originals[night.report.manifest_sha256()];
            let is_original = *original == night.name();
            let copied = || StatusProblem::Copied { copy: night.name(), report: original.clone() };
            self.problems.extend((!is_original).then(copied));
            is_original
        });
    }

    fn look_for_missing_nights(&mut self, wanted: &Expectation, nights: &[Night]) {
        let oldest = nights.first().map(|night| wanted.days.day_of(night.stamp().as_of).date);
        let (Some(every), Some(since)) = (wanted.every, wanted.since.or(oldest)) else { return };
        self.since = Some(since);
        let times: Vec<Timestamp> = nights.iter().map(|night| night.stamp().as_of).collect();
        self.missing = every.slots(since, wanted.now, &wanted.days, MOST_NIGHTS);
        self.missing.retain(|slot| {
            let first = times.partition_point(|time| slot.since.is_some_and(|since| *time < since));
            !times.get(first).is_some_and(|time| slot.holds(*time))
        });
        let first = self.missing.first().copied();
        let count = self.missing.len() as u64;
        self.problems.extend(first.map(|first| StatusProblem::NightsMissing { count, first }));
    }
}

/// The disks that have not enough free space for the next nights.
fn almost_full(wanted: &Expectation, newest_bytes: u64) -> Vec<StatusProblem> {
    let needed = wanted.min_free.max(newest_bytes.saturating_mul(NIGHTS_AHEAD));
    let state_folder = wanted.state.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut full: Vec<StatusProblem> = Vec::new();
    for path in [Some(wanted.reports.as_path()), state_folder].into_iter().flatten() {
        let Ok(disk) = statvfs(path) else { continue };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        let is_told =
            full.iter().any(|told| matches!(told, StatusProblem::DiskAlmostFull { free: same, .. } if *same == free));
        if free < needed && !is_told {
            full.push(StatusProblem::DiskAlmostFull { path: path.to_owned(), free, wanted: needed });
        }
    }
    full
}
