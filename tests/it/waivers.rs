//! Waivers with the real binary: applied, lapsed and unused waivers are reported, and the exit code follows.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;

use crate::support::{Place, ReportFiles, code, repository, stderr, stdout, tieout};

/// An order that fails `quote-split` by 0.58042467.
const SPLIT: &str = "wfrun_d88de39449148030b6f2";
const NEGATIVE: &str = "wfrun_b0cd9428215d24ce0866";

fn entry(order: &str, check: &str, figures: &str, expires: &str) -> String {
    format!(
        "[[waiver]]\norder = '{order}'\ncheck = '{check}'\n{figures}\nowner = '=Li Wei'\nreason = 'note'\nexpires = '{expires}'\n"
    )
}

fn three() -> [String; 3] {
    [
        entry(SPLIT, "quote-split", "difference = '0.58042467'", "2026-12-31"),
        entry(NEGATIVE, "negative-amount", "expected = ''\nactual = 'external_model_cost=-0.41496224'", "2026-12-31"),
        entry("wfrun_unheard_of", "cost-sum", "difference = '1'", "2026-12-31"),
    ]
}

struct Night {
    place: Place,
    ids: PathBuf,
}

impl Night {
    fn new() -> Self {
        let place = Place::new();
        let ids = place.file("ids.csv", format!("run_order_id\n{SPLIT}\n{NEGATIVE}\nwfrun_314ff7d8b7a5beff1388\n"));
        Self { place, ids }
    }

    /// Runs the job; returns its exit code, its output and its report.
    fn run(&self, waivers: &str, arguments: &[&str]) -> (i32, String, ReportFiles) {
        let file = self.place.file("waivers.toml", waivers);
        let mut run = self.place.reconcile(&self.ids);
        let run = run.args(["--sandbox", "--as-of", "2026-06-01T00:00:00Z", "--waivers"]).arg(&file).args(arguments);
        let run = run.output().expect("starts");
        (code(&run), format!("{}{}", stdout(&run), stderr(&run)), self.place.report())
    }
}

fn states(report: &ReportFiles) -> BTreeMap<String, String> {
    report.rows("waivers.csv").into_iter().map(|row| (row["run_order_id"].clone(), row["state"].clone())).collect()
}

#[test]
fn waived_discrepancies_are_listed_marked_and_totalled_and_unused_waivers_are_reported() {
    let night = Night::new();
    let (exit, printed, report) = night.run(&three().concat(), &[]);
    assert_eq!((exit, report.verdict().as_str()), (0, "warnings"), "{printed}");
    assert_eq!((report.population("waived"), report.population("discrepant")), (2, 0));
    let marked: Vec<(String, String)> = report
        .rows("discrepancies.csv")
        .into_iter()
        .filter(|row| row["severity"] == "error")
        .map(|row| (row["check"].clone(), row["waived"].clone()))
        .collect();
    let expected = [("quote-split", "true"), ("negative-amount", "true")];
    assert_eq!(marked, expected.map(|(check, waived)| (check.to_owned(), waived.to_owned())));
    let summary = report.json("summary.json");
    let totals = json!({"findings": 2, "net": "0.58042467", "gross": "0.58042467"});
    assert_eq!(summary["control_totals"]["CNY"]["waived"], totals);
    assert_eq!(summary["waivers"], json!({"applied": 2, "expired": 0, "changed": 0, "unused": 1}));
    let expected = [(SPLIT, "applied"), (NEGATIVE, "applied"), ("wfrun_unheard_of", "unused")];
    assert_eq!(states(&report), expected.map(|(order, state)| (order.to_owned(), state.to_owned())).into());
    assert!(report.rows("waivers.csv").iter().all(|row| row["owner"] == "'=Li Wei"), "no formula");
    assert!(printed.contains("Waivers: 2 applied, 1 unused"), "{printed}");

    let (exit, _, _) = night.run(&three().concat(), &["--fail-on", "warnings"]);
    assert_eq!(exit, 1);
}

#[test]
fn a_lapsed_waiver_fails_the_run() {
    let night = Night::new();
    let negative = &three()[1];
    for (figures, expires, state) in
        [("difference = '0.58042467'", "2026-05-31", "expired"), ("difference = '0.58042466'", "2026-12-31", "changed")]
    {
        let waivers = [negative.clone(), entry(SPLIT, "quote-split", figures, expires)].concat();
        let (exit, printed, report) = night.run(&waivers, &[]);
        assert_eq!((exit, report.verdict().as_str()), (1, "discrepant"), "{printed}");
        assert_eq!(states(&report)[SPLIT], state);
        assert!(printed.contains(&format!("1 applied, 1 {state}")) && printed.contains(SPLIT), "{printed}");
    }
}

#[test]
fn a_missing_order_is_waived_and_still_listed() {
    let place = Place::new();
    let all = std::fs::read_to_string(repository("sample_data/ids.csv")).expect("the sample");
    let missing = all.lines().nth(89).and_then(|line| line.split(',').next()).expect("line 90").to_owned();
    let ids = place.file("ids.csv", format!("run_order_id\n{missing}\nwfrun_314ff7d8b7a5beff1388\n"));
    let waivers = place.file("waivers.toml", entry(&missing, "not-found", "", "2099-12-31"));
    let run = place.reconcile(&ids).arg("--sandbox").arg("--waivers").arg(&waivers).output().expect("starts");
    let report = place.report();
    assert_eq!((code(&run), report.verdict().as_str()), (0, "warnings"), "{}", stderr(&run));
    assert_eq!((report.population("waived"), report.population("not_found")), (1, 0));
    assert_eq!(report.rows("exceptions.csv")[0]["bucket"], "waived");
}

#[test]
fn a_report_with_waivers_is_proved_and_audited_with_the_same_or_other_waivers() {
    let night = Night::new();
    let (_, printed, report) = night.run(&three().concat(), &[]);
    let verify = tieout().arg("verify").arg(&report.0).arg("--files-only").output().expect("starts");
    assert_eq!(code(&verify), 0, "{printed}{}", stdout(&verify));

    let audit = |name: &str, arguments: &[&str]| {
        let mut audit = tieout();
        audit.arg("audit").arg(&report.0).arg("--out").arg(night.place.path(name)).args(arguments);
        code(&audit.output().expect("starts"))
    };
    assert_eq!(audit("again", &[]), 0);
    assert_eq!(audit("later", &["--as-of", "2026-12-31T16:00:00Z"]), 1, "the waivers have expired in Shanghai");
    let none = night.place.file("none.toml", "");
    assert_eq!(audit("none", &["--waivers", none.to_str().expect("a path")]), 1);
}

#[test]
fn a_malformed_file_is_a_usage_error_before_any_request() {
    let night = Night::new();
    let file = night.place.file("waivers.toml", "[[waiver]]\norder = 'wfrun_1'\n");
    for file in [file, night.place.path("nowhere.toml")] {
        let run =
            night.place.reconcile(&night.ids).arg("--sandbox").arg("--waivers").arg(&file).output().expect("starts");
        assert_eq!(code(&run), 2, "{}", stderr(&run));
        assert!(stderr(&run).contains("--waivers") && stderr(&run).contains(".toml"), "{}", stderr(&run));
        assert!(!night.place.path("report").exists());
    }
}
