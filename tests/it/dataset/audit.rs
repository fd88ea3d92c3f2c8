//! `tieout audit DATASET`: what it says is what the nights said, and what DuckDB makes of the same files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Output;

use polars::prelude::{Column, ParquetReader, ParquetWriter, SerReader};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tieout::domain::days::Zone;
use tieout::domain::facts::OrderFacts;
use tieout::domain::outcome::CreatedBefore;
use tieout::history::{Dataset, ExceptionRow, Known};

use super::hostile::hostile_nights;
use super::{identity, night, started};
use crate::readers::{printed, reader};
use crate::support::{Place, ReportFiles, code, stdout, tieout};

pub(super) fn audit(dataset: &Path, out: &Path, arguments: &[&str]) -> Output {
    let mut audit = tieout();
    audit.arg("audit").arg(dataset).arg("--out").arg(out).args(["--format", "csv", "-q"]).args(arguments);
    audit.output().expect("starts")
}

pub(super) fn verify(report: &Path, arguments: &[&str]) -> Output {
    tieout().arg("verify").arg(report).arg("--files-only").args(arguments).output().expect("starts")
}

/// The rows of a table without what a dataset does not know: lines, and what earlier reports said.
fn rows(report: &ReportFiles, table: &str) -> BTreeSet<BTreeMap<String, String>> {
    let unknown = |column: &str| ["input_line", "lifecycle"].contains(&column);
    let known = |row: BTreeMap<String, String>| row.into_iter().filter(|(column, _)| !unknown(column)).collect();
    report.rows(table).into_iter().map(known).collect()
}

#[test]
fn an_audit_of_one_night_says_what_that_night_said() {
    let place = Place::new();
    let dataset = place.path("history");
    assert_eq!(code(&night(&place, &["--dataset", dataset.to_str().expect("a path")])), 1);
    let audited = audit(&dataset, &place.path("audit"), &[]);
    assert_eq!(code(&audited), 1, "{}", printed(&audited));
    let (night, audit) = (place.report(), ReportFiles(place.path("audit")));
    for table in ["spend_by_workflow.csv", "spend_by_revision.csv", "spend_by_day.csv"] {
        assert_eq!(audit.bytes(table), night.bytes(table), "{table}");
    }
    assert_eq!(rows(&audit, "pending.csv"), rows(&night, "pending.csv"));
    let of_checks = |report: &ReportFiles| -> BTreeSet<BTreeMap<String, String>> {
        // What a reply said besides its facts is not in a dataset, nor anything of a reply about another order.
        let of_reply = ["workflow_id", "revision_id", "currency", "run_status", "settlement_status"];
        let mut found = BTreeSet::new();
        for mut row in rows(report, "discrepancies.csv").into_iter().filter(|row| row["check"] != "zero-time") {
            if row["check"] == "identity-mismatch" {
                of_reply.iter().chain(&["created_at", "updated_at"]).for_each(|column| _ = row.remove(*column));
            }
            found.insert(row);
        }
        found
    };
    assert!(of_checks(&audit).len() > 20);
    assert_eq!(of_checks(&audit), of_checks(&night));
    let mut without_orders = rows(&night, "exceptions.csv");
    without_orders.retain(|row| !["duplicate", "rejected"].contains(&row["bucket"].as_str()));
    assert_eq!(rows(&audit, "exceptions.csv"), without_orders);
    let (said, was) = (audit.json("summary.json"), night.json("summary.json"));
    assert_eq!(said["control_totals"], was["control_totals"]);
    assert_eq!(said["as_of"], was["as_of"], "ages are measured when the newest run did");
    for bucket in ["reconciled", "discrepant", "pending", "not_found", "refused", "malformed", "unfetched"] {
        assert_eq!(said["population"][bucket], was["population"][bucket], "{bucket}");
    }
    assert_eq!(said["dataset"]["runs"], 1);
    // Its own SQL recomputes it from the dataset, and a part of it as well.
    let workflow = "wf_7b8066cb76a6a2b507fd";
    let part = ["--month", "2026-05", "--workflow", workflow, "--tolerance", "0.00000001"];
    assert_eq!(code(&self::audit(&dataset, &place.path("part"), &part)), 1);
    for report in ["audit", "part"] {
        let again = reader("reperform.py", &[&place.path(report), &dataset]);
        assert!(again.status.success() && printed(&again).starts_with("agree: "), "{}", printed(&again));
    }
    let spend = ReportFiles(place.path("part")).rows("spend_by_workflow.csv");
    assert!(spend.iter().all(|row| row["workflow_id"] == workflow) && !spend.is_empty());
    let checks = said["settings"]["checks"].as_array().expect("checks");
    assert!(!checks.contains(&Value::from("expected-mismatch")), "it can't be assessed");
}

