//! `tests/cases`: each folder is one bad or noteworthy input and the exact output of the program. The README there
//! says what a folder holds and how to add one; `TIEOUT_UPDATE_CASES=1` rewrites the expected output.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::thread::{available_parallelism, scope};

use crate::support::{Place, repository, tieout};

/// The fewest cases there should be; fewer means that some were lost.
const FEWEST: usize = 75;
/// Environment variable: `1` rewrites the expected output. The test then fails once, so that someone reads it.
pub const UPDATE: &str = "TIEOUT_UPDATE_CASES";
/// Environment variable: run only the cases whose names match this pattern; `*` matches anything.
const NAMED: &str = "TIEOUT_CASES";
/// The files of a case that are not its input.
const OURS: [&str; 5] = ["command", "environment", "expected", "report", "stdin"];
/// How many equal lines are shown around a difference.
const AROUND: usize = 3;

#[test]
fn every_case_ends_as_expected() {
    let updates = std::env::var_os(UPDATE).is_some_and(|value| value == "1");
    let named = std::env::var(NAMED).ok();
    let (named, fewest) = named.as_deref().map_or(("*", FEWEST), |named| (named, 1));
    let problems = problems(&repository("tests/cases"), named, fewest, updates);
    assert!(problems.is_empty(), "{} cases:\n\n{}", problems.len(), problems.join("\n"));
}

/// Whether a name matches a pattern, in which `*` matches anything.
fn is_named(name: &str, pattern: &str) -> bool {
    let (first, rest) = pattern.split_once('*').map_or((pattern, None), |(first, rest)| (first, Some(rest)));
    match (name.strip_prefix(first), rest) {
        (None, _) => false,
        (Some(left), None) => left.is_empty(),
        (Some(left), Some(rest)) => (0..=left.len()).any(|at| left.get(at..).is_some_and(|left| is_named(left, rest))),
    }
}

#[test]
fn names_match_patterns() {
    let named = |pattern: &str| ["input-crlf", "input-bom", "out-here"].map(|name| is_named(name, pattern));
    assert_eq!(named("*"), [true; 3]);
    assert_eq!(named("input-*"), [true, true, false]);
    assert_eq!(named("*-*r*"), [true, false, true]);
    assert_eq!(named("out-here"), [false, false, true]);
    assert_eq!(named("out"), [false; 3]);
}

/// Runs the matching cases in the folders of `root`; returns a description of each that is not as expected.
fn problems(root: &Path, named: &str, fewest: usize, updates: bool) -> Vec<String> {
    let entries = fs::read_dir(root).expect("a folder of cases").map(|entry| entry.expect("an entry").path());
    let is_case =
        |path: &PathBuf| path.is_dir() && path.file_name().is_some_and(|name| is_named(&name.to_string_lossy(), named));
    let mut folders: Vec<PathBuf> = entries.filter(is_case).collect();
    folders.sort();
    let mut problems = Vec::new();
    if folders.len() < fewest {
        problems.push(format!("there are {} cases, expected at least {fewest}", folders.len()));
    }
    let (left, found) = (Mutex::new(folders), Mutex::new(Vec::new()));
    scope(|threads| {
        for _ in 0..available_parallelism().map_or(2, usize::from) {
            threads.spawn(|| {
                while let Some(folder) = { left.lock().expect("no panic").pop() } {
                    if let Err(problem) = prove(&folder, updates) {
                        found.lock().expect("no panic").push(format!("== {}\n{problem}", folder.display()));
                    }
                }
            });
        }
    });
    problems.extend(found.into_inner().expect("no panic"));
    problems.sort();
    problems
}

/// The text of a case's `expected` and of the files in its `report`, by name.
type Expected = BTreeMap<String, String>;

