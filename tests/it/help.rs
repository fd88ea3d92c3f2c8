//! The Chinese help covers everything in the English help; completions and manual pages know every command.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command as Process;

use clap::{Arg, Command, CommandFactory};
use tieout::app::cli::Cli;
use tieout::app::help::command;
use tieout::language::Language;
use unicode_width::UnicodeWidthStr;

use crate::language::messages::{files, messages};
use crate::support::{Place, code, stderr, stdout, tieout};

/// Every command of a tree, including `help` but not the commands that it repeats.
fn commands(tree: &Command) -> Vec<&Command> {
    let below = tree.get_subcommands().filter(|_| tree.get_name() != "help").flat_map(commands);
    std::iter::once(tree).chain(below).collect()
}

/// Each command in English and Chinese.
fn pairs() -> Vec<(Command, Command)> {
    let (mut english, chinese) = (command(Language::English), command(Language::Chinese));
    english.build();
    let pairs: Vec<_> = commands(&english).into_iter().cloned().zip(commands(&chinese).into_iter().cloned()).collect();
    assert!(pairs.len() > 10 && pairs.iter().all(|(one, other)| one.get_name() == other.get_name()));
    pairs
}

fn arguments(english: &Command, chinese: &Command) -> Vec<(Arg, Arg)> {
    let pairs: Vec<_> = english.get_arguments().cloned().zip(chinese.get_arguments().cloned()).collect();
    assert!(pairs.iter().all(|(one, other)| one.get_id() == other.get_id()));
    pairs
}

fn is_chinese(text: &str) -> bool {
    text.chars().any(|char| ('\u{4e00}'..='\u{9fff}').contains(&char))
}

/// Words that are the same in every language: options, variables, codes, figures.
fn machine_words(text: &str) -> BTreeSet<String> {
    let is_part = |char: char| char.is_ascii_alphanumeric() || "-_./:=*@".contains(char);
    let words = text.split(|char: char| !is_part(char)).map(|word| word.trim_matches(['.', ':', '-']));
    let is_machine = |word: &&str| {
        let is_upper = word.len() > 1 && *word != "URL" && word.chars().all(|char| char.is_ascii_uppercase());
        is_upper || word.contains('_') || word.contains(|char: char| char.is_ascii_digit())
    };
    words.filter(is_machine).map(str::to_owned).collect()
}

#[test]
fn every_command_and_option_has_a_chinese_help() {
    for (english, chinese) in pairs() {
        let name = english.get_name();
        let texts = [
            (english.get_about(), chinese.get_about()),
            (english.get_after_help(), chinese.get_after_help()),
            (english.get_after_long_help(), chinese.get_after_long_help()),
        ];
        for (english, chinese) in texts {
            let [english, chinese] = [english, chinese].map(|text| text.map(ToString::to_string).unwrap_or_default());
            assert_eq!(english.is_empty(), chinese.is_empty(), "{name}: {english}{chinese}");
            assert!(english.is_empty() || is_chinese(&chinese), "{name}: not translated: {chinese}");
            let words = machine_words(&english);
            let lacking: Vec<_> = words.iter().filter(|word| !chinese.contains(*word)).collect();
            assert!(lacking.is_empty(), "{name}: {lacking:?} are not in {chinese}");
        }
        for (english, chinese) in arguments(&english, &chinese) {
            let id = format!("{name} {}", english.get_id());
            let short = chinese.get_help().map(ToString::to_string).unwrap_or_default();
            let long = chinese.get_long_help().map(ToString::to_string).unwrap_or_default();
            assert!(is_chinese(&short) && is_chinese(&long), "{id} is not translated: {short}");
            assert!(chinese.get_help_heading().is_some_and(is_chinese), "{id}: {:?}", chinese.get_help_heading());
            for word in machine_words(&english.get_help().map(ToString::to_string).unwrap_or_default()) {
                assert!(short.contains(&word) && long.contains(&word), "{id}: {word} is not in {short}");
            }
            assert_nothing_is_lost(&id, &english, &long);
            for line in long.lines() {
                assert!(line.width() <= 70, "{id}: too wide for a terminal of 80 columns: {line}");
            }
        }
    }
}

