//! `tieout status` and `tieout verify --all`: whether the nights of a reports folder are all there, recent and proven.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tieout::sandbox::{FaultPlan, KEY, Options};

use crate::support::{Place, Server, code, repository, stderr, stdout, tieout};

const FEW: &str = "run_order_id\nwfrun_00000000000000000001\nwfrun_00000000000000000002\n";

/// Runs a night against the sandbox at two in the morning (UTC) of a day in June, below `reports`.
fn night(place: &Place, day: u8) {
    night_of(place, day, &["--sandbox"]);
}

/// Runs a night against a provider of one's own, which makes it no trial.
fn real_night(place: &Place, day: u8, server: &Server) {
    night_of(place, day, &["--api-url", &server.url, "--rate", "0"]);
}

fn night_of(place: &Place, day: u8, provider: &[&str]) {
    let ids = place.file("ids.csv", FEW);
    let mut command = tieout();
    command.arg("reconcile").arg(ids).args(provider).args(["-q", "--format", "csv,json"]).env("CHENYU_API_KEY", KEY);
    command.args(["--as-of", &format!("2026-06-{day:02}T02:00:00Z"), "--reports-dir"]).arg(place.path("reports"));
    let ended = command.output().expect("starts");
    assert!(code(&ended) < 2, "{}", stderr(&ended));
}

fn nights(days: impl IntoIterator<Item = u8>) -> Place {
    let place = Place::new();
    place.file("tieout.toml", "timezone = \"UTC\"\n[schedule]\nevery = \"24h\"\n");
    days.into_iter().for_each(|day| night(&place, day));
    place
}

fn of_the_folder(place: &Place, command: &str) -> Command {
    let mut started = tieout();
    started.arg(command).arg("--reports-dir").arg(place.path("reports")).current_dir(place.path(""));
    started
}

/// The status on a day in June at ten in the morning.
fn status(place: &Place, day: u8, arguments: &[&str]) -> Output {
    let mut command = of_the_folder(place, "status");
    command.args(["--as-of", &format!("2026-06-{day:02}T10:00:00Z"), "--min-free", "0"]).args(arguments);
    command.arg("--config").arg(place.path("tieout.toml")).output().expect("starts")
}

/// The codes of the problems, which must be the reason for the exit code.
fn problems(place: &Place, day: u8, arguments: &[&str]) -> Vec<String> {
    let ended = status(place, day, &[arguments, &["--output", "json"]].concat());
    let json: Value = serde_json::from_slice(&ended.stdout).expect("JSON");
    let problems = json["problems"].as_array().expect("a list");
    let codes: Vec<String> = problems.iter().map(|problem| problem["code"].as_str().expect("a code").into()).collect();
    assert_eq!(
        (code(&ended), json["well"].as_bool()),
        (i32::from(!codes.is_empty()), Some(codes.is_empty())),
        "{json}"
    );
    codes
}

fn verify_all(place: &Place) -> (i32, Value) {
    let mut command = tieout();
    command.args(["verify", "--all", "--output", "json"]).arg(place.path("reports"));
    let ended = command.output().expect("starts");
    (code(&ended), serde_json::from_slice(&ended.stdout).expect("JSON"))
}

fn report(place: &Place, day: u8) -> std::path::PathBuf {
    place.path("reports").join(format!("202606{day:02}T020000Z"))
}

/// Each report with the value of a field.
fn each<'j>(proof: &'j Value, field: &str) -> Vec<(&'j str, &'j Value)> {
    let reports = proof["reports"].as_array().expect("a list");
    reports.iter().map(|report| (report["report"].as_str().expect("a name"), &report[field])).collect()
}

fn append(file: &Path, text: &str) {
    let content = fs::read_to_string(file).expect("readable");
    fs::write(file, content + text).expect("writable");
}

#[test]
fn a_good_night_is_one_line_and_exit_0() {
    let place = nights(1..=3);
    let ended = status(&place, 3, &[]);
    assert_eq!(code(&ended), 0, "{}", stdout(&ended));
    let verdict = fs::read_to_string(report(&place, 3).join("manifest.json")).expect("a manifest");
    let verdict: Value = serde_json::from_str(&verdict).expect("JSON");
    let verdict = verdict["verdict"].as_str().expect("a verdict").to_uppercase();
    assert_eq!(
        stdout(&ended),
        format!("OK: 20260603T020000Z, 8h old, {verdict}, proven; 3 nights, none missing since 2026-06-01\n")
    );
    let chinese = stdout(&status(&place, 3, &["--lang", "zh-CN"]));
    assert!(chinese.starts_with("正常") && chinese.contains("已验证") && chinese.lines().count() == 1, "{chinese}");
    assert_eq!(problems(&place, 3, &["--since", "2026-06-01"]), [""; 0]);
}

