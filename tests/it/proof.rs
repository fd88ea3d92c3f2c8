//! `tieout verify`, `audit`, `runs` and `prune`: reports are proved, made again, listed and removed.

use std::fs;
use std::path::Path;
use std::process::Output;

use sha2::{Digest, Sha256};

use crate::support::{Place, ReportFiles, code, files_below, repository, stderr, stdout, tieout};

const AS_OF: &str = "2026-06-01T00:00:00Z";

/// The sample, reconciled into `report` with its state beside it.
fn reported() -> Place {
    let place = Place::new();
    let run = place.reconcile(repository("sample_data/ids.csv")).args(["--sandbox", "--as-of", AS_OF]).output();
    assert_eq!(code(&run.expect("starts")), 1);
    place
}

fn verify(report: &Path, arguments: &[&str]) -> Output {
    tieout().arg("verify").arg(report).args(arguments).output().expect("starts")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("writable");
    for file in files_below(from) {
        fs::copy(&file, to.join(file.file_name().expect("a name"))).expect("writable");
    }
}

#[test]
fn a_single_changed_digit_in_any_file_is_found() {
    let place = reported();
    let state = place.path("state.sqlite").display().to_string();
    let proven = verify(&place.path("report"), &["--state", &state]);
    assert_eq!(code(&proven), 0, "{}", stdout(&proven));
    let mut changed = 0;
    for file in files_below(&place.path("report")) {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let bytes = fs::read(&file).expect("readable");
        // A few digits across the file, changed one at a time.
        let digits: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at].is_ascii_digit()).collect();
        for at in digits.iter().step_by((digits.len() / 4).max(1)) {
            let folder = place.path("changed");
            copy(&place.path("report"), &folder);
            let mut bytes = bytes.clone();
            bytes[*at] = if bytes[*at] == b'9' { b'8' } else { bytes[*at] + 1 };
            fs::write(folder.join(&name), bytes).expect("writable");
            let found = verify(&folder, &["--state", &state]);
            let expected: &[i32] = if name == "manifest.json" { &[1, 2] } else { &[1] };
            assert!(expected.contains(&code(&found)), "{name}, byte {at}: {}{}", stdout(&found), stderr(&found));
            if name != "manifest.json" {
                assert!(stdout(&found).contains(&name), "{name}, byte {at}: {}", stdout(&found));
            }
            changed += 1;
        }
    }
    assert!(changed >= 20, "{changed} changes");
}

#[test]
fn without_a_state_the_manifest_is_not_proven() {
    let place = reported();
    let alone = verify(&place.path("report"), &[]);
    assert_eq!(code(&alone), 1, "{}", stdout(&alone));
    assert!(stdout(&alone).contains("not proven"), "{}", stdout(&alone));
    assert_eq!(code(&verify(&place.path("report"), &["--files-only"])), 0);
    assert_eq!(code(&verify(&place.path("report"), &["--state", "/nowhere/state.sqlite"])), 2);
    assert_eq!(code(&verify(&place.path("nothing"), &[])), 2);
    // The report in the repository was made by an earlier build of the program.
    assert_eq!(code(&verify(&repository("reports/sample"), &["--files-only"])), 0);
}

#[test]
fn a_forgery_with_corrected_hashes_is_found_by_the_figures_and_by_the_state() {
    let place = reported();
    let report = place.path("report");
    let path = report.join("discrepancies.csv");
    let text = fs::read_to_string(&path).expect("readable");
    let forged = text.replacen("1.48042467", "1.48042468", 1);
    assert_ne!(text, forged);
    fs::write(&path, &forged).expect("writable");
    let manifest = fs::read_to_string(report.join("manifest.json")).expect("readable");
    let hash = |text: &str| hex::encode(Sha256::digest(text));
    fs::write(report.join("manifest.json"), manifest.replace(&hash(&text), &hash(&forged))).expect("writable");

    let found = verify(&report, &["--files-only"]);
    assert_eq!(code(&found), 1);
    let printed = stdout(&found);
    assert!(printed.contains("files          holds"), "{printed}");
    assert!(printed.contains("discrepancies.csv: line 2 is") && printed.contains("expected"), "{printed}");
    let difference = printed.lines().find(|line| line.contains("line 2 is")).expect("a difference");
    assert!(difference.contains("1.48042468") && difference.contains("1.48042467"), "{difference}");
    let state = place.path("state.sqlite").display().to_string();
    assert!(stdout(&verify(&report, &["--state", &state])).contains("run 1 wrote a different manifest"));
}

