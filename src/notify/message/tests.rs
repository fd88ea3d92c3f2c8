//! What messages say, in both languages and as JSON, and how they are cut.

use proptest::prelude::*;

use super::*;
use crate::language::Language;

fn facts() -> Facts {
    let error = |id: u64, check, difference: Option<&str>| ErrorFact {
        id,
        run_order_id: format!("wfrun_{id}"),
        check,
        difference: difference.and_then(Sum::parse_exact),
        currency: if difference.is_some() { "CNY".into() } else { String::new() },
    };
    let sum = |text: &str| Sum::parse_exact(text).expect("an amount");
    Facts {
        input: "ids.csv".into(),
        account: Some("Finance".into()),
        exit_code: 1,
        end: End::Report(ReportFacts {
            verdict: Verdict::Discrepant,
            as_of: "2026-06-01T00:00:00Z".into(),
            rows: 200,
            pending: 7,
            errors: vec![
                error(1, "quote-split", Some("-275.16423231")),
                error(2, "cost-sum", Some("0.10000000")),
                error(3, "currency", None),
            ],
            error_count: 3,
            differences: [(
                "CNY".to_owned(),
                [("cost-sum", sum("0.10000000")), ("quote-split", sum("275.16423231"))].into(),
            )]
            .into(),
            folder: "/data/reports/20260601T000000Z".into(),
        }),
    }
}

#[test]
fn a_message_says_what_is_new() {
    let told = Told { errors: Errors::of([2].into()), ..Told::default() };
    let message = facts().message(Event::Worse, &told, Texts::new(Language::English));
    insta::assert_snapshot!(message.text, @r"
    tieout: worse. Verdict: DISCREPANT
    Input: ids.csv
    Account: Finance
    Exit code: 1
    As of: 2026-06-01T00:00:00Z
    Rows: 200, errors: 3, pending orders: 7
    New errors: 2
      quote-split  wfrun_1  -275.16423231 CNY
      currency  wfrun_3
    Differences of all errors, without signs:
      CNY  cost-sum 0.10000000  quote-split 275.16423231
    Report: /data/reports/20260601T000000Z
    ");
    let text = message.text.clone();
    assert_eq!(
        message.json,
        json!({
            "version": 1, "event": "worse", "input": "ids.csv", "account": "Finance", "exit_code": 1, "text": text,
            "verdict": "discrepant", "as_of": "2026-06-01T00:00:00Z", "rows": 200, "pending": 7, "errors": 3,
            "new_errors": 2,
            "first_new_errors": [
                { "discrepancy_id": "0000000000000001", "run_order_id": "wfrun_1", "check": "quote-split",
                  "difference": "-275.16423231", "currency": "CNY" },
                { "discrepancy_id": "0000000000000003", "run_order_id": "wfrun_3", "check": "currency",
                  "difference": null, "currency": null },
            ],
            "differences": { "CNY": { "cost-sum": "0.10000000", "quote-split": "275.16423231" } },
            "report": "/data/reports/20260601T000000Z",
        })
    );
    insta::assert_snapshot!(facts().message(Event::Worse, &told, Texts::new(Language::Chinese)).text, @r"
    tieout：情况变差。结论：有差异（discrepant）
    输入：ids.csv
    账户：Finance
    退出码：1
    截至：2026-06-01T00:00:00Z
    行数：200，错误：3，未结算订单：7
    新错误：2
      quote-split  wfrun_1  -275.16423231 CNY
      currency  wfrun_3
    全部错误的差额（不计正负）：
      CNY  cost-sum 0.10000000  quote-split 275.16423231
    报告：/data/reports/20260601T000000Z
    ");
}

#[test]
fn a_failure_is_told_with_its_error_and_without_control_characters() {
    let end = End::Failure("error: no\u{1b}[31m disk\u{202e}\n  help: make room".into());
    let facts = Facts { exit_code: 4, account: None, end, ..facts() };
    assert_eq!(facts.night(), Night { exit_code: 4, report: None });
    let text = facts.message(Event::Failed, &Told::default(), Texts::new(Language::English)).text;
    insta::assert_snapshot!(text, @r"
    tieout: failed. There is no report
    Input: ids.csv
    Exit code: 4
    error: no�[31m disk�
      help: make room
    ");
}

#[test]
fn only_a_few_errors_are_named() {
    let mut facts = facts();
    if let End::Report(report) = &mut facts.end {
        report.errors = (0..20).map(|id| ErrorFact { id, ..report.errors[0].clone() }).collect();
        report.error_count = 20;
    }
    let text = facts.message(Event::Worse, &Told::default(), Texts::new(Language::English)).text;
    assert!(text.contains("New errors: 20\n"), "{text}");
    assert_eq!(
        (text.matches("  quote-split  wfrun_").count(), text.contains("  … and 15 more\n")),
        (NAMED, true),
        "{text}"
    );
}

proptest! {
    #[test]
    fn a_cut_text_fits_and_begins_as_the_whole(text in "[a-z元🙂\n]{0,60}", most in 3..80_usize, is_bytes: bool) {
        let width: fn(char) -> usize = if is_bytes { char::len_utf8 } else { |_| 1 };
        let cut_text = cut(&text, most, width, "…");
        let length = |text: &str| if is_bytes { text.len() } else { text.chars().count() };
        prop_assert!(length(&cut_text) <= most);
        if length(&text) <= most {
            prop_assert_eq!(cut_text, text);
        } else {
            let kept = cut_text.strip_suffix('…').expect("a mark");
            prop_assert!(text.starts_with(kept));
            // Not one more character would have fitted.
            let next = text[kept.len()..].chars().next().map_or(0, width);
            prop_assert!(length(&cut_text) + next > most);
        }
    }
}
