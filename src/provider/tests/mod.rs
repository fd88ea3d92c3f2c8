//! The client over real sockets, against a server that sends scripted bytes.

mod list;

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::domain::outcome::Reason;

const KEY: &str = "cy_secret0123456789";
const GOOD: &str = r#"{"code":0,"msg":"ok","data":{"run_order_id":"wfrun_1","quote_amount":"0.03"}}"#;

/// What the server does with one connection.
#[derive(Clone)]
enum Script {
    /// Sends these bytes and closes.
    Send(String),
    /// Sends these bytes and then nothing, for ever.
    Hang(String),
}

/// A server on a free loopback port: one request per connection; the last script repeats.
struct Server {
    base_url: String,
    /// The head of every request, and when it arrived.
    heads: Arc<Mutex<Vec<(Instant, String)>>>,
}

impl Server {
    async fn start(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base_url = format!("http://{}/api/", listener.local_addr().expect("an address"));
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let (scripts, seen) = (scripts.clone(), Arc::clone(&seen));
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        match socket.read_u8().await {
                            Ok(byte) => head.push(byte),
                            Err(_) => return,
                        }
                    }
                    let turn = {
                        let mut seen = seen.lock().expect("the log");
                        seen.push((Instant::now(), String::from_utf8_lossy(&head).into_owned()));
                        seen.len() - 1
                    };
                    let script = scripts.get(turn).or(scripts.last()).expect("a script");
                    let (Script::Send(bytes) | Script::Hang(bytes)) = script;
                    let _ = socket.write_all(bytes.as_bytes()).await;
                    let _ = socket.flush().await;
                    if matches!(script, Script::Hang(_)) {
                        std::future::pending::<()>().await;
                    }
                    let _ = socket.shutdown().await;
                });
            }
        });
        Self { base_url, heads }
    }

    fn options(&self) -> Options {
        Options {
            base_url: self.base_url.clone(),
            rate: 0,
            strict_rate: false,
            concurrency: 4,
            timeout: Duration::from_secs(5),
            retries: 1,
            retry_codes: RetryCodes::default(),
            max_wait: Duration::from_secs(300),
            deadline: None,
            proxy: None,
            ca_file: None,
        }
    }

    fn provider(&self) -> Provider {
        provider(self.options())
    }

    fn requests(&self) -> usize {
        self.heads.lock().expect("the log").len()
    }
}

fn provider(options: Options) -> Provider {
    Provider::new(options, ApiKey::new(KEY).expect("a key")).expect("a provider")
}

fn id(text: &str) -> RunOrderId {
    RunOrderId::parse(text).expect("an ID")
}

