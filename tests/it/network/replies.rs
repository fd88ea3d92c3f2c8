//! Replies that are cut, slow, endless or not HTTP: a retry cures transient faults, and orders with permanent faults
//! are reported as unfetched.

use std::time::Duration;

use super::job::{Job, assert_same, reference_report};
use super::orders::Order;
use super::server::{Act, RawServer};

const ORDERS: u64 = 12;
/// The order that never gets a proper reply.
const HOPELESS: Order = Order(7);

/// The expected result of a fault.
struct Expected {
    /// The allowed reasons; the report must give one of them.
    reasons: &'static [&'static str],
    /// A part of the detail.
    detail: &'static str,
    /// The `--timeout` of the job.
    timeout: &'static str,
}

/// Asserts two things. If every order's first reply has the fault, all are fetched, and the report is that of a server
/// without faults. If one order always has it, only that order is unfetched, for the expected reason and after all
/// retries.
fn assert_cured_or_told(fault: fn(Order) -> Vec<Act>, expected: &Expected) {
    let reference = reference_report(0..ORDERS);
    let server = RawServer::faulty(fault, |_, time| time == 1);
    let job = Job::on(0..ORDERS);
    let ended = job.run(&server.url(), &["--timeout", expected.timeout]);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert_same(&job.reproducible_files(), &reference);
    let times = server.record.times();
    assert_eq!(times.len() as u64, ORDERS);
    assert!(times.values().all(|times| *times >= 2), "each was asked for again: {times:?}");

    let server = RawServer::faulty(fault, |order, _| order == HOPELESS);
    let job = Job::on(0..ORDERS);
    let ended = job.run(&server.url(), &["--timeout", expected.timeout, "--retries", "2"]);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let report = job.place.report();
    assert_eq!(report.verdict(), "incomplete");
    let exceptions = report.rows("exceptions.csv");
    assert_eq!(exceptions.len(), 1, "{exceptions:?}");
    let row = &exceptions[0];
    assert_eq!((&row["run_order_id"], row["bucket"].as_str()), (&HOPELESS.id(), "unfetched"));
    assert!(expected.reasons.contains(&row["reason"].as_str()), "{row:?}");
    assert!(row["detail"].contains(expected.detail), "{row:?}");
    assert_eq!(report.population("unfetched"), 1);
    // Of the twelve orders, numbers 0, 5 and 10 have a discrepancy.
    assert_eq!((report.population("reconciled"), report.population("discrepant")), (ORDERS - 4, 3));
    assert_eq!(server.record.times()[&HOPELESS.0], 3, "one try and two retries");
}

/// A time-out that is much longer than the fault.
const QUICK: &str = "30s";
/// A time-out that is shorter than the fault.
const SHORT: &str = "2s";

fn head_of(order: Order, more: usize) -> Vec<u8> {
    let length = order.json().len() + more;
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n").into_bytes()
}

fn half_of(order: Order) -> Vec<u8> {
    let reply = order.reply();
    reply[..reply.len() - order.json().len() / 2].to_vec()
}

