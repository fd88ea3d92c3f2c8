//! What one attempt gave, what is known in the end, and how texts of the provider are made presentable.

use serde_json::value::RawValue;

use crate::domain::outcome::{Evidence, Reason};
use crate::domain::visible::is_harmful;

/// The most characters of a provider's text that are kept.
const SHOWN: usize = 300;

/// What one attempt gave. `K` is what is known in the end of what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer<K> {
    /// It is known; asking again would change nothing.
    Final(K),
    /// The provider does not accept the key.
    KeyRejected(Reason),
    /// The provider wants to be asked later: status or code 429, or the same in other words.
    Limited(Reason),
    /// No usable reply: worth another attempt.
    Failed(Reason),
}

/// What is known in the end of something that was asked for: what the provider said of it, or why that was not had.
pub(super) trait Known: From<Unavailable> {
    /// Reads it from the `data` of a success.
    ///
    /// # Errors
    /// Why that is malformed.
    fn read(data: Option<&RawValue>) -> Result<Self, Reason>;

    /// Changes every reason in it: they are shown, and some are in the provider's words.
    fn each_reason(&mut self, change: impl FnMut(&mut Reason));

    /// The name of the first field that has a text of that kind.
    fn field_with(&self, is_of_that_kind: impl Fn(&str) -> bool) -> Option<String>;
}

/// Why what was asked for was not had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The provider says that there is no such thing.
    #[error("the provider says that there is none ({})", said(.0))]
    NotFound(Reason),
    /// The provider refuses it.
    #[error("the provider refuses it ({})", said(.0))]
    Refused(Reason),
    /// The reply is JSON, but not what was asked for.
    #[error("the reply can't be used ({})", said(.0))]
    Malformed(Reason),
    /// No answer was had.
    #[error("no answer was had ({})", said(.0))]
    Unfetched(Reason),
}

impl Unavailable {
    /// The reason.
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
    fn from(lack: Unavailable) -> Self {
        match lack {
            Unavailable::NotFound(reason) => Self::NotFound(reason),
            Unavailable::Refused(reason) => Self::Refused(reason),
            Unavailable::Malformed(reason) => Self::Malformed(reason),
            Unavailable::Unfetched(reason) => Self::Unfetched(reason),
        }
    }
}

fn said(reason: &Reason) -> String {
    let Reason { code, detail } = reason;
    if detail.is_empty() { code.clone() } else { format!("{code}: {detail}") }
}

/// A text fit for reports and terminals: one line without control characters or marks that turn the direction
/// of writing, passed through `redact`, and not too long.
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
    fn a_lack_says_why() {
        let no = |detail: &str| Unavailable::Refused(Reason::new("code-9", detail)).to_string();
        assert_eq!(no("too old"), "the provider refuses it (code-9: too old)");
        assert_eq!(no(""), "the provider refuses it (code-9)");
    }
}
