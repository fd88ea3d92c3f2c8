//! `--complete` with the real binary: the input has every order that the provider lists, or the report names the
//! missing ones. The list is taken from `tieout discover`, which the module `discover` checks against raw replies.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;
use tieout::sandbox::{FaultPlan, KEY, Options};

use crate::support::{NO_CONFIRM_READ, Place, ReportFiles, Server, code, stderr, stdout, tieout};

const AS_OF: &str = "2026-06-01T00:00:00Z";

/// Every order of the account: ID and creation time.
fn listed(server: &Server) -> Vec<(String, String)> {
    let mut discover = tieout();
    let discover = discover.args(["discover", "--quiet", "--rate", "0", "--api-url", &server.url]);
    let place = Place::new();
    let run = discover.arg("--state").arg(place.path("state.sqlite")).env("CHENYU_API_KEY", KEY).output();
    let csv = stdout(&run.expect("starts"));
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(csv.as_bytes());
    let rows: Vec<(String, String)> =
        reader.records().map(|row| row.expect("a row")).map(|row| (row[0].to_owned(), row[7].to_owned())).collect();
    assert_eq!(rows.len(), 500);
    rows
}

fn reconcile(place: &Place, server: &Server, ids: &[&str], arguments: &[&str]) -> (i32, String, ReportFiles) {
    let input = place.file("ids.csv", format!("run_order_id\n{}\n", ids.join("\n")));
    let mut run = place.reconcile(input);
    run.args(["--api-url", &server.url, "--as-of", AS_OF, "--complete", NO_CONFIRM_READ]).env("CHENYU_API_KEY", KEY);
    let run = run.args(arguments).output().expect("starts");
    (code(&run), format!("{}{}", stdout(&run), stderr(&run)), place.report())
}

fn unlisted(report: &ReportFiles) -> BTreeSet<String> {
    let rows = report.rows("discrepancies.csv").into_iter().filter(|row| row["check"] == "unlisted-in-input");
    rows.inspect(|row| assert_eq!((row["input_line"].as_str(), row["severity"].as_str()), ("", "error")))
        .map(|row| row["run_order_id"].clone())
        .collect()
}

fn proven(report: &ReportFiles) {
    let verify = tieout().arg("verify").arg(&report.0).arg("--files-only").output().expect("starts");
    assert_eq!(code(&verify), 0, "{}", stdout(&verify));
}

