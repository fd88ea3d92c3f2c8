//! `report.xlsx` read by other software: openpyxl compares every cell with the CSV files, and LibreOffice opens and
//! prints it.

mod libreoffice;

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use jiff::Timestamp;
use tieout::checks::Rules;
use tieout::domain::layout::InputLayout;
use tieout::domain::money::Amount;
use tieout::domain::order::{Amounts, RunOrder};
use tieout::domain::outcome::{Background, Evidence, Outcome, Reason};
use tieout::language::Language;
use tieout::report::builder::{Brief, Builder, Origin};
use tieout::report::formats::options::ReportOptions;

use crate::dataset::close::two_closes;
use crate::readers::printed;
use crate::support::{Place, code, repository, stdout, tieout};
use libreoffice::LibreOffice;

/// The exit code for the sample, in which the sandbox plants discrepancies.
const DISCREPANT: i32 = 1;
const AS_OF: &str = "2026-06-01T00:00:00Z";
/// The largest amount a report holds: 20 digits before the point, 8 after it.
const LARGEST: i128 = 9_999_999_999_999_999_999_999_999_999;
/// Texts that a spreadsheet or XML could take for something other than text.
const HOSTILE: [&str; 16] = [
    "=HYPERLINK(\"https://example.com\")",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "＝1+1",
    "0001",
    "1e5",
    "2026-05-08",
    "TRUE",
    "_x0041_",
    "</t></is></c>&lt;&amp;",
    "a\u{1b}[31m\u{202e}b",
    " spaces  at both ends ",
    "line\nbreak",
    "订单😀é",
    "'quoted",
];

/// The sample reconciled against the sandbox.
fn sample(arguments: &[&str]) -> Place {
    let place = Place::new();
    let mut command = place.reconcile(repository("sample_data/ids.csv"));
    let run = command.args(["--sandbox", "--as-of", AS_OF]).args(arguments).output().expect("tieout starts");
    assert_eq!(code(&run), DISCREPANT, "{}", printed(&run));
    place
}

fn read(report: &Path, language: Language) -> Output {
    let Some(python) = env::var_os("TIEOUT_TEST_PYTHON") else {
        panic!("no Python with openpyxl (TIEOUT_TEST_PYTHON): run `make test`");
    };
    let mut command = Command::new(python);
    command.arg(repository("tests/readers/workbook.py")).arg(report).arg(language.code());
    command.output().expect("the Python of TIEOUT_TEST_PYTHON: run `make test`")
}

fn assert_agrees(report: &Path, language: Language) -> String {
    let reading = read(report, language);
    let printed = printed(&reading);
    assert!(reading.status.success() && printed.starts_with("agree: "), "{printed}");
    printed
}

#[test]
fn openpyxl_agrees_with_the_sample_in_both_languages() {
    for language in Language::ALL {
        let place = sample(&["--lang", language.code()]);
        let report = place.path("report");
        let agreed = assert_agrees(&report, language);
        assert!(agreed.starts_with("agree: 7 sheets, "), "{agreed}");
        let manifest = place.report().json("manifest.json");
        assert_eq!(manifest["language"], language.code());
        assert_eq!(manifest["designs"]["report.xlsx"].as_str().expect("a hash").len(), 64);

        // The reader does find mistakes.
        for (file, was, is) in [
            ("spend_by_workflow.csv", "0\n", "1\n"),
            ("pending.csv", "wfrun_", "wfrun-"),
            ("summary.json", "\"net\": \"", "\"net\": \"1"),
        ] {
            let honest = fs::read_to_string(report.join(file)).expect("a report file");
            assert!(honest.contains(was), "{file}");
            fs::write(report.join(file), honest.replacen(was, is, 1)).expect("a report file");
            let reading = read(&report, language);
            assert_eq!(reading.status.code(), Some(1), "{file} was changed: {}", printed(&reading));
            fs::write(report.join(file), honest).expect("a report file");
        }
        assert_agrees(&report, language);
    }
}

