//! Rust source without comments, literals or tests, for the rules of `tidy`.

use std::ops::Range;

/// The text with comments and the content of string and character literals blanked. All other bytes and all line breaks
/// keep their positions.
pub(super) fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = token_end(bytes, at);
        if end > at + 1 {
            let literal = &mut code[at..end];
            literal.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        }
        at = end;
    }
    String::from_utf8(code).expect("whole characters are blanked")
}

/// [`code_only`] with items under `#[cfg(test)]` and `#[test]` blanked too.
pub(crate) fn code_outside_tests(text: &str) -> String {
    let mut code = code_only(text);
    for marker in ["#[cfg(test)]", "#[test]"] {
        while let Some(start) = code.find(marker) {
            let end = item_end(code.as_bytes(), start + marker.len());
            let blank: String = code[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
            code.replace_range(start..end, &blank);
        }
    }
    code
}

/// The end of the comment or the literal that begins at `at`; else of that byte.
fn token_end(bytes: &[u8], at: usize) -> usize {
    let end = match bytes[at] {
        b'/' if bytes[at..].starts_with(b"//") => line_end(bytes, at),
        b'/' if bytes[at..].starts_with(b"/*") => block_comment_end(bytes, at),
        b'"' => string_end(bytes, at),
        b'r' if !is_word(bytes, at) && raw_hashes(bytes, at).is_some() => raw_string_end(bytes, at),
        b'\'' => character_end(bytes, at),
        _ => at + 1,
    };
    end.max(at + 1)
}

/// Where the string literals outside tests are, raw ones left out.
pub(crate) fn strings_outside_tests(text: &str) -> Vec<Range<usize>> {
    let (bytes, all, outside) = (text.as_bytes(), code_only(text), code_outside_tests(text));
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let end = token_end(bytes, at);
        // In a test, what precedes it is blanked too.
        let before = all[..at].trim_end().len().saturating_sub(1);
        if bytes[at] == b'"' && all.as_bytes()[before] == outside.as_bytes()[before] {
            found.push(at..end);
        }
        at = end;
    }
    found
}

/// The line number, from 1, of the byte at `at`.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The identifier at the start of a text.
pub(super) fn leading_word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// The end of the item that starts at `from`: after the first semicolon or closing brace at depth zero.
fn item_end(code: &[u8], from: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.iter().enumerate().skip(from) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 && *byte == b'}' {
                    return at + 1;
                }
            }
            b';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// Whether the byte continues an identifier, other than the prefix of a byte or C string.
fn is_word(bytes: &[u8], at: usize) -> bool {
    let in_word = |at: usize| bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_';
    let prefixed = at > 0 && matches!(bytes[at - 1], b'b' | b'c') && (at == 1 || !in_word(at - 2));
    at > 0 && in_word(at - 1) && !prefixed
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| from + length)
}

fn block_comment_end(bytes: &[u8], from: usize) -> usize {
    let (mut at, mut depth) = (from, 0_usize);
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// How many hashes follow the `r` of a raw string; `None` if it is not a raw string.
fn raw_hashes(bytes: &[u8], at: usize) -> Option<usize> {
    let hashes = bytes[at + 1..].iter().take_while(|byte| **byte == b'#').count();
    (bytes.get(at + 1 + hashes) == Some(&b'"')).then_some(hashes)
}

fn raw_string_end(bytes: &[u8], from: usize) -> usize {
    let hashes = raw_hashes(bytes, from).unwrap_or_default();
    let closing = format!("\"{}", "#".repeat(hashes)).into_bytes();
    let body = from + 2 + hashes;
    let length = bytes[body..].windows(closing.len()).position(|window| window == closing);
    length.map_or(bytes.len(), |length| body + length + closing.len())
}

/// The end of a character literal; of a lifetime, just the position after its quote.
fn character_end(bytes: &[u8], from: usize) -> usize {
    if bytes.get(from + 1) == Some(&b'\\') {
        let length = bytes[from + 3..].iter().position(|byte| *byte == b'\'');
        return length.map_or(bytes.len(), |length| from + 3 + length + 1);
    }
    // One character of UTF-8 is at most four bytes.
    let close = (from + 2..from + 6).find(|at| bytes.get(*at) == Some(&b'\''));
    match close {
        Some(close) if std::str::from_utf8(&bytes[from + 1..close]).is_ok_and(|c| c.chars().count() == 1) => close + 1,
        _ => from + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_comments_and_literals_only() {
        let kept = |text: &str| code_only(text).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(kept("a // b\nc /* d /* e */ f */ g"), "a c g");
        assert_eq!(kept(r##"f("\"x", r#"y"z"#, br"w", b'\'', '"', 'é')"##), "f( , , b , b , , )");
        assert_eq!(kept("fn f<'a>(x: &'a str) -> &'a str { x }"), "fn f<'a>(x: &'a str) -> &'a str { x }");
        assert_eq!(kept(r"match c { '\u{3000}' | '{' => for_str(), }"), "match c { | => for_str(), }");
        assert_eq!(code_only("\"a\nb\" x").find('x'), Some(6));
    }

    #[test]
    fn blanks_tests() {
        let text = "a();\n#[cfg(test)]\nmod tests {\n    fn b() { if c {} }\n}\nd();\n#[cfg(test)]\nmod e;\nf();";
        assert_eq!(code_outside_tests(text).split_whitespace().collect::<Vec<_>>(), ["a();", "d();", "f();"]);
    }
}