#[test]
fn an_audit_makes_the_same_report_or_a_different_one_by_other_settings() {
    let place = reported();
    let audit = |name: &str, arguments: &[&str]| {
        let mut command = tieout();
        command.arg("audit").arg(place.path("report")).arg("--out").arg(place.path(name)).args(arguments);
        command.output().expect("starts")
    };
    assert_eq!(code(&audit("same", &[])), 1);
    for file in files_below(&place.path("report")) {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        if name != "manifest.json" {
            assert_eq!(fs::read(&file).ok(), fs::read(place.path("same").join(&name)).ok(), "{name}");
        }
    }
    let tolerant = audit("tolerant", &["--tolerance", "1000"]);
    assert_eq!(code(&tolerant), 1, "{}", stderr(&tolerant));
    let checks = |name: &str| {
        let rows = ReportFiles(place.path(name)).rows("discrepancies.csv");
        rows.iter().filter(|row| row["check"] == "quote-split" || row["check"] == "cost-sum").count()
    };
    assert!(checks("same") > 0);
    assert_eq!(checks("tolerant"), 0);
    let manifest = ReportFiles(place.path("tolerant")).json("manifest.json");
    let source = fs::read(place.path("report").join("manifest.json")).expect("readable");
    assert_eq!(manifest["made_from"], hex::encode(Sha256::digest(source)));
    assert_eq!(manifest["settings"]["tolerance"], "1000.00000000");
    assert_eq!(code(&verify(&place.path("tolerant"), &["--files-only"])), 0);

    let evidence = place.path("report").join("evidence.jsonl");
    fs::write(&evidence, fs::read_to_string(&evidence).expect("readable").replacen("line\":6", "line\":7", 1))
        .expect("writable");
    let refused = audit("refused", &[]);
    assert_eq!(code(&refused), 4, "{}", stderr(&refused));
    assert!(stderr(&refused).contains("evidence.jsonl") && !place.path("refused").exists(), "{}", stderr(&refused));
}