/// Makes a report with the largest and the smallest amounts, and with hostile texts in all text cells.
fn hostile_report(folder: &Path) {
    let as_of: Timestamp = AS_OF.parse().expect("a time");
    let rows = 3 * HOSTILE.len() as u64;
    let mut builder = Builder::begin(Brief {
        folder: folder.to_owned(),
        rules: Rules::default(),
        as_of,
        options: ReportOptions {
            account: Some("R&D <1>".to_owned()),
            language: Language::English,
            ..ReportOptions::default()
        },
        origin: Origin::Input { rows, shortfall: None, layout: InputLayout::default() },
        evidence: None,
        facts: None,
    })
    .expect("writable");
    let mut line = 1;
    let mut add = |id: String, evidence: Evidence| {
        line += 1;
        builder.add(Outcome { line, run_order_id: id, evidence }, Background::default()).expect("writable");
    };
    for (number, text) in HOSTILE.into_iter().enumerate() {
        let order = |status: &str, amounts: [i128; 6]| RunOrder {
            workflow_id: Some(text.to_owned()),
            revision_id: Some(text.to_owned()),
            quote_currency: Some(text.to_owned()),
            run_status: Some("succeeded".to_owned()),
            settlement_status: Some(status.to_owned()),
            freeze_status: Some(text.to_owned()),
            amounts: Amounts::from_order(amounts.map(Amount::from_units)),
            created_at: "2026-05-08T10:00:00.123456Z".parse().ok(),
            updated_at: "2026-05-08T09:59:59.999999Z".parse().ok(),
            ..RunOrder::default()
        };
        let unit = i128::try_from(number).expect("few");
        let amounts = [LARGEST - unit, LARGEST, 1, 1_000_000_000_000_000 + unit, -999_999_999_999_999, 7];
        add(format!("wfrun_{number}"), order("settled", amounts).into());
        add(format!("wfrun_p{number}"), order("open", [10_000_000_000_000_000_001, 0, 0, 0, 0, 0]).into());
        add(text.to_owned(), Evidence::Rejected(Reason::new("bad-id", text)));
    }
    builder.finish().expect("it bridges");
}

#[test]
fn openpyxl_agrees_with_the_largest_amounts_and_hostile_texts() {
    let place = Place::new();
    let report = place.path("report");
    fs::create_dir(&report).expect("writable");
    hostile_report(&report);
    assert_agrees(&report, Language::English);
}

#[test]
fn openpyxl_finds_our_books_and_the_totals_that_were_given() {
    let place = Place::new();
    let ids = place.file("ids.csv", "run_order_id,金额\nwfrun_314ff7d8b7a5beff1388,0.0002879\n");
    let held = ["--expect", "final_amount=金额", "--control-total", "final=0.0002878;quote:USD=0.03"];
    let run = place.reconcile(&ids).args(["--sandbox", "--as-of", AS_OF]).args(held).output().expect("starts");
    assert_eq!(code(&run), DISCREPANT, "{}", printed(&run));
    let report = place.path("report");
    assert_agrees(&report, Language::English);
    let summary = fs::read_to_string(report.join("summary.json")).expect("a summary");
    for (was, is) in [
        ("\"ours\": \"0.00028790\"", "\"ours\": \"0.00028791\""),
        ("\"expected\": \"0.03000000\"", "\"expected\": \"0.03000001\""),
        ("\"timezone\": \"Asia/Shanghai\"", "\"timezone\": \"Asia/Tokyo\""),
    ] {
        assert!(summary.contains(was), "{summary}");
        fs::write(report.join("summary.json"), summary.replacen(was, is, 1)).expect("writable");
        let reading = read(&report, Language::English);
        assert_eq!(reading.status.code(), Some(1), "{was}: {}", printed(&reading));
    }
}

#[test]
fn openpyxl_agrees_with_closes_in_both_languages() {
    for language in Language::ALL {
        let place = Place::new();
        let [first, second] = two_closes(&place, &["--lang", language.code()]);
        assert!(assert_agrees(&first, language).starts_with("agree: 8 sheets, "));
        assert!(assert_agrees(&second, language).starts_with("agree: 10 sheets, "));
    }
}

#[test]
fn libreoffice_shows_what_the_csv_files_say() {
    let place = sample(&[]);
    let office = LibreOffice::new(&place);
    office.assert_shows(&place.path("report"), "discrepancies", "Discrepancies");
    for (table, sheet) in [
        ("spend_by_workflow", "By workflow"),
        ("spend_by_revision", "By revision"),
        ("spend_by_day", "By day"),
        ("pending", "Pending"),
        ("exceptions", "Exceptions"),
    ] {
        office.assert_shows(&place.path("report"), table, sheet);
    }
    office.assert_prints(&place.path("report"));
}

#[test]
fn a_workbook_is_remade_byte_for_byte_or_in_another_language() {
    let place = sample(&["--format", "xlsx,focus"]);
    let report = place.path("report");
    let verified = tieout().args(["verify", "--files-only"]).arg(&report).output().expect("starts");
    assert_eq!(code(&verified), 0, "{}", printed(&verified));
    assert!(!stdout(&verified).contains("another version"), "{}", stdout(&verified));

    let audited = place.path("audited");
    let audit = |arguments: &[&str]| {
        let mut command = tieout();
        command.arg("audit").arg(&report).arg("--out").arg(&audited).args(arguments);
        let run = command.output().expect("starts");
        assert_eq!(code(&run), DISCREPANT, "{}", printed(&run));
    };
    audit(&[]);
    for file in ["report.xlsx", "focus.csv"] {
        let (was, is) = (fs::read(report.join(file)), fs::read(audited.join(file)));
        assert!(was.expect("readable") == is.expect("readable"), "{file} differs");
    }
    audit(&["--lang", "zh-CN", "--format", "xlsx"]);
    assert_agrees(&audited, Language::Chinese);
    assert!(!audited.join("focus.csv").exists(), "it was not requested");
    audit(&["--format", "csv"]);
    assert!(!audited.join("report.xlsx").exists(), "it was not requested");
}
