//! `discover` under faults: the list is whole, reported as incomplete, or not written; it is never silently partial.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Write, pipe};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use tieout::sandbox::{FaultPlan, KEY, Options};

use super::raw::{RawServer, reply};
use super::{assert_no_secret, in_parallel};
use crate::support::{Place, ReportFiles, Server, code, files_below, stderr, stdout, tieout};

/// The earlier content of the CSV file.
const EARLIER: &str = "run_order_id\nwfrun_earlier\n";

fn sandbox(faults: &[&str]) -> Server {
    let faults = FaultPlan::from_specs(faults).expect("a plan");
    Server::start(Options { journal: true, faults, ..Options::default() })
}

/// `tieout discover` into `ids.csv`, which holds an earlier list.
fn command(place: &Place, url: &str, arguments: &[&str]) -> Command {
    let ids = place.file("ids.csv", EARLIER);
    let mut command = place.discover(url);
    command.arg("--output-file").arg(ids).args(arguments);
    command
}

fn discover(place: &Place, url: &str, arguments: &[&str]) -> Output {
    let output = command(place, url, arguments).output().expect("starts");
    assert_no_secret(place, &output);
    assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
    assert_eq!(stdout(&output), "", "the CSV goes into the file");
    output
}

fn written(place: &Place) -> String {
    fs::read_to_string(place.path("ids.csv")).expect("a file")
}

/// Asserts that the earlier CSV is unchanged, no partial one is left, and the error output contains `expected`.
fn assert_untouched(place: &Place, output: &Output, exit: i32, expected: &str) {
    let stderr = stderr(output);
    assert_eq!(code(output), exit, "{stderr}");
    assert!(stderr.contains(expected), "{expected:?} is not in: {stderr}");
    assert!(stderr.contains("no CSV was written"), "{stderr}");
    assert_eq!(written(place), EARLIER);
    let folder = place.path("");
    let left: BTreeSet<String> = files_below(&folder)
        .iter()
        .map(|path| path.strip_prefix(&folder).expect("below").display().to_string())
        .filter(|name| !name.starts_with("state.sqlite"))
        .collect();
    assert_eq!(left, BTreeSet::from(["ids.csv".to_owned()]), "nothing else is left");
}

