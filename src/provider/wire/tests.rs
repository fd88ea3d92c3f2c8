//! Replies as the provider sends them, as it might send them, and as an attacker would.

use jiff::Timestamp;
use proptest::prelude::*;

use super::super::limit::RetryCodes;
use super::*;
use crate::domain::money::Amount;
use crate::domain::order::{Amounts, Remarks, RunOrder, TimeField};
use crate::domain::outcome::Evidence;

/// The example in the provider's reference.
const EXAMPLE: &str = r#"{"code": 0, "msg": "ok", "data": {
    "run_order_id": "wfrun_314ff7d8b7a5beff1388", "workflow_id": "wf_861ef31e94dcfb10e6e7",
    "revision_id": "wfr_f9f2a2dcb99d73b0c3aa", "quote_amount": "0.03000000", "quote_currency": "CNY",
    "freeze_status": "released", "submission_status": "submitted", "run_status": "succeeded",
    "settlement_status": "settled", "task_id": "", "prompt_id": null, "inputs": {"prompt": "a private cat"},
    "outputs": [{"url": "https://example.com/private.png"}], "compute_cost": "0.00028780",
    "external_model_cost": "0.00000000", "total_cost": "0.00028780", "final_amount": "0.00028780",
    "released_amount": "0.02971220", "error_code": "", "error_message": "private",
    "created_at": "2026-05-08T10:00:00Z", "updated_at": "2026-05-08T10:01:00Z"}}"#;

fn decode(body: &[u8]) -> Answer<Evidence> {
    super::decode(body, LimitSigns { codes: &RetryCodes::default(), has_retry_after: false })
}

fn amount_of(text: &str) -> Option<Amount> {
    Some(Amount::parse(text).expect("an amount"))
}

fn fetched(body: &str) -> RunOrder {
    match decode(body.as_bytes()) {
        Answer::Final(Evidence::Fetched(fetched)) => fetched.order,
        other => panic!("{body}: {other:?}"),
    }
}

fn malformed(body: &str) -> (String, String) {
    match decode(body.as_bytes()) {
        Answer::Final(Evidence::Malformed(reason)) => (reason.code, reason.detail),
        other => panic!("{body}: {other:?}"),
    }
}

