//! A damaged state: truncated, with flipped bits, or with misplaced pages. Each command gives the same answer as from
//! the undamaged state or reports the damage. Nothing is silently wrong, panics or hangs.

mod foreign_files;
mod mutation;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tieout::sandbox::{FaultPlan, KEY, Kind, Options, describe};

use crate::support::{Files, NO_CONFIRM_READ, Place, Server, assert_same_files, code, stderr, stdout, tieout};
use mutation::{Chance, Damage};

const ORDERS: usize = 60;
const OTHER_SEED: u64 = 7;
const NIGHTS: [&str; 4] =
    ["2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z", "2026-06-03T00:00:00Z", "2026-06-04T00:00:00Z"];
/// In how many ways each state is damaged.
const DAMAGES: usize = 52;
/// No command takes longer, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);
/// The messages for a damaged state; the second if its first bytes are damaged.
const MESSAGES: [&str; 3] = ["is damaged", "is not a tieout state file", "has format"];

/// Orders of all kinds that can be read under both seeds: settled, pending, discrepant and unknown ones.
fn orders() -> Vec<String> {
    let all = (0_u64..).map(|number| format!("wfrun_{number:020x}"));
    let is_order = |id: &String| {
        [Options::default().seed, OTHER_SEED].into_iter().all(|seed| !matches!(describe(id, seed), Kind::Malformed(_)))
    };
    all.filter(is_order).take(ORDERS).collect()
}

fn sandbox(port: u16, seed: u64, fault: &str) -> Server {
    let faults = FaultPlan::from_specs([fault].into_iter().filter(|fault| !fault.is_empty())).expect("a plan");
    Server::start_at(port, Options { seed, journal: true, faults, ..Options::default() })
}

/// A state and a report as a job left them, with the server for the next night.
struct Checkpoint {
    place: Place,
    server: Server,
    /// The number of the next night.
    next: usize,
    state: Vec<u8>,
    /// The write-ahead log: what is in the state but not yet in its file.
    log: Option<Vec<u8>>,
    report: Files,
}

/// The exit code and output of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
struct CommandResult {
    code: i32,
    stdout: String,
    stderr: String,
}

/// The results of all commands on an undamaged state.
struct Answers {
    runs: CommandResult,
    verified: CommandResult,
    resumed: (CommandResult, Files),
    reused: (CommandResult, Files),
}

const REUSING: [&str; 2] = ["--reuse-settled", "30d"];

impl Checkpoint {
    fn of(place: Place, server: Server, next: usize) -> Self {
        let read = |name: &str| fs::read(place.path(name)).ok();
        let (state, log) = (read("state.sqlite").expect("a state"), read("state.sqlite-wal"));
        let report = place.report().files();
        Self { place, server, next, state, log, report }
    }

    /// Restores the report, and puts this state and log in place.
    fn restore(&self, state: &[u8], log: Option<&[u8]>) {
        for suffix in ["", "-wal", "-shm", "-journal", ".lock"] {
            let path = self.place.path(&format!("state.sqlite{suffix}"));
            // Most of them do not exist.
            let _ = fs::remove_file(path);
        }
        self.place.file("state.sqlite", state);
        if let Some(log) = log {
            self.place.file("state.sqlite-wal", log);
        }
        let report = self.place.path("report");
        fs::remove_dir_all(&report).expect("a report");
        fs::create_dir(&report).expect("writable");
        for (name, bytes) in &self.report {
            fs::write(report.join(name), bytes).expect("writable");
        }
    }

    fn state_path(&self) -> PathBuf {
        self.place.path("state.sqlite")
    }

    fn runs(&self) -> CommandResult {
        run_to_end(tieout().args(["runs", "--output", "json", "--state"]).arg(self.state_path()))
    }

    fn verify(&self) -> CommandResult {
        run_to_end(tieout().arg("verify").arg(self.place.path("report")).arg("--state").arg(self.state_path()))
    }

