//! Several nights on one state: what a run takes over from earlier runs.

use std::process::Output;

use tieout::sandbox::{Anomaly, FaultPlan, KEY, Kind, Options, describe};

use crate::support::{Place, ReportFiles, Server, code, stderr, stdout, tieout};

const AS_OF: &str = "2026-06-01T00:00:00Z";
const OTHER_SEED: u64 = 7;

/// Orders that are of the first kind under the default seed and of the second kind under the other.
fn ids(first: Kind, second: Kind, count: usize) -> Vec<String> {
    let all = (0_u64..).map(|number| format!("wfrun_{number:020x}"));
    let fits = |id: &String| (describe(id, Options::default().seed), describe(id, OTHER_SEED)) == (first, second);
    all.filter(fits).take(count).collect()
}

fn sandbox(port: u16, seed: u64, fault: &str) -> Server {
    let faults = FaultPlan::from_specs([fault].into_iter().filter(|fault| !fault.is_empty())).expect("a plan");
    Server::start_at(port, Options { seed, journal: true, faults, ..Options::default() })
}

fn night(place: &Place, server: &Server, ids: &[String], arguments: &[&str]) -> Output {
    let input = place.file("ids.csv", format!("run_order_id\n{}\n", ids.join("\n")));
    let mut command = place.reconcile(input);
    command.env("CHENYU_API_KEY", KEY).args(["--api-url", &server.url, "--as-of", AS_OF]).args(arguments);
    command.output().expect("starts")
}

fn asked(server: &Server) -> Vec<String> {
    let mut asked: Vec<String> =
        server.journal.arrivals().into_iter().map(|arrival| arrival.run_order_id.expect("an order")).collect();
    asked.sort();
    asked
}

fn lifecycle(report: &ReportFiles) -> [u64; 4] {
    let counts = &report.json("summary.json")["lifecycle"];
    ["new", "persisting", "resolved", "not_assessed"].map(|name| counts[name].as_u64().expect("a count"))
}

#[test]
fn a_changed_settlement_is_found_every_night_until_it_is_restored() {
    let orders = ids(Kind::Clean, Kind::Clean, 3);
    let place = Place::new();
    let first = sandbox(0, Options::default().seed, "");
    let port = first.port();
    assert_eq!(code(&night(&place, &first, &orders, &[])), 0);
    let before = place.report().rows("spend_by_workflow.csv");
    assert_eq!(code(&night(&place, &first, &orders, &[])), 0, "an unchanged settlement is not a finding");
    drop(first);

    let changed = sandbox(port, OTHER_SEED, "");
    let mut count = 0;
    for expected_word in ["new", "persisting"] {
        let ended = night(&place, &changed, &orders, &[]);
        assert_eq!(code(&ended), 1, "{}", stderr(&ended));
        let report = place.report();
        let rows = report.rows("discrepancies.csv");
        for row in &rows {
            assert_eq!((row["check"].as_str(), row["lifecycle"].as_str()), ("restated", expected_word));
            let begins = format!("changed since it was settled: {} ", row["field"]);
            assert!(row["message"].starts_with(&begins), "{}", row["message"]);
        }
        count = rows.len() as u64;
        assert_eq!(lifecycle(&report), if expected_word == "new" { [count, 0, 0, 0] } else { [0, count, 0, 0] });
        let rows: Vec<_> = rows.into_iter().filter(|row| row["field"] == "final_amount").collect();
        assert_eq!(rows.iter().map(|row| row["run_order_id"].clone()).collect::<Vec<_>>(), orders);
        // The report has the baseline and the new figures, and both add up to the spend of their night.
        let sum = |column: &str| rows.iter().map(|row| units(&row[column])).sum::<i128>();
        let spend = |rows: &[std::collections::BTreeMap<String, String>]| {
            rows.iter().map(|row| units(&row["final_amount"])).sum::<i128>()
        };
        assert_eq!(sum("expected"), spend(&before));
        assert_eq!(sum("actual"), spend(&report.rows("spend_by_workflow.csv")));
        assert_eq!(sum("difference"), sum("actual") - sum("expected"));
    }
    drop(changed);

    let restored = sandbox(port, Options::default().seed, "");
    assert_eq!(code(&night(&place, &restored, &orders, &[])), 0);
    assert_eq!(lifecycle(&place.report()), [0, 0, count, 0]);
    let resolved = place.report().rows("resolved.csv");
    let charges = resolved.iter().filter(|row| row["field"] == "final_amount");
    assert_eq!(charges.map(|row| row["run_order_id"].clone()).collect::<Vec<_>>(), orders);
    assert!(resolved.iter().all(|row| row["check"] == "restated"));
}

