//! Texts from outside as people may see them: nothing that a terminal, a spreadsheet or a reader would be led astray by.

use std::borrow::Cow;

/// A text in which what is harmful is replaced.
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

/// Control characters, line separators, and marks that reorder or hide the text around them. Joiners are not among them: emoji and
/// some scripts need them.
#[must_use]
pub fn is_harmful(char: char) -> bool {
    const MARKS: [char; 5] = ['\u{61c}', '\u{200b}', '\u{200e}', '\u{200f}', '\u{feff}'];
    char.is_control() || MARKS.contains(&char) || matches!(char, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_must_not_see_is_replaced() {
        assert_eq!(visible("a\u{202e}b\0\n\u{2066}"), "a\u{fffd}b\u{fffd}\u{fffd}\u{fffd}");
        assert_eq!(visible("a\u{200b}b\u{feff}\u{61c}"), "a\u{fffd}b\u{fffd}\u{fffd}");
        assert_eq!(visible("=1+1 订单 <b> 👩\u{200d}👧"), "=1+1 订单 <b> 👩\u{200d}👧");
    }
}
