//! Texts for people: both languages have the same messages, and every message is used.

pub(crate) mod messages;
mod page;
mod uses;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use fluent_bundle::FluentResource;
use tieout::checks::{CATALOGUE, Cause, CountField};
use tieout::domain::finding::Severity;
use tieout::domain::order::Amounts;
use tieout::domain::outcome::Bucket;
use tieout::language::{Language, Texts, Value, Word};
use tieout::summary::Verdict;

use crate::support::{Place, code, files_below, repository, stderr, stdout, tieout};
use messages::{Messages, files, messages};
use uses::{MessageUse, uses};

/// Files that only Chinese has; the English texts are in the code: messages of findings, and help for clap.
const CHINESE_ALONE: [&str; 2] = ["findings.ftl", "help.ftl"];
/// The file of messages whose ids are built from a [`Word`] and a code.
const WORDS: &str = "words.ftl";
/// The file of the page's messages.
const PAGE: &str = "report.ftl";

/// The messages of a language by file, except the files that only Chinese has.
fn texts_of_both(language: &str) -> BTreeMap<String, Messages> {
    let files = files(language).into_iter().filter(|(name, _)| !CHINESE_ALONE.contains(&name.as_str()));
    files.map(|(name, text)| (name, messages(&text))).collect()
}

/// Every word and code that a message is built from.
fn words() -> Vec<(Word, &'static str)> {
    let checks = CATALOGUE.map(|check| check.code);
    let causes: BTreeSet<&str> =
        checks.iter().flat_map(|code| Cause::of_check(code)).map(|cause| cause.code()).collect();
    let of = |word: Word| -> Vec<&'static str> {
        match word {
            Word::CheckHolds | Word::CheckDue | Word::CheckExample | Word::CheckRemedy => checks.to_vec(),
            Word::Cause => causes.iter().copied().collect(),
            Word::Bucket | Word::BucketName => Bucket::ALL.map(Bucket::code).to_vec(),
            Word::Verdict | Word::VerdictName => Verdict::ALL.map(Verdict::code).to_vec(),
            Word::Severity | Word::SeverityName => Severity::ALL.map(Severity::code).to_vec(),
            Word::AmountName => Amounts::NAMES.into_iter().chain(CountField::ALL.map(CountField::name)).collect(),
        }
    };
    Word::ALL.into_iter().flat_map(|word| of(word).into_iter().map(move |code| (word, code))).collect()
}

/// Every use of a message by its id in the sources.
fn asked_for() -> Vec<MessageUse> {
    let sources = files_below(&repository("src")).into_iter().filter(|path| !path.ends_with("tests.rs"));
    sources.flat_map(|path| uses(&fs::read_to_string(path).expect("a text in UTF-8"))).collect()
}

#[test]
fn the_files_can_be_read_and_are_compiled_in() {
    for language in Language::ALL {
        for (name, text) in files(language.code()) {
            let resource =
                FluentResource::try_new(text.clone()).unwrap_or_else(|(_, errors)| panic!("{name}: {errors:?}"));
            let entries = resource.entries().count();
            assert_eq!(entries, messages(&text).len(), "{name}");
            for id in messages(&text).keys() {
                let error = Texts::new(language).try_with(id, &[]).err().map(|error| error.to_string());
                assert!(
                    error.is_none_or(|error| error.contains("Unknown variable")),
                    "{name}: {id} is not compiled in"
                );
            }
        }
    }
}

#[test]
fn both_languages_have_the_same_messages_with_the_same_variables() {
    let (english, chinese) = (texts_of_both("en"), texts_of_both("zh-CN"));
    assert!(english.values().map(Messages::len).sum::<usize>() > 150, "found only {english:?}");
    assert_eq!(english, chinese);
    let all: Vec<&String> = english.values().flat_map(Messages::keys).collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "an id is in two files");
    let named: Vec<String> = files("zh-CN").into_keys().filter(|name| !english.contains_key(name)).collect();
    assert_eq!(named, CHINESE_ALONE);
}

