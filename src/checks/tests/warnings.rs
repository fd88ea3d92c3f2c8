//! The checks that warn, each with what barely passes and what barely fails.

use jiff::ToSpan;

use super::*;

/// Of one check the expected and actual sides, the difference and the message.
fn failure(judgement: &Judgement, check: &str) -> Option<[String; 4]> {
    let finding = judgement.findings.iter().find(|finding| finding.check == check)?;
    let difference = finding.difference.map(|difference| difference.to_string()).unwrap_or_default();
    Some([finding.expected.to_string(), finding.actual.to_string(), difference, finding.message.clone()])
}

fn said(expected: &str, actual: &str, difference: &str, message: &str) -> Option<[String; 4]> {
    Some([expected, actual, difference, message].map(str::to_owned))
}

#[test]
fn a_charge_is_its_cost_unless_the_run_failed() {
    let mut order = order([100, 61, 39, 50, 10, 60].map(Some));
    let message = "the charge 0.00000061 is not the cost";
    let judgement = judged(order.clone());
    assert_eq!(failure(&judgement, "charge-equals-cost"), said("0.00000060", "0.00000061", "0.00000001", message));
    assert_eq!(judgement.bucket, Bucket::Reconciled, "a warning is no discrepancy");
    order.run_status = Some("failed".into());
    assert_eq!(codes(&judged(order)), ["failed-run-charged"]);
    assert_eq!(codes(&judged(open([100, 61, 39, 50, 10, 60].map(Some)))), Vec::<&str>::new(), "not due yet");
}

#[test]
fn a_charge_may_come_to_the_quote_and_no_further() {
    let with = |charged| order([Some(100), Some(charged), Some(100 - charged), Some(charged), Some(0), Some(charged)]);
    assert_eq!(codes(&judged(with(100))), Vec::<&str>::new());
    assert_eq!(codes(&judged(open([100, 101, 0, 101, 0, 101].map(Some)))), Vec::<&str>::new(), "not due yet");
    let message = "the charge 0.00000101 is above the quote";
    let found = failure(&judged(with(101)), "charge-exceeds-quote");
    assert_eq!(found, said("0.00000100", "0.00000101", "0.00000001", message));
}

#[test]
fn a_failed_run_costs_nothing() {
    let with = |charged| RunOrder {
        run_status: Some("failed".into()),
        ..order([Some(100), Some(charged), Some(100 - charged), Some(0), Some(0), Some(0)])
    };
    assert_eq!(codes(&judged(with(0))), Vec::<&str>::new());
    assert!(
        codes(&judged(RunOrder { settlement_status: None, ..with(1) }))
            .iter()
            .all(|code| *code != "failed-run-charged")
    );
    let found = failure(&judged(with(1)), "failed-run-charged");
    assert_eq!(found, said("0.00000000", "0.00000001", "0.00000001", "the charge 0.00000001 is for a failed run"));
}

/// Every combination of words, against the rules written down once more.
#[test]
fn statuses_that_contradict_each_other_and_words_we_do_not_know() {
    let words = |word: &str| Some(word.to_owned()).filter(|word| !word.is_empty());
    let mut conflicts = 0;
    for settlement in ["settled", "closed", ""] {
        for freeze in ["released", "frozen", "thawed", ""] {
            for run in ["succeeded", "failed", "queued", "running", "cancelled", ""] {
                for submission in ["submitted", "accepted", ""] {
                    for charged in [None, Some(0), Some(60)] {
                        let order = RunOrder {
                            settlement_status: words(settlement),
                            freeze_status: words(freeze),
                            run_status: words(run),
                            submission_status: words(submission),
                            ..order([Some(100), charged, Some(40), Some(50), Some(10), Some(60)])
                        };
                        let case = format!("{settlement:?} {freeze:?} {run:?} {submission:?} {charged:?}");
                        let codes = codes(&judged(order));
                        let ended = run == "succeeded" || run == "failed";
                        let settled =
                            settlement == "settled" || (settlement == "closed" && freeze == "released" && ended);
                        let conflict = (settled && (freeze == "frozen" || run == "queued" || run == "running"))
                            || (charged == Some(60) && run == "queued");
                        let unknown_run = run == "cancelled" || run.is_empty();
                        let unknown_other = settlement != "settled"
                            || freeze == "thawed"
                            || freeze.is_empty()
                            || submission != "submitted";
                        conflicts += u32::from(conflict);
                        assert_eq!(codes.contains(&"status-conflict"), conflict, "{case}");
                        assert_eq!(
                            codes.contains(&"unknown-status"),
                            unknown_run || (ended && unknown_other),
                            "{case}"
                        );
                    }
                }
            }
        }
    }
    assert!(conflicts > 50, "{conflicts} of the combinations are conflicts");
}