/// The CSV of a provider without faults.
fn reference() -> String {
    let (place, server) = (Place::new(), sandbox(&[]));
    let output = discover(&place, &server.url, &[]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let csv = written(&place);
    assert_eq!((csv.lines().count(), csv.lines().next_back()), (502, Some("#tieout-end,500,0")));
    csv
}

#[test]
fn a_fault_on_one_page_is_asked_for_again() {
    let reference = reference();
    let cases = [
        "status=502,nth=3",
        "close-before-headers,nth=3",
        "reset-body,nth=3",
        "cut-body,nth=3",
        "html,nth=3",
        "gzip,nth=3",
        "trailing-bytes,nth=3",
        "code=503,nth=3",
        "hang-after-headers,nth=3",
        "too-many,nth=3,retry-after=1",
        "status=503,every=2",
    ];
    in_parallel(&cases, |fault| {
        let (place, server) = (Place::new(), sandbox(&[fault]));
        let output = discover(&place, &server.url, &["--timeout", "2s"]);
        assert_eq!(code(&output), 0, "{fault}: {}", stderr(&output));
        assert!(written(&place) == reference, "{fault}: the same, to the last byte");
        assert!(server.journal.arrivals().len() > 6, "{fault}: the fault occurred");
    });
}

#[test]
fn a_page_that_can_not_be_had_leaves_what_was_there() {
    let cases: [(&str, &[&str], &str); 8] = [
        (
            "status=502,from=3",
            &["--retries", "1"],
            "page 3 of the list of orders can't be fetched: no answer (http-502",
        ),
        ("close-before-headers,from=3", &["--retries", "1"], "page 3 of the list of orders can't be fetched"),
        ("status=403,nth=3", &[], "page 3 of the list of orders can't be fetched: the provider refuses it (http-403"),
        ("null-data,nth=3", &[], "page 3 of the list of orders can't be fetched: the reply can't be used (no-list"),
        ("oversize,nth=3", &[], "body-too-large"),
        (
            "redirect=http://127.0.0.1:9/,nth=3",
            &[],
            "page 3 of the list of orders can't be fetched: no answer (redirect",
        ),
        (
            "too-many,nth=3,retry-after=301",
            &[],
            "page 3 of the list of orders can't be fetched: no answer (rate-limited",
        ),
        ("hang-before-headers,from=3", &["--deadline", "2s"], "page 3 of the list of orders can't be fetched"),
    ];
    in_parallel(&cases, |(fault, arguments, message)| {
        let (place, server) = (Place::new(), sandbox(&[fault]));
        let output = discover(&place, &server.url, arguments);
        assert_untouched(&place, &output, 4, message);
    });
}

#[test]
fn a_key_that_is_rejected_is_said() {
    for fault in ["status=401,nth=1", "status=401,nth=3", "code=401,nth=2"] {
        let (place, server) = (Place::new(), sandbox(&[fault]));
        let output = discover(&place, &server.url, &[]);
        assert_untouched(&place, &output, 4, "the provider rejects the API key");
        let asked: usize = fault.rsplit('=').next().and_then(|nth| nth.parse().ok()).expect("a number");
        assert_eq!(server.journal.arrivals().len(), asked, "{fault}: no request is sent after it");
    }
    let (place, server) = (Place::new(), sandbox(&[]));
    let output = command(&place, &server.url, &[]).env("CHENYU_API_KEY", "cy_wrong").output().expect("starts");
    assert_untouched(&place, &output, 4, "the provider rejects the API key");
    assert!(!stderr(&output).contains("cy_wrong"));
}

#[test]
fn a_provider_that_admits_few_requests_is_waited_for() {
    let place = Place::new();
    let server = Server::start(Options { journal: true, rate_limit: Some(2), ..Options::default() });
    let output = discover(&place, &server.url, &[]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(written(&place) == reference());
    let limited = server.journal.arrivals().iter().filter(|arrival| arrival.answer.to_string() == "429").count();
    assert!(limited > 0, "it was limited");
}

#[test]
fn a_signal_ends_it_at_once_and_nothing_is_written() {
    for (signal, exit) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        for fault in ["hang-before-headers,from=3", "too-many,from=3,retry-after=100", "status=503,from=3"] {
            let (place, server) = (Place::new(), sandbox(&[fault]));
            let mut command = command(&place, &server.url, &["--retries", "100"]);
            let job = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
            let patience = Instant::now() + Duration::from_secs(60);
            while server.journal.arrivals().len() < 3 {
                assert!(Instant::now() < patience, "the job never asked for page 3");
                thread::sleep(Duration::from_millis(5));
            }
            let start = Instant::now();
            kill(Pid::from_raw(job.id().try_into().expect("an ID")), signal).expect("it runs");
            let output = job.wait_with_output().expect("ends");
            assert!(start.elapsed() < Duration::from_secs(5), "{fault}: {:?}", start.elapsed());
            assert_no_secret(&place, &output);
            assert_untouched(&place, &output, exit, "stopped by a signal");
        }
    }
}

#[test]
fn a_signal_ends_it_at_once_while_nobody_reads_the_list() {
    for (signal, exit) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let (place, server) = (Place::new(), sandbox(&[]));
        let (_unread, mut full) = pipe().expect("a pipe");
        // The list does not fit into the rest of the pipe.
        full.write_all(&[0; 60_000]).expect("room");
        let mut job = place.discover(&server.url).stdout(full).stderr(Stdio::null()).spawn().expect("starts");
        let patience = Instant::now() + Duration::from_secs(60);
        while server.journal.arrivals().len() < 6 {
            assert!(Instant::now() < patience, "the job never asked for page 6");
            thread::sleep(Duration::from_millis(5));
        }
        thread::sleep(Duration::from_millis(500));
        assert!(job.try_wait().expect("a state").is_none(), "it waits for its reader");
        kill(Pid::from_raw(job.id().try_into().expect("an ID")), signal).expect("it runs");
        let start = Instant::now();
        let ended = loop {
            if let Some(ended) = job.try_wait().expect("a state") {
                break ended;
            }
            if start.elapsed() > Duration::from_secs(5) {
                job.kill().expect("it can be killed");
                panic!("{signal} does not end it");
            }
            thread::sleep(Duration::from_millis(5));
        };
        assert_eq!(ended.code(), Some(exit));
    }
}

