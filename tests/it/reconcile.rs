//! The job from outside: the real binary against a real sandbox, the files it leaves and its exit code.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::process::Stdio;

use sha2::{Digest, Sha256};
use tieout::sandbox::{Anomaly, KEY, Kind, Malformation, Options, describe};

use crate::support::{Place, ReportFiles, Server, code, repository, stderr, stdout};

const SAMPLE_AS_OF: [&str; 5] = ["--sandbox", "--as-of", "2026-06-01T00:00:00Z", "--format", "html,xlsx,focus"];
const FILES: [&str; 15] = [
    "discrepancies.csv",
    "evidence.jsonl",
    "exceptions.csv",
    "focus.csv",
    "manifest.json",
    "pending.csv",
    "reperform.sql",
    "report.html",
    "report.xlsx",
    "resolved.csv",
    "run_orders.parquet",
    "spend_by_day.csv",
    "spend_by_revision.csv",
    "spend_by_workflow.csv",
    "summary.json",
];

const COST_ROUNDING: &[Kind] = &[Kind::Anomalous(Anomaly::CostRounding)];
const MALFORMED: &[Kind] = &{
    let mut kinds = [Kind::Clean; Malformation::ALL.len()];
    let mut at = 0;
    while at < kinds.len() {
        kinds[at] = Kind::Malformed(Malformation::ALL[at]);
        at += 1;
    }
    kinds
};

/// IDs of sandbox orders of one of these kinds.
fn ids_of(kinds: &[Kind], count: usize) -> Vec<String> {
    let seed = Options::default().seed;
    let all = (0_u64..).map(|number| format!("wfrun_{number:020x}"));
    all.filter(|id| kinds.contains(&describe(id, seed))).take(count).collect()
}

fn csv_of(ids: &[String]) -> String {
    format!("run_order_id\n{}\n", ids.join("\n"))
}

/// The rows of the table in sample_data/README.md with these headings.
fn promised(headings: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(repository("sample_data/README.md")).expect("the sample's README");
    let rows: Vec<Vec<String>> = text
        .lines()
        .skip_while(|line| *line != headings)
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line[1..line.len() - 1].split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect())
        .collect();
    assert!(!rows.is_empty(), "the README has the table {headings}");
    rows
}

#[test]
fn the_sample_has_exactly_what_its_readme_promises() {
    let place = Place::new();
    let run = place.reconcile(repository("sample_data/ids.csv")).args(SAMPLE_AS_OF).output().expect("starts");
    assert_eq!(code(&run), 1, "{}", stderr(&run));
    let report = place.report();
    let rows = report.rows("discrepancies.csv");
    for (severity, word) in [("error", "check"), ("warning", "warning")] {
        let found: Vec<Vec<String>> = rows
            .iter()
            .filter(|row| row["severity"] == severity)
            .map(|row| {
                let columns = ["input_line", "run_order_id", "check", "expected", "actual", "difference"];
                columns.map(|column| row[column].clone()).to_vec()
            })
            .collect();
        assert_eq!(found, promised(&format!("| line | order | {word} | expected | actual | difference |")));
    }

    let mut sum = 0;
    for bucket in promised("| bucket | rows |") {
        let count: u64 = bucket[1].split(' ').next().unwrap_or_default().parse().expect("a count");
        let name = if bucket[0] == "rows read" { "rows" } else { &bucket[0] };
        assert_eq!(report.population(name), count, "{name}");
        sum += if name == "rows" { 0 } else { count };
    }
    assert_eq!(report.population("rows"), sum, "the buckets sum to the rows read");
    let printed = stdout(&run);
    assert!(printed.starts_with("Verdict: DISCREPANT") && printed.contains("not a failure of the job"), "{printed}");
}

#[test]
fn the_committed_sample_report_is_what_the_program_makes_today() {
    for (language, sample, concurrency) in [("en", "reports/sample", "1"), ("zh-CN", "reports/sample-zh-CN", "64")] {
        let place = Place::new();
        let mut run = place.reconcile(repository("sample_data/ids.csv"));
        let run =
            run.args(SAMPLE_AS_OF).args(["--lang", language, "--concurrency", concurrency]).output().expect("starts");
        assert_eq!(code(&run), 1, "{}", stderr(&run));
        let (made, committed) = (place.report(), ReportFiles(repository(sample)));
        for name in FILES.into_iter().filter(|name| *name != "manifest.json") {
            assert!(made.bytes(name) == committed.bytes(name), "{name} differs: look, then run `make sample`");
        }
        assert_eq!(made.json("manifest.json")["files"], committed.json("manifest.json")["files"]);
    }
}