fn exception(number: usize, run_order_id: &str) -> ExceptionRow<'_> {
    let bucket = ["not_found", "refused", "malformed", "unfetched"][number % 4];
    ExceptionRow { run_order_id, bucket, reason: "http-404", detail: "order 'not' found" }
}

/// A dataset of what four nights saw of hostile orders, and a fifth that did not get all of them.
fn hostile_dataset(place: &Place) -> Dataset {
    let zone = Zone::named("America/St_Johns").expect("a zone");
    let dataset = Dataset::open_or_create(&place.path("history"), &identity(&zone)).expect("a dataset");
    let nights = hostile_nights(1_000);
    for (night, seen) in nights.iter().enumerate() {
        let mut append = dataset.append(&started(i64::try_from(night).expect("small"))).expect("writable");
        for (id, order, moved) in seen {
            let before = moved.as_ref().map(|before| CreatedBefore(before.created_at));
            append
                .order(id, &OrderFacts::of(order), Known { settled: order.is_settled(), before, ..Known::default() })
                .expect("writable");
        }
        // Some orders could not be fetched at first, and some never.
        for number in 0..10 {
            let unseen = format!("unseen_{number}");
            append.exception(exception(number, &unseen));
            if let Some((id, ..)) = nights.get(night + 1).and_then(|next| next.get(number)).filter(|_| night == 0) {
                append.exception(exception(number, id));
            }
        }
        append.commit().expect("writable");
    }
    let mut append = dataset.append(&started(4)).expect("writable");
    for (number, (id, ..)) in nights[0].iter().enumerate().step_by(23) {
        append.exception(exception(number, id));
    }
    append.commit().expect("writable");
    dataset
}

/// What DuckDB makes of a dataset: the rows of each table.
fn by_duckdb(dataset: &Path, period: &[&str]) -> BTreeMap<String, Vec<Vec<String>>> {
    let arguments: Vec<&Path> = [dataset].into_iter().chain(period.iter().map(Path::new)).collect();
    let reading = reader("audit.py", &arguments);
    assert!(reading.status.success(), "{}", printed(&reading));
    let mut tables = BTreeMap::<String, Vec<Vec<String>>>::new();
    for line in stdout(&reading).lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let cell = |cell: &Value| cell.as_str().expect("a text").to_owned();
        let row = line["row"].as_array().expect("a row").iter().map(cell).collect();
        tables.entry(cell(&line["table"])).or_default().push(row);
    }
    tables.values_mut().for_each(|rows| rows.sort());
    tables
}

/// Some columns of a table of a report, sorted.
fn columns(report: &ReportFiles, table: &str, names: &[&str], check: Option<&str>) -> Vec<Vec<String>> {
    let rows = report.rows(table).into_iter().filter(|row| check.is_none_or(|check| row["check"] == check));
    let mut rows: Vec<Vec<String>> = rows.map(|row| names.iter().map(|name| row[*name].clone()).collect()).collect();
    rows.sort();
    rows
}

