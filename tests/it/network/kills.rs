//! SIGKILL at any moment: the next start continues from there, and the final report is the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::{sleep, yield_now};
use std::time::{Duration, Instant};

use tieout::sandbox::KEY;

use super::job::{Job, StoredOutcome, assert_same};
use super::signals::{job_on, sandbox, undisturbed, wait_until};
use crate::support::{Files, Server, tieout};

const ORDERS: usize = 60;
const CONCURRENCY: usize = 4;
/// How many kills there are in all.
const KILLS: usize = 200;
/// The fault plan that slows the provider down.
const SLOW: &str = "slow,delay=4ms";
/// A generator of random moments to kill a job (Knuth's LCG). Some are so late that the job ends by itself.
struct Moments {
    state: u64,
    life: Duration,
}

impl Moments {
    /// Moments within `life`, the same fractions of it in every run of the test.
    fn within(life: Duration) -> Self {
        Self { state: 20_261_124, life }
    }

    fn next(&mut self) -> Duration {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.life * u32::try_from((self.state >> 33) % 1_000).expect("small") / 1_000
    }
}

/// The time that an undisturbed job takes on this machine, and a quarter more.
fn life() -> Duration {
    let (job, server) = (job_on(ORDERS), sandbox(SLOW));
    let begin = Instant::now();
    assert_eq!(job.run(&server.url, &["--concurrency", &CONCURRENCY.to_string()]).code, 0);
    begin.elapsed() * 5 / 4
}

/// The report and the outcomes of an undisturbed job.
struct Whole {
    report: Files,
    kept: BTreeMap<u64, StoredOutcome>,
}

fn names(folder: impl AsRef<Path>) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("readable");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn by_line(kept: Vec<StoredOutcome>) -> BTreeMap<u64, StoredOutcome> {
    let count = kept.len();
    let by_line: BTreeMap<u64, StoredOutcome> = kept.into_iter().map(|kept| (kept.line, kept)).collect();
    assert_eq!(by_line.len(), count, "each line once");
    by_line
}

#[test]
fn a_job_that_is_killed_again_and_again_ends_like_an_undisturbed_one() {
    let (report, kept) = undisturbed(ORDERS);
    let whole = Whole { report, kept: by_line(kept) };
    let (mut moments, mut kills, mut within_the_report) = (Moments::within(life()), 0, 0);
    while kills < KILLS {
        let job = job_on(ORDERS);
        let server = sandbox(SLOW);
        let mut done = BTreeMap::new();
        loop {
            let before = server.journal.arrivals().len();
            let mut running = job.start(&server.url, &["--concurrency", &CONCURRENCY.to_string()]);
            sleep(moments.next());
            if !running.is_running() {
                assert_eq!(running.end().code, 0);
                break;
            }
            running.kill();
            kills += 1;
            let now = after_a_kill(&job, &server, before, &done, &whole);
            within_the_report += usize::from(now.len() == ORDERS);
            done = now;
            if job.has_tables() && job.has_ended() {
                break;
            }
        }
        assert_same(&job.reproducible_files(), &whole.report);
        assert_eq!(by_line(job.stored_outcomes()), whole.kept, "one run, each row once, as without a kill");
        let names = names(job.place.path(""));
        let left: Vec<_> = names.iter().filter(|name| name.starts_with(".tieout-")).collect();
        assert!(left.is_empty(), "folders of dead jobs are left: {left:?}");
    }
    assert!(within_the_report > 0, "no job was killed with every order fetched");
}

/// Asserts that no committed outcome is lost or asked for again; returns the outcomes committed now.
fn after_a_kill(
    job: &Job,
    server: &Server,
    before: usize,
    done: &BTreeMap<u64, StoredOutcome>,
    whole: &Whole,
) -> BTreeMap<u64, StoredOutcome> {
    if !job.place.path("state.sqlite").exists() {
        assert!(done.is_empty(), "the state is gone");
        return BTreeMap::new();
    }
    let now = if job.has_tables() { by_line(job.stored_outcomes()) } else { BTreeMap::new() };
    for (line, kept) in &now {
        assert_eq!(Some(kept), whole.kept.get(line), "the same as without the kill");
    }
    assert!(done.keys().all(|line| now.contains_key(line)), "nothing committed is lost");
    let asked = server.journal.arrivals().split_off(before);
    for order in asked.into_iter().filter_map(|arrival| arrival.run_order_id) {
        assert!(done.values().all(|kept| kept.run_order_id != order), "{order} was committed and asked for again");
    }
    if job.place.path("report").exists() {
        assert_same(&job.reproducible_files(), &whole.report);
    }
    now
}

#[test]
fn a_job_that_is_killed_spoils_no_report_that_is_there() {
    let (report, _) = undisturbed(ORDERS);
    let job = job_on(ORDERS);
    let server = sandbox("");
    assert_eq!(job.run(&server.url, &[]).code, 0);
    let before = job.place.report().bytes("manifest.json");
    let slow = sandbox("slow,delay=10ms");
    let running = job.start(&slow.url, &[]);
    wait_until("it is under way", || slow.journal.arrivals().len() >= 40);
    running.kill();
    assert_same(&job.reproducible_files(), &report);
    assert_eq!(job.place.report().bytes("manifest.json"), before);
}

#[test]
fn a_report_of_a_job_that_was_killed_before_it_could_say_so_is_replaced_and_not_doubled() {
    let server = sandbox("");
    for _ in 0..200 {
        let job = job_on(5);
        let reports = job.place.path("reports");
        let command = || {
            let mut command: Command = tieout();
            command.arg("reconcile").arg(job.place.path("ids.csv")).args([
                "--rate",
                "0",
                "--as-of",
                "2026-06-01T00:00:00Z",
            ]);
            command.arg("--reports-dir").arg(&reports).arg("--state").arg(job.place.path("state.sqlite"));
            command
                .args(["--api-url", &server.url])
                .env("CHENYU_API_KEY", KEY)
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command
        };
        let report = reports.join("20260601T000000Z");
        let mut running = command().spawn().expect("starts");
        while !report.exists() && running.try_wait().expect("its state").is_none() {
            yield_now();
        }
        running.kill().expect("it can be killed");
        running.wait().expect("it ends");
        if !job.has_ended() {
            let before = fs::read(report.join("summary.json")).expect("it appeared whole");
            assert!(command().status().expect("starts").success());
            assert_eq!(names(&reports), ["20260601T000000Z", "index.html", "latest"]);
            assert_eq!(fs::read(report.join("summary.json")).expect("still there"), before);
            assert!(job.has_ended());
            return;
        }
    }
    panic!("not one job was killed between the report's appearance and its own end");
}