#[test]
fn the_chinese_sample_says_the_same() {
    let place = Place::new();
    let mut run = place.reconcile(repository("sample_data/ids-gb18030.csv"));
    assert_eq!(code(&run.args(SAMPLE_AS_OF).output().expect("starts")), 1);
    for name in FILES.into_iter().filter(|name| *name != "manifest.json") {
        assert!(place.report().bytes(name) == ReportFiles(repository("reports/sample")).bytes(name), "{name}");
    }
}

#[test]
fn the_manifest_hashes_every_other_file() {
    let place = Place::new();
    let ids = place.file("ids.csv", csv_of(&ids_of(&[Kind::Clean], 3)));
    let input = fs::read(&ids).expect("readable");
    assert_eq!(code(&place.reconcile(&ids).arg("--sandbox").output().expect("starts")), 0);
    let (report, manifest) = (place.report(), place.report().json("manifest.json"));
    let listed: Vec<&str> = manifest["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|file| {
            let name = file["name"].as_str().expect("a name");
            let bytes = report.bytes(name);
            assert_eq!(file["sha256"], hex::encode(Sha256::digest(&bytes)), "{name}");
            assert_eq!(file["bytes"], bytes.len(), "{name}");
            name
        })
        .collect();
    let expected: Vec<&str> = FILES.into_iter().filter(|name| !["manifest.json", "focus.csv"].contains(name)).collect();
    assert_eq!(listed, expected);
    assert_eq!(manifest["input"]["sha256"], hex::encode(Sha256::digest(&input)));
    assert_eq!(manifest["input"]["rows"], 3);
}

/// Name, kinds of orders, arguments, exit code, verdict.
type VerdictCase = (&'static str, &'static [Kind], &'static [&'static str], i32, &'static str);

/// Arguments under which no pending order is stale: none is this old.
const YOUNG: &[&str] = &["--stale-after", "36500d"];

#[test]
fn each_verdict_has_its_exit_code() {
    let cases: [VerdictCase; 9] = [
        ("clean", &[Kind::Clean, Kind::FailedRun], &[], 0, "reconciled"),
        ("pending", &[Kind::Pending], YOUNG, 0, "pending"),
        (
            "pending that is to fail",
            &[Kind::Pending],
            &["--stale-after", "36500d", "--fail-on", "pending"],
            1,
            "pending",
        ),
        ("pending for too long", &[Kind::Pending], &[], 0, "warnings"),
        ("discrepant", COST_ROUNDING, &[], 1, "discrepant"),
        ("off by a unit, tolerated", COST_ROUNDING, &["--tolerance", "0.00000001"], 0, "reconciled"),
        ("not found", &[Kind::NotFound], &[], 1, "discrepant"),
        ("refused", &[Kind::RefusedInBody, Kind::Refused], &[], 1, "discrepant"),
        ("malformed", MALFORMED, &[], 3, "incomplete"),
    ];
    for (name, kinds, arguments, exit, verdict) in cases {
        let place = Place::new();
        let ids = place.file("ids.csv", csv_of(&ids_of(kinds, 12)));
        let run = place.reconcile(&ids).arg("--sandbox").args(arguments).output().expect("starts");
        assert_eq!((code(&run), place.report().verdict().as_str()), (exit, verdict), "{name}: {}", stderr(&run));
        assert_eq!(place.report().population("rows"), 12, "{name}");
        assert_eq!(place.report().json("summary.json")["exit_code"], exit, "{name}");
    }
}

#[test]
fn a_warning_does_not_hide_what_is_pending() {
    let place = Place::new();
    let mut rows = ids_of(&[Kind::Pending], 2);
    rows.push(rows[0].clone());
    let ids = place.file("ids.csv", csv_of(&rows));
    for (arguments, exit) in [(&[][..], 0), (&["--fail-on", "pending"], 1), (&["--fail-on", "warnings"], 1)] {
        let run = place.reconcile(&ids).arg("--sandbox").args(arguments).output().expect("starts");
        assert_eq!((code(&run), place.report().verdict().as_str()), (exit, "warnings"), "{arguments:?}");
    }
}

