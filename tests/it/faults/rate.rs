//! The rate limit, counted in the provider's own log of arrivals.

use std::time::Duration;

use tieout::sandbox::{FaultPlan, Options};

use super::{Reference, Trial, mixed};
use crate::support::code;

const RATE: usize = 50;
const ORDERS: usize = 250;
const SECOND: Duration = Duration::from_secs(1);
/// About a quarter of all requests fail and are retried, and one gets a 429. An order could fail more often than the
/// default retries allow, so the job gets more of them.
const FAULTS: [&str; 4] =
    ["too-many,retry-after=1,nth=120", "status=503,every=9", "close-before-headers,every=11", "cut-body,every=13"];

fn asked_at_fifty_a_second(plan: &[&str], arguments: &[&str]) -> Trial {
    let ids = mixed(ORDERS);
    let faults = FaultPlan::from_specs(plan).expect("a plan");
    let trial = Trial::with(&ids, Options { faults, ..Options::default() });
    let run = trial.run(&[&["--rate", "50", "--retries", "12"], arguments].concat());
    trial.assert_same_as(&format!("{plan:?} {arguments:?}"), &run, &Reference::of(&ids));
    assert_eq!(code(&run), 1, "there are anomalies to find");
    let arrivals = trial.server.journal.arrivals();
    assert!(arrivals.len() >= ORDERS, "{}", arrivals.len());
    // At this rate, all requests together take at least this long.
    let took = arrivals[arrivals.len() - 1].at - arrivals[0].at;
    assert!(took >= SECOND * u32::try_from(arrivals.len() / RATE - 1).expect("few"), "{took:?}");
    trial
}

/// With `--strict-rate`, no second has more arrivals than the limit, however long requests take on their way. This
/// holds however busy the machine is.
fn assert_never_more(plan: &[&str]) {
    let trial = asked_at_fifty_a_second(plan, &["--strict-rate"]);
    let most = trial.server.journal.most_within(SECOND);
    assert!(most <= RATE, "{plan:?}: {most} in a second");
}

/// Without it, the limit holds for sending, with 2 ms to spare, which the pacer's own tests count exactly. A busy
/// machine may delay a request by more than that, so windows of arrivals are a tenth of a second shorter.
fn assert_never_more_sent(plan: &[&str]) {
    let journal = asked_at_fifty_a_second(plan, &[]).server.journal.clone();
    let most = journal.most_within(SECOND * 9 / 10);
    assert!(most <= RATE, "{plan:?}: {most} in 0.9 s");
    let most = journal.most_within(SECOND * 29 / 10);
    assert!(most <= 3 * RATE, "{plan:?}: {most} in 2.9 s");
}

#[test]
fn no_second_holds_more_than_the_allowance() {
    assert_never_more_sent(&[]);
}

#[test]
fn nor_with_faults_and_retries_mixed_in() {
    assert_never_more_sent(&FAULTS);
}

#[test]
fn strictly_counted_no_second_holds_more_than_the_allowance() {
    assert_never_more(&[]);
}

#[test]
fn nor_strictly_counted_with_faults_and_retries_mixed_in() {
    assert_never_more(&FAULTS);
}
