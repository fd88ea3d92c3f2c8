//! `tieout man`: the manual pages, one for each command.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use clap_mangen::Man;

use super::exit::{self, Exit, Failure};
use super::help;
use crate::language::Language;

/// Writes all pages into `folder`; without one, writes the page of `tieout` itself to standard output.
pub(super) fn run(folder: Option<&Path>, language: Language) -> Result<Exit, Failure> {
    let command = help::command_for_documentation(language);
    match folder {
        None => {
            let mut out = io::stdout().lock();
            exit::ignore_closed_pipe(write(&command, &mut out))?;
        }
        Some(folder) => {
            let unwritable = |error: io::Error| {
                let what = format!("can't write the pages into {}: {error}", folder.display());
                Failure::no_report(what).help("name a folder that you can write to")
            };
            fs::create_dir_all(folder).map_err(unwritable)?;
            write_all(&command, folder).map_err(unwritable)?;
        }
    }
    Ok(Exit::Success)
}

/// Writes the pages of a command and of its subcommands.
fn write_all(command: &Command, folder: &Path) -> io::Result<()> {
    let mut page = Vec::new();
    write(command, &mut page)?;
    fs::write(folder.join(Man::new(command.clone()).get_filename()), page)?;
    command.get_subcommands().try_for_each(|command| write_all(command, folder))
}

/// Writes the page of a command. Exit codes and examples keep their line breaks.
fn write(command: &Command, out: &mut dyn Write) -> io::Result<()> {
    let man = Man::new(command.clone());
    man.render_title(out)?;
    // Left-aligned, since Chinese has no spaces to stretch; and no hyphenation, which would change codes.
    writeln!(out, ".ad l\n.nh")?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(out)?;
    }
    if let Some(after) = command.get_after_long_help().or_else(|| command.get_after_help()) {
        writeln!(out, ".SH NOTES\n.nf")?;
        after.to_string().lines().try_for_each(|line| writeln!(out, "{}", verbatim(line)))?;
        writeln!(out, ".fi")?;
    }
    Ok(())
}

/// A line escaped so that roff prints it as it is.
fn verbatim(line: &str) -> String {
    let escaped = line.replace('\\', "\\e").replace('-', "\\-");
    if escaped.starts_with(['.', '\'']) { format!("\\&{escaped}") } else { escaped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_escaped_for_roff() {
        assert_eq!(verbatim("  tieout diff --output json"), "  tieout diff \\-\\-output json");
        assert_eq!(verbatim(".SH"), "\\&.SH");
        assert_eq!(verbatim("'x'"), "\\&'x'");
        assert_eq!(verbatim("a\\b"), "a\\eb");
    }
}
