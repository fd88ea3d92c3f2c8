//! Data inside the page: JSON in a `<script type="application/json">`, escaped so that no text can end the
//! script element.

use std::fmt::Write;

/// Appends a text as a JSON string that no HTML parser takes for markup. It escapes `<`, which opens tags and
/// comments, `>` and `&`, and the line separators, which end lines in old scripts.
pub(super) fn push_text(json: &mut String, text: &str) {
    json.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(is_escaped) {
        json.push_str(&rest[..at]);
        let mut chars = rest[at..].chars();
        match chars.next() {
            Some(quote @ ('"' | '\\')) => json.extend(['\\', quote]),
            // The other escaped characters fit into four hex digits.
            Some(char) => {
                let _ = write!(json, "\\u{:04x}", u32::from(char));
            }
            None => {}
        }
        rest = chars.as_str();
    }
    json.push_str(rest);
    json.push('"');
}

fn is_escaped(char: char) -> bool {
    matches!(char, '"' | '\\' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\u{7f}'..='\u{9f}') || char < ' '
}

/// A JSON list of texts.
pub(super) fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let mut json = String::from("[");
    for (at, text) in texts.into_iter().enumerate() {
        if at > 0 {
            json.push(',');
        }
        push_text(&mut json, text);
    }
    json.push(']');
    json
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_breaks_out() {
        let json =
            texts(["</script><img src=x onerror=alert(1)>", "<!--<script>", "a\"b\\c", "\0\u{2028}\u{2029}\u{7f}&"]);
        for forbidden in ["<", ">", "&", "\u{2028}", "\u{2029}", "\0", "\u{7f}"] {
            assert!(!json.contains(forbidden), "{json}");
        }
    }

    proptest! {
        #[test]
        fn a_json_reader_reads_the_same(list in proptest::collection::vec(any::<String>(), 0..4)) {
            let json = texts(list.iter().map(String::as_str));
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(&json).expect("JSON"), list);
        }
    }
}