#[test]
fn every_order_that_the_input_lacks_is_named() {
    let server = Server::start(Options::default());
    let all = listed(&server);
    let place = Place::new();
    let ids: Vec<&str> = all.iter().map(|(id, _)| id.as_str()).collect();
    let (kept, dropped) = (&ids[3..], &ids[..3]);
    let (exit, printed, report) = reconcile(&place, &server, kept, &[]);
    assert_eq!((exit, report.verdict().as_str()), (1, "discrepant"), "{printed}");
    assert_eq!(unlisted(&report), dropped.iter().map(|id| (*id).to_owned()).collect());
    let counts = json!({"listed": 500, "unlisted": 3, "counted": 500, "missing": 0});
    assert_eq!(report.json("summary.json")["completeness"], counts);
    assert_eq!(report.json("summary.json")["checks"]["unlisted-in-input"]["orders"], 3);
    assert!(printed.contains("The provider lists 500 orders for the period; the input lacks 3 of them."), "{printed}");
    proven(&report);

    let audit = tieout().arg("audit").arg(&report.0).arg("--out").arg(place.path("audit")).output().expect("starts");
    assert_eq!(code(&audit), 1, "{}", stderr(&audit));
    assert_eq!(ReportFiles(place.path("audit")).reproducible_files(), report.reproducible_files());

    // The next night they are still missing; then the input has them.
    let (_, _, report) = reconcile(&place, &server, kept, &[]);
    let lifecycle = |report: &ReportFiles| {
        let rows = report.rows("discrepancies.csv").into_iter().filter(|row| row["check"] == "unlisted-in-input");
        rows.map(|row| row["lifecycle"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(lifecycle(&report), ["persisting"; 3]);
    proven(&report);
    let (_, _, report) = reconcile(&place, &server, &ids, &[]);
    assert_eq!((unlisted(&report), lifecycle(&report)), (BTreeSet::new(), vec![]));
    let resolved = report.rows("resolved.csv").into_iter().filter(|row| row["check"] == "unlisted-in-input").count();
    assert_eq!(resolved, 3);
}

#[test]
fn only_orders_of_the_period_must_be_there() {
    let server = Server::start(Options::default());
    let all = listed(&server);
    let place = Place::new();
    // Days begin in Shanghai, eight hours before UTC; the list gives its times in UTC.
    let in_period = |created: &str| ("2026-05-09T16:00:00Z".."2026-05-12T16:00:00Z").contains(&created);
    let expected: BTreeSet<String> =
        all.iter().filter(|(_, created)| in_period(created)).map(|(id, _)| id.clone()).collect();
    assert!((10..200).contains(&expected.len()), "{}", expected.len());
    let outside = all.iter().find(|(_, created)| !in_period(created)).expect("one");
    let (exit, printed, report) =
        reconcile(&place, &server, &[&outside.0], &["--since", "2026-05-10", "--until", "2026-05-13"]);
    assert_eq!((exit, unlisted(&report)), (1, expected.clone()), "{printed}");
    let summary = report.json("summary.json");
    let bounds = serde_json::json!({"since": "2026-05-09T16:00:00Z", "until": "2026-05-12T16:00:00Z"});
    assert_eq!((&summary["period"], &summary["checks"]["outside-period"]["orders"]), (&bounds, &1.into()));
    let totals = summary["control_totals"].as_object().expect("by currency").values();
    assert_eq!(totals.filter(|totals| totals["outside_period"]["orders"] == 1).count(), 1);
    assert!(printed.contains("created outside the period 2026-05-09T16:00:00Z/2026-05-12T16:00:00Z"), "{printed}");
    let counts = &report.json("summary.json")["completeness"];
    assert_eq!((&counts["listed"], &counts["unlisted"]), (&expected.len().into(), &expected.len().into()));
    let (exit, printed, report) =
        reconcile(&place, &server, &[&outside.0], &["--until", "2026-04-01", "--timezone", "UTC"]);
    assert_eq!((exit == 1, unlisted(&report)), (report.verdict() == "discrepant", BTreeSet::new()), "{printed}");
}

#[test]
fn orders_younger_than_the_report_need_not_be_there() {
    let server = Server::start(Options::default());
    let all = listed(&server);
    let place = Place::new();
    let before = "2026-05-02T00:00:00Z";
    let expected: BTreeSet<String> =
        all.iter().filter(|(_, created)| created.as_str() < before).map(|(id, _)| id.clone()).collect();
    let (_, printed, report) = reconcile(&place, &server, &["wfrun_314ff7d8b7a5beff1388"], &["--as-of", before]);
    assert_eq!(unlisted(&report), expected, "{printed}");
}

#[test]
fn a_list_that_can_not_be_fetched_gives_no_verdict() {
    // The second request is for the first page.
    let faults = FaultPlan::from_specs(["status=500,nth=2"]).expect("a plan");
    let server = Server::start(Options { faults, ..Options::default() });
    let place = Place::new();
    let all = listed(&Server::start(Options::default()));
    let ids = [all[0].0.as_str()];
    let (exit, printed, report) = reconcile(&place, &server, &ids, &["--retries", "0"]);
    assert_eq!((exit, report.verdict().as_str()), (3, "incomplete"), "{printed}");
    let problem = &report.json("summary.json")["completeness"]["problem"];
    assert!(problem.as_str().is_some_and(|problem| problem.contains("page 1")), "{problem}");
    assert!(printed.contains("page 1") && printed.contains("Run again"), "{printed}");
    proven(&report);
    // The same command continues the run: the order is already known, and the list is walked.
    let (exit, printed, report) = reconcile(&place, &server, &ids, &["--retries", "0"]);
    assert_eq!((exit, report.verdict().as_str()), (1, "discrepant"), "{printed}");
    assert!(printed.contains("continuing run 1"), "{printed}");
}

#[test]
fn unlisted_orders_can_be_switched_off_waived_or_made_warnings() {
    let server = Server::start(Options::default());
    let all = listed(&server);
    let place = Place::new();
    let ids: Vec<&str> = all.iter().map(|(id, _)| id.as_str()).skip(1).collect();
    let with = |text: &str| {
        let settings = place.file("tieout.toml", text);
        let (_, printed, report) =
            reconcile(&place, &server, &ids[..], &["--config", settings.to_str().expect("a path")]);
        let rows = report.rows("discrepancies.csv").into_iter().filter(|row| row["check"] == "unlisted-in-input");
        let rows: Vec<_> = rows.map(|row| (row["severity"].clone(), row["waived"].clone())).collect();
        proven(&report);
        (rows, printed)
    };
    assert_eq!(with("[checks]\nunlisted-in-input = 'off'").0, []);
    assert_eq!(with("[checks]\nunlisted-in-input = 'warning'").0, [("warning".to_owned(), String::new())]);
    let figures = format!("expected = ''\nactual = '{}'", final_amount(&server, &all[0].0));
    let waiver = format!(
        "[[waiver]]\norder = '{}'\ncheck = 'unlisted-in-input'\n{figures}\nowner = 'Li Wei'\nreason = 'a test run'\nexpires = '2026-12-31'\n",
        all[0].0
    );
    let waivers = place.file("waivers.toml", waiver);
    let (rows, printed) = with(&format!("waivers = '{}'", waivers.display()));
    assert_eq!(rows, [("error".to_owned(), "true".to_owned())], "{printed}");
    assert!(fs::read_to_string(place.path("report/waivers.csv")).expect("a file").contains("applied"));
}

/// The charge that the list gives for an order, with 8 decimals; empty if it gives none.
fn final_amount(server: &Server, id: &str) -> String {
    let mut discover = tieout();
    let place = Place::new();
    discover.args(["discover", "--quiet", "--rate", "0", "--api-url", &server.url]).env("CHENYU_API_KEY", KEY);
    let csv = stdout(&discover.arg("--state").arg(place.path("state.sqlite")).output().expect("starts"));
    let row = csv.lines().find(|line| line.starts_with(id)).expect("listed").to_owned();
    row.split(',').nth(6).expect("a cell").to_owned()
}

#[test]
fn a_period_without_complete_is_a_usage_error() {
    let server = Server::start(Options::default());
    let place = Place::new();
    let input = place.file("ids.csv", "run_order_id\nwfrun_1\n");
    for arguments in [&["--since", "2026-05-01"][..], &["--complete", "--since", "soon"], &["--timezone", "Mars"]] {
        let mut run = place.reconcile(&input);
        let run = run.args(["--api-url", &server.url]).args(arguments).env("CHENYU_API_KEY", KEY).output();
        let run = run.expect("starts");
        assert_eq!(code(&run), 2, "{arguments:?}: {}", stderr(&run));
    }
}

#[test]
fn a_fetched_order_that_is_not_listed_disproves_the_list() {
    let server = Server::start(Options::default());
    let all = listed(&server);
    let mut ids: Vec<&str> = all.iter().map(|(id, _)| id.as_str()).collect();
    // The provider knows this order but does not list it.
    ids.push("wfrun_314ff7d8b7a5beff1388");
    let place = Place::new();
    let (exit, printed, report) = reconcile(&place, &server, &ids, &[]);
    assert_eq!((exit, report.verdict().as_str()), (3, "incomplete"), "{printed}");
    let problem = &report.json("summary.json")["completeness"]["problem"];
    assert!(problem.as_str().is_some_and(|problem| problem.contains("wfrun_314ff7d8b7a5beff1388")), "{problem}");
    assert!(printed.contains("lacks 1 order of the period"), "{printed}");
    assert!(unlisted(&report).is_empty());
    proven(&report);
}
