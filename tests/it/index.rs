//! `index.html`: the page over all reports of a folder. `tests/readers/html/nights.mjs` opens it in Chromium, checks it
//! with axe, and compares it with the reports beside it.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::Duration;

use tieout::language::Language;

use crate::readers::printed;
use crate::support::{Place, code, files_below, repository, stderr, stdout, tieout};

/// Orders of the sandbox that tie out.
const CLEAN: [&str; 2] = ["wfrun_314ff7d8b7a5beff1388", "wfrun_bd34b9b1ca64d8a7ab56"];

/// One night in `reports`: all of the sample, or two orders that tie out.
fn night(place: &Place, day: &str, is_clean: bool, arguments: &[&str]) -> Output {
    let ids = if is_clean {
        place.file("few.csv", format!("run_order_id\n{}\n", CLEAN.join("\n")))
    } else {
        repository("sample_data/ids.csv")
    };
    let mut command = tieout();
    command.current_dir(place.path("")).arg("reconcile").arg(ids).args(["--sandbox", "--rate", "0", "--quiet"]);
    command.args(["--as-of", &format!("{day}T00:00:00Z"), "--reports-dir", "reports"]).args(arguments);
    command.output().expect("starts")
}

/// A clean night, two with discrepancies, and a clean one in another year, in this language.
fn nights(place: &Place, language: Language) {
    for (day, is_clean) in [("2025-12-31", true), ("2026-06-01", false), ("2026-06-02", false), ("2026-06-03", true)] {
        let ended = night(place, day, is_clean, &["--lang", language.code()]);
        assert_eq!(code(&ended), i32::from(!is_clean), "{}", stderr(&ended));
        assert_eq!(stderr(&ended).matches("warning").count(), 0, "{}", stderr(&ended));
    }
}

fn page(place: &Place) -> String {
    fs::read_to_string(place.path("reports/index.html")).expect("a page")
}

/// Asserts that a browser shows what the reports say; returns what it counted.
fn assert_reads(reports: &Path, language: Language) -> serde_json::Value {
    let reading = read(reports, language);
    let printed = printed(&reading);
    assert!(reading.status.success(), "{printed}");
    serde_json::from_str(printed.strip_prefix("read: ").expect("counts")).expect("JSON")
}

fn read(reports: &Path, language: Language) -> Output {
    let Some(modules) = env::var_os("TIEOUT_TEST_NODE_MODULES") else {
        panic!("no playwright-core and axe-core (TIEOUT_TEST_NODE_MODULES): run `make test`");
    };
    let mut command = Command::new("node");
    command.arg(repository("tests/readers/html/nights.mjs")).arg(reports).arg(language.code());
    command.env("TIEOUT_TEST_NODE_MODULES", modules).output().expect("Node.js: run `make test`")
}

#[test]
fn a_browser_shows_what_the_reports_say() {
    for language in Language::ALL {
        let place = Place::new();
        nights(&place, language);
        let reports = place.path("reports");
        assert_eq!(assert_reads(&reports, language), serde_json::json!({"nights": 4, "damaged": 0}));

        // A night without a page, and one whose summary is not the one in its manifest any more.
        assert_eq!(code(&night(&place, "2026-06-04", true, &["--format", "csv", "--lang", language.code()])), 0);
        let summary = reports.join("20260602T000000Z/summary.json");
        let honest = fs::read_to_string(&summary).expect("a summary");
        let forged = honest.replacen("\"verdict\": \"discrepant\"", "\"verdict\": \"reconciled\"", 1);
        assert_ne!(honest, forged);
        fs::write(&summary, forged).expect("writable");
        let stale = read(&reports, language);
        assert!(printed(&stale).starts_with("differs: "), "the reader finds differences: {}", printed(&stale));
        assert_eq!(code(&night(&place, "2026-06-05", true, &["--lang", language.code()])), 0);
        assert_eq!(assert_reads(&reports, language), serde_json::json!({"nights": 6, "damaged": 1}));
        assert!(page(&place).contains("20260604T000000Z/\">"), "a link to the folder");
    }
}

