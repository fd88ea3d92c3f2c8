//! Reports as others read them: `tests/readers/agree.py` re-performs a report with DuckDB and pyarrow.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{Place, code, repository, stderr, stdout};

/// The sandbox plants discrepancies among the sample's orders.
const DISCREPANT: i32 = 1;

#[test]
fn duckdb_and_pyarrow_agree_with_the_sample() {
    let place = Place::new();
    let run = place
        .reconcile(repository("sample_data/ids.csv"))
        .args(["--sandbox", "--as-of", "2026-06-01T00:00:00Z"])
        .output()
        .expect("tieout starts");
    assert_eq!(code(&run), DISCREPANT, "{}", said(&run));
    let report = place.path("report");
    assert_agrees(&report);

    // The reader is no rubber stamp: one unit of the last decimal is a disagreement.
    for file in ["spend_by_workflow.csv", "spend_by_revision.csv", "spend_by_day.csv", "discrepancies.csv"] {
        let path = report.join(file);
        let honest = fs::read_to_string(&path).expect("a report file");
        fs::write(&path, nudged(&honest)).expect("a report file");
        let reading = agree(&report);
        assert_eq!(reading.status.code(), Some(1), "{file} was changed: {}", said(&reading));
        assert!(said(&reading).contains(file), "{}", said(&reading));
        fs::write(&path, honest).expect("a report file");
    }
    assert_agrees(&report);
}

/// Asserts that DuckDB and pyarrow read the same figures from a report folder's Parquet file as its CSV files say;
/// what the reader printed.
pub(crate) fn assert_agrees(report: &Path) -> String {
    let reading = agree(report);
    let said = said(&reading);
    assert!(reading.status.success() && said.starts_with("agree: "), "{said}");
    said
}

/// Everything a command printed.
pub(crate) fn said(output: &Output) -> String {
    stdout(output) + &stderr(output)
}

fn agree(report: &Path) -> Output {
    reader("agree.py", &[report])
}

/// What a script of `tests/readers` says of these folders.
pub(crate) fn reader(script: &str, folders: &[&Path]) -> Output {
    let Some(python) = env::var_os("TIEOUT_TEST_PYTHON") else {
        panic!("no Python with DuckDB, pyarrow and jsonschema (TIEOUT_TEST_PYTHON): run `make test`");
    };
    Command::new(python)
        .arg(repository("tests/readers").join(script))
        .args(folders)
        // Nothing is left beside the scripts.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("the Python of TIEOUT_TEST_PYTHON: run `make test`")
}

/// A CSV whose last amount is off by one unit of its last decimal.
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
