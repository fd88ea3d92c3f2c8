//! The summary at the end of a job: in the user's language, in aligned columns, and coloured only at a terminal.

use std::fs;
use std::process::{Command, Stdio};

use unicode_width::UnicodeWidthStr;

use crate::support::{Place, code, repository, stdout, tieout};

/// Each language, and the page of the book that shows the summary of the sample.
const LANGUAGES: [(&str, &str); 2] = [("en", "docs/guide/first-run.md"), ("zh-CN", "docs/zh-CN/guide/first-run.md")];

/// The summary of the sample, with these arguments and environment variables.
fn summary(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let place = Place::new();
    let mut command = place.reconcile(repository("sample_data/ids.csv"));
    command.args(["--sandbox", "--as-of", "2026-11-23T02:00:00Z"]).args(arguments).envs(variables.iter().copied());
    let run = command.output().expect("starts");
    assert_eq!(code(&run), 1, "{run:?}");
    stdout(&run)
}

/// The summary of the sample at a terminal, without colour.
fn summary_at_a_terminal(arguments: &str) -> String {
    let (place, ids) = (Place::new(), repository("sample_data/ids.csv"));
    let command = place.reconcile(ids);
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let words: Vec<String> = words.map(|word| format!("'{}'", word.to_str().expect("plain"))).collect();
    let line = format!("{} --sandbox --as-of 2026-11-23T02:00:00Z {arguments} 2>/dev/null", words.join(" "));
    let mut terminal = Command::new("script");
    terminal.args(["-qec", &line, "/dev/null"]).env("NO_COLOR", "1").stdin(Stdio::null());
    if let Some(folder) = command.get_current_dir() {
        terminal.current_dir(folder);
    }
    let run = terminal.output().expect("script, of bsdutils");
    assert_eq!(code(&run), 1, "{run:?}");
    stdout(&run).replace("\r\n", "\n")
}

/// The summary that a page shows; the book's own test holds it against the program.
fn documented(page: &str) -> String {
    let text = fs::read_to_string(repository(page)).expect("a page");
    let block = text.split("```").find(|block| block.starts_with("console\n$ tieout reconcile")).expect("a block");
    block.lines().skip(2).map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_last_lines_at_a_terminal_are_the_verdict_and_the_report() {
    let shown = summary_at_a_terminal("");
    let mut lines = shown.lines();
    let first = format!("{} {}", lines.next().expect("a line"), lines.next().expect("a line"));
    let last: Vec<&str> = shown.lines().rev().take(2).collect();
    assert!(last[0].starts_with("Report: ") && last[1] == first, "{shown}");
    // Without a terminal, the verdict comes only once, since a log is read from the top.
    assert_eq!(summary(&[], &[]).matches("Verdict: ").count(), 1);
}

#[test]
fn an_audit_prints_the_same_in_the_users_language() {
    let place = Place::new();
    let mut command = place.reconcile(repository("sample_data/ids.csv"));
    let run = command.args(["--sandbox", "--as-of", "2026-11-23T02:00:00Z"]).output().expect("starts");
    assert_eq!(code(&run), 1, "{run:?}");
    for (language, page) in LANGUAGES {
        let mut audit = tieout();
        audit.args(["--lang", language, "audit"]).arg(place.path("report")).arg("--out").arg(place.path(language));
        let shown = stdout(&audit.output().expect("starts"));
        let population = |text: &str| text.split("\n\n").nth(1).expect("parts").to_owned();
        assert_eq!(population(&shown), population(&documented(page)), "{language}");
    }
}

#[test]
fn columns_line_up_by_what_a_terminal_shows() {
    for (language, _) in LANGUAGES {
        let shown = summary(&["--lang", language], &[]);
        let parts: Vec<&str> = shown.split("\n\n").collect();
        // These tables end with numbers, so all rows end at the same place. A sentence below is not indented.
        for part in &parts[1..3] {
            let rows = part.lines().skip(1).filter(|line| line.starts_with("  "));
            let widths: Vec<usize> = rows.map(UnicodeWidthStr::width).collect();
            assert!(widths.len() > 5 && widths.iter().all(|width| *width == widths[0]), "{widths:?} in:\n{part}");
        }
        // These columns start at the same place in every row.
        let begins = |line: &str, word: &str| line.find(word).map(|at| line[..at].width());
        for (part, words) in [(parts[3], ["错误", "警告", "error", "warning"]), (parts[4], ["wfrun_"; 4])] {
            let rows = part.lines().skip(2);
            let columns: Vec<usize> =
                rows.map(|line| words.iter().find_map(|word| begins(line, word)).expect("a word")).collect();
            assert!(columns.len() >= 5 && columns.iter().all(|at| *at == columns[0]), "{columns:?} in:\n{part}");
        }
    }
}

#[test]
fn colours_are_optional_and_add_nothing_to_the_words() {
    let plain = summary(&[], &[]);
    for other in [
        summary(&["--color", "auto"], &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]),
        summary(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]),
    ] {
        assert_eq!(but_last(&other), but_last(&plain));
    }
    assert!(!plain.contains('\x1b'), "standard output is not a terminal here");
    for coloured in [
        summary(&["--color", "always"], &[("NO_COLOR", "1")]),
        summary(&[], &[("CLICOLOR_FORCE", "1")]),
        summary(&[], &[("TIEOUT_COLOR", "always")]),
    ] {
        assert!(coloured.starts_with("\x1b[1;31mVerdict: DISCREPANT\x1b[0m\n"), "{coloured}");
        assert!(coloured.contains("\n\n\x1b[1mPopulation\x1b[0m\n"), "{coloured}");
        let stripped = coloured.replace("\x1b[1;31m", "").replace("\x1b[1m", "").replace("\x1b[0m", "");
        assert_eq!(but_last(&stripped), but_last(&plain));
    }
}

