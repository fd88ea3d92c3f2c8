//! A key or an address that is wrong: the job ends at once, and what it has is kept. One refusal among other replies is
//! a finding about one order.

use std::time::Duration;

use rusqlite::Connection;

use super::{Trial, all_are, clean, exceptions, side_by_side};
use crate::support::{code, stderr, stdout};

/// The orders in the state and what is known of them.
fn kept(trial: &Trial) -> Vec<(String, String)> {
    let state = Connection::open(trial.place.path("state.sqlite")).expect("a state");
    let mut query = state.prepare("SELECT run_order_id, evidence FROM outcomes ORDER BY line").expect("the table");
    let rows = query.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).expect("a result");
    rows.map(|row| row.expect("a row")).collect()
}

fn assert_no_report(name: &str, trial: &Trial, run: &std::process::Output, said: &[&str]) {
    assert_eq!(code(run), 4, "{name}: {}{}", stdout(run), stderr(run));
    assert!(!trial.report().exists(), "{name}: no report");
    assert_eq!(stdout(run), "", "{name}");
    for said in said {
        assert!(stderr(run).contains(said), "{name}: {said:?} is not in: {}", stderr(run));
    }
}

#[test]
fn a_401_ends_the_job_and_what_was_fetched_is_kept() {
    let ids = clean(40);
    side_by_side(&["status=401", "html-status=401", "code=401", "code=\"401\""], |fault| {
        let trial = Trial::new(&ids, [format!("{fault},nth=10")]);
        let run = trial.run(&["--concurrency", "1"]);
        assert_no_report(fault, &trial, &run, &["rejects the API key", "CHENYU_API_KEY", "kept in the state"]);
        let arrivals = trial.server.journal.arrivals();
        assert_eq!(arrivals.len(), 10, "{fault}: nothing is asked after that");
        assert_eq!(arrivals[9].answered.to_string(), *fault);
        let fetched: Vec<_> = ids[..9].iter().map(|id| (id.clone(), "fetched".to_owned())).collect();
        assert_eq!(kept(&trial), fetched, "{fault}");
    });
}

#[test]
fn after_a_401_only_what_is_in_flight_comes() {
    let ids = clean(400);
    let trial = Trial::new(&ids, ["status=401,nth=30"]);
    let run = trial.run(&["--concurrency", "8", "--rate", "40"]);
    assert_no_report("401", &trial, &run, &["rejects the API key"]);
    let arrivals = trial.server.journal.arrivals();
    let told = arrivals.iter().find(|one| one.answered.to_string() == "status=401").expect("the 401").at;
    assert!(arrivals.iter().all(|one| one.at < told + Duration::from_secs(1)), "nothing is asked a second later");
    let had = arrivals.iter().filter(|one| one.at < told && one.answered.to_string() == "200").count();
    let kept = kept(&trial);
    assert!(had >= 21 && kept.len() + 8 >= had, "{} of {had} kept: all but those in flight", kept.len());
    assert!(kept.iter().all(|(_, evidence)| evidence == "fetched"));
}

#[test]
fn the_first_request_rejected_is_the_only_one() {
    let ids = clean(40);
    let trial = Trial::new(&ids, ["status=401"]);
    let run = trial.run(&["--concurrency", "1"]);
    assert_no_report("401", &trial, &run, &["rejects the API key", "a planned failure"]);
    assert_eq!(trial.server.journal.arrivals().len(), 1);
    assert_eq!(kept(&trial), []);
}

#[test]
fn twenty_refusals_and_nothing_else_are_a_wrong_key_or_address() {
    let ids = clean(60);
    let cases = [
        ("status=403", "forbids everything", "CHENYU_API_KEY"),
        ("html-status=403", "forbids everything", "CHENYU_API_KEY"),
        ("html-status=404", "there is no such API", "--api-url"),
    ];
    side_by_side(&cases, |(fault, said, help)| {
        let trial = Trial::new(&ids, [fault]);
        let run = trial.run(&["--concurrency", "1"]);
        assert_no_report(fault, &trial, &run, &[said, help]);
        assert_eq!(trial.server.journal.arrivals().len(), 20, "{fault}");
    });
}

#[test]
fn refusals_among_other_replies_are_findings() {
    let ids = clean(30);
    // The last of the twenty, or any other one.
    for (plan, refused) in [("status=403,to=19", 0..19), ("status=403,nth=1", 0..1), ("status=403,nth=25", 24..25)] {
        let trial = Trial::new(&ids, [plan]);
        let run = trial.run(&["--concurrency", "1"]);
        assert_eq!(code(&run), 1, "{plan}: {}", stderr(&run));
        let report = trial.report();
        assert_eq!(exceptions(&report), all_are(&ids[refused.clone()], "refused", "http-403"), "{plan}");
        assert_eq!(report.population("reconciled"), 30 - refused.len() as u64, "{plan}");
        trial.assert_asked(plan, |_| 1);
    }
}

#[test]
fn orders_that_do_not_exist_are_findings_however_many() {
    let ids = clean(30);
    let trial = Trial::new(&ids, ["status=404"]);
    let run = trial.run(&[]);
    assert_eq!(code(&run), 1, "{}", stderr(&run));
    assert_eq!(exceptions(&trial.report()), all_are(&ids, "not_found", "http-404"));
}