#[test]
fn a_missing_night_is_found() {
    let place = nights([1, 2, 4]);
    assert_eq!(problems(&place, 4, &[]), ["nights-missing"]);
    let line = stdout(&status(&place, 4, &[]));
    assert!(line.starts_with("PROBLEM: ") && line.contains("a night is missing: 2026-06-03;"), "{line}");
    // Two more days are over on the fifth if nights are expected from 30 May on.
    let earlier = stdout(&status(&place, 4, &["--since", "2026-05-30"]));
    assert!(earlier.contains("3 nights are missing, the first is 2026-05-30"), "{earlier}");
    // The day that is not over yet may still get its report.
    assert_eq!(problems(&place, 5, &["--max-age", "48h", "--since", "2026-06-04"]), [""; 0]);
    assert_eq!(problems(&place, 6, &["--max-age", "90h", "--since", "2026-06-04"]), ["nights-missing"]);
}

#[test]
fn a_report_that_is_old_incomplete_or_absent_is_found() {
    let place = nights([1]);
    assert_eq!(problems(&place, 2, &[]), ["too-old"], "32 hours");
    assert_eq!(problems(&place, 2, &["--max-age", "33h"]), [""; 0]);
    let before = ["--max-age", "33h", "--since", "2026-06-01", "--as-of", "2026-06-01T00:00:00Z"];
    let mut early = of_the_folder(&place, "status");
    early.args(before).args(["--min-free", "0", "--output", "json"]);
    assert!(stdout(&early.output().expect("starts")).contains("\"from-the-future\""));

    let nothing = Place::new();
    let ended = of_the_folder(&nothing, "status").output().expect("starts");
    assert_eq!(code(&ended), 1);
    assert!(stdout(&ended).starts_with("PROBLEM: there is no report in "), "{}", stdout(&ended));

    // A server that answers one of two orders with rubbish makes a report with exit code 3.
    let faults = FaultPlan::from_specs(["html,ids=*2"]).expect("a plan");
    let server = Server::start(Options { faults, ..Options::default() });
    let mut command = tieout();
    command.arg("reconcile").arg(place.path("ids.csv")).args(["--api-url", &server.url, "-q", "--retries", "0"]);
    command.env("CHENYU_API_KEY", KEY).args(["--as-of", "2026-06-02T02:00:00Z", "--reports-dir"]);
    let ended = command.arg(place.path("reports")).output().expect("starts");
    assert_eq!(code(&ended), 3, "{}", stderr(&ended));
    assert_eq!(problems(&place, 2, &[]), ["incomplete"]);
}

#[test]
fn a_removed_night_is_found_whichever_it_is() {
    let place = nights(1..=3);
    assert_eq!(verify_all(&place).0, 0);
    fs::remove_dir_all(report(&place, 2)).expect("removed");
    let (ended, proof) = verify_all(&place);
    assert_eq!((ended, &proof["missing"][0]["report"]), (1, &"20260602T020000Z".into()));
    assert_eq!(each(&proof, "proven"), [("20260601T020000Z", &true.into()), ("20260603T020000Z", &false.into())]);
    assert_eq!(problems(&place, 3, &[]), ["nights-missing", "not-proven", "report-missing"]);

    // No report links to the newest: only the state knows that it is gone.
    let newest = nights(1..=3);
    fs::remove_dir_all(report(&newest, 3)).expect("removed");
    let (ended, proof) = verify_all(&newest);
    assert_eq!((ended, &proof["missing"][0]["report"]), (1, &"20260603T020000Z".into()));
    assert_eq!(each(&proof, "proven"), [("20260601T020000Z", &true.into()), ("20260602T020000Z", &true.into())]);
    assert_eq!(problems(&newest, 2, &[]), ["report-missing"]);
    // Also where the folder was moved together with its state, and another is in its place.
    fs::rename(newest.path("reports"), newest.path("moved")).expect("moved");
    fs::create_dir(newest.path("reports")).expect("made");
    let ended = tieout().args(["verify", "--all"]).arg(newest.path("moved")).output().expect("starts");
    assert_eq!(code(&ended), 1);
    assert!(stdout(&ended).contains("20260603T020000Z  MISSING: run 3 made it"), "{}", stdout(&ended));
}

