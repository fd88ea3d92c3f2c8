//! The checks that warn, each with what barely passes and what barely fails.

use jiff::ToSpan;

use super::*;

/// The expected and actual sides, the difference and the message of one check's finding.
fn failure(judgement: &Judgement, check: &str) -> Option<[String; 4]> {
    let finding = judgement.findings.iter().find(|finding| finding.check == check)?;
    let difference = finding.difference.map(|difference| difference.to_string()).unwrap_or_default();
    Some([finding.expected.to_string(), finding.actual.to_string(), difference, finding.message.clone()])
}

fn figures(expected: &str, actual: &str, difference: &str, message: &str) -> Option<[String; 4]> {
    Some([expected, actual, difference, message].map(str::to_owned))
}

#[test]
fn a_charge_equals_the_cost_unless_the_run_failed() {
    let mut order = order([100, 61, 39, 50, 10, 60].map(Some));
    let message = "the charge 0.00000061 is not the cost";
    let judgement = judged(order.clone());
    assert_eq!(failure(&judgement, "charge-equals-cost"), figures("0.00000060", "0.00000061", "0.00000001", message));
    assert_eq!(judgement.bucket, Bucket::Reconciled, "a warning is not a discrepancy");
    order.run_status = Some("failed".into());
    assert_eq!(codes(&judged(order)), ["failed-run-charged"]);
    assert_eq!(codes(&judged(open([100, 61, 39, 50, 10, 60].map(Some)))), Vec::<&str>::new(), "not due yet");
}

#[test]
fn a_charge_may_equal_the_quote_but_not_exceed_it() {
    let with = |charged| order([Some(100), Some(charged), Some(100 - charged), Some(charged), Some(0), Some(charged)]);
    assert_eq!(codes(&judged(with(100))), Vec::<&str>::new());
    assert_eq!(codes(&judged(open([100, 101, 0, 101, 0, 101].map(Some)))), Vec::<&str>::new(), "not due yet");
    let message = "the charge 0.00000101 is above the quote";
    let found = failure(&judged(with(101)), "charge-exceeds-quote");
    assert_eq!(found, figures("0.00000100", "0.00000101", "0.00000001", message));
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
    assert_eq!(found, figures("0.00000000", "0.00000001", "0.00000001", "the charge 0.00000001 is for a failed run"));
}

/// Every combination of words, judged against an independent copy of the rules.
#[test]
fn contradicting_and_unknown_statuses_are_found() {
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
    assert_eq!(failure(&judged(order), "status-conflict"), figures("", words, "", message));

    let mut order = clean();
    order.run_status = Some("archived".into());
    let found = failure(&judged(order), "unknown-status");
    assert_eq!(found, figures("", "run_status=archived", "", "run_status is a word we don't know"));
    let mut order = clean();
    (order.freeze_status, order.submission_status) = (None, Some("taken".into()));
    let message = "freeze_status is missing, submission_status is a word we don't know";
    let found = failure(&judged(order), "unknown-status");
    assert_eq!(found, figures("", "freeze_status= submission_status=taken", "", message));
}

#[test]
fn an_unsettled_order_becomes_stale() {
    let at = |order: &RunOrder, as_of| {
        let outcome = Outcome { line: 2, run_order_id: ASKED.into(), evidence: order.clone().into() };
        judge(&outcome, &Background::default(), &Rules::default(), as_of)
    };
    let waiting = open([Some(100), None, None, None, None, None]);
    let day = CREATED + 24.hours();
    assert_eq!(codes(&at(&waiting, day - 1.microsecond())), Vec::<&str>::new());
    let stale = at(&waiting, day);
    assert_eq!(failure(&stale, "stale-pending"), figures("below 24h", "", "", "not settled after 24 hours"));
    assert_eq!(stale.bucket, Bucket::Pending, "a warning is not a discrepancy");
    assert_eq!(codes(&at(&clean(), day)), Vec::<&str>::new(), "settled");
    let found = failure(&at(&RunOrder { created_at: None, ..waiting }, day), "stale-pending");
    assert_eq!(found, figures("below 24h", "", "", "not settled, and its creation time is missing"));
}

#[test]
fn an_update_before_the_creation_is_found() {
    let with = |updated| judged(RunOrder { updated_at: updated, ..clean() });
    assert_eq!(codes(&with(Some(CREATED))), Vec::<&str>::new());
    assert_eq!(codes(&with(None)), Vec::<&str>::new(), "not due");
    let found = failure(&with(Some(CREATED - 1.microsecond())), "timestamp-order");
    let message = "updated before it was created";
    assert_eq!(found, figures("2026-05-08T10:00:00Z", "2026-05-08T09:59:59.999999Z", "", message));
}

#[test]
fn zero_times_are_named() {
    let with = |zero_times: &[TimeField]| {
        let remarks = Remarks { zero_times: zero_times.to_vec(), ..Remarks::default() };
        judged(RunOrder { remarks: Some(Box::new(remarks)), created_at: None, ..clean() })
    };
    assert_eq!(codes(&with(&[])), Vec::<&str>::new());
    let found = failure(&with(&[TimeField::UpdatedAt]), "zero-time");
    assert_eq!(found, figures("", "updated_at", "", "a zero value, not a time: updated_at"));
    let found = failure(&with(&[TimeField::CreatedAt, TimeField::UpdatedAt]), "zero-time");
    assert_eq!(found, figures("", "created_at updated_at", "", "a zero value, not a time: created_at and updated_at"));
}

/// The reply has a component of the price that the identities don't include.
#[test]
fn an_unknown_amount_that_is_exactly_the_difference_is_named() {
    let with = |others: &[(&str, i128)]| {
        let other_amounts = others.iter().map(|(name, units)| ((*name).to_owned(), amount(*units))).collect();
        let remarks = Remarks { other_amounts, ..Remarks::default() };
        // Seven units of the quote and three of the total are unaccounted for.
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
