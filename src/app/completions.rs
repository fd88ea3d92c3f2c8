//! `tieout completions`: the script with which a shell completes `tieout` command lines.

use std::io::{self, Write};

use clap_complete::Shell;

use super::exit::{self, Exit, Failure};
use super::help;
use crate::language::Language;

/// Writes the completion script of a shell to standard output.
pub(super) fn run(shell: Shell, language: Language) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut help::command_for_documentation(language), "tieout", &mut script);
    exit::ignore_closed_pipe(io::stdout().lock().write_all(&script))?;
    Ok(Exit::Success)
}