#[test]
fn differences_within_tolerance_are_a_control_total() {
    let place = Place::new();
    let ids = place.file("ids.csv", csv_of(&ids_of(COST_ROUNDING, 4)));
    assert_eq!(code(&place.reconcile(&ids).arg("--sandbox").output().expect("starts")), 1);
    let off: Vec<String> =
        place.report().rows("discrepancies.csv").iter().map(|row| row["difference"].clone()).collect();
    let up = off.iter().filter(|difference| *difference == "0.00000001").count();
    let down = off.iter().filter(|difference| *difference == "-0.00000001").count();
    assert_eq!((off.len(), up + down), (4, 4), "each is off by one unit: {off:?}");
    assert_ne!(up, 0, "both ways");
    assert_ne!(down, 0, "both ways");

    let run = place.reconcile(&ids).args(["--sandbox", "--tolerance", "0.00000001"]).output().expect("starts");
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    assert_eq!(place.report().rows("discrepancies.csv").len(), 0);
    let sign = if up < down { "-" } else { "" };
    let net = format!("{sign}0.0000000{}", up.abs_diff(down));
    let passed = &place.report().json("summary.json")["control_totals"]["CNY"]["passed_by_tolerance"];
    assert_eq!(*passed, serde_json::json!({"passes": 4, "net": net, "gross": "0.00000004"}));
}

#[test]
fn an_empty_input_is_never_reconciled() {
    for content in ["", "run_order_id\n", "run_order_id,note\n\n\n"] {
        let place = Place::new();
        let ids = place.file("ids.csv", content);
        let run = place.reconcile(&ids).arg("--sandbox").output().expect("starts");
        assert_eq!((code(&run), place.report().verdict().as_str()), (3, "incomplete"), "{content:?}");
        assert!(stdout(&run).contains("the input has no rows"), "{}", stdout(&run));
        let run = place.reconcile(&ids).args(["--sandbox", "--allow-empty"]).output().expect("starts");
        assert_eq!((code(&run), place.report().verdict().as_str()), (0, "empty"), "{content:?}");
    }
}

#[test]
fn an_input_without_a_usable_row_is_never_reconciled() {
    let place = Place::new();
    let ids = place.file("ids.csv", "order_id\ntwo words\n\"\"\n");
    let run = place.reconcile(&ids).arg("--sandbox").output().expect("starts");
    assert_eq!((code(&run), place.report().verdict().as_str()), (3, "incomplete"));
    assert_eq!(place.report().population("rejected"), 2);
    assert!(stdout(&run).contains("no row led to an order"), "{}", stdout(&run));
}

#[test]
fn a_currency_that_is_not_expected_is_found() {
    let place = Place::new();
    let ids = place.file("ids.csv", csv_of(&ids_of(&[Kind::Anomalous(Anomaly::ForeignCurrency)], 2)));
    assert_eq!(code(&place.reconcile(&ids).arg("--sandbox").output().expect("starts")), 0);
    let run = place.reconcile(&ids).args(["--sandbox", "--currency", "CNY"]).output().expect("starts");
    assert_eq!(code(&run), 1);
    let rows = place.report().rows("discrepancies.csv");
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row["check"] == "currency" && row["expected"] == "CNY" && row["actual"] == "USD"));
}

