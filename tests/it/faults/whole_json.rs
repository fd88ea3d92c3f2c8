//! Replies that are whole JSON and final statuses are never asked for again, whatever they say.

use super::{Reference, Trial, all_are, clean, exceptions, in_parallel, mixed};
use crate::support::{code, stderr};

const ORDERS: usize = 9;

/// A fault on one order, and what the report must say of that order.
struct Case {
    fault: &'static str,
    bucket: &'static str,
    reason: &'static str,
    exit: i32,
    /// A part of the detail.
    detail: &'static str,
}

const fn case(
    fault: &'static str,
    bucket: &'static str,
    reason: &'static str,
    exit: i32,
    detail: &'static str,
) -> Case {
    Case { fault, bucket, reason, exit, detail }
}

/// Asserts for an order that always gets the fault that it is asked for once, and that the others are not affected.
fn assert_final(cases: &[Case]) {
    let ids = clean(ORDERS);
    let struck = ids[4].clone();
    let reference = Reference::of(&ids.iter().filter(|id| **id != struck).cloned().collect::<Vec<_>>());
    in_parallel(cases, |Case { fault, bucket, reason, exit, detail }| {
        let trial = Trial::new(&ids, [format!("{fault},ids={struck}")]);
        let run = trial.run(&[]);
        assert_eq!(code(&run), *exit, "{fault}: {}", stderr(&run));
        let report = trial.report();
        assert_eq!(exceptions(&report), all_are(std::slice::from_ref(&struck), bucket, reason), "{fault}");
        assert_eq!(report.population("reconciled"), ORDERS as u64 - 1, "{fault}");
        let row = report.rows("exceptions.csv").remove(0);
        assert!(row["detail"].contains(detail), "{fault}: {}", row["detail"]);
        assert_eq!(row["input_line"], "6", "{fault}");
        trial.assert_asked(fault, |_| 1);
        let spend = "spend_by_revision.csv";
        assert!(report.bytes(spend) == reference.files[spend], "{fault}: money of the others alone");
    });
}

#[test]
fn json_that_is_no_run_order() {
    assert_final(&[
        case("duplicate-keys", "malformed", "duplicate-key", 3, "quote_amount"),
        case("null-data", "malformed", "no-order", 3, "data is absent or null"),
        case("code=null", "malformed", "no-code", 3, "code is absent or null"),
        case("code=true", "malformed", "wrong-type", 3, "code is a boolean"),
        case("code={}", "malformed", "wrong-type", 3, "code is an object"),
    ]);
}

#[test]
fn business_codes() {
    assert_final(&[
        case("code=403", "refused", "code-403", 1, "a business code"),
        case("code=1001", "refused", "code-1001", 1, "a business code"),
        case("code=-1", "refused", "code--1", 1, "a business code"),
        case("code=\"E42\"", "refused", "code-other", 1, "E42: a business code"),
        case("code=0.5", "refused", "code-other", 1, "0.5: a business code"),
        case("code=404", "not_found", "code-404", 1, "a business code"),
    ]);
}

#[test]
fn statuses_that_are_final() {
    assert_final(&[
        case("status=400", "refused", "http-400", 1, "a planned failure"),
        case("status=403", "refused", "http-403", 1, "a planned failure"),
        case("status=410", "refused", "http-410", 1, "a planned failure"),
        case("status=404", "not_found", "http-404", 1, "a planned failure"),
    ]);
}

#[test]
fn a_body_over_one_mebibyte() {
    assert_final(&[case("oversize", "unfetched", "body-too-large", 3, "1 MiB")]);
}

#[test]
fn oddities_that_change_nothing() {
    let ids = mixed(ORDERS + 11);
    let reference = Reference::of(&ids);
    let faults = ["code=0", "code=\"0\"", "code=\"00\"", "deep", "wrong-content-type"];
    in_parallel(&faults, |fault| {
        let trial = Trial::new(&ids, [fault]);
        let run = trial.run(&[]);
        trial.assert_same_as(fault, &run, &reference);
        trial.assert_asked(fault, |_| 1);
        assert_eq!(trial.answered(fault), ids.len(), "{fault}");
    });
}

#[test]
fn another_orders_reply_enters_no_sum() {
    let ids = clean(ORDERS);
    let struck = ids[4].clone();
    let reference = Reference::of(&ids.iter().filter(|id| **id != struck).cloned().collect::<Vec<_>>());
    let trial = Trial::new(&ids, [format!("wrong-order,ids={struck}")]);
    let run = trial.run(&[]);
    assert_eq!(code(&run), 1, "{}", stderr(&run));
    let report = trial.report();
    let rows = report.rows("discrepancies.csv");
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((rows[0]["run_order_id"].as_str(), rows[0]["check"].as_str()), (struck.as_str(), "identity-mismatch"));
    assert_eq!(rows[0]["expected"], struck);
    assert!(
        rows[0]["actual"].starts_with("wfrun_") && rows[0]["actual"] != struck,
        "the replied ID is named: {rows:?}"
    );
    assert_eq!([report.population("discrepant"), report.population("reconciled")], [1, 8]);
    assert!(
        report.bytes("spend_by_revision.csv") == reference.files["spend_by_revision.csv"],
        "money of the others alone"
    );
    trial.assert_asked("wrong-order", |_| 1);
}
