//! How the process ends: the exit codes that users script against, and what is said when there is no report.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use super::cli::Output;
use super::redaction;
use crate::pipeline::Signal;
use crate::report::publish::Unavailable;
use crate::summary::{Verdict, Weighed};

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

/// A verdict that is fine by default and that `--fail-on` makes fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailOn {
    /// Fail on `warnings`.
    Warnings,
    /// Fail where anything is pending.
    Pending,
    /// Fail where a difference that nothing waives is material (`--material`), be it only a warning.
    Material,
}

impl FailOn {
    /// What that word stands for.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::Warnings, Self::Pending, Self::Material].into_iter().find(|verdict| verdict.word() == word)
    }

    /// The word of the option.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Warnings => "warnings",
            Self::Pending => "pending",
            Self::Material => "material",
        }
    }
}

/// The exit of a report that comes to that.
#[must_use]
pub fn of(weighed: &Weighed, fail_on: &[FailOn]) -> Exit {
    match weighed.verdict {
        Verdict::Incomplete => Exit::Incomplete,
        Verdict::Discrepant => Exit::Discrepant,
        Verdict::Warnings if fail_on.contains(&FailOn::Warnings) => Exit::Discrepant,
        // Warnings outrank what is pending, but do not hide it from who asked to hear of it.
        Verdict::Warnings | Verdict::Pending if fail_on.contains(&FailOn::Pending) && weighed.pending > 0 => {
            Exit::Discrepant
        }
        _ if fail_on.contains(&FailOn::Material) && weighed.material > 0 => Exit::Discrepant,
        Verdict::Warnings | Verdict::Pending | Verdict::Reconciled | Verdict::Empty => Exit::Success,
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

/// Says something on standard error. Control characters of outside texts never reach the terminal, and no key is repeated.
pub fn tell(what: &impl ToString) {
    let visible = |char: char| if char.is_control() && char != '\n' { char::REPLACEMENT_CHARACTER } else { char };
    let text: String = redaction::without_keys(&what.to_string()).chars().map(visible).collect();
    // If nobody can hear it, the exit code still says it.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Warns of what the file system of a report can't do.
pub fn warn_unavailable(unavailable: &[Unavailable]) {
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
    fn every_verdict_has_its_code() {
        let of =
            |verdict, fail_on: &[FailOn]| of(&Weighed { verdict, pending: 0, material: 0, gap: false }, fail_on).code();
        let cases = [
            (Verdict::Reconciled, 0),
            (Verdict::Empty, 0),
            (Verdict::Warnings, 0),
            (Verdict::Pending, 0),
            (Verdict::Discrepant, 1),
            (Verdict::Incomplete, 3),
        ];
        for (verdict, code) in cases {
            assert_eq!(of(verdict, &[]), code, "{verdict:?}");
        }
        assert_eq!(of(Verdict::Warnings, &[FailOn::Warnings]), 1);
        assert_eq!(of(Verdict::Warnings, &[FailOn::Pending]), 0);
        assert_eq!(of(Verdict::Pending, &[FailOn::Warnings]), 0);
        assert_eq!(of(Verdict::Warnings, &[FailOn::Material]), 0);
    }

    #[test]
    fn what_is_asked_for_fails_whatever_outranks_it() {
        let weighed = |verdict| Weighed { verdict, pending: 1, material: 1, gap: false };
        for verdict in [Verdict::Warnings, Verdict::Pending] {
            assert_eq!(of(&weighed(verdict), &[]).code(), 0);
            assert_eq!(of(&weighed(verdict), &[FailOn::Pending]).code(), 1);
            assert_eq!(of(&weighed(verdict), &[FailOn::Material]).code(), 1);
        }
        assert_eq!(of(&weighed(Verdict::Incomplete), &[FailOn::Material]).code(), 3);
    }

    #[test]
    fn a_failure_says_what_and_what_to_do() {
        let failure = Failure::usage("no such thing").help("make one");
        assert_eq!(failure.to_string(), "error: no such thing\n  help: make one");
    }
}