/// Asserts that an option's Chinese help has the variable, default and values that clap adds in English.
fn assert_nothing_is_lost(id: &str, english: &Arg, long: &str) {
    let takes_value = english.get_action().takes_values();
    if let Some(variable) = english.get_env() {
        assert!(long.contains(&format!("[环境变量：{}]", variable.to_string_lossy())), "{id}: {long}");
    }
    for default in english.get_default_values().iter().filter(|_| takes_value) {
        assert!(long.contains(&format!("[默认：{}]", default.to_string_lossy())), "{id}: {long}");
    }
    for value in english.get_possible_values().iter().filter(|_| takes_value) {
        let line = long.lines().find(|line| line.starts_with(&format!("- {}:", value.get_name())));
        match value.get_help() {
            Some(_) => assert!(line.is_some_and(is_chinese), "{id} {}: {long}", value.get_name()),
            None => assert!(long.contains(value.get_name()), "{id} {}: {long}", value.get_name()),
        }
    }
}

#[test]
fn every_chinese_help_text_is_used() {
    let mut known = BTreeSet::new();
    let pairs = pairs();
    let reconcile = pairs.iter().find(|(english, _)| english.get_name() == "reconcile").expect("the fullest command");
    // An option with the same help in several commands is translated once.
    let is_shared = |argument: &Arg| {
        let same = |other: &&Arg| other.get_id() == argument.get_id();
        reconcile.0.get_arguments().find(same).is_some_and(|other| help_of(other) == help_of(argument))
    };
    for (english, _) in &pairs {
        let name = english.get_name();
        known.extend(["", "-after", "-after-long"].map(|suffix| format!("help-{name}{suffix}")));
        for argument in english.get_arguments() {
            let id = argument.get_id().as_str();
            let scope = match argument {
                argument if argument.is_global_set() || ["help", "version"].contains(&id) => "tieout",
                argument if is_shared(argument) => "reconcile",
                _ => name,
            };
            let option = argument.get_long().map_or_else(|| id.replace('_', "-"), str::to_owned);
            known.insert(format!("help-{scope}-{option}"));
            let values = argument.get_possible_values();
            known.extend(values.iter().map(|value| format!("help-{scope}-{option}-{}", value.get_name())));
        }
    }
    let frame = ["usage", "values", "values-inline", "default", "environment", "tieout-help-long"];
    let headings = [
        "commands",
        "arguments",
        "options",
        "general",
        "provider",
        "input",
        "judging",
        "output",
        "earlier-runs",
        "which-orders",
    ];
    known.extend(frame.map(|word| format!("help-{word}")));
    known.extend(headings.map(|word| format!("help-heading-{word}")));
    let all = messages(&files("zh-CN")["help.ftl"]);
    let unknown: Vec<_> = all.keys().filter(|id| !known.contains(*id)).collect();
    assert!(all.len() > 100 && unknown.is_empty(), "no command or option has {unknown:?}");
}

