//! A provider that fails altogether for a while, or for good: it is left alone, and nothing is lost.

use super::{Calm, Trial, clean, exceptions, mixed, side_by_side};
use crate::support::{code, stderr, stdout};

/// For how many milliseconds the breaker held requests up.
fn held_up(trial: &Trial) -> u64 {
    trial.report().json("manifest.json")["fetch"]["waits_ms"]["breaker"].as_u64().unwrap_or_default()
}

#[test]
fn orders_that_fail_in_a_row_open_it_and_it_closes_again() {
    let ids = mixed(120);
    let calm = Calm::of(&ids);
    // One more than half of the last 50 first attempts, and a few to spare. Each fails once.
    let struck = &ids[50..77];
    side_by_side(&["status=503", "close-before-headers"], |fault| {
        let trial = Trial::new(&ids, struck.iter().map(|id| format!("{fault},ids={id},times=1")));
        let run = trial.run(&[]);
        trial.assert_as_calm(fault, &run, &calm);
        trial.assert_asked(fault, |id| if struck.iter().any(|struck| struck == id) { 2 } else { 1 });
        assert!(held_up(&trial) >= 900, "{fault}: it opened, for a second at least: {} ms", held_up(&trial));
    });
}

#[test]
fn a_failure_that_passes_leaves_no_trace() {
    let ids = mixed(120);
    let calm = Calm::of(&ids);
    // By the number of the request, retries and probes included. Just enough that it opens, for each failing probe takes
    // one from the rest and twice the time.
    side_by_side(&["status=503", "close-before-headers", "html-status=502"], |fault| {
        let trial = Trial::new(&ids, [format!("{fault},from=50,to=76")]);
        let run = trial.run(&["--retries", "10"]);
        trial.assert_as_calm(fault, &run, &calm);
        assert_eq!(trial.answered(fault), 27, "{fault}");
        assert_eq!(
            trial.server.journal.arrivals().len(),
            120 + 27,
            "{fault}: what was answered is not asked for again"
        );
    });
}

#[test]
fn a_failure_from_the_start_that_passes_leaves_no_trace() {
    let ids = mixed(60);
    let calm = Calm::of(&ids);
    let struck = &ids[..22];
    let trial = Trial::new(&ids, struck.iter().map(|id| format!("status=502,ids={id},times=1")));
    let run = trial.run(&[]);
    trial.assert_as_calm("the first 22", &run, &calm);
    trial.assert_asked("the first 22", |id| if struck.iter().any(|struck| struck == id) { 2 } else { 1 });
    assert!(held_up(&trial) >= 900, "{} ms", held_up(&trial));
}

#[test]
fn a_provider_that_fails_for_good_is_left_alone_until_the_deadline() {
    let ids = clean(500);
    side_by_side(&["status=503", "reset-before-headers", "html"], |fault| {
        let trial = Trial::new(&ids, [format!("{fault},from=6")]);
        let run = trial.run(&["--deadline", "4s"]);
        assert_eq!(code(&run), 3, "{fault}: {}{}", stdout(&run), stderr(&run));
        let report = trial.report();
        assert_eq!(report.verdict(), "incomplete", "{fault}");
        assert_eq!([report.population("reconciled"), report.population("unfetched")], [5, 495], "{fault}");
        let found = exceptions(&report);
        assert_eq!(found.len(), 495, "{fault}: nothing is lost");
        assert!(found.values().any(|(_, reason)| reason == "deadline"), "{fault}");
        // Twenty to judge by, what was asked again until then, and a probe now and then: not thousands in four seconds.
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
    assert_eq!(trial.server.journal.arrivals().len(), 3, "nothing is asked after the deadline");
}

#[test]
fn a_provider_that_fails_every_order_once_is_fetched_from() {
    let ids = mixed(60);
    let calm = Calm::of(&ids);
    let trial = Trial::new(&ids, ["status=504,times=1"]);
    let run = trial.run(&["--deadline", "5m"]);
    trial.assert_as_calm("each order fails once", &run, &calm);
    trial.assert_asked("each order fails once", |_| 2);
    assert!(held_up(&trial) > 0, "the breaker opened");
}
