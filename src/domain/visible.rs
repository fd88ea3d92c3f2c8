//! Texts from outside as people may see them: nothing that a terminal, a spreadsheet or a reader would be led astray by.

use std::borrow::Cow;

/// A text in which control characters and direction overrides are replaced.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|char| if is_harmful(char) { char::REPLACEMENT_CHARACTER } else { char }).collect())
}

/// What a spreadsheet takes for the beginning of a formula, full-width forms among them.
const FORMULA_STARTS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// A text as the cells of CSV files have it: visible, and nothing that a spreadsheet would run.
#[must_use]
pub fn cell(text: &str) -> Cow<'_, str> {
    let visible = visible(text);
    if text.starts_with(FORMULA_STARTS) { Cow::Owned(format!("'{visible}")) } else { visible }
}

/// Control characters, line separators and direction overrides.
#[must_use]
pub fn is_harmful(char: char) -> bool {
    char.is_control() || matches!(char, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_must_not_see_is_replaced() {
        assert_eq!(visible("a\u{202e}b\0\n\u{2066}"), "a\u{fffd}b\u{fffd}\u{fffd}\u{fffd}");
        assert_eq!(visible("=1+1 订单 <b>"), "=1+1 订单 <b>");
    }
}
