//! Texts that go out as a header's value, verbatim.

use std::str::FromStr;

use axum::http::HeaderValue;

/// A header's value: any text without control characters, sensible or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderText(HeaderValue);

/// A text that no header can carry.
#[derive(Debug, thiserror::Error)]
#[error("a header's value holds no control characters; leave them out")]
pub struct HeaderTextError;

impl HeaderText {
    /// Nothing where the text is `none`, which stands for leaving the header out.
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
