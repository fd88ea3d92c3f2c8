//! `tieout audit`: rebuilds a report from its own evidence.

use std::io::{self, Write};

use super::cli::{Audit, Output};
use super::exit::{self, Exit, Failure};
use super::voice::Voice;
use super::{settings, terminal};
use crate::language::Language;
use crate::pipeline::JobError;
use crate::pipeline::audit::{self, ProvenReport};
use crate::report::folder::publish::follow;
use crate::store::RecheckCounts;

/// Rebuilds the report with the changed settings, and prints its summary.
pub(super) fn run(command: Audit, lang: Option<Language>, quiet: bool, voice: &Voice) -> Result<Exit, Failure> {
    let original = ProvenReport::open(&follow(&command.report)).map_err(failure)?;
    let was = &original.manifest.stamp.settings;
    let options = &original.manifest.stamp.options;
    let (changes, destination) = settings::resolve_audit(&command, was, options, lang).map_err(Failure::usage)?;
    destination
        .check()
        .map_err(|error| if error.is_usage_error() { Failure::usage(error) } else { Failure::no_report(error) })?;
    let (report, published) = audit::audit(&original, &changes, &destination).map_err(failure)?;
    exit::warn_of_limits(&published.limits);
    let mut out = io::stdout().lock();
    let shown = match command.output {
        Output::Text if quiet => Ok(()),
        Output::Text => terminal::show(&report, &published.folder, RecheckCounts::default(), voice, &mut out),
        Output::Json => serde_json::to_writer_pretty(&mut out, &report.summary)
            .map_err(io::Error::from)
            .and_then(|()| writeln!(out)),
    };
    exit::check_summary_written(shown, &published.folder, command.output)?;
    Ok(exit::of_report(&report))
}

/// The failure for a report that can't be audited or verified, with advice where the folder is not a report.
pub(super) fn failure(error: JobError) -> Failure {
    match error {
        JobError::NoReport { .. } => Failure::usage(error)
            .help("name the folder of a report that `tieout reconcile` made, such as reports/latest"),
        other => Failure::no_report(other),
    }
}
