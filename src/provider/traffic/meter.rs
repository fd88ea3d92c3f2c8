//! How many requests went out within the last second, roughly: counted in tenths of it. Pure.

use std::time::Duration;

const PARTS: usize = 10;
const PART: Duration = Duration::from_millis(100);

/// Counts what happens, and forgets it after a second.
#[derive(Debug, Default)]
pub(super) struct Meter {
    counts: [u32; PARTS],
    /// Since the start, in tenths of a second: the part that is being counted.
    part: u64,
}

impl Meter {
    /// Counts one at `now`.
    pub(super) fn note(&mut self, now: Duration) {
        self.forget(now);
        let count = &mut self.counts[index(self.part)];
        *count = count.saturating_add(1);
    }

    /// How many were counted in the second before `now`, one part of it more or less.
    pub(super) fn last_second(&mut self, now: Duration) -> u32 {
        self.forget(now);
        self.counts.iter().sum()
    }

    fn forget(&mut self, now: Duration) {
        let part = u64::try_from(now.as_millis() / PART.as_millis()).unwrap_or(u64::MAX);
        if part >= self.part.saturating_add(PARTS as u64) {
            self.counts = [0; PARTS];
        } else {
            for passed in self.part + 1..=part {
                self.counts[index(passed)] = 0;
            }
        }
        self.part = self.part.max(part);
    }
}

fn index(part: u64) -> usize {
    usize::try_from(part % PARTS as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_happened_within_a_second() {
        let mut meter = Meter::default();
        for millisecond in (0..5_000).step_by(10) {
            meter.note(Duration::from_millis(millisecond));
        }
        let seen = meter.last_second(Duration::from_millis(4_999));
        assert!((90..=110).contains(&seen), "{seen} of 100");
        let half = meter.last_second(Duration::from_millis(5_500));
        assert!((35..=65).contains(&half), "{half} of 50");
        assert_eq!(meter.last_second(Duration::from_millis(6_100)), 0);
        meter.note(Duration::from_secs(1_000_000));
        assert_eq!(meter.last_second(Duration::from_secs(1_000_000)), 1);
    }
}
