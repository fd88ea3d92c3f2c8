//! Texts for people: both languages say everything, in the same places, and nothing is said that nobody asks for.

pub(crate) mod messages;
mod page;
mod uses;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use fluent_bundle::FluentResource;
use tieout::checks::{CATALOGUE, Cause, Counted};
use tieout::domain::finding::Severity;
use tieout::domain::order::Amounts;
use tieout::domain::outcome::Bucket;
use tieout::language::{Language, Texts, Value, Word};
use tieout::summary::Verdict;

use crate::support::{Place, code, files_below, repository, stderr, stdout, tieout};
use messages::{Messages, files, messages};
use uses::{Use, uses};

/// What English has in the code: messages of findings, which reports carry, and help, which clap takes from there.
const CHINESE_ALONE: [&str; 2] = ["findings.ftl", "help.ftl"];
/// The file of messages that are asked for by a word of the program.
const WORDS: &str = "words.ftl";
/// The file of the page's messages.
const PAGE: &str = "report.ftl";

/// The messages of all files of a language but those that English has in the code.
fn texts_of_both(language: &str) -> BTreeMap<String, Messages> {
    let files = files(language).into_iter().filter(|(name, _)| !CHINESE_ALONE.contains(&name.as_str()));
    files.map(|(name, text)| (name, messages(&text))).collect()
}

/// Everything that is asked for by a word of the program.
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
            Word::AmountName => Amounts::NAMES.into_iter().chain(Counted::ALL.map(Counted::name)).collect(),
        }
    };
    Word::ALL.into_iter().flat_map(|word| of(word).into_iter().map(move |code| (word, code))).collect()
}

/// Every message that the sources ask for by its id.
fn asked_for() -> Vec<Use> {
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
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "an id stands in two files");
    let named: Vec<String> = files("zh-CN").into_keys().filter(|name| !english.contains_key(name)).collect();
    assert_eq!(named, CHINESE_ALONE);
}

#[test]
fn every_message_is_used_and_every_used_one_is_there() {
    let by_file = texts_of_both("en");
    let all: BTreeMap<&String, &BTreeSet<String>> = by_file.values().flatten().collect();
    let uses = asked_for();
    assert!(uses.len() > 50, "found only {uses:?}");
    for Use { id, variables } in &uses {
        assert_eq!(all.get(id), Some(&variables), "{id} is asked for with other variables, or is not there");
    }
    let by_word: BTreeSet<String> = words().into_iter().map(|(word, code)| word.id(code)).collect();
    let in_file: BTreeSet<String> = by_file[WORDS].keys().cloned().collect();
    assert_eq!(in_file, by_word, "{WORDS} has the words of the program, all of them and no others");
    assert!(by_file[WORDS].values().all(BTreeSet::is_empty), "words are explained without variables");
    let (of_page, named) = (page::by_word(), page::named());
    for id in of_page.iter().chain(&named) {
        assert!(by_file[PAGE].contains_key(id), "{id} is asked for by the page, and is not there");
    }
    let by_sheet = page::by_sheet();
    for id in &by_sheet {
        assert!(all.contains_key(id), "{id} is asked for by the workbook, and is not there");
    }
    let in_template = page::in_template();
    for Use { id, variables } in &in_template {
        assert_eq!(all.get(id), Some(&variables), "the template asks for {id} with other variables");
    }
    let used = uses.iter().map(|used| &used.id).chain(&by_word);
    let used = used.chain(&of_page).chain(&named).chain(&by_sheet).chain(in_template.iter().map(|used| &used.id));
    let used: BTreeSet<&String> = used.collect();
    let unused: Vec<_> = all.keys().filter(|id| !used.contains(*id)).collect();
    assert!(unused.is_empty(), "nobody asks for {unused:?}");
}