    fn reconcile(&self, arguments: &[&str]) -> CommandResult {
        let ended = run_to_end(&mut night(&self.place, &self.server, self.next, arguments));
        for path in self.place.files() {
            let bytes = fs::read(&path).expect("readable");
            assert!(!bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes()), "{} holds it", path.display());
        }
        ended
    }

    /// Runs every command on the undamaged state.
    fn answers(&self) -> Answers {
        let log = self.log.as_deref();
        self.restore(&self.state, log);
        let (runs, verified) = (self.runs(), self.verify());
        assert_eq!((runs.code, verified.code), (0, 0), "{}{}", runs.stderr, verified.stdout);
        let resumed = self.reconcile(&[]);
        assert_eq!(resumed.code, 1, "{}", resumed.stderr);
        let resumed = (resumed, self.place.report().reproducible_files());
        self.restore(&self.state, log);
        let reused = self.reconcile(&REUSING);
        assert_eq!(reused.code, 1, "{}", reused.stderr);
        Answers { runs, verified, resumed, reused: (reused, self.place.report().reproducible_files()) }
    }

    /// Asserts that each command on a damaged state answers as before or reports the damage; returns which of them
    /// answered.
    fn assert_never_wrong(&self, answers: &Answers, damage: &Damage) -> [bool; 4] {
        let (state, log) = damage.of(&self.state, self.log.as_deref());
        self.restore(&state, log.as_deref());
        let runs = self.runs();
        let listed = runs.code == 0;
        if listed {
            // A log that ends too early looks like a job that was killed a little earlier.
            let is_earlier = damage.is_in_log() && is_earlier(&runs.stdout, &answers.runs.stdout);
            assert!(runs == answers.runs || is_earlier, "{damage:?}: {}\n{}", runs.stdout, answers.runs.stdout);
        } else {
            self.assert_damage_reported(&runs, damage, "runs");
        }
        let verified = self.verify();
        match verified.code {
            0 => assert_eq!(verified, answers.verified, "{damage:?}"),
            // A report is not proven if the state does not know it, or has a different hash for it.
            1 => {
                let words = ["manifest       FAILS", "NOT proven"];
                assert!(words.iter().all(|word| verified.stdout.contains(word)), "{damage:?}: {}", verified.stdout);
            }
            _ => self.assert_damage_reported(&verified, damage, "verify"),
        }
        let resumed = self.reconcile(&[]);
        let is_resumed = self.assert_report(&resumed, &answers.resumed, damage, "resumed");
        self.restore(&state, log.as_deref());
        let reused = self.reconcile(&REUSING);
        let is_reused = self.assert_report(&reused, &answers.reused, damage, "reused");
        [listed, verified.code == 0, is_resumed, is_reused]
    }

    fn assert_report(
        &self,
        ended: &CommandResult,
        undamaged: &(CommandResult, Files),
        damage: &Damage,
        what: &str,
    ) -> bool {
        if ended.code == undamaged.0.code {
            let (mut report, mut expected) = (self.place.report().reproducible_files(), undamaged.1.clone());
            if damage.is_in_log() && what == "reused" {
                // If the log ends too early, orders that the killed run had fetched are reused instead.
                forget_reuse(&mut report);
                forget_reuse(&mut expected);
            }
            assert_same_files(&report, &expected, &format!("{what}, {damage:?}"));
            return true;
        }
        self.assert_damage_reported(ended, damage, what);
        if ended.stderr.contains("is complete, but the run could not be marked as finished") {
            assert_same_files(&self.place.report().reproducible_files(), &undamaged.1, &format!("{what}, {damage:?}"));
            return false;
        }
        assert_same_files(&self.place.report().files(), &self.report, &format!("untouched, {what}, {damage:?}"));
        false
    }

    fn assert_damage_reported(&self, ended: &CommandResult, damage: &Damage, what: &str) {
        let CommandResult { code, stderr, .. } = ended;
        assert_eq!(*code, 4, "{what}, {damage:?}: {stderr}");
        assert!(stderr.contains(&self.state_path().display().to_string()), "{what}, {damage:?}: {stderr}");
        assert!(MESSAGES.iter().any(|words| stderr.contains(words)), "{what}, {damage:?}: {stderr}");
        assert!(!stderr.contains("what was fetched is kept"), "{what}, {damage:?}: no promise: {stderr}");
    }
}

