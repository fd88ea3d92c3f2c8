//! The answer of one attempt, the final result, and how provider texts are made presentable.

use serde_json::value::RawValue;

use crate::domain::outcome::{Evidence, Reason};
use crate::domain::visible::is_harmful;

/// Provider texts are cut to this many characters.
const SHOWN: usize = 300;

/// The answer of one attempt. `K` is the final result: an order's evidence or a page of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer<K> {
    /// The result; retrying would not change it.
    Final(K),
    /// The provider does not accept the key.
    KeyRejected(Reason),
    /// The provider asks for fewer requests: status or code 429, or the equivalent.
    Limited(Reason),
    /// No usable reply; worth a retry.
    Failed(Reason),
}

/// The final result of a request: the provider's data, or why it is unavailable.
pub(super) trait FinalAnswer: From<Unavailable> {
    /// Reads the `data` of a successful envelope.
    ///
    /// # Errors
    /// Why `data` is malformed.
    fn read(data: Option<&RawValue>) -> Result<Self, Reason>;

    /// Applies `change` to every reason in it. Reasons are shown, and some hold the provider's own text.
    fn each_reason(&mut self, change: impl FnMut(&mut Reason));

    /// The name of the first field whose text matches.
    fn field_with(&self, is_of_that_kind: impl Fn(&str) -> bool) -> Option<String>;
}

/// Why an order or a page of the list is unavailable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The provider's envelope says that it does not exist.
    #[error("the provider says that it does not exist ({})", code_and_detail(.0))]
    NotFound(Reason),
    /// The provider's envelope refuses it.
    #[error("the provider refuses it ({})", code_and_detail(.0))]
    Refused(Reason),
    /// The reply is JSON, but not a run order or a list.
    #[error("the reply can't be used ({})", code_and_detail(.0))]
    Malformed(Reason),
    /// No answer: retries spent, or requests ended before it was sent.
    #[error("no answer ({})", code_and_detail(.0))]
    Unfetched(Reason),
}

impl Unavailable {
    /// The code and detail that explain it.
    #[must_use]
    pub const fn reason(&self) -> &Reason {
        match self {
            Self::NotFound(reason) | Self::Refused(reason) | Self::Malformed(reason) | Self::Unfetched(reason) => {
                reason
            }
        }
    }

    pub(super) const fn reason_mut(&mut self) -> &mut Reason {
        match self {
            Self::NotFound(reason) | Self::Refused(reason) | Self::Malformed(reason) | Self::Unfetched(reason) => {
                reason
            }
        }
    }
}

impl From<Unavailable> for Evidence {
    fn from(unavailable: Unavailable) -> Self {
        match unavailable {
            Unavailable::NotFound(reason) => Self::NotFound(reason),
            Unavailable::Refused(reason) => Self::Refused(reason),
            Unavailable::Malformed(reason) => Self::Malformed(reason),
            Unavailable::Unfetched(reason) => Self::Unfetched(reason),
        }
    }
}

fn code_and_detail(reason: &Reason) -> String {
    let Reason { code, detail } = reason;
    if detail.is_empty() { code.clone() } else { format!("{code}: {detail}") }
}

/// Makes a text fit for reports and terminals: one line without control characters or bidirectional marks, passed
/// through `redact` and cut to [`SHOWN`] characters.
pub(super) fn presentable(text: &str, redact: impl FnOnce(&str) -> String) -> String {
    let line: String = text.chars().map(|char| if is_harmful(char) { ' ' } else { char }).collect();
    // Redacted before it is shortened, so that the end of the line can't hold the beginning of a secret.
    redact(line.trim()).chars().take(SHOWN).collect()
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

    #[test]
    fn the_message_holds_code_and_detail() {
        let no = |detail: &str| Unavailable::Refused(Reason::new("code-9", detail)).to_string();
        assert_eq!(no("too old"), "the provider refuses it (code-9: too old)");
        assert_eq!(no(""), "the provider refuses it (code-9)");
    }
}
