//! The key appears only in the `Authorization` header, whatever the provider does with it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use tieout::sandbox::KEY;

use super::raw::{RawServer, order_of, reply};
use super::{assert_no_secret, clean, exceptions, run};
use crate::support::{Place, code, stderr, tieout};

/// Every fault of the sandbox, and the bucket of the one order that gets it.
const EVERY_FAULT: [(&str, &str); 27] = [
    ("chunked-endless", "reconciled"),
    ("close-after", "reconciled"),
    ("close-before-headers", "reconciled"),
    ("code=429", "reconciled"),
    ("cut-body", "reconciled"),
    ("deep", "reconciled"),
    ("duplicate-keys", "malformed"),
    ("empty", "reconciled"),
    ("gzip", "reconciled"),
    ("gzip-bomb", "reconciled"),
    ("hang-after-headers", "reconciled"),
    ("hang-before-headers", "reconciled"),
    ("html", "reconciled"),
    ("html-status=502", "reconciled"),
    ("null-data", "malformed"),
    ("oversize", "unfetched"),
    ("redirect=http://127.0.0.1:9/", "unfetched"),
    ("reset-before-headers", "reconciled"),
    ("reset-body", "reconciled"),
    ("short-body", "reconciled"),
    ("slow", "reconciled"),
    ("status=403", "refused"),
    ("too-many", "reconciled"),
    ("trailing-bytes", "reconciled"),
    ("trickle", "reconciled"),
    ("wrong-content-type", "reconciled"),
    ("wrong-order", "discrepant"),
];

#[test]
fn the_key_is_nowhere_after_every_fault_at_once() {
    // Enough orders without a fault that the breaker stays closed.
    let ids = clean(EVERY_FAULT.len() * 2);
    let place = Place::new();
    place.file("ids.csv", format!("run_order_id\n{}\n", ids.join("\n")));
    let mut sandbox = tieout();
    sandbox.args(["sandbox", "--port", "0", "--log-requests", "--request-log"]).arg(place.path("requests.csv"));
    for ((fault, _), id) in EVERY_FAULT.iter().zip(ids.iter().step_by(2)) {
        sandbox.args(["--fault", &format!("{fault},ids={id},times=1")]);
    }
    let mut sandbox = sandbox.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let mut line = String::new();
    BufReader::new(sandbox.stdout.as_mut().expect("piped")).read_line(&mut line).expect("a line");
    let url = line.trim().rsplit(' ').next().expect("a URL").to_owned();

    let job = run(&place, &url, &["-vv", "--timeout", "3s"]);
    sandbox.kill().expect("it runs");
    let mut sandbox = sandbox.wait_with_output().expect("it ended");
    // The sandbox prints its key on standard output for its users; the key may be nowhere else.
    sandbox.stdout.clear();
    assert_no_secret(&place, &sandbox);
    assert!(stderr(&sandbox).contains("sandbox request"), "it was logged: {}", stderr(&sandbox));

    assert_eq!(code(&job), 3, "{}", stderr(&job));
    let report = place.report();
    let untouched = ids.len() - EVERY_FAULT.len();
    for bucket in ["reconciled", "discrepant", "refused", "malformed", "unfetched"] {
        let struck = EVERY_FAULT.iter().filter(|(_, ends_in)| *ends_in == bucket).count();
        let expected = struck + if bucket == "reconciled" { untouched } else { 0 };
        assert_eq!(report.population(bucket), expected as u64, "{bucket}: {:?}", exceptions(&report));
    }
    let log = std::fs::read_to_string(place.path("requests.csv")).expect("a log");
    for (fault, _) in EVERY_FAULT {
        assert_eq!(log.matches(&format!(",{fault},")).count(), 1, "{fault} occurred once");
    }
}

/// The provider gets the key in the request and repeats it everywhere in its replies.
#[test]
fn a_provider_that_repeats_the_key_does_not_get_it_into_the_report() {
    let ids = clean(10);
    let server = RawServer::start({
        let ids = ids.clone();
        move |head| {
            assert!(head.contains(&format!("Bearer {KEY}\r\n")), "the key is sent");
            let text = format!("who said {KEY}?");
            let json =
                |code: &str| format!("{{\"code\":{code},\"msg\":\"{text}\",\"error\":\"{text}\",\"data\":null}}");
            let headers = format!("X-Echo: {KEY}\r\nSet-Cookie: key={KEY}\r\nLocation: /{KEY}\r\n");
            match ids.iter().position(|id| id == order_of(head)).expect("an order of ours") {
                0 => reply("200 OK", &headers, &json("1001")),
                1 => reply("200 OK", &headers, &json(&format!("\"{KEY}\""))),
                2 => reply("403 Forbidden", &headers, &json("403")),
                3 => reply("500 Oops", &headers, &json("500")),
                4 => reply("404 Not Found", &headers, &json("404")),
                5 => reply("200 OK", &headers, &format!("<html>{head}</html>")),
                6 => reply(&format!("502 {KEY}"), &headers, head),
                7 => reply("302 Found", &headers, head),
                8 => reply("200 OK", &headers, &format!("{{\"code\":0,\"{KEY}\":1,\"data\":\"{KEY}\"}}")),
                _ => reply("200 OK", &headers, &format!("{{\"code\":0,\"code\":\"{KEY}\"}}")),
            }
        }
    });
    let place = Place::new();
    place.file("ids.csv", format!("run_order_id\n{}\n", ids.join("\n")));
    let job = run(&place, &server.url, &["-vv", "--retries", "1"]);
    assert_eq!(code(&job), 3, "{}", stderr(&job));
    let rows = place.report().rows("exceptions.csv");
    assert_eq!(rows.len(), 10);
    let details: Vec<&str> = rows.iter().map(|row| row["detail"].as_str()).collect();
    for (at, detail) in details.iter().enumerate().take(5) {
        assert!(detail.contains("who said [key]?"), "order {at}: {detail}");
    }
}

/// A message about a bad amount or time does not quote it.
#[test]
fn a_key_in_the_fields_of_an_order() {
    let ids = clean(2);
    let server = RawServer::start(|head| {
        let order = format!(
            "{{\"code\":0,\"data\":{{\"run_order_id\":\"{}\",\"quote_amount\":\"{KEY}\",\"created_at\":\"{KEY}\"}}}}",
            order_of(head)
        );
        reply("200 OK", "", &order)
    });
    let place = Place::new();
    place.file("ids.csv", format!("run_order_id\n{}\n", ids.join("\n")));
    let job = run(&place, &server.url, &[]);
    assert_eq!(code(&job), 3, "{}", stderr(&job));
    assert_eq!(place.report().population("malformed"), 2);
}

#[test]
fn a_key_in_the_texts_of_an_order() {
    let ids = clean(2);
    let server = RawServer::start(|head| {
        let id = order_of(head);
        let order = format!(
            "{{\"code\":0,\"data\":{{\"run_order_id\":\"{id}\",\"workflow_id\":\"{KEY}\",\"error_code\":\"{KEY}\"}}}}"
        );
        reply("200 OK", "", &order)
    });
    let place = Place::new();
    place.file("ids.csv", format!("run_order_id\n{}\n", ids.join("\n")));
    // `run` searches the report and the state for the key.
    let job = run(&place, &server.url, &[]);
    assert_eq!(code(&job), 3, "{}", stderr(&job));
    for row in place.report().rows("exceptions.csv") {
        assert_eq!((&*row["bucket"], &*row["reason"]), ("malformed", "holds-key"));
        assert!(row["detail"].starts_with("workflow_id repeats the API key"), "{row:?}");
    }
    assert_eq!(place.report().population("malformed"), 2);
}
