//! A report that contradicts itself is never finished.

use super::proofs::prove_totals;
use super::*;
use crate::domain::layout::InputLayout;
use crate::domain::money::{Amount, Sum};
use crate::domain::order::{Amounts, RunOrder};
use crate::summary::Verdict;

fn outcome(line: u64, units: [i128; 6]) -> Outcome {
    let id = format!("wfrun_{line}");
    let order = RunOrder {
        run_order_id: Some(id.clone()),
        workflow_id: Some("wf_1".into()),
        quote_currency: Some("CNY".into()),
        settlement_status: Some("settled".into()),
        amounts: Amounts::from_order(units.map(Amount::from_units)),
        freeze_status: Some("released".into()),
        submission_status: Some("submitted".into()),
        run_status: Some("succeeded".into()),
        ..RunOrder::default()
    };
    Outcome { line, run_order_id: id, evidence: order.into() }
}

fn builder(folder: PathBuf, rows_read: u64) -> Builder {
    let mut builder = Builder::begin(Brief {
        folder,
        rules: Rules::default(),
        as_of: Timestamp::UNIX_EPOCH,
        options: ReportOptions::default(),
        origin: Origin::Input { rows: rows_read, shortfall: None, layout: InputLayout::default() },
        evidence: None,
        facts: None,
    })
    .expect("writable");
    builder.add(outcome(2, [100, 60, 40, 60, 0, 60]), Background::default()).expect("writable");
    builder.add(outcome(3, [100, 60, 41, 60, 0, 59]), Background::default()).expect("writable");
    let missing = Evidence::NotFound(Reason::new("http-404", "no such order"));
    builder
        .add(Outcome { line: 4, run_order_id: "wfrun_4".into(), evidence: missing }, Background::default())
        .expect("writable");
    builder
}

#[test]
fn a_stopped_report_ends_before_its_next_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = folder.path().join("discrepancies.csv");
    let ended = builder(folder.path().to_owned(), 3).finish_unless(&|| first.exists());
    assert!(matches!(ended, Err(ReportError::Stopped)), "{ended:?}");
    assert!(first.exists() && !folder.path().join("spend_by_workflow.csv").exists());
}

#[test]
fn a_report_that_bridges_is_finished() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = builder(folder.path().to_owned(), 3).finish().expect("it bridges");
    assert_eq!(
        (report.exit_inputs.verdict, report.exceptions, report.discrepancies.len()),
        (Verdict::Discrepant, 1, 3),
        "the third: the charge is not the cost"
    );
    let bridge = &report.summary.control_totals["CNY"].bridge;
    assert_eq!(bridge.quote_split.whole.units(), 200);
    assert_eq!(bridge.quote_split.parts.units(), 201);
    assert_eq!(bridge.quote_split.differences.units(), 1);
    assert_eq!(bridge.cost_sum.differences.units(), -1);
}

#[test]
fn a_row_that_is_lost_or_doubled_is_a_contradiction() {
    for rows_read in [2, 4] {
        let folder = tempfile::tempdir().expect("a folder");
        let ended = builder(folder.path().to_owned(), rows_read).finish();
        assert!(matches!(ended, Err(ReportError::Contradiction(what)) if what.contains("rows read")), "{rows_read}");
    }
}

#[test]
fn an_aggregate_that_is_off_by_one_unit_is_a_contradiction() {
    let folder = tempfile::tempdir().expect("a folder");
    let builder = builder(folder.path().to_owned(), 3);
    let Builder { tally: Tally { summary, .. }, facts, brief, .. } = builder;
    let Facts::Written(facts) = facts else { panic!("the report has facts of its own") };
    facts.finish().expect("writable");
    let facts = written_facts(&brief).expect("readable");
    let rows = spend::aggregate(&facts, &brief.rules.days(), &|| Ok(())).expect("readable").by_workflow;
    assert!(prove_totals(&summary, &[&rows, &rows], &Rules::default()).is_ok());
    for index in 0..6 {
        let mut wrong = rows.clone();
        let unit = Sum::from_units(1).expect("small");
        wrong[0].amounts[index] = wrong[0].amounts[index].plus(unit).expect("small");
        for aggregates in [[&*wrong, &*rows], [&*rows, &*wrong]] {
            assert!(
                matches!(prove_totals(&summary, &aggregates, &Rules::default()), Err(ReportError::Contradiction(_))),
                "{index}"
            );
        }
    }
    let mut foreign = rows.clone();
    foreign[0].currency = "USD".into();
    assert!(matches!(
        prove_totals(&summary, &[&foreign, &rows], &Rules::default()),
        Err(ReportError::Contradiction(_))
    ));
}
