//! `reperform.sql` in DuckDB gives the same results as the report, to the last digit.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::readers::{self, printed, reader};
use crate::support::{Place, ReportFiles, code, repository, tieout};

const SAMPLE: [&str; 3] = ["--sandbox", "--as-of", "2026-06-01T00:00:00Z"];
/// A tolerance for one workflow of the sample and for one currency.
const SETTINGS: &str = "\
tolerance = \"CNY=0.00000001\"
timezone = \"America/New_York\"
day-by = \"updated\"
[workflow.wf_ada797bf043739b4be05]
tolerance = \"1000\"
";

fn reperform(report: &Path) -> Output {
    reader("reperform.py", &[report])
}

fn assert_agrees(report: &Path) -> String {
    let reading = reperform(report);
    let printed = printed(&reading);
    assert!(reading.status.success() && printed.starts_with("agree: "), "{printed}");
    printed
}

#[test]
fn duckdb_agrees_with_the_sample() {
    assert_agrees(&repository("reports/sample"));
}

#[test]
fn duckdb_agrees_on_tolerances_and_days() {
    let place = Place::new();
    let settings = place.file("tieout.toml", SETTINGS);
    let run = place.reconcile(repository("sample_data/ids.csv")).args(SAMPLE).arg("--config").arg(settings).output();
    let run = run.expect("starts");
    assert_eq!(code(&run), 1, "{}", printed(&run));
    let report = place.path("report");
    let agreed = assert_agrees(&report);
    assert!(!agreed.contains(" 0 passes"), "the tolerance lets something pass: {agreed}");
    let text = fs::read_to_string(report.join("reperform.sql")).expect("readable");
    assert!(text.contains("wf_ada797bf043739b4be05") && text.contains("days of America/New_York"), "{text}");

    // The comparison does find mistakes: a changed tolerance, and a missing order.
    for (was, is) in [("'1000.00000000'", "'0.00000000'"), ("WHERE settled", "WHERE settled AND input_line > 9")] {
        assert!(text.contains(was), "{text}");
        fs::write(report.join("reperform.sql"), text.replace(was, is)).expect("writable");
        assert_eq!(reperform(&report).status.code(), Some(1), "{was}");
    }
    fs::write(report.join("reperform.sql"), text).expect("writable");

    // A check that is off has nothing to compare.
    let off = place.file("off.toml", "[checks]\nquote-split = \"off\"\n");
    let without = |name: &str, settings: &Path| {
        let mut run = place.reconcile(repository("sample_data/ids.csv"));
        run.args(SAMPLE).arg("--config").arg(settings).arg("--out").arg(place.path(name)).arg("--fresh");
        assert_eq!(code(&run.output().expect("starts")), 1);
        assert_agrees(&place.path(name));
    };
    without("off", &off);
    let both = place.file("both.toml", "[checks]\nquote-split = \"off\"\ncost-sum = \"off\"\n");
    without("both", &both);
}

#[test]
fn a_report_can_be_audited_by_other_days() {
    let place = Place::new();
    let run = place.reconcile(repository("sample_data/ids.csv")).args(SAMPLE).output().expect("starts");
    assert_eq!(code(&run), 1, "{}", printed(&run));
    let audit = |name: &str, arguments: &[&str]| {
        let mut audit = tieout();
        audit.arg("audit").arg(place.path("report")).arg("--out").arg(place.path(name)).args(arguments);
        let audit = audit.output().expect("starts");
        assert_eq!(code(&audit), 1, "{}", printed(&audit));
        readers::assert_agrees(&place.path(name));
        assert_agrees(&place.path(name));
        let settings = ReportFiles(place.path(name)).json("manifest.json")["settings"].clone();
        [
            settings["timezone"].as_str().unwrap_or_default().to_owned(),
            settings["day_by"].as_str().unwrap_or_default().to_owned(),
        ]
    };
    assert_eq!(audit("same", &[]), ["Asia/Shanghai", "created"]);
    assert_eq!(audit("updated", &["--day-by", "updated"]), ["Asia/Shanghai", "updated"]);
    assert_eq!(audit("zone", &["--timezone", "pacific/auckland"]), ["Pacific/Auckland", "created"]);
    let by_day = |name: &str| fs::read(place.path(name).join("spend_by_day.csv")).expect("readable");
    assert!(
        by_day("same") == by_day("report") && by_day("updated") != by_day("same") && by_day("zone") != by_day("same")
    );
    let refused =
        tieout().arg("audit").arg(place.path("report")).args(["--timezone", "Mars"]).output().expect("starts");
    assert_eq!(code(&refused), 2);
}
