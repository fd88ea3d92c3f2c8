//! How often runs are expected.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::days::Days;
use super::time::Period;

/// A day in seconds.
const DAY: i64 = 24 * 3_600;

/// How often runs are expected: one in every slot of that many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Schedule(i64);

impl Schedule {
    /// The shortest slot, in seconds.
    pub const SHORTEST: i64 = 60;

    /// Whether the slots are whole days.
    #[must_use]
    pub const fn is_of_days(self) -> bool {
        self.0 % DAY == 0
    }

    /// The slots from the beginning of a day until a moment, without one that ends later, and at most so many. Slots of whole days are those of the
    /// calendar, however long each day is.
    #[must_use]
    pub fn slots(self, first: Date, until: Timestamp, days: &Days, most: usize) -> Vec<Period> {
        let mut slots = Vec::new();
        let (mut day, mut begins) = (first, days.day(first).period.since);
        while let Some(since) = begins.filter(|_| slots.len() < most) {
            let next = if self.is_of_days() {
                day = match day.checked_add((self.0 / DAY).days()) {
                    Ok(next) => next,
                    Err(_) => break,
                };
                days.day(day).period.since
            } else {
                since.checked_add(SignedDuration::from_secs(self.0)).ok()
            };
            if next.is_none_or(|next| until < next) {
                break;
            }
            slots.push(Period { since: Some(since), until: next });
            begins = next;
        }
        slots
    }
}

impl TryFrom<i64> for Schedule {
    type Error = String;

    fn try_from(seconds: i64) -> Result<Self, String> {
        // Far more than the years of a calendar would not be a number of days any more.
        let longest = 10_000 * DAY;
        if (Self::SHORTEST..=longest).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(format!("runs can't be expected every {seconds} seconds"))
        }
    }
}

impl From<Schedule> for i64 {
    fn from(schedule: Schedule) -> Self {
        schedule.0
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::days::{DayBy, Zone};

    fn slots(zone: &str, seconds: i64, first: Date, until: &str) -> Vec<String> {
        let days = Days { zone: Zone::named(zone).expect("a zone"), by: DayBy::Created };
        let schedule = Schedule::try_from(seconds).expect("a schedule");
        let slots = schedule.slots(first, until.parse().expect("a time"), &days, 10_000);
        slots.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn slots_of_days_are_those_of_the_calendar() {
        // New York puts its clocks back on 1 November 2026.
        assert_eq!(
            slots("America/New_York", DAY, date(2026, 10, 31), "2026-11-03T04:59:59Z"),
            ["2026-10-31T04:00:00Z/2026-11-01T04:00:00Z", "2026-11-01T04:00:00Z/2026-11-02T05:00:00Z"]
        );
        assert_eq!(
            slots("UTC", 7 * DAY, date(2026, 10, 1), "2026-10-15T00:00:00Z"),
            ["2026-10-01T00:00:00Z/2026-10-08T00:00:00Z", "2026-10-08T00:00:00Z/2026-10-15T00:00:00Z"]
        );
    }

    #[test]
    fn other_slots_follow_each_other() {
        assert_eq!(
            slots("Asia/Shanghai", DAY / 2, date(2026, 10, 1), "2026-10-01T16:00:00Z"),
            ["2026-09-30T16:00:00Z/2026-10-01T04:00:00Z", "2026-10-01T04:00:00Z/2026-10-01T16:00:00Z"]
        );
        assert_eq!(slots("UTC", 60, date(2026, 10, 1), "2026-10-02T00:00:00Z").len(), 24 * 60);
    }

    #[test]
    fn the_end_of_the_calendar_ends_the_slots() {
        assert!(slots("UTC", DAY, date(9999, 12, 30), "9999-12-30T22:00:00Z").is_empty());
        assert!([0, -1, 59, i64::MAX].iter().all(|seconds| Schedule::try_from(*seconds).is_err()));
    }
}
