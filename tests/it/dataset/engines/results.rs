//! Answers of a script that are not what its engine wrote: no report is made of them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::{assert_same_report, local, of_results, random, script};
use crate::readers::{printed, reader};
use crate::support::{Place, code, tieout};

/// A dataset, its script, and DuckDB's answers to it.
fn answered(place: &Place) -> (PathBuf, PathBuf) {
    let dataset = random::dataset(place, 2);
    let script = script(place, &dataset, "job", &[]);
    let answered = reader("script.py", &[&script]);
    assert!(answered.status.success(), "{}", printed(&answered));
    (dataset, script)
}

/// Puts a copy of answers in the place of others.
fn restore(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    for answer in fs::read_dir(from).expect("readable") {
        let answer = answer.expect("readable");
        let folder = to.join(answer.file_name());
        fs::create_dir_all(&folder).expect("writable");
        for file in fs::read_dir(answer.path()).expect("readable") {
            let file = file.expect("readable");
            fs::copy(file.path(), folder.join(file.file_name())).expect("writable");
        }
    }
}

#[test]
fn answers_that_were_changed_make_no_report() {
    let place = Place::new();
    let (dataset, script) = answered(&place);
    let (honest, results) = (place.path("honest"), script.with_file_name("results"));
    restore(&results, &honest);
    let whole = "99999999999999999999999999999.99999999";
    let more = format!(
        "SELECT * REPLACE (CASE WHEN run_order_id IS NULL THEN '{whole}'::DECIMAL(38,8) ELSE quote_amount END AS quote_amount)
        FROM answer"
    );
    let changes: [(&str, &str, &str); 23] = [
        ("session", "SELECT * REPLACE ('Asia/Shanghai' AS time_zone) FROM answer", "time zone \"Asia/Shanghai\""),
        ("session", "SELECT * REPLACE ('string' AS coercion) FROM answer", "not in ANSI mode"),
        ("session", "SELECT * REPLACE (2::BIGINT AS sums, 0::BIGINT AS differences) FROM answer", "eight decimals"),
        ("session", "SELECT * REPLACE ('199999999999999999999.9999999' AS total) FROM answer", "eight decimals"),
        ("session", "SELECT * REPLACE (1::BIGINT AS alike) FROM answer", "different texts for the same"),
        ("session", "SELECT * REPLACE (job || '20' AS job) FROM answer", "is of another script"),
        ("session", "SELECT * FROM answer WHERE FALSE", "not of a single session"),
        ("end", "SELECT * FROM answer WHERE answer <> 'orders'", "the answer orders is missing"),
        ("end", "SELECT * FROM answer WHERE answer <> 'changes'", "it has no changes"),
        ("end", "SELECT '' AS job_sha256, '' AS answer, 1::BIGINT AS answer_rows", "none that has ended"),
        ("orders", "SELECT * REPLACE (reverse(job_sha256) AS job_sha256) FROM answer", "is of another script"),
        ("orders", "SELECT * FROM answer LIMIT 3", "it has 3 rows"),
        ("orders", &more, "more than 30 digits before the point"),
        ("orders", "SELECT * REPLACE (NULL::DECIMAL(38,8) AS total_cost) FROM answer", "more than 38 digits"),
        (
            "orders",
            "SELECT * REPLACE ((-total_cost)::DECIMAL(38,8) AS total_cost) FROM answer",
            "contradict each other",
        ),
        ("orders", "SELECT * REPLACE (1000000::BIGINT AS orders) FROM answer", "more orders than were observed"),
        ("orders", "SELECT * REPLACE (NOT settled AS settled) FROM answer", "not settled as its words say"),
        ("orders", "SELECT * REPLACE (DATE '2026-01-01' AS day) FROM answer", "created on another day"),
        ("orders", "SELECT * EXCLUDE (place) FROM answer", "its columns are not those of"),
        ("population", "SELECT * REPLACE (observations + 1 AS observations) FROM answer", "which wrote"),
        ("population", "SELECT * REPLACE (1::BIGINT AS contradictions) FROM answer", "both settled or not and moved"),
        (
            "population",
            "SELECT * REPLACE ((total_cost + 0.00000001)::DECIMAL(38,8) AS total_cost) FROM answer",
            "control totals",
        ),
        ("exceptions", "SELECT * REPLACE ('reconciled' AS bucket) FROM answer", "bucket \"reconciled\""),
    ];
    for (answer, query, what) in changes {
        restore(&honest, &results);
        let changed = reader("change.py", &[&results, Path::new(answer), Path::new(query)]);
        assert!(changed.status.success(), "{query}: {}", printed(&changed));
        let ended = of_results(&dataset, &script, &place.path("report"));
        assert_eq!(code(&ended), 4, "{answer}: {query}: {}", printed(&ended));
        assert!(printed(&ended).contains(what), "{answer}: {query}: {}", printed(&ended));
        assert!(!place.path("report").exists(), "nothing is published");
    }
    restore(&honest, &results);
    let (exit, ours) = local(&place, &dataset, "local", &[]);
    assert_eq!(code(&of_results(&dataset, &script, &place.path("report"))), exit);
    assert_same_report(&ours, &place.path("report"), "as they were");
}

