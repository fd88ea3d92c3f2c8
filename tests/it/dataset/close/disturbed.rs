//! Closes that are forged, killed, or in each other's way, and datasets that lose what they were made of.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::audit::{audit, verify};
use super::super::{kill_at_every_write, show};
use super::{close, night, october, run_of};
use crate::readers::printed;
use crate::support::{Place, ReportFiles, code, repository, stderr, tieout};

/// Whoever changes a close and its manifest together is found by the dataset, before the next one is built on it.
#[test]
fn a_forged_close_is_no_beginning() {
    let place = Place::new();
    let dataset = october(&place, 1..=31);
    ["2026-11-01T02:00:00Z", "2026-11-02T02:00:00Z"].iter().for_each(|at| night(&dataset, at, false));
    let folder = dataset.folder();
    assert_eq!(code(&close(folder, "2026-10", &[])), 0);
    let report = folder.join("closes/2026-10");
    let summary = fs::read_to_string(report.join("summary.json")).expect("readable");
    let forged = summary.replace("\"new\": {\n        \"orders\": 31", "\"new\": {\n        \"orders\": 131");
    assert_ne!(summary, forged);
    fs::write(report.join("summary.json"), &forged).expect("writable");
    let hash = |text: &str| hex::encode(Sha256::digest(text));
    let manifest = fs::read_to_string(report.join("manifest.json")).expect("readable");
    let manifest = manifest.replace(&hash(&summary), &hash(&forged));
    let manifest =
        manifest.replace(&format!("\"bytes\": {}\n", summary.len()), &format!("\"bytes\": {}\n", forged.len()));
    fs::write(report.join("manifest.json"), manifest).expect("writable");
    let refused = close(folder, "2026-11", &["--force"]);
    assert_eq!(code(&refused), 4, "{}", printed(&refused));
    assert!(stderr(&refused).contains("summary.json: line "), "{}", printed(&refused));
}

#[test]
fn nothing_but_a_close_takes_the_place_of_one() {
    let place = Place::new();
    let dataset = october(&place, 1..=31);
    night(&dataset, "2026-11-02T02:00:00Z", false);
    let folder = dataset.folder();
    assert_eq!(code(&close(folder, "2026-10", &[])), 0);
    let report = ReportFiles(folder.join("closes/2026-10"));
    let before = report.files();
    for (option, place_of) in [("--out", "closes/2026-10"), ("--reports-dir", "closes"), ("--out", "closes/2026-11")] {
        let mut night = tieout();
        night.arg("reconcile").arg(repository("sample_data/ids.csv")).args(["--sandbox", "-q", option]);
        night.arg(folder.join(place_of)).arg("--state").arg(place.path("state.sqlite"));
        let mut audit = tieout();
        audit.arg("audit").arg(&report.0).arg(option).arg(folder.join(place_of));
        let mut of_dataset = tieout();
        of_dataset.arg("audit").arg(folder).arg(option).arg(folder.join(place_of));
        for mut command in [night, of_dataset] {
            let refused = command.output().expect("starts");
            assert_eq!(code(&refused), 2, "{option} {place_of}: {}", printed(&refused));
            assert!(stderr(&refused).contains("it lies in the dataset"), "{}", printed(&refused));
        }
        assert_eq!(code(&audit.output().expect("starts")), 2);
    }
    // Nor by way of what is not there yet, nor by other commands.
    let around = format!("missing/../{}/closes", folder.file_name().expect("a name").display());
    let ids = repository("sample_data/ids.csv");
    let ids = ids.to_str().expect("a path");
    for arguments in [
        &["reconcile", ids, "--sandbox", "-q", "--state", "s.sqlite", "--out", &format!("{around}/2026-10")][..],
        &["reconcile", ids, "--sandbox", "-q", "--out", "r", "--state", &format!("{around}/2026-10/s.sqlite")],
        &["reconcile", ids, "--sandbox", "-q", "--out", "r", "--dataset", &format!("{around}/2026-11")],
        &["prune", "--keep", "1s", "--state", "s.sqlite", "--reports-dir", &around],
        &["discover", "--state", "s.sqlite", "--output-file", &format!("{around}/2026-10/summary.json")],
    ] {
        let mut command = tieout();
        command.current_dir(place.path("")).env("CHENYU_API_KEY", "cy_test").args(arguments);
        let refused = command.output().expect("starts");
        assert_eq!(code(&refused), 2, "{arguments:?}: {}", printed(&refused));
        assert!(stderr(&refused).contains("it lies in the dataset"), "{arguments:?}: {}", printed(&refused));
        assert!(!place.path("missing").exists());
    }
    assert_eq!(report.files(), before);
    // What is in the place of a close and is none is not taken for one.
    for make in [|path: &Path| fs::create_dir(path), |path: &Path| fs::write(path, "x")] {
        let wrong = folder.join("closes/2026-11");
        make(&wrong).expect("writable");
        for refused in [close(folder, "2026-11", &["--force"]), close(folder, "2026-12", &["--force"])] {
            assert!([2, 4].contains(&code(&refused)), "{}", printed(&refused));
        }
        assert_eq!(show(folder).0, 4);
        let _ = fs::remove_dir(&wrong).or_else(|_| fs::remove_file(&wrong));
    }
}

