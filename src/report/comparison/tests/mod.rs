//! Compares small handwritten reports with results that are worked out by hand or by plain sets.

mod damage;
mod test_report;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::finding::Subject;
use crate::report::formats::csv;
use test_report::TestReport;

fn compared(old: &TestReport, new: &TestReport) -> Comparison {
    Comparison::of(old.write().path(), new.write().path()).expect("two reports")
}

/// State, order, check and reason of every discrepancy.
fn states(comparison: &Comparison) -> Vec<(&'static str, &str, &str, Option<&'static str>)> {
    let rows = comparison.discrepancies.iter();
    rows.map(|row| (row.state.code(), &*row.run_order_id, &*row.check, row.because.map(UnassessedReason::code)))
        .collect()
}

const OFF_BY_TWO: &str = "error,,CNY,1.00000000,3.00000000,2.00000000,";

#[test]
fn a_discrepancy_persists_only_if_every_column_is_the_same() {
    let old =
        TestReport::default().with("wfrun_1", "quote-split", "error,overage,CNY,1.00000000,3.00000000,2.00000000,");
    let cases: [(&str, &[&str]); 8] = [
        ("error,overage,CNY,1.00000000,3.00000000,2.00000000,", &[]),
        ("warning,overage,CNY,1.00000000,3.00000000,2.00000000,", &["severity"]),
        ("error,scale,CNY,1.00000000,3.00000000,2.00000000,", &["cause"]),
        ("error,overage,USD,1.00000000,3.00000000,2.00000000,", &["currency"]),
        ("error,overage,CNY,1.00000001,3.00000000,1.99999999,", &["expected", "difference"]),
        ("error,overage,CNY,1.00000000,3.00000001,2.00000001,", &["actual", "difference"]),
        ("error,overage,CNY,1.00000000,3.00000000,,", &["difference"]),
        ("error,overage,CNY,1.00000000,3.00000000,2.00000000,true", &["waived"]),
    ];
    for (cells, changed) in cases {
        let comparison = compared(&old, &TestReport::default().with("wfrun_1", "quote-split", cells));
        let [row] = &*comparison.discrepancies else { panic!("one discrepancy") };
        let state = if changed.is_empty() { State::Persisting } else { State::Changed };
        assert_eq!((row.state, &*row.changed), (state, changed), "{cells}");
        assert!(row.old.is_some() && row.new.is_some(), "{cells}");
    }
}

#[test]
fn nothing_missing_is_resolved() {
    let orders =
        ["fetched", "unfetched", "not_found", "refused", "malformed", "waived", "foreign", "duplicate", "absent"];
    let old = orders.iter().fold(TestReport::default(), |old, order| old.with(order, "cost-sum", OFF_BY_TWO));
    let mut new = TestReport::default().fetched("fetched").fetched("wfrun_else").foreign("foreign");
    for order in ["unfetched", "not_found", "refused", "malformed", "waived", "duplicate"] {
        new = new.exception(order, order);
    }
    let comparison = compared(&old, &new.exception("", "rejected"));
    let gone = |order: &'static str, because| ("not-assessed", order, "cost-sum", Some(because));
    let expected = [
        ("new", "foreign", "identity-mismatch", None),
        gone("unfetched", "unfetched"),
        gone("not_found", "not-found"),
        gone("refused", "refused"),
        gone("malformed", "malformed"),
        gone("waived", "not-found"),
        gone("foreign", "identity-mismatch"),
        gone("duplicate", "not-in-input"),
        gone("absent", "not-in-input"),
        ("resolved", "fetched", "cost-sum", None),
    ];
    assert_eq!(states(&comparison), expected);
    let counts = StateCounts { new: 1, changed: 0, persisting: 0, not_assessed: 8, resolved: 1 };
    assert_eq!(comparison.counts, counts);
    let buckets =
        ["duplicate", "malformed", "not_found", "refused", "rejected", "unfetched", "waived"].map(|bucket| (bucket, 1));
    assert_eq!(comparison.new.exceptions, buckets.into());
    assert_eq!(comparison.old.exceptions, BTreeMap::new());
}

#[test]
fn an_id_that_looks_like_a_formula_still_names_its_order() {
    // `'=b` is a different order from `=b`, though the CSV writer writes both alike.
    let orders = ["=a", "=b", "'=b", "-c"];
    let old = orders.iter().fold(TestReport::default(), |old, order| old.with(order, "currency", OFF_BY_TWO));
    let new = TestReport::default().with("=a", "currency", OFF_BY_TWO).fetched("'=b").exception("'-c", "unfetched");
    let expected = [
        ("persisting", "=a", "currency", None),
        ("not-assessed", "=b", "currency", Some("not-in-input")),
        ("not-assessed", "-c", "currency", Some("unfetched")),
        ("resolved", "'=b", "currency", None),
    ];
    assert_eq!(states(&compared(&old, &new)), expected);
}

