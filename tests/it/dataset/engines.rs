//! `tieout audit DATASET --engine …`: the report is the same to the byte, whoever reads the dataset. DuckDB runs the script for
//! Spark here, over many random datasets; `spark` has a real Spark run it.

pub mod random;
mod results;
#[cfg(feature = "spark")]
pub mod spark;
mod statements;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;

use rand::SeedableRng;
use rand::rngs::SmallRng;
use tieout::domain::days::Zone;
use tieout::domain::facts::OrderFacts;
use tieout::history::{Dataset, Known};

use super::audit::verify;
use super::{identity, run_at};
use crate::readers::{printed, reader};
use crate::support::{Place, ReportFiles, code, tieout};

/// A selection of orders, with settings.
pub type Arguments<'a> = &'a [&'a str];

/// What is asked of a random dataset.
pub const ASKED: [Arguments<'_>; 7] = [
    &[],
    &["--month", "2026-09"],
    &["--since", "2026-08-25", "--until", "2026-10-10", "--day-by", "updated"],
    &["--workflow", random::ODD_WORKFLOW],
    &["--currency", "CNY", "--tolerance", "0.00000001", "--month", "2026-10"],
    &["--until", "2026-08-01"],
    &["--since", "2026-09-15", "--as-of", "2026-12-01T00:00:00Z", "--stale-after", "1h", "--material", "5"],
];

fn run(command: &str, dataset: &Path, out: &Path, arguments: Arguments<'_>) -> Output {
    let mut run = tieout();
    run.arg(command).arg(dataset).arg("--out").arg(out).arg("-q").args(arguments);
    run.output().expect("starts")
}

/// The report of what this machine reads, and the exit code.
pub fn local(place: &Place, dataset: &Path, name: &str, arguments: Arguments<'_>) -> (i32, PathBuf) {
    let out = place.path(name);
    let ended = run("audit", dataset, &out, &[arguments, &["--format", "csv,html"]].concat());
    assert!([0, 1, 3].contains(&code(&ended)), "{arguments:?}: {}", printed(&ended));
    (code(&ended), out)
}

/// Writes the script; returns where.
pub fn script(place: &Place, dataset: &Path, name: &str, arguments: Arguments<'_>) -> PathBuf {
    let job = place.path(name);
    let ended = run("audit", dataset, &job, &[&["--engine", "sql"], arguments].concat());
    assert_eq!(code(&ended), 0, "{arguments:?}: {}", printed(&ended));
    job.join("audit.sql")
}

/// The end of making the report of a script's answers.
pub fn of_results(dataset: &Path, script: &Path, out: &Path) -> Output {
    let results = script.with_file_name("results");
    run("audit", dataset, out, &["--results", results.to_str().expect("a path"), "--format", "csv,html"])
}

/// Asserts that two reports are the same to the byte, but for when they were made.
pub fn assert_same_report(ours: &Path, theirs: &Path, what: &str) {
    let files = |report: &Path| {
        let mut files = ReportFiles(report.to_owned()).files();
        assert!(files.remove("manifest.json").is_some(), "{what}");
        files
    };
    let (ours, theirs) = (files(ours), files(theirs));
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{what}");
    for (name, bytes) in &ours {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(*bytes == theirs[name], "{what}, {name}:\n{}\n--\n{}", text(bytes), text(&theirs[name]));
    }
}

/// Asserts that DuckDB's answers to the script make the same report as this machine's reading.
pub fn assert_duckdb_agrees(place: &Place, dataset: &Path, name: &str, arguments: Arguments<'_>) {
    let what = format!("{name} {arguments:?}");
    let (exit, ours) = local(place, dataset, &format!("{name}-local"), arguments);
    let script = script(place, dataset, &format!("{name}-job"), arguments);
    let answered = reader("script.py", &[&script]);
    assert!(answered.status.success(), "{what}: {}", printed(&answered));
    let theirs = place.path(&format!("{name}-results"));
    let ended = of_results(dataset, &script, &theirs);
    assert_eq!(code(&ended), exit, "{what}: {}", printed(&ended));
    assert_same_report(&ours, &theirs, &what);
}

/// What reports of random datasets have to be about, for their bytes to say anything.
fn note(report: &Path, found: &mut BTreeMap<String, usize>) {
    let report = ReportFiles(report.to_owned());
    let mut count = |what: String, rows: usize| *found.entry(what).or_default() += rows;
    for row in report.rows("discrepancies.csv") {
        count(row["check"].clone(), 1);
    }
    for table in ["pending.csv", "exceptions.csv", "adjustments.csv"] {
        count(table.to_owned(), if report.0.join(table).exists() { report.rows(table).len() } else { 0 });
    }
    let reconciled = report.json("summary.json")["population"]["reconciled"].as_u64().expect("a count");
    count("reconciled".to_owned(), usize::try_from(reconciled).expect("small"));
}

#[cfg(not(feature = "spark"))]
#[test]
fn a_build_without_a_client_says_which_feature_is_missing() {
    let place = Place::new();
    let dataset = nearly_sound(&place);
    let said =
        run("audit", &dataset, &place.path("report"), &["--engine", "spark", "--spark-remote", "sc://127.0.0.1"]);
    assert_eq!(code(&said), 2, "{}", printed(&said));
    assert!(printed(&said).contains("--features spark"), "{}", printed(&said));
}

/// A dataset of one night that saw orders as they should be, each but for up to two values of small ranges.
fn nearly_sound(place: &Place) -> PathBuf {
    let folder = place.path("nearly");
    let dataset = Dataset::open_or_create(&folder, &identity(&Zone::default())).expect("a dataset");
    let mut append = dataset.append(&run_at("2026-10-02T00:00:00Z".parse().expect("a time"))).expect("writable");
    let mut random = SmallRng::seed_from_u64(7);
    for number in 0..3_000 {
        let order = random::nearly_sound(&mut random);
        let seen = Known { settled: order.is_settled(), ..Known::default() };
        append.order(&format!("wfrun_{number}"), &OrderFacts::of(&order), seen).expect("writable");
    }
    append.commit().expect("writable");
    folder
}

/// An order that fails a check and is not a candidate would be missing from the report of the answers.
#[test]
fn what_is_judged_is_a_candidate_in_sql() {
    let place = Place::new();
    let dataset = nearly_sound(&place);
    let asked: [Arguments<'_>; 3] =
        [&[], &["--currency", "CNY", "--tolerance", "1"], &["--day-by", "updated", "--as-of", "2026-10-01T20:00:00Z"]];
    let mut found = BTreeMap::new();
    for (number, arguments) in asked.into_iter().enumerate() {
        assert_duckdb_agrees(&place, &dataset, &number.to_string(), arguments);
        note(&place.path(&format!("{number}-local")), &mut found);
    }
    assert!(found.len() > 12 && found["reconciled"] > 1_000 && found["quote-split"] > 100, "{found:?}");
}

#[test]
fn duckdb_answers_make_the_same_report_of_random_datasets() {
    let mut found = BTreeMap::new();
    for seed in 1..=4 {
        let place = Place::new();
        let dataset = random::dataset(&place, seed);
        for (number, arguments) in ASKED.into_iter().enumerate() {
            // Each selection of two of the datasets, and all of each.
            if number > 0 && !(number as u64 + seed).is_multiple_of(2) {
                continue;
            }
            assert_duckdb_agrees(&place, &dataset, &format!("{seed}-{number}"), arguments);
            note(&place.path(&format!("{seed}-{number}-local")), &mut found);
        }
        let proven = verify(&place.path(&format!("{seed}-0-results")), &[]);
        assert_eq!(code(&proven), 0, "{}", printed(&proven));
    }
    let expected = [
        "quote-split",
        "cost-sum",
        "restated",
        "vanished",
        "identity-mismatch",
        "missing-amount",
        "pending.csv",
        "exceptions.csv",
        "adjustments.csv",
        "reconciled",
    ];
    for what in expected {
        assert!(found.get(what).is_some_and(|rows| *rows > 10), "{what}: {found:?}");
    }
}