/// All lines except the last, which names the folder.
fn but_last(text: &str) -> &str {
    text.trim_end().rsplit_once('\n').expect("lines").0
}

#[test]
fn a_comparison_is_in_the_users_language() {
    let place = Place::new();
    let all = fs::read_to_string(repository("sample_data/ids.csv")).expect("the sample");
    let some: String = all.lines().take(150).map(|line| format!("{line}\n")).collect();
    let ids = [("old", place.file("some.csv", some)), ("new", repository("sample_data/ids.csv"))];
    for (name, ids) in &ids {
        let mut job = place.reconcile(ids);
        job.args(["--sandbox", "-q", "--as-of", "2026-11-23T02:00:00Z", "--out", name]);
        assert_eq!(code(&job.output().expect("starts")), 1);
    }
    let diff = |language: &str| {
        let mut diff = tieout();
        diff.args(["--lang", language, "diff"]).arg(place.path("old")).arg(place.path("new"));
        stdout(&diff.output().expect("starts"))
    };
    let (english, chinese) = (diff("en"), diff("zh-CN"));
    // Counts, sections and rows are the same; only the words differ.
    assert!(
        english.starts_with("Discrepancies: 6 new, 0 changed, 21 persisting, 0 not assessed, 0 resolved\n"),
        "{english}"
    );
    assert!(chinese.starts_with("差异：新增 6 项，有变 0 项，仍在 21 项，无法判断 0 项，已解决 0 项\n"), "{chinese}");
    assert!(english.contains("\nNew (6)\n") && chinese.contains("\n新增（6 项）\n"), "{chinese}");
    assert_eq!(english.lines().count(), chinese.lines().count());
    let figures = |text: &str| -> Vec<String> {
        let (_, tables) = text.split_once("\n\n").expect("tables below the two folders");
        let words = tables.split_whitespace().filter(|word| word.starts_with("wf") || word.contains('.'));
        words.filter(|word| word.is_ascii()).map(str::to_owned).collect()
    };
    let (english, chinese) = (figures(&english), figures(&chinese));
    assert!(english.len() > 100);
    assert_eq!(english, chinese);
}
