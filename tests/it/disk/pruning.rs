//! `tieout prune`: what it removes, what it keeps, and how much disk space it needs and frees.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tieout::sandbox::{FaultPlan, KEY, Options};

use super::small::SmallDisk;
use super::{DISCREPANT, Job, NIGHTS, sandbox};
use crate::support::{Place, Server, code, files_below, stderr, stdout, tieout};

/// Prunes the state and the reports in a folder.
fn prune(folder: &Path, options: &[&str]) -> Output {
    let mut command = tieout();
    command.arg("prune").args(options).arg("--state").arg(folder.join("state.sqlite"));
    command.arg("--reports-dir").arg(folder.join("reports")).output().expect("starts")
}

/// How many cells in all tables of the state name an order.
fn cells(state: &Path, order: &str) -> usize {
    let state = Connection::open(state).expect("a state");
    let mut tables = state.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").expect("a schema");
    let tables: Vec<String> =
        tables.query_map([], |row| row.get(0)).expect("names").map(|name| name.expect("a name")).collect();
    let mut found = 0;
    for table in tables {
        let mut all = state.prepare(&format!("SELECT * FROM \"{table}\"")).expect("a table");
        let columns = all.column_count();
        let mut rows = all.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            let texts = (0..columns).filter_map(|column| row.get::<_, String>(column).ok());
            found += texts.filter(|text| text.contains(order)).count();
        }
    }
    found
}

/// The size of the state and the files beside it.
fn size(folder: &Path) -> u64 {
    let is_state = |path: &std::path::PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("state.sqlite"))
    };
    files_below(folder).into_iter().filter(is_state).map(|path| fs::metadata(path).expect("a file").len()).sum()
}

#[test]
fn reports_go_by_when_they_were_made() {
    let place = Place::new();
    let ids = place.file("ids.csv", "run_order_id\nwfrun_314ff7d8b7a5beff1388\n");
    for as_of in ["2020-01-01T00:00:00Z", "2019-01-01T00:00:00Z", "2400-01-01T00:00:00Z"] {
        let mut command = tieout();
        command.arg("reconcile").arg(&ids).args(["--sandbox", "--as-of", as_of, "--quiet"]);
        command.arg("--state").arg(place.path("state.sqlite")).arg("--reports-dir").arg(place.path("reports"));
        let ended = command.output().expect("starts");
        assert!(code(&ended) < 2, "{}", stderr(&ended));
    }
    let young = prune(&place.path(""), &["--keep", "400d"]);
    assert!(stdout(&young).contains("removed 0 reports"), "made a moment ago: {}", stdout(&young));
    sleep(Duration::from_millis(1100));
    let old = prune(&place.path(""), &["--keep", "1s"]);
    assert!(stdout(&old).contains("removed 2 reports"), "{}", stdout(&old));
    let first = stdout(&old).lines().next().expect("a line").to_owned();
    assert!(first.ends_with("20200101T000000Z"), "the oldest report goes first: {first}");
    assert!(place.path("reports/24000101T000000Z").exists(), "the latest stays");
}

/// Starts a job and kills it once it has committed something.
fn killed(job: &Job<'_>) {
    let mut child = job.command(0).arg("--concurrency").arg("1").spawn().expect("starts");
    let patience = Instant::now() + Duration::from_secs(60);
    while job.server.journal.arrivals().len() < 8 {
        assert!(Instant::now() < patience, "the job sent no requests");
        sleep(Duration::from_millis(5));
    }
    child.kill().expect("SIGKILL");
    child.wait().expect("ends");
}

