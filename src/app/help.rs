//! The command line with its help in the language of who asks. English stands in `cli`, where clap takes it from; here it
//! is replaced, text by text, in the tree that clap built.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::Path;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ColorChoice, Command, CommandFactory, ValueEnum};

use super::cli::Cli;
use super::settings;
use super::voice::Colour;
use super::wrap::wrapped;
use crate::language::{Language, Texts, Value};

/// The command whose options are those of every command.
const ROOT: &str = "tieout";
/// The command that has most options: what others say of theirs in the same words is translated once.
const FULLEST: &str = "reconcile";
/// How many columns the help of an option takes: it is set in by ten, and shown on 80 at least.
const COLUMNS: usize = 70;
/// How many columns what a command is about takes.
const WIDE: usize = 100;

/// The command line in a language, to be parsed.
#[must_use]
pub fn command(language: Language) -> Command {
    spoken(Cli::command(), language, Layout::Lines)
}

/// The command line in a language, to be described: without the command `help`, which repeats the others.
pub(super) fn described(language: Language) -> Command {
    let mut command = spoken(Cli::command().disable_help_subcommand(true), language, Layout::Flow);
    command.build();
    command
}

/// The command line for these arguments, which are not parsed yet: help and errors are written while they are.
pub(super) fn command_for(arguments: &[OsString]) -> Command {
    let or_variable =
        |option: &str, variable: &str| typed(arguments, option).map(str::to_owned).or_else(|| env::var(variable).ok());
    let language = or_variable("--lang", "TIEOUT_LANG").and_then(|text| text.parse().ok());
    let config = or_variable("--config", "TIEOUT_CONFIG");
    let colour = or_variable("--color", "TIEOUT_COLOR").and_then(|text| Colour::from_str(&text, false).ok());
    command(settings::language(language, config.as_deref().map(Path::new))).color(match colour.unwrap_or_default() {
        Colour::Auto => ColorChoice::Auto,
        Colour::Always => ColorChoice::Always,
        Colour::Never => ColorChoice::Never,
    })
}

/// What stands on the command line for an option, the last time.
fn typed<'a>(arguments: &'a [OsString], option: &str) -> Option<&'a str> {
    let (mut last, mut is_next) = (None, false);
    let texts = arguments.iter().map(|argument| argument.to_str().unwrap_or_default());
    for argument in texts.take_while(|argument| *argument != "--") {
        if is_next {
            last = Some(argument);
        } else if let Some(value) = argument.strip_prefix(option).and_then(|rest| rest.strip_prefix('=')) {
            last = Some(value);
        }
        is_next = argument == option;
    }
    last
}

fn spoken(mut command: Command, language: Language, layout: Layout) -> Command {
    match language {
        Language::English => command,
        Language::Chinese => {
            // Only then are there the options and the command that clap adds by itself.
            command.build();
            let shared = command.find_subcommand(FULLEST).map(helps).unwrap_or_default();
            Translation { texts: Texts::new(language), layout, shared }.of_command(command)
        }
    }
}

/// The help of a command's arguments, by their names.
fn helps(command: &Command) -> BTreeMap<String, String> {
    let help = |argument: &Arg| Some((name(argument), argument.get_help()?.to_string()));
    command.get_arguments().filter_map(help).collect()
}

/// An option's long name; of what has none, its ID in the same spelling.
fn name(argument: &Arg) -> String {
    argument.get_long().map_or_else(|| argument.get_id().as_str().replace('_', "-"), str::to_owned)
}

/// How the help of an option is laid out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// In lines for a terminal, values one below the other: clap would break them at blanks, which Chinese has not.
    Lines,
    /// In one line, for what lays it out itself. Its values have their meaning beside them, and no parser any more.
    Flow,
}

/// Help in another language than that of the code.
struct Translation {
    texts: Texts,
    layout: Layout,
    /// The English help of the fullest command.
    shared: BTreeMap<String, String>,
}

