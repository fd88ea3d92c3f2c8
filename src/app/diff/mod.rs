//! `tieout diff`: shows what changed between two reports.

mod json;
mod text;

use std::io::{self, BufWriter, Write};

use super::cli::{DiffCommand, DiffOutput};
use super::exit::{self, Exit, Failure};
use super::voice::Voice;
use crate::report::ReportError;
use crate::report::comparison::{self, Comparison, ComparisonError};
use crate::report::folder::FolderError;
use crate::report::folder::publish::follow;
use crate::report::formats::csv;

/// Compares two reports and writes what changed. Succeeds whatever the result.
///
/// # Errors
/// When one of the two is not a report, or does not match its manifest.
pub(super) fn run(command: &DiffCommand, quiet: bool, voice: &Voice) -> Result<Exit, Failure> {
    let comparison = Comparison::of(&follow(&command.old), &follow(&command.new)).map_err(failure)?;
    if !quiet {
        warn(&comparison);
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let written = match command.output {
        DiffOutput::Text => text::show(&comparison, [&command.old, &command.new], voice, &mut out),
        DiffOutput::Json => json::write(&comparison, &mut out),
        DiffOutput::Csv => {
            csv::write(comparison::table(&comparison), csv::Encoding::Utf8, &mut out).map(drop).or_else(io_error)
        }
    };
    exit::ignore_closed_pipe(written.and_then(|()| out.flush()))?;
    Ok(Exit::Success)
}

fn warn(comparison: &Comparison) {
    let (old, new) = (&comparison.old, &comparison.new);
    if !comparison.same_base_url {
        let urls = format!("{} and {}", old.base_url, new.base_url);
        exit::warn(format!("the reports are about different providers ({urls})"), None);
    }
    if !comparison.same_settings {
        let what = "the reports were judged under different settings (see `settings` in both manifest.json)";
        exit::warn(what, None);
    }
}

/// The error of the operating system inside a CSV error, so that a closed pipe is recognised.
fn io_error(error: ReportError) -> io::Result<()> {
    match error {
        ReportError::Csv { source, .. } => Err(match source.into_kind() {
            ::csv::ErrorKind::Io(error) => error,
            kind => io::Error::other(format!("{kind:?}")),
        }),
        other => Err(io::Error::other(other)),
    }
}

fn failure(error: ComparisonError) -> Failure {
    match error {
        ComparisonError::Folder(FolderError::NotAReport { .. }) => {
            Failure::usage(error).help("name two folders that `tieout reconcile` made, such as reports/latest")
        }
        ComparisonError::Folder(_) | ComparisonError::Overflow(_) => Failure::no_report(error),
    }
}
