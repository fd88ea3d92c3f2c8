//! Days as an office counts them: those of a time zone, each from its first moment until right before that of the next.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::time::Period;

/// Which time of an order says on which day it is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DayBy {
    /// When it was created.
    #[default]
    Created,
    /// When it was last updated.
    Updated,
}

impl DayBy {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Created, Self::Updated];

    /// The word for it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
        }
    }
}

/// A time zone by its name, as in `Asia/Shanghai`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    zone: TimeZone,
    name: String,
}

/// How the day of an order is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Days {
    /// Whose days they are.
    pub zone: Zone,
    /// Which of its times counts.
    pub by: DayBy,
}

/// One day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// Its date.
    pub date: Date,
    /// From its first moment until right before that of the next day.
    pub period: Period,
}

impl Default for Zone {
    fn default() -> Self {
        Self { zone: TimeZone::UTC, name: "UTC".to_owned() }
    }
}

impl Zone {
    /// The zone of that name; `None` where there is no such zone.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let zone = TimeZone::get(name).ok()?;
        let name = zone.iana_name().unwrap_or(name).to_owned();
        Some(Self { zone, name })
    }

    /// What counts its days.
    #[must_use]
    pub const fn time_zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::named(&name).ok_or_else(|| format!("the time zone {name:?} is not known here"))
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name
    }
}

impl Days {
    /// The day of that moment.
    #[must_use]
    pub fn day_of(&self, time: Timestamp) -> Day {
        let read = self.zone.zone.to_datetime(time).date();
        // Where clocks go back over midnight, the end of the day before is read a second time: that day is over.
        let next = read.tomorrow().ok().filter(|next| self.begins(*next).is_some_and(|begins| begins <= time));
        self.day(next.unwrap_or(read))
    }

    /// The day of that date. One that a zone left out (as when it crosses the date line) holds no moment.
    #[must_use]
    pub fn day(&self, date: Date) -> Day {
        let until = date.tomorrow().ok().and_then(|next| self.begins(next));
        Day { date, period: Period { since: self.begins(date), until } }
    }

    /// The first moment of a day; `None` where it is no time that could be written.
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
    fn a_day_may_have_another_length() {
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
        // Samoa left 30 December 2011 out.
        assert_eq!(hours("Pacific/Apia", "2011-12-30"), 0);
        assert_eq!(date("Pacific/Apia", "2011-12-30T09:59:59Z"), "2011-12-29");
        assert_eq!(date("Pacific/Apia", "2011-12-30T10:00:00Z"), "2011-12-31");
    }

    /// St. John's put its clocks back from 0:01 to 23:01 of the day before, until 2011.
    #[test]
    fn a_day_that_is_over_does_not_come_back() {
        assert_eq!(date("America/St_Johns", "2010-11-07T02:29:59Z"), "2010-11-06");
        assert_eq!(date("America/St_Johns", "2010-11-07T02:30:00Z"), "2010-11-07");
        assert_eq!(date("America/St_Johns", "2010-11-07T02:31:00Z"), "2010-11-07", "where it is 23:01 again");
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
    fn zones_have_the_names_of_the_database() {
        assert_eq!(Zone::named("asia/shanghai").expect("a zone").name(), "Asia/Shanghai");
        assert_eq!(Zone::named("Mars"), None);
    }
}