fn reply(status: &str, headers: &str, body: &str) -> Script {
    let length = body.len();
    Script::Send(format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"))
}

fn good() -> Script {
    reply("200 OK", "Content-Type: application/json\r\n", GOOD)
}

async fn evidence(fetch: impl Future<Output = Result<Fetch, Stop>>) -> Result<Evidence, Stop> {
    fetch.await.map(|fetch| fetch.evidence)
}

fn is_good(evidence: Result<Evidence, Stop>) -> bool {
    matches!(evidence, Ok(Evidence::Fetched(fetched))
        if fetched.order.run_order_id.as_deref() == Some("wfrun_1")
            && fetched.order.amounts.quote_amount.is_some_and(|quote| quote.units() == 3_000_000))
}

fn unfetched(evidence: Result<Evidence, Stop>) -> String {
    match evidence {
        Ok(Evidence::Unfetched(reason)) => reason.code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_request_is_what_the_provider_documents() {
    let server = Server::start(vec![good()]).await;
    let provider = server.provider();
    assert!(is_good(evidence(provider.fetch(&id("a&b=c+d%2F/?#'\""))).await));
    let head = server.heads.lock().expect("the log")[0].1.clone();
    let mut lines = head.lines();
    let first = "GET /api/workflow/run/info?run_order_id=a%26b%3Dc%2Bd%252F%2F%3F%23%27%22 HTTP/1.1";
    assert_eq!(lines.next(), Some(first));
    let mut headers: Vec<String> = lines.filter(|line| !line.is_empty()).map(str::to_ascii_lowercase).collect();
    headers.sort_unstable();
    let host = server.base_url.trim_start_matches("http://").trim_end_matches("/api/");
    let expected = [
        "accept-encoding: identity".to_owned(),
        "accept: application/json".to_owned(),
        format!("authorization: bearer {KEY}"),
        format!("host: {host}"),
        format!("user-agent: tieout/{}", crate::domain::program::VERSION),
    ];
    assert_eq!(headers, expected);
    assert!(!format!("{provider:?} {:?}", server.options()).contains("secret"));
}

#[tokio::test]
async fn a_failed_attempt_is_retried() {
    let html = "<html>upstream</html>";
    for first in [
        reply("502 Bad Gateway", "Content-Type: text/html\r\n", html),
        reply("200 OK", "Content-Type: text/html\r\n", html),
        reply("200 OK", "", ""),
        reply("408 Request Timeout", "", ""),
        reply("200 OK", "", r#"{"code":"500","msg":"busy"}"#),
        Script::Send(String::new()),
        Script::Send(format!("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{GOOD}")),
        Script::Send(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n{GOOD}")),
    ] {
        let server = Server::start(vec![first, good()]).await;
        let provider = server.provider();
        assert!(is_good(evidence(provider.fetch(&id("wfrun_1"))).await));
        let activity = provider.activity();
        assert_eq!((activity.requests, activity.retries, activity.throttled), (2, 1, 0));
    }
}

#[tokio::test]
async fn spent_retries_leave_the_order_unfetched() {
    let cut = Script::Send(format!("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{GOOD}"));
    let cases = [
        (reply("502 Bad Gateway", "", ""), "http-502", 2),
        (reply("200 OK", "", "<html>"), "not-json", 2),
        (cut, "cut-body", 2),
        (Script::Send(String::new()), "connection", 2),
        (Script::Hang(String::new()), "timeout", 2),
        (Script::Hang("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{".into()), "timeout", 2),
        (reply("200 OK", "", &" ".repeat((1 << 20) + 1)), "body-too-large", 1),
    ];
    for (script, code, requests) in cases {
        let server = Server::start(vec![script]).await;
        let timeout = Duration::from_millis(if code == "timeout" { 300 } else { 10_000 });
        let provider = provider(Options { timeout, ..server.options() });
        assert_eq!(unfetched(evidence(provider.fetch(&id("wfrun_1"))).await), code);
        assert_eq!(server.requests(), requests, "{code}");
    }
}

#[tokio::test]
async fn a_refused_connection_is_unfetched_without_a_reply() {
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = closed.local_addr().expect("an address");
    drop(closed);
    let mut options = Server::start(vec![good()]).await.options();
    options.base_url = format!("http://{address}");
    let provider = provider(options);
    match evidence(provider.fetch(&id("wfrun_1"))).await {
        Ok(Evidence::Unfetched(reason)) => {
            assert_eq!(reason.code, "connect");
            assert!(!reason.detail.contains("wfrun_1") && !reason.detail.is_empty(), "{}", reason.detail);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!((provider.activity().requests, provider.activity().replies), (2, 0));
}

#[tokio::test]
async fn a_rejected_key_stops_everything_and_is_not_shown() {
    let echo = format!(r#"{{"code":401,"msg":"bad key {KEY}\u001b[0m"}}"#);
    for status in ["401 Unauthorized", "200 OK"] {
        let server = Server::start(vec![reply(status, "", &echo), good()]).await;
        let provider = server.provider();
        let stop = evidence(provider.fetch(&id("wfrun_1"))).await.expect_err("a stop");
        let Stop::KeyRejected { code, message } = &stop else { panic!("{stop}") };
        assert!(code == "http-401" || code == "code-401");
        assert_eq!(message, "bad key [key] [0m");
        assert!(!stop.to_string().contains("secret"));
        assert_eq!(evidence(provider.fetch(&id("wfrun_2"))).await, Err(stop));
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test]
async fn not_found_and_refused_are_final() {
    let no = |code: &str| Reason::new(code, "no [key]");
    let body = format!(r#"{{"code":9,"msg":"no {KEY}"}}"#);
    let cases = [
        ("404 Not Found", Evidence::NotFound(no("http-404"))),
        ("403 Forbidden", Evidence::Refused(no("http-403"))),
        ("400 Bad Request", Evidence::Refused(no("http-400"))),
        ("200 OK", Evidence::Refused(no("code-9"))),
    ];
    for (status, expected) in cases {
        let server = Server::start(vec![reply(status, "", &body)]).await;
        assert_eq!(evidence(server.provider().fetch(&id("wfrun_1"))).await, Ok(expected));
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test]
async fn a_429_costs_no_attempt_and_all_requests_wait() {
    let limited = reply("200 OK", "Retry-After: 1\r\n", r#"{"code":"429","msg":"slow down"}"#);
    let server = Server::start(vec![limited, good()]).await;
    let provider = provider(Options { retries: 0, ..server.options() });
    let (first, second) = (id("wfrun_1"), id("wfrun_2"));
    let later = async {
        while provider.activity().throttled == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(matches!(provider.activity().held_up, Some((WaitReason::RetryAfter, _))));
        evidence(provider.fetch(&second)).await
    };
    let (first, second) = tokio::join!(evidence(provider.fetch(&first)), later);
    assert!(is_good(first) && is_good(second));
    let activity = provider.activity();
    assert_eq!((activity.requests, activity.retries, activity.throttled), (3, 0, 1));
    assert_eq!((activity.replies, activity.held_up), (3, None));
    let times: Vec<Instant> = server.heads.lock().expect("the log").iter().map(|(time, _)| *time).collect();
    assert!(times[1] - times[0] >= Duration::from_secs(1), "{:?}", times[1] - times[0]);
}

#[tokio::test]
async fn a_429_without_a_readable_wait_backs_off() {
    for headers in ["", "Retry-After: 0\r\n", "Retry-After: -1\r\n", "Retry-After: soon\r\n"] {
        let server = Server::start(vec![reply("429 Too Many Requests", headers, ""), good()]).await;
        let provider = provider(Options { retries: 0, ..server.options() });
        assert!(is_good(evidence(provider.fetch(&id("wfrun_1"))).await));
    }
}

#[tokio::test]
async fn a_wait_that_is_too_long_ends_all_requests() {
    let server = Server::start(vec![reply("429 Too Many Requests", "Retry-After: 9223372037\r\n", ""), good()]).await;
    let provider = server.provider();
    assert_eq!(unfetched(evidence(provider.fetch(&id("wfrun_1"))).await), "rate-limited");
    assert_eq!(unfetched(evidence(provider.fetch(&id("wfrun_2"))).await), "rate-limited");
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn no_permit_is_held_while_backing_off() {
    let server = Server::start(vec![reply("503 Service Unavailable", "", ""), good()]).await;
    let provider = provider(Options { concurrency: 1, retries: 5, ..server.options() });
    let orders: Vec<RunOrderId> = (0..8).map(|n| id(&format!("wfrun_{n}"))).collect();
    let all = futures::future::join_all(orders.iter().map(|order| evidence(provider.fetch(order))));
    let results = tokio::time::timeout(Duration::from_secs(5), all).await.expect("no deadlock");
    assert!(results.into_iter().all(is_good));
    // The first order failed once; the seven others went out before its second attempt or soon after.
    assert_eq!(server.requests(), 9);
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    let target = Server::start(vec![good()]).await;
    let location = format!("Location: {}\r\n", target.base_url);
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let server = Server::start(vec![reply(status, &location, "")]).await;
        assert_eq!(unfetched(evidence(server.provider().fetch(&id("wfrun_1"))).await), "redirect");
        assert_eq!(server.requests(), 1);
    }
    assert_eq!(target.requests(), 0);
}

#[tokio::test]
async fn the_rate_is_kept() {
    let server = Server::start(vec![good()]).await;
    let provider = provider(Options { rate: 20, ..server.options() });
    let orders: Vec<RunOrderId> = (0..31).map(|n| id(&format!("wfrun_{n}"))).collect();
    let start = Instant::now();
    futures::future::join_all(orders.iter().map(|order| evidence(provider.fetch(order)))).await;
    // Thirty slots of 50.25 ms, less the three that may be caught up at half the spacing.
    assert!(start.elapsed() >= Duration::from_millis(1_400), "{:?}", start.elapsed());
    assert_eq!(provider.activity().requests, 31);
}

#[test]
fn options_that_can_not_work_are_refused() {
    let options = || Options {
        base_url: "https://example.com/api".into(),
        rate: 10,
        strict_rate: false,
        concurrency: 1,
        timeout: Duration::MAX,
        retries: 5,
        retry_codes: RetryCodes::default(),
        max_wait: Duration::MAX,
        deadline: Some(Duration::MAX),
        proxy: None,
        ca_file: None,
    };
    let new = |options| Provider::new(options, ApiKey::new(KEY).expect("a key")).err();
    assert_eq!(new(options()), None);
    assert_eq!(new(Options { concurrency: 0, ..options() }), Some(ProviderError::NoConcurrency));
    assert_eq!(new(Options { timeout: Duration::ZERO, ..options() }), Some(ProviderError::NoTime));
    let plain = Options { base_url: "http://example.com/api".into(), ..options() };
    assert_eq!(new(plain), Some(ProviderError::UnsafeUrl));
    let proxy = |url: &str| Some(SecretString::from(url));
    assert_eq!(new(Options { proxy: proxy("http://user:secret@127.0.0.1:1"), ..options() }), None);
    let unreadable = new(Options { proxy: proxy("http://user:secret@[::1"), ..options() }).expect("an error");
    assert_eq!(unreadable, ProviderError::UnreadableProxy);
    assert!(!unreadable.to_string().contains("secret"));
    let plain = Options { base_url: "http://127.0.0.1/api".into(), proxy: proxy("http://127.0.0.1:1"), ..options() };
    assert_eq!(new(plain), Some(ProviderError::ProxySeesKey));
    for (text, problem) in
        [(None, "No such file"), (Some(""), "no certificate"), (Some("-----BEGIN"), "no certificate")]
    {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let path = if text.is_some() { file.path().to_owned() } else { "/nonexistent/ca.pem".into() };
        std::fs::write(file.path(), text.unwrap_or_default()).expect("a writable file");
        let error = new(Options { ca_file: Some(path), ..options() }).expect("an error").to_string();
        assert!(error.contains(problem), "{error}");
    }
}
