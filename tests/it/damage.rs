//! A damaged state: cut, with flipped bits, pages in the wrong place. Whatever is still answered is what the undamaged
//! state would have answered; all else is said to be damaged. Nothing is silently wrong, panics or hangs.

mod mutation;
mod others;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tieout::sandbox::{FaultPlan, KEY, Kind, Options, describe};

use crate::support::{Files, Place, SINGLE_READ, Server, assert_same_files, code, stderr, stdout, tieout};
use mutation::{Chance, Damage};

const ORDERS: usize = 60;
const OTHER_SEED: u64 = 7;
const NIGHTS: [&str; 4] =
    ["2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z", "2026-06-03T00:00:00Z", "2026-06-04T00:00:00Z"];
/// How many damages each state gets.
const DAMAGES: usize = 52;
/// Nothing takes longer, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the job says of a state that is not what was written; the second where its first bytes are damaged.
const SAID: [&str; 3] = ["is damaged", "is not a state file of tieout", "has format"];

/// Settled and pending orders, discrepant ones, and ones that do not exist.
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

/// A place with a state, a report and a server, as a job left them.
struct Left {
    place: Place,
    server: Server,
    /// The next night.
    next: usize,
    state: Vec<u8>,
    /// What is in the state but not in its file yet.
    log: Option<Vec<u8>>,
    report: Files,
}

/// What a command ended with.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Ended {
    code: i32,
    shown: String,
    said: String,
}

/// What an undamaged state answers.
struct Answers {
    runs: Ended,
    verified: Ended,
    resumed: (Ended, Files),
    reused: (Ended, Files),
}

const REUSING: [&str; 2] = ["--reuse-settled", "30d"];

impl Left {
    fn by(place: Place, server: Server, next: usize) -> Self {
        let read = |name: &str| fs::read(place.path(name)).ok();
        let (state, log) = (read("state.sqlite").expect("a state"), read("state.sqlite-wal"));
        let report = place.report().files();
        Self { place, server, next, state, log, report }
    }

