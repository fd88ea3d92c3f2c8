//! The faults on the wire: every byte that a client without an HTTP library receives, and how the connection ends.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::super::kind::DOCUMENTED_ID;
use super::super::reply::run_info;
use super::super::{AnswerKind, HeaderText, KEY, Options, Sandbox};
use super::FaultPlan;

/// A connection that is silent for this long counts as open.
const QUIET: Duration = Duration::from_millis(300);

/// A rule, the status and content type it causes, and a test of the body.
type Case<'c> = (&'c str, u16, Option<&'c str>, &'c dyn Fn(&str) -> bool);

/// The state of a connection after the last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Open,
    Closed,
    Reset,
}

/// All that was received over a connection.
#[derive(Debug)]
struct Got {
    head: String,
    body: Vec<u8>,
    end: End,
}

impl Got {
    fn header(&self, name: &str) -> Option<&str> {
        let of_name = |line: &'_ &str| line.split(':').next().is_some_and(|text| text.eq_ignore_ascii_case(name));
        let line = self.head.lines().skip(1).find(of_name)?;
        line.split_once(':').map(|(_, value)| value.trim())
    }

    fn status(&self) -> u16 {
        self.head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a text")
    }

    fn length(&self) -> usize {
        self.header("content-length").expect("a length").parse().expect("a number")
    }
}

fn right() -> String {
    run_info(DOCUMENTED_ID, 1).body
}

fn plan(specs: &[&str]) -> Options {
    Options { faults: FaultPlan::from_specs(specs).expect("a plan"), journal: true, ..Options::default() }
}

async fn start(options: Options) -> Sandbox {
    Sandbox::start(SocketAddr::from(([127, 0, 0, 1], 0)), options).await.expect("a free port")
}

