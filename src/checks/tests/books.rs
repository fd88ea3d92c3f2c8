//! Our own books against the provider's, figures and messages worked out by hand.

use super::*;
use crate::domain::books::{Booking, Field};
use crate::domain::finding::PastFinding;

fn booking(line: u64, cells: &[(Field, &str)]) -> Booking {
    Booking { line, cells: cells.iter().map(|(field, text)| (*field, (*text).to_owned())).collect() }
}

fn judged_beside(order: RunOrder, bookings: Vec<Booking>) -> Judgement {
    let outcome = Outcome { line: 2, run_order_id: ASKED.into(), evidence: order.into() };
    let background = Background { bookings, ..Background::default() };
    judge(&outcome, &background, &Rules::default(), AS_OF)
}

/// Expected, actual, difference and message of the only finding.
fn figures(judgement: &Judgement) -> [String; 4] {
    let [finding] = judgement.findings.as_slice() else { panic!("not one finding: {judgement:?}") };
    figures_of(finding)
}

fn figures_of(finding: &Finding) -> [String; 4] {
    let difference = finding.difference.map(|difference| difference.to_string()).unwrap_or_default();
    [finding.expected.to_string(), finding.actual.to_string(), difference, finding.message.clone()]
}

#[test]
fn equal_figures_hold_in_any_notation() {
    let same = [
        (Field::Final, "0.0000006"),
        (Field::Total, "6e-7"),
        (Field::Quote, "¥0.000001"),
        (Field::Released, "０．０００００040"),
        (Field::Compute, "0.00000050元"),
        (Field::External, "+0.00000010"),
        (Field::Currency, "CNY"),
        (Field::RunStatus, " succeeded "),
        (Field::Workflow, ""),
    ];
    let judgement = judged_beside(clean(), vec![booking(2, &same)]);
    assert_eq!((judgement.bucket, codes(&judgement)), (Bucket::Reconciled, vec![]));
    assert_eq!(codes(&judged_beside(clean(), Vec::new())), Vec::<&str>::new(), "not due");
}

#[test]
fn one_unit_of_the_eighth_decimal_is_a_difference() {
    for (ours, difference) in [("0.00000061", "-0.00000001"), ("0.00000059", "0.00000001")] {
        let judgement = judged_beside(clean(), vec![booking(7, &[(Field::Final, ours)])]);
        assert_eq!((judgement.bucket, codes(&judgement)), (Bucket::Discrepant, vec!["expected-mismatch"]));
        let message = format!("line 7: final_amount is 0.00000060, our books say {ours}");
        assert_eq!(figures(&judgement), [ours, "0.00000060", difference, &message]);
    }
}

#[test]
fn every_field_is_compared_and_has_its_own_finding() {
    let wrong = |field, ours| judged_beside(clean(), vec![booking(2, &[(field, ours)])]);
    for field in Field::ALL {
        let ours = if field.is_amount() { "9" } else { "other" };
        assert_eq!(codes(&wrong(field, ours)), ["expected-mismatch"], "{field}");
    }
    let two = judged_beside(clean(), vec![booking(2, &[(Field::Currency, "USD"), (Field::Quote, "0.5")])]);
    let fields: Vec<_> = two.findings.iter().map(|finding| finding.subject.field).collect();
    assert_eq!(fields, [Some("quote_amount"), Some("quote_currency")], "each has its own finding");
    let message = "line 2: quote_amount is 0.00000100, our books say 0.50000000";
    assert_eq!(figures_of(&two.findings[0]), ["0.50000000", "0.00000100", "-0.49999900", message]);
    let message = "line 2: quote_currency differs from our books";
    assert_eq!(figures_of(&two.findings[1]), ["USD", "CNY", "", message]);
}

#[test]
fn a_workflow_and_its_version_are_compared_with_those_of_the_order() {
    let order = || RunOrder { workflow_id: Some("wf_1".into()), revision_id: Some("rev_7".into()), ..clean() };
    let same = booking(2, &[(Field::Workflow, "wf_1"), (Field::Revision, " rev_7 ")]);
    assert_eq!(codes(&judged_beside(order(), vec![same])), Vec::<&str>::new());
    for (field, provider) in [(Field::Workflow, "wf_1"), (Field::Revision, "rev_7")] {
        let found = figures(&judged_beside(order(), vec![booking(4, &[(field, "wf_2")])]));
        assert_eq!(found, ["wf_2", provider, "", &format!("line 4: {field} differs from our books")]);
    }
}

