//! `report.html` in a browser: `tests/readers/html/read.mjs` opens it in Chromium, sorts, filters, pages, copies and
//! prints like a user, checks it with axe, and compares it with the other files of its report.

mod folders;

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use sha2::{Digest, Sha256};
use tieout::language::Language;
use tieout::pipeline::audit::{Changes, ProvenReport};
use tieout::report::formats::options::ReportOptions;

use crate::dataset::close::two_closes;
use crate::readers::printed;
use crate::support::{Place, ReportFiles, code, repository, stdout, tieout};

const AS_OF: &str = "2026-06-01T00:00:00Z";
/// How many discrepancies a large page has.
const MANY: u64 = 100_000;
/// The most bytes of a large page.
const LARGEST: u64 = 40 << 20;
/// How long a large page may take to open on a busy machine; `make bench` measures the real time.
const SOON_MS: u64 = 10_000;
/// How long it may not respond while it sorts, filters and turns pages.
const PAUSE_MS: u64 = 5_000;

/// The sample, reconciled into `report`.
fn reported(arguments: &[&str]) -> Place {
    let place = Place::new();
    let mut command = place.reconcile(repository("sample_data/ids.csv"));
    let run = command.args(["--sandbox", "--as-of", AS_OF]).args(arguments).output().expect("starts");
    assert_eq!(code(&run), 1, "{}", printed(&run));
    place
}

fn read(report: &Path, language: Language) -> Output {
    let Some(modules) = env::var_os("TIEOUT_TEST_NODE_MODULES") else {
        panic!("no playwright-core and axe-core (TIEOUT_TEST_NODE_MODULES): run `make test`");
    };
    Command::new("node")
        .arg(repository("tests/readers/html/read.mjs"))
        .arg(report)
        .arg(language.code())
        .env("TIEOUT_TEST_NODE_MODULES", modules)
        .output()
        .expect("Node.js: run `make test`")
}

/// Asserts that a browser shows what the report says; returns the reader's counts.
fn assert_reads(report: &Path, language: Language) -> serde_json::Value {
    let reading = read(report, language);
    let printed = printed(&reading);
    let compared = printed.strip_prefix("read: ").and_then(|json| serde_json::from_str(json).ok());
    assert!(reading.status.success(), "{printed}");
    compared.unwrap_or_else(|| panic!("{printed}"))
}

#[test]
fn a_browser_shows_what_the_report_says() {
    let place = reported(&["--account", "Acme <GPU> & Co"]);
    let report = place.path("report");
    let compared = assert_reads(&report, Language::English);
    assert_eq!((&compared["discrepancies"], &compared["exceptions"]), (&27.into(), &3.into()), "{compared}");

    // The reader does find mistakes: one changed digit is a difference in any file.
    for (file, digit, other) in [
        ("discrepancies.csv", "275.16423231", "275.16423232"),
        ("spend_by_workflow.csv", "17.12149229", "17.12149228"),
        ("summary.json", "\"reconciled\": 174", "\"reconciled\": 173"),
        ("pending.csv", "724", "725"),
    ] {
        let path = report.join(file);
        let honest = fs::read_to_string(&path).expect("a report file");
        let changed = honest.replacen(digit, other, 1);
        assert_ne!(honest, changed, "{file}");
        fs::write(&path, changed).expect("writable");
        let reading = read(&report, Language::English);
        assert_eq!(reading.status.code(), Some(1), "{file} was changed: {}", printed(&reading));
        assert!(printed(&reading).starts_with("differs: "), "{file}: {}", printed(&reading));
        fs::write(&path, honest).expect("writable");
    }
}