/// A figure with 8 decimals in units of 10⁻⁸.
fn units(figure: &str) -> i128 {
    let (whole, decimals) = figure.split_once('.').expect("a decimal point");
    assert_eq!(decimals.len(), 8, "{figure}");
    format!("{whole}{decimals}").parse().expect("digits")
}

#[test]
fn an_order_that_was_not_judged_keeps_its_discrepancies_for_the_next_night() {
    let orders = ids(Kind::Clean, Kind::Clean, 2);
    let place = Place::new();
    let first = sandbox(0, Options::default().seed, "");
    let port = first.port();
    assert_eq!(code(&night(&place, &first, &orders, &[])), 0);
    drop(first);
    let changed = sandbox(port, OTHER_SEED, "");
    assert_eq!(code(&night(&place, &changed, &orders, &[])), 1);
    let rows = place.report().rows("discrepancies.csv");
    let of = |order: &String| rows.iter().filter(|row| row["run_order_id"] == *order).count() as u64;
    let [lost, kept] = [of(&orders[0]), of(&orders[1])];
    assert!(lost > 0 && kept > 0);
    drop(changed);

    let broken = sandbox(port, OTHER_SEED, &format!("status=500,ids={}", orders[0]));
    assert_eq!(code(&night(&place, &broken, &orders, &["--retries", "0"])), 3);
    assert_eq!(lifecycle(&place.report()), [0, kept, 0, lost]);
    assert!(place.report().rows("resolved.csv").is_empty(), "a missing order is not clean");
    drop(broken);
    let changed = sandbox(port, OTHER_SEED, "");
    assert_eq!(code(&night(&place, &changed, &orders, &["--fresh"])), 1);
    assert_eq!(lifecycle(&place.report()), [0, kept + lost, 0, 0]);
}

#[test]
fn settled_orders_are_not_asked_for_again() {
    let settled = ids(Kind::Clean, Kind::Clean, 4);
    let pending = ids(Kind::Pending, Kind::Clean, 3);
    let mut all = [settled.clone(), pending.clone()].concat();
    all.sort();
    let place = Place::new();
    let first = sandbox(0, Options::default().seed, "");
    let port = first.port();
    assert_eq!(code(&night(&place, &first, &all, &["--reuse-settled", "30d"])), 0);
    assert_eq!(asked(&first), all, "nothing is known yet");
    let report = place.report();
    let spend = report.bytes("spend_by_revision.csv");
    assert_eq!(report.json("summary.json")["reused"], 0);
    drop(first);

    let second = sandbox(port, Options::default().seed, "");
    let ended = night(&place, &second, &all, &["--reuse-settled", "30d"]);
    assert_eq!(code(&ended), 0);
    assert!(stdout(&ended).contains("4 orders were not fetched again"), "{}", stdout(&ended));
    assert_eq!(asked(&second), pending, "only pending orders");
    assert_eq!(place.report().json("summary.json")["reused"], 4);
    assert_eq!(place.report().bytes("spend_by_revision.csv"), spend, "the same figures");
    drop(second);

    let third = sandbox(port, Options::default().seed, "");
    assert_eq!(code(&night(&place, &third, &all, &["--reuse-settled", "1ms"])), 0);
    assert_eq!(asked(&third), all, "every settlement is older than that");
}