async fn ask(stream: &mut TcpStream, id: &str) {
    let request = format!(
        "GET /api/open/v2/workflow/run/info?run_order_id={id} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
}

async fn receive(stream: &mut TcpStream, quiet: Duration) -> Got {
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    let end = loop {
        match timeout(quiet, stream.read(&mut buffer)).await {
            Err(_) => break End::Open,
            Ok(Ok(0)) => break End::Closed,
            Ok(Ok(read)) => bytes.extend_from_slice(&buffer[..read]),
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => break End::Reset,
            Ok(Err(error)) => panic!("{error}"),
        }
    };
    let split = bytes.windows(4).position(|window| window == b"\r\n\r\n").map_or(0, |at| at + 4);
    let body = bytes.split_off(split);
    Got { head: String::from_utf8(bytes).expect("a head"), body, end }
}

async fn connect(sandbox: &Sandbox) -> TcpStream {
    TcpStream::connect(sandbox.addr()).await.expect("listening")
}

/// The reply to a first request under a plan of one rule.
async fn got(spec: &str) -> Got {
    let sandbox = start(plan(&[spec])).await;
    let mut stream = connect(&sandbox).await;
    ask(&mut stream, DOCUMENTED_ID).await;
    let got = receive(&mut stream, QUIET).await;
    let label = spec.split(',').next().expect("a fault");
    let arrivals = sandbox.journal().arrivals();
    assert_eq!(arrivals.len(), 1);
    assert_eq!(arrivals[0].run_order_id.as_deref(), Some(DOCUMENTED_ID));
    assert_eq!(arrivals[0].answer, AnswerKind::Fault(label.into()));
    drop(stream);
    sandbox.stop().await;
    got
}

#[tokio::test]
async fn connections_end_without_a_byte() {
    for (spec, end) in [
        ("close-before-headers", End::Closed),
        ("reset-before-headers", End::Reset),
        ("hang-before-headers", End::Open),
    ] {
        let got = got(spec).await;
        assert!(got.head.is_empty() && got.body.is_empty() && got.end == end, "{spec} {got:?}");
    }
}

#[tokio::test]
async fn bodies_break_off() {
    let right = right();
    for (spec, end) in [("cut-body", End::Closed), ("reset-body", End::Reset)] {
        let got = got(spec).await;
        assert_eq!((got.status(), got.length(), got.end), (200, right.len(), end), "{spec}");
        assert_eq!(got.text(), &right[..right.len() / 2], "{spec}");
        assert_eq!(got.header("content-type"), Some("application/json"));
    }
    let short = got("short-body").await;
    assert_eq!((short.length(), short.text(), short.end), (right.len() + 64, right.as_str(), End::Closed));
    let hanging = got("hang-after-headers").await;
    assert_eq!((hanging.length(), hanging.body.len(), hanging.end), (right.len(), 0, End::Open));
}

#[tokio::test]
async fn bodies_come_slowly_or_for_ever() {
    let slow = got("slow,delay=120ms").await;
    assert_eq!((slow.status(), slow.text(), slow.end), (200, right().as_str(), End::Open));

    let sandbox = start(plan(&["slow,delay=500ms,nth=1", "trickle,interval=40ms"])).await;
    let mut stream = connect(&sandbox).await;
    let begun = Instant::now();
    ask(&mut stream, DOCUMENTED_ID).await;
    assert!(receive(&mut stream, QUIET).await.head.is_empty(), "nothing before the delay");
    assert_eq!(receive(&mut stream, QUIET).await.text(), right());
    assert!(begun.elapsed() >= Duration::from_millis(500));

    ask(&mut stream, DOCUMENTED_ID).await;
    let begun = Instant::now();
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n{\"code") {
        bytes.push(stream.read_u8().await.expect("a byte"));
    }
    // Six bytes, the first at once.
    assert!(begun.elapsed() >= Duration::from_millis(5 * 40), "{:?}", begun.elapsed());
    let head = String::from_utf8(bytes).expect("a head");
    assert!(head.contains(&format!("content-length: {}\r\n", right().len())), "{head}");
    sandbox.stop().await;

    let sandbox = start(plan(&["chunked-endless,interval=20ms"])).await;
    let mut stream = connect(&sandbox).await;
    ask(&mut stream, DOCUMENTED_ID).await;
    let mut bytes = vec![0; 4000];
    stream.read_exact(&mut bytes).await.expect("as much as one likes");
    let text = String::from_utf8(bytes).expect("a text");
    let right = right();
    assert!(text.contains("transfer-encoding: chunked\r\n") && !text.contains("content-length"), "{text}");
    let chunk = format!("\r\n\r\n{:X}\r\n{right}\r\n1\r\n \r\n1\r\n \r\n1\r\n", right.len());
    assert!(text.contains(&chunk) && !text.contains("\r\n0\r\n"), "{text}");
    sandbox.stop().await;
}

#[tokio::test]
async fn compressed_bodies() {
    let gzip = got("gzip").await;
    assert_eq!((gzip.status(), gzip.header("content-encoding"), gzip.end), (200, Some("gzip"), End::Open));
    let mut text = String::new();
    flate2::read::GzDecoder::new(&gzip.body[..]).read_to_string(&mut text).expect("gzip");
    assert_eq!(text, right());

    let sandbox = start(plan(&["gzip-bomb"])).await;
    let mut stream = connect(&sandbox).await;
    ask(&mut stream, DOCUMENTED_ID).await;
    let bomb = receive(&mut stream, Duration::from_secs(5)).await;
    assert_eq!((bomb.status(), bomb.header("content-encoding")), (200, Some("gzip")));
    assert!(bomb.body.len() == bomb.length() && bomb.length() < 256 * 1024);
    let unpacked = io::copy(&mut flate2::read::GzDecoder::new(&bomb.body[..]), &mut io::sink()).expect("gzip");
    assert_eq!(unpacked, 128 * 1024 * 1024 + right().len() as u64);
    sandbox.stop().await;
}

#[tokio::test]
async fn bodies_and_statuses_are_wrong() {
    let right = right();
    let json = Some("application/json");
    let html = Some("text/html; charset=utf-8");
    let id = format!("\"run_order_id\":\"{DOCUMENTED_ID}\"");
    let cases: [Case; 16] = [
        ("oversize", 200, json, &|body| body.len() > 1024 * 1024 && body.replace(' ', "") == right.replace(' ', "")),
        ("wrong-content-type", 200, html, &|body| body == right),
        ("html", 200, html, &|body| body.starts_with("<html>")),
        ("html-status=502", 502, html, &|body| body.starts_with("<html>")),
        ("empty", 200, json, &str::is_empty),
        ("status=503", 503, json, &|body| body == r#"{"code":503,"msg":"a planned failure","data":null}"#),
        ("status=204", 204, json, &str::is_empty),
        ("code=429", 200, json, &|body| body == r#"{"code":429,"msg":"a business code","data":null}"#),
        ("code=\"00\"", 200, json, &|body| body == right.replacen(":0,", ":\"00\",", 1)),
        ("code=null", 200, json, &|body| body == right.replacen(":0,", ":null,", 1)),
        ("duplicate-keys", 200, json, &|body| body.matches("\"quote_amount\":").count() == 3),
        ("wrong-order", 200, json, &|body| !body.contains(&id) && body.len() == right.len()),
        ("trailing-bytes", 200, json, &|body| body.starts_with(&right) && body.len() > right.len()),
        ("deep", 200, json, &|body| body.contains(&"[".repeat(200)) && body.contains(&"]".repeat(200))),
        ("null-data", 200, json, &|body| body == r#"{"code":0,"msg":"success","data":null}"#),
        ("redirect=http://127.0.0.1:9/x", 302, json, &|body| body.contains("\"code\":302")),
    ];
    assert!(right.starts_with("{\"code\":0,"), "{right}");
    let all = cases.map(async |(spec, status, content_type, fits)| {
        let got = got(spec).await;
        assert_eq!((got.status(), got.header("content-type"), got.end), (status, content_type, End::Open), "{spec}");
        assert!(fits(got.text()), "{spec}: {}", got.text());
        let place = spec.starts_with("redirect").then_some("http://127.0.0.1:9/x");
        assert_eq!((got.header("location"), got.header("retry-after")), (place, None), "{spec}");
    });
    futures::future::join_all(all).await;
}

#[tokio::test]
async fn retry_after_and_date_are_sent_verbatim() {
    for (spec, status, retry_after, date) in [
        ("too-many", 429, None, None),
        ("too-many,retry-after=-1", 429, Some("-1"), None),
        ("too-many,retry-after=9223372037,date=yesterday", 429, Some("9223372037"), Some("yesterday")),
        (r"status=503,retry-after=Wed\, 21 Oct 2099 07:28:00 GMT", 503, Some("Wed, 21 Oct 2099 07:28:00 GMT"), None),
        ("html-status=502,retry-after=2", 502, Some("2"), None),
        ("code=429,retry-after=0", 200, Some("0"), None),
        ("gzip,date=never", 200, None, Some("never")),
    ] {
        let got = got(spec).await;
        assert_eq!((got.status(), got.header("retry-after")), (status, retry_after), "{spec}");
        let text = got.header("date").expect("a date");
        assert!(date.map_or(text.ends_with(" GMT"), |date| date == text), "{spec}: {text}");
        assert_eq!(got.head.matches("date:").count(), 1, "{}", got.head);
    }
}

#[tokio::test]
async fn closes_after_the_right_reply_without_announcement() {
    let after = got("close-after").await;
    assert_eq!((after.status(), after.length(), after.text()), (200, right().len(), right().as_str()));
    assert_eq!((after.header("connection"), after.end), (None, End::Closed));
}

#[tokio::test]
async fn a_retry_succeeds_over_a_new_connection() {
    let sandbox = start(plan(&["close-before-headers,ids=wfrun_3*,times=1", "status=500,nth=3"])).await;
    let mut first = connect(&sandbox).await;
    ask(&mut first, DOCUMENTED_ID).await;
    assert_eq!(receive(&mut first, QUIET).await.end, End::Closed);
    let mut second = connect(&sandbox).await;
    for status in [200, 500, 200] {
        ask(&mut second, DOCUMENTED_ID).await;
        assert_eq!(receive(&mut second, QUIET).await.status(), status);
    }
    let journal = sandbox.journal();
    sandbox.stop().await;
    let answered: Vec<String> = journal.arrivals().iter().map(|arrival| arrival.answer.to_string()).collect();
    assert_eq!(answered, ["close-before-headers", "200", "status=500", "200"]);
    assert_eq!(journal.request_count(DOCUMENTED_ID), 4);
}

#[tokio::test]
async fn requests_without_the_key_or_over_the_limit_get_no_fault() {
    let retry_after: HeaderText = "Wed, 21 Oct 2015 07:28:00 GMT".parse().expect("a header");
    let limited = Options { rate_limit: Some(1), retry_after: Some(retry_after), ..plan(&["html,times=1"]) };
    let sandbox = start(Options { date: Some("tomorrow".parse().expect("a header")), ..limited }).await;
    let mut stream = connect(&sandbox).await;
    stream.write_all(b"GET /api/open/v2/balance/info HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    assert_eq!(receive(&mut stream, QUIET).await.status(), 401);
    ask(&mut stream, "a").await;
    ask(&mut stream, "b").await;
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(Ok(read @ 1..)) = timeout(QUIET, stream.read(&mut buffer)).await {
        bytes.extend_from_slice(&buffer[..read]);
    }
    let text = String::from_utf8(bytes).expect("a text");
    let (first, second) = text.split_once("HTTP/1.1 429").expect("a refusal");
    assert!(first.starts_with("HTTP/1.1 200 OK\r\n") && first.contains("<html>"), "{text}");
    assert!(second.contains("retry-after: Wed, 21 Oct 2015 07:28:00 GMT\r\n"), "{text}");
    assert!(second.contains("date: tomorrow\r\n") && second.matches("date:").count() == 1, "{text}");
    let journal = sandbox.journal();
    let seen: Vec<_> = journal.arrivals().into_iter().map(|one| (one.run_order_id, one.answer.to_string())).collect();
    let expected = [(None, "401"), (Some("a"), "html"), (Some("b"), "429")];
    assert_eq!(seen, expected.map(|(id, answered)| (id.map(str::to_owned), answered.to_owned())));
    sandbox.stop().await;
}

#[tokio::test]
async fn the_limit_may_omit_retry_after() {
    let options = Options { rate_limit: Some(1), retry_after: None, ..Options::default() };
    let sandbox = start(options).await;
    let mut stream = connect(&sandbox).await;
    ask(&mut stream, "a").await;
    assert_eq!(receive(&mut stream, QUIET).await.status(), 404);
    ask(&mut stream, "a").await;
    let refused = receive(&mut stream, QUIET).await;
    assert_eq!((refused.status(), refused.header("retry-after")), (429, None));
    assert_eq!(sandbox.journal().arrivals(), [], "the journal is off");
    sandbox.stop().await;
}

#[tokio::test]
async fn a_stop_ends_endless_faults() {
    let specs = ["hang-before-headers,nth=1", "hang-after-headers,nth=2", "trickle,nth=3", "chunked-endless"];
    let sandbox = start(plan(&specs)).await;
    let mut streams = Vec::new();
    for _ in specs {
        let mut stream = connect(&sandbox).await;
        ask(&mut stream, DOCUMENTED_ID).await;
        streams.push(stream);
        while sandbox.journal().arrivals().len() < streams.len() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let idle = connect(&sandbox).await;
    timeout(Duration::from_secs(5), sandbox.stop()).await.expect("stops");
    for mut stream in streams {
        assert_eq!(receive(&mut stream, QUIET).await.end, End::Closed);
    }
    drop(idle);
}

#[tokio::test]
async fn the_request_log_has_a_line_per_request_and_never_the_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("requests.csv");
    let options = Options { request_log: Some(path.clone()), ..plan(&["hang-before-headers,nth=2"]) };
    let sandbox = start(options.clone()).await;
    let mut stream = connect(&sandbox).await;
    ask(&mut stream, DOCUMENTED_ID).await;
    assert_eq!(receive(&mut stream, QUIET).await.status(), 200);
    ask(&mut stream, "x%2C%22y%0Az").await;
    assert_eq!(receive(&mut stream, QUIET).await.end, End::Open);
    // Read while the sandbox still runs.
    let log = std::fs::read_to_string(&path).expect("a log");
    assert!(!log.contains(KEY));
    let mut lines = csv::Reader::from_reader(log.as_bytes());
    assert_eq!(lines.headers().expect("a heading"), vec!["micros", "status_or_fault", "run_order_id"]);
    let lines: Vec<csv::StringRecord> = lines.records().collect::<Result<_, _>>().expect("CSV");
    let logged: Vec<(&str, &str)> = lines.iter().map(|line| (&line[1], &line[2])).collect();
    assert_eq!(logged, [("200", DOCUMENTED_ID), ("hang-before-headers", "x,\"y\nz")]);
    let micros: Vec<u128> = lines.iter().map(|line| line[0].parse().expect("a number")).collect();
    let journal = sandbox.journal().arrivals();
    assert_eq!(micros, journal.iter().map(|arrival| arrival.at.as_micros()).collect::<Vec<_>>());
    assert!(micros[1] - micros[0] >= QUIET.as_micros());
    sandbox.stop().await;

    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let again = Sandbox::start(anywhere, options).await.expect_err("the log exists already").to_string();
    assert!(again.contains("requests.csv") && again.contains("does not exist yet"), "{again}");
    assert_eq!(std::fs::read_to_string(&path).expect("a log"), log, "it is untouched");
}
