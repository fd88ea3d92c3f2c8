//! The confirm-read: a failing order is fetched again before it is reported, and the newer reply is judged.

use std::collections::BTreeMap;
use std::time::Duration;

use tieout::sandbox::{FaultPlan, KEY, Options};

use crate::support::{Place, Server, code, stderr, stdout};

const DOCUMENTED: &str = "wfrun_314ff7d8b7a5beff1388";
/// An order that always fails `quote-split`, by 0.58042467.
const SPLIT: &str = "wfrun_d88de39449148030b6f2";

/// How long an order that is just being settled has until it is fetched again.
const SETTLING: Duration = Duration::from_millis(250);

fn run(place: &Place, faults: &[&str]) -> (i32, String, BTreeMap<String, usize>) {
    let faults = FaultPlan::from_specs(faults).expect("a plan");
    let server = Server::start(Options { faults, journal: true, ..Options::default() });
    let ids = place.file("ids.csv", format!("run_order_id\n{DOCUMENTED}\n{SPLIT}\n"));
    let mut run = place.reconcile(&ids);
    let run = run.env("CHENYU_API_KEY", KEY).args(["--api-url", &server.url, "--retries", "0"]);
    let run = run.args(["--as-of", "2026-06-01T00:00:00Z", "--fresh"]).output().expect("starts");
    let arrivals = server.journal.arrivals();
    let (first, again) = arrivals.split_at_checked(2).expect("two orders are asked for");
    if let (Some(first), Some(again)) = (first.last(), again.first()) {
        assert!(again.at - first.at >= SETTLING, "the recheck began {:?} after the last order", again.at - first.at);
    }
    let mut asked = BTreeMap::new();
    for arrival in arrivals {
        *asked.entry(arrival.run_order_id.expect("an order")).or_default() += 1;
    }
    (code(&run), format!("{}{}", stdout(&run), stderr(&run)), asked)
}

fn times(documented: usize, split: usize) -> BTreeMap<String, usize> {
    [(DOCUMENTED.to_owned(), documented), (SPLIT.to_owned(), split)].into()
}

#[test]
fn only_failing_orders_are_fetched_again() {
    let place = Place::new();
    let (exit, printed, asked) = run(&place, &[]);
    assert_eq!((exit, asked), (1, times(1, 2)), "{printed}");
    assert!(printed.contains("1 failing order was fetched again: none had changed."), "{printed}");
    let fetch = &place.report().json("manifest.json")["fetch"];
    assert_eq!((&fetch["read_again"], &fetch["changed_meanwhile"]), (&1.into(), &0.into()));
}

#[test]
fn the_newer_reply_is_judged_and_the_change_is_reported() {
    let place = Place::new();
    let undisturbed = run(&place, &[]);
    let expected = place.report().reproducible_files();
    // The first reply to the documented order is about a different order, like a torn read.
    let (exit, printed, asked) = run(&place, &[&format!("wrong-order,ids={DOCUMENTED},times=1")]);
    assert_eq!((exit, asked), (undisturbed.0, times(2, 2)), "{printed}");
    assert!(
        printed.contains("2 failing orders were fetched again: 1 had changed, and the newer reply is judged."),
        "{printed}"
    );
    assert_eq!(place.report().reproducible_files(), expected, "the torn read left no trace");
    let fetch = &place.report().json("manifest.json")["fetch"];
    assert_eq!((&fetch["read_again"], &fetch["changed_meanwhile"]), (&2.into(), &1.into()));
}

#[test]
fn an_order_that_can_not_be_fetched_again_keeps_its_first_reply() {
    let place = Place::new();
    run(&place, &[]);
    let expected = place.report().reproducible_files();
    // The third request is the second for the failing order.
    let (exit, printed, asked) = run(&place, &["status=500,nth=3"]);
    assert_eq!((exit, asked), (1, times(1, 2)), "{printed}");
    assert_eq!(place.report().reproducible_files(), expected);
}

#[test]
fn an_order_that_is_gone_at_the_confirm_read_is_not_found() {
    let place = Place::new();
    let (exit, printed, _) = run(&place, &["status=404,nth=3"]);
    assert_eq!((exit, place.report().population("not_found")), (1, 1), "{printed}");
}
