//! The job under test: the real binary on a few orders, with assertions that hold however it ends.

use std::fs;
use std::ops::Range;
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rusqlite::{Connection, OpenFlags};

use super::orders::{Order, csv};
use super::server::RawServer;
use crate::support::{Files, NO_CONFIRM_READ, Place, code, stderr, stdout};

/// The API key that the job sends to raw servers.
pub(super) const KEY: &str = "cy_5e4d0a_of_the_network_tests";
const AS_OF: &str = "2026-06-01T00:00:00Z";

/// A job on some orders, with its own place for report and state.
pub(super) struct Job {
    pub(super) place: Place,
    key: &'static str,
    secrets: Vec<&'static str>,
}

/// How a job ended.
pub(super) struct JobResult {
    pub(super) code: i32,
    /// Standard error.
    pub(super) stderr: String,
}

/// An outcome in the state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StoredOutcome {
    pub(super) run: u64,
    pub(super) line: u64,
    pub(super) run_order_id: String,
    pub(super) evidence: String,
    pub(super) reason: Option<String>,
    pub(super) replied_run_order_id: Option<String>,
    pub(super) quote_amount: Option<String>,
}

impl Job {
    /// A job on these orders of a raw server.
    pub(super) fn on(orders: Range<u64>) -> Self {
        Self::with(csv(orders), KEY)
    }

    /// A job on an input, with a key.
    pub(super) fn with(ids: impl AsRef<[u8]>, key: &'static str) -> Self {
        let place = Place::new();
        place.file("ids.csv", ids);
        Self { place, key, secrets: vec![key] }
    }

    /// Adds a text that must not be left anywhere.
    pub(super) fn secret(mut self, secret: &'static str) -> Self {
        self.secrets.push(secret);
        self
    }

    /// `tieout reconcile` against that server, with the key in the environment.
    pub(super) fn command(&self, url: &str, arguments: &[&str]) -> Command {
        let mut command = self.place.reconcile(self.place.path("ids.csv"));
        command.arg(NO_CONFIRM_READ);
        command.args(["--as-of", AS_OF, "--api-url", url]).args(arguments).env("CHENYU_API_KEY", self.key);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(super) fn run(&self, url: &str, arguments: &[&str]) -> JobResult {
        self.end(&self.command(url, arguments).output().expect("starts"))
    }

    /// Starts the job without waiting for it.
    pub(super) fn start(&self, url: &str, arguments: &[&str]) -> Running<'_> {
        Running { job: self, child: Some(self.command(url, arguments).spawn().expect("starts")) }
    }

    /// The result of a job; asserts that the key is nowhere, that it did not panic, and that it printed no escape
    /// codes, as there is no terminal.
    pub(super) fn end(&self, output: &Output) -> JobResult {
        self.assert_no_secret(output);
        let (stderr, stdout) = (stderr(output), stdout(output));
        assert!(!stderr.contains("panicked"), "{stderr}");
        assert!(!stderr.contains(['\u{1b}', '\r']) && !stdout.contains(['\u{1b}', '\r']), "{stderr}{stdout}");
        JobResult { code: code(output), stderr }
    }

    /// Asserts that no secret is in any file or in the output.
    pub(super) fn assert_no_secret(&self, output: &Output) {
        let mut texts = vec![("stdout".to_owned(), output.stdout.clone()), ("stderr".into(), output.stderr.clone())];
        let files = self.place.files();
        assert!(!files.is_empty(), "at least the input exists");
        texts.extend(files.into_iter().map(|path| (path.display().to_string(), fs::read(&path).expect("readable"))));
        for (name, bytes) in texts {
            for secret in &self.secrets {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{name} holds {secret}: {}", stderr(output));
            }
        }
    }

    /// The files of the report, except the manifest.
    pub(super) fn reproducible_files(&self) -> Files {
        let files = fs::read_dir(self.place.path("report")).expect("a report").map(|file| file.expect("a file"));
        let files = files.map(|file| (file.file_name().to_string_lossy().into_owned(), file.path()));
        files
            .filter(|(name, _)| name != "manifest.json")
            .map(|(name, path)| (name, fs::read(path).expect("readable")))
            .collect()
    }

    /// How many requests the job sent, by its manifest.
    pub(super) fn requests(&self) -> u64 {
        self.place.report().json("manifest.json")["fetch"]["requests"].as_u64().expect("a count")
    }

