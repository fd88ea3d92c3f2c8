//! Months of the calendar, each from its first day until just before that of the next.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A month of the calendar, such as `2026-10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month {
    first: Date,
    next: Date,
}

/// The error for a text that does not name a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give a month such as 2026-10")]
pub struct UnknownMonth;

impl Month {
    /// The month that a day belongs to; `None` for the last one that there is.
    #[must_use]
    pub fn of(day: Date) -> Option<Self> {
        Some(Self { first: day.first_of_month(), next: day.last_of_month().tomorrow().ok()? })
    }

    /// Its first day.
    #[must_use]
    pub const fn first(self) -> Date {
        self.first
    }

    /// The first day of the month after it.
    #[must_use]
    pub const fn end(self) -> Date {
        self.next
    }

    /// Whether a day belongs to it.
    #[must_use]
    pub fn has(self, day: Date) -> bool {
        self.first <= day && day < self.next
    }

    /// The month after it.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::of(self.next)
    }
}

impl FromStr for Month {
    type Err = UnknownMonth;

    fn from_str(text: &str) -> Result<Self, UnknownMonth> {
        let day = format!("{text}-01").parse::<Date>().ok();
        day.and_then(Self::of).filter(|month| month.to_string() == text).ok_or(UnknownMonth)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first.strftime("%Y-%m"))
    }
}

impl TryFrom<String> for Month {
    type Error = UnknownMonth;

    fn try_from(text: String) -> Result<Self, UnknownMonth> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_month_is_from_its_first_day_to_that_of_the_next() {
        let bounds = |text: &str| text.parse::<Month>().map(|month| (month.first(), month.end()));
        assert_eq!(bounds("2026-12"), Ok((date(2026, 12, 1), date(2027, 1, 1))));
        assert_eq!(bounds("2028-02"), Ok((date(2028, 2, 1), date(2028, 3, 1))));
        let october: Month = "2026-10".parse().expect("a month");
        let has = |month, day| october.has(date(2026, month, day));
        assert_eq!([has(9, 30), has(10, 1), has(10, 31), has(11, 1)], [false, true, true, false]);
        assert_eq!(october.next().map(|next| next.to_string()).as_deref(), Some("2026-11"));
    }

    #[test]
    fn what_is_no_month_is_refused() {
        for text in ["", "2026", "2026-13", "2026-1", "202610", "2026-10-01", "-2026-10", "2026-10 ", "9999-12"] {
            assert_eq!(text.parse::<Month>(), Err(UnknownMonth), "{text}");
        }
    }
}
