//! Signals: what is safe when the job is stopped, twice stopped, held and let go on.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tieout::sandbox::{FaultPlan, Journal, KEY, Kind, Options, describe};

use super::job::{Ended, Evident, Job, Kept, assert_same};
use crate::support::Server;

const CONCURRENCY: usize = 4;
/// Nothing that a test waits for takes longer, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// A sandbox that keeps a journal and misbehaves by that rule.
pub(super) fn sandbox(fault: &str) -> Server {
    let faults = FaultPlan::from_specs([fault].into_iter().filter(|fault| !fault.is_empty())).expect("a plan");
    Server::start(Options { journal: true, faults, ..Options::default() })
}

/// A job on so many clean orders of the sandbox.
pub(super) fn job_on(orders: usize) -> Job {
    let ids = (0_u64..).map(|number| format!("wfrun_{number:020x}"));
    let ids = ids.filter(|id| describe(id, Options::default().seed) == Kind::Clean).take(orders);
    Job::with(format!("run_order_id\n{}\n", ids.collect::<Vec<_>>().join("\n")), KEY)
}

/// The report on those orders, and the outcomes in the state, of a job that nobody disturbs.
pub(super) fn undisturbed(orders: usize) -> (Evident, Vec<Kept>) {
    let (server, job) = (sandbox(""), job_on(orders));
    let ended = job.run(&server.url, &[]);
    assert_eq!(ended.code, 0, "{}", ended.said);
    assert_eq!(job.place.report().population("reconciled"), orders as u64);
    (job.evident(), job.kept())
}

pub(super) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn asked(journal: &Journal) -> BTreeSet<String> {
    journal.arrivals().into_iter().map(|arrival| arrival.run_order_id.expect("an order")).collect()
}

/// Asserts that the job says how much is kept, that this is what the state holds, and that there is no report.
fn assert_stopped(job: &Job, ended: &Ended, code: i32) -> BTreeSet<String> {
    assert_eq!(ended.code, code, "{}", ended.said);
    let kept = job.kept();
    let told = format!("stopped by a signal: no report was made; {} rows are kept in the state", kept.len());
    assert!(ended.said.contains(&told), "{told:?} is not in: {}", ended.said);
    assert!(!job.place.path("report").exists(), "no report");
    let left = job.place.files();
    assert!(
        left.iter().all(|file| file.to_string_lossy().contains("state.sqlite") || file.ends_with("ids.csv")),
        "{left:?}"
    );
    assert!(kept.iter().all(|outcome| outcome.evidence == "fetched"), "{kept:?}");
    kept.into_iter().map(|outcome| outcome.run_order_id).collect()
}

#[test]
fn what_is_in_flight_at_a_signal_is_kept_and_nothing_more_is_asked() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let (server, job) = (sandbox("slow,delay=500ms"), job_on(200));
        let running = job.start(&server.url, &["--concurrency", &CONCURRENCY.to_string()]);
        wait_until("some orders were asked for", || server.journal.arrivals().len() >= 10);
        running.signal(signal);
        let by_then = server.journal.arrivals().len();
        let ended = running.end();
        let kept = assert_stopped(&job, &ended, code);
        let asked_in_all = server.journal.arrivals().len();
        assert!(asked_in_all <= by_then + CONCURRENCY, "{asked_in_all} requests, {by_then} of them before {signal}");
        assert_eq!(kept, asked(&server.journal), "all that was asked for is kept, what was in flight included");
        assert_eq!(kept.len(), asked_in_all, "nothing was asked for twice");

        // The same command has it all.
        let calm = sandbox("");
        let ended = job.run(&calm.url, &[]);
        assert_eq!(ended.code, 0, "{}", ended.said);
        assert_same(&job.evident(), &undisturbed(200).0);
    }
}

/// The sandbox answers so many requests and then never again.
const ANSWERED: usize = 8;
/// How long the job waits, after one signal, for replies that are due.
const LAST_REPLIES: Duration = Duration::from_secs(10);

/// A job of which all that was answered is committed, and whose other requests hang.
fn hanging<'j>(server: &Server, job: &'j Job) -> super::job::Running<'j> {
    let running = job.start(&server.url, &["--concurrency", &CONCURRENCY.to_string(), "--timeout", "120s"]);
    wait_until("all other requests hang", || server.journal.arrivals().len() == ANSWERED + CONCURRENCY);
    wait_until("what was answered is committed", || job.kept().len() == ANSWERED);
    running
}

