//! The rate limit: a sliding log over an injected clock.

use std::collections::VecDeque;
use std::time::Duration;

/// The window over which the limit counts.
const WINDOW: Duration = Duration::from_secs(1);

/// Admits at most `limit` requests in any window of one second (half open: a request frees its place exactly one second
/// later). Rejected requests don't count.
pub(super) struct SlidingLog {
    limit: usize,
    admitted: VecDeque<Duration>,
}

impl SlidingLog {
    pub(super) fn new(limit: u32) -> Self {
        Self { limit: usize::try_from(limit).unwrap_or(usize::MAX), admitted: VecDeque::new() }
    }

    /// Whether a request at `now` is admitted. `now` is a duration since a fixed moment and never goes back.
    pub(super) fn admit(&mut self, now: Duration) -> bool {
        while self.admitted.front().is_some_and(|earlier| now.saturating_sub(*earlier) >= WINDOW) {
            self.admitted.pop_front();
        }
        let admitted = self.admitted.len() < self.limit;
        if admitted {
            self.admitted.push_back(now);
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn frees_a_place_one_second_later() {
        let mut log = SlidingLog::new(2);
        let admitted = [0, 400, 999, 1000, 1001, 1399, 1400].map(|at| log.admit(Duration::from_millis(at)));
        assert_eq!(admitted, [true, true, false, true, false, false, true]);
        assert!(!SlidingLog::new(0).admit(Duration::ZERO));
    }

    proptest! {
        #[test]
        fn never_exceeds_the_limit(limit in 1_u32..20, steps in proptest::collection::vec(0_u64..300, 1..300)) {
            let mut log = SlidingLog::new(limit);
            let mut now = 0;
            let mut admitted: Vec<u64> = Vec::new();
            for step in steps {
                now += step;
                let room = admitted.iter().filter(|at| **at + 1000 > now).count() < limit as usize;
                prop_assert_eq!(log.admit(Duration::from_millis(now)), room);
                if room {
                    admitted.push(now);
                }
            }
            for start in &admitted {
                let within = admitted.iter().filter(|at| (*start..start + 1000).contains(at)).count();
                prop_assert!(within <= limit as usize);
            }
        }
    }
}
