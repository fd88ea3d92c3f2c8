//! Compares this machine's clock with the provider's.

use jiff::{SignedDuration, Timestamp};

/// Tolerated difference in seconds: replies take time to arrive, and `Date` has whole seconds.
const TOLERATED: i64 = 120;

/// The same moment by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// The time by this machine's clock.
    pub ours: Timestamp,
    /// The time by the provider's clock, from a reply's `Date` header.
    pub provider: Timestamp,
}

impl ClockReading {
    /// How far our clock is ahead of the provider's (negative: behind); `None` if they agree within two minutes.
    #[must_use]
    pub fn ahead(&self) -> Option<SignedDuration> {
        let ahead = self.ours.duration_since(self.provider);
        (ahead.as_secs().abs() > TOLERATED).then_some(ahead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_minutes_are_tolerated() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).expect("a time");
        let ahead = |ours: i64| ClockReading { ours: at(ours), provider: at(0) }.ahead().map(|ahead| ahead.as_secs());
        assert_eq!([-121, -120, 0, 45, 120, 121].map(ahead), [Some(-121), None, None, None, None, Some(121)]);
    }
}