#[test]
fn both_languages_show_the_same_figures() {
    let place = reported(&[]);
    let original = ProvenReport::open(&place.path("report")).expect("a report");
    let chinese = place.path("chinese");
    fs::create_dir(&chinese).expect("writable");
    let changes = in_language(&original, Language::Chinese);
    original.rebuild(&chinese, &changes, None).expect("it is made again");
    for (name, bytes) in ReportFiles(place.path("report")).reproducible_files() {
        let same = fs::read(chinese.join(&name)).expect("a report file") == bytes;
        assert_eq!(same, !["report.html", "report.xlsx"].contains(&&*name), "{name}");
    }
    let compared = assert_reads(&chinese, Language::Chinese);
    assert_eq!(compared["discrepancies"], 27);
    let page = fs::read_to_string(chinese.join("report.html")).expect("a page");
    for text in ["<html lang=\"zh-CN\">", "有差异", "合计与读入行数一致。", "已结算订单合计"] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn hostile_texts_stay_texts_in_a_browser() {
    let place = Place::new();
    let report = place.path("report");
    let discrepancies = folders::hostile(&report);
    let compared = assert_reads(&report, Language::English);
    assert_eq!(compared["discrepancies"], discrepancies);
    assert!(discrepancies > 20);
}

#[test]
fn a_hundred_thousand_discrepancies_are_sorted_and_filtered_at_once() {
    let place = Place::new();
    let report = place.path("report");
    folders::large(&report, MANY);
    let bytes = fs::metadata(report.join("report.html")).expect("a page").len();
    assert!(bytes < LARGEST, "{bytes} bytes");
    let compared = assert_reads(&report, Language::English);
    assert_eq!(compared["discrepancies"], MANY);
    let [elapsed, longest] = ["elapsed", "longest"].map(|name| compared[name].as_u64().expect("milliseconds"));
    assert!(elapsed < SOON_MS, "the page of {bytes} bytes answered after {elapsed} ms");
    assert!(longest < PAUSE_MS, "the page of {bytes} bytes did not answer for {longest} ms");
}

#[test]
fn a_close_shows_its_roll_forward_and_what_changed_since() {
    for language in Language::ALL {
        let place = Place::new();
        let [first, second] = two_closes(&place, &["--lang", language.code()]);
        let compared = assert_reads(&first, language);
        assert_eq!((&compared["roll_forward"], &compared["adjustments"]), (&24.into(), &serde_json::Value::Null));
        let compared = assert_reads(&second, language);
        assert_eq!((&compared["roll_forward"], &compared["adjustments"]), (&8.into(), &74.into()), "{compared}");
    }
}

#[test]
fn empty_reports_and_reports_without_discrepancies_can_be_read() {
    let place = Place::new();
    for (name, orders) in [("nothing", 0), ("clean", 3)] {
        let report = place.path(name);
        folders::clean(&report, orders);
        let compared = assert_reads(&report, Language::English);
        assert_eq!(compared["resolved"], if orders > 0 { orders.into() } else { serde_json::Value::Null }, "{name}");
    }
}

#[test]
fn waivers_and_materiality_are_shown() {
    let waivers = "[[waiver]]\norder = \"wfrun_d88de39449148030b6f2\"\ncheck = \"quote-split\"\ndifference = \"0.58042467\"\n\
                   owner = \"Li Wei <b>\"\nreason = \"=credit note 2026-17\"\nexpires = \"2026-12-31\"\n";
    let place = Place::new();
    let file = place.file("waivers.toml", waivers);
    let mut command = place.reconcile(repository("sample_data/ids.csv"));
    command
        .args(["--sandbox", "--as-of", AS_OF, "--material", "0.1", "--tolerance", "CNY=0.001"])
        .arg("--waivers")
        .arg(file);
    assert_eq!(code(&command.output().expect("starts")), 1);
    let compared = assert_reads(&place.path("report"), Language::English);
    assert_eq!(compared["waivers"], 1, "{compared}");
    let page = fs::read_to_string(place.path("report").join("report.html")).expect("a page");
    for text in ["1 applied, 0 expired", "0.10000000 or more", "Tolerance, CNY", "Passed only thanks to the tolerance"]
    {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn a_page_is_proved_and_a_forged_one_is_found() {
    let place = reported(&[]);
    let report = place.path("report");
    let manifest = ReportFiles(report.clone()).json("manifest.json");
    assert_eq!(manifest["formats"], serde_json::json!(["csv", "json", "parquet", "html", "xlsx"]));
    assert_eq!(manifest["language"], "en");
    let verify = || tieout().arg("verify").arg(&report).arg("--files-only").output().expect("starts");
    let proven = verify();
    assert_eq!(code(&proven), 0, "{}", stdout(&proven));
    assert!(stdout(&proven).contains("12 files rebuilt"), "{}", stdout(&proven));
    assert!(!stdout(&proven).contains("another version"), "{}", stdout(&proven));

    // A forger changes a figure on the page and corrects its hash in the manifest.
    let page = fs::read_to_string(report.join("report.html")).expect("a page");
    let text = fs::read_to_string(report.join("manifest.json")).expect("a manifest");
    let forged = page.replacen("275.16423231", "275.16423230", 1);
    assert_ne!(page, forged);
    let hash = |text: &str| hex::encode(Sha256::digest(text));
    fs::write(report.join("report.html"), &forged).expect("writable");
    fs::write(report.join("manifest.json"), text.replace(&hash(&page), &hash(&forged))).expect("writable");
    let found = verify();
    assert_eq!(code(&found), 1, "{}", stdout(&found));
    assert!(stdout(&found).contains("report.html: line "), "{}", stdout(&found));

    // A page drawn by a different version is proved by its hash alone, and `verify` says so.
    let design = manifest["designs"]["report.html"].as_str().expect("a hash");
    fs::write(report.join("report.html"), &page).expect("writable");
    fs::write(report.join("manifest.json"), text.replace(design, &hash("another design"))).expect("writable");
    let older = verify();
    assert_eq!(code(&older), 0, "{}", stdout(&older));
    assert!(stdout(&older).contains("report.html was drawn by another version"), "{}", stdout(&older));
    assert!(stdout(&older).contains("11 files rebuilt"), "{}", stdout(&older));
}

#[test]
fn only_requested_formats_are_written_and_audit_can_add_one() {
    let place = reported(&["--format", "csv"]);
    let report = place.path("report");
    assert!(!report.join("report.html").exists());
    assert_eq!(
        ReportFiles(report.clone()).json("manifest.json")["formats"],
        serde_json::json!(["csv", "json", "parquet"])
    );
    let verify = tieout().arg("verify").arg(&report).arg("--files-only").output().expect("starts");
    assert_eq!(code(&verify), 0, "{}", stdout(&verify));
    let unknown = place.reconcile(repository("sample_data/ids.csv")).args(["--sandbox", "--format", "pdf"]).output();
    assert_eq!(code(&unknown.expect("starts")), 2);

    let with_page = place.path("with-page");
    let mut audit = tieout();
    audit.arg("audit").arg(report).arg("--out").arg(&with_page).args(["--format", "html"]);
    assert_eq!(code(&audit.output().expect("starts")), 1);
    let verify = tieout().arg("verify").arg(&with_page).arg("--files-only").output().expect("starts");
    assert_eq!(code(&verify), 0, "{}", stdout(&verify));
    assert_reads(&with_page, Language::English);
}

/// Runs the DuckDB queries that the page gives to auditors; they return the page's own figures.
#[test]
fn the_queries_on_the_page_return_its_figures() {
    let place = reported(&[]);
    let report = place.path("report");
    let page = fs::read_to_string(report.join("report.html")).expect("a page");
    let query = |name: &str| {
        let from = page.split(&format!("data-query=\"{name}\">")).nth(1).expect("a query");
        from.split("</code>").next().expect("its end").replace("&lt;", "<").replace("&gt;", ">")
    };
    let asked = |query: &str| {
        let Some(python) = env::var_os("TIEOUT_TEST_PYTHON") else {
            panic!("no Python with DuckDB (TIEOUT_TEST_PYTHON): run `make test`");
        };
        let program = "import sys, duckdb\nfor row in duckdb.sql(sys.argv[1]).fetchall(): print(*(f'{cell}' if isinstance(cell, (int, str)) else f'{cell:f}' for cell in row), sep=',')";
        let output = Command::new(python).args(["-c", program, query]).current_dir(&report).output().expect("Python");
        assert!(output.status.success(), "{}", printed(&output));
        stdout(&output).lines().map(|line| line.split(',').map(str::to_owned).collect()).collect::<Vec<Vec<String>>>()
    };
    let totals = &ReportFiles(report.clone()).json("summary.json")["control_totals"];
    let rows = asked(&query("totals"));
    assert_eq!(rows.len(), totals.as_object().expect("currencies").len());
    let names =
        ["quote_amount", "final_amount", "released_amount", "compute_cost", "external_model_cost", "total_cost"];
    for row in rows {
        for (name, figure) in names.iter().zip(&row[2..]) {
            assert_eq!(totals[&row[0]]["amounts"][name], **figure, "{name} in {:?}", row[0]);
        }
    }
    let discrepancies = ReportFiles(report.clone()).rows("discrepancies.csv");
    let split = discrepancies.iter().filter(|row| row["check"] == "quote-split");
    let split: Vec<Vec<String>> =
        split.map(|row| ["run_order_id", "input_line", "difference"].map(|name| row[name].clone()).into()).collect();
    assert!(!split.is_empty());
    assert_eq!(asked(&query("quote-split")), split);
}

/// Not a test: `make pictures` takes the screenshots for the documentation with it.
#[test]
#[ignore = "takes the pictures of the documentation"]
fn pictures() {
    let place = reported(&["--account", "Northwind Studio"]);
    let original = ProvenReport::open(&place.path("report")).expect("a report");
    for (language, picture, more) in [
        (Language::English, "report-light.png", ["light"]),
        (Language::English, "report-dark.png", ["dark"]),
        (Language::Chinese, "report-zh-CN.png", ["light"]),
    ] {
        let folder = place.path(picture);
        fs::create_dir(&folder).expect("writable");
        let changes = in_language(&original, language);
        original.rebuild(&folder, &changes, None).expect("it is made again");
        let taken = Command::new("node")
            .arg(repository("tests/readers/html/pictures.mjs"))
            .arg(folder.join("report.html"))
            .arg(repository("docs").join(picture))
            .args(more)
            .output()
            .expect("Node.js: run `make pictures`");
        assert!(taken.status.success(), "{}", printed(&taken));
    }
}

/// The report unchanged, but in that language.
fn in_language(original: &ProvenReport, language: Language) -> Changes {
    let options = ReportOptions { language, ..original.manifest.stamp.options.clone() };
    Changes { options: Some(options), ..Changes::default() }
}