#[test]
fn missing_and_unreadable_cells_are_differences() {
    let of = |order: RunOrder, field, ours| figures(&judged_beside(order, vec![booking(3, &[(field, ours)])]));
    let unreadable = "line 3: final_amount can't be read as an amount: not a decimal number";
    assert_eq!(of(clean(), Field::Final, "12,5"), ["12,5", "0.00000060", "", unreadable]);
    let empty = "line 3: final_amount is 0.00000060, our books are empty";
    assert_eq!(of(clean(), Field::Final, " "), ["", "0.00000060", "", empty]);
    let none = "line 3: there is no workflow_id, our books have one";
    assert_eq!(of(clean(), Field::Workflow, "wf_1"), ["wf_1", "", "", none]);
    let none = "line 3: our books have no quote_currency";
    assert_eq!(of(clean(), Field::Currency, ""), ["", "CNY", "", none]);
    let zero = judged_beside(order([100, 0, 100, 0, 0, 0].map(Some)), vec![booking(3, &[(Field::Final, "")])]);
    assert_eq!(codes(&zero), ["expected-mismatch"], "settled: empty is not zero");
}

#[test]
fn an_amount_that_is_not_due_yet_may_be_empty_or_zero() {
    for provider in [None, Some(0)] {
        for ours in ["", "0", "0.00"] {
            let open = open([Some(100), provider, None, None, None, None]);
            let judgement = judged_beside(open, vec![booking(2, &[(Field::Final, ours)])]);
            assert_eq!((judgement.bucket, codes(&judgement)), (Bucket::Pending, vec![]), "{provider:?} {ours:?}");
        }
        let open = open([Some(100), provider, None, None, None, None]);
        let accrued = judged_beside(open, vec![booking(2, &[(Field::Final, "0.00000060")])]);
        assert_eq!((accrued.bucket, codes(&accrued)), (Bucket::Discrepant, vec!["expected-mismatch"]));
    }
    let unquoted = open([Some(0), None, None, None, None, None]);
    let judgement = judged_beside(unquoted, vec![booking(2, &[(Field::Quote, "")])]);
    assert_eq!(codes(&judgement), ["expected-mismatch"], "the quote is always due");
}

#[test]
fn books_of_two_decimals_pass_by_rounding_and_a_cent_off_does_not() {
    let judged = |provider: i128, ours: &str, decimals| {
        let order = order([Some(provider), Some(provider), Some(0), Some(provider), Some(0), Some(provider)]);
        let outcome = Outcome { line: 2, run_order_id: ASKED.into(), evidence: order.into() };
        let background = Background { bookings: vec![booking(2, &[(Field::Final, ours)])], ..Background::default() };
        let judgement = judge(&outcome, &background, &Rules { books_decimals: decimals, ..Rules::default() }, AS_OF);
        let tolerated: Vec<i128> = judgement.tolerated.iter().map(|passed| passed.difference.units()).collect();
        (codes(&judgement).contains(&"expected-mismatch"), tolerated)
    };
    for (provider, ours, decimals, expected) in [
        (20_400_000, "0.20", Some(2), (false, vec![400_000])),
        (20_500_000, "0.21", Some(2), (false, vec![-500_000])),
        (20_500_000, "0.20", Some(2), (true, vec![])),
        (20_400_000, "0.21", Some(2), (true, vec![])),
        (28_780, "0", Some(2), (false, vec![28_780])),
        (50_000_000, "1", Some(0), (false, vec![-50_000_000])),
        (20_400_000, "0.204", Some(2), (false, vec![])),
        (20_400_000, "0.203", Some(2), (true, vec![])),
        (20_400_000, "0.20", None, (true, vec![])),
        (20_400_000, "", Some(2), (true, vec![])),
    ] {
        assert_eq!(judged(provider, ours, decimals), expected, "{provider} {ours:?} {decimals:?}");
    }
}

#[test]
fn a_mismatch_has_a_cause_if_arithmetic_proves_one() {
    let cause = |ours| {
        let judgement = judged_beside(clean(), vec![booking(2, &[(Field::Final, ours)])]);
        judgement.findings[0].cause
    };
    for (ours, expected) in [
        ("-0.0000006", Some("sign-flipped")),
        ("(0.0000006)", Some("sign-flipped")),
        ("0.00006", Some("scale")),
        ("0.000001", Some("rounding")),
        ("0.00", Some("rounding")),
        ("-", None),
        ("0.00000061", None),
        ("1.2.3", None),
        ("", None),
    ] {
        assert_eq!(cause(ours), expected, "{ours:?}");
    }
}