#[test]
fn a_night_that_can_not_be_believed_is_shown_as_damaged() {
    let place = Place::new();
    nights(&place, Language::English);
    let report = |name: &str| place.path("reports").join(name);
    let clean = report("20260603T000000Z");
    let keep = place.path("kept");
    fs::rename(&clean, &keep).expect("writable");
    type Change = fn(&Path);
    let changes: [(&str, Change); 7] = [
        ("summary.json: its SHA-256 is", |report| {
            let path = report.join("summary.json");
            let text = fs::read_to_string(&path).expect("there");
            fs::write(path, text.replacen("\"rows\": 2", "\"rows\": 3", 1)).expect("writable");
        }),
        ("summary.json: manifest.json lists it, but it is not there", |report| {
            fs::remove_file(report.join("summary.json")).expect("there");
        }),
        ("summary.json: it is not a regular file", |report| {
            fs::rename(report.join("summary.json"), report.join("aside")).expect("there");
            symlink("aside", report.join("summary.json")).expect("a link");
        }),
        ("manifest.json: it is not JSON", |report| fs::write(report.join("manifest.json"), "{").expect("writable")),
        ("it holds no manifest.json", |report| fs::remove_file(report.join("manifest.json")).expect("there")),
        ("summary.json: it says reconciled, exit code 0, as of 2026-06-03T00:00:00Z, the manifest empty", |report| {
            let path = report.join("manifest.json");
            let text = fs::read_to_string(&path).expect("there");
            fs::write(path, text.replace("\"verdict\": \"reconciled\"", "\"verdict\": \"empty\"")).expect("writable");
        }),
        // Larger than any disk, and made in no time.
        ("summary.json: it has more than 67108864 bytes", |report| {
            let (path, summary) = (report.join("manifest.json"), report.join("summary.json"));
            let bytes = fs::metadata(&summary).expect("there").len();
            let text = fs::read_to_string(&path).expect("there");
            fs::write(path, text.replace(&format!("\"bytes\": {bytes}"), &format!("\"bytes\": {}", 1_u64 << 40)))
                .expect("writable");
            fs::File::create(summary).and_then(|file| file.set_len(1 << 40)).expect("a sparse file");
        }),
    ];
    for (reason, change) in changes {
        let _ = fs::remove_dir_all(&clean);
        fs::create_dir(&clean).expect("writable");
        for file in files_below(&keep) {
            fs::copy(&file, clean.join(file.file_name().expect("a name"))).expect("writable");
        }
        change(&clean);
        let ended = night(&place, "2024-01-01", true, &[]);
        assert_eq!(code(&ended), 0, "{reason}: {}", stderr(&ended));
        assert_eq!(stderr(&ended), "", "{reason}");
        let page = page(&place);
        assert!(page.contains(reason), "{reason}");
        let newest = page.split("id=\"verdict-title\"").nth(1).expect("a verdict");
        assert!(newest.split("</h2>").next().expect("its end").ends_with("DAMAGED"), "{reason}: it is on top");
        assert_eq!(page.matches(">RECONCILED<").count() + page.matches(">DISCREPANT<").count() + 1, rows(&page));
    }
}

/// How many reports a page lists.
fn rows(page: &str) -> usize {
    page.matches("<th scope=\"row\"").count()
}

#[test]
fn what_stands_in_its_place_is_left_alone_and_changes_no_exit_code() {
    let place = Place::new();
    nights(&place, Language::English);
    let index = place.path("reports/index.html");
    let warned = |is_clean: bool, found: &str| {
        let ended = night(&place, "2026-06-09", is_clean, &["--lang", "en"]);
        assert_eq!(code(&ended), i32::from(!is_clean), "{}", stderr(&ended));
        let printed = stderr(&ended);
        assert!(
            printed.starts_with("warning: the page over all reports was not written: reports/index.html"),
            "{printed}"
        );
        assert!(printed.contains(found) && printed.contains("help: move it away"), "{printed}");
    };
    let foreign = "<!doctype html>\n<title>Our finance team</title>\n";
    fs::write(&index, foreign).expect("writable");
    warned(true, "its beginning differs");
    warned(false, "its beginning differs");
    assert_eq!(fs::read_to_string(&index).expect("there"), foreign);

    let page = place.file("page.html", foreign);
    fs::remove_file(&index).expect("there");
    symlink(&page, &index).expect("a link");
    warned(true, "not a regular file");
    assert!(index.is_symlink() && fs::read_to_string(&page).expect("there") == foreign);

    fs::remove_file(&index).expect("there");
    fs::create_dir(&index).expect("writable");
    warned(false, "not a regular file");
    assert!(fs::read_dir(&index).expect("a folder").next().is_none());
    fs::remove_dir(&index).expect("empty");
    assert_eq!(stderr(&night(&place, "2026-06-09", true, &[])), "");
    let names =
        fs::read_dir(place.path("reports")).expect("readable").map(|entry| entry.expect("an entry").file_name());
    let names: BTreeSet<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    assert!(!names.iter().any(|name| name.starts_with(".tieout")), "nothing unfinished is left: {names:?}");
}

