//! Times to the microsecond, ages, and periods.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The inverse of [`Timestamp::as_microsecond`]. Jiff's own refuses the last second that it can represent,
/// and every time that was written must be readable.
#[must_use]
pub fn from_microsecond(microseconds: i64) -> Option<Timestamp> {
    const PER_SECOND: i64 = 1_000_000;
    let nanosecond = i32::try_from(microseconds.rem_euclid(PER_SECOND)).ok()? * 1_000;
    Timestamp::new(microseconds.div_euclid(PER_SECOND), nanosecond).ok()
}

/// Whether a time stands for an absent one, in any zone: a program's zero value (year 1, the epoch) or its
/// last day (the end of 9999).
#[must_use]
pub fn is_zero(time: Timestamp) -> bool {
    const DAY: i64 = 24 * 3_600;
    /// The first second of the year 2.
    const YEAR_2: i64 = -62_104_060_800;
    /// The first second of 30 December 9999.
    const LAST_DAYS: i64 = 253_402_128_000;
    let second = time.as_second();
    second < YEAR_2 || second.abs() < DAY || second >= LAST_DAYS
}

/// An age limit for orders: a positive number of whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Age(i64);

impl Age {
    /// The age of so many hours, which must not be 0.
    #[must_use]
    pub const fn of_hours(hours: u8) -> Self {
        assert!(hours > 0, "an age is positive");
        Self(hours as i64 * 3_600)
    }

    /// The age in seconds.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// The age as a duration.
    #[must_use]
    pub const fn duration(self) -> SignedDuration {
        SignedDuration::from_secs(self.0)
    }
}

impl TryFrom<i64> for Age {
    type Error = String;

    fn try_from(seconds: i64) -> Result<Self, String> {
        if seconds > 0 { Ok(Self(seconds)) } else { Err(format!("an age must be positive, not {seconds} seconds")) }
    }
}

impl From<Age> for i64 {
    fn from(age: Age) -> Self {
        age.0
    }
}

/// The time from one moment until just before another. `None` leaves that end open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// The first moment of the period.
    pub since: Option<Timestamp>,
    /// The first moment after the period.
    pub until: Option<Timestamp>,
}

impl Period {
    /// Whether the period has a bound at either end.
    #[must_use]
    pub const fn is_bounded(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// Whether a moment lies in the period.
    #[must_use]
    pub fn holds(&self, time: Timestamp) -> bool {
        self.since.is_none_or(|since| since <= time) && self.until.is_none_or(|until| time < until)
    }
}

impl fmt::Display for Period {
    /// Writes an ISO 8601 interval, with `..` for an open end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = |time: Option<Timestamp>| time.map_or_else(|| "..".to_owned(), |time| time.to_string());
        write!(f, "{}/{}", bound(self.since), bound(self.until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_values_of_programs_are_recognised() {
        let is_zero = |text: &str| is_zero(text.parse().expect("a time"));
        for text in [
            "0001-01-01T00:00:00Z",
            "0001-01-01T00:00:00+08:00",
            "0000-12-31T23:00:00Z",
            "1970-01-01T00:00:00Z",
            "1970-01-01T00:00:00+08:00",
            "1970-01-01T08:00:00Z",
            "9999-12-30T21:59:59Z",
            "9999-12-31T00:00:00+08:00",
        ] {
            assert!(is_zero(text), "{text}");
        }
        for text in ["2026-05-08T10:00:00Z", "1970-01-03T00:00:00Z", "1969-12-30T00:00:00Z", "0002-01-01T00:00:01Z"] {
            assert!(!is_zero(text), "{text}");
        }
    }

    #[test]
    fn a_period_holds_its_first_moment_but_not_its_end() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let held = |since: Option<i64>, until: Option<i64>| {
            let period = Period { since: since.map(at), until: until.map(at) };
            (0..5).filter(|second| period.holds(at(*second))).collect::<Vec<_>>()
        };
        assert_eq!(held(Some(1), Some(3)), [1, 2]);
        assert_eq!(held(Some(3), None), [3, 4]);
        assert_eq!(held(None, Some(2)), [0, 1]);
        assert_eq!(held(None, None), [0, 1, 2, 3, 4]);
        assert_eq!(held(Some(3), Some(3)), [0; 0]);
        let may = Period { since: Some(at(1)), until: None };
        assert_eq!(may.to_string(), "1970-01-01T00:00:01Z/..");
        assert!(may.is_bounded() && !Period::default().is_bounded());
    }
}
