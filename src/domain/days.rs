//! Calendar days of a time zone, each from its first moment until just before the next day's.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::time::Period;

/// Which time of an order decides the day on which it is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DayBy {
    /// The order's creation time.
    #[default]
    Created,
    /// The time of the order's last update.
    Updated,
}

impl DayBy {
    /// Every value.
    pub const ALL: [Self; 2] = [Self::Created, Self::Updated];

    /// The word that options and reports use.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
        }
    }
}

/// A time zone with its name, such as `Asia/Shanghai`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    zone: TimeZone,
    name: String,
}

/// How the day of an order is determined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Days {
    /// The time zone whose days are counted.
    pub zone: Zone,
    /// Which of the order's times counts.
    pub by: DayBy,
}

/// One calendar day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// The day's date.
    pub date: Date,
    /// The day's first moment, and that of the next day.
    pub period: Period,
}

impl Default for Zone {
    fn default() -> Self {
        Self { zone: TimeZone::UTC, name: "UTC".to_owned() }
    }
}

impl Zone {
    /// The zone of that name, in any case; `None` if there is no such zone.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let zone = TimeZone::get(name).ok()?;
        let name = zone.iana_name().unwrap_or(name).to_owned();
        Some(Self { zone, name })
    }

    /// The zone's rules, to convert moments and dates by.
    #[must_use]
    pub const fn time_zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The zone's name in the IANA database.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::named(&name).ok_or_else(|| format!("unknown time zone {name:?}"))
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name
    }
}

impl Days {
    /// The day that a moment falls on.
    #[must_use]
    pub fn day_of(&self, time: Timestamp) -> Day {
        let read = self.zone.zone.to_datetime(time).date();
        // Where clocks go back across midnight, they show the previous day again, which is over nonetheless.
        let next = read.tomorrow().ok().filter(|next| self.begins(*next).is_some_and(|begins| begins <= time));
        self.day(next.unwrap_or(read))
    }

    /// The day of a date. One that the zone skipped, such as when it crossed the date line, holds no moment.
    #[must_use]
    pub fn day(&self, date: Date) -> Day {
        let until = date.tomorrow().ok().and_then(|next| self.begins(next));
        Day { date, period: Period { since: self.begins(date), until } }
    }

    /// The first moment of a date; `None` if it is out of range.
    fn begins(&self, date: Date) -> Option<Timestamp> {
        date.to_zoned_datetime(self.zone.zone.clone()).ok().map(|begins| begins.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The date that a moment falls on in a zone.
    fn date(zone: &str, time: &str) -> String {
        let days = Days { zone: Zone::named(zone).expect("a zone"), by: DayBy::Created };
        let time = time.parse().expect("a time");
        let day = days.day_of(time);
        assert!(day.period.holds(time), "{zone} {time}: {day:?}");
        day.date.to_string()
    }

    #[test]
    fn a_day_begins_at_its_first_moment() {
        // Shanghai is eight hours ahead.
        assert_eq!(date("Asia/Shanghai", "2026-05-08T15:59:59.999999Z"), "2026-05-08");
        assert_eq!(date("Asia/Shanghai", "2026-05-08T16:00:00Z"), "2026-05-09");
        assert_eq!(date("UTC", "2026-05-08T23:59:59.999999Z"), "2026-05-08");
        assert_eq!(date("UTC", "2026-05-09T00:00:00Z"), "2026-05-09");
    }

    #[test]
    fn a_day_may_be_longer_or_shorter() {
        let hours = |zone: &str, date: &str| {
            let days = Days { zone: Zone::named(zone).expect("a zone"), by: DayBy::Updated };
            let Period { since, until } = days.day(date.parse().expect("a date")).period;
            until.expect("a time").duration_since(since.expect("a time")).as_hours()
        };
        // New York puts its clocks forward on 8 March 2026 and back on 1 November.
        assert_eq!(hours("America/New_York", "2026-03-08"), 23);
        assert_eq!(hours("America/New_York", "2026-11-01"), 25);
        assert_eq!(date("America/New_York", "2026-03-08T04:59:59Z"), "2026-03-07");
        assert_eq!(date("America/New_York", "2026-03-08T05:00:00Z"), "2026-03-08");
        assert_eq!(date("America/New_York", "2026-03-09T03:59:59.999999Z"), "2026-03-08");
        assert_eq!(date("America/New_York", "2026-03-09T04:00:00Z"), "2026-03-09");
        // Santiago has no midnight on 8 September 2024: the day begins at one o'clock.
        assert_eq!(date("America/Santiago", "2024-09-08T03:59:59.999999Z"), "2024-09-07");
        assert_eq!(date("America/Santiago", "2024-09-08T04:00:00Z"), "2024-09-08");
        assert_eq!(hours("America/Santiago", "2024-09-08"), 23);
        // Samoa skipped 30 December 2011.
        assert_eq!(hours("Pacific/Apia", "2011-12-30"), 0);
        assert_eq!(date("Pacific/Apia", "2011-12-30T09:59:59Z"), "2011-12-29");
        assert_eq!(date("Pacific/Apia", "2011-12-30T10:00:00Z"), "2011-12-31");
    }

    /// Until 2011, St. John's put its clocks back from 0:01 to 23:01 of the previous day.
    #[test]
    fn a_day_that_is_over_does_not_come_back() {
        assert_eq!(date("America/St_Johns", "2010-11-07T02:29:59Z"), "2010-11-06");
        assert_eq!(date("America/St_Johns", "2010-11-07T02:30:00Z"), "2010-11-07");
        assert_eq!(date("America/St_Johns", "2010-11-07T02:31:00Z"), "2010-11-07", "the clocks show 23:01 again");
        assert_eq!(date("America/St_Johns", "2010-11-07T03:30:00Z"), "2010-11-07");
    }

    #[test]
    fn the_ends_of_time_have_days() {
        for zone in ["Asia/Shanghai", "America/New_York", "UTC"] {
            let days = Days { zone: Zone::named(zone).expect("a zone"), by: DayBy::Created };
            for time in [Timestamp::MIN, Timestamp::MAX] {
                assert!(days.day_of(time).period.holds(time), "{zone} {time}");
            }
        }
    }

    #[test]
    fn zones_have_their_iana_names() {
        assert_eq!(Zone::named("asia/shanghai").expect("a zone").name(), "Asia/Shanghai");
        assert_eq!(Zone::named("Mars"), None);
    }
}
