//! Signals: the job is stopped by one signal or two, or suspended and resumed.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{fs, thread};

use nix::sys::signal::Signal;
use tieout::sandbox::{FaultPlan, Journal, KEY, Kind, Options, describe};

use super::job::{Job, JobResult, Running, StoredOutcome, assert_same};
use crate::support::{Files, Server};

const CONCURRENCY: usize = 4;
/// The signals that stop a job, with their exit codes.
const STOPPING: [(Signal, i32); 2] = [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)];
/// The longest that a test waits for anything, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// A sandbox with a journal and this fault; an empty text means no fault.
pub(super) fn sandbox(fault: &str) -> Server {
    let faults = FaultPlan::from_specs([fault].into_iter().filter(|fault| !fault.is_empty())).expect("a plan");
    Server::start(Options { journal: true, faults, ..Options::default() })
}

/// A job on this many clean orders of the sandbox.
pub(super) fn job_on(orders: usize) -> Job {
    let ids = (0_u64..).map(|number| format!("wfrun_{number:020x}"));
    let ids = ids.filter(|id| describe(id, Options::default().seed) == Kind::Clean).take(orders);
    Job::with(format!("run_order_id\n{}\n", ids.collect::<Vec<_>>().join("\n")), KEY)
}

/// The report and the outcomes of an undisturbed job on this many orders.
pub(super) fn undisturbed(orders: usize) -> (Files, Vec<StoredOutcome>) {
    let (server, job) = (sandbox(""), job_on(orders));
    let ended = job.run(&server.url, &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(job.place.report().population("reconciled"), orders as u64);
    (job.reproducible_files(), job.stored_outcomes())
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

/// Asserts that the job reports how many rows are kept, that the state holds them, and that there is no report; returns
/// the kept orders.
fn assert_stopped(job: &Job, ended: &JobResult, code: i32) -> BTreeSet<String> {
    assert_eq!(ended.code, code, "{}", ended.stderr);
    let kept = job.stored_outcomes();
    let expected = format!("stopped by a signal: no report was made; {} rows are kept in the state", kept.len());
    assert!(ended.stderr.contains(&expected), "{expected:?} is not in: {}", ended.stderr);
    assert_nothing_made(job);
    let wanted = |outcome: &StoredOutcome| ["fetched", "duplicate"].contains(&&*outcome.evidence);
    assert!(kept.iter().all(wanted), "{kept:?}");
    kept.into_iter().map(|outcome| outcome.run_order_id).collect()
}

/// Asserts that there is no report, whole or partial.
fn assert_nothing_made(job: &Job) {
    assert!(!job.place.path("report").exists(), "no report");
    let left = job.place.files();
    assert!(
        left.iter().all(|file| file.to_string_lossy().contains("state.sqlite") || file.ends_with("ids.csv")),
        "{left:?}"
    );
}

#[test]
fn what_is_in_flight_at_a_signal_is_kept_and_nothing_more_is_asked() {
    for (signal, code) in STOPPING {
        let (server, job) = (sandbox("slow,delay=500ms"), job_on(200));
        let running = job.start(&server.url, &["--concurrency", &CONCURRENCY.to_string()]);
        wait_until("some orders were asked for", || server.journal.arrivals().len() >= 10);
        running.signal(signal);
        let by_then = server.journal.arrivals().len();
        let ended = running.end();
        let kept = assert_stopped(&job, &ended, code);
        let asked_in_all = server.journal.arrivals().len();
        assert!(asked_in_all <= by_then + CONCURRENCY, "{asked_in_all} requests, {by_then} of them before {signal}");
        assert_eq!(kept, asked(&server.journal), "every order that was asked for is kept, including those in flight");
        assert_eq!(kept.len(), asked_in_all, "no order was asked for twice");

        // The same command completes the job.
        let faultless = sandbox("");
        let ended = job.run(&faultless.url, &[]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert_same(&job.reproducible_files(), &undisturbed(200).0);
    }
}

/// How many requests the sandbox answers before it hangs.
const ANSWERED: usize = 8;
/// How long the job waits for replies in flight after one signal.
const LAST_REPLIES: Duration = Duration::from_secs(10);

/// Starts a job and waits until all answered orders are committed and all other requests hang.
fn hanging<'j>(server: &Server, job: &'j Job) -> Running<'j> {
    let running = job.start(&server.url, &["--concurrency", &CONCURRENCY.to_string(), "--timeout", "120s"]);
    wait_until("all other requests hang", || server.journal.arrivals().len() == ANSWERED + CONCURRENCY);
    wait_until("what was answered is committed", || job.stored_outcomes().len() == ANSWERED);
    running
}

#[test]
fn a_second_signal_ends_the_job_at_once() {
    for (signal, code) in STOPPING {
        let (server, job) = (sandbox("hang-before-headers,from=9"), job_on(50));
        let mut running = hanging(&server, &job);
        let start = Instant::now();
        running.signal(signal);
        thread::sleep(Duration::from_secs(1));
        assert!(running.is_running(), "after one signal it waits for replies in flight");
        running.signal(signal);
        let ended = running.end();
        assert!(start.elapsed() < LAST_REPLIES - Duration::from_secs(1), "it ended after {:?}", start.elapsed());
        assert_eq!(ended.code, code, "{}", ended.stderr);
        assert_nothing_made(&job);
        assert_eq!(job.stored_outcomes().len(), ANSWERED, "nothing committed is lost");
        assert_eq!(server.journal.arrivals().len(), ANSWERED + CONCURRENCY, "no further request was sent");
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
    // Back-off after failures, a two-minute wait imposed by the provider, and a turn that comes only in minutes.
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

/// How many rows repeat a few orders, so that there is little to fetch and a long report to make.
const ROWS: usize = 10_000;
/// How many different orders the rows name.
const FEW: usize = 10;
/// One of these orders, which always fails a check.
const FAILING: &str = "wfrun_d88de39449148030b6f2";
const LONG_REPORT: [&str; 2] = ["--format", "csv,xlsx,html"];

fn long_report() -> Job {
    let clean = (0_u64..).map(|number| format!("wfrun_{number:020x}"));
    let clean = clean.filter(|id| describe(id, Options::default().seed) == Kind::Clean).take(FEW - 1);
    let orders: Vec<String> = clean.chain([FAILING.to_owned()]).collect();
    let rows: Vec<&str> = orders.iter().map(String::as_str).cycle().take(ROWS).collect();
    Job::with(format!("run_order_id\n{}\n", rows.join("\n")), KEY)
}

/// Asserts that the same command continues from the state and makes the report of an undisturbed job.
fn assert_continued(job: &Job, server: &Server, arguments: &[&str], undisturbed: &Files) {
    let before = server.journal.arrivals().len();
    let ended = job.run(&server.url, arguments);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    let asked_again = server.journal.arrivals().len() - before;
    assert_eq!(asked_again, usize::from(arguments.contains(&"--confirm")), "kept orders are not asked for again");
    assert_same(&job.reproducible_files(), undisturbed);
    assert_eq!(hidden(job), [] as [PathBuf; 0], "the partial report is removed");
}

fn undisturbed_long_report(arguments: &[&str]) -> Files {
    let (server, job) = (sandbox(""), long_report());
    let ended = job.run(&server.url, arguments);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert_eq!(job.place.report().population("rows"), ROWS as u64);
    job.reproducible_files()
}

/// The hidden folders in which reports are made.
fn hidden(job: &Job) -> Vec<PathBuf> {
    let paths = fs::read_dir(job.place.path("")).expect("readable").map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".tieout-"))).collect()
}

