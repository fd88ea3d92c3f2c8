//! How the process ends: the exit codes that users script against, and the message when there is no report.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use super::cli::Output;
use super::{messages, redaction};
use crate::domain::visible::is_harmful;
use crate::pipeline::Signal;
use crate::report::builder::Report;
use crate::report::folder::index::IndexError;
use crate::report::folder::publish::FileSystemLimit;

/// The ways in which the process can end, one per exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything tied out.
    Success,
    /// Someone must review the report, or a proof failed.
    Discrepant,
    /// A usage or configuration error; nothing was fetched.
    Usage,
    /// There is a report, or a list of `discover`, but it is incomplete; or a month can't be closed yet.
    Incomplete,
    /// There is no report, or another command could not do its work.
    NoReport,
    /// Stopped by SIGINT.
    Interrupted,
    /// Stopped by SIGTERM.
    Terminated,
}

impl Exit {
    /// The exit code of the process.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Discrepant => 1,
            Self::Usage => 2,
            Self::Incomplete => 3,
            Self::NoReport => 4,
            Self::Interrupted => Signal::Interrupt.exit_code(),
            Self::Terminated => Signal::Terminate.exit_code(),
        }
    }
}

impl From<Signal> for Exit {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Interrupt => Self::Interrupted,
            Signal::Terminate => Self::Terminated,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// How the process ends after publishing this report.
#[must_use]
pub const fn of_report(report: &Report) -> Exit {
    match report.summary.exit_code {
        0 => Exit::Success,
        1 => Exit::Discrepant,
        _ => Exit::Incomplete,
    }
}

/// Why a command failed, and what the user can do.
#[derive(Debug)]
pub struct Failure {
    /// How the process ends.
    pub exit: Exit,
    what: String,
    help: Option<String>,
}

impl Failure {
    /// A usage or configuration error: exit code 2.
    pub fn usage(what: impl fmt::Display) -> Self {
        Self { exit: Exit::Usage, what: what.to_string(), help: None }
    }

    /// An end without a report: exit code 4.
    pub fn no_report(what: impl fmt::Display) -> Self {
        Self { exit: Exit::NoReport, what: what.to_string(), help: None }
    }

    /// What was asked for can't be done yet: exit code 3.
    pub fn incomplete(what: impl fmt::Display) -> Self {
        Self { exit: Exit::Incomplete, what: what.to_string(), help: None }
    }

    /// Adds advice on what to do, printed on a line of its own.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        self.help.iter().try_for_each(|help| write!(f, "\n  help: {help}"))
    }
}

/// Writes a line to standard error. Harmful characters from outside texts are replaced, and keys are redacted.
pub fn print_to_stderr(what: &impl ToString) {
    let visible = |char: char| if is_harmful(char) && char != '\n' { char::REPLACEMENT_CHARACTER } else { char };
    let text: String = redaction::without_keys(&what.to_string()).chars().map(visible).collect();
    if messages::log(&text) {
        return;
    }
    // Where standard error is closed, the exit code still tells.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Warns about what the report's file system can't do.
pub fn warn_of_limits(limits: &[FileSystemLimit]) {
    limits.iter().for_each(|what| print_to_stderr(&format!("warning: {what}")));
}

/// Warns where the page over all reports can't be written: the reports are complete all the same.
pub fn warn_of_index(written: Result<(), IndexError>) {
    if let Err(error) = written {
        let help = match &error {
            IndexError::NotOurs { .. } => "move it away for tieout to list all reports there",
            IndexError::Reports(_) | IndexError::File(_) => "the next report writes it again",
        };
        print_to_stderr(&format!("warning: the page over all reports was not written: {error}\n  help: {help}"));
    }
}

/// Accepts a closed pipe: its reader has seen enough. Other errors are failures.
///
/// # Errors
/// When standard output can't be written for any other reason.
pub fn ignore_closed_pipe(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::no_report(format!("can't write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Handles an error while printing the summary of a published report. For people it is only a warning, since the report
/// is in its folder.
///
/// # Errors
/// With JSON output, where a script would read a summary that is cut off.
pub fn check_summary_written(written: io::Result<()>, folder: &Path, output: Output) -> Result<(), Failure> {
    let Err(failure) = ignore_closed_pipe(written) else {
        return Ok(());
    };
    let there = format!("the report is in {}", folder.display());
    match output {
        Output::Text => {
            print_to_stderr(&format!("warning: {}\n  help: {there}", failure.what));
            Ok(())
        }
        Output::Json => Err(failure.help(there)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_and_what_to_do() {
        let failure = Failure::usage("no such thing").help("make one");
        assert_eq!(failure.to_string(), "error: no such thing\n  help: make one");
    }
}