#[test]
fn what_a_killed_run_left_goes_once_a_later_one_has_reported() {
    let faults = FaultPlan::from_specs(["slow,delay=50ms"]).expect("a plan");
    let server = Server::start(Options { journal: true, faults, ..Options::default() });
    let place = Place::new();
    let job = Job { server: &server, place: Place::new(), state: place.path("state.sqlite"), report: place.path("r") };
    // The sandbox knows any well-formed ID: it refuses these.
    let unknown: Vec<String> = (0..30).map(|number| format!("gone-{number:04}")).collect();
    job.place.file("ids.csv", format!("run_order_id\n{}\n", unknown.join("\n")));
    killed(&job);
    assert!(cells(&job.state, &unknown[2]) > 0, "the killed run left something");
    let alone = prune(&place.path(""), &["--keep", "1ms"]);
    assert_eq!(code(&alone), 0, "{}", stderr(&alone));
    assert!(cells(&job.state, &unknown[2]) > 0, "it can still be continued, as no later run has reported");

    job.place.file("ids.csv", "run_order_id\nwfrun_314ff7d8b7a5beff1388\n");
    let later = job.run(0);
    assert!(later.code < 2, "{}", later.stderr);
    let young = prune(&place.path(""), &["--keep", "1h"]);
    assert_eq!(code(&young), 0, "{}", stderr(&young));
    assert!(cells(&job.state, &unknown[2]) > 0, "it is too young");
    sleep(Duration::from_millis(20));
    let dry = stdout(&prune(&place.path(""), &["--keep", "1ms", "--dry-run"]));
    let before = cells(&job.state, &unknown[2]);
    assert!(dry.contains("of 2 runs") && before > 0, "{dry}");
    let pruned = prune(&place.path(""), &["--keep", "1ms"]);
    assert_eq!(code(&pruned), 0, "{}", stderr(&pruned));
    let counts = |text: &str| text.split_once("outcomes").map(|(count, _)| count.rsplit(' ').nth(1).map(str::to_owned));
    assert_eq!(counts(&dry), counts(&stdout(&pruned)), "what would be removed is what was");
    assert_eq!(cells(&job.state, &unknown[2]), 0, "{}", stdout(&pruned));
    let runs = tieout().args(["runs", "--state"]).arg(&job.state).output().expect("starts");
    assert!(stdout(&runs).contains("given-up"), "it is not continued any more: {}", stdout(&runs));
}

/// Runs several nights with full evidence.
fn several_nights(folder: &Path, nights: usize) {
    let server = sandbox("");
    let job = Job::new(&server, folder.join("state.sqlite"), folder.join("report"));
    let many: Vec<String> = (0..600).map(|number| format!("wfrun_{number:020x}")).collect();
    job.place.file("ids.csv", format!("run_order_id\n{}\n", many.join("\n")));
    for night in 0..nights {
        let mut command = job.command(night % NIGHTS.len());
        command.args(["--evidence", "full", "--fresh", "--format", "csv"]);
        assert!(code(&command.output().expect("starts")) < 4);
    }
}

#[test]
fn compact_gives_the_room_back() {
    let place = Place::new();
    several_nights(&place.path(""), 3);
    let before = size(&place.path(""));
    let pruned = prune(&place.path(""), &["--keep", "1ms"]);
    let printed = stdout(&pruned);
    assert!(printed.contains(" bytes") && printed.contains("--compact"), "it says what is free: {printed}");
    let compacted = prune(&place.path(""), &["--keep", "1ms", "--compact"]);
    assert_eq!(code(&compacted), 0, "{}", stderr(&compacted));
    let after = size(&place.path(""));
    assert!(after < before / 2, "{before} bytes before, {after} after: {}", stdout(&compacted));
    let state = Connection::open(place.path("state.sqlite")).expect("a state");
    let bytes = fs::metadata(place.path("state.sqlite")).expect("a file").len();
    assert!(stdout(&compacted).contains(&format!("{bytes} bytes")), "{bytes}: {}", stdout(&compacted));
    let check: String = state.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("it can be checked");
    assert_eq!(check, "ok");
}

#[test]
fn a_disk_that_is_nearly_full_can_be_pruned_and_gets_its_room_back() {
    let disk = SmallDisk::new();
    if !disk.is_mounted() {
        return;
    }
    several_nights(&disk.folder(), 4);
    // A report that `prune` can remove, so that there is any room at all.
    let old = disk.path("reports/20200101T000000Z");
    fs::create_dir_all(disk.path("reports")).expect("writable");
    fs::rename(disk.path("report"), &old).expect("writable");
    let before = size(&disk.folder());
    disk.leave(0);
    fs::write(disk.path("filler"), vec![0; 64 * 1024]).expect_err("it is full");
    let _ = fs::remove_file(disk.path("filler"));
    let pruned = prune(&disk.folder(), &["--keep", "1ms", "--compact"]);
    assert_eq!(code(&pruned), 0, "{}{}", stdout(&pruned), stderr(&pruned));
    assert!(!old.exists());
    let after = size(&disk.folder());
    assert!(after < before / 2, "{before} bytes before, {after} after: {}", stdout(&pruned));
    let state = Connection::open(disk.path("state.sqlite")).expect("a state");
    let check: String = state.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("it can be checked");
    assert_eq!(check, "ok");
    let server = sandbox("");
    let job = Job::new(&server, disk.path("state.sqlite"), disk.path("report"));
    disk.make_room();
    assert_eq!(job.run(0).code, DISCREPANT, "the state is whole: {KEY}");
}
