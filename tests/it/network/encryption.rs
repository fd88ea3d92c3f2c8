//! TLS: which authorities the job trusts, proxies that see only the host, and servers with slow handshakes.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::time::sleep_until;
use tokio_rustls::TlsAcceptor;

use super::certificates::Authority;
use super::job::{Job, JobResult, KEY, assert_same, reference_report};
use super::server::{Connection, RawServer};

const HOST: &str = "127.0.0.1";
const ORDERS: u64 = 10;

/// A server without faults behind TLS.
fn encrypted(acceptor: TlsAcceptor) -> RawServer {
    RawServer::connected(move |stream, number, record| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                Connection::new(stream, number, record).answer_all().await;
            }
        }
    })
}

fn https(server: &RawServer) -> String {
    format!("https://{}/api/open/v2", server.address)
}

/// Runs a job that trusts an additional authority.
fn run_trusting(authority: &Authority, server: &RawServer, arguments: &[&str]) -> (Job, JobResult) {
    let job = Job::on(0..ORDERS);
    job.place.file("ca.pem", &authority.pem);
    let ended = job.run(&https(server), &[&["--ca-file", "ca.pem"], arguments].concat());
    (job, ended)
}

fn assert_not_trusted(server: &RawServer, job: &Job, ended: &JobResult, why: &str) {
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("never answered") && ended.stderr.contains(why),
        "{why:?} is not in: {}",
        ended.stderr
    );
    assert!(server.record.connections() > 0, "the job tried to connect");
    assert_eq!(server.record.asked().len(), 0, "no request, and no key, went out");
    assert!(!job.place.report().exists());
    assert!(job.stored_outcomes().iter().all(|outcome| outcome.evidence == "unfetched"));
}

#[test]
fn an_authority_is_trusted_where_it_is_named() {
    let authority = Authority::new();
    let server = encrypted(authority.server(HOST));
    let job = Job::on(0..ORDERS);
    let ended = job.run(&https(&server), &["--retries", "1"]);
    assert_not_trusted(&server, &job, &ended, "UnknownIssuer");

    let (job, ended) = run_trusting(&authority, &server, &[]);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert_same(&job.reproducible_files(), &reference_report(0..ORDERS));
    assert_eq!(server.record.asked().len() as u64, ORDERS);
}

#[test]
fn an_authority_vouches_for_its_own_servers_alone() {
    let (one, other) = (Authority::new(), Authority::new());
    let server = encrypted(one.server(HOST));
    let (job, ended) = run_trusting(&other, &server, &["--retries", "1"]);
    assert_not_trusted(&server, &job, &ended, "invalid peer certificate");
}

#[test]
fn a_certificate_of_another_host_is_refused() {
    let authority = Authority::new();
    let server = encrypted(authority.server("www.chenyu.cn"));
    let (job, ended) = run_trusting(&authority, &server, &["--retries", "1"]);
    assert_not_trusted(&server, &job, &ended, "not valid for name");
}

#[test]
fn a_certificate_that_has_ended_is_refused() {
    let authority = Authority::new();
    let server = encrypted(authority.expired_server(HOST));
    let (job, ended) = run_trusting(&authority, &server, &["--retries", "1"]);
    assert_not_trusted(&server, &job, &ended, "expired");
}

#[test]
fn a_server_that_speaks_no_tls_is_refused() {
    let server = RawServer::connected(|mut stream, _, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        let _ = stream.read(&mut [0; 1024]).await;
    });
    let (job, ended) = run_trusting(&Authority::new(), &server, &["--retries", "1"]);
    assert_not_trusted(&server, &job, &ended, "");
}

#[test]
fn a_handshake_that_never_ends_is_given_up() {
    let server =
        RawServer::connected(
            |mut stream, _, _| async move { while stream.read(&mut [0; 1024]).await.unwrap_or(0) > 0 {} },
        );
    let (job, ended) = run_trusting(&Authority::new(), &server, &["--retries", "1", "--timeout", "1s"]);
    assert_not_trusted(&server, &job, &ended, "");
}

#[test]
fn a_file_of_certificates_that_holds_none_is_a_mistake() {
    let server = RawServer::faultless();
    for (content, problem) in [
        ("", "no certificate in PEM form"),
        ("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", "ca.pem"),
    ] {
        let job = Job::on(0..3);
        job.place.file("ca.pem", content);
        let ended = job.run(&https(&server), &["--ca-file", "ca.pem"]);
        assert_eq!(ended.code, 2, "{}", ended.stderr);
        assert!(ended.stderr.contains(problem), "{}", ended.stderr);
        assert_eq!(server.record.connections(), 0);
    }
}

