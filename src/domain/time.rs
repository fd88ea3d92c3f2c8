//! Times, which are kept to the microsecond, and the time between two of them.

use jiff::Timestamp;

/// The inverse of [`Timestamp::as_microsecond`]. That of jiff refuses the last second it can represent, and no
/// time that could be written may be unreadable.
#[must_use]
pub fn from_microsecond(microseconds: i64) -> Option<Timestamp> {
    const PER_SECOND: i64 = 1_000_000;
    let nanosecond = i32::try_from(microseconds.rem_euclid(PER_SECOND)).ok()? * 1_000;
    Timestamp::new(microseconds.div_euclid(PER_SECOND), nanosecond).ok()
}

/// The time from one moment on until right before another. `None` is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// The first moment.
    pub since: Option<Timestamp>,
    /// The first moment after it.
    pub until: Option<Timestamp>,
}

impl Period {
    /// Whether that moment lies in it.
    #[must_use]
    pub fn holds(&self, time: Timestamp) -> bool {
        self.since.is_none_or(|since| since <= time) && self.until.is_none_or(|until| time < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_holds_its_first_moment_and_not_the_one_after_it() {
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
    }
}