    /// Whether the state has its tables already.
    pub(super) fn has_tables(&self) -> bool {
        let state = Connection::open(self.place.path("state.sqlite")).expect("a state");
        state.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)).expect("a schema") > 0
    }

    /// Whether the last run in the state has ended.
    pub(super) fn has_ended(&self) -> bool {
        let state = Connection::open(self.place.path("state.sqlite")).expect("a state");
        let query = "SELECT ended_at IS NOT NULL FROM runs ORDER BY run_id DESC LIMIT 1";
        state.query_row(query, [], |row| row.get(0)).unwrap_or(false)
    }

    /// How many outcomes are committed.
    pub(super) fn committed(&self) -> u64 {
        let state = Connection::open_with_flags(self.place.path("state.sqlite"), OpenFlags::SQLITE_OPEN_READ_ONLY);
        let count =
            state.and_then(|state| state.query_row("SELECT count(*) FROM outcomes", [], |row| row.get::<_, i64>(0)));
        // A state that is just being created has none.
        count.map_or(0, i64::unsigned_abs)
    }

    /// Checks the database's integrity; returns all committed outcomes.
    pub(super) fn stored_outcomes(&self) -> Vec<StoredOutcome> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let state = Connection::open_with_flags(self.place.path("state.sqlite"), flags).expect("a state");
        let check: String = state.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("it can be checked");
        assert_eq!(check, "ok");
        let columns = "run_id, line, run_order_id, evidence, reason_code, replied_run_order_id, quote_amount";
        let from = "outcomes LEFT JOIN observations USING (observation_id, run_order_id)";
        let mut rows = state.prepare(&format!("SELECT {columns} FROM {from} ORDER BY 1, 2")).expect("outcomes");
        let kept = rows.query_map([], |row| {
            Ok(StoredOutcome {
                run: row.get::<_, i64>(0)?.unsigned_abs(),
                line: row.get::<_, i64>(1)?.unsigned_abs(),
                run_order_id: row.get(2)?,
                evidence: row.get(3)?,
                reason: row.get(4)?,
                replied_run_order_id: row.get(5)?,
                quote_amount: row.get::<_, Option<i64>>(6)?.map(decimals),
            })
        });
        kept.expect("rows").map(|kept| kept.expect("a row")).collect()
    }
}

/// Units of 10⁻⁸, which are not below zero, as a decimal number.
fn decimals(units: i64) -> String {
    format!("{}.{:08}", units / 100_000_000, units % 100_000_000)
}

/// A running job; killed if a test gives up on it.
pub(super) struct Running<'j> {
    job: &'j Job,
    child: Option<Child>,
}

impl Running<'_> {
    pub(super) fn signal(&self, signal: Signal) {
        let id = self.child.as_ref().expect("it runs").id();
        kill(Pid::from_raw(id.try_into().expect("an ID")), signal).expect("it can be signalled");
    }

    pub(super) fn is_running(&mut self) -> bool {
        self.child.as_mut().expect("it runs").try_wait().expect("its state").is_none()
    }

    /// Waits for the job to end.
    pub(super) fn end(mut self) -> JobResult {
        let output = self.child.take().expect("it runs").wait_with_output().expect("it ends");
        self.job.end(&output)
    }

    /// Kills the job; asserts that it left no secret.
    pub(super) fn kill(mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().expect("it can be killed");
        let output = child.wait_with_output().expect("it ends");
        self.job.assert_no_secret(&output);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The report on these orders of a server without faults, checked against the known discrepancies.
pub(super) fn reference_report(orders: Range<u64>) -> Files {
    let (server, job) = (RawServer::faultless(), Job::on(orders.clone()));
    let ended = job.run(&server.url(), &[]);
    let discrepant: Vec<String> = orders.clone().map(Order).filter(|o| o.is_discrepant()).map(Order::id).collect();
    assert_eq!(ended.code, i32::from(!discrepant.is_empty()), "{}", ended.stderr);
    let report = job.place.report();
    let all = orders.end - orders.start;
    assert_eq!((report.population("rows"), report.population("discrepant")), (all, discrepant.len() as u64));
    assert_eq!(report.population("reconciled"), all - discrepant.len() as u64);
    let found = report.rows("discrepancies.csv").into_iter().filter(|row| row["severity"] == "error");
    let found: Vec<String> = found
        .map(|row| {
            assert_eq!((row["check"].as_str(), row["difference"].as_str()), ("cost-sum", "0.00000001"));
            row["run_order_id"].clone()
        })
        .collect();
    assert_eq!(found, discrepant);
    job.reproducible_files()
}

/// Asserts that a report equals that of a server without faults, byte for byte.
pub(super) fn assert_same(report: &Files, reference: &Files) {
    assert_eq!(report.keys().collect::<Vec<_>>(), reference.keys().collect::<Vec<_>>());
    for (name, bytes) in report {
        assert!(*bytes == reference[name], "{name} differs:\n{}", String::from_utf8_lossy(bytes));
    }
}
