//! `tieout discover` against the sandbox: exactly the orders that its raw JSON lists, and a CSV that `reconcile` reads.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};

use serde_json::value::RawValue;
use tieout::sandbox::{KEY, Options};

use crate::support::{NO_CONFIRM_READ, Place, Server, code, stderr, stdout, tieout};

const COLUMNS: [&str; 8] =
    ["run_order_id", "workflow_id", "revision_id", "title", "run_status", "quote_amount", "final_amount", "created_at"];

/// A row of the CSV.
type Row = [String; 8];
/// Arguments, and a test for the rows that they keep.
type Filter<'a> = (&'a [&'a str], &'a dyn Fn(&Row) -> bool);

fn server() -> Server {
    Server::start(Options { journal: true, ..Options::default() })
}

/// The rows that the CSV must have for the provider at that URL, read from its raw JSON without the program's code.
fn listed_by(url: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for page in 1..=5 {
        let body = get(url, &format!("/workflow/run/list?page_size=100&page={page}"));
        let list: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(list["data"]["total"], 500);
        let items = body.split_once("\"items\":").expect("items").1;
        let items = &items[..items.rfind(",\"total\"").expect("a total behind them")];
        let items: Vec<BTreeMap<String, &RawValue>> = serde_json::from_str(items).expect("a list of objects");
        rows.extend(items.iter().map(|item| COLUMNS.map(|name| cell(name, item.get(name).map(|raw| raw.get())))));
    }
    assert_eq!(rows.len(), 500);
    rows.sort_by(|one, other| (&one[7], &one[0]).cmp(&(&other[7], &other[0])));
    rows
}

/// A GET over a plain socket.
fn get(url: &str, path: &str) -> String {
    let (address, base) = url.trim_start_matches("http://").split_once('/').expect("a path");
    let mut stream = TcpStream::connect(address).expect("it listens");
    let head = format!("GET /{base}{path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {KEY}\r\n");
    stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("a text");
    answer.split_once("\r\n\r\n").expect("a head").1.to_owned()
}

/// The cell of the CSV for a JSON value.
fn cell(column: &str, json: Option<&str>) -> String {
    let text = match json {
        None | Some("null") => return String::new(),
        Some(json) => serde_json::from_str(json).unwrap_or_else(|_| json.to_owned()),
    };
    if column.ends_with("_amount") && !text.is_empty() { eight_decimals(&text) } else { text }
}

/// A decimal number with eight decimals, digit by digit: `2878e-7` is `0.00028780`.
fn eight_decimals(number: &str) -> String {
    let (sign, number) = number.strip_prefix('-').map_or(("", number), |number| ("-", number));
    let (mantissa, exponent) = number.split_once('e').unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let places: i32 = exponent.parse::<i32>().expect("an exponent") - i32::try_from(fraction.len()).expect("few") + 8;
    let digits = format!("{whole}{fraction}{}", "0".repeat(places.try_into().expect("at most eight decimals")));
    let digits = format!("{:0>9}", digits.trim_start_matches('0'));
    let (whole, fraction) = digits.split_at(digits.len() - 8);
    format!("{sign}{whole}.{fraction}")
}

/// The rows of a CSV; asserts that its footer counts them.
fn rows(csv: &[u8]) -> Vec<Row> {
    let text = std::str::from_utf8(csv).expect("UTF-8");
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(csv);
    assert_eq!(reader.headers().expect("a heading").iter().collect::<Vec<_>>(), COLUMNS);
    let cells = |record: csv::StringRecord| COLUMNS.iter().enumerate().map(|(at, _)| record[at].to_owned()).collect();
    let rows: Vec<Row> = reader
        .records()
        .map(|record| -> Vec<String> { cells(record.expect("a row")) })
        .map(|row| row.try_into().expect("8 cells"))
        .collect();
    assert!(text.ends_with(&format!("\n#tieout-end,{},0\n", rows.len())), "{text}");
    rows
}

fn run(command: &mut Command) -> Output {
    let output = command.output().expect("starts");
    assert!(!stderr(&output).contains(KEY) && !stderr(&output).contains("panicked"), "{}", stderr(&output));
    output
}

