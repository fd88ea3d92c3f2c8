//! Pages as the provider sends them, as it might send them, and as an attacker would.

use proptest::prelude::*;

use super::super::super::answer::Answer;
use super::super::super::limit::{LimitSigns, RetryCodes};
use super::*;

/// A page with the order from the provider's reference, under the field names of its documentation.
const EXAMPLE: &str = r#"{"code": 0, "msg": "ok", "data": {"items": [{"run_order_id": "wfrun_314ff7d8b7a5beff1388",
    "workflow_id": "wf_861ef31e94dcfb10e6e7", "revision_id": "wfr_f9f2a2dcb99d73b0c3aa", "title": "一只狐狸 🦊",
    "run_status": "succeeded", "quote_amount": "0.03000000", "final_amount": 0.0002878, "inputs": {"prompt": "private"},
    "created_at": "2026-05-08T18:00:00+08:00"}], "total": 1, "page": 1, "page_size": 100}}"#;

fn decode(body: &[u8]) -> Answer<PageResult> {
    super::super::decode(body, LimitSigns { codes: &RetryCodes::default(), has_retry_after: false })
}

fn listed(body: &str) -> Result<ListPage, Unavailable> {
    match decode(body.as_bytes()) {
        Answer::Final(PageResult(listed)) => listed,
        other => panic!("{body}: {other:?}"),
    }
}