#[test]
fn a_run_that_a_month_was_closed_with_can_not_go_unnoticed() {
    let place = Place::new();
    let dataset = october(&place, 1..=31);
    ["2026-11-01T02:00:00Z", "2026-11-02T02:00:00Z"].iter().for_each(|at| night(&dataset, at, false));
    let folder = dataset.folder();
    assert_eq!(code(&close(folder, "2026-10", &[])), 0);
    fs::remove_file(run_of(&dataset, "20261015T")).expect("there");
    let report = folder.join("closes/2026-10");
    assert_eq!(code(&verify(&report, &[])), 1);
    for refused in
        [close(folder, "2026-11", &["--force"]), audit(folder, &place.path("audit"), &["--month", "2026-10"])]
    {
        assert_eq!(code(&refused), 4, "{}", printed(&refused));
        assert!(
            stderr(&refused).contains("20261015T") && stderr(&refused).contains("is missing"),
            "{}",
            printed(&refused)
        );
    }
}

#[test]
fn of_several_closes_at_once_one_is_made() {
    let place = Place::new();
    let dataset = october(&place, 1..=31);
    night(&dataset, "2026-11-02T02:00:00Z", false);
    let folder = dataset.folder();
    let ended: Vec<i32> = thread::scope(|scope| {
        let closes: Vec<_> = (0..4).map(|_| scope.spawn(|| code(&close(folder, "2026-10", &[])))).collect();
        closes.into_iter().map(|close| close.join().expect("no panic")).collect()
    });
    assert_eq!(ended.iter().filter(|code| **code == 0).count(), 1, "{ended:?}");
    assert!(ended.iter().all(|code| [0, 2, 4].contains(code)), "{ended:?}");
    let left: Vec<_> = fs::read_dir(folder.join("closes")).expect("readable").collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(code(&verify(&folder.join("closes/2026-10"), &[])), 0);
}

#[test]
fn a_close_that_is_killed_at_any_moment_is_made_or_not() {
    let place = Place::new();
    let dataset = october(&place, 1..=31);
    night(&dataset, "2026-11-02T02:00:00Z", false);
    let (original, folder) = (dataset.folder().to_owned(), place.path("copy"));
    let begin = || {
        let _ = fs::remove_dir_all(&folder);
        let copied = Command::new("cp").arg("-r").args([&original, &folder]).status().expect("starts");
        assert!(copied.success());
    };
    let arguments = ["close", "2026-10", "--format", "csv", "--dataset"].map(Path::new);
    kill_at_every_write(&[&arguments[..], &[&folder]].concat(), begin, |nth| {
        let report = folder.join("closes/2026-10");
        let was_made = report.exists();
        let again = close(&folder, "2026-10", &[]);
        assert_eq!(code(&again), if was_made { 2 } else { 0 }, "kill {nth}: {}", printed(&again));
        assert_eq!(code(&verify(&report, &[])), 0, "kill {nth}");
    });
    let said: Value = ReportFiles(folder.join("closes/2026-10")).json("summary.json");
    assert_eq!(said["dataset"]["close"]["month"], "2026-10");
}
