//! The command line with help in the user's language. The English help is the doc comments of `cli`, from which clap
//! builds its tree of commands; for Chinese this module replaces the texts in that tree, one by one.

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

/// The root command: its options are options of every command.
const ROOT: &str = "tieout";
/// The command with most options. Where another command has an option with the same help, one translation serves both.
const FULLEST: &str = "reconcile";
/// Width of an option's help, in columns: clap indents it by ten, and a terminal has at least 80.
const COLUMNS: usize = 70;
/// Width of a command's description, in columns.
const WIDE: usize = 100;

/// The command line with help in `language`, for parsing arguments.
#[must_use]
pub fn command(language: Language) -> Command {
    translate(Cli::command(), language, Layout::Lines)
}

/// The command line with help in `language`, for completions and manual pages: without the command `help`, which
/// repeats the others.
pub(super) fn command_for_documentation(language: Language) -> Command {
    let mut command = translate(Cli::command().disable_help_subcommand(true), language, Layout::Flow);
    command.build();
    command
}

/// The command line for these arguments. Clap prints help and errors while it parses, so language and colour are looked
/// up in the arguments beforehand.
pub(super) fn command_for(arguments: &[OsString]) -> Command {
    let colour = or_variable(arguments, "--color", "TIEOUT_COLOR");
    let colour = colour.and_then(|text| Colour::from_str(&text, false).ok());
    command(language_of(arguments)).color(match colour.unwrap_or_default() {
        Colour::Auto => ColorChoice::Auto,
        Colour::Always => ColorChoice::Always,
        Colour::Never => ColorChoice::Never,
    })
}

/// Whether the arguments or the environment ask for a log in JSON, for errors in the arguments themselves.
pub(super) fn wants_json(arguments: &[OsString]) -> bool {
    or_variable(arguments, "--log-format", "TIEOUT_LOG_FORMAT").is_some_and(|format| format == "json")
}

/// The user's language, looked up in the arguments before they are parsed.
pub(super) fn language_of(arguments: &[OsString]) -> Language {
    let language = or_variable(arguments, "--lang", "TIEOUT_LANG").and_then(|text| text.parse().ok());
    let config = or_variable(arguments, "--config", "TIEOUT_CONFIG");
    settings::language(language, config.as_deref().map(Path::new))
}

/// The last value that the arguments give to an option, or else that of its variable.
fn or_variable(arguments: &[OsString], option: &str, variable: &str) -> Option<String> {
    last_value(arguments, option).map(str::to_owned).or_else(|| env::var(variable).ok())
}

/// The last value that the arguments give to an option, before any `--`.
fn last_value<'a>(arguments: &'a [OsString], option: &str) -> Option<&'a str> {
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

fn translate(mut command: Command, language: Language, layout: Layout) -> Command {
    match language {
        Language::English => command,
        Language::Chinese => {
            // Clap adds `--help`, `--version` and the command `help` only here.
            command.build();
            let shared = command.find_subcommand(FULLEST).map(helps).unwrap_or_default();
            Translation { texts: Texts::new(language), layout, shared }.of_command(command)
        }
    }
}

/// The English help of each argument of a command, by the argument's name.
fn helps(command: &Command) -> BTreeMap<String, String> {
    let help = |argument: &Arg| Some((name(argument), argument.get_help()?.to_string()));
    command.get_arguments().filter_map(help).collect()
}

/// The long name of an option, or the ID of an argument without one, in kebab case.
fn name(argument: &Arg) -> String {
    argument.get_long().map_or_else(|| argument.get_id().as_str().replace('_', "-"), str::to_owned)
}

/// Layout of an option's help.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Broken into lines for a terminal, one value per line. Clap breaks lines only at spaces, which Chinese lacks.
    Lines,
    /// One line, for shells and manual pages, which do their own layout. Possible values have their meaning in
    /// brackets; their parser is replaced, so the result can't parse arguments.
    Flow,
}

/// Translates the help of a tree of commands.
struct Translation {
    texts: Texts,
    layout: Layout,
    /// The English help of each option of [`FULLEST`], by name.
    shared: BTreeMap<String, String>,
}

