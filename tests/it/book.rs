//! The READMEs and the book: every `console` block is run, page by page, and must show what a reader would see; every
//! relative link leads to a file, and every heading that a link names is there.
//!
//! In a block, `$ ` begins a command, `...` alone on a line stands for any lines, and `[..]` for any text within one.
//! A command that fails is followed by `$ echo $?`. `TIEOUT_UPDATE_CASES=1` rewrites what differs, and fails.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread::scope;

use crate::cases::UPDATE;
use crate::support::{Place, files_below, repository, tieout};

/// Fewer pages than this, and some were lost.
const FEWEST_PAGES: usize = 20;
/// Fewer commands than this, and some were lost.
const FEWEST_COMMANDS: usize = 40;

#[test]
fn every_command_of_the_book_shows_what_the_page_says() {
    let updates = std::env::var_os(UPDATE).is_some_and(|value| value == "1");
    let (left, results) = (Mutex::new(pages()), Mutex::new(Vec::new()));
    scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                while let Some(page) = { left.lock().expect("no panic").pop() } {
                    let result = prove(&page, updates);
                    results.lock().expect("no panic").push(result);
                }
            });
        }
    });
    let results = results.into_inner().expect("no panic");
    let commands: usize = results.iter().map(|result| result.commands).sum();
    assert!(commands >= FEWEST_COMMANDS, "only {commands} commands were found");
    let problems: Vec<String> = results.into_iter().flat_map(|result| result.problems).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

/// The READMEs and all pages of the book.
fn pages() -> Vec<PathBuf> {
    let is_page = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "md");
    let mut pages: Vec<PathBuf> = files_below(&repository("docs")).into_iter().filter(is_page).collect();
    pages.extend(["README.md", "README.zh-CN.md"].map(repository));
    assert!(pages.len() >= FEWEST_PAGES, "only {} pages", pages.len());
    pages
}

/// What became of one page.
#[derive(Default)]
struct Proof {
    commands: usize,
    problems: Vec<String>,
}

/// Runs the commands of a page, in order, in one folder that has the sample.
fn prove(page: &Path, updates: bool) -> Proof {
    let text = fs::read_to_string(page).expect("a page");
    let place = Place::new();
    fs::create_dir(place.path("sample_data")).expect("writable");
    fs::copy(repository("sample_data/ids.csv"), place.path("sample_data/ids.csv")).expect("the sample");
    let mut terminal = Terminal { place, language: language_of(page), code: 0 };
    let mut proof = Proof::default();
    let mut rewritten = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("```console\n") {
        let (block, after) = after.split_once("```").expect("a block has an end");
        let steps = steps(block);
        proof.commands += steps.len();
        let mut found = String::new();
        for (number, (command, expected)) in steps.iter().enumerate() {
            let shown = terminal.shown(command);
            let agrees = matches(&expected.lines().collect::<Vec<_>>(), &shown.lines().collect::<Vec<_>>());
            if !agrees {
                let what = if updates { "was rewritten: read it, and run again" } else { "shows something different" };
                proof.problems.push(format!("{}: `{command}` {what}:\n{shown}", page.display()));
            }
            if terminal.code != 0 && steps.get(number + 1).is_none_or(|(next, _)| next != "echo $?") {
                let code = terminal.code;
                proof.problems.push(format!("{}: `{command}` exits with {code}: `$ echo $?`", page.display()));
            }
            found.push_str(&format!("$ {command}\n{}", if agrees { expected } else { &shown }));
        }
        rewritten.push_str(&format!("{before}```console\n{found}```"));
        rest = after;
    }
    rewritten.push_str(rest);
    if updates && rewritten != text {
        fs::write(page, rewritten).expect("a writable page");
    }
    proof
}

fn language_of(page: &Path) -> &'static str {
    if page.to_string_lossy().contains("zh-CN") { "zh-CN" } else { "en" }
}

/// The commands of a block, each with what it shows.
fn steps(block: &str) -> Vec<(String, String)> {
    let mut steps: Vec<(String, String)> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push((command.to_owned(), String::new())),
            (None, Some((_, shown))) => shown.push_str(&format!("{line}\n")),
            (None, None) => panic!("a console block begins with a command, not with {line:?}"),
        }
    }
    steps
}

/// A reader's terminal, without colour, on the night of 2026-11-23.
struct Terminal {
    place: Place,
    language: &'static str,
    /// The exit code of the last command.
    code: i32,
}

