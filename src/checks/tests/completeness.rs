//! The provider's list against the orders themselves and against the input.

use super::*;
use crate::domain::listed::{ListedAmounts, ListedOrder};
use crate::domain::time::Period;

fn judged_beside(order: RunOrder, listed: Option<ListedAmounts>) -> Judgement {
    let outcome = Outcome { line: 2, run_order_id: ASKED.into(), evidence: order.into() };
    let background = Background { listed, ..Background::default() };
    judge(&outcome, &background, &Rules::default(), AS_OF)
}

fn listed(quote: Option<i128>, charged: Option<i128>) -> Option<ListedAmounts> {
    Some(ListedAmounts { quote_amount: quote.map(amount), final_amount: charged.map(amount) })
}

#[test]
fn the_list_must_agree_with_the_order() {
    assert_eq!(codes(&judged_beside(clean(), listed(Some(100), Some(60)))), Vec::<&str>::new());
    assert_eq!(codes(&judged_beside(clean(), None)), Vec::<&str>::new(), "not due");
    assert_eq!(codes(&judged_beside(clean(), listed(None, None))), Vec::<&str>::new(), "the list has no amounts");
    for off_by in [1, -1] {
        let judgement = judged_beside(clean(), listed(Some(100), Some(60 + off_by)));
        assert_eq!((judgement.bucket, codes(&judgement)), (Bucket::Discrepant, vec!["list-mismatch"]));
        let finding = &judgement.findings[0];
        assert_eq!(
            (&finding.expected, &finding.actual),
            (&Figure::Money(money(60 + off_by)), &Figure::Money(money(60)))
        );
        assert_eq!(finding.difference, Some(money(-off_by)));
        let said = format!("final_amount is 0.00000060, the list says 0.000000{}", 60 + off_by);
        assert_eq!(finding.message, said);
    }
    let both = judged_beside(clean(), listed(Some(99), Some(59)));
    let said: Vec<_> = both.findings.iter().map(|finding| (finding.subject.field, finding.message.as_str())).collect();
    let expected = [
        (Some("final_amount"), "final_amount is 0.00000060, the list says 0.00000059"),
        (Some("quote_amount"), "quote_amount is 0.00000100, the list says 0.00000099"),
    ];
    assert_eq!(said, expected);
}

#[test]
fn the_list_may_show_a_settlement_before_the_order_does() {
    let waiting = open([Some(100), None, None, None, None, None]);
    assert_eq!(codes(&judged_beside(waiting.clone(), listed(Some(100), Some(60)))), Vec::<&str>::new());
    assert_eq!(codes(&judged_beside(waiting, listed(Some(101), Some(60)))), ["list-mismatch"], "the quote is fixed");
}

#[test]
fn an_order_that_the_input_lacks_is_a_discrepancy_with_the_listed_charge() {
    let lacking = ListedOrder {
        run_order_id: "wfrun_9".into(),
        workflow_id: Some("wf_1".into()),
        revision_id: None,
        title: Some("=a title".into()),
        run_status: Some("succeeded".into()),
        quote_amount: Some(amount(100)),
        final_amount: Some(amount(60)),
        created_at: Some(CREATED),
        is_unreadable: false,
    };
    let judgement = judge_unlisted(&lacking, &Rules::default(), AS_OF);
    assert_eq!((judgement.bucket, codes(&judgement)), (Bucket::Discrepant, vec!["unlisted-in-input"]));
    let finding = &judgement.findings[0];
    assert_eq!(
        (&finding.expected, &finding.actual, finding.difference),
        (&Figure::Nothing, &Figure::Money(money(60)), None)
    );
    let said = "the provider lists the order, created at 2026-05-08T10:00:00Z, and the input lacks it";
    assert_eq!(finding.message, said);
    let off = Rules { off: ["unlisted-in-input"].into(), ..Rules::default() };
    assert_eq!(codes(&judge_unlisted(&lacking, &off, AS_OF)), Vec::<&str>::new());
}

#[test]
fn an_order_created_outside_the_period_is_warned_of() {
    let at = |seconds| Some(Timestamp::from_second(CREATED.as_second() + seconds).expect("a time"));
    let none = Period::default();
    for (period, expected) in [
        (None, false),
        (Some(none), false),
        (Some(Period { since: at(0), ..none }), false),
        (Some(Period { since: at(1), ..none }), true),
        (Some(Period { until: at(1), ..none }), false),
        (Some(Period { until: at(0), ..none }), true),
        (Some(Period { since: at(-5), until: at(5) }), false),
        (Some(Period { since: at(5), until: at(9) }), true),
    ] {
        let judgement = judge_with(clean(), &Rules { complete: period, ..Rules::default() });
        assert_eq!(codes(&judgement).contains(&"outside-period"), expected, "{period:?}");
        assert_eq!(judgement.bucket, Bucket::Reconciled, "it only warns");
    }
    let rules = Rules { complete: Some(Period { since: at(1), ..none }), ..Rules::default() };
    let judgement = judge_with(clean(), &rules);
    let said = "created at 2026-05-08T10:00:00Z, outside the period 2026-05-08T10:00:01Z/..";
    assert_eq!(judgement.findings[0].message, said);
    let unknown = RunOrder { created_at: None, ..clean() };
    assert!(!codes(&judge_with(unknown, &rules)).contains(&"outside-period"), "it may be of any period");
}