/// Removes what says whether orders were fetched or reused, so that only figures are compared. The page goes too, since
/// it names the hashes of such files.
fn forget_reuse(report: &mut Files) {
    report.retain(|name, _| !["run_orders.parquet", "evidence.jsonl", "report.html"].contains(&name.as_str()));
    let summary = report.get_mut("summary.json").expect("a summary");
    let mut figures: serde_json::Value = serde_json::from_slice(summary).expect("JSON");
    figures["reused"].take();
    *summary = figures.to_string().into_bytes();
}

/// Whether a list of runs is from an earlier moment: it knows less of the last run, or lacks it.
fn is_earlier(shown: &str, whole: &str) -> bool {
    let runs = |text: &str| -> Vec<serde_json::Value> { serde_json::from_str(text).expect("a list") };
    let (mut shown, mut whole) = (runs(shown), runs(whole));
    let done = |run: &mut serde_json::Value| run["done"].take().as_u64().expect("a count");
    let last = done(&mut whole[0]);
    if shown.len() == whole.len() && done(&mut shown[0]) > last {
        return false;
    }
    shown.iter().rev().eq(whole.iter().rev().take(shown.len()))
}

/// The command that reconciles one night.
fn night(place: &Place, server: &Server, night: usize, arguments: &[&str]) -> Command {
    let input = place.file("ids.csv", format!("run_order_id\n{}\n", orders().join("\n")));
    let mut command = place.reconcile(input);
    command.arg(NO_CONFIRM_READ);
    command.args(["--api-url", &server.url, "--as-of", NIGHTS[night], "--quiet", "--concurrency", "4"]);
    command.args(arguments).env("CHENYU_API_KEY", KEY);
    command
}

/// Runs a command to its end and asserts that it does not panic, reveal the key or hang.
fn run_to_end(command: &mut Command) -> CommandResult {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let start = Instant::now();
    while child.try_wait().expect("its state").is_none() {
        if start.elapsed() > PATIENCE {
            child.kill().expect("it can be killed");
            panic!("it hangs: {command:?}");
        }
        sleep(Duration::from_millis(2));
    }
    let output: Output = child.wait_with_output().expect("it ended");
    let (stdout, stderr) = (stdout(&output), stderr(&output));
    assert!(!stderr.contains("panicked") && !stderr.contains(KEY) && !stdout.contains(KEY), "{stderr}{stdout}");
    CommandResult { code: code(&output), stdout, stderr }
}

/// After one finished night.
fn one_night() -> Checkpoint {
    let (place, server) = (Place::new(), sandbox(0, Options::default().seed, ""));
    let run = run_to_end(&mut night(&place, &server, 0, &[]));
    assert_eq!(run.code, 1, "{}", run.stderr);
    Checkpoint::of(place, server, 1)
}