#[test]
fn every_row_group_is_searched() {
    let last = 70_000;
    let mut new = TestReport::default();
    new.orders = (0..=last).map(|number| format!("wfrun_{number}")).collect();
    let wanted = ["wfrun_0", "wfrun_65535", "wfrun_65536", "wfrun_70000", "wfrun_70001"];
    let old = wanted.iter().fold(TestReport::default(), |old, order| old.with(order, "cost-sum", OFF_BY_TWO));
    let counts = compared(&old, &new).counts;
    assert_eq!((counts.resolved, counts.not_assessed), (4, 1));
}

/// Two currencies; CNY: a grew, b shrank, c is new from nothing, d is gone, e did not move.
fn spending() -> (TestReport, TestReport) {
    let old = TestReport::default()
        .spent("wf_a", "CNY", 3, "8.00000000")
        .spent("wf_a", "USD", 1, "3.00000000")
        .spent("wf_b", "CNY", 2, "3.00000000")
        .spent("wf_d", "CNY", 1, "0.50000000")
        .spent("wf_e", "CNY", 1, "0.00000000");
    let new = TestReport::default()
        .spent("wf_a", "CNY", 4, "8.01000000")
        .spent("wf_a", "USD", 2, "5.00000000")
        .spent("wf_b", "CNY", 1, "1.00000000")
        .spent("wf_c", "CNY", 7, "5.49000000")
        .spent("wf_e", "CNY", 1, "0.00000000");
    (old, new)
}

#[test]
fn spend_moves_exactly_and_per_currency() {
    let (old, new) = spending();
    let comparison = compared(&old, &new);
    // CNY moved by 0.01, -2, 5.49 and -0.5: 8 without signs. 0.01 is 0.125 % of both 8s: half to even is
    // 0.12.
    let expected = [
        ["moved", "wf_a", "CNY", "3", "4", "8.00000000", "8.01000000", "0.01000000", "0.12", "0.12"],
        ["moved", "wf_a", "USD", "1", "2", "3.00000000", "5.00000000", "2.00000000", "66.67", "100.00"],
        ["moved", "wf_b", "CNY", "2", "1", "3.00000000", "1.00000000", "-2.00000000", "-66.67", "25.00"],
        ["new", "wf_c", "CNY", "0", "7", "0.00000000", "5.49000000", "5.49000000", "", "68.62"],
        ["gone", "wf_d", "CNY", "1", "0", "0.50000000", "0.00000000", "-0.50000000", "-100.00", "6.25"],
        ["unmoved", "wf_e", "CNY", "1", "1", "0.00000000", "0.00000000", "0.00000000", "", "0.00"],
    ];
    let percent =
        |percent: Option<_>| percent.map(|percent: crate::report::content::percent::Percent| percent.to_string());
    let texts = |group: &Group| {
        let Movement { old, new, movement, change_percent } = group.movement;
        [
            group.state.code().to_owned(),
            group.workflow_id.clone(),
            group.currency.clone(),
            old.settled.to_string(),
            new.settled.to_string(),
            old.final_amount.to_string(),
            new.final_amount.to_string(),
            movement.to_string(),
            percent(change_percent).unwrap_or_default(),
            percent(group.share_percent).unwrap_or_default(),
        ]
    };
    let spend = &comparison.spend;
    assert_eq!(spend.by_workflow.iter().map(texts).collect::<Vec<_>>(), expected);
    assert_eq!(spend.by_revision.iter().map(texts).collect::<Vec<_>>(), expected);
    assert_eq!(spend.by_revision[0].revision_id.as_deref(), Some("wf_a_r1"));
    // CNY in total: 11.5 and 14.5, +3, 26.086…%.
    let totals: Vec<_> = spend
        .totals
        .iter()
        .map(|total| (&*total.currency, total.movement.movement.to_string(), percent(total.movement.change_percent)))
        .collect();
    let total = |currency, movement: &str, percent: &str| (currency, movement.to_owned(), Some(percent.to_owned()));
    assert_eq!(totals, [total("CNY", "3.00000000", "26.09"), total("USD", "2.00000000", "66.67")]);
    assert_eq!((comparison.old.orders, comparison.new.orders), (8, 15));
}

#[test]
fn groups_that_are_written_alike_are_one() {
    let old =
        TestReport::default().spent("wf\u{fffd}", "CNY", 1, "1.00000000").spent("wf\u{fffd}", "CNY", 2, "3.00000000");
    let comparison = compared(&old, &TestReport::default().spent("wf\u{fffd}", "CNY", 1, "5.00000000"));
    for groups in [&comparison.spend.by_workflow, &comparison.spend.by_revision] {
        let [group] = &**groups else { panic!("one group") };
        assert_eq!((group.movement.old.settled, group.movement.movement.units()), (3, 100_000_000));
    }
}

