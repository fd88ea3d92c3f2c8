//! Roughly how many events happened in the last second, counted in tenths of a second. Pure.

use std::time::Duration;

const PARTS: usize = 10;
const PART: Duration = Duration::from_millis(100);

/// Counts events and forgets them after a second.
#[derive(Debug, Default)]
pub(super) struct Meter {
    counts: [u32; PARTS],
    /// The tenth of a second being counted, numbered from the start.
    part: u64,
}

impl Meter {
    /// Counts one event at `now`.
    pub(super) fn note(&mut self, now: Duration) {
        self.forget(now);
        let count = &mut self.counts[index(self.part)];
        *count = count.saturating_add(1);
    }

    /// The events in the second before `now`, give or take a tenth of it.
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
    fn counts_the_events_of_the_last_second() {
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