fn page(data: &str) -> ListPage {
    listed(&format!(r#"{{"code":0,"data":{data}}}"#)).unwrap_or_else(|unavailable| panic!("{data}: {unavailable}"))
}

fn malformed(data: &str) -> String {
    match listed(&format!(r#"{{"code":0,"data":{data}}}"#)) {
        Err(Unavailable::Malformed(reason)) => reason.code,
        other => panic!("{data}: {other:?}"),
    }
}

/// A page of one item with an ID and these fields.
fn with(fields: &str) -> ListPage {
    page(&format!(r#"{{"items":[{{"run_order_id":"wfrun_1",{fields}}}],"total":1}}"#))
}

fn ids(page: &ListPage) -> Vec<&str> {
    page.orders.iter().map(|order| &*order.run_order_id).collect()
}

fn first(flaws: &Flaws) -> (u64, &str, &str) {
    let reason = flaws.first.as_ref().expect("a flaw");
    (flaws.count, &reason.code, &reason.detail)
}

#[test]
fn the_documented_page() {
    let text = |text: &str| Some(Arc::from(text));
    let amount = |text: &str| Some(Amount::parse(text).expect("an amount"));
    let order = ListedOrder {
        run_order_id: "wfrun_314ff7d8b7a5beff1388".into(),
        workflow_id: text("wf_861ef31e94dcfb10e6e7"),
        revision_id: text("wfr_f9f2a2dcb99d73b0c3aa"),
        title: text("一只狐狸 🦊"),
        run_status: text("succeeded"),
        quote_amount: amount("0.03"),
        final_amount: amount("0.0002878"),
        created_at: Some("2026-05-08T10:00:00Z".parse().expect("a time")),
        is_unreadable: false,
    };
    let expected = ListPage { orders: vec![order], total: Some(1), ..ListPage::default() };
    assert_eq!(listed(EXAMPLE), Ok(expected.clone()));
    assert_eq!(listed(&EXAMPLE.replace("items", "run_list")), Ok(expected), "the name that public clients also accept");
    assert!(!format!("{:?}", decode(EXAMPLE.as_bytes())).contains("private"));
}

#[test]
fn data_that_is_not_a_list_is_malformed() {
    for data in ["null", "[]", r#""private""#, "7", "false", "{}", r#"{"total":0}"#] {
        assert_eq!(malformed(data), "no-list", "{data}");
    }
    for list in ["{}", r#""wfrun_1""#, "7", "true"] {
        assert_eq!(malformed(&format!(r#"{{"items":{list},"total":1}}"#)), "wrong-type", "{list}");
    }
    assert_eq!(malformed(r#"{"items":[],"items":[],"total":0}"#), "duplicate-key");
    assert_eq!(malformed(r#"{"items":[],"total":0,"total":1}"#), "duplicate-key");
    assert!(matches!(decode(br#"{"code":"429"}"#), Answer::Limited(_)));
    assert!(
        matches!(listed(r#"{"code":403,"msg":"no"}"#), Err(Unavailable::Refused(reason)) if reason.code == "code-403")
    );
    assert!(matches!(listed(r#"{"code":404,"msg":"no"}"#), Err(Unavailable::NotFound(_))));
}

#[test]
fn an_empty_list_may_be_null() {
    for data in
        [r#"{"items":[],"total":0}"#, r#"{"items":null,"total":0}"#, r#"{"items":null,"run_list":[],"total":0}"#]
    {
        assert_eq!(page(data), ListPage { total: Some(0), ..ListPage::default() }, "{data}");
        assert!(page(data).is_empty());
    }
}

#[test]
fn two_lists_are_accepted_only_if_they_are_equal() {
    let one = r#"[{"run_order_id":"wfrun_1"}]"#;
    let both = |items: &str, others: &str| format!(r#"{{"items":{items},"run_list":{others},"total":1}}"#);
    assert_eq!(ids(&page(&both(one, r#"[ {"run_order_id": "wfrun_1", "title": ""} ]"#))), ["wfrun_1"]);
    assert_eq!(ids(&page(&both(one, "null"))), ["wfrun_1"]);
    assert_eq!(ids(&page(&both("null", one))), ["wfrun_1"]);
    for others in ["[]", r#"[{"run_order_id":"wfrun_2"}]"#, r#"[{"run_order_id":"wfrun_1","final_amount":1}]"#] {
        assert_eq!(malformed(&both(one, others)), "two-lists", "{others}");
        assert_eq!(malformed(&both(others, one)), "two-lists", "{others}");
    }
}

#[test]
fn an_item_without_an_id_is_counted_and_the_others_are_kept() {
    let cases = [
        (r#""wfrun_2""#, "wrong-type", "item 2: it is a text, expected an object"),
        ("null", "wrong-type", "item 2: it is null, expected an object"),
        (r#"["wfrun_2"]"#, "wrong-type", "item 2: it is an array, expected an object"),
        ("{}", "bad-id", "item 2: run_order_id: absent, null or empty"),
        (r#"{"run_order_id":null}"#, "bad-id", "item 2: run_order_id: absent, null or empty"),
        (r#"{"run_order_id":""}"#, "bad-id", "item 2: run_order_id: absent, null or empty"),
        (
            r#"{"run_order_id":"a b"}"#,
            "bad-id",
            "item 2: run_order_id: the ID has a blank or a character that is not printable ASCII",
        ),
        (
            r#"{"run_order_id":"订单"}"#,
            "bad-id",
            "item 2: run_order_id: the ID has a blank or a character that is not printable ASCII",
        ),
        (r#"{"run_order_id":"=1+1"}"#, "bad-id", "item 2: run_order_id: it begins like a formula"),
        (r#"{"run_order_id":7}"#, "wrong-type", "item 2: run_order_id is a number, expected a text"),
        (
            r#"{"run_order_id":"wfrun_2","run_order_id":"wfrun_4"}"#,
            "duplicate-key",
            "item 2: duplicate field `run_order_id`",
        ),
        (r#"{"run_order_id":"wfrun_2","title":"a","title":"b"}"#, "duplicate-key", "item 2: duplicate field `title`"),
    ];
    for (item, code, detail) in cases {
        let list =
            format!(r#"{{"items":[{{"run_order_id":"wfrun_1"}},{item},{{"run_order_id":"wfrun_3"}}],"total":3}}"#);
        let page = page(&list);
        assert_eq!(ids(&page), ["wfrun_1", "wfrun_3"], "{item}");
        let (count, found, text) = first(&page.without_id);
        assert_eq!((count, found, page.len()), (1, code, 3), "{item}");
        assert!(text.starts_with(detail), "{item}: {text}");
        assert_eq!(page.unreadable.count, 0, "{item}");
    }
    let long = format!(r#"{{"items":[{{"run_order_id":"{}"}}],"total":1}}"#, "x".repeat(129));
    assert_eq!(first(&page(&long).without_id).1, "bad-id");
}

#[test]
fn an_unreadable_field_does_not_lose_the_order() {
    let cases = [
        (r#""quote_amount":["0.01"]"#, "wrong-type"),
        (r#""final_amount":true"#, "wrong-type"),
        (r#""quote_amount":"0.123456789""#, "amount-not-exact"),
        (r#""final_amount":1e-9"#, "amount-not-exact"),
        (r#""quote_amount":"a lot""#, "not-a-number"),
        (r#""created_at":"yesterday""#, "bad-timestamp"),
        (r#""created_at":1778234400"#, "wrong-type"),
        (r#""title":{"en":"a fox"}"#, "wrong-type"),
        (r#""title":"\ud800""#, "bad-text"),
        (r#""workflow_id":7"#, "wrong-type"),
        (r#""revision_id":[]"#, "wrong-type"),
        (r#""run_status":false"#, "wrong-type"),
    ];
    for (field, code) in cases {
        let page = with(field);
        assert_eq!(ids(&page), ["wfrun_1"], "{field}");
        let (count, found, text) = first(&page.unreadable);
        assert_eq!((count, found), (1, code), "{field}");
        assert!(text.starts_with("item 1: "), "{text}");
        let is_unreadable = field.contains("amount");
        let bare = ListedOrder { is_unreadable, ..ListedOrder::bare("wfrun_1") };
        assert_eq!(page.orders, [bare], "{field}");
    }
    assert_eq!(with(r#""title":"","quote_amount":null,"final_amount":"","created_at":"""#).unreadable.count, 0);
}

#[test]
fn totals() {
    let total = |json: &str| {
        let page = page(&format!(r#"{{"items":[],"total":{json}}}"#));
        (page.total, page.unreadable.first.map(|reason| reason.code))
    };
    for (json, whole) in [("500", 500), (r#""500""#, 500), ("0", 0), ("5e2", 500), ("500.0", 500), ("-0", 0)] {
        assert_eq!(total(json), (Some(whole), None), "{json}");
    }
    assert_eq!(total("100000000").0, Some(100_000_000));
    for json in ["null", r#""""#] {
        assert_eq!(total(json), (None, None), "{json}");
    }
    assert_eq!(page(r#"{"items":[]}"#).total, None);
    for json in ["-1", "0.5", r#""many""#, r#"" 5""#, "100000001", "9223372036854775808", "1e400", r#""-7""#] {
        assert_eq!(total(json), (None, Some("bad-total".to_owned())), "{json}");
    }
    for json in ["[]", "true", r#"{"all":5}"#] {
        assert_eq!(total(json), (None, Some("wrong-type".to_owned())), "{json}");
    }
}

#[test]
fn a_page_with_too_many_items_is_read_in_full() {
    let items: Vec<String> = (0..250).map(|number| format!(r#"{{"run_order_id":"wfrun_{number}"}}"#)).collect();
    let page = page(&format!(r#"{{"items":[{}],"total":250}}"#, items.join(",")));
    assert_eq!((page.orders.len(), page.len(), page.total), (250, 250, Some(250)));
    assert_eq!(&*page.orders[249].run_order_id, "wfrun_249");
}

#[test]
fn the_field_that_holds_a_text_is_named() {
    let Answer::Final(listed) = decode(EXAMPLE.as_bytes()) else { panic!("no page") };
    assert_eq!(listed.field_with(|text| text.contains('🦊')).as_deref(), Some("title of order 1 on the page"));
    assert_eq!(listed.field_with(|text| text.contains("private")), None);
}

proptest! {
    #[test]
    fn any_amount_comes_back_equal(units in -(10_i128.pow(28) - 1)..10_i128.pow(28)) {
        let amount = Amount::from_units(units);
        let text = amount.map(|amount| amount.to_string()).expect("28 digits");
        let page = with(&format!(r#""quote_amount":{text},"final_amount":"{text}""#));
        prop_assert_eq!((page.orders[0].quote_amount, page.orders[0].final_amount), (amount, amount));
    }

    #[test]
    fn mutated_pages_never_panic_nor_leak(
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
        let answer: Answer<PageResult> = decode(&body);
        if let Answer::Final(PageResult(Ok(page))) = &answer {
            for reason in [&page.without_id.first, &page.unreadable.first].into_iter().flatten() {
                prop_assert!(!reason.detail.contains("private"), "{:?}", reason);
            }
        }
        if let Answer::Final(PageResult(Err(unavailable))) = &answer {
            prop_assert!(!unavailable.reason().detail.contains("private"), "{:?}", unavailable);
        }
    }
}