fn chunk_of(order: Order) -> Vec<u8> {
    let (json, head) = (order.json(), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    format!("{head}{:x}\r\n{json}\r\n", json.len()).into_bytes()
}

#[test]
fn a_reset_before_the_headers() {
    let expected = Expected { reasons: &["connection"], detail: "", timeout: QUICK };
    assert_cured_or_told(|_| vec![Act::Reset], &expected);
}

#[test]
fn a_close_before_the_headers() {
    let expected = Expected { reasons: &["connection"], detail: "", timeout: QUICK };
    assert_cured_or_told(|_| vec![Act::Close], &expected);
}

#[test]
fn a_reset_within_the_headers() {
    let expected = Expected { reasons: &["connection"], detail: "", timeout: QUICK };
    assert_cured_or_told(|order| vec![Act::Send(head_of(order, 0)[..40].to_vec()), Act::Reset], &expected);
}

#[test]
fn a_reset_within_the_body() {
    // A reset may overtake bytes that were sent before it.
    let expected = Expected { reasons: &["connection", "cut-body"], detail: "", timeout: QUICK };
    assert_cured_or_told(|order| vec![Act::Send(half_of(order)), Act::Reset], &expected);
}

#[test]
fn a_body_shorter_than_its_content_length() {
    let expected = Expected { reasons: &["cut-body"], detail: "", timeout: QUICK };
    let fault = |order: Order| vec![Act::Send(head_of(order, 1)), Act::Send(order.json().into_bytes()), Act::Close];
    assert_cured_or_told(fault, &expected);
}

#[test]
fn a_chunked_body_without_its_end() {
    let expected = Expected { reasons: &["cut-body"], detail: "", timeout: QUICK };
    assert_cured_or_told(|order| vec![Act::Send(chunk_of(order)), Act::Close], &expected);
}

#[test]
fn a_chunked_body_that_goes_on_and_on() {
    let expected = Expected { reasons: &["timeout"], detail: "no complete reply within 2 s", timeout: SHORT };
    let fault =
        |order| vec![Act::Send(chunk_of(order)), Act::Forever(b"1\r\n \r\n".to_vec(), Duration::from_millis(100))];
    assert_cured_or_told(fault, &expected);
}

#[test]
fn headers_byte_by_byte() {
    let expected = Expected { reasons: &["timeout"], detail: "no reply within 2 s", timeout: SHORT };
    assert_cured_or_told(|order| vec![Act::Trickle(order.reply(), Duration::from_millis(200))], &expected);
}

#[test]
fn a_body_byte_by_byte() {
    let expected = Expected { reasons: &["timeout"], detail: "no complete reply within 2 s", timeout: SHORT };
    let fault = |order: Order| {
        vec![Act::Send(head_of(order, 0)), Act::Trickle(order.json().into_bytes(), Duration::from_millis(100))]
    };
    assert_cured_or_told(fault, &expected);
}

#[test]
fn nothing_after_the_headers() {
    let expected = Expected { reasons: &["timeout"], detail: "no complete reply within 2 s", timeout: SHORT };
    assert_cured_or_told(|order| vec![Act::Send(head_of(order, 0)), Act::Hang], &expected);
}

#[test]
fn nothing_at_all() {
    let expected = Expected { reasons: &["timeout"], detail: "no reply within 2 s", timeout: SHORT };
    assert_cured_or_told(|_| vec![Act::Hang], &expected);
}

#[test]
fn a_header_of_ten_megabytes() {
    fn fault(order: Order) -> Vec<Act> {
        let mut reply = b"HTTP/1.1 200 OK\r\nX-Padding: ".to_vec();
        reply.extend(std::iter::repeat_n(b'x', 10 << 20));
        reply.extend(&order.reply()[b"HTTP/1.1 200 OK".len()..]);
        vec![Act::Send(reply)]
    }
    let expected = Expected { reasons: &["connection"], detail: "message head is too large", timeout: QUICK };
    assert_cured_or_told(fault, &expected);
}

#[test]
fn headers_without_an_end() {
    let fault = |_| {
        let start = b"HTTP/1.1 200 OK\r\n".to_vec();
        vec![Act::Send(start), Act::Forever(b"X-Another: one\r\n".repeat(1_000), Duration::ZERO)]
    };
    let expected = Expected { reasons: &["connection"], detail: "message head is too large", timeout: QUICK };
    assert_cured_or_told(fault, &expected);
}

#[test]
fn a_status_line_that_is_none() {
    let expected = Expected { reasons: &["connection"], detail: "invalid HTTP", timeout: QUICK };
    assert_cured_or_told(|_| vec![Act::Send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec()), Act::Hang], &expected);
}

#[test]
fn interim_replies_without_an_end() {
    let expected = Expected { reasons: &["timeout"], detail: "no reply within 2 s", timeout: SHORT };
    let fault = |_| vec![Act::Forever(b"HTTP/1.1 100 Continue\r\n\r\n".repeat(10), Duration::from_millis(1))];
    assert_cured_or_told(fault, &expected);
}

#[test]
fn two_lengths_that_differ() {
    // The two lengths disagree on where the next reply begins.
    let fault = |order: Order| {
        let json = order.json();
        let lengths = format!("Content-Length: {}\r\nContent-Length: {}", json.len(), json.len() - 7);
        vec![Act::Send(format!("HTTP/1.1 200 OK\r\n{lengths}\r\n\r\n{json}").into_bytes()), Act::Hang]
    };
    let expected = Expected { reasons: &["connection"], detail: "invalid content-length", timeout: QUICK };
    assert_cured_or_told(fault, &expected);
}

#[test]
fn a_reply_of_http_1_0_cut_within_the_body() {
    // Only the end of the connection ends the body, so that the cut shows in the JSON alone.
    let fault = |order: Order| {
        let json = order.json();
        let cut = &json[..json.len() - 1];
        vec![Act::Send(format!("HTTP/1.0 200 OK\r\n\r\n{cut}").into_bytes()), Act::Close]
    };
    assert_cured_or_told(fault, &Expected { reasons: &["not-json"], detail: "", timeout: QUICK });
}

/// Asserts that replies which are unusual but valid are accepted at the first try.
fn assert_taken(unusual: fn(Order) -> Vec<Act>) {
    let server = RawServer::faulty(unusual, |_, _| true);
    let job = Job::on(0..ORDERS);
    let ended = job.run(&server.url(), &[]);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert_same(&job.reproducible_files(), &reference_report(0..ORDERS));
    let times = server.record.times();
    assert!(times.len() as u64 == ORDERS && times.values().all(|times| *times == 1), "{times:?}");
}

#[test]
fn a_reply_of_http_1_0_ends_with_its_connection() {
    assert_taken(|order| vec![Act::Send(format!("HTTP/1.0 200 OK\r\n\r\n{}", order.json()).into_bytes()), Act::Close]);
}

#[test]
fn a_chunked_reply_is_put_together() {
    assert_taken(|order| vec![Act::Send(chunk_of(order)), Act::Send(b"0\r\nX-Trailer: 1\r\n\r\n".to_vec())]);
}

#[test]
fn interim_replies_come_before_the_reply() {
    assert_taken(|order| {
        let interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".to_vec();
        vec![Act::Send(interim), Act::Send(order.reply())]
    });
}

#[test]
fn a_reply_in_pieces_is_put_together() {
    assert_taken(|order| order.reply().chunks(97).map(|piece| Act::Send(piece.to_vec())).collect());
}
