//! With a wrong key or address, the job ends at once and keeps what it has fetched. A refusal among other replies is a
//! finding about one order.

use std::time::Duration;

use rusqlite::Connection;

use super::{Trial, all_are, clean, exceptions, in_parallel};
use crate::support::{code, stderr, stdout};

/// The orders in the state and the kind of evidence for each.
fn kept(trial: &Trial) -> Vec<(String, String)> {
    let state = Connection::open(trial.place.path("state.sqlite")).expect("a state");
    let mut query = state.prepare("SELECT run_order_id, evidence FROM outcomes ORDER BY line").expect("the table");
    let rows = query.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).expect("a result");
    rows.map(|row| row.expect("a row")).collect()
}

fn assert_no_report(name: &str, trial: &Trial, run: &std::process::Output, messages: &[&str]) {
    assert_eq!(code(run), 4, "{name}: {}{}", stdout(run), stderr(run));
    assert!(!trial.report().exists(), "{name}: no report");
    assert_eq!(stdout(run), "", "{name}");
    for message in messages {
        assert!(stderr(run).contains(message), "{name}: {message:?} is not in: {}", stderr(run));
    }
}

#[test]
fn a_401_ends_the_job_and_what_was_fetched_is_kept() {
    let ids = clean(40);
    in_parallel(&["status=401", "html-status=401", "code=401", "code=\"401\""], |fault| {
        let trial = Trial::new(&ids, [format!("{fault},nth=10")]);
        let run = trial.run(&["--concurrency", "1"]);
        assert_no_report(fault, &trial, &run, &["rejects the API key", "CHENYU_API_KEY", "kept in the state"]);
        let arrivals = trial.server.journal.arrivals();
        assert_eq!(arrivals.len(), 10, "{fault}: no request is sent after that");
        assert_eq!(arrivals[9].answer.to_string(), *fault);
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
    let rejected = arrivals.iter().find(|one| one.answer.to_string() == "status=401").expect("the 401").at;
    assert!(arrivals.iter().all(|one| one.at < rejected + Duration::from_secs(1)), "no request a second later");
    let served = arrivals.iter().filter(|one| one.at < rejected && one.answer.to_string() == "200").count();
    let kept = kept(&trial);
    assert!(served >= 21 && kept.len() + 8 >= served, "{} of {served} kept: all but those in flight", kept.len());
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
fn pages_of_something_else_and_nothing_else_are_a_wrong_address() {
    in_parallel(&["html-status=403", "html-status=404", "html-status=405", "html-status=410"], |fault| {
        let trial = Trial::new(&clean(60), [fault]);
        let run = trial.run(&["--concurrency", "1"]);
        assert_no_report(fault, &trial, &run, &["no reply came from the provider's API", "--api-url"]);
        assert_eq!(trial.server.journal.arrivals().len(), 20, "{fault}");
    });
    // This holds for few rows and for any kind of page.
    in_parallel(&["html-status=404", "html-status=502", "html", "empty"], |fault| {
        let trial = Trial::new(&clean(3), [fault]);
        let run = trial.run(&["--retries", "1"]);
        assert_no_report(fault, &trial, &run, &["no reply came from the provider's API", "--api-url"]);
        assert_eq!(trial.server.journal.arrivals().len(), 6, "{fault}");
    });
}

#[test]
fn a_key_that_may_read_nothing_is_no_finding_about_orders() {
    let ids = clean(60);
    let trial = Trial::new(&ids, ["status=403"]);
    let run = trial.run(&["--concurrency", "1"]);
    assert_eq!(code(&run), 3, "{}{}", stdout(&run), stderr(&run));
    assert_eq!(trial.server.journal.arrivals().len(), 20, "the rest is not asked for");
    let report = trial.report();
    assert_eq!([report.population("refused"), report.population("unfetched")], [20, 40]);
    assert!(exceptions(&report).values().all(|found| found.1 == "http-403"));
    // The next start fetches them again: the key may have been given the permission meanwhile.
    let next = trial.run(&["--concurrency", "1"]);
    assert_eq!((code(&next), trial.server.journal.arrivals().len()), (3, 40), "{}", stderr(&next));
}

#[test]
fn one_answer_for_all_orders_is_about_the_api_and_said_first() {
    let ids = clean(6);
    let faults = ["code=402", "code=200", "status=400", "status=402", "code=\"ARREARS\"", "null-data"];
    in_parallel(&faults, |fault| {
        let trial = Trial::new(&ids, [fault]);
        let run = trial.run(&[]);
        assert_eq!(code(&run), 3, "{fault}: {}{}", stdout(&run), stderr(&run));
        let report = trial.report();
        let reason = report.rows("exceptions.csv")[0]["reason"].clone();
        let first = stdout(&run).lines().next().unwrap_or_default().to_owned();
        assert!(first.contains("INCOMPLETE") && first.contains("all 6 orders"), "{fault}: {first}");
        assert!(first.contains(&reason), "{fault}: {first}");
        let sole = &report.json("summary.json")["sole_reason"];
        assert_eq!((&sole["code"], &sole["orders"]), (&reason.into(), &6.into()), "{fault}");
    });
    // If one order is known, or there are two different answers, they are findings about orders.
    for (plan, exit) in
        [(vec!["code=402,to=5"], 1), (vec!["code=402,to=3", "code=403,from=4"], 1), (vec!["code=404"], 1)]
    {
        let trial = Trial::new(&ids, &plan);
        let run = trial.run(&["--concurrency", "1"]);
        assert_eq!(code(&run), exit, "{plan:?}: {}{}", stdout(&run), stderr(&run));
        assert!(trial.report().json("summary.json")["sole_reason"].is_null(), "{plan:?}");
    }
    let alone = Trial::new(&clean(1), ["code=402"]);
    assert_eq!(code(&alone.run(&[])), 1, "a single order is a finding about the order");
}

#[test]
fn refusals_among_other_replies_are_findings() {
    let ids = clean(30);
    // The first 19 of the 20 that a run of refusals takes, or any single order.
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