/// Asserts that both say the same; shows only what differs.
fn assert_same(ours: &[Vec<String>], theirs: &[Vec<String>]) {
    let only = |one: &[Vec<String>], other: &[Vec<String>]| -> Vec<Vec<String>> {
        one.iter().filter(|row| !other.contains(row)).cloned().collect()
    };
    assert!(ours == theirs, "only ours: {:?}\nonly theirs: {:?}", only(ours, theirs), only(theirs, ours));
}

const SPEND: [&str; 15] = [
    "currency",
    "orders",
    "settled",
    "pending",
    "failed_runs",
    "quote_amount",
    "final_amount",
    "released_amount",
    "compute_cost",
    "external_model_cost",
    "total_cost",
    "quote_gross_difference",
    "quote_net_difference",
    "cost_gross_difference",
    "cost_net_difference",
];

#[test]
fn duckdb_agrees_on_hostile_orders_to_the_last_digit() {
    let place = Place::new();
    let dataset = hostile_dataset(&place);
    let periods: [(&[&str], &[&str]); 2] =
        [(&[], &[]), (&["--since", "2026-09-25", "--until", "2026-10-10"], &["2026-09-25", "2026-10-10"])];
    let mut before = Vec::new();
    for is_compacted in [false, true] {
        if is_compacted {
            dataset.compact().expect("writable");
        }
        for (number, (arguments, period)) in periods.into_iter().enumerate() {
            let out = place.path(&format!("audit-{number}-{is_compacted}"));
            let audited = audit(dataset.folder(), &out, arguments);
            // Rows could not be fetched, so the audit is incomplete.
            assert_eq!(code(&audited), 3, "{}", printed(&audited));
            let report = ReportFiles(out.clone());
            let duckdb = by_duckdb(dataset.folder(), period);
            assert_same(&columns(&report, "spend_by_workflow.csv", &SPEND, None), &duckdb["workflow"]);
            assert_same(&columns(&report, "spend_by_day.csv", &SPEND, None), &duckdb["day"]);
            for check in ["quote-split", "cost-sum"] {
                let rows = columns(&report, "discrepancies.csv", &["run_order_id", "difference"], Some(check));
                assert!(rows.len() > 50, "{check}");
                assert_same(&rows, &duckdb[check]);
            }
            let mut restated = columns(&report, "discrepancies.csv", &["run_order_id"], Some("restated"));
            restated.dedup();
            assert!(restated.len() > 10);
            assert_same(&restated, &duckdb["restated"]);
            assert_same(&columns(&report, "pending.csv", &["run_order_id"], None), &duckdb["pending"]);
            let missing = columns(&report, "exceptions.csv", &["run_order_id", "bucket", "reason"], None);
            if period.is_empty() {
                assert_same(&missing, &duckdb["missing"]);
            } else {
                // Those that were never seen belong to any period, and those of other days to none of this.
                let all: BTreeSet<_> = duckdb["missing"].iter().collect();
                assert!(missing.iter().all(|row| all.contains(row)) && missing.len() < all.len(), "{missing:?}");
                let unseen = missing.iter().filter(|row| row[0].starts_with("unseen")).count();
                assert_eq!(unseen, 10);
            }
            let proven = verify(&out, &[]);
            assert_eq!(code(&proven), 0, "{}", printed(&proven));
            let files: BTreeMap<_, _> = report.files().into_iter().filter(|(name, _)| !is_of_files(name)).collect();
            before.push(files);
        }
    }
    assert_eq!(before[..2], before[2..], "a compaction changes nothing");
    // The reports of before the compaction are proven by what the files were merged into.
    for number in 0..2 {
        let proven = verify(&place.path(&format!("audit-{number}-false")), &[]);
        assert_eq!(code(&proven), 0, "{}", printed(&proven));
    }
}

/// Whether a file of a report names the dataset's files.
fn is_of_files(name: &str) -> bool {
    ["sources.json", "manifest.json"].contains(&name)
}