#[test]
fn an_incomplete_run_is_continued_and_asks_only_for_what_is_missing() {
    let orders = ids(Kind::Clean, Kind::Clean, 5);
    let whole = Place::new();
    let faultless = sandbox(0, Options::default().seed, "");
    assert_eq!(code(&night(&whole, &faultless, &orders, &[])), 0);

    let place = Place::new();
    let broken = sandbox(0, Options::default().seed, &format!("status=500,ids={},times=1", orders[3]));
    assert_eq!(code(&night(&place, &broken, &orders, &["--retries", "0"])), 3);
    let incomplete = place.report().bytes("manifest.json");
    let before = broken.journal.arrivals().len();
    let ended = night(&place, &broken, &orders, &["--retries", "0"]);
    assert_eq!(code(&ended), 0, "{}", stderr(&ended));
    assert!(stderr(&ended).contains("continuing run 1") && stderr(&ended).contains("4 of 5 rows are done"));
    let again: Vec<_> = broken.journal.arrivals().split_off(before);
    assert_eq!(again.into_iter().filter_map(|arrival| arrival.run_order_id).collect::<Vec<_>>(), [orders[3].clone()]);
    for name in ["summary.json", "run_orders.parquet", "evidence.jsonl", "spend_by_revision.csv", "exceptions.csv"] {
        assert_eq!(place.report().bytes(name), whole.report().bytes(name), "{name}");
    }
    let replaced = &place.report().json("manifest.json")["earlier"]["replaces"];
    assert_eq!(*replaced, serde_json::json!([sha256(&incomplete)]));
}

#[test]
fn a_complete_report_replaces_the_incomplete_one_in_a_reports_folder() {
    let orders = ids(Kind::Clean, Kind::Clean, 5);
    let place = Place::new();
    let broken = sandbox(0, Options::default().seed, &format!("status=500,ids={},times=2", orders[3]));
    let night = || {
        let mut command = tieout();
        command.arg("reconcile").arg(place.file("ids.csv", format!("run_order_id\n{}\n", orders.join("\n"))));
        command.args(["--rate", "0", "--state"]).arg(place.path("state.sqlite"));
        command.arg("--reports-dir").arg(place.path("reports"));
        command.env("CHENYU_API_KEY", KEY).args(["--api-url", &broken.url, "--as-of", AS_OF, "--retries", "0"]);
        code(&command.output().expect("starts"))
    };
    let folder = place.path("reports");
    let manifest = || std::fs::read(folder.join("latest/manifest.json")).expect("a manifest");
    let mut incomplete = Vec::new();
    for expected in [3, 3, 0] {
        assert_eq!(night(), expected);
        incomplete.push(sha256(&manifest()));
    }
    incomplete.pop();
    let stamp: serde_json::Value = serde_json::from_slice(&manifest()).expect("JSON");
    assert_eq!(stamp["earlier"]["replaces"], serde_json::json!(incomplete));
    assert!(stamp["previous"].is_null(), "it took the place of the first report: {}", stamp["previous"]);
    let mut names: Vec<_> =
        std::fs::read_dir(&folder).expect("there").map(|entry| entry.expect("there").file_name()).collect();
    names.sort();
    assert_eq!(names, ["20260601T000000Z", "index.html", "latest"]);

    // The next report follows the complete one.
    assert_eq!(night(), 0);
    let stamp: serde_json::Value = serde_json::from_slice(&manifest()).expect("JSON");
    assert_eq!(stamp["previous"]["report"], "20260601T000000Z");
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    hex::encode(sha2::Sha256::digest(bytes))
}

