//! `tieout prune`: what is too old to keep.

use std::io::{self, Write};

use jiff::Timestamp;

use super::cli::{General, Prune};
use super::exit::{self, Exit, Failure};
use super::{access, runs, settings};
use crate::report::retention;
use crate::store::{Lock, Pruned};

/// Removes, or with `--dry-run` only names, what is too old.
pub(super) fn run(command: &Prune, general: &General) -> Result<Exit, Failure> {
    let keep = settings::keep(&command.keep).map_err(Failure::usage)?;
    let (state, reports_dir) = settings::place(&command.place, general).map_err(Failure::usage)?;
    let before = Timestamp::now().checked_sub(keep).map_err(|_| Failure::usage("--keep reaches back too far"))?;
    let mut store = runs::open(&state)?;
    let _lock = Lock::on_state(&state, Timestamp::now()).map_err(access::locked)?;
    let reports = retention::older_reports(&reports_dir, before).map_err(Failure::no_report)?;
    let Pruned { runs, outcomes, observations } = store.prune(before, command.dry_run).map_err(Failure::no_report)?;
    let mut out = io::stdout().lock();
    let verb = if command.dry_run { "would remove" } else { "removed" };
    for report in &reports {
        if !command.dry_run {
            // Noted first: a report that is gone and was not pruned breaks the chain.
            store.note_pruned_report(&report.manifest_sha256).map_err(Failure::no_report)?;
            retention::remove(&report.path).map_err(Failure::no_report)?;
        }
        exit::ignore_closed_pipe(writeln!(out, "{verb} {}", report.path.display()))?;
    }
    let what = format!("{outcomes} outcomes of {runs} runs and {observations} observations");
    exit::ignore_closed_pipe(writeln!(out, "{verb} {} reports, and {what} from the state", reports.len()))?;
    Ok(Exit::Success)
}