#[test]
fn the_page_is_made_again_to_the_byte_and_other_commands_ignore_it() {
    let place = Place::new();
    nights(&place, Language::Chinese);
    let first = page(&place);
    let run = |arguments: &[&str]| tieout().current_dir(place.path("")).args(arguments).output().expect("starts");
    let state = "reports/.state.sqlite";

    assert_eq!(code(&night(&place, "2026-06-04", true, &[])), 0);
    assert_ne!(page(&place), first);
    fs::remove_dir_all(place.path("reports/20260604T000000Z")).expect("there");
    fs::remove_file(place.path("reports/latest")).expect("there");
    symlink("20260603T000000Z", place.path("reports/latest")).expect("a link");
    tieout::report::folder::index::write(&place.path("reports")).expect("written");
    assert_eq!(page(&place), first, "the same reports give the same bytes, however the folder is named");

    let proven = run(&["verify", "reports/20260603T000000Z", "--state", state]);
    assert_eq!(code(&proven), 0, "{}{}", stdout(&proven), stderr(&proven));
    let compared = run(&["diff", "reports/20260601T000000Z", "reports/20260602T000000Z"]);
    assert_eq!(code(&compared), 0, "{}{}", stdout(&compared), stderr(&compared));

    let young = run(&["prune", "--keep", "400d", "--reports-dir", "reports"]);
    assert!(stdout(&young).contains("removed 0 reports"), "{}", stdout(&young));
    sleep(Duration::from_millis(1_100));
    let would = run(&["prune", "--keep", "1s", "--reports-dir", "reports", "--dry-run"]);
    assert!(stdout(&would).contains("would remove 3 reports"), "{}", stdout(&would));
    assert_eq!(page(&place), first);
    let pruned = run(&["prune", "--keep", "1s", "--reports-dir", "reports"]);
    assert_eq!((code(&pruned), stderr(&pruned)), (0, String::new()));
    assert!(stdout(&pruned).contains("removed 3 reports"), "{}", stdout(&pruned));
    assert_eq!(rows(&page(&place)), 1);
    assert!(page(&place).contains("<html lang=\"zh-CN\">"), "in the language of the newest report");
    assert_eq!(assert_reads(&place.path("reports"), Language::Chinese)["nights"], 1);
}

#[test]
fn a_prune_leaves_what_stands_in_its_place_alone() {
    let place = Place::new();
    nights(&place, Language::English);
    let foreign = place.file("reports/index.html", "ours\n");
    sleep(Duration::from_millis(1_100));
    let mut prune = tieout();
    prune.current_dir(place.path("")).args(["prune", "--keep", "1s", "--reports-dir", "reports"]);
    let pruned = prune.output().expect("starts");
    assert_eq!(code(&pruned), 0);
    assert!(stderr(&pruned).contains("warning: the page over all reports was not written"), "{}", stderr(&pruned));
    assert_eq!(fs::read_to_string(foreign).expect("there"), "ours\n");
}

#[test]
fn a_report_at_a_path_of_its_own_has_no_page() {
    let place = Place::new();
    let mut command = place.reconcile(repository("sample_data/ids.csv"));
    assert_eq!(code(&command.args(["--sandbox", "--quiet"]).output().expect("starts")), 1);
    assert!(!place.files().iter().any(|path| path.ends_with("index.html")));
}
