//! How the process ends: the exit codes that users script against, and the message when there is no report.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::OnceLock;

use super::cli::Output;
use super::{messages, redaction};
use crate::domain::visible::is_harmful;
use crate::language::{Language, Texts};
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

/// The language of standard error, which is one for the whole process; English until it is set.
static LANGUAGE: OnceLock<Language> = OnceLock::new();

/// Sets the language of standard error. Only the first call counts.
pub(super) fn speak(language: Language) {
    let _ = LANGUAGE.set(language);
}

fn texts() -> Texts {
    Texts::new(LANGUAGE.get().copied().unwrap_or_default())
}

/// What is printed of a failure, with the advice on a line of its own.
fn error_text(failure: &Failure, texts: Texts) -> String {
    let error = texts.with("exit-error", &[("what", texts.translated(&failure.what).into())]);
    with_help(error, failure.help.as_deref(), texts)
}

fn with_help(text: String, help: Option<&str>, texts: Texts) -> String {
    match help {
        Some(help) => format!("{text}\n  {}", texts.with("exit-help", &[("help", texts.translated(help).into())])),
        None => text,
    }
}

/// Prints why a command failed.
pub(super) fn print_failure(failure: &Failure) {
    print_to_stderr(false, &failure_text(failure));
}

/// Why a command failed, as it is printed.
pub(super) fn failure_text(failure: &Failure) -> String {
    error_text(failure, texts())
}

/// Prints a warning, with advice on a line of its own. Both are given in English.
pub(super) fn warn(what: impl fmt::Display, help: Option<&str>) {
    let texts = texts();
    let warning = texts.with("exit-warning", &[("what", texts.translated(&what.to_string()).into())]);
    print_to_stderr(true, &with_help(warning, help, texts));
}

/// Prints lines that are given in English, each translated by itself behind its margin.
pub(super) fn print_lines(lines: &str) {
    let texts = texts();
    let line = |line: &str| {
        let text = line.trim_start();
        format!("{}{}", &line[..line.len() - text.len()], texts.translated(text))
    };
    let is_error = lines.starts_with("error: ");
    print_to_stderr(!is_error, &lines.lines().map(line).collect::<Vec<_>>().join("\n"));
}

/// Writes lines to standard error. Harmful characters from outside texts are replaced, and keys are redacted.
fn print_to_stderr(is_warning: bool, what: &str) {
    let visible = |char: char| if is_harmful(char) && char != '\n' { char::REPLACEMENT_CHARACTER } else { char };
    let text: String = redaction::without_keys(what).chars().map(visible).collect();
    if messages::log(is_warning, &text) {
        return;
    }
    // Where standard error is closed, the exit code still tells.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Warns about what the report's file system can't do.
pub fn warn_of_limits(limits: &[FileSystemLimit]) {
    limits.iter().for_each(|what| warn(what, None));
}

/// Warns where the page over all reports can't be written: the reports are complete all the same.
pub fn warn_of_index(written: Result<(), IndexError>) {
    if let Err(error) = written {
        let help = match &error {
            IndexError::NotOurs { .. } => "move it away for tieout to list all reports there",
            IndexError::Reports(_) | IndexError::File(_) => "the next report writes it again",
        };
        warn(format_args!("the page over all reports was not written: {error}"), Some(help));
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
            warn(failure.what, Some(&there));
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
        let text = |language| error_text(&failure, Texts::new(language));
        assert_eq!(text(Language::English), "error: no such thing\n  help: make one");
        assert_eq!(text(Language::Chinese), "错误：no such thing\n  建议：make one");
        let failure = Failure::usage("--rate \"x\": give zero or more");
        assert_eq!(error_text(&failure, Texts::new(Language::Chinese)), "错误：--rate \"x\"：请给出零或更大的数");
    }
}
