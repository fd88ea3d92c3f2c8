//! Run order IDs as people type them into a CSV.

use std::fmt;

/// The longest usable ID, in characters.
const MAX_LENGTH: usize = 128;

/// A usable run order ID: 1–128 printable ASCII characters without spaces.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunOrderId(Box<str>);

/// Why a cell holds no usable ID. The wording is what `exceptions.csv` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing but blanks.
    #[error("the ID cell is empty")]
    Empty,
    /// More than 128 characters.
    #[error("the ID is longer than 128 characters")]
    TooLong,
    /// A space, a control character or anything outside ASCII.
    #[error("the ID has a blank or a character that is not printable ASCII")]
    BadCharacter,
}

impl RunOrderId {
    /// Reads a cell, with blanks around the ID trimmed.
    ///
    /// # Errors
    /// [`IdError`] says why the cell is not usable.
    pub fn parse(cell: &str) -> Result<Self, IdError> {
        let id = cell.trim();
        if id.is_empty() {
            return Err(IdError::Empty);
        }
        if !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(IdError::BadCharacter);
        }
        if id.len() > MAX_LENGTH {
            return Err(IdError::TooLong);
        }
        Ok(Self(id.into()))
    }

    /// The ID's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trims_and_refuses() {
        assert_eq!(RunOrderId::parse(" wfrun_1\t").map(|id| id.to_string()), Ok("wfrun_1".into()));
        assert_eq!(RunOrderId::parse("\u{3000} "), Err(IdError::Empty));
        assert_eq!(RunOrderId::parse("a b"), Err(IdError::BadCharacter));
        assert_eq!(RunOrderId::parse("订单"), Err(IdError::BadCharacter));
        assert_eq!(RunOrderId::parse("a\u{7f}"), Err(IdError::BadCharacter));
        assert!(RunOrderId::parse(&"x".repeat(128)).is_ok());
        assert_eq!(RunOrderId::parse(&"x".repeat(129)), Err(IdError::TooLong));
    }
}