    /// Puts everything back as it was left, but for the state, which is that.
    fn restore(&self, state: &[u8], log: Option<&[u8]>) {
        for suffix in ["", "-wal", "-shm", "-journal", ".lock"] {
            let path = self.place.path(&format!("state.sqlite{suffix}"));
            // Most of them are not there.
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

    fn runs(&self) -> Ended {
        ended(tieout().args(["runs", "--output", "json", "--state"]).arg(self.state_path()))
    }

    fn verify(&self) -> Ended {
        ended(tieout().arg("verify").arg(self.place.path("report")).arg("--state").arg(self.state_path()))
    }

    fn reconcile(&self, arguments: &[&str]) -> Ended {
        let ended = ended(&mut night(&self.place, &self.server, self.next, arguments));
        for path in self.place.files() {
            let bytes = fs::read(&path).expect("readable");
            assert!(!bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes()), "{} holds it", path.display());
        }
        ended
    }

    /// What the state answers as it was left.
    fn answers(&self) -> Answers {
        let log = self.log.as_deref();
        self.restore(&self.state, log);
        let (runs, verified) = (self.runs(), self.verify());
        assert_eq!((runs.code, verified.code), (0, 0), "{}{}", runs.said, verified.shown);
        let resumed = self.reconcile(&[]);
        assert_eq!(resumed.code, 1, "{}", resumed.said);
        let resumed = (resumed, self.place.report().evident());
        self.restore(&self.state, log);
        let reused = self.reconcile(&REUSING);
        assert_eq!(reused.code, 1, "{}", reused.said);
        Answers { runs, verified, resumed, reused: (reused, self.place.report().evident()) }
    }

    /// Asserts that a damaged state answers as it did before, or says that it is damaged; returns whether each of the
    /// answers was given.
    fn assert_never_wrong(&self, answers: &Answers, damage: &Damage) -> [bool; 4] {
        let (state, log) = damage.of(&self.state, self.log.as_deref());
        self.restore(&state, log.as_deref());
        let runs = self.runs();
        let listed = runs.code == 0;
        if listed {
            // Where the log ends too early, it is as if the job had been killed a little earlier.
            let is_earlier = damage.is_in_log() && is_earlier(&runs.shown, &answers.runs.shown);
            assert!(runs == answers.runs || is_earlier, "{damage:?}: {}\n{}", runs.shown, answers.runs.shown);
        } else {
            self.assert_said(&runs, damage, "runs");
        }
        let verified = self.verify();
        match verified.code {
            0 => assert_eq!(verified, answers.verified, "{damage:?}"),
            // A report that the state does not know, or knows otherwise, is not proven.
            1 => {
                let is_told = verified.shown.contains("manifest       FAILS") && verified.shown.contains("NOT proven");
                assert!(is_told, "{damage:?}: {}", verified.shown);
            }
            _ => self.assert_said(&verified, damage, "verify"),
        }
        let resumed = self.reconcile(&[]);
        let is_resumed = self.assert_report(&resumed, &answers.resumed, damage, "resumed");
        self.restore(&state, log.as_deref());
        let reused = self.reconcile(&REUSING);
        let is_reused = self.assert_report(&reused, &answers.reused, damage, "reused");
        [listed, verified.code == 0, is_resumed, is_reused]
    }

    fn assert_report(&self, ended: &Ended, undamaged: &(Ended, Files), damage: &Damage, what: &str) -> bool {
        if ended.code == undamaged.0.code {
            let (mut report, mut expected) = (self.place.report().evident(), undamaged.1.clone());
            if damage.is_in_log() && what == "reused" {
                // Where the log ends too early, orders are reused that the killed run had asked for.
                forget_reuse(&mut report);
                forget_reuse(&mut expected);
            }
            assert_same_files(&report, &expected, &format!("{what}, {damage:?}"));
            return true;
        }
        self.assert_said(ended, damage, what);
        if ended.said.contains("is whole, but the state can't be told so") {
            assert_same_files(&self.place.report().evident(), &undamaged.1, &format!("{what}, {damage:?}"));
            return false;
        }
        assert_same_files(&self.place.report().files(), &self.report, &format!("untouched, {what}, {damage:?}"));
        false
    }

    fn assert_said(&self, ended: &Ended, damage: &Damage, what: &str) {
        let Ended { code, said, .. } = ended;
        assert_eq!(*code, 4, "{what}, {damage:?}: {said}");
        assert!(said.contains(&self.state_path().display().to_string()), "{what}, {damage:?}: {said}");
        assert!(SAID.iter().any(|words| said.contains(words)), "{what}, {damage:?}: {said}");
        assert!(!said.contains("what was fetched is kept"), "{what}, {damage:?}: who knows: {said}");
    }
}

/// Leaves the figures of a report, whether they were asked for or reused. Its page names the hashes of what says that.
fn forget_reuse(report: &mut Files) {
    report.retain(|name, _| !["run_orders.parquet", "evidence.jsonl", "report.html"].contains(&name.as_str()));
    let summary = report.get_mut("summary.json").expect("a summary");
    let mut figures: serde_json::Value = serde_json::from_slice(summary).expect("JSON");
    figures["reused"].take();
    *summary = figures.to_string().into_bytes();
}

/// Whether a list of runs is that of an earlier moment: of the last run less is known, or nothing.
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

/// A reconciliation of that night.
fn night(place: &Place, server: &Server, night: usize, arguments: &[&str]) -> Command {
    let input = place.file("ids.csv", format!("run_order_id\n{}\n", orders().join("\n")));
    let mut command = place.reconcile(input);
    command.arg(SINGLE_READ);
    command.args(["--api-url", &server.url, "--as-of", NIGHTS[night], "--quiet", "--concurrency", "4"]);
    command.args(arguments).env("CHENYU_API_KEY", KEY);
    command
}

/// Runs a command to its end. It never panics, tells the key or hangs.
fn ended(command: &mut Command) -> Ended {
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
    let (shown, said) = (stdout(&output), stderr(&output));
    assert!(!said.contains("panicked") && !said.contains(KEY) && !shown.contains(KEY), "{said}{shown}");
    Ended { code: code(&output), shown, said }
}

/// One night, to its end.
fn one_night() -> Left {
    let (place, server) = (Place::new(), sandbox(0, Options::default().seed, ""));
    let run = ended(&mut night(&place, &server, 0, &[]));
    assert_eq!(run.code, 1, "{}", run.said);
    Left::by(place, server, 1)
}

/// One night, and a second one that was killed.
fn killed() -> Left {
    let (place, server) = (Place::new(), sandbox(0, Options::default().seed, ""));
    let run = ended(&mut night(&place, &server, 0, &[]));
    assert_eq!(run.code, 1, "{}", run.said);
    let port = server.port();
    drop(server);
    let slow = sandbox(port, Options::default().seed, "slow,delay=20ms");
    let mut command = night(&place, &slow, 1, &[]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    let start = Instant::now();
    while slow.journal.arrivals().len() < ORDERS * 2 / 3 {
        assert!(start.elapsed() < PATIENCE, "it asks for nothing");
        sleep(Duration::from_millis(2));
    }
    child.kill().expect("SIGKILL");
    child.wait().expect("it ends");
    drop(slow);
    let left = Left::by(place, sandbox(port, Options::default().seed, ""), 1);
    assert!(left.log.as_ref().is_some_and(|log| log.len() > 4096), "there is a log");
    left
}

/// Three nights, on the last of which settled orders had changed.
fn several_nights() -> Left {
    let (place, mut port) = (Place::new(), 0);
    for (number, seed) in [Options::default().seed, Options::default().seed, OTHER_SEED].into_iter().enumerate() {
        let server = sandbox(port, seed, "");
        port = server.port();
        let run = ended(&mut night(&place, &server, number, &[]));
        assert_eq!(run.code, 1, "{}", run.said);
    }
    assert!(place.report().rows("discrepancies.csv").iter().any(|row| row["check"] == "restated"));
    Left::by(place, sandbox(port, OTHER_SEED, ""), 3)
}

/// Damages a state at random; some damages must have been found, and some have hit what nobody needs.
fn damage_at_random(left: &Left, seed: u64) {
    let answers = left.answers();
    let (mut chance, mut given) = (Chance(seed), [0; 4]);
    for number in 0..DAMAGES {
        let damage = chance.damage(number, &left.state, left.log.as_deref());
        let answered = left.assert_never_wrong(&answers, &damage);
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
    let left = one_night();
    let answers = left.answers();
    // SQLite's versions for writing and reading, the size of a page and of the file, the version of its tables, whether
    // pages are moved, the encoding of texts, the format, the program.
    for at in [16, 18, 19, 20, 31, 47, 52, 55, 59, 60, 62, 63, 71] {
        for bit in [0, 1, 7] {
            let damage = Damage::flip(at, bit);
            let (state, _) = damage.of(&left.state, None);
            left.restore(&state, None);
            let (runs, verified) = (left.runs(), left.verify());
            let resumed = left.reconcile(&[]);
            for (ended, undamaged) in [(&runs, &answers.runs), (&verified, &answers.verified)] {
                if ended != undamaged {
                    left.assert_said(ended, &damage, "header");
                }
            }
            left.assert_report(&resumed, &answers.resumed, &damage, "header");
        }
    }
}

#[test]
fn a_run_that_is_gone_is_missed() {
    let left = several_nights();
    let answers = left.answers();
    let answered = left.assert_never_wrong(&answers, &Damage::uncounted(&left.state, "runs"));
    assert_eq!(answered, [false; 4]);
}

#[test]
fn rows_that_lead_the_next_run_astray_are_damage_and_no_fault_of_the_program() {
    let left = several_nights();
    let answers = left.answers();
    let runs = mutation::first_values(&left.state, "outcomes");
    assert!(runs.iter().all(|at| left.state[*at] == 3), "rows of the third run");
    // A row of the third run is one of the seventh: what the fourth writes is looked for on the wrong side of it.
    let answered = runs.into_iter().step_by(3).map(|at| left.assert_never_wrong(&answers, &Damage::flip(at, 2)));
    let lost = answered.filter(|[.., is_resumed, _]| !is_resumed).count();
    assert!(lost > 0, "no damage led anything astray");
}

#[test]
fn an_order_whose_name_is_damaged_in_the_memory_is_missed() {
    let left = several_nights();
    let answers = left.answers();
    let names = mutation::names(&left.state, "orders");
    assert_eq!(names.len(), ORDERS, "each order once");
    for (number, at) in names.into_iter().enumerate().step_by(5) {
        // One of the last digits, which alone differ from order to order, or the first: then every search goes astray.
        let digit = if number % 2 == 0 { at + 24 } else { at + 6 };
        let answered = left.assert_never_wrong(&answers, &Damage::flip(digit, 4));
        assert_eq!(answered, [true, true, false, false], "order {number}");
    }
}
