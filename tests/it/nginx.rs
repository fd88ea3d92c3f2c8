//! Twenty thousand orders served by a plain nginx: a server, JSON and figures that share no code with this
//! program, with a discrepancy planted in every 97th order.

mod orders;
mod server;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use orders::{Discrepancy, Order};
use server::Nginx;

use crate::readers::{assert_agrees, said, tieout};

const ORDERS: u64 = 20_000;
const DISCREPANT: i32 = 1;

#[test]
fn finds_exactly_what_was_planted_behind_nginx() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let orders: Vec<Order> = (0..ORDERS).map(Order::number).collect();
    let input = lay_out(folder.path(), &orders);
    let nginx = Nginx::start(folder.path());

    let report = folder.path().join("report");
    let run = tieout(folder.path())
        .env("CHENYU_API_KEY", "cy_test")
        .arg("reconcile")
        .arg(&input)
        .args(["--api-url", &nginx.api_url(), "--rate", "0", "--concurrency", "64"])
        .arg("--out")
        .arg(&report)
        .arg("--state")
        .arg(folder.path().join("state.sqlite"))
        .output()
        .expect("tieout starts");
    assert_eq!(run.status.code(), Some(DISCREPANT), "{}", said(&run));

    let planted: Vec<Discrepancy> = orders.iter().filter_map(Order::planted).collect();
    assert_eq!(planted.len(), 207, "every 97th of 20,000, the first included");
    assert_eq!(discrepancies(&report), planted, "in the order of the input");
    assert_eq!(population(&report), expected_population(planted.len()));
    let identities = planted.iter().filter(|planted| ["quote-split", "cost-sum"].contains(&planted.check)).count();
    let said = assert_agrees(&report);
    assert!(said.contains(&format!(" {identities} discrepancies")), "{said}");
}

/// Writes the replies for nginx and the input; the input's path.
fn lay_out(folder: &Path, orders: &[Order]) -> std::path::PathBuf {
    fs::create_dir(folder.join("orders")).expect("a folder");
    let mut ids = String::from("run_order_id\n");
    for order in orders {
        let file = folder.join("orders").join(format!("{}.json", order.id));
        fs::write(file, order.reply()).expect("a reply");
        ids.push_str(&order.id);
        ids.push('\n');
    }
    let input = folder.join("ids.csv");
    fs::write(&input, ids).expect("the input");
    input
}

/// The rows of `discrepancies.csv`, as far as a planted one says what they hold.
fn discrepancies(report: &Path) -> Vec<Discrepancy> {
    let mut reader = csv::Reader::from_path(report.join("discrepancies.csv")).expect("discrepancies.csv");
    let rows = reader.deserialize().map(|row| row.expect("a row of discrepancies.csv"));
    rows.map(|row: BTreeMap<String, String>| Discrepancy {
        run_order_id: row["run_order_id"].clone(),
        check: orders::CHECKS.into_iter().find(|check| *check == row["check"]).unwrap_or("a check nobody planted"),
        expected: row["expected"].clone(),
        actual: row["actual"].clone(),
        difference: row["difference"].clone(),
    })
    .collect()
}

fn population(report: &Path) -> BTreeMap<String, u64> {
    let text = fs::read_to_string(report.join("summary.json")).expect("summary.json");
    let summary: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    serde_json::from_value(summary["population"].clone()).expect("one integer per bucket")
}

fn expected_population(discrepant: usize) -> BTreeMap<String, u64> {
    let discrepant = u64::try_from(discrepant).expect("few");
    let buckets = "waived pending not_found refused malformed unfetched duplicate rejected";
    let counts = [("rows", ORDERS), ("reconciled", ORDERS - discrepant), ("discrepant", discrepant)];
    let empty = buckets.split(' ').map(|bucket| (bucket, 0));
    counts.into_iter().chain(empty).map(|(bucket, count)| (bucket.to_owned(), count)).collect()
}
