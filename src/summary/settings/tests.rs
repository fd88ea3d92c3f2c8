//! Settings as reports show them, back to what is judged by.

use std::collections::BTreeSet;

use super::*;

#[test]
fn what_a_report_says_is_judged_by_again() {
    let amount = |text| Amount::parse(text).expect("an amount");
    let sides = Figures::Sides { expected: "CNY".into(), actual: String::new() };
    let waiver = |figures| Waiver {
        figures,
        owner: "Li Wei".into(),
        reason: "credit note 17".into(),
        expires: Date::constant(2026, 12, 31),
        until: Timestamp::UNIX_EPOCH,
    };
    let unusual = Judging {
        tolerance: Tolerances {
            otherwise: amount("0.5"),
            by_currency: BTreeMap::from([("CNY".to_owned(), amount("0.01"))]),
        },
        currency: Some("CNY".into()),
        stale_after: SignedDuration::from_hours(2),
        off: BTreeSet::from(["timestamp-order"]),
        severities: BTreeMap::from([("quote-split.overage".to_owned(), Severity::Warning)]),
        material: Some(amount("12.5")),
        warn_before: Some(SignedDuration::from_hours(1)),
        workflows: BTreeMap::from([(
            "wf_1".to_owned(),
            Thresholds {
                tolerance: Some(amount("0.25")),
                stale_after: Some(SignedDuration::from_mins(90)),
                material: None,
            },
        )]),
        expect: BTreeMap::from([(Field::Final, "amount".to_owned()), (Field::Workflow, "3".to_owned())]),
        days: Days::of_zone("America/New_York", DayBy::Updated).expect("a zone"),
        complete: Some(Period { since: None, until: Some(Timestamp::UNIX_EPOCH) }),
        control_totals: vec![
            ControlTotal { field: Field::Final, currency: None, expected: amount("-3").into() },
            ControlTotal { field: Field::Quote, currency: Some("USD".into()), expected: amount("1.00000001").into() },
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
    for judging in [unusual, Judging::default()] {
        let text = serde_json::to_string(&JudgingSettings::from(&judging)).expect("JSON");
        let read: JudgingSettings = serde_json::from_str(&text).expect("what was written");
        assert_eq!(read.judging(), Ok(judging), "{text}");
    }
}

#[test]
fn an_age_that_only_one_of_two_checks_needs_is_kept() {
    let judging = Judging {
        off: BTreeSet::from(["stale-pending"]),
        stale_after: SignedDuration::from_hours(48),
        warn_before: Some(SignedDuration::from_hours(20)),
        ..Judging::default()
    };
    assert_eq!(JudgingSettings::from(&judging).judging(), Ok(judging));
}

#[test]
fn what_nothing_can_be_judged_by_is_refused() {
    let with = |change: fn(&mut JudgingSettings)| {
        let mut settings = JudgingSettings::default();
        change(&mut settings);
        settings.judging().expect_err("not usable").to_string()
    };
    assert!(with(|settings| settings.tolerance = "-1".into()).contains("-1"));
    assert!(with(|settings| _ = settings.tolerances.insert("CNY".into(), "x".into())).contains("\"x\""));
    assert!(with(|settings| settings.stale_after_seconds = 0).contains('0'));
    assert!(with(|settings| _ = settings.severities.insert("currency".into(), "fatal".into())).contains("fatal"));
    let of_nothing = |settings: &mut JudgingSettings| {
        let text = r#"{"order":"a","check":"currency","owner":"b","reason":"c","expires":"2026-12-31","until":"2027-01-01T00:00:00Z"}"#;
        settings.waivers.push(serde_json::from_str(text).expect("usable"));
    };
    assert!(with(of_nothing).contains("does not say what it waives"));
    assert!(with(|settings| settings.timezone = "Mars".into()).contains("Mars"));
    let by_nothing = |settings: &mut JudgingSettings| settings.day_by.clear();
    assert!(with(by_nothing).contains("UTC"));
    assert!(with(|settings| settings.checks.push("profit".into())).contains("newer tieout"));
}
