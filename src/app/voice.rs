//! How the program writes to people on standard output: in which language, and whether in colour.

use std::env;
use std::ffi::OsStr;
use std::io::{self, IsTerminal};

use clap::ValueEnum;

use crate::language::{Language, Texts};
use crate::summary::Verdict;

/// When to colour standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, or if CLICOLOR_FORCE is set; never if NO_COLOR is set.
    #[default]
    Auto,
    /// Also in files and pipes.
    Always,
    /// Not even on a terminal.
    Never,
}

impl Colour {
    /// Whether to colour, given the variables of the environment and whether standard output is a terminal.
    fn is_on<'e>(self, variable: impl Fn(&str) -> Option<&'e OsStr>, is_terminal: bool) -> bool {
        let says = |name: &str| variable(name).filter(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if says("NO_COLOR").is_some() => false,
            Self::Auto if says("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            Self::Auto => is_terminal && says("TERM").is_none_or(|terminal| terminal != "dumb"),
        }
    }
}

/// The texts of one language, and whether to style them.
pub(super) struct Voice {
    pub(super) texts: Texts,
    /// Whether standard output is a terminal: a person then sees the last lines first.
    pub(super) is_on_terminal: bool,
    is_coloured: bool,
}

impl Voice {
    /// Texts in `language`, coloured as `colour`, the environment and standard output decide.
    pub(super) fn new(language: Language, colour: Colour) -> Self {
        let variables = ["NO_COLOR", "CLICOLOR_FORCE", "TERM"].map(|name| (name, env::var_os(name)));
        let variable = |name: &str| {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            value.as_deref()
        };
        let is_on_terminal = io::stdout().is_terminal();
        Self { texts: Texts::new(language), is_on_terminal, is_coloured: colour.is_on(variable, is_on_terminal) }
    }

    /// Text in bold, for headings.
    pub(super) fn bold(&self, text: &str) -> String {
        self.styled("1", text)
    }

    /// The verdict line: green if everything ties out, yellow for pending and warnings, red if someone must review the
    /// report or it is incomplete.
    pub(super) fn verdict(&self, verdict: Verdict, text: &str) -> String {
        match verdict {
            Verdict::Reconciled | Verdict::Empty => self.styled("1;32", text),
            Verdict::Pending | Verdict::Warnings => self.styled("1;33", text),
            Verdict::Discrepant | Verdict::Incomplete => self.styled("1;31", text),
        }
    }

    fn styled(&self, style: &str, text: &str) -> String {
        if self.is_coloured { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_for_terminals_unless_overridden() {
        type Case<'v> = (Colour, &'v [(&'v str, &'v str)], bool, bool);
        let cases: [Case<'_>; 13] = [
            (Colour::Auto, &[], true, true),
            (Colour::Auto, &[], false, false),
            (Colour::Auto, &[("NO_COLOR", "1")], true, false),
            (Colour::Auto, &[("NO_COLOR", "0")], true, false),
            (Colour::Auto, &[("NO_COLOR", "")], true, true),
            (Colour::Auto, &[("TERM", "dumb")], true, false),
            (Colour::Auto, &[("TERM", "xterm")], true, true),
            (Colour::Auto, &[("CLICOLOR_FORCE", "1")], false, true),
            (Colour::Auto, &[("CLICOLOR_FORCE", "0")], false, false),
            (Colour::Auto, &[("CLICOLOR_FORCE", "")], false, false),
            (Colour::Auto, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false, false),
            (Colour::Always, &[("NO_COLOR", "1")], false, true),
            (Colour::Never, &[("CLICOLOR_FORCE", "1")], true, false),
        ];
        for (colour, variables, is_terminal, expected) in cases {
            let variable =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsStr::new(*value));
            assert_eq!(colour.is_on(variable, is_terminal), expected, "{colour:?} {variables:?} {is_terminal}");
        }
    }

    #[test]
    fn colour_does_not_change_the_text() {
        let plain = Voice { texts: Texts::new(Language::English), is_on_terminal: false, is_coloured: false };
        let coloured = Voice { texts: Texts::new(Language::English), is_on_terminal: false, is_coloured: true };
        assert_eq!(plain.bold("Population"), "Population");
        assert_eq!(coloured.bold("Population"), "\x1b[1mPopulation\x1b[0m");
        for (verdict, colour) in [
            (Verdict::Reconciled, "32"),
            (Verdict::Warnings, "33"),
            (Verdict::Discrepant, "31"),
            (Verdict::Incomplete, "31"),
        ] {
            assert_eq!(plain.verdict(verdict, "x"), "x");
            assert_eq!(coloured.verdict(verdict, "x"), format!("\x1b[1;{colour}mx\x1b[0m"));
        }
    }
}
