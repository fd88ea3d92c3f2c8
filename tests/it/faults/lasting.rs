//! Permanent faults on some orders: these are reported as unfetched, and the others are not affected.

use super::{Reference, Trial, all_are, clean, exceptions, in_parallel};
use crate::support::{code, stderr, stdout};

/// How many orders always get the fault.
const HOPELESS: usize = 3;
/// How many orders never get it.
const FINE: usize = 12;

/// Asserts for each fault and its expected reason that the report is right about hopeless and fine orders.
fn assert_unfetched(cases: &[(&str, &str)], arguments: &[&str]) {
    let ids = clean(HOPELESS + FINE);
    // At the beginning, in the middle and at the end.
    let is_hopeless = |id: &str| ids.iter().position(|other| other == id).is_some_and(|at| at % 7 == 0);
    let (hopeless, fine): (Vec<String>, Vec<String>) = ids.iter().cloned().partition(|id| is_hopeless(id));
    assert_eq!((hopeless.len(), fine.len()), (HOPELESS, FINE));
    let reference = Reference::of(&fine);
    in_parallel(cases, |(fault, reason)| {
        let trial = Trial::new(&ids, hopeless.iter().map(|id| format!("{fault},ids={id}")));
        let run = trial.run(&[&["--retries", "1"], arguments].concat());
        assert_eq!(code(&run), 3, "{fault}: {}{}", stdout(&run), stderr(&run));
        let report = trial.report();
        assert_eq!(report.verdict(), "incomplete", "{fault}");
        assert_eq!(exceptions(&report), all_are(&hopeless, "unfetched", reason), "{fault}");
        let population = ["rows", "reconciled", "unfetched"].map(|bucket| report.population(bucket));
        assert_eq!(population, [15, 12, 3], "{fault}: no order is lost");
        trial.assert_asked(fault, |id| if is_hopeless(id) { 2 } else { 1 });
        // Money is summed over the fine orders alone.
        for file in ["spend_by_workflow.csv", "spend_by_revision.csv", "discrepancies.csv", "pending.csv"] {
            assert!(
                report.bytes(file) == reference.files[file],
                "{fault}: {file} is not that of the fine orders alone"
            );
        }
        assert!(stdout(&run).contains("INCOMPLETE"), "{fault}: {}", stdout(&run));
    });
}

#[test]
fn broken_connections() {
    let cases = [
        ("close-before-headers", "connection"),
        ("reset-before-headers", "connection"),
        ("cut-body", "cut-body"),
        ("reset-body", "cut-body"),
        ("short-body", "cut-body"),
    ];
    assert_unfetched(&cases, &[]);
}

#[test]
fn replies_without_end() {
    let cases = [
        ("chunked-endless", "timeout"),
        ("trickle", "timeout"),
        ("hang-before-headers", "timeout"),
        ("hang-after-headers", "timeout"),
    ];
    assert_unfetched(&cases, &["--timeout", "3s"]);
}

#[test]
fn replies_that_are_no_json() {
    let cases = [
        ("html", "not-json"),
        ("html-status=502", "http-502"),
        ("empty", "not-json"),
        ("trailing-bytes", "not-json"),
        ("gzip", "encoded-body"),
        ("gzip-bomb", "encoded-body"),
    ];
    assert_unfetched(&cases, &[]);
}

#[test]
fn pages_of_a_gateway_or_a_firewall_say_nothing_of_an_order() {
    let cases = [
        ("html-status=400", "http-400"),
        ("html-status=403", "http-403"),
        ("html-status=404", "http-404"),
        ("html-status=405", "http-405"),
        ("html-status=410", "http-410"),
    ];
    assert_unfetched(&cases, &[]);
}

#[test]
fn what_is_limited_for_ever_while_others_are_answered_is_unfetched() {
    let ids = clean(40);
    let trial = Trial::new(&ids, [format!("too-many,ids={}", ids[3])]);
    let run = trial.run(&["--rate", "50", "--concurrency", "2"]);
    assert_eq!(code(&run), 3, "{}{}", stdout(&run), stderr(&run));
    assert_eq!(exceptions(&trial.report()), all_are(&ids[3..4], "unfetched", "http-429"));
    trial.assert_asked("429", |id| if *id == ids[3] { 5 } else { 1 });
}

#[test]
fn statuses_and_codes_that_mean_later() {
    let cases = [
        ("status=500", "http-500"),
        ("status=502", "http-502"),
        ("status=503", "http-503"),
        ("status=408", "http-408"),
        ("status=204", "http-204"),
        ("code=500", "code-500"),
    ];
    assert_unfetched(&cases, &[]);
}

#[test]
fn no_retry_means_one_attempt() {
    let ids = clean(3);
    let trial = Trial::new(&ids, [format!("status=503,ids={}", ids[1])]);
    let run = trial.run(&["--retries", "0"]);
    assert_eq!(code(&run), 3, "{}", stderr(&run));
    assert_eq!(exceptions(&trial.report()), all_are(&ids[1..2], "unfetched", "http-503"));
    trial.assert_asked("no retry", |_| 1);
}

#[test]
fn a_fifth_of_the_orders_fail_for_ever_and_the_others_do_not_suffer() {
    let ids = clean(100);
    let hopeless: Vec<String> = ids.iter().step_by(5).cloned().collect();
    let trial = Trial::new(&ids, hopeless.iter().map(|id| format!("status=500,ids={id}")));
    let run = trial.run(&["--retries", "1"]);
    assert_eq!(code(&run), 3, "{}", stderr(&run));
    let report = trial.report();
    assert_eq!(exceptions(&report), all_are(&hopeless, "unfetched", "http-500"));
    assert_eq!([report.population("reconciled"), report.population("unfetched")], [80, 20]);
    trial.assert_asked("a fifth", |id| if hopeless.iter().any(|other| other == id) { 2 } else { 1 });
}

#[test]
fn the_next_run_has_what_this_one_could_not_have() {
    let ids = clean(8);
    let reference = Reference::of(&ids);
    // Two attempts fail, which is all that the first run makes.
    let trial = Trial::new(&ids, [format!("status=503,ids={},times=2", ids[3])]);
    let run = trial.run(&["--retries", "1"]);
    assert_eq!(code(&run), 3, "{}", stderr(&run));
    assert_eq!(exceptions(&trial.report()), all_are(&ids[3..4], "unfetched", "http-503"));
    let run = trial.run(&["--retries", "1"]);
    trial.assert_same_as("the next run", &run, &reference);
}
