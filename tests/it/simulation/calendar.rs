//! Days and times in plain integers: when orders are created, on which day that is, and how both are written.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;
/// The day of orders without a creation time: 1970-01-01.
pub(super) const UNDATED: i64 = 0;
/// 2026-05-02T10:00:00Z.
pub(super) const IN_MAY: i64 = 1_777_716_000_000_000;
/// The days on which orders are created, around the ends of months: from 2026-03-30 to 2026-05-20, in days since 1970.
const DAYS: [i64; 9] = [20_542, 20_543, 20_544, 20_555, 20_572, 20_573, 20_574, 20_580, 20_593];
/// The first moments of a day in each of the [`ZONES`], as hours and minutes of UTC.
const MIDNIGHTS: [i64; 3] = [16 * HOUR, 0, 18 * HOUR + 15 * 60 * SECOND];

/// When an order was created, in microseconds since 1970; `None` if the provider does not say.
pub(super) type Created = Option<i64>;

/// A time zone that never changes its clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Zone {
    pub(super) name: &'static str,
    /// How far it is ahead of UTC.
    minutes: i64,
}

/// The zones of the datasets; the first is the default of the program.
pub(super) const ZONES: [Zone; 3] = [
    Zone { name: "Asia/Shanghai", minutes: 8 * 60 },
    Zone { name: "UTC", minutes: 0 },
    Zone { name: "Asia/Kathmandu", minutes: 5 * 60 + 45 },
];

impl Zone {
    /// The day of a creation time, in days since 1970.
    pub(super) fn day(self, created: Created) -> i64 {
        created.map_or(UNDATED, |created| (created + self.minutes * 60 * SECOND).div_euclid(DAY))
    }
}

/// Draws a creation time: often the first moment of a day somewhere, or the last one of the day before.
pub(super) fn draw(random: &mut StdRng) -> i64 {
    let day = DAYS.choose(random).copied().unwrap_or_default() * DAY;
    match random.random_range(0..4) {
        0 => day + MIDNIGHTS.choose(random).copied().unwrap_or_default(),
        1 => day + MIDNIGHTS.choose(random).copied().unwrap_or_default() - 1,
        _ => day + random.random_range(0..DAY / SECOND) * SECOND,
    }
}

/// A minute later.
pub(super) const fn minute_after(time: i64) -> i64 {
    time + 60 * SECOND
}

/// Whole hours from a creation time to a moment, both in microseconds.
pub(super) const fn hours(created: i64, until: i64) -> i64 {
    (until - created).div_euclid(HOUR)
}

/// Year, month and day of a day.
pub(super) const fn civil(day: i64) -> [i64; 3] {
    // Years that begin in March have the leap day at their end.
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let january = if month <= 2 { 1 } else { 0 };
    [year + era * 400 + january, month, of_year - (153 * march + 2) / 5 + 1]
}

/// A day as `YYYY-MM-DD`.
pub(super) fn date(day: i64) -> String {
    let [year, month, day] = civil(day);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A day's month as `YYYY-MM`.
pub(super) fn month(day: i64) -> String {
    date(day)[..7].to_owned()
}

/// A time in UTC, as the provider and reports write it.
pub(super) fn written(time: i64) -> String {
    let (day, second, micros) = (time.div_euclid(DAY), time.rem_euclid(DAY) / SECOND, time.rem_euclid(SECOND));
    let [hours, minutes, seconds] = [second / 3_600, second / 60 % 60, second % 60];
    let decimals = if micros == 0 { String::new() } else { format!(".{micros:06}") };
    let decimals = decimals.trim_end_matches('0');
    format!("{}T{hours:02}:{minutes:02}:{seconds:02}{decimals}Z", date(day))
}

#[test]
fn days_are_those_of_the_calendar() {
    assert_eq!([0, 11_016, 20_544, 20_573].map(date), ["1970-01-01", "2000-02-29", "2026-04-01", "2026-04-30"]);
    assert_eq!(written(20_573 * DAY + 16 * HOUR - 1), "2026-04-30T15:59:59.999999Z");
    let midnight = 20_573 * DAY + 16 * HOUR;
    assert_eq!([midnight - 1, midnight].map(|time| ZONES[0].day(Some(time))), [20_573, 20_574]);
}
