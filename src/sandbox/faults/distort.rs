//! Replies with something wrong in them, made from the right text. The envelope's members stand in the order that
//! the sandbox writes them: `code`, `msg`, `data`.

/// More than a client should take.
const PADDING: usize = 1024 * 1024;
/// How deep the unknown field is nested.
const DEPTH: usize = 200;
/// Where an order's members begin.
const DATA: &str = "\"data\":{";
const ID: &str = "\"run_order_id\":\"";

/// A key twice in one object, with two values.
pub(super) fn duplicate_keys(body: &str) -> String {
    insert(body, "\"quote_amount\":\"1.00000000\",\"quote_amount\":\"2.00000000\",")
}

/// Nested arrays in a field that nobody knows.
pub(super) fn deep(body: &str) -> String {
    insert(body, &format!("\"unknown\":{}{},", "[".repeat(DEPTH), "]".repeat(DEPTH)))
}

/// Spaces within the envelope.
pub(super) fn padded(body: &str) -> String {
    body.replacen('{', &format!("{{{}", " ".repeat(PADDING)), 1)
}

/// Whole JSON, then garbage.
pub(super) fn trailing(body: &str) -> String {
    format!("{body}\n<!-- garbage -->")
}

/// Another order's ID; a reply without any stays as it is.
pub(super) fn other_order(body: &str, other: &str) -> String {
    let Some((before, rest)) = body.split_once(ID) else { return body.to_owned() };
    let after = rest.find('"').and_then(|end| rest.get(end..)).unwrap_or_default();
    format!("{before}{ID}{other}{after}")
}

/// Another `code` before the same data, or before none where the code is a failure.
pub(super) fn coded(body: &str, code: &str) -> String {
    let zero = code == "null" || code.trim_matches('"').bytes().all(|digit| digit == b'0');
    let rest = body.split_once(',').map(|(_, rest)| rest).filter(|_| zero);
    format!("{{\"code\":{code},{}", rest.unwrap_or("\"msg\":\"a business code\",\"data\":null}"))
}

/// Puts members first in the data, or in the envelope where the data are no object.
fn insert(body: &str, members: &str) -> String {
    let place = if body.contains(DATA) { DATA } else { "{" };
    body.replacen(place, &format!("{place}{members}"), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = r#"{"code":0,"msg":"success","data":{"run_order_id":"wfrun_1","final_amount":"2"}}"#;
    const FAILURE: &str = r#"{"code":404,"msg":"run order not found","data":null}"#;

    #[test]
    fn changes_what_it_says_and_nothing_else() {
        assert_eq!(
            duplicate_keys(ORDER).replace(r#""quote_amount":"1.00000000","quote_amount":"2.00000000","#, ""),
            ORDER
        );
        assert!(duplicate_keys(FAILURE).starts_with(r#"{"quote_amount":"#));
        assert_eq!(
            other_order(ORDER, "wfrun_2"),
            r#"{"code":0,"msg":"success","data":{"run_order_id":"wfrun_2","final_amount":"2"}}"#
        );
        assert_eq!(other_order(FAILURE, "wfrun_2"), FAILURE);
        assert_eq!(padded(ORDER).len(), ORDER.len() + PADDING);
        assert!(trailing(ORDER).starts_with(ORDER));
        assert_eq!(deep(ORDER).matches('[').count(), 200);
    }

    #[test]
    fn a_code_that_is_no_failure_keeps_the_data() {
        for code in ["0", "\"0\"", "\"00\"", "null"] {
            assert_eq!(coded(ORDER, code), ORDER.replace("\"code\":0", &format!("\"code\":{code}")));
        }
        assert_eq!(coded(ORDER, "429"), r#"{"code":429,"msg":"a business code","data":null}"#);
    }

    #[test]
    fn stays_json_where_it_says_so() {
        for body in [ORDER, FAILURE] {
            for json in [padded(body), coded(body, "\"0\""), coded(body, "7"), other_order(body, "x")] {
                assert!(serde_json::from_str::<serde::de::IgnoredAny>(&json).is_ok(), "{json}");
            }
        }
    }
}