#[test]
fn every_order_of_the_account_is_listed_digit_for_digit() {
    assert_eq!(
        ["1e-8", "2878e-7", "12e1", "0.1", "-0.5", "0"].map(eight_decimals),
        ["0.00000001", "0.00028780", "120.00000000", "0.10000000", "-0.50000000", "0.00000000"]
    );
    let (place, server) = (Place::new(), server());
    let expected = listed_by(&server.url);
    let asked = server.journal.arrivals().len();
    let output = run(&mut place.discover(&server.url));
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let found = rows(&output.stdout);
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), 500);
    assert!(!output.stdout.contains(&b'\r'), "lines end with LF");
    let printed = stderr(&output);
    assert_eq!(printed, "listed 500 orders on 6 pages; the provider counts 500\nwrote 500 orders to standard output\n");
    assert_eq!(server.journal.arrivals().len() - asked, 6, "each page is asked for once, and one past the end");
}

#[test]
fn filters_keep_exactly_what_they_say() {
    let (place, server) = (Place::new(), server());
    let all = listed_by(&server.url);
    let workflow = all[0][1].clone();
    // A day begins in Shanghai eight hours before it does in UTC; in New York, in summer, four hours after.
    let cases: [Filter<'_>; 7] = [
        (&["--workflow", &workflow], &|row| row[1] == workflow),
        (&["--status", "failed"], &|row| row[4] == "failed"),
        (&["--workflow", &workflow, "--status", "succeeded"], &|row| row[1] == workflow && row[4] == "succeeded"),
        (&["--since", "2026-05-10"], &|row| row[7].as_str() >= "2026-05-09T16:00:00Z"),
        (&["--since", "2026-05-10", "--until", "2026-05-12"], &|row| {
            ("2026-05-09T16:00:00Z".."2026-05-11T16:00:00Z").contains(&row[7].as_str())
        }),
        (&["--until", "2026-05-12", "--timezone", "America/New_York"], &|row| row[7].as_str() < "2026-05-12T04:00:00Z"),
        (&["--status", "queued", "--until", "2026-05-20T00:00:00Z"], &|row| {
            row[4] == "queued" && row[7].as_str() < "2026-05-20T00:00:00Z"
        }),
    ];
    for (arguments, is_wanted) in cases {
        let expected: Vec<Row> = all.iter().filter(|row| is_wanted(row)).cloned().collect();
        assert!(!expected.is_empty() && expected.len() < 500, "{arguments:?}: {}", expected.len());
        let output = run(place.discover(&server.url).args(arguments));
        assert_eq!(code(&output), 0, "{arguments:?}: {}", stderr(&output));
        assert_eq!(rows(&output.stdout), expected, "{arguments:?}");
        assert!(stderr(&output).contains(&format!("wrote {} order", expected.len())), "{}", stderr(&output));
    }
    // `--since` includes its moment, `--until` excludes it.
    let moment = all[250][7].as_str();
    let at = all.iter().filter(|row| row[7] == moment).count();
    let from = rows(&run(place.discover(&server.url).args(["--since", moment])).stdout).len();
    let before = rows(&run(place.discover(&server.url).args(["--until", moment])).stdout).len();
    assert!(at >= 1);
    assert_eq!((from + before, from), (500, all.iter().filter(|row| row[7].as_str() >= moment).count()));
}

#[test]
fn discovered_orders_can_be_reconciled() {
    let (place, server) = (Place::new(), server());
    let ids = place.path("ids.csv");
    let output = run(place.discover(&server.url).arg("-o").arg(&ids));
    assert_eq!((code(&output), stdout(&output)), (0, String::new()), "{}", stderr(&output));
    let csv = fs::read(&ids).expect("a file");
    let piped = run(place.discover(&server.url).args(["--quiet", "--output-file", "-"]));
    assert_eq!(
        (piped.stdout == csv, stderr(&piped)),
        (true, String::new()),
        "the same on standard output, and no messages"
    );

    let mut job = place.reconcile(&ids);
    let arguments = ["--api-url", &server.url, "--as-of", "2026-06-01T00:00:00Z", NO_CONFIRM_READ];
    let job = run(job.args(arguments).env("CHENYU_API_KEY", KEY));
    assert_eq!(code(&job), 1, "{}", stderr(&job));
    let report = place.report();
    let known = report.population("reconciled") + report.population("discrepant") + report.population("pending");
    assert_eq!((report.population("rows"), known), (500, 500), "every row is an order that can be fetched");
    for row in rows(&csv) {
        assert_eq!(server.journal.request_count(&row[0]), 1, "{}", row[0]);
    }
}