fn help_of(argument: &Arg) -> String {
    argument.get_help().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn english_help_comes_from_the_code() {
    let (mut ours, mut claps) = (command(Language::English), Cli::command());
    assert_eq!(ours.render_long_help().to_string(), claps.render_long_help().to_string());
}

#[test]
fn help_is_in_the_language_of_the_user() {
    let help = |arguments: &[&str], locale: &str| {
        let run = tieout().env("COLUMNS", "100").env("LANG", locale).args(arguments).output().expect("starts");
        assert_eq!(code(&run), 0, "{run:?}");
        stdout(&run)
    };
    let chinese = help(&["reconcile", "--help"], "zh_CN.UTF-8");
    insta::assert_snapshot!("help_reconcile_zh_cn", chinese);
    assert_eq!(help(&["help", "reconcile"], "zh_CN.UTF-8"), chinese);
    let english = help(&["reconcile", "--help"], "C");
    assert_eq!(help(&["reconcile", "--help", "--lang", "en"], "zh_CN.UTF-8"), english, "wherever the option stands");
    for arguments in [["--lang", "zh-CN", "reconcile", "--help"].as_slice(), &["--lang=zh-CN", "help", "reconcile"]] {
        assert_eq!(help(arguments, "C"), chinese, "{arguments:?}");
    }
    let diff = help(&["diff", "-h"], "zh_CN");
    let (old, new) = (diff.find("  <OLD>"), diff.find("  <NEW>"));
    assert!(old.is_some() && old < new, "{diff}");
    assert!(help(&["--lang", "en", "--help"], "zh_CN").contains("Usage:"));
}

#[test]
fn the_command_line_means_the_same_in_both_languages() {
    let place = Place::new();
    let ids = place.file("ids.csv", "run_order_id\nwfrun_1\n");
    for language in ["en", "zh-CN"] {
        let mut job = place.reconcile(&ids);
        let job =
            job.args(["--sandbox", "--rate", "5", "-q", "--lang", language, "--rate=0"]).output().expect("starts");
        assert_eq!((code(&job), stdout(&job).as_str()), (1, ""), "{language}: {}", stderr(&job));
        let wrong =
            tieout().args(["--lang", language, "reconcile", "ids.csv", "--raet", "5"]).output().expect("starts");
        assert_eq!(code(&wrong), 2, "{language}");
        assert!(stderr(&wrong).contains("--raet") && stderr(&wrong).contains("--rate"), "{}", stderr(&wrong));
    }
}

#[test]
fn completions_know_every_command_and_option() {
    for language in ["en", "zh-CN"] {
        for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
            let run = tieout().args(["--lang", language, "completions", shell]).output().expect("starts");
            assert_eq!(code(&run), 0, "{shell}");
            let script = stdout(&run);
            for word in ["reconcile", "audit", "checks", "completions", "rate", "stale-after", "files-only", "lang"] {
                assert!(script.contains(word), "{shell} in {language} does not know {word}");
            }
            let describes = !["bash"].contains(&shell);
            assert_eq!(is_chinese(&script), describes && language == "zh-CN", "{shell} in {language}");
        }
    }
    let place = Place::new();
    let script = stdout(&tieout().args(["completions", "bash"]).output().expect("starts"));
    let script = place.file("tieout.bash", script);
    // bash completes a word with the script.
    let question = format!(
        "source {}; COMP_WORDS=(tieout reconcile --stal); COMP_CWORD=2; _tieout tieout --stal reconcile; echo \"${{COMPREPLY[@]}}\"",
        script.display()
    );
    let answer = Process::new("bash").args(["-c", &question]).output().expect("bash");
    assert_eq!(stdout(&answer).trim(), "--stale-after", "{answer:?}");
    assert_eq!(code(&tieout().args(["completions", "csh"]).output().expect("starts")), 2);
}

#[test]
fn every_command_has_a_manual_page_with_all_its_options() {
    for (language, mut tree) in [("en", command(Language::English)), ("zh-CN", command(Language::Chinese))] {
        tree.build();
        let place = Place::new();
        let folder = place.path("share/man1");
        let run = tieout().args(["--lang", language, "man"]).arg(&folder).output().expect("starts");
        assert_eq!(code(&run), 0, "{}", stderr(&run));
        let mut names = Vec::new();
        for command in commands(&tree).into_iter().filter(|command| command.get_name() != "help") {
            // The names of a command and of those above it, with dashes.
            let name = format!("{}.1", command.get_display_name().unwrap_or("tieout"));
            let page = fs::read_to_string(folder.join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(page.contains(".TH tieout"), "{name}: {page}");
            for option in command.get_arguments().filter_map(Arg::get_long) {
                let written = format!("\\-\\-{}", option.replace('-', "\\-"));
                assert!(page.contains(&written), "{name} in {language} lacks --{option}");
            }
            assert_eq!(is_chinese(&page), language == "zh-CN", "{name}");
            names.push(name);
        }
        names.sort();
        let written: Vec<String> = fs::read_dir(&folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        assert_eq!(written.iter().collect::<BTreeSet<_>>(), names.iter().collect::<BTreeSet<_>>());
        let page = fs::read_to_string(folder.join("tieout.1")).expect("a page");
        assert!(page.contains("\n  0    ") && page.contains("\n  130  "), "the exit codes keep their lines: {page}");
        let alone = tieout().args(["--lang", language, "man"]).output().expect("starts");
        assert_eq!(stdout(&alone), page, "{language}");
    }
    let place = Place::new();
    let file = place.file("file", "mine");
    let run = tieout().arg("man").arg(&file).output().expect("starts");
    assert_eq!(code(&run), 4);
    assert!(stderr(&run).contains("can't write the pages into"), "{}", stderr(&run));
    assert_eq!(fs::read_to_string(file).expect("there"), "mine");
}
