//! Text of the input, made safe to print in a terminal, an error or a report.

use crate::domain::visible::visible;

/// Trims the text and cuts it to at most `most` characters. Characters that would control the terminal instead of
/// being shown become U+FFFD.
pub(super) fn excerpt(text: &str, most: usize) -> String {
    visible(text.trim()).chars().take(most).collect()
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