#[test]
fn an_audit_is_proven_by_its_dataset_however_it_grows_and_wherever_it_goes() {
    let place = Place::new();
    let dataset = place.path("history");
    let named = dataset.to_str().expect("a path");
    assert_eq!(code(&night(&place, &["--dataset", named])), 1);
    let report = place.path("audit");
    assert_eq!(code(&audit(&dataset, &report, &["--month", "2026-05"])), 1);
    assert_eq!(code(&night(&place, &["--dataset", named, "--as-of", "2026-06-02T00:00:00Z"])), 1);
    assert_eq!(code(&verify(&report, &[])), 0, "a later night changes nothing");
    let compacted = tieout().arg("compact").arg(&dataset).output().expect("starts");
    assert_eq!(code(&compacted), 0, "{}", printed(&compacted));
    let proven = verify(&report, &[]);
    assert_eq!(code(&proven), 0, "nor if both are merged: {}", printed(&proven));
    let moved = place.path("moved");
    fs::rename(&dataset, &moved).expect("writable");
    let unproven = verify(&report, &[]);
    assert_eq!(code(&unproven), 1, "{}", printed(&unproven));
    assert!(printed(&unproven).contains("name it with --dataset"), "{}", printed(&unproven));
    assert_eq!(code(&verify(&report, &["--dataset", moved.to_str().expect("a path")])), 0);
    // A file of the dataset that was changed, or its run that is gone.
    let file = crate::support::files_below(&moved.join("orders/day=2026-05-07")).pop().expect("a file");
    let bytes = fs::read(&file).expect("readable");
    let mut changed = bytes.clone();
    changed[100] ^= 1;
    fs::write(&file, changed).expect("writable");
    let named = moved.to_str().expect("a path");
    let damaged = verify(&report, &["--dataset", named]);
    assert_eq!(code(&damaged), 1, "{}", printed(&damaged));
    assert!(printed(&damaged).contains("is not as it was written"), "{}", printed(&damaged));
    let refused = audit(&moved, &place.path("other"), &[]);
    assert_eq!(code(&refused), 4, "{}", printed(&refused));
    assert!(!place.path("other").exists(), "nothing is published");
    fs::write(&file, bytes).expect("writable");
    for run in fs::read_dir(moved.join("runs")).expect("readable") {
        fs::remove_file(run.expect("readable").path()).expect("writable");
    }
    let gone = verify(&report, &["--dataset", named]);
    assert_eq!(code(&gone), 1, "{}", printed(&gone));
    assert!(printed(&gone).contains("it is missing"), "{}", printed(&gone));
    let empty = audit(&moved, &place.path("other"), &[]);
    assert_eq!(code(&empty), 2, "{}", printed(&empty));
    assert!(printed(&empty).contains("no run is in it yet"), "{}", printed(&empty));
}

#[test]
fn what_does_not_fit_a_dataset_is_refused() {
    let place = Place::new();
    let dataset = place.path("history");
    assert_eq!(code(&night(&place, &["--dataset", dataset.to_str().expect("a path")])), 1);
    let report = place.path("report");
    let refused = |of: &Path, arguments: &[&str], what: &str| {
        let said = audit(of, &place.path("audit"), arguments);
        assert_eq!(code(&said), 2, "{arguments:?}: {}", printed(&said));
        assert!(printed(&said).contains(what), "{arguments:?}: {}", printed(&said));
        assert!(!place.path("audit").exists());
    };
    refused(&dataset, &["--month", "October"], "give a month such as 2026-10");
    refused(&dataset, &["--month", "2026-10", "--since", "2026-10-01"], "cannot be used with");
    refused(&dataset, &["--since", "yesterday"], "give a day such as 2026-10-01");
    refused(&dataset, &["--since", "2026-10-02", "--until", "2026-10-01"], "give a day after --since");
    refused(&dataset, &["--timezone", "UTC"], "the dataset has the days of Asia/Shanghai");
    refused(&dataset, &["--format", "focus"], "a dataset is a table already");
    refused(&report, &["--month", "2026-05"], "use it only with a dataset");
    for place in ["", "audit", "orders/day=2026-05-07/audit"] {
        let inside = tieout().arg("audit").arg(&dataset).arg("--out").arg(dataset.join(place)).output();
        let inside = inside.expect("starts");
        assert_eq!(code(&inside), 2, "{}", printed(&inside));
    }
    let small = Dataset::open_or_create(&place.path("small"), &identity(&Zone::default())).expect("a dataset");
    small.append(&started(1)).expect("writable").commit().expect("writable");
    let mut nothing = tieout();
    nothing.arg("audit").arg(small.folder()).args(["--month", "2030-01", "--out"]).arg(place.path("nothing"));
    let nothing = nothing.output().expect("starts");
    assert_eq!(code(&nothing), 3);
    assert!(printed(&nothing).contains("the dataset has no order of this selection"), "{}", printed(&nothing));
    // A report about a dataset has no evidence of its own.
    assert_eq!(code(&audit(&dataset, &place.path("first"), &[])), 1);
    refused(&place.path("first"), &[], "it was made from the dataset");
}