/// Runs one case; an error describes the difference from what it expects.
fn prove(folder: &Path, updates: bool) -> Result<(), String> {
    let text = |name: &str| fs::read_to_string(folder.join(name)).map_err(|error| format!("{name}: {error}"));
    let command = text("command")?;
    if command.trim().is_empty() || command.trim().lines().count() != 1 {
        return Err("command: one line, as a user would type it".to_owned());
    }
    let expected = text("expected")?;
    let sentence = expected.split("\n\n").next().unwrap_or_default();
    if sentence.trim().is_empty() || sentence.starts_with("exit ") {
        return Err("expected: its first paragraph says what the case shows".to_owned());
    }
    let place = Place::new();
    let there = place.path(".").canonicalize().map_err(|error| error.to_string())?;
    copy(folder, &there, &OURS)?;
    let output = run(folder, &there, command.trim(), &[])?;
    let mut found = Expected::from([("expected".to_owned(), format!("{sentence}\n\n{}", shown(&output, &there)?))]);
    let mut due = Expected::from([("expected".to_owned(), expected.clone())]);
    for path in files_of_report(folder)? {
        let name = format!("report/{}", path.file_name().unwrap_or_default().to_string_lossy());
        let made = there.join("reports/latest").join(path.file_name().unwrap_or_default());
        let made =
            fs::read_to_string(made).map_err(|error| format!("{name} is expected, but was not made: {error}"))?;
        due.insert(name.clone(), text(&name)?);
        found.insert(name, made);
    }
    let differing: Vec<&String> = due.keys().filter(|name| due[*name] != found[*name]).collect();
    let mut problem = String::new();
    for name in differing {
        let what = if updates { "was rewritten: read it, and run again" } else { "is not as expected" };
        // Writing to a `String` never fails.
        _ = writeln!(problem, "{name} {what}\n{}", difference(&due[name], &found[name]));
        if updates {
            fs::write(folder.join(name), &found[name]).map_err(|error| format!("{name}: {error}"))?;
        }
    }
    if problem.is_empty() { Ok(()) } else { Err(problem) }
}

/// The files in a case's `report`, which the run must produce byte for byte.
fn files_of_report(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let folder = folder.join("report");
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(&folder).map_err(|error| format!("report: {error}"))?;
    let files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    if files.is_empty() { Err("report: it is empty".to_owned()) } else { Ok(files) }
}

/// Runs the command through a shell in the folder `there`, where `tieout` is the binary under test, with the case's
/// variables and more of them.
fn run(folder: &Path, there: &Path, command: &str, more: &[(&str, &str)]) -> Result<Output, String> {
    let binary = tieout();
    let binaries = Path::new(binary.get_program()).parent().unwrap_or(Path::new("")).to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(binaries).chain(std::env::split_paths(&path));
    let path = std::env::join_paths(paths).map_err(|error| error.to_string())?;
    let mut shell = Command::new("sh");
    shell.env_clear().env("PATH", path).env("HOME", there).current_dir(there);
    let environment = folder.join("environment");
    if environment.exists() {
        let environment = fs::read_to_string(environment).map_err(|error| format!("environment: {error}"))?;
        let variables: Option<Vec<_>> = environment.lines().map(|line| line.split_once('=')).collect();
        shell.envs(variables.ok_or("environment: lines of NAME=value")?);
    }
    shell.envs(more.iter().copied());
    let stdin = folder.join("stdin");
    if stdin.exists() {
        shell.stdin(File::open(stdin).map_err(|error| format!("stdin: {error}"))?);
    } else {
        shell.stdin(Stdio::null());
    }
    shell.arg("-c").arg(command).output().map_err(|error| format!("can't run it: {error}"))
}

/// Runs a case in Chinese; returns its exit code and standard error.
pub fn in_chinese(folder: &Path) -> Result<(Option<i32>, String), String> {
    let command = fs::read_to_string(folder.join("command")).map_err(|error| error.to_string())?;
    let place = Place::new();
    let there = place.path(".").canonicalize().map_err(|error| error.to_string())?;
    copy(folder, &there, &OURS)?;
    let output = run(folder, &there, command.trim(), &[("TIEOUT_LANG", "zh-CN")])?;
    Ok((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// A run's exit code and output, with the folder it ran in shown as `[FOLDER]`.
fn shown(output: &Output, there: &Path) -> Result<String, String> {
    let text = |name: &str, bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).map_err(|error| format!("{name}: {error}"))?;
        let text = text.replace(&*there.to_string_lossy(), "[FOLDER]");
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "[no end of line]\n" };
        Ok::<_, String>(format!("--- {name}\n{text}{end}"))
    };
    let code = output.status.code().map_or_else(|| output.status.to_string(), |code| code.to_string());
    Ok(format!("exit {code}\n{}{}", text("stdout", &output.stdout)?, text("stderr", &output.stderr)?))
}

/// Copies a folder's content, except the names in `but`.
fn copy(from: &Path, to: &Path, but: &[&str]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", from.display());
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, copied) = (entry.path(), to.join(entry.file_name()));
        if but.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if path.is_dir() {
            fs::create_dir(&copied).map_err(failed)?;
            copy(&path, &copied, &[])?;
        } else {
            fs::copy(&path, &copied).map_err(failed)?;
        }
    }
    Ok(())
}

