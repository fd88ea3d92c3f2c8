//! SIGKILL: whatever moment it comes at, the state is whole and the next run is as good as any.

use std::collections::BTreeMap;

use super::job::{Kept, assert_same};
use super::signals::{job_on, sandbox, undisturbed, wait_until};

const ORDERS: usize = 150;
const CONCURRENCY: usize = 4;
/// After how many requests it is killed, one run after the other.
const KILLS: [usize; 9] = [1, 2, 5, 11, 23, 47, 71, 97, 141];

#[test]
fn a_killed_job_leaves_whole_outcomes_and_loses_no_more_than_was_in_flight() {
    let (report, whole) = undisturbed(ORDERS);
    let whole: BTreeMap<u64, Kept> = whole.into_iter().map(|kept| (kept.line, kept)).collect();
    let job = job_on(ORDERS);
    for (index, requests) in KILLS.into_iter().enumerate() {
        let run = index as u64 + 1;
        let server = sandbox("slow,delay=10ms");
        let running = job.start(&server.url, &["--concurrency", &CONCURRENCY.to_string()]);
        wait_until("it is to be killed", || server.journal.arrivals().len() >= requests);
        running.kill();
        let asked = server.journal.arrivals().len();
        let kept: Vec<Kept> = job.kept().into_iter().filter(|kept| kept.run == run).collect();
        for outcome in &kept {
            assert_eq!(*outcome, Kept { run, ..whole[&outcome.line].clone() }, "whole, as without the kill");
            assert_eq!(server.journal.asked(&outcome.run_order_id), 1, "kept is only what was asked for");
        }
        // As many in flight, as many replies that are not committed yet, and the one that waits for room among those.
        assert!(asked - kept.len() <= 2 * CONCURRENCY + 1, "{asked} were asked for, {} are kept", kept.len());
        assert!(!job.place.path("report").exists());
    }
    let server = sandbox("");
    let ended = job.run(&server.url, &[]);
    assert_eq!(ended.code, 0, "{}", ended.said);
    assert_same(&job.evident(), &report);
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
    assert_same(&job.evident(), &report);
    assert_eq!(job.place.report().bytes("manifest.json"), before);
}
