//! Texts that are sent verbatim as header values.

use std::str::FromStr;

use axum::http::HeaderValue;

/// A header value: any text without control characters, whether it makes sense or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderText(HeaderValue);

/// The text has control characters, which no header value may have.
#[derive(Debug, thiserror::Error)]
#[error("a header value can't have control characters; remove them")]
pub struct HeaderTextError;

impl HeaderText {
    /// `None` if the text is `none`, which means that the header is omitted.
    #[must_use]
    pub fn unless_none(self) -> Option<Self> {
        (self.0 != "none").then_some(self)
    }

    pub(super) fn value(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl FromStr for HeaderText {
    type Err = HeaderTextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        HeaderValue::from_bytes(text.as_bytes()).map(Self).map_err(|_| HeaderTextError)
    }
}

impl From<u32> for HeaderText {
    fn from(number: u32) -> Self {
        Self(number.into())
    }
}