/// After one finished night and a second one that was killed.
fn killed() -> Checkpoint {
    let (place, server) = (Place::new(), sandbox(0, Options::default().seed, ""));
    let run = run_to_end(&mut night(&place, &server, 0, &[]));
    assert_eq!(run.code, 1, "{}", run.stderr);
    let port = server.port();
    drop(server);
    let slow = sandbox(port, Options::default().seed, "slow,delay=20ms");
    let mut command = night(&place, &slow, 1, &[]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    let start = Instant::now();
    while slow.journal.arrivals().len() < ORDERS * 2 / 3 {
        assert!(start.elapsed() < PATIENCE, "the job sends no requests");
        sleep(Duration::from_millis(2));
    }
    child.kill().expect("SIGKILL");
    child.wait().expect("it ends");
    drop(slow);
    let checkpoint = Checkpoint::of(place, sandbox(port, Options::default().seed, ""), 1);
    assert!(checkpoint.log.as_ref().is_some_and(|log| log.len() > 4096), "there is a log");
    checkpoint
}

/// After three nights; settled orders have changed on the last.
fn several_nights() -> Checkpoint {
    let (place, mut port) = (Place::new(), 0);
    for (number, seed) in [Options::default().seed, Options::default().seed, OTHER_SEED].into_iter().enumerate() {
        let server = sandbox(port, seed, "");
        port = server.port();
        let run = run_to_end(&mut night(&place, &server, number, &[]));
        assert_eq!(run.code, 1, "{}", run.stderr);
    }
    assert!(place.report().rows("discrepancies.csv").iter().any(|row| row["check"] == "restated"));
    Checkpoint::of(place, sandbox(port, OTHER_SEED, ""), 3)
}

/// Damages a state at random. For each command some damage must be reported, and some must not matter.
fn damage_at_random(checkpoint: &Checkpoint, seed: u64) {
    let answers = checkpoint.answers();
    let (mut chance, mut given) = (Chance(seed), [0; 4]);
    for number in 0..DAMAGES {
        let damage = chance.damage(number, &checkpoint.state, checkpoint.log.as_deref());
        let answered = checkpoint.assert_never_wrong(&answers, &damage);
        given.iter_mut().zip(answered).for_each(|(given, answered)| *given += usize::from(answered));
    }
    assert!(given.iter().all(|given| (1..DAMAGES).contains(given)), "answers: {given:?}");
}

#[test]
fn a_finished_state_that_is_damaged_is_never_silently_wrong() {
    damage_at_random(&one_night(), 1);
}

#[test]
fn a_killed_state_that_is_damaged_is_never_silently_wrong() {
    damage_at_random(&killed(), 2);
}

#[test]
fn a_state_of_several_nights_that_is_damaged_is_never_silently_wrong() {
    damage_at_random(&several_nights(), 3);
}

#[test]
fn a_header_that_is_damaged_is_never_silently_wrong() {
    let checkpoint = one_night();
    let answers = checkpoint.answers();
    // SQLite's page size, its versions for writing and reading, the file size, the schema format, auto-vacuum, the text
    // encoding, the user version and the application ID.
    for at in [16, 18, 19, 20, 31, 47, 52, 55, 59, 60, 62, 63, 71] {
        for bit in [0, 1, 7] {
            let damage = Damage::flip(at, bit);
            let (state, _) = damage.of(&checkpoint.state, None);
            checkpoint.restore(&state, None);
            let (runs, verified) = (checkpoint.runs(), checkpoint.verify());
            let resumed = checkpoint.reconcile(&[]);
            for (ended, undamaged) in [(&runs, &answers.runs), (&verified, &answers.verified)] {
                if ended != undamaged {
                    checkpoint.assert_damage_reported(ended, &damage, "header");
                }
            }
            checkpoint.assert_report(&resumed, &answers.resumed, &damage, "header");
        }
    }
}

#[test]
fn a_run_that_is_gone_is_missed() {
    let checkpoint = several_nights();
    let answers = checkpoint.answers();
    let answered = checkpoint.assert_never_wrong(&answers, &Damage::uncounted(&checkpoint.state, "runs"));
    assert_eq!(answered, [false; 4]);
}

#[test]
fn rows_that_lead_the_next_run_astray_are_damage_and_no_fault_of_the_program() {
    let checkpoint = several_nights();
    let answers = checkpoint.answers();
    let runs = mutation::first_values(&checkpoint.state, "outcomes");
    assert!(runs.iter().all(|at| checkpoint.state[*at] == 3), "rows of the third run");
    // A row of run 3 becomes one of run 7: SQLite then looks for rows of run 4 on the wrong side of it.
    let answered = runs.into_iter().step_by(3).map(|at| checkpoint.assert_never_wrong(&answers, &Damage::flip(at, 2)));
    let lost = answered.filter(|[.., is_resumed, _]| !is_resumed).count();
    assert!(lost > 0, "no damage misled a search");
}

#[test]
fn an_order_whose_name_is_damaged_in_the_memory_is_missed() {
    let checkpoint = several_nights();
    let answers = checkpoint.answers();
    let names = mutation::names(&checkpoint.state, "orders");
    assert_eq!(names.len(), ORDERS, "each order once");
    for (number, at) in names.into_iter().enumerate().step_by(5) {
        // One of the last digits, which alone differ between orders, or the first, which misleads every search.
        let digit = if number % 2 == 0 { at + 24 } else { at + 6 };
        let answered = checkpoint.assert_never_wrong(&answers, &Damage::flip(digit, 4));
        assert_eq!(answered, [true, true, false, false], "order {number}");
    }
}
