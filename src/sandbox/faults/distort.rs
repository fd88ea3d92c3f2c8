//! Puts a flaw into the right body. Relies on the sandbox writing the envelope as `code`, `msg`, `data`.

/// Spaces that make a body larger than a client should accept, in bytes.
const PADDING: usize = 1024 * 1024;
/// The nesting depth of the unknown field.
const DEPTH: usize = 200;
/// The text right before an order's members.
const DATA: &str = "\"data\":{";
const ID: &str = "\"run_order_id\":\"";

/// Adds a key twice to one object, with two values.
pub(super) fn duplicate_keys(body: &str) -> String {
    insert(body, "\"quote_amount\":\"1.00000000\",\"quote_amount\":\"2.00000000\",")
}

/// Adds an unknown field of nested arrays.
pub(super) fn deep(body: &str) -> String {
    insert(body, &format!("\"unknown\":{}{},", "[".repeat(DEPTH), "]".repeat(DEPTH)))
}

/// Adds [`PADDING`] spaces within the envelope.
pub(super) fn padded(body: &str) -> String {
    body.replacen('{', &format!("{{{}", " ".repeat(PADDING)), 1)
}

/// Adds garbage after the JSON.
pub(super) fn trailing(body: &str) -> String {
    format!("{body}\n<!-- garbage -->")
}

/// Replaces the order's ID with `other`; a reply without an ID stays as it is.
pub(super) fn other_order(body: &str, other: &str) -> String {
    let Some((before, rest)) = body.split_once(ID) else { return body.to_owned() };
    let after = rest.find('"').and_then(|end| rest.get(end..)).unwrap_or_default();
    format!("{before}{ID}{other}{after}")
}

/// Replaces `code`. The data stay if the code is a zero or null, otherwise they become null.
pub(super) fn coded(body: &str, code: &str) -> String {
    let zero = code == "null" || code.trim_matches('"').bytes().all(|digit| digit == b'0');
    let rest = body.split_once(',').map(|(_, rest)| rest).filter(|_| zero);
    format!("{{\"code\":{code},{}", rest.unwrap_or("\"msg\":\"a business code\",\"data\":null}"))
}

/// Inserts members at the start of `data`, or of the envelope if `data` is not an object.
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
    fn each_distortion_changes_nothing_else() {
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
    fn a_code_that_is_not_a_failure_keeps_the_data() {
        for code in ["0", "\"0\"", "\"00\"", "null"] {
            assert_eq!(coded(ORDER, code), ORDER.replace("\"code\":0", &format!("\"code\":{code}")));
        }
        assert_eq!(coded(ORDER, "429"), r#"{"code":429,"msg":"a business code","data":null}"#);
    }

    #[test]
    fn distortions_of_the_content_stay_json() {
        for body in [ORDER, FAILURE] {
            for json in [padded(body), coded(body, "\"0\""), coded(body, "7"), other_order(body, "x")] {
                assert!(serde_json::from_str::<serde::de::IgnoredAny>(&json).is_ok(), "{json}");
            }
        }
    }
}