/// Puts the hashes of a report's files in its manifest right.
fn forge(report: &Path) {
    let path = report.join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path).expect("readable")).expect("JSON");
    for file in manifest["files"].as_array_mut().expect("files") {
        let bytes = fs::read(report.join(file["name"].as_str().expect("a name"))).expect("readable");
        file["bytes"] = bytes.len().into();
        file["sha256"] = hex::encode(Sha256::digest(&bytes)).into();
    }
    fs::write(&path, serde_json::to_string_pretty(&manifest).expect("JSON")).expect("writable");
}

/// A change of a JSON file.
type Change<'c> = &'c dyn Fn(&mut Value);

#[test]
fn forged_sources_are_not_proven() {
    let place = Place::new();
    let dataset = place.path("history");
    let named = dataset.to_str().expect("a path");
    assert_eq!(code(&night(&place, &["--dataset", named])), 1);
    assert_eq!(code(&night(&place, &["--dataset", named, "--as-of", "2026-06-02T00:00:00Z"])), 1);
    let report = place.path("audit");
    let forgeries: [(&str, Change<'_>); 6] = [
        ("nothing", &|_| {}),
        ("no files", &|sources| sources["files"] = Value::Array(Vec::new())),
        ("a file less", &|sources| _ = sources["files"].as_array_mut().map(|files| files.remove(3))),
        ("a file twice", &|sources| {
            let file = sources["files"][3].clone();
            sources["files"].as_array_mut().expect("files").push(file);
        }),
        ("a run twice", &|sources| {
            let run = sources["runs"][0].clone();
            sources["runs"].as_array_mut().expect("runs").push(run);
        }),
        ("another hash", &|sources| sources["files"][3]["sha256"] = "00".repeat(32).into()),
    ];
    for (what, change) in forgeries {
        assert_eq!(code(&audit(&dataset, &report, &[])), 1);
        let mut sources = ReportFiles(report.clone()).json("sources.json");
        change(&mut sources);
        fs::write(report.join("sources.json"), sources.to_string()).expect("writable");
        forge(&report);
        let said = verify(&report, &[]);
        assert_eq!(code(&said), i32::from(what != "nothing"), "{what}: {}", printed(&said));
    }
    // The record of a run says what its report was: it is named by hash as well.
    assert_eq!(code(&audit(&dataset, &report, &[])), 1);
    let record = crate::support::files_below(&dataset.join("runs")).pop().expect("a record");
    let text = fs::read_to_string(&record).expect("readable");
    fs::write(&record, text.replacen("2026-06-02T00:00:00Z", "1999-06-02T00:00:00Z", 1)).expect("writable");
    let said = verify(&report, &[]);
    assert_eq!(code(&said), 1, "{}", printed(&said));
}

#[test]
fn what_contradicts_itself_is_damage() {
    let place = Place::new();
    let dataset = place.path("history");
    assert_eq!(code(&night(&place, &["--dataset", dataset.to_str().expect("a path")])), 1);
    let record = crate::support::files_below(&dataset.join("runs")).pop().expect("a record");
    let honest = fs::read_to_string(&record).expect("readable");
    let changes: [(Change<'_>, &str); 6] = [
        (&|run| run["files"][0]["rows"] = 1_000_000_000_000_000_u64.into(), "contradicts itself"),
        (&|run| _ = run["files"].as_array_mut().map(|files| files.remove(0)), "contradicts itself"),
        (&|run| run["exceptions"] = 77.into(), "contradicts itself"),
        (
            &|run| {
                run["files"][0]["rows"] = 1_000_000_000_000_000_u64.into();
                run["orders"] = 1_000_000_000_000_000_u64.into();
                let rows = run["files"].as_array().expect("files").iter().skip(1);
                let orders = rows.filter(|file| file["path"].as_str().is_some_and(|path| path.starts_with("orders")));
                let others: u64 = orders.map(|file| file["rows"].as_u64().expect("a count")).sum();
                run["orders"] = (1_000_000_000_000_000_u64 + others).into();
            },
            "its run says 1000000000000000",
        ),
        (&|run| run["started_at"] = "2026-06-01T00:00:00.1234567Z".into(), "more than six decimals"),
        (
            &|run| {
                let path = run["files"][0]["path"].as_str().expect("a path").replace("day=2026-05-0", "day=2026-05-");
                run["files"][0]["path"] = path.into();
            },
            "is not where a file of a dataset lies",
        ),
    ];
    for (change, what) in changes {
        let mut run: Value = serde_json::from_str(&honest).expect("JSON");
        change(&mut run);
        fs::write(&record, format!("{run}\n")).expect("writable");
        let said = audit(&dataset, &place.path("audit"), &[]);
        assert_eq!(code(&said), 4, "{what}: {}", printed(&said));
        assert!(printed(&said).contains(what), "{what}: {}", printed(&said));
        assert!(!place.path("audit").exists(), "nothing is published");
    }
}

/// A file of another version has other columns. Its record and its hash are right.
#[test]
fn a_day_with_columns_of_two_versions_is_refused_and_stays() {
    let place = Place::new();
    let dataset = place.path("history");
    assert_eq!(code(&night(&place, &["--dataset", dataset.to_str().expect("a path")])), 1);
    let record = crate::support::files_below(&dataset.join("runs")).pop().expect("a record");
    let mut run: Value = serde_json::from_str(&fs::read_to_string(&record).expect("readable")).expect("JSON");
    let is_orders = |file: &&mut Value| file["path"].as_str().is_some_and(|path| path.starts_with("orders/"));
    let file = run["files"].as_array_mut().expect("files").iter_mut().find(is_orders).expect("a file of orders");
    let path = dataset.join(file["path"].as_str().expect("a path"));
    let mut frame = ParquetReader::new(fs::File::open(&path).expect("readable")).finish().expect("Parquet");
    frame.with_column(Column::new("refunded".into(), vec![true; frame.height()])).expect("a column");
    ParquetWriter::new(fs::File::create(&path).expect("writable")).finish(&mut frame).expect("written");
    let bytes = fs::read(&path).expect("readable");
    (file["bytes"], file["sha256"]) = (bytes.len().into(), hex::encode(Sha256::digest(&bytes)).into());
    fs::write(&record, format!("{run}\n")).expect("writable");
    let said = audit(&dataset, &place.path("audit"), &[]);
    assert_eq!(code(&said), 4, "{}", printed(&said));
    assert!(printed(&said).contains("its columns are not those of a dataset of this version"), "{}", printed(&said));
    assert!(!place.path("audit").exists(), "nothing is published");
    // A night is appended all the same, and a compaction leaves the file alone.
    assert_eq!(code(&night(&place, &["--dataset", dataset.to_str().expect("a path")])), 1);
    let compacted = tieout().arg("compact").arg(&dataset).output().expect("starts");
    assert_eq!(code(&compacted), 4, "{}", printed(&compacted));
    assert_eq!(fs::read(&path).expect("it is still there"), bytes);
}
