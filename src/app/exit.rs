//! How the process ends: the exit codes that users script against, and what is said when there is no report.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use super::cli::Output;
use super::redaction;
use crate::domain::visible::is_harmful;
use crate::pipeline::Signal;
use crate::report::builder::Report;
use crate::report::folder::publish::FileSystemLimit;

/// Every way in which the process can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything tied out.
    Success,
    /// A person must look.
    Discrepant,
    /// A usage or configuration error; nothing was fetched.
    Usage,
    /// There is a report, but no verdict can be given.
    Incomplete,
    /// There is no report.
    NoReport,
    /// Stopped by SIGINT.
    Interrupted,
    /// Stopped by SIGTERM.
    Terminated,
}

impl Exit {
    /// The code of the process.
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

/// The exit of a report that comes to that.
#[must_use]
pub const fn of(report: &Report) -> Exit {
    match report.summary.exit_code {
        0 => Exit::Success,
        1 => Exit::Discrepant,
        _ => Exit::Incomplete,
    }
}

/// Why there is no report, and what to do.
#[derive(Debug)]
pub struct Failure {
    /// How the process ends.
    pub exit: Exit,
    what: String,
    help: Option<String>,
}

impl Failure {
    /// A usage or configuration error.
    pub fn usage(what: impl fmt::Display) -> Self {
        Self { exit: Exit::Usage, what: what.to_string(), help: None }
    }

    /// An end without a report.
    pub fn no_report(what: impl fmt::Display) -> Self {
        Self { exit: Exit::NoReport, what: what.to_string(), help: None }
    }

    /// The same, with what to do.
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

/// Says something on standard error. What is harmful in outside texts never reach the terminal, and no key is repeated.
pub fn tell(what: &impl ToString) {
    let visible = |char: char| if is_harmful(char) && char != '\n' { char::REPLACEMENT_CHARACTER } else { char };
    let text: String = redaction::without_keys(&what.to_string()).chars().map(visible).collect();
    // If nobody can hear it, the exit code still says it.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Warns of what the file system of a report can't do.
pub fn warn_unavailable(unavailable: &[FileSystemLimit]) {
    unavailable.iter().for_each(|what| tell(&format!("warning: {what}")));
}

/// A reader that closed the pipe has seen enough; anything else is a failure.
///
/// # Errors
/// When standard output can't be written for another reason.
pub fn ignore_closed_pipe(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::no_report(format!("can't write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// The same for the summary of a report that is there: it can be read again in the folder.
///
/// # Errors
/// When a script was to read the summary, and it is cut.
pub fn shown_of_report(written: io::Result<()>, folder: &Path, output: Output) -> Result<(), Failure> {
    let Err(failure) = ignore_closed_pipe(written) else {
        return Ok(());
    };
    let there = format!("the report is in {}", folder.display());
    match output {
        Output::Text => {
            tell(&format!("warning: {}\n  help: {there}", failure.what));
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