#[test]
fn a_removed_night_is_found_in_a_folder_that_has_another_name_than_its_state_knows() {
    let place = Place::new();
    let (ids, state) = (place.file("ids.csv", FEW), place.path("state.sqlite"));
    for day in 1..=3 {
        let mut command = tieout();
        command.arg("reconcile").arg(&ids).args(["--sandbox", "-q", "--state"]).arg(&state).arg("--reports-dir");
        command.arg(place.path("reports")).args(["--as-of", &format!("2026-06-{day:02}T02:00:00Z")]);
        assert!(code(&command.output().expect("starts")) < 2);
    }
    let verify = |folder: &str| {
        tieout().args(["verify", "--all"]).arg(place.path(folder)).arg("--state").arg(&state).output().expect("starts")
    };
    // A copy of one report is not the folder.
    fs::create_dir(place.path("one")).expect("made");
    copy_of_report(&report(&place, 1), &place.path("one").join("20260601T020000Z"));
    assert_eq!(code(&verify("one")), 0);
    fs::rename(place.path("reports"), place.path("moved")).expect("moved");
    assert_eq!(code(&verify("moved")), 0);
    fs::remove_dir_all(place.path("moved").join("20260603T020000Z")).expect("removed");
    let ended = verify("moved");
    assert_eq!(code(&ended), 1);
    assert!(stdout(&ended).contains("20260603T020000Z  MISSING: run 3 made it"), "{}", stdout(&ended));
    // Another folder in the old place is not the one that was moved.
    fs::create_dir(place.path("reports")).expect("made");
    assert_eq!(code(&verify("moved")), 1);
}

#[test]
fn a_report_in_another_folder_of_the_same_state_is_not_missing() {
    let place = nights(1..=2);
    let mut command = tieout();
    command.arg("reconcile").arg(place.path("ids.csv")).args(["--sandbox", "-q", "--as-of", "2026-06-03T02:00:00Z"]);
    command.arg("--state").arg(place.path("reports/.state.sqlite")).arg("--reports-dir").arg(place.path("other"));
    assert!(code(&command.output().expect("starts")) < 2);
    assert_eq!(verify_all(&place).0, 0);
    // A copy of a folder with its state lacks what was removed from it.
    fs::create_dir(place.path("copy")).expect("made");
    copy_of_report(&report(&place, 1), &place.path("copy/20260601T020000Z"));
    fs::copy(place.path("reports/.state.sqlite"), place.path("copy/.state.sqlite")).expect("copied");
    let ended = tieout().args(["verify", "--all"]).arg(place.path("copy")).output().expect("starts");
    assert!(stdout(&ended).contains("20260602T020000Z  MISSING"), "{}", stdout(&ended));
}

#[test]
fn where_there_is_nothing_to_prove_nothing_is_proven() {
    let place = Place::new();
    fs::create_dir(place.path("reports")).expect("made");
    let (ended, proof) = verify_all(&place);
    assert_eq!((ended, &proof["proven"]), (1, &false.into()));
    let ended = tieout().args(["verify", "--all"]).arg(place.path("reports")).output().expect("starts");
    assert!(stdout(&ended).starts_with("There is no report to prove.\n"), "{}", stdout(&ended));
}

#[test]
fn a_trial_does_not_stand_for_a_night() {
    let place = nights([]);
    real_night(&place, 1, &Server::start(Options::default()));
    night(&place, 2);
    assert_eq!(problems(&place, 2, &[]), ["too-old"]);
    assert_eq!(problems(&place, 3, &["--max-age", "90h"]), ["nights-missing"]);
}

#[test]
fn a_trial_that_the_state_does_not_know_is_no_lost_night() {
    let place = nights(1..=2);
    fs::remove_file(place.path("reports").join(".state.sqlite")).expect("removed");
    night(&place, 3);
    assert_eq!(problems(&place, 3, &[]), [""; 0]);
    real_night(&place, 4, &Server::start(Options::default()));
    assert_eq!(problems(&place, 4, &[]), [""; 0]);
}