#[test]
fn every_message_can_be_written_out() {
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
            let said = Texts::new(Language::Chinese).with(id, &variables);
            let is_mark = said.chars().all(|char| !char.is_alphanumeric());
            let only_figures =
                ["diff-side", "explain-heading", "report-sha256", "terminal-waiver-lapsed"].contains(&id.as_str());
            assert!(said.chars().any(is_han) || is_mark || only_figures, "{name}: {id} is not translated: {said}");
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
    // What these show of an order was written by us: amounts, names of amounts, and times.
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

/// A code never changes its meaning: whoever changes this snapshot says so to everybody who scripts against it.
#[test]
fn codes_mean_what_they_meant() {
    let texts = Texts::new(Language::English);
    let mut said = String::new();
    for check in CATALOGUE {
        let code = check.code;
        let causes: Vec<&str> = Cause::of_check(code).iter().map(|cause| cause.code()).collect();
        let (holds, due) = (texts.of(Word::CheckHolds, code), texts.of(Word::CheckDue, code));
        _ = writeln!(said, "check {code}: {}\n  holds when {holds}\n  due {due}", check.severity.code());
        if !causes.is_empty() {
            _ = writeln!(said, "  causes {}", causes.join(", "));
        }
    }
    let explained = [Word::Cause, Word::Bucket, Word::Verdict, Word::Severity];
    for (word, code) in words().into_iter().filter(|(word, _)| explained.contains(word)) {
        _ = writeln!(said, "{word:?} {code}: {}", texts.of(word, code));
    }
    insta::assert_snapshot!("codes", said);
}

/// The first line that `tieout checks` says with these variables of the environment.
fn first_line(command: &mut Command) -> String {
    let run = command.arg("checks").output().expect("starts");
    assert_eq!(code(&run), 0, "{run:?}");
    stdout(&run).lines().next().expect("a line").to_owned()
}

#[test]
fn the_language_is_that_of_who_asks() {
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
        let said = first_line(tieout().envs(variables.iter().copied()).args(arguments));
        assert_eq!(said, expected, "{variables:?} {arguments:?}");
    }
    let run = tieout().args(["--lang", "fr", "checks"]).output().expect("starts");
    assert_eq!(code(&run), 2);
    let said = stderr(&run);
    assert!(said.contains("--lang") && said.contains("give en or zh-CN"), "{said}");
}

#[test]
fn a_language_in_the_settings_file_that_there_is_not_is_named() {
    let place = Place::new();
    let (ids, settings) =
        (place.file("ids.csv", "run_order_id\nwfrun_1\n"), place.file("tieout.toml", "lang = 'fr'\n"));
    let run = place.reconcile(&ids).arg("--sandbox").arg("--config").arg(&settings).output().expect("starts");
    assert_eq!(code(&run), 2);
    let said = stderr(&run);
    assert!(["tieout.toml", "line 1", "`fr`", "`zh-CN`"].iter().all(|part| said.contains(part)), "{said}");
}

#[test]
fn every_word_of_reports_is_explained_in_both_languages() {
    for language in Language::ALL {
        let texts = Texts::new(language);
        let explained = [Word::CheckHolds, Word::Cause, Word::Bucket, Word::Verdict, Word::Severity];
        for (word, word_code) in words().into_iter().filter(|(word, _)| explained.contains(word)) {
            let run = tieout().args(["--lang", language.code(), "checks", word_code]).output().expect("starts");
            assert_eq!(code(&run), 0, "{word_code}");
            // Lines are broken to the width of a terminal.
            let (said, expected) = (squeezed(&stdout(&run)), squeezed(&texts.of(word, word_code)));
            assert!(said.starts_with(word_code) && said.contains(&expected), "{word_code}: {said}");
        }
    }
    let said = |word: &str| stdout(&tieout().args(["checks", word]).output().expect("starts"));
    assert_eq!(said("pending").matches("(verdict)\n").count(), 1, "it is a verdict");
    assert_eq!(said("pending").matches("(bucket of the population)\n").count(), 1, "and a bucket");
    let near = tieout().args(["--lang", "zh-CN", "checks", "qoute-split"]).output().expect("starts");
    assert_eq!(code(&near), 2);
    assert!(stderr(&near).contains("您要找的是 quote-split 吗？"), "{}", stderr(&near));
    let near = tieout().args(["checks", "overrage"]).output().expect("starts");
    assert!(stderr(&near).contains("did you mean overage?"), "{}", stderr(&near));
    assert!(said("sign-flipped").starts_with("sign-flipped (cause of quote-split, cost-sum, expected-mismatch)\n"));
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}