/// The lines that differ, expected ones marked `-` and found ones `+`, with a few equal lines around them.
fn difference(expected: &str, found: &str) -> String {
    let (expected, found): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    let same = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| pairs.take_while(|(one, other)| one == other).count();
    let before = same(&mut expected.iter().zip(&found));
    let after = same(&mut expected[before..].iter().rev().zip(found[before..].iter().rev()));
    let marked = |mark: &'static str, lines: &[&str]| lines.iter().map(|line| format!("{mark} {line}\n")).collect();
    let parts: [String; 4] = [
        marked(" ", &expected[before.saturating_sub(AROUND)..before]),
        marked("-", &expected[before..expected.len() - after]),
        marked("+", &found[before..found.len() - after]),
        marked(" ", &found[found.len() - after..][..after.min(AROUND)]),
    ];
    parts.concat()
}

/// A folder with one case that a test can break.
struct PlantedCase(Place);

impl PlantedCase {
    /// A case that passes.
    fn new() -> Self {
        let planted = Self(Place::new());
        planted.file(
            "command",
            "cat ids.csv; echo $NAME; cat; mkdir -p reports/latest; cp ids.csv reports/latest; exit 3",
        );
        planted.file("ids.csv", "run_order_id\n");
        planted.file("environment", "NAME=Li Wei\n");
        planted.file("stdin", "typed\n");
        planted.file("report/ids.csv", "run_order_id\n");
        planted.file("expected", "It shows.\n\nexit 3\n--- stdout\nrun_order_id\nLi Wei\ntyped\n--- stderr\n");
        planted
    }

    fn file(&self, name: &str, content: &str) {
        let path = self.0.path("planted").join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        fs::write(path, content).expect("writable");
    }

    fn problems(&self, updates: bool) -> String {
        problems(&self.0.path("."), "*", 1, updates).join("\n")
    }
}

#[test]
fn a_planted_mismatch_fails_the_runner() {
    assert_eq!(PlantedCase::new().problems(false), "");
    let cases = [
        (
            "expected",
            "It shows.\n\nexit 0\n--- stdout\nrun_order_id\nLi Wei\ntyped\n--- stderr\n",
            "- exit 0\n+ exit 3",
        ),
        (
            "expected",
            "It shows.\n\nexit 3\n--- stdout\nrun_order_id\nLi Wei\n--- stderr\n",
            "  Li Wei\n+ typed\n  --- stderr",
        ),
        ("expected", "It shows.\n\nexit 3\n--- stdout\nrun_order_id\nLi Wei\ntyped\n", "+ --- stderr"),
        ("expected", "exit 3\n--- stdout\nrun_order_id\nLi Wei\ntyped\n--- stderr\n", "first paragraph"),
        ("expected", "", "first paragraph"),
        ("command", "\n", "one line"),
        ("command", "exit 3\nexit 3\n", "one line"),
        ("environment", "NAME", "NAME=value"),
        ("report/ids.csv", "order_id\n", "report/ids.csv is not as expected\n- order_id\n+ run_order_id"),
        ("report/pending.csv", "", "report/pending.csv is expected, but was not made"),
    ];
    for (file, content, message) in cases {
        let planted = PlantedCase::new();
        planted.file(file, content);
        let problems = planted.problems(false);
        assert!(problems.contains(message), "{file:?} {content:?}: {message:?} is not in: {problems}");
    }
    for missing in ["command", "expected"] {
        let planted = PlantedCase::new();
        fs::remove_file(planted.0.path("planted").join(missing)).expect("there");
        assert!(planted.problems(false).contains(missing), "no {missing}");
    }
    let few = problems(&PlantedCase::new().0.path("."), "*", 2, false);
    assert_eq!(few, ["there are 1 cases, expected at least 2"]);
}

#[test]
fn an_update_rewrites_the_expected_output_and_fails_once() {
    let planted = PlantedCase::new();
    planted.file("expected", "It shows.\n\n");
    planted.file("report/ids.csv", "");
    assert!(planted.problems(true).contains("expected was rewritten"));
    assert_eq!(planted.problems(false), "");
    let rewritten = fs::read_to_string(planted.0.path("planted/expected")).expect("there");
    assert!(rewritten.starts_with("It shows.\n\nexit 3\n--- stdout\nrun_order_id\n"), "{rewritten}");
}
