//! Makes texts from outside safe to show, so that they mislead no terminal, spreadsheet or reader.

use std::borrow::Cow;

/// The text with each harmful character replaced by `U+FFFD`.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|char| if is_harmful(char) { char::REPLACEMENT_CHARACTER } else { char }).collect())
}

/// The characters that a spreadsheet takes for the start of a formula, full-width forms included.
const FORMULA_STARTS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// The text for a CSV cell: visible, and with a leading `'` if a spreadsheet would run it as a formula.
#[must_use]
pub fn cell(text: &str) -> Cow<'_, str> {
    let visible = visible(text);
    if text.starts_with(FORMULA_STARTS) { Cow::Owned(format!("'{visible}")) } else { visible }
}

/// Whether a character is a control character, a line separator, or a mark that reorders or hides the text
/// around it. Joiners are harmless: emoji and some scripts need them.
#[must_use]
pub fn is_harmful(char: char) -> bool {
    const MARKS: [char; 5] = ['\u{61c}', '\u{200b}', '\u{200e}', '\u{200f}', '\u{feff}'];
    char.is_control() || MARKS.contains(&char) || matches!(char, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmful_characters_are_replaced() {
        assert_eq!(visible("a\u{202e}b\0\n\u{2066}"), "a\u{fffd}b\u{fffd}\u{fffd}\u{fffd}");
        assert_eq!(visible("a\u{200b}b\u{feff}\u{61c}"), "a\u{fffd}b\u{fffd}\u{fffd}");
        assert_eq!(visible("=1+1 订单 <b> 👩\u{200d}👧"), "=1+1 订单 <b> 👩\u{200d}👧");
    }
}
