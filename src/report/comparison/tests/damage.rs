//! Folders that are not reports, and files that differ from their manifest or are not valid.

use std::fs;
use std::path::Path;

use super::test_report::TestReport;
use super::*;
use crate::report::folder::{FolderError, MANIFEST_BYTES};

/// The damaged file, the expected message, and how the damage is done.
type Damage = (&'static str, &'static str, fn(&mut TestReport));

const NEEDED_OF_BOTH: [&str; 4] =
    ["discrepancies.csv", "exceptions.csv", "spend_by_workflow.csv", "spend_by_revision.csv"];

/// The error of comparing these, and whether the user named something that is not a report.
fn refused(old: &Path, new: &Path) -> (bool, String) {
    let error = Comparison::of(old, new).expect_err("not two reports");
    (matches!(error, ComparisonError::Folder(FolderError::NotAReport { .. })), error.to_string())
}

#[test]
fn what_is_not_a_report_is_a_usage_error() {
    let good = TestReport::default().write();
    let place = good.path().with_file_name("place");
    fs::create_dir(&place).expect("writable");
    let (missing, file, dangling) = (place.join("missing"), place.join("file"), place.join("dangling"));
    fs::write(&file, "x").expect("writable");
    std::os::unix::fs::symlink("nowhere", &dangling).expect("a link");
    let foreign = place.join("foreign");
    fs::create_dir(&foreign).expect("writable");
    fs::write(foreign.join("manifest.json"), r#"{"kind": "a ship's", "format": 1}"#).expect("writable");
    for (path, says) in [
        (&missing, "no such folder"),
        (&dangling, "no such folder"),
        (&file.join("below"), "no such folder"),
        (&file, "it is a file"),
        (&place, "holds no manifest.json"),
        (&foreign, "not from tieout"),
    ] {
        for (old, new) in [(&**path, good.path()), (good.path(), &**path)] {
            let (named_wrongly, said) = refused(old, new);
            assert!(named_wrongly && said.contains(says) && said.contains(&path.display().to_string()), "{said}");
        }
    }
}

#[test]
fn a_file_that_differs_from_its_manifest_is_an_error() {
    let good = TestReport::default().write();
    for name in NEEDED_OF_BOTH.into_iter().chain(["run_orders.parquet"]) {
        let bad = TestReport::default().write();
        let honest = fs::read(bad.file(name)).expect("there");
        let mut other_byte = honest.clone();
        other_byte[0] ^= 1;
        let longer = [&*honest, b"\n"].concat();
        for (tampered, says) in [(other_byte, "SHA-256"), (longer, "bytes"), (Vec::new(), "bytes")] {
            fs::write(bad.file(name), tampered).expect("writable");
            let (named_wrongly, said) = refused(good.path(), bad.path());
            assert!(!named_wrongly, "{said}");
            for part in [name, says, "tieout verify"] {
                assert!(said.contains(part), "{part:?} is not in: {said}");
            }
        }
        if NEEDED_OF_BOTH.contains(&name) {
            assert!(refused(bad.path(), good.path()).1.contains(name), "the old report is checked too");
        }
        fs::remove_file(bad.file(name)).expect("there");
        assert!(refused(good.path(), bad.path()).1.contains("it is not there"), "{name}");
        fs::create_dir(bad.file(name)).expect("writable");
        assert!(refused(good.path(), bad.path()).1.contains("not a regular file"), "{name}");
    }
}

#[test]
fn a_damaged_manifest_is_an_error() {
    let good = TestReport::default().write();
    let honest = fs::read_to_string(good.file("manifest.json")).expect("there");
    let cases = [
        (honest[..honest.len() / 2].to_owned(), "not JSON"),
        (honest.replace("\"format\": 1", "\"format\": 2"), "its format is 2"),
        (honest.replace("\"format\": 1", "\"format\": \"one\""), "its format is none"),
        (honest.replace("\"files\"", "\"flies\""), "`files`"),
        (honest.replace("exceptions.csv", "../../etc/passwd"), "can't be a file of a report"),
        (honest + &" ".repeat(MANIFEST_BYTES as usize), "has more than"),
    ];
    for (manifest, says) in cases {
        let bad = TestReport::default().write();
        fs::write(bad.file("manifest.json"), manifest).expect("writable");
        let (named_wrongly, said) = refused(good.path(), bad.path());
        assert!(!named_wrongly && said.contains(says) && said.contains("tieout verify"), "{said}");
    }
}

#[test]
fn an_invalid_file_is_an_error_with_its_line() {
    let usual =
        || TestReport::default().with("wfrun_1", "quote-split", OFF_BY_TWO).spent("wf_1", "CNY", 1, "2.00000000");
    let good = usual().write();
    let cases: [Damage; 11] = [
        ("discrepancies.csv", "line 3: discrepancy_id", |report| {
            let (_, row) = report.discrepancies.split_once('\n').expect("a row");
            report.discrepancies = format!("{}{row}", report.discrepancies);
        }),
        ("discrepancies.csv", "line 2: discrepancy_id", |report| {
            report.discrepancies = report.discrepancies.replace("wfrun_1", "wfrun_2");
        }),
        ("discrepancies.csv", "line 2: \"2.0\" is not an amount", |report| {
            report.discrepancies = report.discrepancies.replace(",2.00000000,", ",2.0,");
        }),
        ("discrepancies.csv", "no column waived", |report| {
            report.discrepancies = report.discrepancies.replace("waived", "wavered");
        }),
        ("discrepancies.csv", "more or fewer cells", |report| report.discrepancies += "wfrun_2\n"),
        ("exceptions.csv", "line 2: \"lost\" is not a bucket", |report| report.exceptions += "wfrun_2,9,lost,x,y\n"),
        ("spend_by_workflow.csv", "line 2: \"NaN\" is not an amount", |report| {
            report.by_workflow = report.by_workflow.replace(",2.00000000", ",NaN");
        }),
        ("spend_by_workflow.csv", "line 2: \"-1\" is not a count", |report| {
            report.by_workflow = report.by_workflow.replace("CNY,1,", "CNY,-1,");
        }),
        ("spend_by_revision.csv", "differ from those of spend_by_workflow.csv", |report| {
            report.by_revision = report.by_revision.replace("2.00000000,2.00000000", "2.00000000,2.00000001");
        }),
        ("spend_by_revision.csv", "differ from those of spend_by_workflow.csv", |report| {
            report.by_revision = report.by_revision.replace("CNY", "USD");
        }),
        ("spend_by_revision.csv", "differ from those of spend_by_workflow.csv", |report| {
            report.by_revision = report.by_revision.replace("CNY,1,1", "CNY,2,1");
        }),
    ];
    for (name, says, damage) in cases {
        let mut report = usual();
        damage(&mut report);
        let bad = report.write();
        for (old, new) in [(bad.path(), good.path()), (good.path(), bad.path())] {
            let (named_wrongly, said) = refused(old, new);
            assert!(!named_wrongly && said.contains(name) && said.contains(says), "{name}, {says}: {said}");
        }
    }
}

#[test]
fn a_row_that_never_ends_is_an_error() {
    let good = TestReport::default().write();
    let mut report = TestReport::default();
    report.exceptions += &"x".repeat(70 << 20);
    let bad = report.write();
    let (named_wrongly, said) = refused(good.path(), bad.path());
    assert!(!named_wrongly && said.contains("exceptions.csv") && said.contains("a row has more than"), "{said}");
}

#[test]
fn a_total_that_does_not_fit_is_an_error() {
    let largest = format!("{}.99999999", "9".repeat(30));
    let huge = TestReport::default().spent("wf_1", "CNY", 1, &largest);
    let more = huge.clone().spent("wf_2", "CNY", 1, "0.00000001").write();
    let (_, said) = refused(huge.write().path(), more.path());
    assert!(said.contains("30 digits"), "{said}");
    let opposite = TestReport::default().spent("wf_1", "CNY", 1, &format!("-{largest}"));
    let (_, said) = refused(huge.write().path(), opposite.write().path());
    assert!(said.contains("30 digits"), "{said}");
}
