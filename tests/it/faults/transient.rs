//! Transient faults: each order's first attempt fails and the next succeeds. The report is the same as without faults.

use std::collections::BTreeSet;
use std::sync::Mutex;

use super::raw::{RawServer, body_from, order_of, reply};
use super::{Reference, Trial, contents, in_parallel, mixed, run};
use crate::support::{Place, code, stderr};

/// Few enough that the breaker does not open.
const ORDERS: usize = 12;

/// Each order gets the fault once; asserts how often it is asked for, and that the report shows no trace of it.
fn assert_cured(faults: &[&str], arguments: &[&str], asked: usize) {
    let ids = mixed(ORDERS);
    let reference = Reference::of(&ids);
    in_parallel(faults, |fault| {
        let trial = Trial::new(&ids, [format!("{fault},times=1")]);
        let run = trial.run(arguments);
        trial.assert_same_as(fault, &run, &reference);
        trial.assert_asked(fault, |_| asked);
        let label = fault.split(',').next().expect("a kind");
        assert_eq!(trial.answered(label), ORDERS, "{fault}: each order got it");
    });
}

#[test]
fn broken_connections() {
    assert_cured(&["close-before-headers", "reset-before-headers", "cut-body", "reset-body", "short-body"], &[], 2);
}

#[test]
fn replies_without_end() {
    let faults = ["chunked-endless", "trickle", "hang-before-headers", "hang-after-headers"];
    assert_cured(&faults, &["--timeout", "3s"], 2);
}

#[test]
fn replies_that_are_no_json() {
    assert_cured(&["html", "html-status=502", "html-status=503", "empty", "trailing-bytes"], &[], 2);
}

#[test]
fn statuses_and_codes_that_mean_later() {
    assert_cured(&["status=500", "status=502", "status=503", "status=504", "status=408"], &[], 2);
    assert_cured(&["status=204", "status=599", "code=500", "code=\"503\""], &[], 2);
}

#[test]
fn compressed_replies() {
    assert_cured(&["gzip", "gzip-bomb"], &[], 2);
}

#[test]
fn a_slow_reply_is_no_fault() {
    assert_cured(&["slow,delay=1s"], &[], 1);
}

#[test]
fn a_connection_that_closes_after_its_reply() {
    // At full speed the next request may use a connection that is closing; when paced, one that closed long ago.
    for arguments in [&["--concurrency", "1"][..], &["--concurrency", "1", "--rate", "10"]] {
        assert_cured(&["close-after"], arguments, 1);
    }
}

#[test]
fn every_attempt_but_the_last_may_fail() {
    let ids = mixed(4);
    let reference = Reference::of(&ids);
    let trial = Trial::new(&ids, ["close-before-headers,times=2", "status=502,times=1"]);
    let run = trial.run(&["--retries", "3"]);
    trial.assert_same_as("three faults in a row", &run, &reference);
    trial.assert_asked("three faults in a row", |_| 4);
}

#[test]
fn json_that_is_cut_under_the_right_length() {
    let ids = mixed(ORDERS);
    let reference = Reference::of(&ids);
    let sandbox = Trial::new::<&str>(&ids, []);
    let (upstream, met) = (sandbox.server.url.clone(), Mutex::new(BTreeSet::new()));
    let server = RawServer::start(move |head| {
        let body = body_from(&upstream, head);
        let number = {
            let mut met = met.lock().expect("no test panicked");
            met.insert(order_of(head).to_owned()).then_some(met.len())
        };
        // Each order's reply is cut at a different place; no JSON object is whole before its last character.
        let length = number.map_or(body.len(), |number| (body.len() - 1) * number / ORDERS);
        let cut = body.char_indices().map(|(at, _)| at).rfind(|at| *at <= length).unwrap_or_default();
        let kept = if number.is_some() { &body[..cut] } else { &body };
        reply("200 OK", "Content-Type: application/json\r\n", kept)
    });
    let place = Place::new();
    place.file("ids.csv", format!("run_order_id\n{}\n", ids.join("\n")));
    let run = run(&place, &server.url, &[]);
    assert_eq!(code(&run), reference.exit, "{}", stderr(&run));
    assert_eq!(contents(&place.report()).len(), reference.files.len());
    reference.assert_same("cut JSON", &place.report());
    assert_eq!(server.requests(), 2 * ORDERS, "each order was asked for twice");
}

#[test]
fn a_cut_refusal_is_asked_for_again() {
    let ids =
        super::of_kind(4, |kind| matches!(kind, tieout::sandbox::Kind::NotFound | tieout::sandbox::Kind::Refused));
    let reference = Reference::of(&ids);
    let trial = Trial::new(&ids, ["cut-body,times=1"]);
    let run = trial.run(&[]);
    trial.assert_same_as("cut 404 and 403", &run, &reference);
}
