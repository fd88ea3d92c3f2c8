//! Text of the input made fit for a terminal, an error or a report.

/// The text, trimmed and cut to so many characters, with U+FFFD in the place of each that would act on a
/// terminal instead of being seen.
pub(super) fn excerpt(text: &str, most: usize) -> String {
    text.trim().chars().take(most).map(|c| if is_unseen(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Controls, line separators, and the marks that reorder or hide the text around them.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn trims_cuts_and_replaces() {
        assert_eq!(excerpt("  订单 1\t", 128), "订单 1");
        assert_eq!(excerpt("a\u{1b}[31m\nb\u{202e}c", 128), "a\u{fffd}[31m\u{fffd}b\u{fffd}c");
        assert_eq!(excerpt(&"订".repeat(200), 128), "订".repeat(128));
    }
}