#[test]
fn discover_can_be_piped_into_reconcile() {
    let place = Place::new();
    let mut list =
        place.discover("http://127.0.0.1:9").arg("--sandbox").stdout(Stdio::piped()).spawn().expect("starts");
    let mut job = place.reconcile("-");
    job.args(["--sandbox", "--as-of", "2026-06-01T00:00:00Z", "--state"]).arg(place.path("another.sqlite"));
    let job = run(job.stdin(list.stdout.take().expect("piped")));
    assert!(list.wait().expect("ends").success());
    assert_eq!((code(&job), place.report().population("rows")), (1, 500), "{}", stderr(&job));
}

#[test]
fn a_reader_that_stops_early_is_not_a_failure() {
    let place = Place::new();
    let mut list = place
        .discover("http://127.0.0.1:9")
        .arg("--sandbox")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    drop(list.stdout.take());
    let ended = list.wait_with_output().expect("ends");
    assert_eq!(code(&ended), 0, "{}", stderr(&ended));
}

#[test]
fn the_provider_is_named_by_option_environment_or_file() {
    let (place, server) = (Place::new(), server());
    let key = place.file("key", KEY);
    let file = place
        .file("tieout.toml", format!("api-url = {:?}\napi-key-file = {key:?}\nrate = 0\ncolumn = 'id'\n", server.url));
    let discover = || {
        let mut command = tieout();
        command.current_dir(place.path("")).args(["discover", "--quiet", "--workflow", "wf_00000000000000000000"]);
        command
    };
    let by_file = run(discover().arg("--config").arg(&file));
    assert_eq!(code(&by_file), 0, "keys that only reconcile uses are allowed: {}", stderr(&by_file));
    let by_environment =
        run(discover().env("TIEOUT_API_URL", &server.url).env("TIEOUT_RATE", "0").env("CHENYU_API_KEY", KEY));
    assert_eq!(code(&by_environment), 0, "{}", stderr(&by_environment));
    assert_eq!(server.journal.arrivals().len(), 2);
    let by_option =
        run(discover().arg("--config").arg(&file).args(["--api-url", "http://127.0.0.1:9", "--retries", "0"]));
    assert_eq!(code(&by_option), 4, "an option wins over the file");
    let wrong = place.file("wrong.toml", "rate = 1\napi-ulr = 'http://127.0.0.1:9'\n");
    let wrong = run(discover().arg("--config").arg(&wrong));
    assert_eq!(code(&wrong), 2);
    assert!(
        stderr(&wrong).contains("line 2: there is no setting `api-ulr`; did you mean `api-url`?"),
        "{}",
        stderr(&wrong)
    );
}

#[test]
fn mistakes_are_found_before_any_request() {
    let (place, server) = (Place::new(), server());
    let folder = place.path("folder");
    fs::create_dir(&folder).expect("writable");
    let cases: [(&[&str], i32, &str); 6] = [
        (&["--since", "last week"], 2, "--since"),
        (&["--since", "2026-05-02", "--until", "2026-05-01"], 2, "--until"),
        (&["--workflow", "wf 1"], 2, "--workflow"),
        (&["--output-file", "folder"], 2, "folder exists and is not a regular file"),
        (&["--output-file", "nowhere/ids.csv"], 4, "nowhere/ids.csv"),
        (&["--rate", "many"], 2, "--rate"),
    ];
    for (arguments, expected, message) in cases {
        let output = run(place.discover(&server.url).args(arguments));
        assert_eq!(code(&output), expected, "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(message), "{arguments:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{arguments:?}");
    }
    let keyless = run(place.discover(&server.url).env_remove("CHENYU_API_KEY"));
    assert_eq!(code(&keyless), 2, "{}", stderr(&keyless));
    assert!(stderr(&keyless).contains("no API key"), "{}", stderr(&keyless));
    assert!(server.journal.arrivals().is_empty(), "no request was sent");
}

#[test]
fn a_second_job_does_not_disturb_the_first() {
    let place = Place::new();
    let faults = tieout::sandbox::FaultPlan::from_specs(["slow,delay=200ms"]).expect("a plan");
    let server = Server::start(Options { journal: true, faults, ..Options::default() });
    let mut first = place.discover(&server.url).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    while server.journal.arrivals().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let second = run(&mut place.discover(&server.url));
    assert_eq!(code(&second), 4, "{}", stderr(&second));
    assert!(stderr(&second).contains(&format!("another tieout (pid {}", first.id())), "{}", stderr(&second));
    assert!(first.wait().expect("ends").success());
}
