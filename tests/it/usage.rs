//! User mistakes: each ends with one message that says what, where and what to do; nothing is fetched or overwritten.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use tieout::checks::CATALOGUE;
use tieout::sandbox::KEY;

use crate::support::{Place, code, stderr, stdout, tieout};

const IDS: &str = "run_order_id\nwfrun_314ff7d8b7a5beff1388\n";

fn assert_refused(name: &str, command: &mut Command, expected: &[&str]) {
    let run = command.output().expect("starts");
    let printed = stderr(&run);
    assert_eq!(code(&run), 2, "{name}: {printed}");
    assert_eq!(stdout(&run), "", "{name}");
    assert_eq!(printed.matches("error:").count(), 1, "{name}: {printed}");
    for part in expected {
        assert!(printed.contains(part), "{name}: {part:?} is not in: {printed}");
    }
}

#[test]
fn an_input_that_can_not_be_used() {
    let swallowing = b"run_order_id,note\nwfrun_1,\"x\nwfrun_2,y\nwfrun_3,\"z\nwfrun_4,z\n";
    let cases: [(&str, &[u8], &[&str]); 6] = [
        (
            "a quote that a later one closes, with rows between",
            swallowing,
            &["quote opened on line 2", "line 4", "swallowing the rows"],
        ),
        (
            "no ID column",
            b"name,amount\nx,1\n",
            &["which column holds the run order IDs", "`name`, `amount`", "--column"],
        ),
        ("binary", b"\x7fELF\x00\x01\x02", &["binary file"]),
        ("unreadable encoding", b"run_order_id\n\xff\xff\n", &["--encoding", "byte 13"]),
        ("open quote", b"run_order_id,note\nwfrun_1,\"x\nwfrun_2,y\n", &["quote opened on line 2 is never closed"]),
        ("cut gzip", b"\x1f\x8b\x08\x00\x00", &["gzip data is cut or damaged", "get the file again"]),
    ];
    for (name, content, expected) in cases {
        let place = Place::new();
        let ids = place.file("ids.csv", content);
        assert_refused(name, place.reconcile(&ids).arg("--sandbox"), &[expected, &["ids.csv"]].concat());
        assert!(!place.report().exists() && !place.path("state.sqlite").exists(), "{name}: nothing was written");
    }
    let place = Place::new();
    assert_refused("missing", place.reconcile("none.csv").arg("--sandbox"), &["none.csv", "there is no such file"]);
    fs::create_dir(place.path("folder")).expect("writable");
    assert_refused(
        "a folder",
        place.reconcile("folder").arg("--sandbox"),
        &["folder: this is a folder", "name a CSV file"],
    );
}

#[test]
fn options_and_settings_that_can_not_be_used() {
    let place = Place::new();
    let ids = place.file("ids.csv", IDS);
    let cases: [(&[&str], &[&str]); 8] = [
        (&["--sandbox", "--rate", "0x"], &["--rate", "0x"]),
        (&["--sandbox", "--raet", "5"], &["--raet", "--rate"]),
        (&["--sandbox", "--tolerance", "a lot"], &["--tolerance", "not a decimal number"]),
        (&["--sandbox", "--encoding", "klingon"], &["klingon", "gb18030"]),
        (&["--sandbox", "--column", "id"], &["no column `id`", "`run_order_id`", "--column"]),
        (&["--sandbox", "--config", "none.toml"], &["none.toml"]),
        (&[], &["no API key", "CHENYU_API_KEY", "--api-key-file", "--sandbox"]),
        (&["--api-key-file", "none"], &["--api-key-file none"]),
    ];
    for (arguments, expected) in cases {
        let run = place.reconcile(&ids).args(arguments).output().expect("starts");
        assert_eq!(code(&run), 2, "{arguments:?}: {}", stderr(&run));
        for part in expected {
            assert!(stderr(&run).contains(part), "{arguments:?}: {part:?} is not in: {}", stderr(&run));
        }
        assert!(!place.report().exists(), "{arguments:?}");
    }
}

#[test]
fn a_foreign_state_file_is_not_touched() {
    let place = Place::new();
    let ids = place.file("ids.csv", IDS);
    let run = place.reconcile(&ids).args(["--sandbox", "--state", "ids.csv"]).output().expect("starts");
    assert_eq!(code(&run), 4);
    assert!(
        stderr(&run).contains("is not a tieout state file") && stderr(&run).contains("--state"),
        "{}",
        stderr(&run)
    );
    assert_eq!(fs::read_to_string(&ids).expect("there"), IDS);
}