#[test]
fn every_row_is_compared_and_an_order_is_booked_once() {
    let row = |line, ours| booking(line, &[(Field::Final, ours)]);
    let twice = judged_beside(clean(), vec![row(2, "0.0000006"), row(31, "0.0000006")]);
    assert_eq!((twice.bucket, codes(&twice)), (Bucket::Discrepant, vec!["booked-twice"]));
    assert_eq!(figures(&twice), ["1", "2", "", "our books carry the order on lines 2, 31"]);
    let other = judged_beside(clean(), vec![row(2, "0.0000006"), row(31, "0.0000007")]);
    assert_eq!(codes(&other), ["booked-twice", "expected-mismatch"]);
    assert_eq!(other.findings[1].message, "line 31: final_amount is 0.00000060, our books say 0.00000070");
    assert_eq!(other.findings[1].subject, Subject { field: Some("final_amount"), row: 2 });
    let many = judged_beside(clean(), (2..9).map(|line| row(line, "1")).collect());
    assert!(many.findings[0].message.ends_with("lines 2, 3, 4, 5, 6 and 2 more"), "{:?}", many.findings[0]);
    assert_eq!(many.findings.len(), 8);
    let rows: Vec<u64> = many.findings[1..].iter().map(|finding| finding.subject.row).collect();
    assert_eq!(rows, [1, 2, 3, 4, 5, 6, 7]);
    let five = judged_beside(clean(), (2..7).map(|line| row(line, "1")).collect());
    assert!(five.findings[0].message.ends_with("lines 2, 3, 4, 5, 6"), "{:?}", five.findings[0]);
    let last = "line 6: final_amount is 0.00000060, our books say 1.00000000";
    assert_eq!(five.findings[5].message, last);
}

/// Judges a clean order against rows of our books that are added.
fn judged_beside_sum(rows: &[(u64, &[(Field, &str)])], past_findings: Vec<PastFinding>) -> Judgement {
    let outcome = Outcome { line: 2, run_order_id: ASKED.into(), evidence: clean().into() };
    let bookings = rows.iter().map(|(line, cells)| booking(*line, cells)).collect();
    let background = Background { bookings, past_findings, ..Background::default() };
    judge(&outcome, &background, &Rules { expect_rows: ExpectRows::Sum, ..Rules::default() }, AS_OF)
}

#[test]
fn added_rows_are_compared_by_their_sum() {
    let of = |cells: &[&str]| {
        let rows: Vec<_> = cells.iter().map(|cell| [(Field::Final, *cell)]).collect();
        let rows: Vec<(u64, &[(Field, &str)])> = (2..).zip(rows.iter().map(|row| &row[..])).collect();
        judged_beside_sum(&rows, Vec::new())
    };
    for cells in [&["0.0000006"][..], &["0.0000004", "0.0000002"], &["0.0000008", "-0.0000002", ""], &["", "6e-7"]] {
        let judgement = of(cells);
        assert_eq!((judgement.bucket, codes(&judgement)), (Bucket::Reconciled, vec![]), "{cells:?}");
    }
    let more = "lines 2, 3, 4: final_amount is 0.00000060, our books say 0.00000061";
    assert_eq!(figures(&of(&["4e-7", "2e-7", "1e-8"])), ["0.00000061", "0.00000060", "-0.00000001", more]);
    let empty = "lines 2, 3: final_amount is 0.00000060, our books are empty";
    assert_eq!(figures(&of(&["", ""])), ["", "0.00000060", "", empty]);
    let unreadable = "line 3: final_amount can't be read as an amount: not a decimal number";
    assert_eq!(figures(&of(&["6e-7", "1,2", "3,4"])), ["1,2", "0.00000060", "", unreadable]);
    let foreign = "line 3: final_amount is in a different currency in our books";
    assert_eq!(figures(&of(&["4e-7", "$0.0000002"])), ["$0.0000002", "0.00000060", "", foreign]);
    let largest = "99999999999999999999";
    assert!(figures(&of(&[largest, largest]))[3].contains("lines 2, 3: final_amount can't be read"));
    assert_eq!(of(&["0.00003", "0.00003"]).findings[0].cause, Some("scale"), "the sum is in a different unit");
}

