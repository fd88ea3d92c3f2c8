//! Recognises rate limits that come without status or code 429: by `Retry-After`, by a business code, or by the
//! message. Pure.

use std::collections::BTreeSet;

/// Words in messages by which the provider, or a gateway before it, asks for fewer requests.
const WORDS: [&str; 8] = ["too frequent", "too many requests", "rate limit", "throttl", "busy", "频繁", "繁忙", "限流"];

/// Business codes, spelled as the provider writes them, that mean the same as 429.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetryCodes(BTreeSet<String>);

impl RetryCodes {
    /// Collects the codes, trimmed.
    #[must_use]
    pub fn new(codes: impl IntoIterator<Item = String>) -> Self {
        Self(codes.into_iter().map(|code| code.trim().to_owned()).collect())
    }
}

/// What helps to recognise a limit in one reply, besides its status and body.
#[derive(Clone, Copy, Debug)]
pub(super) struct LimitSigns<'c> {
    pub(super) codes: &'c RetryCodes,
    /// Whether a readable `Retry-After` came with it.
    pub(super) has_retry_after: bool,
}

impl LimitSigns<'_> {
    /// Whether a refusal with this code is a limit, whatever the message says.
    pub(super) fn are_clear(&self, code: &str) -> bool {
        code == "429" || self.has_retry_after || self.codes.0.contains(code)
    }
}

/// Whether a message speaks of a rate limit.
pub(super) fn speaks_of_limit(message: &str) -> bool {
    let message = message.to_lowercase();
    WORDS.iter().any(|word| message.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_recognised_in_messages() {
        for message in
            ["Requests are TOO FREQUENT", "请求过于频繁，请稍后再试", "系统繁忙", "server busy", "Rate limit hit"]
        {
            assert!(speaks_of_limit(message), "{message}");
        }
        for message in ["", "no such order", "账户欠费", "too many parameters", "frequency unknown"] {
            assert!(!speaks_of_limit(message), "{message}");
        }
    }

    #[test]
    fn codes_are_compared_verbatim() {
        let codes = RetryCodes::new(["10029".to_owned(), " E42 ".to_owned()]);
        let signs = LimitSigns { codes: &codes, has_retry_after: false };
        let found = ["429", "10029", "E42", "e42", "1002", ""].map(|code| signs.are_clear(code));
        assert_eq!(found, [true, true, true, false, false, false]);
        assert!(LimitSigns { has_retry_after: true, ..signs }.are_clear("403"));
    }
}
