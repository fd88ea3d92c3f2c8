//! Errors, warnings and progress in Chinese: every text of the sources has its translation, and wrong commands are
//! refused in Chinese.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread::scope;

use tieout::language::{Language, Texts};

use crate::cases::in_chinese;
use crate::support::{files_below, repository};
use crate::tidy::code::code_outside_tests;

/// What precedes a text in English that is translated before it is shown.
const CALLS: [&str; 7] = [
    "Failure::usage(",
    "Failure::no_report(",
    "Failure::incomplete(",
    ".help(",
    "exit::warn(",
    "tracing::warn!(",
    "exit::print_lines(",
];
/// Cases that are not about our texts in Chinese: they choose a language that does not exist.
const WITHOUT_LANGUAGE: [&str; 1] = ["lang-unknown"];
/// So many English words in a row are a sentence.
const SENTENCE: usize = 3;

/// A literal of the sources, with its place.
struct Text {
    place: String,
    template: String,
}

/// The literals that follow `call`, or a `format!` after it, outside tests.
fn literals(path: &Path, call: &str) -> Vec<Text> {
    let source = fs::read_to_string(path).expect("a text in UTF-8");
    let code = code_outside_tests(&source);
    let found = code.match_indices(call).filter_map(|(at, _)| {
        let rest = source[at + call.len()..].trim_start_matches(['&', ' ', '\n']);
        let rest = rest.strip_prefix("format!(").map_or(rest, str::trim_start);
        let literal = rest.strip_prefix('"')?;
        let place = format!("{}:{}", path.display(), source[..at].matches('\n').count() + 1);
        Some(Text { place, template: unescaped(literal) })
    });
    found.collect()
}

/// The content of a literal whose opening quote was read.
fn unescaped(literal: &str) -> String {
    let (mut text, mut chars) = (String::new(), literal.chars().peekable());
    while let Some(char) = chars.next() {
        match char {
            '"' => break,
            '\\' => match chars.next().expect("an escaped character") {
                'n' => text.push('\n'),
                '\n' => while chars.next_if(|char| char.is_whitespace()).is_some() {},
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
    text
}

/// The template with a number for each placeholder, and the numbers.
fn filled(template: &str) -> (String, Vec<String>) {
    // The state's path is filled in by a second step.
    let (mut text, mut numbers, mut rest) = (String::new(), Vec::new(), template.replace("{{path}}", "{path}"));
    while let Some((before, after)) = rest.split_once('{') {
        let (_, after) = after.split_once('}').expect("a whole placeholder");
        numbers.push(format!("{}", 70_001 + numbers.len()));
        text += before;
        text += numbers.last().map_or("", String::as_str);
        rest = after.to_owned();
    }
    (text + &rest, numbers)
}

/// What lacks in the translation of a template.
fn lacking(Text { place, template }: &Text) -> Option<String> {
    let (english, numbers) = filled(template);
    // Names of options and tables stay as they are.
    if longest_run(&english) == 0 {
        return None;
    }
    let chinese = Texts::new(Language::Chinese).translated(&english).into_owned();
    let is_whole = numbers.iter().all(|number| chinese.contains(number));
    (chinese == english || !is_whole).then(|| format!("{place}: {template:?} is {chinese:?}"))
}

#[test]
fn every_error_and_every_advice_has_its_chinese() {
    let sources: Vec<PathBuf> = files_below(&repository("src"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|is| is == "rs"))
        .collect();
    let errors: Vec<Text> = sources.iter().flat_map(|path| literals(path, "#[error(")).collect();
    assert!(errors.len() > 150, "found only {}", errors.len());
    let advice: Vec<Text> =
        CALLS.iter().flat_map(|call| sources.iter().flat_map(|path| literals(path, call))).collect();
    assert!(advice.len() > 50, "found only {}", advice.len());
    let lacking: Vec<String> = errors.iter().chain(&advice).filter_map(lacking).collect();
    assert!(lacking.is_empty(), "{} texts:\n{}", lacking.len(), lacking.join("\n"));
}

/// Whether a line is more than names, codes and options in English. What is quoted is from the user or the input.
fn has_sentence(line: &str) -> bool {
    let unquoted = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let unquoted = unquoted.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    longest_run(&unquoted) >= SENTENCE
}

/// How many English words the text has in a row, at most.
fn longest_run(text: &str) -> usize {
    let is_word = |word: &str| word.chars().all(|char| char.is_ascii_lowercase() || char == '\'');
    let text = text.replace(|char: char| !char.is_ascii(), " . ");
    let runs = text.split(' ').filter(|word| !word.is_empty()).scan(0, |in_a_row, word| {
        *in_a_row = if is_word(word) { *in_a_row + 1 } else { 0 };
        Some(*in_a_row)
    });
    runs.max().unwrap_or_default()
}

#[test]
fn sentences_are_told_from_names() {
    for line in ["error: give a whole number", "错误：can't read it now：没有"] {
        assert!(has_sentence(line), "{line}");
    }
    for line in [
        "错误：--rate \"give a whole number\"：请给出整数",
        "  [可选值：warnings, pending, material]",
        "用法：tieout diff",
    ] {
        assert!(!has_sentence(line), "{line}");
    }
}

#[test]
fn wrong_commands_are_refused_in_chinese() {
    let folders =
        fs::read_dir(repository("tests/cases")).expect("the cases").map(|entry| entry.expect("an entry").path());
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut refused: Vec<(PathBuf, String)> = folders
        .filter_map(|path| {
            let expected = fs::read_to_string(path.join("expected")).ok()?;
            let environment = fs::read_to_string(path.join("environment")).unwrap_or_default();
            let is_ours = !environment.contains("TIEOUT_LANG") && !WITHOUT_LANGUAGE.contains(&name(&path).as_str());
            (is_ours && expected.contains("\nerror: ")).then_some((path, expected))
        })
        .collect();
    assert!(refused.len() > 100, "found only {}", refused.len());
    let (problems, left) = (Mutex::new(Vec::new()), Mutex::new(&mut refused));
    scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                while let Some((path, expected)) = { left.lock().expect("no panic").pop() } {
                    let (code, text) = in_chinese(&path).expect("a run");
                    let is_same_end = code.is_some_and(|code| expected.contains(&format!("\nexit {code}\n")));
                    let frames = ["error: ", "warning: ", "help: ", "Usage: ", "tip: "];
                    // Logs, and what the shell says, are not ours to translate.
                    let ours =
                        text.lines().filter(|line| !line.starts_with(" WARN") && !line.contains(": No such file"));
                    let english: Vec<&str> = ours
                        .filter(|line| {
                            has_sentence(line) || frames.iter().any(|frame| line.trim_start().starts_with(frame))
                        })
                        .collect();
                    if !is_same_end || !text.contains("错误：") || !english.is_empty() {
                        problems.lock().expect("no panic").push(format!("{}: {code:?} {text}", path.display()));
                    }
                }
            });
        }
    });
    let problems = problems.into_inner().expect("no panic");
    assert!(problems.is_empty(), "{} cases:\n{}", problems.len(), problems.join("\n"));
}
