//! Reports read by other software: `tests/readers/agree.py` re-performs a report with DuckDB and pyarrow.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{Place, code, repository, stderr, stdout};

/// The exit code for the sample, in which the sandbox plants discrepancies.
const DISCREPANT: i32 = 1;

#[test]
fn duckdb_and_pyarrow_agree_with_the_sample() {
    let place = Place::new();
    let run = place
        .reconcile(repository("sample_data/ids.csv"))
        .args(["--sandbox", "--as-of", "2026-06-01T00:00:00Z"])
        .output()
        .expect("tieout starts");
    assert_eq!(code(&run), DISCREPANT, "{}", printed(&run));
    let report = place.path("report");
    assert_agrees(&report);

    // The reader does find mistakes: one unit of the last decimal is a difference.
    for file in ["spend_by_workflow.csv", "spend_by_revision.csv", "spend_by_day.csv", "discrepancies.csv"] {
        let path = report.join(file);
        let honest = fs::read_to_string(&path).expect("a report file");
        fs::write(&path, nudged(&honest)).expect("a report file");
        let reading = agree(&report);
        assert_eq!(reading.status.code(), Some(1), "{file} was changed: {}", printed(&reading));
        assert!(printed(&reading).contains(file), "{}", printed(&reading));
        fs::write(&path, honest).expect("a report file");
    }
    assert_agrees(&report);
}

/// Asserts that DuckDB and pyarrow read the same figures from a report's Parquet file as from its CSV files; returns
/// the reader's output.
pub(crate) fn assert_agrees(report: &Path) -> String {
    let reading = agree(report);
    let printed = printed(&reading);
    assert!(reading.status.success() && printed.starts_with("agree: "), "{printed}");
    printed
}

/// The standard output of a command, followed by its standard error.
pub(crate) fn printed(output: &Output) -> String {
    stdout(output) + &stderr(output)
}

fn agree(report: &Path) -> Output {
    reader("agree.py", &[report])
}

/// Runs a script of `tests/readers` on these folders.
pub(crate) fn reader(script: &str, folders: &[&Path]) -> Output {
    let Some(python) = env::var_os("TIEOUT_TEST_PYTHON") else {
        panic!("no Python with DuckDB, pyarrow and jsonschema (TIEOUT_TEST_PYTHON): run `make test`");
    };
    Command::new(python)
        .arg(repository("tests/readers").join(script))
        .args(folders)
        // Leaves no `__pycache__` beside the scripts.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("the Python of TIEOUT_TEST_PYTHON: run `make test`")
}

/// A CSV with its last amount changed by one unit of the last decimal.
fn nudged(text: &str) -> String {
    let is_amount_end = |at: &usize| {
        let amount = text[..=*at].rsplit([',', '\n']).next().unwrap_or_default();
        let decimals = amount.rsplit_once('.').map_or("", |(_, decimals)| decimals);
        decimals.len() == 8 && amount.bytes().all(|byte| byte.is_ascii_digit() || b".-".contains(&byte))
    };
    let at = (0..text.len()).rev().filter(|at| text.is_char_boundary(*at)).filter(|at| text.is_char_boundary(at + 1));
    let at = at.into_iter().find(is_amount_end).expect("an amount with 8 decimals");
    let digit = if text.as_bytes()[at] == b'9' { "8" } else { "9" };
    format!("{}{digit}{}", &text[..at], &text[at + 1..])
}