#[test]
fn a_finding_about_statuses_names_the_words() {
    let mut order = clean();
    order.freeze_status = Some("frozen".into());
    order.run_status = Some("queued".into());
    let words = "run_status=queued freeze_status=frozen submission_status=submitted settlement_status=settled";
    let message = "settled yet still frozen, settled yet queued, charged while queued";
    assert_eq!(failure(&judged(order), "status-conflict"), said("", words, "", message));

    let mut order = clean();
    order.run_status = Some("archived".into());
    let found = failure(&judged(order), "unknown-status");
    assert_eq!(found, said("", "run_status=archived", "", "run_status is a word we don't know"));
    let mut order = clean();
    (order.freeze_status, order.submission_status) = (None, Some("taken".into()));
    let message = "freeze_status is missing, submission_status is a word we don't know";
    let found = failure(&judged(order), "unknown-status");
    assert_eq!(found, said("", "freeze_status= submission_status=taken", "", message));
}

#[test]
fn what_is_not_settled_becomes_stale() {
    let at = |order: &RunOrder, as_of| {
        let outcome = Outcome { line: 2, run_order_id: ASKED.into(), evidence: order.clone().into() };
        judge(&outcome, &Background::default(), &Rules::default(), as_of)
    };
    let waiting = open([Some(100), None, None, None, None, None]);
    let day = CREATED + 24.hours();
    assert_eq!(codes(&at(&waiting, day - 1.microsecond())), Vec::<&str>::new());
    let stale = at(&waiting, day);
    assert_eq!(failure(&stale, "stale-pending"), said("below 24h", "", "", "not settled after 24 hours"));
    assert_eq!(stale.bucket, Bucket::Pending, "a warning is no discrepancy");
    assert_eq!(codes(&at(&clean(), day)), Vec::<&str>::new(), "settled");
    let found = failure(&at(&RunOrder { created_at: None, ..waiting }, day), "stale-pending");
    assert_eq!(found, said("below 24h", "", "", "not settled, and when it was made is not said"));
}

#[test]
fn an_order_changes_after_it_was_made() {
    let with = |updated| judged(RunOrder { updated_at: updated, ..clean() });
    assert_eq!(codes(&with(Some(CREATED))), Vec::<&str>::new());
    assert_eq!(codes(&with(None)), Vec::<&str>::new(), "not due");
    let found = failure(&with(Some(CREATED - 1.microsecond())), "timestamp-order");
    let message = "updated before it was created";
    assert_eq!(found, said("2026-05-08T10:00:00Z", "2026-05-08T09:59:59.999999Z", "", message));
}

#[test]
fn a_zero_is_no_time_and_is_named() {
    let with = |zero_times: &[TimeField]| {
        let remarks = Remarks { zero_times: zero_times.to_vec(), ..Remarks::default() };
        judged(RunOrder { remarks: Some(Box::new(remarks)), created_at: None, ..clean() })
    };
    assert_eq!(codes(&with(&[])), Vec::<&str>::new());
    let found = failure(&with(&[TimeField::UpdatedAt]), "zero-time");
    assert_eq!(found, said("", "updated_at", "", "no time, but a zero: updated_at"));
    let found = failure(&with(&[TimeField::CreatedAt, TimeField::UpdatedAt]), "zero-time");
    assert_eq!(found, said("", "created_at updated_at", "", "no time, but a zero: created_at and updated_at"));
}

/// A part of the price that nobody knew of when the identities were written down.
#[test]
fn an_unknown_amount_that_is_exactly_the_difference_is_named() {
    let with = |others: &[(&str, i128)]| {
        let other_amounts = others.iter().map(|(name, units)| ((*name).to_owned(), amount(*units))).collect();
        let remarks = Remarks { other_amounts, ..Remarks::default() };
        // Seven of the quote and three of the total are nowhere.
        let order = order([100, 60, 33, 50, 7, 60].map(Some));
        let judgement = judged(RunOrder { remarks: Some(Box::new(remarks)), ..order });
        ["quote-split", "cost-sum"]
            .map(|check| failure(&judgement, check).map(|[.., message]| message).unwrap_or_default())
    };
    let plain = [
        "final + released is 0.00000093, the quote is 0.00000100",
        "the total is 0.00000060, compute + external is 0.00000057",
    ];
    assert_eq!(with(&[]), plain);
    assert_eq!(with(&[("tip_amount", 8)]), plain);
    let named = with(&[("coupon_amount", 7), ("tax_cost", -3), ("tax_amount", 3)]);
    let said =
        ["; coupon_amount is exactly the difference", "; each of tax_amount and tax_cost is exactly the difference"];
    assert_eq!(named, [0, 1].map(|at| format!("{}{}", plain[at], said[at])));
}
