//! 429 storms: the provider admits half of our rate and says when to retry in every way, valid or not.

use std::time::Duration;

use tieout::sandbox::{FaultPlan, HeaderText, Options};

use super::{Reference, Trial, clean, exceptions, in_parallel, mixed};
use crate::support::{code, stderr, stdout};

/// The `--rate` of the job.
const RATE: &str = "20";
/// How many requests a second the provider admits.
const ADMITTED: u32 = 10;
const ORDERS: usize = 24;
const SECOND: Duration = Duration::from_secs(1);

fn limited(ids: &[String], retry_after: Option<&str>, date: Option<&str>) -> Trial {
    let header = |text: &str| -> HeaderText { text.parse().expect("a header's text") };
    let (retry_after, date) = (retry_after.map(header), date.map(header));
    Trial::with(ids, Options { rate_limit: Some(ADMITTED), retry_after, date, ..Options::default() })
}

/// Asserts that after any 429 no request arrives between one second (for requests in flight) and `wait`.
fn assert_left_alone(name: &str, trial: &Trial, wait: Duration) {
    let arrivals = trial.server.journal.arrivals();
    for refused in arrivals.iter().filter(|arrival| arrival.answer.to_string() == "429") {
        let disturbed = arrivals.iter().find(|later| (refused.at + SECOND..refused.at + wait).contains(&later.at));
        assert!(disturbed.is_none(), "{name}: 429 at {:?}, then {disturbed:?}", refused.at);
    }
}

/// `Retry-After`, `Date`, and the wait that they ask for, if they can be read.
type RetryHeaders = (Option<&'static str>, Option<&'static str>, Option<Duration>);

#[test]
fn every_order_is_had_whatever_retry_after_says() {
    let ids = mixed(ORDERS);
    let reference = Reference::of(&ids);
    let cases: [RetryHeaders; 7] = [
        (None, None, None),
        (Some("2"), None, Some(Duration::from_secs(2))),
        (Some("0"), None, None),
        (Some("-1"), None, None),
        (Some("soon"), None, None),
        // In the past.
        (Some("Wed, 21 Oct 2015 07:28:00 GMT"), None, None),
        // Years ahead of us, but only two seconds ahead of the provider's own clock.
        (Some("Wed, 21 Oct 2099 07:28:02 GMT"), Some("Wed, 21 Oct 2099 07:28:00 GMT"), Some(Duration::from_secs(2))),
    ];
    in_parallel(&cases, |(retry_after, date, wait)| {
        let name = format!("Retry-After {retry_after:?}, Date {date:?}");
        let trial = limited(&ids, *retry_after, *date);
        // A 429 does not use up an attempt: the job has no retries.
        let run = trial.run(&["--rate", RATE, "--retries", "0"]);
        trial.assert_same_as(&name, &run, &reference);
        let (arrivals, refused) = (trial.server.journal.arrivals().len(), trial.answered("429"));
        assert!(refused > 0, "{name}: there was a storm");
        assert_eq!(arrivals - refused, ORDERS, "{name}: answered orders are not asked for again");
        let fetch = &trial.report().json("manifest.json")["fetch"];
        assert_eq!(fetch["requests"], arrivals, "{name}");
        assert_eq!(fetch["throttled"], refused, "{name}");
        wait.iter().for_each(|wait| assert_left_alone(&name, &trial, *wait));
    });
}

#[test]
fn a_wait_that_nobody_can_bear_ends_the_asking() {
    let ids = clean(60);
    let cases = [
        // 9223372037 ÷ 86400, and (2⁶⁴ − 1) ÷ 86400.
        ("9223372037", "wait 106751 days"),
        ("99999999999999999999", "wait 213503982334601 days"),
        ("Thu, 31 Dec 2099 23:59:59 GMT", " days"),
        ("301", "301 s"),
    ];
    in_parallel(&cases, |(retry_after, wait)| {
        let trial = limited(&ids, Some(retry_after), None);
        let run = trial.run(&["--rate", RATE, "--concurrency", "4"]);
        assert_eq!(code(&run), 3, "{retry_after}: {}{}", stdout(&run), stderr(&run));
        let report = trial.report();
        let served = trial.answered("200") as u64;
        assert!(served >= u64::from(ADMITTED), "{retry_after}: {served} were served before");
        assert_eq!(report.population("reconciled"), served, "{retry_after}: served orders are in the report");
        assert_eq!(report.population("unfetched"), 60 - served, "{retry_after}: no order is lost");
        for row in report.rows("exceptions.csv") {
            assert_eq!(
                (row["bucket"].as_str(), row["reason"].as_str()),
                ("unfetched", "rate-limited"),
                "{retry_after}"
            );
            let detail = &row["detail"];
            assert!(detail.contains(wait) && detail.contains("--max-wait (300 s)"), "{retry_after}: {detail}");
            let warning = format!("warning: stopped asking with {} rows unfetched: {detail}", 60 - served);
            assert!(stderr(&run).contains(&warning), "{warning:?} is not in: {}", stderr(&run));
        }
        // A request that arrives soon after the first 429 was already in flight.
        let arrivals = trial.server.journal.arrivals();
        let first = arrivals.iter().find(|one| one.answer.to_string() == "429").expect("a 429").at;
        let late = arrivals.iter().filter(|one| one.at > first + SECOND).count();
        assert_eq!(late, 0, "{retry_after}: no request is sent after that");
    });
}