#[test]
fn every_message_is_used_and_every_used_message_exists() {
    let by_file = texts_of_both("en");
    let all: BTreeMap<&String, &BTreeSet<String>> = by_file.values().flatten().collect();
    let uses = asked_for();
    assert!(uses.len() > 50, "found only {uses:?}");
    for MessageUse { id, variables } in &uses {
        assert_eq!(all.get(id), Some(&variables), "{id} is used with different variables, or does not exist");
    }
    let by_word: BTreeSet<String> = words().into_iter().map(|(word, code)| word.id(code)).collect();
    let in_file: BTreeSet<String> = by_file[WORDS].keys().cloned().collect();
    assert_eq!(in_file, by_word, "{WORDS} has exactly the words of the program");
    assert!(by_file[WORDS].values().all(BTreeSet::is_empty), "words are explained without variables");
    let (of_page, named) = (page::by_word(), page::named());
    for id in of_page.iter().chain(&named) {
        assert!(by_file[PAGE].contains_key(id), "the page uses {id}, which does not exist");
    }
    let by_sheet = page::by_sheet();
    for id in &by_sheet {
        assert!(all.contains_key(id), "the workbook uses {id}, which does not exist");
    }
    let in_template = page::in_template();
    for MessageUse { id, variables } in &in_template {
        assert_eq!(all.get(id), Some(&variables), "the template uses {id} with different variables");
    }
    let used = uses.iter().map(|used| &used.id).chain(&by_word);
    let used = used.chain(&of_page).chain(&named).chain(&by_sheet).chain(in_template.iter().map(|used| &used.id));
    let used: BTreeSet<&String> = used.collect();
    let unused: Vec<_> = all.keys().filter(|id| !used.contains(*id)).collect();
    assert!(unused.is_empty(), "unused messages: {unused:?}");
}

