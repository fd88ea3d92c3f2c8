//! `tieout prune`: removes what is too old to keep.

use std::io::{self, Write};

use jiff::Timestamp;

use super::cli::{General, Prune};
use super::exit::{self, Exit, Failure};
use super::{access, runs, settings};
use crate::language::Texts;
use crate::report::folder::{index, retention};
use crate::store::{Lock, Problem, PruneCounts, Size, Store, StoreError};

/// Removes reports and rows of the state that are too old; with `--dry-run`, only lists them.
pub(super) fn run(command: &Prune, general: &General, texts: Texts) -> Result<Exit, Failure> {
    let keep = settings::keep(&command.keep).map_err(Failure::usage)?;
    let (state, reports_dir) = settings::place(&command.place, general).map_err(Failure::usage)?;
    let before = Timestamp::now().checked_sub(keep).map_err(|_| Failure::usage("--keep is too long: shorten it"))?;
    runs::require(&state)?;
    let _lock = Lock::on_state(&state, Timestamp::now()).map_err(access::locked)?;
    // A state that can't be used is an error before anything is removed. Where only the disk is full, removing reports
    // makes room for it first.
    let mut opened = match Store::open(&state) {
        Err(StoreError { problem: Problem::DiskFull, .. }) if !command.dry_run => None,
        opened => Some(opened.map_err(Failure::no_report)?),
    };
    let mut reports = retention::older_reports(&reports_dir, before).map_err(Failure::no_report)?;
    // A report that a killed run could not record yet stays: the next job must record it first.
    let runs = opened.as_ref().map(Store::runs).transpose().map_err(Failure::no_report)?.unwrap_or_default();
    reports.retain(|report| runs.iter().all(|run| run.unrecorded() != Some(&report.manifest_sha256)));
    let mut out = io::stdout().lock();
    let mut unnoted = Vec::new();
    for report in &reports {
        if !command.dry_run {
            // Noted first, if the disk has room: a report that is missing without a note breaks the chain.
            let noted = opened.as_mut().map(|store| store.note_pruned_report(&report.manifest_sha256));
            match noted {
                None | Some(Err(StoreError { problem: Problem::DiskFull, .. })) => {
                    unnoted.push(&report.manifest_sha256);
                }
                Some(noted) => noted.map_err(Failure::no_report)?,
            }
            retention::remove(&report.path).map_err(Failure::no_report)?;
        }
        let removed = removed(command.dry_run, report.path.display().to_string(), texts);
        exit::ignore_closed_pipe(writeln!(out, "{removed}"))?;
    }
    if !reports.is_empty() && !command.dry_run {
        exit::warn_of_index(index::write(&reports_dir));
    }
    let mut store = opened.map_or_else(|| Store::open(&state), Ok).map_err(Failure::no_report)?;
    unnoted.into_iter().try_for_each(|hash| store.note_pruned_report(hash)).map_err(Failure::no_report)?;
    let counts = store.prune(before, command.dry_run).map_err(Failure::no_report)?;
    let counts = counts_text(command.dry_run, reports.len(), &counts, texts);
    exit::ignore_closed_pipe(writeln!(out, "{counts}"))?;
    let Size { bytes, free } = store.size().map_err(Failure::no_report)?;
    let size = if command.compact {
        let compacted = store.compact().map_err(Failure::no_report)?;
        let (before, after) = (bytes.to_string(), compacted.bytes.to_string());
        texts.with("prune-compacted", &[("before", before.into()), ("after", after.into())])
    } else {
        let (bytes, spare) = (bytes.to_string(), free.to_string());
        let size = texts.with("prune-size", &[("bytes", bytes.into()), ("free", spare.into())]);
        if free > 0 { size + &texts.get("prune-size-hint") } else { size }
    };
    exit::ignore_closed_pipe(writeln!(out, "{size}"))?;
    Ok(Exit::Success)
}

/// How much was removed, or would be.
fn counts_text(dry_run: bool, reports: usize, counts: &PruneCounts, texts: Texts) -> String {
    let PruneCounts { runs, outcomes, observations } = counts;
    let what = texts.with(
        "prune-what",
        &[
            ("reports", reports.to_string().into()),
            ("outcomes", outcomes.to_string().into()),
            ("runs", runs.to_string().into()),
            ("observations", observations.to_string().into()),
        ],
    );
    removed(dry_run, what, texts)
}

fn removed(dry_run: bool, what: String, texts: Texts) -> String {
    if dry_run {
        texts.with("prune-would-remove", &[("what", what.into())])
    } else {
        texts.with("prune-removed", &[("what", what.into())])
    }
}
