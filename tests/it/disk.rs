//! The disk: full, read-only, or gone. Whatever happens, what was committed is kept, no report is half there, and the
//! same command ends like an undisturbed one once the disk is well again.

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
    Files, Place, ReportFiles, SINGLE_READ, Server, assert_same_files, code, files_below, stderr, stdout, tieout,
};

const ORDERS: usize = 120;
/// Two nights.
const NIGHTS: [&str; 2] = ["2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z"];
/// Some orders are discrepant, and none makes a report incomplete.
const DISCREPANT: i32 = 1;

/// Orders of all kinds but those whose replies are none.
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
    /// The input lies here.
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
            SINGLE_READ,
        ]);
        command.args(["--api-url", &self.server.url, "--concurrency", "4", "--quiet"]).env("CHENYU_API_KEY", KEY);
        command.arg("--state").arg(&self.state).arg("--out").arg(&self.report);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, night: usize) -> Ended {
        self.end(&self.command(night).output().expect("starts"))
    }

    /// How it ended. Nothing panicked, and the key is nowhere.
    fn end(&self, output: &Output) -> Ended {
        let said = stderr(output);
        assert!(!said.contains("panicked"), "{said}");
        let folders = [&self.state, &self.report].map(|path| path.parent().expect("a folder"));
        let left = folders.into_iter().filter(|folder| folder.is_dir()).flat_map(files_below);
        for bytes in left.map(|path| fs::read(path).expect("readable")).chain([output.stdout.clone()]) {
            assert!(!bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes()), "the key was left: {said}");
        }
        assert!(!said.contains(KEY), "{said}");
        Ended { code: code(output), said }
    }

    fn report(&self) -> Option<Files> {
        self.report.exists().then(|| ReportFiles(self.report.clone()).files())
    }

    fn evident(&self) -> Files {
        ReportFiles(self.report.clone()).evident()
    }

    /// The orders of a run that are committed, once the database has proved itself whole.
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

    /// What was asked for since so many requests.
    fn asked_since(&self, before: usize) -> BTreeSet<String> {
        let asked = self.server.journal.arrivals().split_off(before);
        let count = asked.len();
        let asked: BTreeSet<String> = asked.into_iter().map(|arrival| arrival.run_order_id.expect("one")).collect();
        assert_eq!(asked.len(), count, "no order twice");
        asked
    }

    /// The same command once more, when the disk is well again: it has everything, without asking for what is kept, and
    /// the report is that of an undisturbed job.
    fn assert_goes_on(&self, night: usize, kept: &BTreeSet<String>, undisturbed: &Files, when: &str) {
        let before = self.server.journal.arrivals().len();
        let ended = self.run(night);
        assert_eq!(ended.code, DISCREPANT, "{when}: {}", ended.said);
        assert_same_files(&self.evident(), undisturbed, when);
        let asked = self.asked_since(before);
        assert!(asked.is_disjoint(kept), "{when}: committed and asked for again: {:?}", asked.intersection(kept));
        let all: BTreeSet<String> = asked.union(kept).cloned().collect();
        assert_eq!(all, orders().into_iter().collect(), "{when}");
        let mut verify = tieout();
        let proof = verify.arg("verify").arg(&self.report).arg("--state").arg(&self.state).output().expect("starts");
        assert_eq!(code(&proof), 0, "{when}: {}{}", stdout(&proof), stderr(&proof));
    }
}

struct Ended {
    code: i32,
    /// Standard error.
    said: String,
}

/// Asserts that a job ended without a report and said why, that what was fetched is safe, and what to do.
fn assert_no_report(ended: &Ended, causes: &[&str], place: &Path, when: &str) {
    let Ended { code, said } = ended;
    assert_eq!(*code, 4, "{when}: {said}");
    assert!(causes.iter().any(|cause| said.contains(cause)), "{when}: none of {causes:?} is in: {said}");
    assert!(said.contains(&place.display().to_string()), "{when}: {} is not in: {said}", place.display());
    assert!(said.contains("is kept"), "{when}: it does not say what is safe: {said}");
    assert!(said.contains("run the same command again"), "{when}: it does not say what to do: {said}");
}

/// Asserts that nothing is left where reports are but a report and a state: nothing half-written.
fn assert_nothing_half(folder: &Path, when: &str) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        assert!(name == "report" || name.starts_with("state.sqlite"), "{when}: {name} is left");
    }
}

/// The reports of both nights of a job that nothing disturbs.
fn undisturbed() -> [Files; 2] {
    let server = sandbox("");
    let place = Place::new();
    let job = Job::new(&server, place.path("state.sqlite"), place.path("report"));
    [0, 1].map(|night| {
        let ended = job.run(night);
        assert_eq!(ended.code, DISCREPANT, "{}", ended.said);
        assert_eq!(ReportFiles(job.report.clone()).population("rows"), ORDERS as u64);
        job.evident()
    })
}