#[test]
fn a_second_signal_ends_the_job_at_once() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let (server, job) = (sandbox("hang-before-headers,from=9"), job_on(50));
        let mut running = hanging(&server, &job);
        let start = Instant::now();
        running.signal(signal);
        thread::sleep(Duration::from_secs(1));
        assert!(running.is_running(), "after one signal it waits for what is in flight");
        running.signal(signal);
        let ended = running.end();
        assert!(start.elapsed() < LAST_REPLIES - Duration::from_secs(1), "it ended after {:?}", start.elapsed());
        assert_eq!(assert_stopped(&job, &ended, code).len(), ANSWERED, "nothing committed is lost");
        assert_eq!(server.journal.arrivals().len(), ANSWERED + CONCURRENCY, "nothing more was asked");
    }
}

#[test]
fn after_one_signal_replies_are_waited_for_ten_seconds_at_most() {
    let (server, job) = (sandbox("hang-before-headers,from=9"), job_on(50));
    let running = hanging(&server, &job);
    let start = Instant::now();
    running.signal(Signal::SIGTERM);
    let ended = running.end();
    let took = start.elapsed();
    assert!(took >= LAST_REPLIES - Duration::from_millis(500) && took < PATIENCE, "{took:?}");
    assert_eq!(assert_stopped(&job, &ended, 143).len(), ANSWERED);
    assert_eq!(server.journal.arrivals().len(), ANSWERED + CONCURRENCY);
}

#[test]
fn a_signal_ends_every_kind_of_waiting() {
    // Back-off after failures, a wait that the provider imposed (of two minutes), and a turn that comes in minutes.
    let waits: [(&str, &[&str], usize); 3] = [
        ("status=503", &["--retries", "30"], 12),
        ("too-many,retry-after=120", &[], 1),
        ("slow,delay=1ms", &["--rate", "1", "--concurrency", "64"], 2),
    ];
    for (fault, arguments, arrivals) in waits {
        let (server, job) = (sandbox(fault), job_on(100));
        let running = job.start(&server.url, arguments);
        wait_until("it waits", || server.journal.arrivals().len() >= arrivals);
        thread::sleep(Duration::from_millis(500));
        let start = Instant::now();
        running.signal(Signal::SIGINT);
        let ended = running.end();
        assert!(start.elapsed() < LAST_REPLIES - Duration::from_secs(1), "{fault}: {:?}", start.elapsed());
        assert_stopped(&job, &ended, 130);
    }
}

const RATE: usize = 50;
const STOPPED: Duration = Duration::from_secs(3);
const SECOND: Duration = Duration::from_secs(1);
/// By how much requests may differ in how long they are on their way, on a machine that is busy with other tests.
const BUSY: Duration = Duration::from_millis(100);
/// See the cold start: only what happens every time counts against the job.
const ATTEMPTS: usize = 3;

/// Holds a job for three seconds; asserts that it then fetches everything. How many requests arrived within the fullest
/// time of that length.
fn fullest_around_a_stop(arguments: &[&str], length: Duration) -> usize {
    const ORDERS: usize = 200;
    let (server, job) = (sandbox(""), job_on(ORDERS));
    let running = job.start(&server.url, &[&["--rate", &RATE.to_string()], arguments].concat());
    wait_until("it is under way", || server.journal.arrivals().len() >= 60);
    running.signal(Signal::SIGSTOP);
    thread::sleep(STOPPED);
    assert!(server.journal.arrivals().len() < ORDERS - RATE, "it was held in the middle");
    running.signal(Signal::SIGCONT);
    let ended = running.end();
    assert_eq!(ended.code, 0, "{}", ended.said);
    assert_same(&job.evident(), &undisturbed(ORDERS).0);
    let arrivals = server.journal.arrivals();
    let gap = arrivals.windows(2).map(|pair| pair[1].at - pair[0].at).max().expect("many");
    assert!(gap >= STOPPED - Duration::from_millis(500), "it was held: {gap:?}");
    server.journal.most_within(length)
}

fn assert_no_burst_after_a_stop(arguments: &[&str]) {
    let mut fullest = Vec::new();
    for _ in 0..ATTEMPTS {
        fullest.push(fullest_around_a_stop(arguments, SECOND - BUSY));
        if fullest.last().is_some_and(|fullest| *fullest <= RATE) {
            return;
        }
    }
    panic!("requests in the fullest {:?}, of {RATE} allowed: {fullest:?}", SECOND - BUSY);
}

#[test]
fn a_job_that_was_held_goes_on_without_a_burst() {
    assert_no_burst_after_a_stop(&[]);
}

#[test]
fn a_job_that_was_held_longer_than_its_time_out_fetches_everything() {
    assert_no_burst_after_a_stop(&["--timeout", "2s"]);
}

#[test]
fn the_strict_rate_holds_whenever_the_job_is_held() {
    // Here nothing depends on how long anything takes, so one attempt must do.
    let fullest = fullest_around_a_stop(&["--strict-rate"], SECOND);
    assert!(fullest <= RATE, "{fullest} requests in a second");
}