impl Terminal {
    /// What a command shows: what it says on standard error, then its standard output as on a terminal.
    fn shown(&mut self, command: &str) -> String {
        let there = self.place.path(".").canonicalize().expect("a folder");
        let command = command.replace("cargo run -- ", "tieout ").replace("$?", &self.code.to_string());
        let mut terminal = Command::new("script");
        terminal.args(["-qec", &format!("{{ {command}\n}} 2>.errors"), "/dev/null"]).stdin(Stdio::null());
        let binary = tieout();
        let binaries = Path::new(binary.get_program()).parent().expect("a folder").to_string_lossy().into_owned();
        let path = std::env::var("PATH").unwrap_or_default();
        terminal.env_clear().env("PATH", format!("{binaries}:{path}")).env("HOME", &there).current_dir(&there);
        terminal.env("NO_COLOR", "1").env("SHELL", "/bin/sh").env("TERM", "xterm");
        terminal.env("TIEOUT_AS_OF", "2026-11-23T02:00:00Z").env("TIEOUT_LANG", self.language);
        let output = terminal.output().expect("script, of bsdutils");
        self.code = output.status.code().expect("an exit code");
        let shown = String::from_utf8(output.stdout).expect("text").replace("\r\n", "\n");
        let errors = fs::read_to_string(there.join(".errors")).expect("what it said on standard error");
        format!("{errors}{shown}").replace(&*there.to_string_lossy(), "[FOLDER]")
    }
}

/// Whether lines are as expected, where `...` stands for any lines.
fn matches(expected: &[&str], found: &[&str]) -> bool {
    match (expected.split_first(), found.split_first()) {
        (None, None) => true,
        (Some((&"...", rest)), _) => (0..=found.len()).any(|skipped| matches(rest, &found[skipped..])),
        (Some((first, rest)), Some((line, left))) => is_like(first, line) && matches(rest, left),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

/// Whether a line is as expected, where `[..]` stands for any text.
fn is_like(expected: &str, line: &str) -> bool {
    match expected.split_once("[..]") {
        None => expected == line,
        Some((before, after)) => line.strip_prefix(before).is_some_and(|rest| {
            let mut ends = (0..=rest.len()).filter(|at| rest.is_char_boundary(*at));
            ends.any(|at| is_like(after, &rest[at..]))
        }),
    }
}

#[test]
fn wildcards_stand_for_any_lines_and_any_text() {
    let agrees = |expected: &str, found: &str| {
        matches(&expected.lines().collect::<Vec<_>>(), &found.lines().collect::<Vec<_>>())
    };
    assert!(agrees("a\n...\nd", "a\nb\nc\nd") && agrees("a\n...\nd", "a\nd") && agrees("...", ""));
    assert!(!agrees("a\n...\nd", "a\nb") && !agrees("a", "a\nb") && !agrees("a\nb", "a"));
    assert!(agrees("run [..] of [..]", "run 1 of 报告") && !agrees("run [..] of", "run 1 of 2"));
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    let top = ["ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "tests/cases/README.md"];
    for page in pages().into_iter().chain(top.map(repository)) {
        let text = fs::read_to_string(&page).expect("a page");
        for link in links(&text) {
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { page.clone() } else { page.parent().expect("a folder").join(path) };
            let has_heading = |text: &str| heading.is_empty() || headings(text).contains(heading);
            let leads =
                target.exists() && fs::read_to_string(&target).map_or(heading.is_empty(), |text| has_heading(&text));
            if !leads {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The relative targets of the Markdown links outside code.
fn links(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2).flat_map(|prose| prose.split('`').step_by(2));
    let targets = prose.flat_map(|prose| prose.split("](").skip(1)).filter_map(|after| after.split(')').next());
    targets.filter(|target| !target.contains("://")).collect()
}

/// The anchors of a page's headings, as both GitHub and mdBook make them of plain ones.
fn headings(text: &str) -> BTreeSet<String> {
    let prose: String = text.split("```").step_by(2).collect();
    let headings = prose.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches(['#', ' ']));
    let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
    let anchor = |heading: &str| heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-");
    headings.map(anchor).collect()
}

#[test]
fn files_that_documents_name_are_there() {
    let mut missing = Vec::new();
    let mut named = 0;
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md", "docs/decisions.md"] {
        let text = fs::read_to_string(repository(document)).expect("a document");
        let prose = text.split("```").step_by(2).flat_map(|prose| prose.split('`').skip(1).step_by(2));
        let roots = ["src/", "tests/", "docs/", "locales/", "templates/", "sample_data/", "bench/"];
        for path in prose.filter(|quoted| roots.iter().any(|root| quoted.starts_with(root)) && !quoted.contains('*')) {
            named += 1;
            if !repository(path).exists() {
                missing.push(format!("{document}: {path}"));
            }
        }
    }
    assert!(named > 60 && missing.is_empty(), "{named} named, not there: {missing:?}");
}

#[test]
fn the_book_has_every_page() {
    let docs = repository("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).expect("the summary");
    let listed: BTreeSet<PathBuf> = links(&summary).into_iter().map(|link| docs.join(link)).collect();
    let there: BTreeSet<PathBuf> =
        pages().into_iter().filter(|page| page.starts_with(&docs) && !page.ends_with("SUMMARY.md")).collect();
    let missing: Vec<_> = there.symmetric_difference(&listed).collect();
    assert!(missing.is_empty(), "in the folder or in SUMMARY.md, not in both: {missing:?}");
}
