//! Rules as reports store and show them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::*;
use crate::checks::{ControlTotal, CountField, Figures, NOT_FOUND, Thresholds, Waiver, WaiverKey};
use crate::domain::books::Field;
use crate::domain::days::{DayBy, Zone};
use crate::domain::time::{Age, Period};

#[test]
fn rules_are_read_back_as_they_were_written() {
    let amount = |text| Amount::parse(text).expect("an amount");
    let sides = Figures::Sides { expected: "CNY".into(), actual: String::new() };
    let waiver = |figures| Waiver {
        figures,
        owner: "Li Wei".into(),
        reason: "credit note 17".into(),
        expires: Date::constant(2026, 12, 31),
        until: Timestamp::UNIX_EPOCH,
    };
    let unusual = Rules {
        tolerance: amount("0.5"),
        tolerances: BTreeMap::from([("CNY".to_owned(), amount("0.01"))]),
        currency: Some("CNY".into()),
        stale_after: Age::of_hours(2),
        off: BTreeSet::from(["timestamp-order"]),
        severities: BTreeMap::from([("quote-split.overage".to_owned(), Severity::Warning)]),
        material: Some(amount("12.5")),
        warn_before: Some(Age::of_hours(1)),
        workflows: BTreeMap::from([(
            "wf_1".to_owned(),
            Thresholds {
                tolerance: Some(amount("0.25")),
                stale_after: Some(Age::try_from(5_400).expect("an age")),
                material: None,
            },
        )]),
        expect: BTreeMap::from([(Field::Final, "amount".to_owned()), (Field::Workflow, "3".to_owned())]),
        timezone: Zone::named("America/New_York").expect("a zone"),
        day_by: DayBy::Updated,
        complete: Some(Period { since: None, until: Some(Timestamp::UNIX_EPOCH) }),
        expect_rows: ExpectRows::Sum,
        books_decimals: Some(2),
        control_totals: vec![
            ControlTotal::Amount {
                field: Field::Final,
                currency: None,
                expected: Amount::parse("-3").expect("an amount").into(),
            },
            ControlTotal::Count { field: CountField::Rows, expected: 200 },
            ControlTotal::Amount {
                field: Field::Quote,
                currency: Some("USD".into()),
                expected: amount("1.00000001").into(),
            },
        ],
        waivers: [
            ("quote-split", None, 1, Figures::Difference(amount("-0.25").into())),
            (NOT_FOUND, None, 1, Figures::Missing),
            ("currency", None, 1, sides),
            ("expected-mismatch", Some("final_amount"), 2, Figures::Difference(amount("1").into())),
        ]
        .map(|(check, field, row, figures)| {
            let field = field.map(str::to_owned);
            (WaiverKey { order: "wfrun_1".into(), check: check.into(), field, row }, waiver(figures))
        })
        .into(),
    };
    for rules in [unusual, Rules::default()] {
        let text = serde_json::to_string(&rules).expect("JSON");
        let read: Rules = serde_json::from_str(&text).expect("what was written");
        assert_eq!(read, rules, "{text}");
    }
}

#[test]
fn a_report_shows_only_the_optional_rules_that_are_set() {
    let rules = Rules {
        off: CATALOGUE.iter().map(|check| check.code).filter(|code| *code != "currency").collect(),
        tolerances: BTreeMap::from([("CNY".to_owned(), Amount::parse("0.01").expect("an amount"))]),
        warn_before: Some(Age::of_hours(1)),
        expect: BTreeMap::from([(Field::Final, "amount".to_owned())]),
        ..Rules::default()
    };
    let expected = json!({
        "checks": ["currency"],
        "currency": null,
        "tolerance": "0.00000000",
        "tolerances": {"CNY": "0.01000000"},
        "stale_after_seconds": 86_400,
        "warn_before_seconds": 3_600,
        "expect": {"final_amount": "amount"},
        "timezone": "UTC",
        "day_by": "created",
    });
    assert_eq!(serde_json::to_value(&rules).expect("JSON"), expected);
}

#[test]
fn unusable_rules_are_refused() {
    let with = |key: &str, value: Value| {
        let mut rules = serde_json::to_value(Rules::default()).expect("JSON");
        rules[key] = value;
        serde_json::from_value::<Rules>(rules).expect_err("not usable").to_string()
    };
    assert!(with("tolerance", "-1".into()).contains("-1"));
    assert!(with("tolerances", json!({"CNY": "x"})).contains('x'));
    assert!(with("tolerances", json!({"CNY": "-1"})).contains("-1"));
    assert!(with("material", "-1".into()).contains("-1"));
    assert!(with("workflows", json!({"wf_1": {"tolerance": "-1"}})).contains("-1"));
    assert!(with("stale_after_seconds", 0.into()).contains('0'));
    assert!(with("severities", json!({"currency": "fatal"})).contains("fatal"));
    assert!(with("expect", json!({"final": "amount"})).contains("final"));
    let of_nothing = json!([{
        "order": "a", "check": "currency", "owner": "b", "reason": "c",
        "expires": "2026-12-31", "until": "2027-01-01T00:00:00Z",
    }]);
    assert!(with("waivers", of_nothing).contains("does not say what it waives"));
    assert!(with("timezone", "Mars".into()).contains("Mars"));
    assert!(with("day_by", "".into()).contains("created"));
    assert!(with("checks", json!(["profit"])).contains("newer tieout"));
    assert!(with("profit", Value::Null).contains("profit"));
}