#[test]
fn standard_input_and_json_output() {
    let place = Place::new();
    let mut child = place
        .reconcile("-")
        .args(["--sandbox", "--output", "json", "--account", "studio 东"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let csv = csv_of(&ids_of(&[Kind::Clean], 5));
    child.stdin.take().expect("piped").write_all(csv.as_bytes()).expect("taken");
    let run = child.wait_with_output().expect("ends");
    assert_eq!(code(&run), 0);
    let summary: serde_json::Value = serde_json::from_slice(&run.stdout).expect("standard output is JSON alone");
    assert_eq!(summary, place.report().json("summary.json"));
    assert_eq!(summary["account"], "studio 东");
    assert_eq!(place.report().json("manifest.json")["input"]["name"], "stdin");
}

#[test]
fn a_pipe_is_read_like_standard_input() {
    let place = Place::new();
    let fifo = place.path("ids.fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    let csv = csv_of(&ids_of(&[Kind::Clean], 4));
    let writer = std::thread::spawn({
        let fifo = fifo.clone();
        move || fs::write(fifo, csv)
    });
    let run = place.reconcile(&fifo).args(["--sandbox", "-q"]).output().expect("starts");
    writer.join().expect("ends").expect("taken");
    assert_eq!((code(&run), stdout(&run).as_str(), stderr(&run).as_str()), (0, "", ""));
    assert_eq!(place.report().population("reconciled"), 4);
}

#[test]
fn reports_collect_in_their_folder_and_latest_points_at_the_newest() {
    let place = Place::new();
    let ids = place.file("ids.csv", csv_of(&ids_of(&[Kind::Clean], 2)));
    for as_of in ["2026-06-01T00:00:00Z", "2026-06-02T08:00:00+08:00"] {
        let run = crate::support::tieout()
            .args(["reconcile", "--sandbox", "--rate", "0", "--as-of", as_of, "--reports-dir"])
            .arg(place.path("reports"))
            .arg(&ids)
            .output()
            .expect("starts");
        assert_eq!(code(&run), 0, "{}", stderr(&run));
    }
    let names: BTreeSet<String> = fs::read_dir(place.path("reports"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with(".state"))
        .collect();
    assert_eq!(names, ["20260601T000000Z", "20260602T000000Z", "index.html", "latest"].map(str::to_owned).into());
    assert_eq!(fs::read_link(place.path("reports/latest")).expect("a link").to_str(), Some("20260602T000000Z"));
}

#[test]
fn the_limit_of_a_real_server_is_kept() {
    let server = Server::start(Options { rate_limit: Some(40), ..Options::default() });
    let place = Place::new();
    let ids = place.file("ids.csv", csv_of(&ids_of(&[Kind::Clean, Kind::FailedRun], 60)));
    let mut run = place.reconcile(&ids);
    let run = run.args(["--api-url", &server.url, "--rate", "40"]).env("CHENYU_API_KEY", KEY).output().expect("starts");
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    // Without a rate limit the server refuses most requests, yet every order is fetched.
    let mut run = place.reconcile(&ids);
    let run = run.args(["--api-url", &server.url]).env("CHENYU_API_KEY", KEY).output().expect("starts");
    assert_eq!((code(&run), place.report().verdict().as_str()), (0, "reconciled"), "{}", stderr(&run));
}

#[test]
fn a_rejected_key_ends_the_job_at_once_without_a_report() {
    let server = Server::start(Options::default());
    let place = Place::new();
    let ids = place.file("ids.csv", csv_of(&ids_of(&[Kind::Clean], 50)));
    let mut run = place.reconcile(&ids);
    let run = run.args(["--api-url", &server.url]).env("CHENYU_API_KEY", "cy_wrong_key").output().expect("starts");
    assert_eq!(code(&run), 4);
    let printed = stderr(&run);
    assert!(printed.contains("rejects the API key") && printed.contains("CHENYU_API_KEY"), "{printed}");
    assert!(!printed.contains("cy_wrong_key"), "{printed}");
    assert!(!place.report().exists());
}

#[test]
fn a_provider_that_never_answers_makes_no_report() {
    let place = Place::new();
    let ids = place.file("ids.csv", csv_of(&ids_of(&[Kind::Clean], 2)));
    let mut run = place.reconcile(&ids);
    run.args(["--api-url", "http://127.0.0.1:1/api", "--retries", "1"]).env("CHENYU_API_KEY", "cy_x");
    let run = run.output().expect("starts");
    assert_eq!(code(&run), 4);
    assert!(stderr(&run).contains("never answered") && stderr(&run).contains("--api-url"), "{}", stderr(&run));
    assert!(!place.report().exists());
}

#[test]
fn neither_the_key_nor_a_prompt_is_left_anywhere() {
    let server = Server::start(Options::default());
    let place = Place::new();
    let mut ids = ids_of(MALFORMED, 10);
    let foreign = Kind::Anomalous(Anomaly::IdentityMismatch);
    ids.extend(ids_of(&[Kind::Clean, Kind::FailedRun, Kind::Pending, Kind::RefusedInBody, foreign], 60));
    let ids = place.file("ids.csv", csv_of(&ids));
    let key = place.file("key", KEY);
    let mut run = place.reconcile(&ids);
    let run = run.args(["-vv", "--api-url", &server.url, "--api-key-file"]).arg(&key).output().expect("starts");
    assert_eq!(code(&run), 3, "{}", stderr(&run));
    fs::remove_file(&key).expect("there");
    let mut texts = vec![("standard output".to_owned(), run.stdout), ("standard error".to_owned(), run.stderr)];
    texts
        .extend(place.files().into_iter().map(|path| (path.display().to_string(), fs::read(&path).expect("readable"))));
    assert!(texts.len() > 10, "report and state are there");
    for (name, bytes) in texts {
        for secret in [KEY, "PRIVATE PROMPT"] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{name} holds {secret}");
        }
    }
}

#[test]
fn a_signal_stops_the_job_without_a_report() {
    for (signal, exit) in [("-INT", 130), ("-TERM", 143)] {
        let place = Place::new();
        let ids = place.file("ids.csv", csv_of(&ids_of(&[Kind::Clean], 200)));
        let child = place
            .reconcile(&ids)
            .args(["--sandbox", "--rate", "20"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        std::thread::sleep(std::time::Duration::from_millis(1_500));
        let killed = std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
        assert!(killed.success());
        let run = child.wait_with_output().expect("ends");
        assert_eq!(code(&run), exit, "{}", stderr(&run));
        assert!(stderr(&run).contains("kept in the state"), "{}", stderr(&run));
        assert!(!place.report().exists());
    }
}
