//! Twenty thousand orders served by a plain nginx: a server, JSON and figures that share no code with this
//! program, with a discrepancy planted in every 97th order.

mod orders;
mod server;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use orders::{Discrepancy, Order};
use server::Nginx;

use crate::readers::{assert_agrees, printed};
use crate::support::{Place, ReportFiles, code};

const ORDERS: u64 = 20_000;
const DISCREPANT: i32 = 1;

#[test]
fn finds_exactly_what_was_planted_behind_nginx() {
    let place = Place::new();
    let orders: Vec<Order> = (0..ORDERS).map(Order::number).collect();
    let input = lay_out(&place, &orders);
    let nginx = Nginx::start(&place.path("nginx"));
    let run = place
        .reconcile(&input)
        .args(["--api-url", &nginx.api_url(), "--concurrency", "64"])
        .env("CHENYU_API_KEY", "cy_test")
        .output()
        .expect("tieout starts");
    assert_eq!(code(&run), DISCREPANT, "{}", printed(&run));

    let planted: Vec<Discrepancy> = orders.iter().filter_map(Order::planted).collect();
    assert_eq!(planted.len(), 207, "every 97th of 20,000, the first included");
    assert_eq!(discrepancies(&place.report()), planted, "in the order of the input");
    assert_eq!(population(&place.report()), expected_population(planted.len()));
    let identities = planted.iter().filter(|planted| ["quote-split", "cost-sum"].contains(&&*planted.check)).count();
    let printed = assert_agrees(&place.path("report"));
    assert!(printed.contains(&format!(" {identities} discrepancies")), "{printed}");
}

/// Writes the replies for nginx, and the input; returns the input's path.
fn lay_out(place: &Place, orders: &[Order]) -> PathBuf {
    let replies = place.path("nginx/orders");
    fs::create_dir_all(&replies).expect("a folder");
    let mut ids = String::from("run_order_id\n");
    for order in orders {
        fs::write(replies.join(format!("{}.json", order.id)), order.reply()).expect("a reply");
        ids.push_str(&order.id);
        ids.push('\n');
    }
    place.file("ids.csv", ids)
}

/// The rows of `discrepancies.csv`, with the columns that a planted discrepancy specifies.
fn discrepancies(report: &ReportFiles) -> Vec<Discrepancy> {
    let rows = report.rows("discrepancies.csv").into_iter();
    rows.map(|row| Discrepancy {
        run_order_id: row["run_order_id"].clone(),
        check: row["check"].clone(),
        expected: row["expected"].clone(),
        actual: row["actual"].clone(),
        difference: row["difference"].clone(),
    })
    .collect()
}

fn population(report: &ReportFiles) -> BTreeMap<String, u64> {
    serde_json::from_value(report.json("summary.json")["population"].clone()).expect("one integer per bucket")
}

fn expected_population(discrepant: usize) -> BTreeMap<String, u64> {
    let discrepant = u64::try_from(discrepant).expect("few");
    let buckets = "waived pending not_found refused malformed unfetched duplicate rejected";
    let counts = [("rows", ORDERS), ("reconciled", ORDERS - discrepant), ("discrepant", discrepant)];
    let empty = buckets.split(' ').map(|bucket| (bucket, 0));
    counts.into_iter().chain(empty).map(|(bucket, count)| (bucket.to_owned(), count)).collect()
}
