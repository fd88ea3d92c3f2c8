//! The disk is full, read-only or gone. Whatever happens, committed outcomes are kept, no partial report is left, and
//! the same command ends like an undisturbed one once the disk works again.

mod dataset;
mod full;
mod pruning;
mod read_only;
mod shares;
mod small;
mod vanished;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rusqlite::Connection;
use tieout::sandbox::{FaultPlan, KEY, Kind, Options, describe};

use crate::support::{
    Files, NO_CONFIRM_READ, Place, ReportFiles, Server, assert_same_files, code, files_below, stderr, stdout, tieout,
};

const ORDERS: usize = 120;
/// The `--as-of` of two nights.
const NIGHTS: [&str; 2] = ["2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z"];
/// The exit code of every finished job: some orders are discrepant, and none makes the report incomplete.
const DISCREPANT: i32 = 1;

/// Orders of all kinds except those with malformed replies.
fn orders() -> Vec<String> {
    let all = (0_u64..).map(|number| format!("wfrun_{number:020x}"));
    all.filter(|id| !matches!(describe(id, Options::default().seed), Kind::Malformed(_))).take(ORDERS).collect()
}

fn sandbox(fault: &str) -> Server {
    let faults = FaultPlan::from_specs([fault].into_iter().filter(|fault| !fault.is_empty())).expect("a plan");
    Server::start(Options { journal: true, faults, ..Options::default() })
}

/// A job with state and report at these places.
struct Job<'s> {
    server: &'s Server,
    /// Holds the input.
    place: Place,
    state: PathBuf,
    report: PathBuf,
}

impl<'s> Job<'s> {
    fn new(server: &'s Server, state: PathBuf, report: PathBuf) -> Self {
        let place = Place::new();
        place.file("ids.csv", format!("run_order_id\n{}\n", orders().join("\n")));
        Self { server, place, state, report }
    }

    fn command(&self, night: usize) -> Command {
        let mut command = tieout();
        command.arg("reconcile").arg(self.place.path("ids.csv")).args([
            "--as-of",
            NIGHTS[night],
            "--rate",
            "0",
            NO_CONFIRM_READ,
        ]);
        command.args(["--api-url", &self.server.url, "--concurrency", "4", "--quiet"]).env("CHENYU_API_KEY", KEY);
        command.arg("--state").arg(&self.state).arg("--out").arg(&self.report);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, night: usize) -> JobResult {
        self.end(&self.command(night).output().expect("starts"))
    }

    /// The result of a job; asserts that it did not panic and that the key is nowhere.
    fn end(&self, output: &Output) -> JobResult {
        let stderr = stderr(output);
        assert!(!stderr.contains("panicked"), "{stderr}");
        let folders = [&self.state, &self.report].map(|path| path.parent().expect("a folder"));
        let left = folders.into_iter().filter(|folder| folder.is_dir()).flat_map(files_below);
        for bytes in left.map(|path| fs::read(path).expect("readable")).chain([output.stdout.clone()]) {
            assert!(!bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes()), "the key was left: {stderr}");
        }
        assert!(!stderr.contains(KEY), "{stderr}");
        JobResult { code: code(output), stderr }
    }

    fn report(&self) -> Option<Files> {
        self.report.exists().then(|| ReportFiles(self.report.clone()).files())
    }

    fn reproducible_files(&self) -> Files {
        ReportFiles(self.report.clone()).reproducible_files()
    }

    /// Checks the database's integrity; returns the committed orders of a run.
    fn kept(&self, run: i64) -> BTreeSet<String> {
        if !self.state.exists() {
            return BTreeSet::new();
        }
        let state = Connection::open(&self.state).expect("a state");
        let check: String = state.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("it can be checked");
        assert_eq!(check, "ok");
        let query = "SELECT run_order_id FROM outcomes WHERE run_id = ?1";
        let Ok(mut rows) = state.prepare(query) else {
            let objects: i64 = state.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).expect("it");
            assert_eq!(objects, 0, "all tables or none");
            return BTreeSet::new();
        };
        rows.query_map([run], |row| row.get(0)).expect("rows").map(|id| id.expect("an ID")).collect()
    }

    /// The orders asked for after the first `before` requests; asserts that none was asked for twice.
    fn asked_since(&self, before: usize) -> BTreeSet<String> {
        let asked = self.server.journal.arrivals().split_off(before);
        let count = asked.len();
        let asked: BTreeSet<String> = asked.into_iter().map(|arrival| arrival.run_order_id.expect("one")).collect();
        assert_eq!(asked.len(), count, "no order twice");
        asked
    }

    /// Runs the same command again once the disk works; asserts that it fetches everything except what is kept, and
    /// makes the report of an undisturbed job.
    fn assert_goes_on(&self, night: usize, kept: &BTreeSet<String>, undisturbed: &Files, when: &str) {
        let before = self.server.journal.arrivals().len();
        let ended = self.run(night);
        assert_eq!(ended.code, DISCREPANT, "{when}: {}", ended.stderr);
        assert_same_files(&self.reproducible_files(), undisturbed, when);
        let asked = self.asked_since(before);
        assert!(asked.is_disjoint(kept), "{when}: committed and asked for again: {:?}", asked.intersection(kept));
        let all: BTreeSet<String> = asked.union(kept).cloned().collect();
        assert_eq!(all, orders().into_iter().collect(), "{when}");
        let mut verify = tieout();
        let proof = verify.arg("verify").arg(&self.report).arg("--state").arg(&self.state).output().expect("starts");
        assert_eq!(code(&proof), 0, "{when}: {}{}", stdout(&proof), stderr(&proof));
    }
}

struct JobResult {
    code: i32,
    /// Standard error.
    stderr: String,
}

/// Asserts that a job ended without a report, and that it says why, that fetched orders are kept, and what to do.
fn assert_no_report(ended: &JobResult, causes: &[&str], place: &Path, when: &str) {
    let JobResult { code, stderr } = ended;
    assert_eq!(*code, 4, "{when}: {stderr}");
    assert!(causes.iter().any(|cause| stderr.contains(cause)), "{when}: none of {causes:?} is in: {stderr}");
    assert!(stderr.contains(&place.display().to_string()), "{when}: {} is not in: {stderr}", place.display());
    assert!(stderr.contains("is kept"), "{when}: it does not say what is safe: {stderr}");
    assert!(stderr.contains("run the same command again"), "{when}: it does not say what to do: {stderr}");
}

/// Asserts that a folder holds only a report and a state, and nothing partial.
fn assert_nothing_half(folder: &Path, when: &str) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        assert!(name == "report" || name.starts_with("state.sqlite"), "{when}: {name} is left");
    }
}

/// The reports of both nights of an undisturbed job.
fn undisturbed() -> [Files; 2] {
    let server = sandbox("");
    let place = Place::new();
    let job = Job::new(&server, place.path("state.sqlite"), place.path("report"));
    [0, 1].map(|night| {
        let ended = job.run(night);
        assert_eq!(ended.code, DISCREPANT, "{}", ended.stderr);
        assert_eq!(ReportFiles(job.report.clone()).population("rows"), ORDERS as u64);
        job.reproducible_files()
    })
}
