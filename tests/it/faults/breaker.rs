//! A provider that fails every request, for a while or for good, is left alone, and no order is lost.

use super::{Reference, Trial, clean, exceptions, in_parallel, mixed};
use crate::support::{code, stderr, stdout};

/// How long the breaker held requests back, in milliseconds.
fn held_up(trial: &Trial) -> u64 {
    trial.report().json("manifest.json")["fetch"]["waits_ms"]["breaker"].as_u64().unwrap_or_default()
}

#[test]
fn orders_that_fail_in_a_row_open_it_and_it_closes_again() {
    let ids = mixed(120);
    let reference = Reference::of(&ids);
    // Slightly more than half of the last 50 first attempts. Each fails once.
    let struck = &ids[50..77];
    in_parallel(&["status=503", "close-before-headers"], |fault| {
        let trial = Trial::new(&ids, struck.iter().map(|id| format!("{fault},ids={id},times=1")));
        let run = trial.run(&[]);
        trial.assert_same_as(fault, &run, &reference);
        trial.assert_asked(fault, |id| if struck.iter().any(|struck| struck == id) { 2 } else { 1 });
        assert!(held_up(&trial) >= 900, "{fault}: it opened for at least a second: {} ms", held_up(&trial));
    });
}

#[test]
fn a_failure_that_passes_leaves_no_trace() {
    let ids = mixed(120);
    let reference = Reference::of(&ids);
    // Requests 50 to 76 fail, retries and probes included. That is just enough to open the breaker; more would take
    // long, since each failing probe uses up only one of them and doubles the wait.
    in_parallel(&["status=503", "close-before-headers", "html-status=502"], |fault| {
        let trial = Trial::new(&ids, [format!("{fault},from=50,to=76")]);
        let run = trial.run(&["--retries", "10"]);
        trial.assert_same_as(fault, &run, &reference);
        assert_eq!(trial.answered(fault), 27, "{fault}");
        assert_eq!(trial.server.journal.arrivals().len(), 120 + 27, "{fault}: answered orders are not asked for again");
    });
}

#[test]
fn a_failure_from_the_start_that_passes_leaves_no_trace() {
    let ids = mixed(60);
    let reference = Reference::of(&ids);
    let struck = &ids[..22];
    let trial = Trial::new(&ids, struck.iter().map(|id| format!("status=502,ids={id},times=1")));
    let run = trial.run(&[]);
    trial.assert_same_as("the first 22", &run, &reference);
    trial.assert_asked("the first 22", |id| if struck.iter().any(|struck| struck == id) { 2 } else { 1 });
    assert!(held_up(&trial) >= 900, "{} ms", held_up(&trial));
}

#[test]
fn a_provider_that_fails_for_good_is_left_alone_until_the_deadline() {
    let ids = clean(500);
    in_parallel(&["status=503", "reset-before-headers", "html"], |fault| {
        let trial = Trial::new(&ids, [format!("{fault},from=6")]);
        let run = trial.run(&["--deadline", "4s"]);
        assert_eq!(code(&run), 3, "{fault}: {}{}", stdout(&run), stderr(&run));
        let report = trial.report();
        assert_eq!(report.verdict(), "incomplete", "{fault}");
        assert_eq!([report.population("reconciled"), report.population("unfetched")], [5, 495], "{fault}");
        let found = exceptions(&report);
        assert_eq!(found.len(), 495, "{fault}: no order is lost");
        assert!(found.values().any(|(_, reason)| reason == "deadline"), "{fault}");
        // Twenty first attempts, retries until the breaker opens, and a few probes; not thousands in four seconds.
        let asked = trial.server.journal.arrivals().len();
        assert!((20..120).contains(&asked), "{fault}: {asked} requests");
        assert!(held_up(&trial) >= 900, "{fault}: {} ms", held_up(&trial));
    });
}

#[test]
fn a_deadline_ends_a_job_that_hangs() {
    let ids = clean(6);
    let trial = Trial::new(&ids, ["hang-before-headers,from=3"]);
    let run = trial.run(&["--concurrency", "1", "--deadline", "3s"]);
    assert_eq!(code(&run), 3, "{}", stderr(&run));
    let report = trial.report();
    assert_eq!([report.population("reconciled"), report.population("unfetched")], [2, 4]);
    assert_eq!(trial.server.journal.arrivals().len(), 3, "no request is sent after the deadline");
}

#[test]
fn a_provider_that_fails_every_order_once_is_fetched_from() {
    let ids = mixed(60);
    let reference = Reference::of(&ids);
    let trial = Trial::new(&ids, ["status=504,times=1"]);
    let run = trial.run(&["--deadline", "5m"]);
    trial.assert_same_as("each order fails once", &run, &reference);
    trial.assert_asked("each order fails once", |_| 2);
    assert!(held_up(&trial) > 0, "the breaker opened");
}