impl Translation {
    /// A text, or none where it is not translated: then the English one stays. A test proves that none does.
    fn said(&self, id: &str, variables: &[(&str, Value<'_>)]) -> Option<String> {
        self.texts.try_with(id, variables).ok()
    }

    fn of_command(&self, mut command: Command) -> Command {
        let name = command.get_name().to_owned();
        let said = |suffix: &str| self.said(&format!("help-{name}{suffix}"), &[]);
        if let Some(about) = said("") {
            command = command.about(wrapped(&about, WIDE).join("\n"));
        }
        if let Some(after) = said("-after") {
            command = command.after_help(after);
        }
        if let Some(after) = said("-after-long") {
            command = command.after_long_help(after);
        }
        if let Some(heading) = self.texts.plain("help-heading-commands") {
            command = command.subcommand_help_heading(heading);
        }
        if let Some(usage) = self.said("help-usage", &[]) {
            let style = command.get_styles().get_usage();
            let usage = format!("{style}{usage}:{style:#}");
            command = command.help_template(format!(
                "{{before-help}}{{about-with-newline}}\n{usage} {{usage}}\n\n{{all-args}}{{after-help}}"
            ));
        }
        command
            .mut_args(|argument| self.of_argument(argument, &name))
            .mut_subcommands(|command| self.of_command(command))
    }

    fn of_argument(&self, argument: Arg, command: &str) -> Arg {
        let id = argument.get_id().as_str().to_owned();
        let is_everywhere = argument.is_global_set() || ["help", "version"].contains(&id.as_str());
        let name = name(&argument);
        let is_shared = argument.get_help().is_some_and(|help| self.shared.get(&name) == Some(&help.to_string()));
        let scope = match (is_everywhere, is_shared) {
            (true, _) => ROOT,
            (false, true) => FULLEST,
            (false, false) => command,
        };
        let key = format!("help-{scope}-{name}");
        let argument = self.under_heading(argument, is_everywhere);
        let Some(text) = self.said(&key, &[]) else { return argument };
        let more = self.said(&format!("{key}-long"), &[]).unwrap_or_else(|| text.clone());

        let values = self.values(&argument, &key);
        let names: Vec<&str> = values.iter().map(PossibleValue::get_name).collect();
        let meanings: Vec<(&str, String)> = values.iter().filter_map(meaning).collect();
        let variable = self.variable(&argument);
        let default = self.default(&argument);
        // Their names are no news beside their meanings.
        let inline = if names.is_empty() {
            None
        } else {
            self.said("help-values-inline", &[("values", names.join(", ").into())])
        };
        let long_inline = if meanings.is_empty() { inline.clone() } else { None };
        let short = bracketed([default.clone(), inline]);
        let long = bracketed([variable, default, long_inline]);
        let argument = match self.layout {
            Layout::Lines => {
                let short = [vec![text], short].concat().join(" ");
                argument.help(short).long_help(self.lines(&more, &meanings, long))
            }
            Layout::Flow => {
                let meanings: Vec<String> =
                    meanings.iter().map(|(name, meaning)| format!("{name}（{meaning}）")).collect();
                let heading = self.said("help-values", &[]).filter(|_| !meanings.is_empty());
                let meanings = heading.map(|heading| heading + &meanings.join("、"));
                let long = [vec![more], meanings.into_iter().collect(), long].concat().join(" ");
                let argument =
                    if values.is_empty() { argument } else { argument.value_parser(PossibleValuesParser::new(values)) };
                argument.help(text).long_help(long)
            }
        };
        argument.hide_possible_values(true).hide_default_value(true).hide_env(true)
    }

    /// The help of an option in lines: text, values with their meanings, and what else there is to say.
    fn lines(&self, text: &str, meanings: &[(&str, String)], more: Vec<String>) -> String {
        let mut lines = wrapped(text, COLUMNS);
        if !meanings.is_empty() {
            lines.push(String::new());
            lines.extend(self.said("help-values", &[]));
        }
        // A dash, the name with its colon, the meaning: each column as wide as its longest.
        let margin = meanings.iter().map(|(name, _)| name.len()).max().unwrap_or_default() + 4;
        for (name, meaning) in meanings {
            let mut head = format!("- {name}:");
            for line in wrapped(meaning, COLUMNS - margin) {
                lines.push(format!("{head:margin$}{line}"));
                head.clear();
            }
        }
        if !more.is_empty() {
            lines.push(String::new());
            lines.extend(more);
        }
        lines.join("\n")
    }

    fn variable(&self, argument: &Arg) -> Option<String> {
        let name = argument.get_env()?.to_string_lossy().into_owned();
        self.said("help-environment", &[("name", name.into())])
    }

    fn default(&self, argument: &Arg) -> Option<String> {
        let values: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        let has_one = argument.get_action().takes_values() && !values.is_empty();
        has_one.then(|| self.said("help-default", &[("value", values.join(" ").into())])).flatten()
    }

    /// Headings in the language; what clap would put under one of its own is under one of ours. There, what has no name is
    /// sorted by the order that is set.
    fn under_heading(&self, argument: Arg, is_everywhere: bool) -> Arg {
        let heading = match argument.get_help_heading() {
            Some(heading) => heading.to_lowercase().replace(' ', "-"),
            None if is_everywhere => "general".to_owned(),
            None if argument.is_positional() => "arguments".to_owned(),
            None => "options".to_owned(),
        };
        let argument = match argument.get_index() {
            Some(index) => argument.display_order(index),
            None => argument,
        };
        match self.texts.plain(&format!("help-heading-{heading}")) {
            Some(heading) => argument.help_heading(heading),
            None => argument,
        }
    }

    /// The values that an option may have, with what they mean where that is said.
    fn values(&self, argument: &Arg, key: &str) -> Vec<PossibleValue> {
        if !argument.get_action().takes_values() {
            return Vec::new();
        }
        let values = argument.get_possible_values().into_iter();
        let explained = |value: PossibleValue| match self.said(&format!("{key}-{}", value.get_name()), &[]) {
            Some(meaning) => value.help(meaning),
            None => value,
        };
        values.map(explained).collect()
    }
}

fn meaning(value: &PossibleValue) -> Option<(&str, String)> {
    Some((value.get_name(), value.get_help()?.to_string()))
}

fn bracketed<const N: usize>(texts: [Option<String>; N]) -> Vec<String> {
    texts.into_iter().flatten().map(|text| format!("[{text}]")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_an_option_is_found_before_it_is_parsed() {
        let typed = |line: &str| {
            let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            typed(&arguments, "--lang").map(str::to_owned)
        };
        assert_eq!(typed("tieout checks"), None);
        assert_eq!(typed("tieout --lang zh-CN checks").as_deref(), Some("zh-CN"));
        assert_eq!(typed("tieout checks --lang=zh-CN").as_deref(), Some("zh-CN"));
        assert_eq!(typed("tieout --lang en checks --lang zh-CN").as_deref(), Some("zh-CN"), "the last one wins");
        assert_eq!(typed("tieout --language zh-CN"), None);
        assert_eq!(typed("tieout checks --lang"), None);
        assert_eq!(typed("tieout checks -- --lang zh-CN"), None, "no option after two dashes");
    }
}
