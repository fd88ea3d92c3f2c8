//! Replies that come unasked for: no order may pass for fetched on the strength of another order's reply.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::sleep;

use super::job::{Job, assert_same, calm_report};
use super::orders::Order;
use super::server::{Line, RawServer, Request};

/// So few that the circuit breaker stays out of it.
const ORDERS: u64 = 15;
/// An order that nobody asks for. All its figures tie out.
const FOREIGN: Order = Order(1_001);

/// Asserts that what the report takes for an order's is that order's, and that every other reply is a discrepancy.
/// Returns how many got another order's reply.
fn assert_no_mistaken_identity(job: &Job) -> usize {
    let kept = job.kept();
    assert_eq!(kept.len() as u64, ORDERS, "every row has an outcome");
    let mut mistaken = BTreeSet::new();
    for outcome in &kept {
        let replied = outcome.replied_run_order_id.as_deref();
        let order = replied.and_then(Order::named);
        assert_eq!(outcome.evidence == "fetched", order.is_some(), "{outcome:?}");
        let Some(order) = order else { continue };
        assert_eq!(
            outcome.quote_amount,
            Some(order.quote()),
            "the amounts are those of the order that the reply names"
        );
        if replied != Some(outcome.run_order_id.as_str()) {
            mistaken.insert(outcome.run_order_id.clone());
        }
    }
    let report = job.place.report();
    let found = report.rows("discrepancies.csv").into_iter().filter(|row| row["check"] == "identity-mismatch");
    let found: BTreeSet<String> = found.map(|row| row["run_order_id"].clone()).collect();
    assert_eq!(found, mistaken, "each is found, and nothing else");
    let own = kept.iter().filter(|outcome| Some(&outcome.run_order_id) == outcome.replied_run_order_id.as_ref());
    let clean = own.filter(|outcome| Order::named(&outcome.run_order_id).is_some_and(|order| !order.is_discrepant()));
    assert_eq!(report.population("reconciled"), clean.count() as u64, "only what got its own reply is clean");
    mistaken.len()
}

#[test]
fn a_reply_sent_before_the_request_is_never_clean() {
    for concurrency in ["1", "16"] {
        let server = RawServer::connected(|stream, connection, record| async move {
            let mut line = Line::new(stream, connection, record);
            if connection % 2 == 1 {
                line.send(&FOREIGN.reply()).await;
            }
            line.answer_all().await;
        });
        let job = Job::on(0..ORDERS);
        let ended = job.run(&server.url(), &["--concurrency", concurrency]);
        assert!([1, 3].contains(&ended.code), "{}", ended.said);
        let mistaken = assert_no_mistaken_identity(&job);
        assert!(mistaken > 0 || job.requests() > ORDERS, "the early replies were met with");
    }
}

#[test]
fn a_second_reply_behind_the_first_is_never_the_next_orders() {
    for (concurrency, delay) in [("1", 0), ("16", 0), ("1", 2), ("16", 2)] {
        let server = RawServer::start(move |mut line| async move {
            while let Some(Request { order, .. }) = line.request().await {
                if delay == 0 {
                    line.send(&[order.reply(), FOREIGN.reply()].concat()).await;
                } else {
                    // Now and then just when the client takes the connection up again.
                    line.send(&order.reply()).await;
                    sleep(Duration::from_millis(delay)).await;
                    line.send(&FOREIGN.reply()).await;
                }
            }
        });
        let job = Job::on(0..ORDERS);
        let ended = job.run(&server.url(), &["--concurrency", concurrency]);
        assert!([1, 3].contains(&ended.code), "{}", ended.said);
        let mistaken = assert_no_mistaken_identity(&job);
        if delay == 0 {
            assert_eq!(mistaken, 0, "a connection with bytes to spare is not used again");
            assert_same(&job.evident(), &calm_report(0..ORDERS));
        }
    }
}

#[test]
fn stray_bytes_behind_a_reply_spoil_nothing() {
    let server = RawServer::start(|mut line: Line| async move {
        while let Some(Request { order, .. }) = line.request().await {
            line.send(&[order.reply(), b"\0\xff}".to_vec()].concat()).await;
        }
    });
    let job = Job::on(0..ORDERS);
    let ended = job.run(&server.url(), &[]);
    assert_eq!(ended.code, 1, "{}", ended.said);
    assert_same(&job.evident(), &calm_report(0..ORDERS));
}
