//! `tieout audit`: a report made again from its own evidence.

use std::io::{self, Write};

use super::cli::{Audit, Output};
use super::exit::{self, Exit, Failure};
use super::voice::Voice;
use super::{settings, terminal};
use crate::language::Language;
use crate::pipeline::JobError;
use crate::pipeline::audit::{self, Evident};
use crate::report::folder::publish::follow;
use crate::store::Confirmations;

/// Makes the report again, and says how it came out.
pub(super) fn run(command: Audit, lang: Option<Language>, quiet: bool, voice: &Voice) -> Result<Exit, Failure> {
    let evident = Evident::open(&follow(&command.report)).map_err(failure)?;
    let was = &evident.manifest.stamp.settings;
    let options = &evident.manifest.stamp.options;
    let (changes, destination) = settings::changes(&command, was, options, lang).map_err(Failure::usage)?;
    destination
        .check()
        .map_err(|error| if error.is_mistaken_place() { Failure::usage(error) } else { Failure::no_report(error) })?;
    let (report, published) = audit::audit(&evident, &changes, &destination).map_err(failure)?;
    exit::warn_unavailable(&published.unavailable);
    let mut out = io::stdout().lock();
    let shown = match command.output {
        Output::Text if quiet => Ok(()),
        Output::Text => terminal::show(&report, &published.folder, Confirmations::default(), voice, &mut out),
        Output::Json => serde_json::to_writer_pretty(&mut out, &report.summary)
            .map_err(io::Error::from)
            .and_then(|()| writeln!(out)),
    };
    exit::shown_of_report(shown, &published.folder, command.output)?;
    Ok(exit::of(&report))
}

/// Why a report can't be judged again or proved.
pub(super) fn failure(error: JobError) -> Failure {
    match error {
        JobError::NoReport { .. } => Failure::usage(error)
            .help("name the folder of a report that `tieout reconcile` made, such as reports/latest"),
        other => Failure::no_report(other),
    }
}