#[test]
fn runs_are_listed_and_old_ones_pruned() {
    let place = Place::new();
    let run = |as_of: &str| {
        let ids = repository("sample_data/ids.csv");
        let mut command = tieout();
        command.arg("reconcile").arg(ids).args(["--sandbox", "--as-of", as_of, "--reports-dir"]).arg(place.path("r"));
        assert_eq!(code(&command.output().expect("starts")), 1);
    };
    ["2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z", "2026-06-03T00:00:00Z"].into_iter().for_each(run);
    let command = |name: &str, arguments: &[&str]| {
        let mut command = tieout();
        command.arg(name).args(arguments).arg("--reports-dir").arg(place.path("r"));
        command.output().expect("starts")
    };
    let listed = command("runs", &["--output", "json"]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let listed = listed.as_array().expect("runs");
    assert_eq!(listed.len(), 3);
    assert!(listed.iter().all(|run| run["state"] == "finished" && run["rows"] == 200 && run["done"] == 200));
    assert!(stdout(&command("runs", &[])).contains("finished"));

    let before = files_below(&place.path("r")).len();
    let dry = command("prune", &["--keep", "1ms", "--dry-run"]);
    assert_eq!(code(&dry), 0, "{}", stderr(&dry));
    assert!(stdout(&dry).contains("would remove 2 reports, and 600 outcomes of 3 runs"), "{}", stdout(&dry));
    assert_eq!(files_below(&place.path("r")).len(), before, "nothing was touched");
    assert_eq!(code(&command("prune", &["--keep", "1ms"])), 0);
    assert!(!place.path("r/20260601T000000Z").exists() && !place.path("r/20260602T000000Z").exists());
    let latest = place.path("r/latest");
    let proven = verify(&latest, &[]);
    assert_eq!(code(&proven), 0, "the latest is still there, and proven: {}", stdout(&proven));
    run("2026-06-04T00:00:00Z");
    let summary = ReportFiles(place.path("r/latest")).json("summary.json");
    assert_eq!(summary["lifecycle"]["new"], 0, "the findings of the last report are still known");
    assert_eq!(code(&command("prune", &["--keep", "soon"])), 2);
}

/// Reconciles the sample as of each of these days of June.
fn nights(place: &Place, days: impl IntoIterator<Item = u32>) {
    for day in days {
        let as_of = format!("2026-06-{day:02}T00:00:00Z");
        let mut command = tieout();
        command.arg("reconcile").arg(repository("sample_data/ids.csv")).args([
            "--sandbox",
            "--format",
            "csv",
            "--rate",
            "0",
        ]);
        command.args(["--as-of", &as_of, "--reports-dir"]).arg(place.path("r"));
        assert_eq!(code(&command.output().expect("starts")), 1);
    }
}

/// The line of `verify` about the chain of the newest report, and its exit code.
fn chain(place: &Place) -> (String, i32) {
    let verified = verify(&place.path("r/latest"), &[]);
    let printed = stdout(&verified);
    let line = printed.lines().find(|line| line.starts_with("chain ")).expect("the chain").to_owned();
    (line, code(&verified))
}

#[test]
fn a_report_that_was_removed_by_hand_breaks_the_chain() {
    for (gone, day) in [("20260603T000000Z", "the one before"), ("20260601T000000Z", "the first one")] {
        let place = Place::new();
        nights(&place, 1..=4);
        let (printed, exit) = chain(&place);
        assert!(
            printed.contains("holds") && printed.contains("all 3 previous reports are in their places") && exit == 0,
            "{printed}"
        );
        let aside = place.path("aside");
        fs::rename(place.path("r").join(gone), &aside).expect("there");
        let (printed, exit) = chain(&place);
        assert!(
            printed.contains("FAILS") && printed.contains(gone) && printed.contains("prune") && exit == 1,
            "{day}: {printed}"
        );
        fs::rename(&aside, place.path("r").join(gone)).expect("there");
        assert_eq!(chain(&place).1, 0, "it is back: {day}");
    }
}

#[test]
fn a_report_that_was_changed_breaks_the_chain() {
    let place = Place::new();
    nights(&place, 1..=3);
    let manifest = place.path("r/20260601T000000Z/manifest.json");
    let text = fs::read_to_string(&manifest).expect("there");
    fs::write(&manifest, text.replacen("discrepant", "reconciled", 1)).expect("writable");
    let (printed, exit) = chain(&place);
    assert!(printed.contains("FAILS") && printed.contains("20260601T000000Z") && exit == 1, "{printed}");
}

#[test]
fn a_report_that_was_pruned_breaks_no_chain_and_one_removed_after_it_does() {
    let place = Place::new();
    nights(&place, 1..=3);
    let mut prune = tieout();
    let pruned = prune.args(["prune", "--keep", "1ms", "--reports-dir"]).arg(place.path("r")).output().expect("starts");
    assert_eq!(code(&pruned), 0, "{}", stderr(&pruned));
    let (printed, exit) = chain(&place);
    assert!(printed.contains("holds") && printed.contains("tieout prune") && exit == 0, "{printed}");
    nights(&place, 4..=5);
    assert_eq!(chain(&place).1, 0, "the chain ends where it was pruned");
    fs::remove_dir_all(place.path("r/20260603T000000Z")).expect("there");
    let (printed, exit) = chain(&place);
    assert!(printed.contains("FAILS") && printed.contains("20260603T000000Z") && exit == 1, "{printed}");
}

#[test]
fn a_report_in_the_place_of_an_earlier_one_follows_it() {
    let place = Place::new();
    let run = |as_of: &str| {
        let run = place.reconcile(repository("sample_data/ids.csv")).args(["--sandbox", "--as-of", as_of]).output();
        assert_eq!(code(&run.expect("starts")), 1);
    };
    ["2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z"].into_iter().for_each(run);
    let state = place.path("state.sqlite").display().to_string();
    let proven = verify(&place.path("report"), &["--state", &state]);
    assert!(code(&proven) == 0 && stdout(&proven).contains("replaced"), "{}", stdout(&proven));
    // A copy is kept elsewhere while the next report takes its place.
    copy(&place.path("report"), &place.path("kept"));
    run("2026-06-03T00:00:00Z");
    let proven = verify(&place.path("kept"), &["--state", &state]);
    assert_eq!(stdout(&proven).lines().filter(|line| line.starts_with("chain ") && line.contains("holds")).count(), 1);
}

#[test]
fn a_copy_of_a_report_is_compared_with_the_reports_beside_the_state() {
    let place = Place::new();
    nights(&place, 1..=2);
    copy(&place.path("r/20260602T000000Z"), &place.path("copy"));
    let state = place.path("r/.state.sqlite").display().to_string();
    let proven = verify(&place.path("copy"), &["--state", &state]);
    assert_eq!(code(&proven), 0, "{}", stdout(&proven));
    let alone = verify(&place.path("copy"), &["--files-only"]);
    assert!(code(&alone) == 0 && stdout(&alone).contains("not proven"), "{}", stdout(&alone));
}
