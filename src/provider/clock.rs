//! This machine's clock beside the provider's.

use jiff::{SignedDuration, Timestamp};

/// A clock may differ by so much, in seconds: replies are on their way, and their times are whole seconds.
const TOLERATED: i64 = 120;

/// One moment by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// By this machine's clock.
    pub ours: Timestamp,
    /// By the provider's, as a reply's `Date` has it.
    pub provider: Timestamp,
}

impl ClockReading {
    /// How far our clock is ahead of the provider's; `None` where they agree to two minutes.
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