#[test]
fn one_table_holds_everything() {
    let old = TestReport::default()
        .with("wfrun_1", "quote-split", OFF_BY_TWO)
        .with("wfrun_2", "negative-amount", "error,,USD,,compute_cost=-1.00000000,,")
        .spent("=wf", "CNY", 1, "2.00000000");
    let new = TestReport::default()
        .with("wfrun_1", "quote-split", "error,,CNY,1.00000000,0.50000000,-0.50000000,")
        .with("=wfrun_3", "cost-sum", "error,,,0.00000000,0.00000001,0.00000001,")
        .spent("=wf", "CNY", 1, "1.00000000");
    let mut out = Vec::new();
    csv::write(table(&compared(&old, &new)), csv::Encoding::Utf8, &mut out).expect("a vector takes everything");
    let id = |order, check| crate::report::content::tables::discrepancy_id(order, check, Subject::ORDER);
    let expected = format!(
        "kind,state,workflow_id,revision_id,currency,run_order_id,check,discrepancy_id,old,new,difference,change_percent,share_percent,field\n\
         discrepancy,new,wf_1,wfr_1,,'=wfrun_3,cost-sum,{},,0.00000001,,,,\n\
         discrepancy,changed,wf_1,wfr_1,CNY,wfrun_1,quote-split,{},2.00000000,-0.50000000,-2.50000000,,,\n\
         discrepancy,not-assessed,wf_1,wfr_1,USD,wfrun_2,negative-amount,{},compute_cost=-1.00000000,,,,,\n\
         spend-by-workflow,moved,'=wf,,CNY,,,,2.00000000,1.00000000,-1.00000000,-50.00,100.00,\n\
         spend-by-revision,moved,'=wf,'=wf_r1,CNY,,,,2.00000000,1.00000000,-1.00000000,-50.00,100.00,\n",
        id("=wfrun_3", "cost-sum"),
        id("wfrun_1", "quote-split"),
        id("wfrun_2", "negative-amount"),
    );
    assert_eq!(String::from_utf8(out).expect("UTF-8"), expected);
}

#[test]
fn a_report_compared_with_itself_has_no_change() {
    let (_, new) = spending();
    let folder = new.with("wfrun_1", "quote-split", OFF_BY_TWO).write();
    let link = folder.path().with_file_name("latest");
    std::os::unix::fs::symlink("report", &link).expect("a link");
    let comparison = Comparison::of(&link, folder.path()).expect("two reports");
    assert_eq!(comparison.counts, StateCounts { persisting: 1, ..StateCounts::default() });
    let spend = &comparison.spend;
    for group in spend.by_workflow.iter().chain(&spend.by_revision) {
        assert_eq!((group.state, group.movement.movement.units(), group.share_percent), (GroupState::Unmoved, 0, None));
    }
    assert_eq!(comparison.old.manifest_sha256, comparison.new.manifest_sha256);
    assert!(comparison.same_base_url && comparison.same_settings);
}

#[test]
fn a_different_provider_is_reported() {
    let elsewhere = TestReport { base_url: "https://elsewhere.example", ..TestReport::default() };
    assert!(!compared(&TestReport::default(), &elsewhere).same_base_url);
}

/// Each discrepancy of a report: its order and check, and whether its figures are the usual ones.
type Found = BTreeMap<(u8, bool), bool>;

fn with_all(report: TestReport, found: &Found) -> TestReport {
    found.iter().fold(report, |report, ((order, cost), usual)| {
        let check = if *cost { "cost-sum" } else { "quote-split" };
        let cells = if *usual { OFF_BY_TWO } else { "error,,CNY,1.00000000,1.50000000,0.50000000,true" };
        report.with(&format!("wfrun_{order}"), check, cells)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn states_partition_both_reports(
        old in prop::collection::btree_map((0_u8..12, any::<bool>()), any::<bool>(), 0..16),
        new in prop::collection::btree_map((0_u8..12, any::<bool>()), any::<bool>(), 0..16),
        clean in prop::collection::btree_set(0_u8..12, 0..12),
    ) {
        let report = with_all(TestReport::default(), &new);
        let report = clean.iter().fold(report, |report, order| report.fetched(&format!("wfrun_{order}")));
        let counts = compared(&with_all(TestReport::default(), &old), &report).counts;
        prop_assert_eq!(counts.new + counts.persisting + counts.changed, new.len() as u64);
        prop_assert_eq!(
            counts.resolved + counts.not_assessed + counts.persisting + counts.changed,
            old.len() as u64
        );
        let count = |which: &dyn Fn(&(u8, bool), bool) -> bool| {
            old.iter().filter(|(id, usual)| which(id, **usual)).count() as u64
        };
        prop_assert_eq!(counts.persisting, count(&|id, usual| new.get(id) == Some(&usual)));
        prop_assert_eq!(counts.changed, count(&|id, usual| new.get(id) == Some(&!usual)));
        let seen = |order: u8| clean.contains(&order) || new.keys().any(|(there, _)| *there == order);
        prop_assert_eq!(counts.resolved, count(&|id, _| !new.contains_key(id) && seen(id.0)));
    }
}