fn with_data(fields: &str) -> String {
    format!(r#"{{"code":0,"data":{{{fields}}}}}"#)
}

fn is_failed(body: &[u8], code: &str) -> bool {
    matches!(decode(body), Answer::Failed(reason) if reason.code == code)
}

#[test]
fn the_documented_example() {
    let text = |text: &str| Some(text.to_owned());
    let time = |text: &str| Some(text.parse().expect("a time"));
    let expected = RunOrder {
        run_order_id: text("wfrun_314ff7d8b7a5beff1388"),
        workflow_id: text("wf_861ef31e94dcfb10e6e7"),
        revision_id: text("wfr_f9f2a2dcb99d73b0c3aa"),
        quote_currency: text("CNY"),
        amounts: Amounts {
            quote_amount: amount_of("0.03"),
            final_amount: amount_of("0.0002878"),
            released_amount: amount_of("0.0297122"),
            compute_cost: amount_of("0.0002878"),
            external_model_cost: amount_of("0"),
            total_cost: amount_of("0.0002878"),
        },
        freeze_status: text("released"),
        submission_status: text("submitted"),
        run_status: text("succeeded"),
        settlement_status: text("settled"),
        created_at: time("2026-05-08T10:00:00Z"),
        updated_at: time("2026-05-08T10:01:00Z"),
        ..RunOrder::default()
    };
    assert_eq!(fetched(EXAMPLE), expected);
    assert_eq!(fetched(&format!("\u{feff}{EXAMPLE}\n")), expected);
    assert!(!format!("{:?}", decode(EXAMPLE.as_bytes())).contains("private"));
}

#[test]
fn amounts_are_read_digit_for_digit() {
    let most = "99999999999999999999.99999999";
    let cases: &[(&str, Option<i128>)] = &[
        ("0.1", Some(10_000_000)),
        (r#""0.1""#, Some(10_000_000)),
        (r#""\u0030.1""#, Some(10_000_000)),
        ("1e-8", Some(1)),
        ("0.10000000000000000000", Some(10_000_000)),
        (r#""0.00000000""#, Some(0)),
        ("-0", Some(0)),
        ("-0.00000001", Some(-1)),
        // Binary floats can't hold these exactly.
        ("0.12345678", Some(12_345_678)),
        (most, Some(10_i128.pow(28) - 1)),
        (r#""""#, None),
        ("null", None),
    ];
    for (json, units) in cases {
        let order = fetched(&with_data(&format!(r#""total_cost": {json}"#)));
        assert_eq!(order.amounts.total_cost.map(Amount::units), *units, "{json}");
        assert_eq!(order.amounts.quote_amount, None);
    }
}

#[test]
fn invalid_amounts_are_malformed() {
    let reason = |json: &str| malformed(&with_data(&format!(r#""quote_amount":{json}"#)));
    let both = |code: &str, detail: &str| (code.to_owned(), detail.to_owned());
    assert_eq!(reason("0.123456789"), both("amount-not-exact", "quote_amount: 0.123456789 needs more than 8 decimals"));
    assert_eq!(reason(r#""1e-9""#), both("amount-not-exact", "quote_amount: 1e-9 needs more than 8 decimals"));
    assert_eq!(reason("1e400").0, "amount-not-exact");
    assert_eq!(reason("100000000000000000000").0, "amount-not-exact");
    for json in [r#"" ""#, r#""private""#, r#"" 1""#, r#""1,00""#, r#""NaN""#] {
        assert_eq!(reason(json), both("not-a-number", "quote_amount: not a decimal number"), "{json}");
    }
    assert_eq!(
        reason(r#"["private"]"#),
        both("wrong-type", "quote_amount is an array, expected a decimal string or number")
    );
    assert_eq!(reason("true").0, "wrong-type");
    assert_eq!(reason("{}").0, "wrong-type");
    assert_eq!(reason(r#""\ud800""#).0, "bad-text");
}

#[test]
fn codes() {
    for code in ["0", r#""0""#, r#""00""#, r#"" 0 ""#, "-0"] {
        fetched(&format!(r#"{{"code":{code},"data":{{}}}}"#));
    }
    let of = |code: &str| decode(format!(r#"{{"code":{code},"msg":"a\nb","data":null}}"#).as_bytes());
    let reason = |code: &str| Reason::new(code, "a\nb");
    for code in ["401", r#""401""#] {
        assert_eq!(of(code), Answer::KeyRejected(reason("code-401")));
    }
    assert_eq!(of("404"), Answer::Final(Evidence::NotFound(reason("code-404"))));
    assert_eq!(of(r#""429""#), Answer::Limited(Reason::new("code-429", "a\nb")));
    assert_eq!(of("403"), Answer::Final(Evidence::Refused(reason("code-403"))));
    assert_eq!(of("500"), Answer::Failed(reason("code-500")));
    assert_eq!(of("599"), Answer::Failed(reason("code-599")));
    assert_eq!(of("600"), Answer::Final(Evidence::Refused(reason("code-600"))));
    assert_eq!(of("-1"), Answer::Final(Evidence::Refused(reason("code--1"))));
    // Only the whole number zero is a success.
    for code in ["0.0", "1e0", "1e-400", "99999999999999999999"] {
        let refused = Reason::new("code-other", format!("{code}: a\nb"));
        assert_eq!(of(code), Answer::Final(Evidence::Refused(refused)));
    }
    let refused = Reason::new("code-other", "QUOTA: a\nb");
    assert_eq!(of(r#""QUOTA""#), Answer::Final(Evidence::Refused(refused)));
    for (body, code) in [
        (r#"{"code":null,"data":{}}"#, "no-code"),
        (r#"{"data":{}}"#, "no-code"),
        ("{}", "no-code"),
        (r#"{"code":false,"data":{}}"#, "wrong-type"),
        (r#"{"code":[0],"data":{}}"#, "wrong-type"),
        (r#"[0,"msg",null,null,{}]"#, "wrong-type"),
        ("null", "wrong-type"),
        ("0", "wrong-type"),
    ] {
        assert_eq!(malformed(body).0, code, "{body}");
    }
}

#[test]
fn the_message_is_found_in_any_of_its_fields() {
    let cases = [
        (r#"{"code":1,"msg":"a","message":"b"}"#, "a"),
        (r#"{"code":1,"msg":"","message":"b"}"#, "b"),
        (r#"{"code":1,"msg":null,"error":"c"}"#, "c"),
        (r#"{"code":1,"error":{"message":"d"}}"#, "d"),
        (r#"{"code":1,"msg":7,"error":{"message":[]}}"#, ""),
        (r#"{"code":1,"msg":"\ud800"}"#, ""),
        ("<html>", ""),
        ("", ""),
    ];
    for (body, text) in cases {
        assert_eq!(message(body.as_bytes()), text, "{body}");
    }
}

#[test]
fn an_order_is_an_object() {
    for data in ["null", "[]", r#""private""#, "7", "false"] {
        let (code, detail) = malformed(&format!(r#"{{"code":0,"data":{data}}}"#));
        assert_eq!(code, "no-order", "{data}");
        assert!(!detail.contains("private"));
    }
    assert_eq!(malformed(r#"{"code":0}"#).0, "no-order");
    assert_eq!(fetched(r#"{"code":0,"data":{}}"#), RunOrder::default());
}

#[test]
fn texts() {
    let id = |json: &str| fetched(&with_data(&format!(r#""workflow_id":{json}"#))).workflow_id;
    assert_eq!(id(r#""wf_\u6d4b\"""#).as_deref(), Some("wf_测\""));
    assert_eq!(id(r#""""#), None);
    assert_eq!(id(&format!(r#""{}""#, "订".repeat(4096))), Some("订".repeat(4096)));
    let reason = |json: &str| malformed(&with_data(&format!(r#""workflow_id":{json}"#))).0;
    assert_eq!(reason(&format!(r#""{}""#, "x".repeat(4097))), "text-too-long");
    for json in ["7", "true", "[]", "{}"] {
        assert_eq!(reason(json), "wrong-type", "{json}");
    }
    assert_eq!(reason(r#""\ud800""#), "bad-text");
}

#[test]
fn times() {
    let time = |json: &str| fetched(&with_data(&format!(r#""created_at":{json}"#))).created_at;
    let expected: Timestamp = "2026-05-08T10:00:00.123456Z".parse().expect("a time");
    assert_eq!(time(r#""2026-05-08T10:00:00.123456Z""#), Some(expected));
    assert_eq!(time(r#""2026-05-08T18:00:00.123456999+08:00""#), Some(expected));
    assert_eq!(time(r#""""#), None);
    assert_eq!(time("null"), None);
    let reason = |json: &str| malformed(&with_data(&format!(r#""created_at":{json}"#)));
    for json in [r#""2026-05-08""#, r#""2026-05-08T10:00:00""#, r#""2026-13-08T10:00:00Z""#, r#""private""#, r#"" ""#] {
        let expected = ("bad-timestamp".to_owned(), "created_at is not an RFC 3339 time".to_owned());
        assert_eq!(reason(json), expected, "{json}");
    }
    assert_eq!(reason("1778234400").0, "wrong-type");
}

#[test]
fn a_repeated_field_is_an_error_only_where_it_is_read() {
    let (code, detail) = malformed(&with_data(r#""quote_amount":"1","quote_amount":"1""#));
    assert_eq!(code, "duplicate-key");
    assert!(detail.starts_with("duplicate field `quote_amount`"), "{detail}");
    assert_eq!(malformed(&with_data(r#""quote_amount":"1","quote\u005famount":"2""#)).0, "duplicate-key");
    assert_eq!(malformed(&with_data(r#""run_status":null,"run_status":null"#)).0, "duplicate-key");
    assert_eq!(malformed(r#"{"code":0,"code":0,"data":{}}"#).0, "duplicate-key");
    assert_eq!(malformed(r#"{"code":0,"data":{},"data":{}}"#).0, "duplicate-key");
    assert_eq!(fetched(&with_data(r#""inputs":1,"inputs":2"#)), RunOrder::default());
}

#[test]
fn a_reply_that_is_not_json_is_retried() {
    let bad: &[&[u8]] = &[
        b"",
        b" \n",
        b"<html><body>502 Bad Gateway</body></html>",
        b"{\"code\":0,\"data\":{}} x",
        b"{\"code\":0,\"data\":{}}{}",
        b"{\"code\":0,\"data\":{\"quote_amount\":\"0.0300",
        b"{\"code\":0,\"msg\":\"\xff\"}",
        b"{\"code\":0,\"msg\":\"a\nb\"}",
        b"{code:0}",
        b"\x1f\x8b\x08\x00",
        b"\xff\xfe{\x00}\x00",
        b"{\"code\":NaN}",
        b"{\"code\":01}",
    ];
    for body in bad {
        assert!(is_failed(body, "not-json"), "{}", String::from_utf8_lossy(body));
    }
    let body = EXAMPLE.as_bytes();
    for end in 0..body.len() {
        assert!(is_failed(&body[..end], "not-json"), "cut after {end} bytes");
    }
}

#[test]
fn nesting_of_any_depth_is_skipped() {
    for depth in [200, 200_000] {
        let inputs = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let body = with_data(&format!(r#""inputs":{inputs},"run_order_id":"a","outputs":{inputs}"#));
        assert_eq!(fetched(&body).run_order_id.as_deref(), Some("a"));
        let reason = malformed(&with_data(&format!(r#""quote_amount":{inputs}"#)));
        assert_eq!(reason.0, "wrong-type");
    }
}

proptest! {
    #[test]
    fn any_amount_comes_back_equal(units in -(10_i128.pow(28) - 1)..10_i128.pow(28)) {
        let amount = Amount::from_units(units);
        let text = amount.map(|amount| amount.to_string()).expect("28 digits");
        let order = fetched(&with_data(&format!(r#""quote_amount":{text},"final_amount":"{text}""#)));
        prop_assert_eq!(order.amounts.quote_amount, amount);
        prop_assert_eq!(order.amounts.final_amount, amount);
    }

    #[test]
    fn random_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = message(&body);
        // A short random body may be a JSON number, but never a run order.
        prop_assert!(!matches!(decode(&body), Answer::Final(Evidence::Fetched(_))));
    }

    #[test]
    fn mutated_replies_never_panic_nor_leak(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 1..6),
    ) {
        let mut body = EXAMPLE.as_bytes().to_vec();
        for (at, byte, change) in changes {
            let at = at.index(body.len());
            match change {
                0 => body[at] = byte,
                1 => body.insert(at, byte),
                _ => _ = body.remove(at),
            }
        }
        let _ = message(&body);
        if let Answer::Final(Evidence::Malformed(reason)) | Answer::Failed(reason) = decode(&body) {
            prop_assert!(!reason.detail.contains("private"));
        }
    }
}

#[test]
fn zero_times_and_undocumented_amounts_become_remarks() {
    let remarks = |fields: &str| fetched(&with_data(fields)).remarks.map(|remarks| *remarks);
    let zeros = |zero_times: &[TimeField]| Some(Remarks { zero_times: zero_times.to_vec(), ..Remarks::default() });
    assert_eq!(remarks(r#""created_at":"2026-05-08T10:00:00Z","updated_at":"""#), None);
    assert_eq!(remarks(r#""created_at":"0001-01-01T00:00:00Z""#), zeros(&[TimeField::CreatedAt]));
    let both = r#""created_at":"1970-01-01T08:00:00+08:00","updated_at":"9999-12-31T23:59:59Z""#;
    assert_eq!(remarks(both), zeros(&[TimeField::CreatedAt, TimeField::UpdatedAt]));

    let split = r#""quote_amount":"1.00","final_amount":"0.60","released_amount":"0.33""#;
    let others = |fields: &str| remarks(&format!("{split},{fields}")).map(|remarks| remarks.other_amounts);
    let named = |names: &[(&str, &str)]| {
        let amounts = names.iter().map(|(name, text)| ((*name).to_owned(), Amount::parse(text).expect("an amount")));
        Some(amounts.collect())
    };
    assert_eq!(others(r#""coupon_amount":"0.07""#), named(&[("coupon_amount", "0.07")]));
    assert_eq!(
        others(r#""coupon_amount":-0.07,"tax_cost":0.0700"#),
        named(&[("coupon_amount", "-0.07"), ("tax_cost", "0.07")])
    );
    for nothing in [
        r#""coupon_amount":"0.08""#,
        r#""coupon":"0.07""#,
        r#""coupon_amount":{"value":"0.07"}"#,
        r#""coupon_amount":"seven""#,
        r#""Coupon_amount":"0.07""#,
        r#""compute_cost":"0.07""#,
    ] {
        assert_eq!(others(nothing), None, "{nothing}");
    }
    assert_eq!(others(&format!(r#""{}_amount":"0.07""#, "a".repeat(80))), None, "the name is too long");
    let whole = r#""quote_amount":"1.00","final_amount":"0.60","released_amount":"0.40","coupon_amount":"0.07""#;
    assert_eq!(remarks(whole), None, "both identities hold, so nothing needs explaining");
}