/// Starts a job and waits until it has begun `file` of its report, which is not published yet.
fn making<'j>(server: &Server, job: &'j Job, file: &str) -> Running<'j> {
    let running = job.start(&server.url, &LONG_REPORT);
    wait_until("the report is being made", || hidden(job).iter().any(|folder| folder.join(file).exists()));
    running
}

#[test]
fn a_signal_while_the_report_is_made_ends_the_job_without_one() {
    let undisturbed = undisturbed_long_report(&LONG_REPORT);
    // While the builder takes outcomes in, and while it writes the files after that.
    for ((signal, code), file) in STOPPING.into_iter().zip(["run_orders.parquet", "discrepancies.csv"]) {
        let (server, job) = (sandbox(""), long_report());
        let running = making(&server, &job, file);
        running.signal(signal);
        let ended = running.end();
        assert_eq!(assert_stopped(&job, &ended, code).len(), FEW);
        assert_eq!(job.stored_outcomes().len(), ROWS);
        assert_continued(&job, &server, &LONG_REPORT, &undisturbed);
    }
}

#[test]
fn a_second_signal_while_the_report_is_made_ends_the_job_at_once() {
    let undisturbed = undisturbed_long_report(&LONG_REPORT);
    let (server, job) = (sandbox(""), long_report());
    let running = making(&server, &job, "run_orders.parquet");
    // Suspended meanwhile, so that it can't stop after the first signal.
    for signal in [Signal::SIGSTOP, Signal::SIGTERM, Signal::SIGINT, Signal::SIGCONT] {
        running.signal(signal);
    }
    let ended = running.end();
    assert!(STOPPING.iter().any(|(_, code)| ended.code == *code), "{}: {}", ended.code, ended.stderr);
    assert!(!ended.stderr.contains("stopped by a signal"), "it did not wait for the job: {}", ended.stderr);
    assert!(!job.place.path("report").exists(), "no report");
    assert_eq!(job.stored_outcomes().len(), ROWS, "nothing committed is lost");
    assert_continued(&job, &server, &LONG_REPORT, &undisturbed);
}

