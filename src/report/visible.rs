//! Texts from outside as people may see them: nothing that a terminal, a spreadsheet or a reader would be led astray by.

use std::borrow::Cow;

/// A text in which control characters and direction overrides are replaced.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|char| if is_harmful(char) { char::REPLACEMENT_CHARACTER } else { char }).collect())
}

/// Control characters, line separators and direction overrides.
pub(crate) fn is_harmful(char: char) -> bool {
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