#[test]
fn an_unknown_key_in_the_settings_file_is_named() {
    let place = Place::new();
    let ids = place.file("ids.csv", IDS);
    let settings = place.file("tieout.toml", "rate = 5\nconcurency = 3\n");
    let mut command = place.reconcile(&ids);
    command.arg("--sandbox").arg("--config").arg(&settings);
    assert_refused("an unknown key", &mut command, &["tieout.toml", "line 2", "concurency", "`concurrency`"]);
}

#[test]
fn a_settings_file_of_the_current_directory_is_not_read() {
    let place = Place::new();
    let ids = place.file("ids.csv", IDS);
    place.file("tieout.toml", "api-url = 'http://example.com'\n");
    let run = place.reconcile(&ids).arg("--sandbox").output().expect("starts");
    assert_eq!(code(&run), 0, "{}", stderr(&run));
}

#[test]
fn a_foreign_output_folder_is_not_touched() {
    let place = Place::new();
    let ids = place.file("ids.csv", IDS);
    fs::create_dir(place.path("report")).expect("writable");
    place.file("report/thesis.txt", "mine");
    assert_refused("foreign", place.reconcile(&ids).arg("--sandbox"), &["not a tieout report", "thesis.txt", "--out"]);
    assert_eq!(place.files().len(), 2, "nothing was written");
    assert_eq!(fs::read_to_string(place.path("report/thesis.txt")).expect("there"), "mine");
}

#[test]
fn the_key_is_not_sent_in_the_clear() {
    let place = Place::new();
    let ids = place.file("ids.csv", IDS);
    let mut command = place.reconcile(&ids);
    command.args(["--api-url", "http://example.com/api"]).env("CHENYU_API_KEY", "cy_secret");
    assert_refused("plain http", &mut command, &["must begin with https", "--api-url"]);
}

#[test]
fn checks_are_listed_and_explained() {
    let list = tieout().arg("checks").output().expect("starts");
    assert_eq!((code(&list), stdout(&list).lines().count()), (0, CATALOGUE.len()));
    let one = tieout().args(["checks", "quote-split"]).output().expect("starts");
    assert!(stdout(&one).contains("quote_amount = final_amount + released_amount"), "{}", stdout(&one));
    for line in stdout(&list).lines() {
        let name = line.split(' ').next().expect("a code");
        let one = tieout().args(["checks", name]).output().expect("starts");
        let explained = stdout(&one);
        let headings = ["  holds when  ", "  due         ", "  example     ", "  what to do  "];
        assert!(
            explained.starts_with(name) && headings.iter().all(|heading| explained.contains(heading)),
            "{explained}"
        );
    }
    assert_refused("unknown", tieout().args(["checks", "quote-spilt"]), &["quote-spilt", "quote-split"]);
}

#[test]
fn the_sandbox_shows_what_it_serves_and_logs_requests_on_demand() {
    let mut sandbox = tieout()
        .args(["sandbox", "--port", "0", "--log-requests"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut line = String::new();
    BufReader::new(sandbox.stdout.as_mut().expect("piped")).read_line(&mut line).expect("a line");
    let url = line.trim().rsplit(' ').next().expect("a URL").to_owned();
    assert!(url.starts_with("http://127.0.0.1:") && url.ends_with("/api/open/v2"), "{line}");
    let place = Place::new();
    let ids = place.file("ids.csv", IDS);
    let mut job = place.reconcile(&ids);
    let job = job.args(["--api-url", &url]).env("CHENYU_API_KEY", KEY).output().expect("starts");
    assert_eq!(code(&job), 0, "{}", stderr(&job));
    sandbox.kill().expect("running");
    let log = stderr(&sandbox.wait_with_output().expect("ends"));
    assert!(log.contains("workflow/run/info") && log.contains("200") && !log.contains(KEY), "{log}");
}

#[test]
fn the_help_is_as_committed() {
    for (name, arguments) in [
        ("tieout", vec!["--help"]),
        ("reconcile", vec!["reconcile", "--help"]),
        ("diff", vec!["diff", "--help"]),
        ("discover", vec!["discover", "--help"]),
        ("sandbox", vec!["sandbox", "--help"]),
    ] {
        let run = tieout().env("COLUMNS", "100").args(arguments).output().expect("starts");
        assert_eq!(code(&run), 0);
        insta::assert_snapshot!(format!("help_{name}"), stdout(&run));
    }
}

#[test]
fn the_version_names_the_build() {
    let run = tieout().arg("--version").output().expect("starts");
    let sum = Command::new("sha256sum").arg(env!("CARGO_BIN_EXE_tieout")).output().expect("sha256sum");
    let sum = stdout(&sum).split(' ').next().map(str::to_owned).expect("a sum");
    let expected = format!("tieout {}\ncommit unknown\nsha256 {sum}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!((code(&run), stdout(&run), stderr(&run)), (0, expected, String::new()), "a debug build names no commit");
}
