//! The times of day at which the job starts, as calendars write them.

use jiff::civil::Time;

use crate::domain::schedule::Schedule;

const MINUTE: i64 = 60;
const QUARTER: i64 = 15 * MINUTE;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// The local times at which the job starts: at each of these minutes of each of these hours.
pub(super) struct Times {
    is_weekly: bool,
    hours: Vec<i64>,
    minutes: Vec<i64>,
    /// The time from one start to the next, in seconds.
    pub(super) every: i64,
}

impl Times {
    /// Starts at `at`, and again as often as runs are expected: daily if that is not said. The error says why no
    /// calendar has such times.
    pub(super) fn new(every: Option<Schedule>, at: Time) -> Result<Self, String> {
        let every = every.map_or(DAY, i64::from);
        let (hour, minute) = (i64::from(at.hour()), i64::from(at.minute()));
        let is_daily = DAY % every == 0 || every == WEEK;
        let (hours, minutes) = if is_daily && every % HOUR == 0 {
            let step = (every / HOUR).min(24);
            (series(hour, step, 24), vec![minute])
        } else if is_daily && every % MINUTE == 0 && HOUR % every == 0 {
            (series(0, 1, 24), series(minute, every / MINUTE, 60))
        } else {
            return Err(format!(
                "[schedule]: no calendar starts a job every {every} seconds: give a part of a day in whole hours, a part \
                 of an hour in whole minutes, 24h or 7d"
            ));
        };
        Ok(Self { is_weekly: every == WEEK, hours, minutes, every })
    }

    /// How long after a start its slot can end, less a minute, in seconds. Slots begin at midnight, but in the time zone of
    /// the settings: by this machine's clock, at any quarter of an hour.
    pub(super) fn rest(&self) -> i64 {
        let grid = greatest_common_divisor(self.every, QUARTER);
        let start = self.minutes.first().copied().unwrap_or_default() * MINUTE;
        (grid - start % grid - MINUTE).max(0)
    }

    /// As systemd writes them in `OnCalendar=`.
    pub(super) fn calendar(&self) -> String {
        let list = |numbers: &[i64], all| list(numbers, all, |number| format!("{number:02}"));
        let day = if self.is_weekly { "Mon *-*-*" } else { "*-*-*" };
        format!("{day} {}:{}:00", list(&self.hours, 24), list(&self.minutes, 60))
    }

    /// As cron writes them, in five fields.
    pub(super) fn crontab(&self) -> String {
        let list = |numbers: &[i64], all| list(numbers, all, |number| number.to_string());
        let day = if self.is_weekly { "1" } else { "*" };
        format!("{} {} * * {day}", list(&self.minutes, 60), list(&self.hours, 24))
    }
}

fn greatest_common_divisor(one: i64, other: i64) -> i64 {
    if other == 0 { one } else { greatest_common_divisor(other, one % other) }
}

/// The numbers below `end` that are whole steps away from `one`.
fn series(one: i64, step: i64, end: i64) -> Vec<i64> {
    (0..end).filter(|number| (number - one) % step == 0).collect()
}

/// The numbers with commas between them; `*` for all numbers there are.
fn list(numbers: &[i64], all: usize, written: impl Fn(&i64) -> String) -> String {
    if numbers.len() == all { "*".to_owned() } else { numbers.iter().map(written).collect::<Vec<_>>().join(",") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(seconds: i64) -> Option<(String, String)> {
        let every = Schedule::try_from(seconds).expect("a schedule");
        let times = Times::new(Some(every), Time::constant(14, 35, 0, 0)).ok()?;
        Some((times.calendar(), times.crontab()))
    }

    #[test]
    fn a_schedule_is_written_for_both() {
        for (seconds, calendar, crontab) in [
            (DAY, "*-*-* 14:35:00", "35 14 * * *"),
            (WEEK, "Mon *-*-* 14:35:00", "35 14 * * 1"),
            (DAY / 2, "*-*-* 02,14:35:00", "35 2,14 * * *"),
            (DAY / 3, "*-*-* 06,14,22:35:00", "35 6,14,22 * * *"),
            (HOUR, "*-*-* *:35:00", "35 * * * *"),
            (HOUR / 4, "*-*-* *:05,20,35,50:00", "5,20,35,50 * * * *"),
            (MINUTE, "*-*-* *:*:00", "* * * * *"),
        ] {
            assert_eq!(both(seconds), Some((calendar.to_owned(), crontab.to_owned())), "{seconds}");
        }
        let usual = Times::new(None, Time::constant(2, 30, 0, 0)).expect("daily");
        assert_eq!(usual.calendar(), "*-*-* 02:30:00");
    }

    #[test]
    fn what_no_calendar_has_is_refused() {
        for seconds in [5 * HOUR, 2 * DAY, 14 * DAY, 90 * MINUTE, 7 * MINUTE, 61, DAY + 1] {
            assert_eq!(both(seconds), None, "{seconds}");
        }
    }
}