#[test]
fn every_message_can_be_formatted() {
    for language in Language::ALL {
        let texts = Texts::new(language);
        for (id, variables) in files(language.code()).values().flat_map(|text| messages(text)) {
            for count in [0_u64, 1, 2, 1_000_000] {
                let given: Vec<(&str, Value<'_>)> =
                    variables.iter().map(|name| (name.as_str(), Value::from(count))).collect();
                let text = texts.try_with(&id, &given).unwrap_or_else(|error| panic!("{error}"));
                assert!(!text.trim().is_empty() && text != id, "{id}");
                let is_odd = |char: char| "{}\u{2066}\u{2067}\u{2068}\u{2069}".contains(char);
                assert!(!text.contains(is_odd), "{id} in {language}: {text}");
            }
        }
    }
}

#[test]
fn chinese_is_chinese() {
    let is_han = |char: char| ('\u{4e00}'..='\u{9fff}').contains(&char);
    for (name, text) in files("zh-CN") {
        for id in messages(&text).keys() {
            let variables: Vec<(&str, Value<'_>)> =
                messages(&text)[id].iter().map(|name| (leaked(name), Value::from("x"))).collect();
            let text = Texts::new(Language::Chinese).with(id, &variables);
            let is_mark = text.chars().all(|char| !char.is_alphanumeric());
            let only_figures =
                ["diff-side", "explain-heading", "report-sha256", "terminal-waiver-lapsed"].contains(&id.as_str());
            assert!(text.chars().any(is_han) || is_mark || only_figures, "{name}: {id} is not translated: {text}");
        }
    }
}

fn leaked(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

#[test]
fn every_check_has_a_chinese_finding_without_texts_of_the_provider() {
    let found = messages(&files("zh-CN")["findings.ftl"]);
    let expected: BTreeSet<String> = CATALOGUE.iter().map(|check| format!("finding-{}", check.code)).collect();
    assert_eq!(found.keys().cloned().collect::<BTreeSet<_>>(), expected);
    // These show only texts of our own: amounts, names of amounts, and times.
    let ours = ["quote-split", "cost-sum", "missing-amount", "negative-amount", "charge-equals-cost"];
    let ours = ours.into_iter().chain([
        "charge-exceeds-quote",
        "failed-run-charged",
        "booked-twice",
        "vanished",
        "outside-period",
    ]);
    let ours: Vec<String> = ours.map(|code| format!("finding-{code}")).collect();
    for (id, variables) in found {
        assert!(variables.iter().all(|name| ["actual", "expected"].contains(&name.as_str())), "{id}");
        assert!(variables.is_empty() || ours.contains(&id), "{id} shows texts of the provider");
    }
}

/// Users script against codes, so a code never changes its meaning. A change to this snapshot must be announced.
#[test]
fn codes_mean_what_they_meant() {
    let texts = Texts::new(Language::English);
    let mut meanings = String::new();
    for check in CATALOGUE {
        let code = check.code;
        let causes: Vec<&str> = Cause::of_check(code).iter().map(|cause| cause.code()).collect();
        let (holds, due) = (texts.word(Word::CheckHolds, code), texts.word(Word::CheckDue, code));
        _ = writeln!(meanings, "check {code}: {}\n  holds when {holds}\n  due {due}", check.severity.code());
        if !causes.is_empty() {
            _ = writeln!(meanings, "  causes {}", causes.join(", "));
        }
    }
    let explained = [Word::Cause, Word::Bucket, Word::Verdict, Word::Severity];
    for (word, code) in words().into_iter().filter(|(word, _)| explained.contains(word)) {
        _ = writeln!(meanings, "{word:?} {code}: {}", texts.word(word, code));
    }
    insta::assert_snapshot!("codes", meanings);
}

/// The first line of a command's output.
fn first_line(command: &mut Command) -> String {
    let run = command.arg("checks").output().expect("starts");
    assert_eq!(code(&run), 0, "{run:?}");
    stdout(&run).lines().next().expect("a line").to_owned()
}

#[test]
fn the_language_is_the_users() {
    let english = first_line(&mut tieout());
    assert_eq!(english, "quote-split           error    quote_amount = final_amount + released_amount");
    let chinese = first_line(tieout().args(["--lang", "zh-CN"]));
    assert_eq!(
        chinese,
        "quote-split           错误  报价 = 实扣 + 释放（quote_amount = final_amount + released_amount）"
    );

    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = folder.path().join("tieout.toml");
    fs::write(&settings, "lang = \"zh-CN\"\n").expect("writable");
    let settings = settings.to_str().expect("UTF-8");
    type Variables<'v> = &'v [(&'v str, &'v str)];
    let cases: [(Variables<'_>, &[&str], &str); 14] = [
        (&[("LANG", "zh_CN.UTF-8")], &[], &chinese),
        (&[("LANG", "en_GB.UTF-8")], &[], &english),
        (&[("LANG", "C")], &[], &english),
        (&[("LANG", "zh_CN.UTF-8"), ("LC_MESSAGES", "C")], &[], &english),
        (&[("LANG", "C"), ("LC_MESSAGES", "zh_CN.UTF-8")], &[], &chinese),
        (&[("LC_MESSAGES", "C"), ("LC_ALL", "zh_CN.UTF-8")], &[], &chinese),
        (&[("LC_ALL", ""), ("LANG", "zh_CN.UTF-8")], &[], &chinese),
        (&[("LANG", "zh_CN.UTF-8")], &["--lang", "en"], &english),
        (&[("LANG", "zh_CN.UTF-8"), ("TIEOUT_LANG", "en")], &[], &english),
        (&[("TIEOUT_LANG", "en")], &["--lang", "zh-CN"], &chinese),
        (&[], &["--config", settings], &chinese),
        (&[("TIEOUT_CONFIG", settings)], &[], &chinese),
        (&[("LANG", "C"), ("TIEOUT_LANG", "en")], &["--config", settings], &english),
        (&[("LANG", "zh_CN.UTF-8")], &["--config", "none.toml"], &chinese),
    ];
    for (variables, arguments, expected) in cases {
        let line = first_line(tieout().envs(variables.iter().copied()).args(arguments));
        assert_eq!(line, expected, "{variables:?} {arguments:?}");
    }
    let run = tieout().args(["--lang", "fr", "checks"]).output().expect("starts");
    assert_eq!(code(&run), 2);
    let printed = stderr(&run);
    assert!(printed.contains("--lang") && printed.contains("give en or zh-CN"), "{printed}");
}

#[test]
fn an_unknown_language_in_the_settings_file_is_named() {
    let place = Place::new();
    let (ids, settings) =
        (place.file("ids.csv", "run_order_id\nwfrun_1\n"), place.file("tieout.toml", "lang = 'fr'\n"));
    let run = place.reconcile(&ids).arg("--sandbox").arg("--config").arg(&settings).output().expect("starts");
    assert_eq!(code(&run), 2);
    let printed = stderr(&run);
    assert!(["tieout.toml", "line 1", "`fr`", "`zh-CN`"].iter().all(|part| printed.contains(part)), "{printed}");
}

#[test]
fn every_word_of_reports_is_explained_in_both_languages() {
    for language in Language::ALL {
        let texts = Texts::new(language);
        let explained = [Word::CheckHolds, Word::Cause, Word::Bucket, Word::Verdict, Word::Severity];
        for (word, word_code) in words().into_iter().filter(|(word, _)| explained.contains(word)) {
            let run = tieout().args(["--lang", language.code(), "checks", word_code]).output().expect("starts");
            assert_eq!(code(&run), 0, "{word_code}");
            // The program wraps lines to the width of a terminal.
            let (printed, expected) = (squeezed(&stdout(&run)), squeezed(&texts.word(word, word_code)));
            assert!(printed.starts_with(word_code) && printed.contains(&expected), "{word_code}: {printed}");
        }
    }
    let explained = |word: &str| stdout(&tieout().args(["checks", word]).output().expect("starts"));
    assert_eq!(explained("pending").matches("(verdict)\n").count(), 1, "it is a verdict");
    assert_eq!(explained("pending").matches("(bucket of the population)\n").count(), 1, "and a bucket");
    let near = tieout().args(["--lang", "zh-CN", "checks", "qoute-split"]).output().expect("starts");
    assert_eq!(code(&near), 2);
    assert!(stderr(&near).contains("您要找的是 quote-split 吗？"), "{}", stderr(&near));
    let near = tieout().args(["checks", "overrage"]).output().expect("starts");
    assert!(stderr(&near).contains("did you mean overage?"), "{}", stderr(&near));
    assert!(
        explained("sign-flipped").starts_with("sign-flipped (cause of quote-split, cost-sum, expected-mismatch)\n")
    );
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}
