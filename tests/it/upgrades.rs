//! Reports of earlier versions are still proved, and audited by the checks of today where that is asked for.

use std::fs;

use crate::support::{Place, ReportFiles, code, repository, stdout, tieout};

#[test]
fn a_report_of_an_earlier_version_is_made_again_byte_for_byte() {
    let reports = fs::read_dir(repository("tests/reports")).expect("the reports of earlier versions");
    let folders = reports.map(|entry| entry.expect("readable").path()).filter(|path| path.is_dir());
    let mut proved = 0;
    for folder in folders {
        let verify = tieout().arg("verify").arg(&folder).arg("--files-only").output().expect("starts");
        assert_eq!(code(&verify), 0, "{}: {}", folder.display(), stdout(&verify));
        proved += 1;
    }
    assert!(proved > 0);
}

#[test]
fn an_earlier_report_is_judged_by_the_checks_of_today_on_demand() {
    let place = Place::new();
    let before = ReportFiles(repository("tests/reports/before-causes"));
    let audit = |name: &str, arguments: &[&str]| {
        let mut audit = tieout();
        audit.arg("audit").arg(&before.0).arg("--out").arg(place.path(name)).args(arguments);
        assert_eq!(code(&audit.output().expect("starts")), 1);
        ReportFiles(place.path(name))
    };
    let same = audit("same", &[]);
    for name in ["discrepancies.csv", "summary.json", "pending.csv", "spend_by_workflow.csv"] {
        assert!(same.bytes(name) == before.bytes(name), "{name}");
    }
    let today = audit("today", &["--all-checks"]);
    let sample = ReportFiles(repository("reports/sample"));
    for name in ["discrepancies.csv", "summary.json"] {
        assert!(today.bytes(name) == sample.bytes(name), "{name}: as the sample is judged today");
    }
}