#[test]
fn a_changed_input_changed_settings_or_an_option_start_a_new_run_and_say_why() {
    let orders = ids(Kind::Clean, Kind::Clean, 4);
    let cases: [(&[&str], usize, &str); 4] = [
        (&["--tolerance", "1"], 4, "the settings that affect judgement have changed"),
        (&["--fresh"], 4, "--fresh was given"),
        (&["--resume-within", "1ms"], 4, "longer ago than --resume-within"),
        (&[], 3, "the input has changed"),
    ];
    for (arguments, count, reason) in cases {
        let place = Place::new();
        let broken = sandbox(0, Options::default().seed, &format!("status=500,ids={},times=1", orders[1]));
        assert_eq!(code(&night(&place, &broken, &orders, &["--retries", "0"])), 3, "{reason}");
        let before = broken.journal.arrivals().len();
        let ended = night(&place, &broken, &orders[..count], arguments);
        assert_eq!(code(&ended), 0, "{reason}: {}", stderr(&ended));
        let printed = stderr(&ended);
        assert!(printed.contains("starting a new run: run 1") && printed.contains(reason), "{reason}: {printed}");
        assert_eq!(broken.journal.arrivals().len() - before, count, "{reason}: all orders are asked for");
    }
}

#[test]
fn a_later_report_is_proved_and_audited_even_after_a_prune() {
    let settled = ids(Kind::Clean, Kind::Clean, 3);
    let mended = ids(Kind::Anomalous(Anomaly::ExternalLeftOut), Kind::Clean, 2);
    let mut all = [settled.clone(), mended.clone()].concat();
    all.sort();
    let place = Place::new();
    let first = sandbox(0, Options::default().seed, "");
    let port = first.port();
    assert_eq!(code(&night(&place, &first, &all, &[])), 1);
    drop(first);
    let second = sandbox(port, OTHER_SEED, "");
    let ended = night(&place, &second, &all, &[]);
    assert_eq!(code(&ended), 1);
    let report = place.report();
    assert_eq!(lifecycle(&report)[2], 2, "two are resolved");
    let new = report.rows("discrepancies.csv").len();
    let expected = format!("Since the orders were last judged: {new} new, 0 persisting, 2 resolved");
    assert!(stdout(&ended).contains(&expected), "{}", stdout(&ended));
    assert!(report.rows("discrepancies.csv").iter().any(|row| row["check"] == "restated"));

    let command = |arguments: &[&str]| {
        let mut command = tieout();
        command.current_dir(place.path("")).args(arguments).output().expect("starts")
    };
    let proven = || {
        let verified = command(&["verify", "report", "--state", "state.sqlite"]);
        assert_eq!(code(&verified), 0, "{}{}", stdout(&verified), stderr(&verified));
        let audited = command(&["audit", "report", "--out", "again"]);
        assert_eq!(code(&audited), 1, "{}", stderr(&audited));
        let again = ReportFiles(place.path("again"));
        for name in ["summary.json", "discrepancies.csv", "resolved.csv", "evidence.jsonl", "spend_by_workflow.csv"] {
            assert_eq!(again.bytes(name), report.bytes(name), "{name}");
        }
        let verified = command(&["verify", "again", "--files-only"]);
        assert_eq!(code(&verified), 0, "an audit is proved like a report: {}", stdout(&verified));
    };
    proven();
    let pruned = command(&["prune", "--keep", "1ms", "--state", "state.sqlite", "--reports-dir", "none"]);
    assert_eq!(code(&pruned), 0, "{}", stderr(&pruned));
    proven();

    // The prune kept the memory: the settlement still differs from the baseline.
    assert_eq!(code(&night(&place, &second, &all, &[])), 1);
    assert_eq!(lifecycle(&place.report())[1], lifecycle(&report)[1]);
    let rows = place.report().rows("discrepancies.csv");
    let restated = rows.iter().filter(|row| row["check"] == "restated").map(|row| &row["run_order_id"]);
    assert_eq!(restated.collect::<std::collections::BTreeSet<_>>().len(), settled.len() + mended.len());
}
