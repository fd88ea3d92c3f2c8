//! Run order IDs as people type them into a CSV.

use std::fmt;

/// The longest usable ID, in characters.
const MAX_LENGTH: usize = 128;

/// A usable run order ID: 1–128 printable ASCII characters without spaces.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunOrderId(Box<str>);

/// Why a cell holds no usable ID. `exceptions.csv` shows these messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The cell holds only blanks.
    #[error("the ID cell is empty")]
    Empty,
    /// The text has more than 128 characters.
    #[error("the ID is longer than 128 characters")]
    TooLong,
    /// The text has a space, a control character or a character outside ASCII.
    #[error("the ID has a blank or a character that is not printable ASCII")]
    BadCharacter,
}

impl RunOrderId {
    /// Reads the ID in a cell, ignoring blanks around it.
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
    fn blanks_are_trimmed_and_unusable_ids_refused() {
        assert_eq!(RunOrderId::parse(" wfrun_1\t").map(|id| id.to_string()), Ok("wfrun_1".into()));
        assert_eq!(RunOrderId::parse("\u{3000} "), Err(IdError::Empty));
        assert_eq!(RunOrderId::parse("a b"), Err(IdError::BadCharacter));
        assert_eq!(RunOrderId::parse("订单"), Err(IdError::BadCharacter));
        assert_eq!(RunOrderId::parse("a\u{7f}"), Err(IdError::BadCharacter));
        assert!(RunOrderId::parse(&"x".repeat(128)).is_ok());
        assert_eq!(RunOrderId::parse(&"x".repeat(129)), Err(IdError::TooLong));
    }
}