#[test]
fn a_folder_that_is_none_of_answers_makes_no_report() {
    let place = Place::new();
    let (dataset, script) = answered(&place);
    let (honest, results) = (place.path("honest"), script.with_file_name("results"));
    restore(&results, &honest);
    let part = results.join("orders/part-0.parquet");
    let damage: [(&dyn Fn(), &str); 7] = [
        (&|| fs::remove_dir_all(&results).expect("there"), "there is no such folder"),
        (&|| fs::remove_dir_all(results.join("orders")).expect("there"), "can't read"),
        (&|| fs::remove_file(&part).expect("there"), "it has 0 rows"),
        (&|| fs::write(&part, "PAR1").expect("writable"), "is not a result of the script"),
        (&|| fs::create_dir(results.join("orders/more")).expect("writable"), "not a regular file"),
        (
            &|| {
                fs::remove_file(&part).expect("there");
                symlink("/dev/zero", &part).expect("writable");
            },
            "not a regular file",
        ),
        (&|| _ = fs::copy(&part, results.join("orders/part-1.parquet")).expect("writable"), "were written"),
    ];
    for (damage, what) in damage {
        restore(&honest, &results);
        damage();
        let ended = of_results(&dataset, &script, &place.path("report"));
        assert_eq!(code(&ended), 4, "{what}: {}", printed(&ended));
        assert!(printed(&ended).contains(what), "{what}: {}", printed(&ended));
        assert!(!place.path("report").exists(), "nothing is published");
    }
    restore(&honest, &results);
    // What the engine keeps beside its answers is its own business.
    fs::write(results.join("orders/_SUCCESS"), "").expect("writable");
    fs::write(results.join("orders/.part-0.parquet.crc"), "crc").expect("writable");
    // The dataset goes on: the report is about what was asked.
    let (exit, ours) = local(&place, &dataset, "local", &[]);
    let record = crate::support::files_below(&dataset.join("orders")).pop().expect("a file");
    let bytes = fs::read(&record).expect("readable");
    fs::write(&record, [&bytes[..bytes.len() - 1], b"?"].concat()).expect("writable");
    let damaged = of_results(&dataset, &script, &place.path("report"));
    assert_eq!(code(&damaged), 4, "{}", printed(&damaged));
    assert!(printed(&damaged).contains("is damaged"), "{}", printed(&damaged));
    fs::write(&record, bytes).expect("writable");
    assert_eq!(code(&tieout().arg("compact").arg(&dataset).output().expect("starts")), 0);
    assert_eq!(code(&of_results(&dataset, &script, &place.path("report"))), exit);
    // Only the names of the dataset's files have changed.
    for report in [&ours, &place.path("report")] {
        fs::remove_file(report.join("sources.json")).expect("there");
        fs::remove_file(report.join("report.html")).expect("there");
    }
    assert_same_report(&ours, &place.path("report"), "after a compaction");
}

#[test]
fn what_does_not_go_together_is_refused() {
    let place = Place::new();
    let dataset = random::dataset(&place, 1);
    let job = place.path("job");
    let refused = |arguments: &[&str], what: &str| {
        let mut audit = tieout();
        audit.arg("audit").arg(&dataset).args(arguments);
        let said = audit.output().expect("starts");
        assert_eq!(code(&said), 2, "{arguments:?}: {}", printed(&said));
        assert!(printed(&said).contains(what), "{arguments:?}: {}", printed(&said));
    };
    let out = ["--out", job.to_str().expect("a path")];
    refused(&["--engine", "sql"], "name the folder for its script with --out");
    refused(&["--engine", "duckdb"], "invalid value");
    let script_with = |arguments: &[&str], what: &str| {
        refused(&[&["--engine", "sql"], arguments, &out].concat(), what);
    };
    script_with(&["--dataset-address", "history"], "--dataset-address \"history\": give an absolute address");
    script_with(&["--dataset-address", "/data/*"], "wildcards");
    script_with(&["--results-address", "s3://a/'b"], "--results-address");
    script_with(&["--fail-on", "pending"], "give it with --results");
    script_with(&["--spark-remote", "sc://a"], "--spark-remote: not with --engine sql");
    refused(&["--deadline", "1h"], "--deadline: not with --engine local");
    refused(&["--results", "x", "--tolerance", "1"], "cannot be used with");
    refused(&["--results", "x", "--month", "2026-09"], "cannot be used with");
    refused(&["--results", "x", "--engine", "sql"], "cannot be used with");
    let inside = dataset.join("job");
    refused(&["--engine", "sql", "--out", inside.to_str().expect("a path")], "it lies in the dataset");
    assert!(!job.exists());
    fs::create_dir(&job).expect("writable");
    fs::write(job.join("mine.txt"), "mine").expect("writable");
    refused(&[&["--engine", "sql"], &out[..]].concat(), "is not empty");
    let script = script(&place, &dataset, "other", &["--dataset-address", "s3a://lake/history/"]);
    let text = fs::read_to_string(script).expect("readable");
    assert!(text.contains("OPTIONS (path 's3a://lake/history/orders')"), "{text}");
}
