//! What a close says of orders of months that were closed before, and of months without any.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tieout::domain::facts::OrderFacts;
use tieout::domain::money::Amount;
use tieout::domain::order::{Amounts, RunOrder};
use tieout::domain::outcome::CreatedBefore;
use tieout::history::{Dataset, ExceptionRow, Known};

use super::super::audit::audit;
use super::super::run_at;
use super::{NIGHTLY, close, lines, october};
use crate::readers::printed;
use crate::support::{Place, ReportFiles, code, stderr};

/// Appends a night that saw these orders, or could not fetch them.
fn see(dataset: &Dataset, started_at: &str, orders: &[(&str, Result<&str, &str>, Option<CreatedBefore>)]) {
    let started_at: Timestamp = started_at.parse().expect("a time");
    let mut append = dataset.append(&run_at(started_at)).expect("writable");
    for (id, seen, before) in orders {
        let text = |text: &str| Some(text.to_owned());
        let Ok(created_at) = seen else {
            let bucket = seen.expect_err("a bucket");
            append.exception(ExceptionRow { run_order_id: id, bucket, reason: "http-500", detail: "" });
            continue;
        };
        let amounts = [Some(Amount::parse("2").expect("an amount")); 6];
        let order = RunOrder {
            workflow_id: text(if started_at.to_string().as_str() < "2026-10-02" { "wf_1" } else { "wf_2" }),
            quote_currency: text("CNY"),
            run_status: text("succeeded"),
            settlement_status: text("settled"),
            amounts: Amounts::from_order(amounts),
            created_at: created_at.parse().ok(),
            ..RunOrder::default()
        };
        append
            .order(id, &OrderFacts::of(&order), Known { settled: true, before: *before, ..Known::default() })
            .expect("writable");
    }
    append.commit().expect("writable");
}

#[test]
fn an_order_of_an_earlier_month_without_a_readable_answer_leaves_no_verdict() {
    let place = Place::new();
    let dataset = october(&place, []);
    let folder = dataset.folder();
    see(&dataset, "2026-09-15T02:00:00Z", &[("old", Ok("2026-09-14T12:00:00Z"), None)]);
    see(&dataset, "2026-10-15T02:00:00Z", &[("new", Ok("2026-10-14T12:00:00Z"), None)]);
    assert_eq!(code(&close(folder, "2026-09", &[])), 1);
    see(&dataset, "2026-11-05T02:00:00Z", &[("old", Err("unfetched"), None)]);
    let refused = close(folder, "2026-10", &[]);
    assert_eq!(code(&refused), 3, "{}", printed(&refused));
    assert!(
        stderr(&refused).contains("orders of earlier months whose newest answers can't be read: 1"),
        "{}",
        printed(&refused)
    );
    assert!(!folder.join("closes/2026-10").exists());
    // An order that the provider does not know is gone, and that is readable.
    see(&dataset, "2026-11-06T02:00:00Z", &[("old", Err("not_found"), None)]);
    assert_eq!(code(&close(folder, "2026-10", &[])), 1);
    let report = ReportFiles(folder.join("closes/2026-10"));
    let rows = report.rows("adjustments.csv");
    assert_eq!((rows.len(), &*rows[0]["change"], &*rows[0]["final_amount"]), (1, "gone", "-2.00000000"));
}

#[test]
fn an_order_that_moves_within_a_month_is_the_same_and_one_that_changes_its_workflow_is_told_to_both() {
    let place = Place::new();
    let dataset = october(&place, []);
    let folder = dataset.folder();
    let (first, second) = ("2026-09-14T12:00:00Z", "2026-09-20T12:00:00Z");
    see(&dataset, "2026-09-15T02:00:00Z", &[("moves", Ok(first), None), ("stays", Ok(first), None)]);
    see(&dataset, "2026-10-01T23:00:00Z", &[("other", Ok("2026-10-01T12:00:00Z"), None)]);
    assert_eq!(code(&close(folder, "2026-09", &["--stale-after", "1h"])), 1);
    let before = CreatedBefore(first.parse().ok());
    see(&dataset, "2026-11-05T02:00:00Z", &[("moves", Ok(second), Some(before)), ("stays", Ok(first), None)]);
    assert_eq!(code(&close(folder, "2026-10", &[])), 1);
    let report = ReportFiles(folder.join("closes/2026-10"));
    let orders: Vec<String> = report.rows("adjustments_by_month.csv").iter().map(|row| row["orders"].clone()).collect();
    assert_eq!(orders, ["2"], "both belong to another workflow now");
    let changes: BTreeSet<String> = report.rows("adjustments.csv").iter().map(|row| row["change"].clone()).collect();
    assert_eq!(changes, BTreeSet::from(["reattributed".to_owned()]));
    let lines = &lines(&report)["CNY"];
    assert_eq!((lines["late"].0, lines["gone"].0, lines["settled"].0), (0, 0, 1));
    for (workflow, amount) in [("wf_1", "-2.00000000"), ("wf_2", "2.00000000")] {
        let out = place.path(workflow);
        let audited = audit(folder, &out, &["--month", "2026-09", "--workflow", workflow]);
        assert!([0, 1, 3].contains(&code(&audited)));
        let rows = ReportFiles(out).rows("adjustments.csv");
        let told: Vec<_> = rows.iter().map(|row| (&*row["change"], &*row["final_amount"])).collect();
        assert_eq!(told, [("reattributed", amount); 2], "{workflow}");
    }
}