impl Translation {
    /// A translated text; `None` keeps the English one. A test proves that every text is translated.
    fn text(&self, id: &str, variables: &[(&str, Value<'_>)]) -> Option<String> {
        self.texts.try_with(id, variables).ok()
    }

    fn of_command(&self, mut command: Command) -> Command {
        let name = command.get_name().to_owned();
        let text = |suffix: &str| self.text(&format!("help-{name}{suffix}"), &[]);
        if let Some(about) = text("") {
            command = command.about(wrapped(&about, WIDE).join("\n"));
        }
        if let Some(after) = text("-after") {
            command = command.after_help(after);
        }
        if let Some(after) = text("-after-long") {
            command = command.after_long_help(after);
        }
        if let Some(heading) = self.texts.plain("help-heading-commands") {
            command = command.subcommand_help_heading(heading);
        }
        if let Some(usage) = self.text("help-usage", &[]) {
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
        let Some(text) = self.text(&key, &[]) else { return argument };
        let more = self.text(&format!("{key}-long"), &[]).unwrap_or_else(|| text.clone());

        let values = self.values(&argument, &key);
        let names: Vec<&str> = values.iter().map(PossibleValue::get_name).collect();
        let meanings: Vec<(&str, String)> = values.iter().filter_map(meaning).collect();
        let variable = self.variable(&argument);
        let default = self.default(&argument);
        // Where values have meanings, the long help lists both, so that it need not list the names again.
        let inline = if names.is_empty() {
            None
        } else {
            self.text("help-values-inline", &[("values", names.join(", ").into())])
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
                let heading = self.text("help-values", &[]).filter(|_| !meanings.is_empty());
                let meanings = heading.map(|heading| heading + &meanings.join("、"));
                let long = [vec![more], meanings.into_iter().collect(), long].concat().join(" ");
                let argument =
                    if values.is_empty() { argument } else { argument.value_parser(PossibleValuesParser::new(values)) };
                argument.help(text).long_help(long)
            }
        };
        argument.hide_possible_values(true).hide_default_value(true).hide_env(true)
    }

    /// The help of an option in lines: its text, its values with their meanings, and `more` (variable, default).
    fn lines(&self, text: &str, meanings: &[(&str, String)], more: Vec<String>) -> String {
        let mut lines = wrapped(text, COLUMNS);
        if !meanings.is_empty() {
            lines.push(String::new());
            lines.extend(self.text("help-values", &[]));
        }
        // "- name: meaning": the margin fits the longest name, the dash, the colon and two blanks.
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
        self.text("help-environment", &[("name", name.into())])
    }

    fn default(&self, argument: &Arg) -> Option<String> {
        let values: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        let has_one = argument.get_action().takes_values() && !values.is_empty();
        has_one.then(|| self.text("help-default", &[("value", values.join(" ").into())])).flatten()
    }

    /// Puts an argument under a translated heading, also where clap has a heading of its own. Clap sorts the positional
    /// arguments there by display order, so they get their index.
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

    /// The possible values of an option, with their translated meanings where there are any.
    fn values(&self, argument: &Arg, key: &str) -> Vec<PossibleValue> {
        if !argument.get_action().takes_values() {
            return Vec::new();
        }
        let values = argument.get_possible_values().into_iter();
        let explained = |value: PossibleValue| match self.text(&format!("{key}-{}", value.get_name()), &[]) {
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
    fn the_value_of_an_option_is_found_before_parsing() {
        let language = |line: &str| {
            let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            last_value(&arguments, "--lang").map(str::to_owned)
        };
        assert_eq!(language("tieout checks"), None);
        assert_eq!(language("tieout --lang zh-CN checks").as_deref(), Some("zh-CN"));
        assert_eq!(language("tieout checks --lang=zh-CN").as_deref(), Some("zh-CN"));
        assert_eq!(language("tieout --lang en checks --lang zh-CN").as_deref(), Some("zh-CN"), "the last one wins");
        assert_eq!(language("tieout --language zh-CN"), None);
        assert_eq!(language("tieout checks --lang"), None);
        assert_eq!(language("tieout checks -- --lang zh-CN"), None, "nothing after -- is an option");
    }
}
