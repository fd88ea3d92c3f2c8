//! Unsolicited replies: no order may count as fetched because of a reply about a different order.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::sleep;

use super::job::{Job, assert_same, reference_report};
use super::orders::Order;
use super::server::{Connection, RawServer, Request};

/// So few that the circuit breaker stays closed.
const ORDERS: u64 = 15;
/// An order that the job does not ask for. All its figures tie out.
const FOREIGN: Order = Order(1_001);

/// Asserts that each order's figures come from its own reply, and that every other reply is an `identity-mismatch`.
/// Returns how many orders got a reply about a different order.
fn assert_no_mistaken_identity(job: &Job) -> usize {
    let kept = job.stored_outcomes();
    assert_eq!(kept.len() as u64, ORDERS, "every row has an outcome");
    let mut mistaken = BTreeSet::new();
    for outcome in &kept {
        let replied = outcome.replied_run_order_id.as_deref();
        let order = replied.and_then(Order::named);
        assert_eq!(outcome.evidence == "fetched", order.is_some(), "{outcome:?}");
        let Some(order) = order else { continue };
        assert_eq!(outcome.quote_amount, Some(order.quote()), "the amounts belong to the order that the reply names");
        if replied != Some(outcome.run_order_id.as_str()) {
            mistaken.insert(outcome.run_order_id.clone());
        }
    }
    let report = job.place.report();
    let found = report.rows("discrepancies.csv").into_iter().filter(|row| row["check"] == "identity-mismatch");
    let found: BTreeSet<String> = found.map(|row| row["run_order_id"].clone()).collect();
    assert_eq!(found, mistaken, "exactly these are found");
    let own = kept.iter().filter(|outcome| Some(&outcome.run_order_id) == outcome.replied_run_order_id.as_ref());
    let clean = own.filter(|outcome| Order::named(&outcome.run_order_id).is_some_and(|order| !order.is_discrepant()));
    assert_eq!(report.population("reconciled"), clean.count() as u64, "only orders with their own reply are clean");
    mistaken.len()
}

#[test]
fn a_reply_sent_before_the_request_is_never_clean() {
    for concurrency in ["1", "16"] {
        let server = RawServer::connected(|stream, number, record| async move {
            let mut connection = Connection::new(stream, number, record);
            if number % 2 == 1 {
                connection.send(&FOREIGN.reply()).await;
            }
            connection.answer_all().await;
        });
        let job = Job::on(0..ORDERS);
        let ended = job.run(&server.url(), &["--concurrency", concurrency]);
        assert!([1, 3].contains(&ended.code), "{}", ended.stderr);
        let mistaken = assert_no_mistaken_identity(&job);
        assert!(mistaken > 0 || job.requests() > ORDERS, "the early replies had an effect");
    }
}

#[test]
fn a_second_reply_behind_the_first_is_never_the_next_orders() {
    for (concurrency, delay) in [("1", 0), ("16", 0), ("1", 2), ("16", 2)] {
        let server = RawServer::start(move |mut connection| async move {
            while let Some(Request { order, .. }) = connection.request().await {
                if delay == 0 {
                    connection.send(&[order.reply(), FOREIGN.reply()].concat()).await;
                } else {
                    // Sometimes just when the client reuses the connection.
                    connection.send(&order.reply()).await;
                    sleep(Duration::from_millis(delay)).await;
                    connection.send(&FOREIGN.reply()).await;
                }
            }
        });
        let job = Job::on(0..ORDERS);
        let ended = job.run(&server.url(), &["--concurrency", concurrency]);
        assert!([1, 3].contains(&ended.code), "{}", ended.stderr);
        let mistaken = assert_no_mistaken_identity(&job);
        if delay == 0 {
            assert_eq!(mistaken, 0, "a connection with surplus bytes is not reused");
            assert_same(&job.reproducible_files(), &reference_report(0..ORDERS));
        }
    }
}

#[test]
fn stray_bytes_behind_a_reply_spoil_nothing() {
    let server = RawServer::start(|mut connection: Connection| async move {
        while let Some(Request { order, .. }) = connection.request().await {
            connection.send(&[order.reply(), b"\0\xff}".to_vec()].concat()).await;
        }
    });
    let job = Job::on(0..ORDERS);
    let ended = job.run(&server.url(), &[]);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert_same(&job.reproducible_files(), &reference_report(0..ORDERS));
}