/// The number of the page that a request's head asks for.
fn page_of(head: &str) -> usize {
    let rest = head.split("page=").nth(1).expect("a page is asked for");
    rest.split([' ', '&']).next().and_then(|number| number.parse().ok()).expect("a number")
}

fn item(number: usize) -> String {
    let second = number % 60;
    format!(
        r#"{{"run_order_id":"wfrun_{number:020x}","quote_amount":"0.03","created_at":"2026-05-08T10:00:{second:02}Z"}}"#
    )
}

fn list(items: &[String], total: &str) -> Vec<u8> {
    reply("200 OK", "", &format!(r#"{{"code":0,"data":{{"items":[{}],"total":{total}}}}}"#, items.join(",")))
}

/// The items of one page, numbered from 1, of a list of these orders.
fn cut(orders: &[usize], page: usize) -> Vec<String> {
    orders.iter().skip((page - 1) * 100).take(100).map(|number| item(*number)).collect()
}

fn ids(place: &Place) -> BTreeSet<String> {
    let csv = written(place);
    let rows = csv.lines().skip(1).filter(|line| !line.starts_with("#tieout-end,"));
    let ids: Vec<String> = rows.filter_map(|line| line.split(',').next().map(str::to_owned)).collect();
    let end = csv.lines().next_back().unwrap_or_default();
    assert!(end.starts_with(&format!("#tieout-end,{},", ids.len())), "{end}");
    let distinct: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(distinct.len(), ids.len(), "each order is listed once");
    distinct
}

fn named(orders: impl IntoIterator<Item = usize>) -> BTreeSet<String> {
    orders.into_iter().map(|number| format!("wfrun_{number:020x}")).collect()
}

#[test]
fn a_list_that_shifts_while_it_is_read_is_had_all_the_same() {
    // The newest order is first, and each of the first requests adds an order.
    let orders = Mutex::new((0..350).rev().collect::<Vec<usize>>());
    let server = RawServer::start(move |head| {
        let mut orders = orders.lock().expect("no panic");
        if orders.len() < 354 {
            let next = orders.len();
            orders.insert(0, next);
        }
        list(&cut(&orders, page_of(head)), &orders.len().to_string())
    });
    let place = Place::new();
    let output = discover(&place, &server.url, &[]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(ids(&place), named(0..354));
    let printed = stderr(&output);
    assert!(
        printed.contains("in 2 walks; the provider counts 354")
            && printed.contains("repeated an order of an earlier page"),
        "{printed}"
    );
}

#[test]
fn orders_that_are_counted_and_never_listed_are_a_gap_that_is_said() {
    let server = RawServer::start(|head| list(&cut(&(0..250).collect::<Vec<_>>(), page_of(head)), "253"));
    let place = Place::new();
    let output = discover(&place, &server.url, &["--quiet"]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert_eq!(ids(&place), named(0..250), "all listed orders are written");
    let printed = stderr(&output);
    assert!(
        printed
            .contains("the list is incomplete: 3 missing. The provider counts 253, but listed 250 orders in 3 walks"),
        "{printed}"
    );
    assert!(server.requests() <= 12, "{} requests", server.requests());
}

/// Reconciles the list against the simulator; asserts that the report is incomplete, says so and can be proved. Returns
/// the shortfall that the report names.
fn assert_not_whole(place: &Place) -> serde_json::Value {
    let mut command = tieout();
    command.current_dir(place.path("")).args(["reconcile", "ids.csv", "--sandbox", "--out", "report", "--fresh"]);
    let output = command.output().expect("starts");
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    let printed = stdout(&output);
    assert!(printed.contains("the input is an incomplete list") && !printed.contains("RECONCILED"), "{printed}");
    let page = fs::read_to_string(place.path("report/report.html")).expect("a page");
    assert!(page.contains("the input is an incomplete list"));
    let verify =
        tieout().current_dir(place.path("")).args(["verify", "report", "--state", "reports/.state.sqlite"]).output();
    let verify = verify.expect("starts");
    assert_eq!(code(&verify), 0, "{}", stdout(&verify));
    let files = ReportFiles(place.path("report"));
    let shortfall = files.json("summary.json")["input_shortfall"].clone();
    assert_eq!(files.json("manifest.json")["input"]["shortfall"], shortfall);
    shortfall
}

#[test]
fn a_list_with_a_gap_or_without_its_end_is_no_whole_input() {
    for (total, shortfall) in
        [("32", json!({"reason": "missing", "orders": 2})), ("null", json!({"reason": "unknown"}))]
    {
        let server = RawServer::start(move |head| list(&cut(&(0..30).collect::<Vec<_>>(), page_of(head)), total));
        let place = Place::new();
        assert_eq!(code(&discover(&place, &server.url, &["--quiet"])), 3);
        assert_eq!(assert_not_whole(&place), shortfall);
    }
    let server = RawServer::start(|head| list(&cut(&(0..30).collect::<Vec<_>>(), page_of(head)), "30"));
    let place = Place::new();
    assert_eq!(code(&discover(&place, &server.url, &["--quiet"])), 0);
    let whole = written(&place);
    let lines: Vec<&str> = whole.lines().collect();
    place.file("ids.csv", lines[..lines.len() - 1].join("\n"));
    assert_eq!(assert_not_whole(&place), json!({"reason": "broken-off"}), "written by a job that was killed");
    place.file("ids.csv", [&lines[..5], &lines[6..]].concat().join("\n"));
    assert_eq!(assert_not_whole(&place), json!({"reason": "other-rows", "written": 30, "read": 29}));
}

#[test]
fn a_page_past_the_end_may_be_empty_refused_or_missing() {
    for past in [
        reply("404 Not Found", "", r#"{"code":404,"msg":"no such page"}"#),
        reply("400 Bad Request", "", r#"{"code":400,"msg":"page out of range"}"#),
        reply("200 OK", "", r#"{"code":1002,"msg":"page out of range"}"#),
        reply("200 OK", "", r#"{"code":0,"data":{"items":null,"total":"200"}}"#),
    ] {
        let server = RawServer::start(move |head| match page_of(head) {
            page @ 1..=2 => list(&cut(&(0..200).collect::<Vec<_>>(), page), "200"),
            _ => past.clone(),
        });
        let place = Place::new();
        let output = discover(&place, &server.url, &[]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        assert_eq!((ids(&place), server.requests()), (named(0..200), 3));
    }
}

#[test]
fn a_list_that_can_not_be_proved_whole_is_written_and_said() {
    let some = || cut(&(0..30).collect::<Vec<_>>(), 1);
    let with = |more: &str| [some(), vec![more.to_owned()]].concat();
    let cases = [
        (some(), "null", "the provider does not say how many orders there are"),
        (some(), "-1", "the provider does not say how many orders there are"),
        (some(), "\"many\"", "can't be read"),
        (some(), "99999999999999999999", "the provider does not say how many orders there are"),
        (some(), "31", "1 missing"),
        (
            with("\"wfrun_1\""),
            "31",
            "list items without a usable order ID: 1, the first on page 1, item 31: it is a text",
        ),
        (with("{}"), "31", "run_order_id: absent, null or empty"),
        (with(r#"{"run_order_id":"a b"}"#), "30", "not printable ASCII"),
        (with(r#"{"run_order_id":"x","run_order_id":"y"}"#), "31", "duplicate field `run_order_id`"),
        (with(r#"{"run_order_id":"=HYPERLINK(1)"}"#), "31", "it begins like a formula"),
    ];
    in_parallel(&cases, |(items, total, message)| {
        let (items, total) = (items.clone(), (*total).to_owned());
        let server =
            RawServer::start(move |head| if page_of(head) == 1 { list(&items, &total) } else { list(&[], &total) });
        let place = Place::new();
        let output = discover(&place, &server.url, &[]);
        assert_eq!(code(&output), 3, "{message}: {}", stderr(&output));
        assert!(stderr(&output).contains(message), "{message:?} is not in: {}", stderr(&output));
        assert_eq!(ids(&place), named(0..30), "{message}");
    });
}

#[test]
fn a_list_without_end_ends() {
    let same = RawServer::start(|_| list(&cut(&(0..100).collect::<Vec<_>>(), 1), "99999999"));
    let place = Place::new();
    let output = discover(&place, &same.url, &["--quiet"]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert!(stderr(&output).contains("99999899 missing"), "{}", stderr(&output));
    assert_eq!((ids(&place), same.requests()), (named(0..100), 33), "eleven pages three times");

    let ever_new = RawServer::start(|head| {
        let first = page_of(head) * 100;
        list(&cut(&(first..first + 100).collect::<Vec<_>>(), 1), "7")
    });
    let place = Place::new();
    let output = discover(&place, &ever_new.url, &["--quiet"]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert!(stderr(&output).contains("it is unknown whether the list is complete"), "{}", stderr(&output));
    assert_eq!(ever_new.requests(), 1_001);
}

#[test]
fn texts_of_a_list_are_data() {
    let title = r#""title":"=cmd|' /C calc'!A0 \u001b[31m \u202e \"x\", y\nz""#;
    let item = format!(r#"{{"run_order_id":"wfrun_1",{title},"run_status":"+1","workflow_id":"@x"}}"#);
    let server = RawServer::start(move |_| list(std::slice::from_ref(&item), "1"));
    let place = Place::new();
    let output = discover(&place, &server.url, &["--since", "2026-05-01"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("kept 1 order without a creation time"), "{}", stderr(&output));
    let expected =
        "wfrun_1,'@x,,\"'=cmd|' /C calc'!A0 \u{fffd}[31m \u{fffd} \"\"x\"\", y\u{fffd}z\",'+1,,,\n#tieout-end,1,0\n";
    assert_eq!(written(&place).split_once('\n').expect("a heading").1, expected);
}

#[test]
fn a_provider_that_repeats_the_key_in_a_list_does_not_get_it_into_the_csv() {
    for body in [
        format!(r#"{{"code":0,"data":{{"items":[{{"run_order_id":"wfrun_1","title":"{KEY}"}}],"total":1}}}}"#),
        format!(r#"{{"code":0,"data":{{"items":[{{"run_order_id":"{KEY}"}}],"total":1}}}}"#),
        format!(r#"{{"code":7,"msg":"bad key {KEY}"}}"#),
        format!(r#"{{"code":0,"data":{{"items":"{KEY}","total":1}}}}"#),
        format!(r#"{{"code":0,"data":{{"items":[],"total":1,"{KEY}":0,"total":2}}}}"#),
    ] {
        let server = RawServer::start(move |_| reply("200 OK", "", &body));
        let place = Place::new();
        let output = discover(&place, &server.url, &["-vv"]);
        assert_untouched(&place, &output, 4, "page 1 of the list of orders can't be fetched");
    }
}