#[test]
fn after_a_signal_between_fetching_and_the_confirm_read_nothing_more_is_asked() {
    // At this rate the confirm-read waits for a second after the last order: time enough for a signal.
    let arguments = ["--confirm", "--rate", "1", "--format", "csv"];
    let undisturbed = undisturbed_long_report(&arguments);
    for (signal, code) in STOPPING {
        let (server, job) = (sandbox(""), long_report());
        let running = job.start(&server.url, &arguments);
        wait_until("every row is committed", || job.committed() == ROWS as u64);
        // Suspended, to see that the confirm-read has not begun.
        running.signal(Signal::SIGSTOP);
        assert_eq!(server.journal.arrivals().len(), FEW, "each order once");
        running.signal(signal);
        running.signal(Signal::SIGCONT);
        let ended = running.end();
        assert_eq!(assert_stopped(&job, &ended, code).len(), FEW);
        assert_eq!(server.journal.arrivals().len(), FEW, "no further request was sent");
        assert_continued(&job, &server, &arguments, &undisturbed);
    }
}

const RATE: usize = 50;
const STOPPED: Duration = Duration::from_secs(3);
const SECOND: Duration = Duration::from_secs(1);
/// By how much the delays of requests may differ on a machine that is busy with other tests.
const BUSY: Duration = Duration::from_millis(100);
/// A stall of the machine can bunch requests, so the job fails only if it exceeds the rate every time.
const ATTEMPTS: usize = 3;

/// Suspends a job for three seconds and asserts that it then fetches everything; returns the most requests in any
/// window of `length`.
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
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_same(&job.reproducible_files(), &undisturbed(ORDERS).0);
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
    // The strict rate does not depend on delays, so one attempt must do.
    let fullest = fullest_around_a_stop(&["--strict-rate"], SECOND);
    assert!(fullest <= RATE, "{fullest} requests in a second");
}
