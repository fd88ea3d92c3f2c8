//! Connections that can't be opened or don't last.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use tokio::net::TcpSocket;
use tokio::runtime::{Builder, Runtime};

use super::job::{Job, JobResult, assert_same, reference_report};
use super::orders::Order;
use super::server::{Act, RawServer};

/// The longest that "at once" may take on a machine that is busy with other tests.
const SOON: Duration = Duration::from_secs(50);

/// Asserts that nothing was fetched, and that the output and the state give the reason.
fn assert_unreachable(job: &Job, ended: &JobResult, rows: usize, reasons: &[&str]) {
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    for part in ["nothing could be fetched: the provider never answered (", "--api-url", "run the same command again"] {
        assert!(ended.stderr.contains(part), "{part:?} is not in: {}", ended.stderr);
    }
    assert!(!job.place.report().exists(), "no report");
    let kept = job.stored_outcomes();
    assert_eq!(kept.len(), rows);
    for outcome in kept {
        assert_eq!(outcome.evidence, "unfetched");
        assert!(outcome.reason.as_deref().is_some_and(|reason| reasons.contains(&reason)), "{outcome:?}");
    }
}

fn local_url(address: SocketAddr) -> String {
    format!("http://{address}/api/open/v2")
}

#[test]
fn a_server_that_never_accepts() {
    // The system accepts the connection and takes the request, but nothing ever reads it.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let job = Job::on(0..5);
    let url = local_url(listener.local_addr().expect("its address"));
    let ended = job.run(&url, &["--timeout", "1s", "--retries", "1"]);
    assert_unreachable(&job, &ended, 5, &["timeout"]);
    assert!(ended.stderr.contains("never answered (no reply within 1 s)"), "{}", ended.stderr);
}

#[test]
fn a_server_whose_queue_of_connections_is_full() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (_listener, address) = listening_to_few(&runtime);
    // Once the queue is full, the system drops requests for a connection.
    let mut queued = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(500)) {
        queued.push(stream);
        assert!(queued.len() < 100, "the queue never fills");
    }
    let job = Job::on(0..5);
    let ended = job.run(&local_url(address), &["--timeout", "1s", "--retries", "1"]);
    assert_unreachable(&job, &ended, 5, &["timeout", "connect"]);
}

fn listening_to_few(runtime: &Runtime) -> (tokio::net::TcpListener, SocketAddr) {
    let _context = runtime.enter();
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
    let listener = socket.listen(1).expect("it listens");
    let address = listener.local_addr().expect("its address");
    (listener, address)
}

#[test]
fn a_server_that_refuses_connections() {
    // Bound, so that nothing else gets the port, but not listening.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
    let (job, start) = (Job::on(0..5), Instant::now());
    let ended = job.run(&local_url(socket.local_addr().expect("its address")), &["--retries", "2"]);
    assert_unreachable(&job, &ended, 5, &["connect"]);
    assert!(ended.stderr.contains("Connection refused"), "{}", ended.stderr);
    assert!(start.elapsed() < SOON);
}

#[test]
fn a_host_that_can_not_be_resolved() {
    // The name is reserved: no resolver ever knows it.
    let (job, start) = (Job::on(0..3), Instant::now());
    let ended = job.run("https://tieout.invalid/api/open/v2", &["--retries", "1"]);
    assert_unreachable(&job, &ended, 3, &["connect", "timeout"]);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

#[test]
fn a_server_that_falls_silent_leaves_the_rest_unfetched() {
    let server = RawServer::faulty(|_| vec![Act::Hang], |order, _| order.0 >= 3);
    let job = Job::on(1..9);
    let ended = job.run(&server.url(), &["--timeout", "2s", "--retries", "1"]);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let report = job.place.report();
    assert_eq!((report.population("reconciled"), report.population("unfetched")), (2, 6));
    let rows = report.rows("exceptions.csv");
    let unfetched: Vec<&str> = rows.iter().map(|row| row["run_order_id"].as_str()).collect();
    assert_eq!(unfetched, (3..9).map(|number| Order(number).id()).collect::<Vec<_>>());
    assert!(rows.iter().all(|row| row["bucket"] == "unfetched" && row["reason"] == "timeout"), "{rows:?}");
}

const ORDERS: u64 = 30;
/// How many connections the job holds.
const HELD: usize = 4;

/// What happens to a connection that has served one request.
#[derive(Clone, Copy, Debug)]
enum End {
    /// It is closed at once.
    Closed,
    /// It is reset at once.
    Reset,
    /// It is closed when the next request arrives.
    ClosedOnUse,
    /// It is reset when the next request arrives.
    ResetOnUse,
}

/// Asserts that the job succeeds if its first connections end this way and later ones last.
fn assert_survived(end: End, rate: &str) {
    let server = RawServer::connected(move |stream, number, record| async move {
        let mut connection = super::server::Connection::new(stream, number, record);
        if number <= HELD {
            let Some(request) = connection.request().await else { return };
            connection.send(&request.order.reply()).await;
            if matches!(end, End::ClosedOnUse | End::ResetOnUse) {
                connection.request().await;
            }
            let act = if matches!(end, End::Reset | End::ResetOnUse) { Act::Reset } else { Act::Close };
            connection.perform(vec![act]).await;
        } else {
            connection.answer_all().await;
        }
    });
    let job = Job::on(0..ORDERS);
    let ended = job.run(&server.url(), &["--concurrency", &HELD.to_string(), "--rate", rate]);
    assert_eq!(ended.code, 1, "{end:?}: {}", ended.stderr);
    assert_same(&job.reproducible_files(), &reference_report(0..ORDERS));
    assert!(server.record.connections() > HELD, "{end:?}: new connections were opened");
    let asked = server.record.asked();
    assert!(asked.len() as u64 <= job.requests(), "{end:?}: the job counts every request");
    if matches!(end, End::ClosedOnUse | End::ResetOnUse) {
        let lost = (1..=HELD).filter(|held| asked.iter().filter(|asked| asked.connection == *held).count() == 2);
        assert_eq!(lost.count() + ORDERS as usize, asked.len(), "{end:?}: each lost request is sent again once");
    }
}

#[test]
fn an_idle_connection_that_ends_is_replaced() {
    for end in [End::Closed, End::Reset, End::ClosedOnUse, End::ResetOnUse] {
        // At full speed, and at a rate that leaves connections idle for a while.
        thread::scope(|scope| ["0", "20"].map(|rate| scope.spawn(move || assert_survived(end, rate))).map(drop));
    }
}