#[test]
fn amounts_of_several_currencies_are_not_added_and_texts_never_are() {
    let row = |cell, currency| [(Field::Final, cell), (Field::Currency, currency)];
    let (yuan, rmb, dollars) = (row("4e-7", "CNY"), row("2e-7", "RMB"), row("2e-7", "USD"));
    assert_eq!(codes(&judged_beside_sum(&[(2, &yuan), (3, &rmb)], Vec::new())), Vec::<&str>::new());
    let judgement = judged_beside_sum(&[(2, &yuan), (3, &dollars)], Vec::new());
    let messages: Vec<_> = judgement.findings.iter().map(|finding| &*finding.message).collect();
    let expected = [
        "lines 2, 3: final_amount is in several currencies in our books, which are not added",
        "line 3: quote_currency differs from our books",
    ];
    assert_eq!(messages, expected);
    assert_eq!(judgement.findings[1].subject.row, 2);
}

#[test]
fn a_finding_on_a_row_is_resolved_by_the_sum() {
    let past = |row| super::lifecycle::past("expected-mismatch", Subject { field: Some("final_amount"), row }, "", "");
    let twice = super::lifecycle::past("booked-twice", Subject::ORDER, "", "");
    let judged = |cell| {
        judged_beside_sum(&[(2, &[(Field::Final, "4e-7")]), (3, &[(Field::Final, cell)])], vec![past(1), past(2)])
    };
    let (right, wrong) = (judged("2e-7"), judged("3e-7"));
    assert!(right.resolves(&past(1)) && right.resolves(&past(2)));
    assert!(!wrong.resolves(&past(1)) && !wrong.resolves(&past(2)) && wrong.repeats(&past(1)));
    assert!(!right.resolves(&twice), "booked-twice is not due when rows are added");
}

proptest! {
    /// However an amount is split into rows, their sum holds. One row too many is found.
    #[test]
    fn split_rows_hold_by_their_sum(parts in prop::collection::vec(-1_000_i128..1_000, 1..7), extra in 1_i128..9) {
        let total: i128 = parts.iter().sum::<i128>();
        let cells: Vec<String> = parts.iter().map(|units| amount(*units).to_string()).collect();
        let text = |units: i128| amount(units).to_string();
        let rows: Vec<_> = cells.into_iter().chain([text(60 - total)]).map(|cell| [(Field::Final, cell)]).collect();
        let judged = |more: Option<String>| {
            let cells = rows.iter().map(|[(field, cell)]| (*field, cell.clone()));
            let cells: Vec<_> = cells.chain(more.map(|cell| (Field::Final, cell))).collect();
            let bookings: Vec<[(Field, &str); 1]> = cells.iter().map(|(field, cell)| [(*field, &**cell)]).collect();
            let bookings: Vec<(u64, &[(Field, &str)])> = (2..).zip(bookings.iter().map(|row| &row[..])).collect();
            codes(&judged_beside_sum(&bookings, Vec::new()))
        };
        prop_assert_eq!(judged(None), Vec::<&str>::new());
        prop_assert_eq!(judged(Some(text(extra))), vec!["expected-mismatch"]);
    }
}

#[test]
fn a_foreign_reply_is_not_compared() {
    let foreign = RunOrder { run_order_id: Some("wfrun_2".into()), ..clean() };
    let judgement =
        judged_beside(foreign, vec![booking(2, &[(Field::Final, "9")]), booking(3, &[(Field::Final, "9")])]);
    assert_eq!(codes(&judgement), ["identity-mismatch"]);
}

#[test]
fn a_sign_of_a_different_currency_is_a_mismatch_even_if_the_figure_is_right() {
    for ours in ["USD 0.0000006", "$0.0000006", "€0.0000006", "(£0.0000006)"] {
        let judgement = judged_beside(clean(), vec![booking(3, &[(Field::Final, ours)])]);
        let message = "line 3: final_amount is in a different currency in our books";
        assert_eq!(figures(&judgement), [ours, "0.00000060", "", message]);
    }
    for ours in ["¥0.0000006", "CNY 0.0000006", "0.0000006元", "RMB0.0000006"] {
        let judgement = judged_beside(clean(), vec![booking(3, &[(Field::Final, ours)])]);
        assert_eq!(codes(&judgement), Vec::<&str>::new(), "{ours}");
    }
}
