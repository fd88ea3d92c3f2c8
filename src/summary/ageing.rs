//! The age of an unsettled order, and the bands of ages that reports use.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

const SECONDS_PER_HOUR: i64 = 3_600;

/// A band of ages. Each begins where the previous one ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AgeBucket {
    /// Under 1 hour. An order created in the future counts here.
    UpToHour,
    /// From 1 hour to under 24.
    UpToDay,
    /// From 1 day to under 3.
    UpToThreeDays,
    /// From 3 days to under 7.
    UpToWeek,
    /// 7 days or more.
    OverWeek,
    /// The order has no creation time.
    Unknown,
}

impl AgeBucket {
    /// The band of an order created at `created_at`, as of `as_of`.
    #[must_use]
    pub fn of(created_at: Option<Timestamp>, as_of: Timestamp) -> Self {
        match age_hours(created_at, as_of) {
            None => Self::Unknown,
            Some(..1) => Self::UpToHour,
            Some(1..24) => Self::UpToDay,
            Some(24..72) => Self::UpToThreeDays,
            Some(72..168) => Self::UpToWeek,
            Some(168..) => Self::OverWeek,
        }
    }

    /// The word that reports use.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UpToHour => "0-1h",
            Self::UpToDay => "1-24h",
            Self::UpToThreeDays => "1-3d",
            Self::UpToWeek => "3-7d",
            Self::OverWeek => "over-7d",
            Self::Unknown => "unknown",
        }
    }
}

impl Serialize for AgeBucket {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// An order's age in whole hours, rounded down; `None` if it has no creation time.
#[must_use]
pub fn age_hours(created_at: Option<Timestamp>, as_of: Timestamp) -> Option<i64> {
    created_at.map(|created| (as_of.as_second() - created.as_second()).div_euclid(SECONDS_PER_HOUR))
}
