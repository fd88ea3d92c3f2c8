//! A sliding log: at most so many requests in any second. Pure: time is handed in.

use std::collections::VecDeque;
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(1);

/// The times of the requests of the last second.
#[derive(Debug)]
pub(super) struct Limiter {
    most: usize,
    admitted: VecDeque<Duration>,
}

impl Limiter {
    pub(super) fn new(most: u32) -> Self {
        Self { most: usize::try_from(most).unwrap_or(usize::MAX), admitted: VecDeque::new() }
    }

    /// Whether a request at this time is within the limit; only those are counted.
    pub(super) fn admit(&mut self, now: Duration) -> bool {
        while self.admitted.front().is_some_and(|sent| now.saturating_sub(*sent) >= WINDOW) {
            self.admitted.pop_front();
        }
        let within = self.admitted.len() < self.most;
        if within {
            self.admitted.push_back(now);
        }
        within
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_second_holds_more(most in 1_u32..20, gaps in prop::collection::vec(0_u64..400, 1..200)) {
            let mut limiter = Limiter::new(most);
            let mut now = Duration::ZERO;
            let mut admitted = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                if limiter.admit(now) {
                    admitted.push(now);
                }
            }
            for first in &admitted {
                let within = admitted.iter().filter(|sent| **sent >= *first && **sent < *first + WINDOW).count();
                prop_assert!(within <= most as usize);
            }
        }
    }
}
