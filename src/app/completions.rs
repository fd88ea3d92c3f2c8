//! `tieout completions`: what a shell needs to complete a command line of ours.

use std::io::{self, Write};

use clap_complete::Shell;

use super::exit::{self, Exit, Failure};
use super::help;
use crate::language::Language;

/// Writes the completions of a shell to standard output.
pub(super) fn run(shell: Shell, language: Language) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut help::described(language), "tieout", &mut script);
    exit::ignore_closed_pipe(io::stdout().lock().write_all(&script))?;
    Ok(Exit::Success)
}
