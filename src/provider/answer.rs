//! What one attempt gave, and how texts of the provider are made presentable.

use crate::domain::outcome::{Evidence, Reason};

/// The most characters of a provider's text that are kept.
const SHOWN: usize = 300;

/// What one attempt gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The order's fate is known; asking again would change nothing.
    Final(Evidence),
    /// The provider does not accept the key.
    KeyRejected(Reason),
    /// The provider wants to be asked later: status or code 429.
    Limited,
    /// No usable reply: worth another attempt.
    Failed(Reason),
}

/// A text fit for reports and terminals: one line without control characters or marks that turn the direction
/// of writing, passed through `redact`, and not too long.
pub(super) fn presentable(text: &str, redact: impl FnOnce(&str) -> String) -> String {
    let line: String = text.chars().map(|char| if is_unprintable(char) { ' ' } else { char }).collect();
    // Redacted before it is shortened, so that the end of the line can't hold the beginning of a secret.
    redact(line.trim()).chars().take(SHOWN).collect()
}

fn is_unprintable(char: char) -> bool {
    char.is_control() || matches!(char, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_one_short_printable_line() {
        assert_eq!(presentable("\u{1b}[31mred\r\n\u{202e}x\u{0}", str::to_owned), "[31mred   x");
        assert_eq!(presentable(&"订".repeat(301), str::to_owned), "订".repeat(300));
        let redacted = presentable(&format!("{}secret", "x".repeat(297)), |text| text.replace("secret", "[key]"));
        assert_eq!(redacted, format!("{}[ke", "x".repeat(297)));
    }
}