#[test]
fn a_month_without_an_order_is_closed_like_any_other() {
    let place = Place::new();
    let dataset = october(&place, [1]);
    for day in 2..=31 {
        see(&dataset, &format!("2026-10-{day:02}T02:00:00Z"), &[]);
    }
    (1..=29).for_each(|day| see(&dataset, &format!("2026-11-{day:02}T02:00:00Z"), &[]));
    let settings = place.file("tieout.toml", NIGHTLY);
    let config = ["--config", settings.to_str().expect("a path")];
    let folder = dataset.folder();
    // The one order of October is of the last day of September.
    assert_eq!(code(&close(folder, "2026-10", &config)), 0);
    let report = ReportFiles(folder.join("closes/2026-10"));
    assert_eq!(report.json("summary.json")["population"]["rows"], 1);
    let place = Place::new();
    let dataset = october(&place, []);
    see(&dataset, "2026-11-05T02:00:00Z", &[]);
    let refused = close(dataset.folder(), "2026-10", &[]);
    assert_eq!(code(&refused), 3, "no run at all: {}", printed(&refused));
    see(&dataset, "2026-10-20T02:00:00Z", &[]);
    assert_eq!(code(&close(dataset.folder(), "2026-10", &[])), 0);
    assert_eq!(ReportFiles(dataset.folder().join("closes/2026-10")).verdict(), "empty");
}

/// A night that saw a move is missing, so that the order counts on both days; a later one tells of it.
#[test]
fn an_order_that_counted_on_two_days_is_adjusted_by_what_it_counted_too_much() {
    let place = Place::new();
    let dataset = october(&place, []);
    let folder = dataset.folder();
    let days = ["2026-09-14T12:00:00Z", "2026-09-20T12:00:00Z", "2026-09-25T12:00:00Z"];
    see(&dataset, "2026-09-15T02:00:00Z", &[("a", Ok(days[0]), None), ("b", Ok(days[0]), None)]);
    see(&dataset, "2026-09-21T02:00:00Z", &[("a", Ok(days[1]), None), ("b", Ok(days[1]), None)]);
    see(&dataset, "2026-10-05T02:00:00Z", &[]);
    assert_eq!(code(&close(folder, "2026-09", &[])), 1);
    let spent = |report: &ReportFiles| -> i128 {
        report.rows("spend_by_day.csv").iter().map(|row| super::units(&row["final_amount"])).sum()
    };
    let closed = spent(&ReportFiles(folder.join("closes/2026-09")));
    assert_eq!(closed, 4 * 200_000_000, "each order counts twice");
    // One moved from its first day to its second, the other on to a third.
    let [before, between] = [0, 1].map(|day: usize| Some(CreatedBefore(days[day].parse().ok())));
    see(&dataset, "2026-11-04T02:00:00Z", &[("a", Ok(days[1]), before), ("b", Ok(days[2]), between)]);
    see(&dataset, "2026-11-05T02:00:00Z", &[("new", Ok("2026-10-09T12:00:00Z"), None)]);
    assert_eq!(code(&close(folder, "2026-10", &["--force"])), 3);
    let report = ReportFiles(folder.join("closes/2026-10"));
    let rows = report.rows("adjustments.csv");
    let adjusted: i128 = rows.iter().map(|row| super::units(&row["final_amount"])).sum();
    let out = place.path("audit");
    assert!([0, 1].contains(&code(&audit(folder, &out, &["--month", "2026-09"]))));
    assert_eq!(closed + adjusted, spent(&ReportFiles(out)), "{rows:?}");
    assert_eq!(adjusted, -200_000_000, "{rows:?}");
}
