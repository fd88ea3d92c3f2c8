//! CSV files for spreadsheets: a different encoding, the same cells.

use crate::readers::printed;
use crate::support::{Place, ReportFiles, code, repository, tieout};

/// Every CSV has the requested encoding, and the report can still be proved, compared and audited.
#[test]
fn csv_files_are_written_for_spreadsheets() {
    let place = Place::new();
    let report = |name: &str, arguments: &[&str]| {
        let mut run = place.reconcile(repository("sample_data/ids.csv"));
        run.args(["--sandbox", "--as-of", "2026-06-01T00:00:00Z"]).arg("--out").arg(place.path(name)).args(arguments);
        // A new state for each report, so that earlier reports are unknown and discrepancies are new.
        run.arg("--state").arg(place.path(&format!("{name}.sqlite")));
        assert_eq!(code(&run.output().expect("starts")), 1);
        ReportFiles(place.path(name)).files()
    };
    let usual = report("usual", &[]);
    let marked = report("marked", &["--csv-encoding", "utf8-bom"]);
    let chinese = report("chinese", &["--csv-encoding", "gb18030"]);
    let csv = |name: &&String| name.ends_with(".csv");
    assert!(usual.keys().filter(csv).count() >= 7);
    for name in usual.keys().filter(csv) {
        assert!(marked[name] == [b"\xef\xbb\xbf", &*usual[name]].concat(), "{name}");
        let (read, _, failed) = encoding_rs::GB18030.decode(&chinese[name]);
        assert!(!failed && read.as_bytes() == usual[name], "{name}");
    }
    for name in ["marked", "chinese"] {
        let verify = tieout().arg("verify").arg(place.path(name)).arg("--files-only").output().expect("starts");
        assert_eq!(code(&verify), 0, "{}", printed(&verify));
        let diff =
            tieout().arg("diff").arg(place.path("usual")).arg(place.path(name)).args(["--output", "json"]).output();
        let diff = diff.expect("starts");
        assert_eq!(code(&diff), 0, "{}", printed(&diff));
        let diff: serde_json::Value = serde_json::from_slice(&diff.stdout).expect("JSON");
        let states = diff["discrepancies"].as_array().expect("discrepancies").iter().map(|row| row["state"].clone());
        assert!(states.clone().count() > 0 && states.clone().all(|state| state == "persisting"), "{diff}");
    }
    let audited = tieout()
        .arg("audit")
        .arg(place.path("chinese"))
        .args(["--csv-encoding", "utf8", "--out"])
        .arg(place.path("audited"))
        .output()
        .expect("starts");
    assert_eq!(code(&audited), 1, "{}", printed(&audited));
    let audited = ReportFiles(place.path("audited")).files();
    assert!(usual.keys().filter(csv).all(|name| audited[name] == usual[name]));
}