#[test]
fn a_storm_without_end_ends() {
    let ids = clean(40);
    let cases: [(&str, &[&str], &str, &str); 4] = [
        ("too-many,retry-after=3,from=5", &["--max-wait", "2s"], "rate-limited", "--max-wait (2 s)"),
        ("too-many,retry-after=600,from=5", &["--deadline", "60s", "--max-wait", "20m"], "rate-limited", "--deadline"),
        ("too-many,from=5", &["--deadline", "3s"], "deadline", "--deadline"),
        ("code=429,from=5", &["--deadline", "3s"], "deadline", "--deadline"),
    ];
    in_parallel(&cases, |(fault, arguments, reason, detail)| {
        let trial = Trial::new(&ids, [fault]);
        let run = trial.run(&[&["--concurrency", "1"], *arguments].concat());
        assert_eq!(code(&run), 3, "{fault}: {}{}", stdout(&run), stderr(&run));
        let report = trial.report();
        assert_eq!([report.population("reconciled"), report.population("unfetched")], [4, 36], "{fault}");
        let found = exceptions(&report);
        assert!(found.values().all(|found| found.1 == *reason), "{fault}: {found:?}");
        assert!(report.rows("exceptions.csv").iter().all(|row| row["detail"].contains(detail)), "{fault}");
    });
}

#[test]
fn a_429_in_the_body_is_one_too() {
    let ids = mixed(12);
    let reference = Reference::of(&ids);
    let faults = [
        "too-many",
        "status=429",
        "html-status=429",
        "code=429",
        "code=\"429\"",
        "code=429,retry-after=1",
        "code=10029",
    ];
    in_parallel(&faults, |fault| {
        let trial = Trial::new(&ids, [format!("{fault},from=3,to=5")]);
        let run = trial.run(&["--retries", "0", "--rate", "50", "--retry-codes", "E42,10029"]);
        trial.assert_same_as(fault, &run, &reference);
        assert_eq!(trial.server.journal.arrivals().len(), 12 + 3, "{fault}: only those three are asked for again");
        assert_eq!(trial.report().json("manifest.json")["fetch"]["throttled"], 3, "{fault}");
    });
}

#[test]
fn any_refusal_that_says_when_to_come_again_is_one_too() {
    let ids = mixed(12);
    let reference = Reference::of(&ids);
    let faults =
        ["status=403", "html-status=403", "html-status=404", "status=503", "html-status=503", "code=403", "code=503"];
    in_parallel(&faults, |fault| {
        let trial = Trial::new(&ids, [format!("{fault},retry-after=2,nth=3")]);
        let run = trial.run(&["--retries", "0", "--rate", "50"]);
        trial.assert_same_as(fault, &run, &reference);
        let arrivals = trial.server.journal.arrivals();
        let (refused, last) = (arrivals[2].at, arrivals[arrivals.len() - 1].at);
        assert!(last >= refused + Duration::from_secs(2), "{fault}: {arrivals:?}");
        assert_eq!(trial.report().json("manifest.json")["fetch"]["throttled"], 1, "{fault}");
    });
}

#[test]
fn retry_after_of_a_429_in_the_body_is_heeded() {
    let ids = clean(12);
    let trial = Trial::new(&ids, ["code=429,retry-after=3,nth=4"]);
    let run = trial.run(&["--rate", RATE]);
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    let arrivals = trial.server.journal.arrivals();
    let (limited, last) = (arrivals[3].at, arrivals[arrivals.len() - 1].at);
    let until = limited + Duration::from_secs(3);
    assert!(arrivals[3].answer.to_string() == "code=429" && last >= until, "{arrivals:?}");
    let disturbed = arrivals.iter().find(|later| (limited + SECOND..until).contains(&later.at));
    assert!(disturbed.is_none(), "{disturbed:?}");
}

#[test]
fn a_storm_and_broken_connections_together() {
    let ids = mixed(ORDERS);
    let reference = Reference::of(&ids);
    let plan = ["close-before-headers,every=5", "status=503,every=7", "cut-body,every=9"];
    let faults = FaultPlan::from_specs(plan).expect("a plan");
    let trial = Trial::with(&ids, Options { rate_limit: Some(ADMITTED), faults, ..Options::default() });
    let run = trial.run(&["--rate", RATE]);
    trial.assert_same_as("both", &run, &reference);
    assert!(trial.answered("429") > 0 && trial.answered("status=503") > 0, "both occurred");
}