/// A proxy that tunnels to the requested target and records the head of each request. It gives every request the same
/// reply; only a 200 opens the tunnel.
struct Tunnel {
    server: RawServer,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Tunnel {
    fn answering(reply: &'static str) -> Self {
        let heads = Arc::new(Mutex::new(Vec::new()));
        let server = RawServer::connected({
            let heads = Arc::clone(&heads);
            move |stream, _, _| tunnel(stream, reply, Arc::clone(&heads))
        });
        Self { server, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no test panics with it in hand").clone()
    }
}

async fn tunnel(mut stream: TcpStream, reply: &'static str, heads: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
    heads.lock().expect("no test panics with it in hand").push(head);
    if stream.write_all(reply.as_bytes()).await.is_ok() && reply.contains(" 200 ") {
        if let Ok(mut other) = TcpStream::connect(target).await {
            let _ = copy_bidirectional(&mut stream, &mut other).await;
        }
    } else {
        let _ = stream.shutdown().await;
    }
}

#[test]
fn a_proxy_learns_the_host_and_nothing_else() {
    const PASSWORD: &str = "hunter2-of-the-proxy";
    let authority = Authority::new();
    let server = encrypted(authority.server(HOST));
    let proxy = Tunnel::answering("HTTP/1.1 200 Connection established\r\n\r\n");
    let job = Job::on(0..ORDERS).secret(PASSWORD);
    job.place.file("ca.pem", &authority.pem);
    let url = format!("http://user:{PASSWORD}@{}", proxy.server.address);
    let ended = job.run(&https(&server), &["--ca-file", "ca.pem", "--proxy", &url, "-vv"]);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert_same(&job.reproducible_files(), &reference_report(0..ORDERS));
    assert_eq!(server.record.asked().len() as u64, ORDERS);
    let heads = proxy.heads();
    assert_eq!(heads.len(), server.record.connections(), "every connection goes through the proxy");
    for head in heads {
        assert!(head.starts_with(&format!("CONNECT {} HTTP/1.1\r\n", server.address)), "{head}");
        assert!(!head.contains(KEY) && !head.contains("wfrun_") && !head.contains("Bearer"), "{head}");
    }
}

#[test]
fn a_proxy_that_refuses_is_not_gone_round() {
    for reply in [
        "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
        "",
    ] {
        let authority = Authority::new();
        let server = encrypted(authority.server(HOST));
        let proxy = Tunnel::answering(reply);
        let url = format!("http://{}", proxy.server.address);
        let (job, ended) = run_trusting(&authority, &server, &["--proxy", &url, "--retries", "1"]);
        assert_eq!(ended.code, 4, "{reply:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("never answered"), "{reply:?}: {}", ended.stderr);
        assert!(!proxy.heads().is_empty() && !job.place.report().exists(), "{reply:?}");
        assert_eq!(server.record.connections(), 0, "{reply:?}");
    }
}

#[test]
fn a_proxy_of_the_environment_is_not_used_for_https_either() {
    let authority = Authority::new();
    let server = encrypted(authority.server(HOST));
    let trap = RawServer::faultless();
    let job = Job::on(0..ORDERS);
    job.place.file("ca.pem", &authority.pem);
    let mut command = job.command(&https(&server), &["--ca-file", "ca.pem"]);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, format!("http://{}", trap.address));
    }
    let ended = job.end(&command.output().expect("starts"));
    assert_eq!((ended.code, trap.record.connections()), (1, 0), "{}", ended.stderr);
    assert_same(&job.reproducible_files(), &reference_report(0..ORDERS));
}

/// The `--rate` at a cold start.
const RATE: usize = 20;
const COLD_ORDERS: u64 = 60;
const SECOND: Duration = Duration::from_secs(1);
/// A stall of the machine can bunch requests that were sent apart, so the job fails only if the fullest second is too
/// full every time.
const ATTEMPTS: usize = 8;

/// When a server begins a handshake, given the times of the first connection and of this one.
type Begins = fn(Instant, Instant) -> Instant;

const EACH_LATE: Begins = |_, connected| connected + Duration::from_millis(300);
const ALL_HELD_BACK: Begins = |first, _| first + Duration::from_millis(1_500);

fn slow_to_begin(acceptor: TlsAcceptor, begins: Begins) -> RawServer {
    let first = OnceLock::new();
    RawServer::connected(move |stream, number, record| {
        let (acceptor, now) = (acceptor.clone(), Instant::now());
        let begin = begins(*first.get_or_init(|| now), now);
        async move {
            sleep_until(begin.into()).await;
            if let Ok(stream) = acceptor.accept(stream).await {
                Connection::new(stream, number, record).answer_all().await;
            }
        }
    })
}

/// Fetches every order at the first try from a server with slow handshakes; returns the most requests in any second.
fn fullest_at_a_cold_start(begins: Begins, arguments: &[&str]) -> usize {
    let authority = Authority::new();
    let server = slow_to_begin(authority.server(HOST), begins);
    let job = Job::on(0..COLD_ORDERS);
    job.place.file("ca.pem", &authority.pem);
    let limits = ["--ca-file", "ca.pem", "--rate", &RATE.to_string(), "--concurrency", "32"];
    let ended = job.run(&https(&server), &[&limits, arguments].concat());
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert_same(&job.reproducible_files(), &reference_report(0..COLD_ORDERS));
    assert_eq!(server.record.asked().len() as u64, COLD_ORDERS, "no order was asked for again");
    server.record.most_within(SECOND)
}

/// Asserts that the rate holds in one of a few attempts. Some requests use open connections, whose delay on a busy
/// machine may vary by more than the pacer allows for.
fn assert_never_too_full(begins: Begins) {
    let mut fullest = Vec::new();
    for _ in 0..ATTEMPTS {
        fullest.push(fullest_at_a_cold_start(begins, &[]));
        if fullest.last().is_some_and(|requests| *requests <= RATE) {
            return;
        }
    }
    panic!("requests in the fullest second, of {RATE} allowed: {fullest:?}");
}

#[test]
fn a_cold_start_with_slow_handshakes_keeps_the_rate() {
    assert_never_too_full(EACH_LATE);
}

#[test]
fn handshakes_that_are_all_held_back_at_first_do_not_bunch_requests() {
    // Without a rate limit, 32 requests would arrive at once.
    assert_never_too_full(ALL_HELD_BACK);
}

#[test]
fn the_strict_rate_holds_however_slow_the_handshakes_are() {
    // The strict rate does not depend on delays, so one attempt must do.
    for begins in [EACH_LATE, ALL_HELD_BACK] {
        let fullest = fullest_at_a_cold_start(begins, &["--strict-rate"]);
        assert!(fullest <= RATE, "{fullest} requests in a second");
    }
}
