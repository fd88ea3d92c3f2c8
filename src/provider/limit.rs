//! How a limit is recognised that comes without status or code 429: by `Retry-After`, by a business code, or by what the
//! message says. Pure.

use std::collections::BTreeSet;

/// What messages say where the provider, or what stands before it, wants fewer requests.
const WORDS: [&str; 8] = ["too frequent", "too many requests", "rate limit", "throttl", "busy", "频繁", "繁忙", "限流"];

/// Business codes, as the provider writes them, that mean the same as 429.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetryCodes(BTreeSet<String>);

impl RetryCodes {
    /// These codes.
    #[must_use]
    pub fn new(codes: impl IntoIterator<Item = String>) -> Self {
        Self(codes.into_iter().map(|code| code.trim().to_owned()).collect())
    }
}

/// What one reply has beside its body.
#[derive(Clone, Copy, Debug)]
pub(super) struct LimitSigns<'c> {
    pub(super) codes: &'c RetryCodes,
    /// Whether a readable `Retry-After` came with it.
    pub(super) has_retry_after: bool,
}

impl LimitSigns<'_> {
    /// Whether a refusal with that code is a limit, whatever the message says.
    pub(super) fn are_clear(&self, code: &str) -> bool {
        code == "429" || self.has_retry_after || self.codes.0.contains(code)
    }
}

/// Whether a message speaks of a limit.
pub(super) fn speaks_of_limit(message: &str) -> bool {
    let message = message.to_lowercase();
    WORDS.iter().any(|word| message.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_speak_of_a_limit() {
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
    fn codes_are_compared_as_they_are_written() {
        let codes = RetryCodes::new(["10029".to_owned(), " E42 ".to_owned()]);
        let signs = LimitSigns { codes: &codes, has_retry_after: false };
        let found = ["429", "10029", "E42", "e42", "1002", ""].map(|code| signs.are_clear(code));
        assert_eq!(found, [true, true, true, false, false, false]);
        assert!(LimitSigns { has_retry_after: true, ..signs }.are_clear("403"));
    }
}
