//! The uses of messages in the sources, with their variables.

use std::collections::BTreeSet;

use crate::tidy::code::code_outside_tests;

/// One use of a message by its id.
#[derive(Debug, PartialEq, Eq)]
pub struct MessageUse {
    pub id: String,
    pub variables: BTreeSet<String>,
}

/// The uses in a source: `texts.get("id")`, `texts.with("id", …)`.
pub fn uses(source: &str) -> Vec<MessageUse> {
    let code = code_outside_tests(source);
    let mut uses = Vec::new();
    for call in ["texts.get(", "texts.with(", "texts.try_with("] {
        for (at, _) in code.match_indices(call) {
            let start = at + call.len();
            let inside = &source[start..start + closing(&code[start..])];
            let Some(literal) = inside.trim_start().strip_prefix('"') else { continue };
            let (id, rest) = literal.split_once('"').expect("a whole literal");
            uses.push(MessageUse { id: id.to_owned(), variables: variables(rest) });
        }
    }
    uses
}

/// The position of the parenthesis that closes the one open at the beginning.
fn closing(code: &str) -> usize {
    let mut depth = 1;
    for (at, char) in code.char_indices() {
        match char {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    code.len()
}

/// The names in tuples of name and value.
fn variables(arguments: &str) -> BTreeSet<String> {
    let named = arguments.split("(\"").skip(1).filter_map(|rest| rest.split_once("\","));
    named.map(|(name, _)| name.to_owned()).filter(|name| !name.contains(['"', '{', ' '])).collect()
}

#[test]
fn uses_are_found_with_their_variables() {
    let source = r#"
        fn f() {
            texts.get("one");
            voice.texts.with(
                "two",
                &[("a", "x, y".into()), ("b", list.join(", ").into()), ("c", texts.get("three").into())],
            );
            texts.get(&id); // texts.get("no")
        }
        #[cfg(test)]
        mod tests { fn g() { texts.get("four") } }
    "#;
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let mut found = uses(source);
    found.sort_by(|one, other| one.id.cmp(&other.id));
    let expected = [("one", set(&[])), ("three", set(&[])), ("two", set(&["a", "b", "c"]))];
    assert_eq!(found, expected.map(|(id, variables)| MessageUse { id: id.to_owned(), variables }));
}