#[test]
fn pruned_and_replaced_reports_are_not_missing() {
    let place = nights(1..=2);
    sleep(Duration::from_millis(5));
    let pruned = of_the_folder(&place, "prune").args(["--keep", "1ms"]).output().expect("starts");
    assert_eq!(code(&pruned), 0, "{}", stderr(&pruned));
    assert!(!report(&place, 1).exists() && report(&place, 2).exists());
    let (ended, proof) = verify_all(&place);
    assert_eq!((ended, &proof["missing"]), (0, &Value::Array(Vec::new())), "{proof}");

    // A report with a place of its own (--out) is not one of the folder's, and a newer one replaces it.
    let ids = place.file("ids.csv", FEW);
    for name in ["own", "own", "20260602T020000Z"] {
        let mut command = tieout();
        command.arg("reconcile").arg(&ids).args(["--sandbox", "-q", "--fresh", "--state"]);
        command.arg(place.path("reports").join(".state.sqlite")).arg("--out").arg(place.path("reports").join(name));
        assert!(code(&command.output().expect("starts")) < 2);
    }
    fs::remove_dir_all(place.path("reports").join("own")).expect("removed");
    let (ended, proof) = verify_all(&place);
    assert_eq!((ended, &proof["missing"]), (0, &Value::Array(Vec::new())), "{proof}");
}

#[test]
fn what_was_proven_before_is_only_hashed_and_a_change_is_still_found() {
    let place = nights(1..=2);
    let (ended, first) = verify_all(&place);
    assert_eq!((ended, each(&first, "proven_before").iter().filter(|(_, it)| **it == true).count()), (0, 0));
    night(&place, 3);
    let (ended, second) = verify_all(&place);
    let before = ["20260601T020000Z", "20260602T020000Z", "20260603T020000Z"].into_iter().zip([true, true, false]);
    assert_eq!(ended, 0);
    assert!(
        each(&second, "proven_before")
            .into_iter()
            .eq(before.map(|(name, it)| (name, if it { &Value::Bool(true) } else { &Value::Bool(false) })))
    );

    append(&report(&place, 1).join("spend_by_workflow.csv"), "wf,1\n");
    let (ended, third) = verify_all(&place);
    assert_eq!(ended, 1);
    let first_report = &third["reports"][0];
    assert_eq!((&first_report["proven"], &first_report["proven_before"]), (&false.into(), &false.into()));
    // A change of another night than the newest is not for `status`; a manifest that can't be read is.
    assert_eq!(problems(&place, 3, &[]), [""; 0]);
    fs::write(report(&place, 1).join("manifest.json"), "{").expect("writable");
    assert!(problems(&place, 3, &[]).contains(&"damaged".to_owned()));
    assert_eq!(verify_all(&place).0, 1);
    append(&report(&place, 3).join("summary.json"), " ");
    assert!(problems(&place, 3, &[]).contains(&"not-proven".to_owned()));
}

#[test]
fn a_lost_replaced_or_damaged_state_is_found() {
    let (place, server) = (nights([]), Server::start(Options::default()));
    (1..=2).for_each(|day| real_night(&place, day, &server));
    let state = place.path("reports").join(".state.sqlite");
    let kept = fs::read(&state).expect("readable");
    fs::remove_file(&state).expect("removed");
    assert_eq!(problems(&place, 2, &[]), ["no-state"]);
    assert!(!state.exists(), "looking must not create a state");
    // The next night begins a new one, which does not know the nights before.
    real_night(&place, 3, &server);
    assert_eq!(problems(&place, 3, &[]), ["state-too-young"]);
    let line = stdout(&status(&place, 3, &[]));
    assert!(line.contains("does not know 2 reports, the last is 20260602T020000Z: "), "{line}");
    assert_eq!(problems(&place, 3, &["--since", "2026-06-03"]), [""; 0], "accepted");
    fs::remove_dir_all(report(&place, 3)).expect("removed");
    assert_eq!(problems(&place, 2, &[]), ["not-proven", "report-missing", "state-too-young"]);
    fs::write(&state, "not a state").expect("writable");
    assert_eq!(problems(&place, 2, &[]), ["state-unusable"]);
    fs::write(&state, &kept).expect("writable");
    let rows = rusqlite::Connection::open(&state).expect("a state");
    assert_eq!(rows.execute("UPDATE runs SET verdict = 'empty' WHERE run_id = 2", ()).expect("written"), 1);
    drop(rows);
    assert_eq!(problems(&place, 2, &[]), ["state-unusable"]);
    fs::write(&state, &kept).expect("writable");
    let tables = rusqlite::Connection::open(&state).expect("a state");
    tables.execute_batch("PRAGMA foreign_keys = OFF; DROP TABLE buckets").expect("dropped");
    drop(tables);
    assert_eq!(problems(&place, 2, &[]), ["state-unusable"]);
    let line = stdout(&status(&place, 2, &[]));
    assert!(line.starts_with("PROBLEM: 20260602T020000Z, 8h old"), "the newest report is shown all the same: {line}");
    fs::write(&state, kept).expect("writable");
    for log in ["reports/.state.sqlite-wal", "reports/.state.sqlite-shm"] {
        _ = fs::remove_file(place.path(log));
    }
    assert_eq!(problems(&place, 2, &[]), [""; 0]);
}

