//! The retry budget: retries are paid for by successful first attempts. Pure.
//!
//! It keeps retries from doubling the load on a failing provider. It only delays retries; it never fails an order.

use std::time::Duration;

/// Earned by a successful first attempt, in thousandths of a retry.
const EARNED: u32 = 200;
/// The cost of one retry, in the same unit.
const COST: u32 = 1_000;
/// The budget at the start, which is also its maximum.
const FULL: u32 = 50 * COST;
/// Even with an empty budget, one part in this many of the allowed rate is open to retries.
const FLOOR_SHARE: u32 = 10;

/// The retry budget of one run.
#[derive(Debug)]
pub(super) struct Budget {
    left: u32,
    /// With an empty budget, a retry may go out this long after the previous one.
    floor: Duration,
    last: Option<Duration>,
}

impl Budget {
    /// A full budget for an allowed rate in requests per second; 0 is unlimited.
    pub(super) fn new(allowance: u32) -> Self {
        let per_second = if allowance == 0 { FLOOR_SHARE } else { (allowance / FLOOR_SHARE).max(1) };
        Self { left: FULL, floor: Duration::from_secs(1) / per_second, last: None }
    }

    /// A first attempt succeeded.
    pub(super) fn earn(&mut self) {
        self.left = (self.left + EARNED).min(FULL);
    }

    /// When the next retry may go out; a past time means at once.
    pub(super) fn turn(&self) -> Duration {
        if self.left >= COST {
            return Duration::ZERO;
        }
        self.last.map_or(Duration::ZERO, |last| last + self.floor)
    }

    /// A retry goes out at `now`.
    pub(super) fn spend(&mut self, now: Duration) {
        self.left = self.left.saturating_sub(COST);
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn retries_within(budget: &mut Budget, time: Duration) -> u32 {
        let (mut now, mut count) = (Duration::ZERO, 0);
        while now < time {
            if budget.turn() <= now {
                budget.spend(now);
                count += 1;
            } else {
                now = budget.turn();
            }
        }
        count
    }

    #[test]
    fn an_empty_budget_allows_a_tenth_of_the_rate_and_at_least_one_a_second() {
        for (allowance, floor) in [(0, 10), (1, 1), (10, 1), (19, 1), (200, 20)] {
            let mut budget = Budget::new(allowance);
            assert_eq!(retries_within(&mut budget, SECOND * 10), 50 + floor * 10 - 1, "allowance {allowance}");
        }
    }

    #[test]
    fn five_successes_pay_for_a_retry() {
        let mut budget = Budget::new(10);
        (0..50).for_each(|_| budget.spend(SECOND));
        assert_eq!(budget.turn(), SECOND * 2);
        (0..4).for_each(|_| budget.earn());
        assert_eq!(budget.turn(), SECOND * 2);
        budget.earn();
        assert_eq!(budget.turn(), Duration::ZERO);
        (0..10_000).for_each(|_| budget.earn());
        assert_eq!(budget.left, FULL, "the budget never exceeds its maximum");
    }
}