#[test]
fn a_job_that_runs_for_too_long_and_a_full_disk_are_found() {
    let place = nights([1]);
    let faults = FaultPlan::from_specs(["slow,delay=100s"]).expect("a plan");
    let server = Server::start(Options { journal: true, faults, ..Options::default() });
    let mut command = tieout();
    command.arg("reconcile").arg(place.path("ids.csv")).args(["--api-url", &server.url, "-q", "--reports-dir"]);
    let mut job = command.arg(place.path("reports")).env("CHENYU_API_KEY", KEY).spawn().expect("starts");
    let patience = Instant::now() + Duration::from_secs(60);
    while server.journal.arrivals().is_empty() {
        assert!(Instant::now() < patience, "the job never sent a request");
        sleep(Duration::from_millis(5));
    }
    let at = |time: &str| {
        let mut command = of_the_folder(&place, "status");
        command.args(["--max-age", "26h", "--min-free", "0", "--output", "json", "--as-of", time]);
        let json: Value = serde_json::from_slice(&command.output().expect("starts").stdout).expect("JSON");
        assert_eq!(json["running"]["pid"], job.id());
        json["problems"].to_string().contains("\"stale-lock\"")
    };
    assert!(at("2999-01-01T00:00:00Z"), "it has run for centuries");
    assert!(!at("2026-06-01T02:00:00Z"));
    job.kill().expect("SIGKILL");
    job.wait().expect("ends");

    assert_eq!(problems(&place, 1, &["--min-free", &u32::MAX.to_string()]), ["disk-almost-full"]);
}

#[test]
fn wrong_usage_is_refused() {
    let place = nights([]);
    for (arguments, problem) in [
        (["--max-age", "soon"], "--max-age"),
        (["--since", "June"], "--since"),
        (["--as-of", "today"], "--as-of"),
        (["--min-free", "much"], "--min-free"),
    ] {
        let ended = status(&place, 1, &arguments);
        assert_eq!(code(&ended), 2);
        assert!(stderr(&ended).contains(problem), "{}", stderr(&ended));
    }
    let none = tieout().args(["verify", "--all"]).arg(place.path("none")).output().expect("starts");
    assert_eq!((code(&none), stderr(&none).contains("there is no folder")), (2, true));
    let neither = tieout().arg("verify").output().expect("starts");
    assert_eq!(code(&neither), 2);
    let sample =
        tieout().args(["verify", "--all", "--files-only"]).arg(repository("reports")).output().expect("starts");
    assert_eq!(code(&sample), 0, "{}", stdout(&sample));
}

fn copy_of_report(from: &Path, to: &Path) {
    fs::create_dir(to).expect("made");
    for entry in fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
}

#[test]
fn a_copy_does_not_hide_damage_to_the_report() {
    let place = nights(1..=2);
    copy_of_report(&report(&place, 2), &place.path("reports").join("20260602T020000Z.bak"));
    copy_of_report(&report(&place, 2), &place.path("reports").join("1-copy"));
    assert_eq!(problems(&place, 2, &[]), ["copied", "copied"]);
    append(&report(&place, 2).join("discrepancies.csv"), "x");
    assert_eq!(problems(&place, 2, &[]), ["copied", "copied", "not-proven"]);
    let line = stdout(&status(&place, 2, &[]));
    assert!(
        line.contains("20260602T020000Z.bak is a copy of 20260602T020000Z: ") && line.contains("2 nights"),
        "{line}"
    );
}

#[test]
fn an_absurd_first_day_does_not_take_for_ever() {
    let place = nights([1]);
    place.file("tieout.toml", "[schedule]\nevery = \"1m\"\n");
    let begin = Instant::now();
    assert_eq!(problems(&place, 1, &["--since", "0026-06-01"]), ["nights-missing"]);
    assert!(begin.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_proof_that_is_damaged_in_the_state_proves_nothing() {
    let place = nights([1]);
    assert_eq!(verify_all(&place).0, 0);
    let state = rusqlite::Connection::open(place.path("reports").join(".state.sqlite")).expect("a state");
    assert_eq!(state.execute("UPDATE proven_reports SET seal = 1", ()).expect("written"), 1);
    drop(state);
    let (ended, proof) = verify_all(&place);
    assert_eq!((ended, &proof["reports"][0]["proven_before"]), (0, &false.into()));
    assert_eq!(verify_all(&place).1["reports"][0]["proven_before"], true);
}
