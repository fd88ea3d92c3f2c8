//! When the next request may go out, so that no second holds more than the allowance and hardly any of it is lost.
//!
//! Pure: time is handed in, as the time since some fixed start.

use std::collections::VecDeque;
use std::time::Duration;

/// Sends that many apart as the rate are at least this far apart in time: a second, and what the way to the
/// provider may vary by.
const WINDOW: Duration = Duration::from_millis(1002);
/// One second's slots are spread over this much, so that small delays need not touch the window's edge.
const ROUND: Duration = Duration::from_millis(1005);
/// Missed slots are caught up to this many …
const CATCH_UP_SLOTS: u32 = 3;
/// … or to this much time's worth, whichever is more.
const CATCH_UP: Duration = Duration::from_millis(20);
/// What a timer can space; anything finer would be rounded up by it and lose more than it spaces.
const TIMER_GRAIN: Duration = Duration::from_millis(1);

/// Paces requests to `rate` in any one-second window, evenly.
#[derive(Debug)]
pub(super) struct Pacer {
    rate: usize,
    slot: Duration,
    /// The least distance of two sends while missed slots are caught up.
    gap: Duration,
    catch_up: Duration,
    next_slot: Duration,
    last: Option<Duration>,
    /// The sends that still count in the window, at most `rate` of them.
    sends: VecDeque<Duration>,
}

impl Pacer {
    /// A pacer of that many requests per second; 0 is taken as 1.
    pub(super) fn new(rate: u32) -> Self {
        let rate = rate.max(1);
        let slot = ROUND / rate;
        let half = slot / 2;
        Self {
            rate: usize::try_from(rate).unwrap_or(usize::MAX),
            slot,
            gap: if half >= TIMER_GRAIN { half } else { Duration::ZERO },
            catch_up: CATCH_UP.max(slot * CATCH_UP_SLOTS),
            next_slot: Duration::ZERO,
            last: None,
            sends: VecDeque::new(),
        }
    }

    /// Asks to send at `now`. Where the answer is not later than `now`, the request is to go at once and counts
    /// as sent; where it is later, nothing is counted, and the caller asks again then. So what counts are the
    /// times at which requests really went, however late a timer or a stalled process was.
    pub(super) fn next_send(&mut self, now: Duration) -> Duration {
        let now = self.last.map_or(now, |last| now.max(last));
        while self.sends.front().is_some_and(|sent| *sent + WINDOW <= now) {
            self.sends.pop_front();
        }
        let full = self.sends.front().filter(|_| self.sends.len() >= self.rate);
        let window_opens = full.map_or(Duration::ZERO, |oldest| *oldest + WINDOW);
        let spaced = self.last.map_or(Duration::ZERO, |last| last + self.gap);
        let earliest = self.next_slot.max(window_opens).max(spaced);
        if earliest > now {
            return earliest;
        }
        self.sends.push_back(now);
        self.last = Some(now);
        self.next_slot = (self.next_slot + self.slot).max((now + self.slot).saturating_sub(self.catch_up));
        now
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Asks without a pause until `end`, each wait ending late by the next of `delays` (in µs).
    fn run(rate: u32, end: Duration, mut delays: impl Iterator<Item = u64>) -> Vec<Duration> {
        let (mut pacer, mut now, mut sends) = (Pacer::new(rate), Duration::ZERO, Vec::new());
        while now < end {
            let at = pacer.next_send(now);
            if at <= now {
                sends.push(now);
            } else {
                now = at + Duration::from_micros(delays.next().unwrap_or(0));
            }
        }
        sends
    }

    fn fullest_second(sends: &[Duration]) -> usize {
        let mut first = 0;
        let within = sends.iter().enumerate().map(|(last, send)| {
            while sends[first] + SECOND < *send {
                first += 1;
            }
            last - first + 1
        });
        within.max().unwrap_or(0)
    }

    /// Numbers below `bound` without a pattern (a linear congruential generator).
    fn scattered(bound: u64) -> impl Iterator<Item = u64> {
        let mut state = 1_u64;
        std::iter::repeat_with(move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % bound
        })
    }

    #[test]
    fn the_allowance_is_used_to_99_percent_and_never_exceeded() {
        for rate in [1, 2, 10, 20, 100, 333, 500, 1000, 3000] {
            for lateness in [1, 1_500] {
                let sends = run(rate, 60 * SECOND, scattered(lateness));
                let allowance = 60 * usize::try_from(rate).expect("small");
                assert!(sends.len() * 100 >= allowance * 99, "{} of {allowance}, late by {lateness}", sends.len());
                assert!(fullest_second(&sends) <= allowance / 60, "rate {rate}, late by {lateness}");
            }
        }
    }

    #[test]
    fn a_stall_is_not_repaid_in_a_burst() {
        let mut pacer = Pacer::new(100);
        assert_eq!(pacer.next_send(Duration::ZERO), Duration::ZERO);
        let back = 3 * SECOND;
        let mut burst = 0;
        for millisecond in 0..100 {
            let now = back + Duration::from_millis(millisecond);
            burst += usize::from(pacer.next_send(now) <= now);
        }
        // 100 ms hold ten slots of 10.05 ms, and three may be caught up.
        assert!((10..=13).contains(&burst), "{burst} sends in the 100 ms after a stall of 3 s");
    }

    #[test]
    fn a_rate_of_any_size_works() {
        assert_eq!(Pacer::new(u32::MAX).next_send(SECOND), SECOND);
        let mut slowest = Pacer::new(1);
        assert_eq!(slowest.next_send(SECOND), SECOND);
        assert_eq!(slowest.next_send(SECOND), SECOND + WINDOW);
    }

    proptest! {
        #[test]
        fn no_second_holds_more_than_the_rate(
            rate in prop_oneof![1_u32..60, Just(1000)],
            steps in prop::collection::vec((0_u64..4_000, 0_u8..40), 200..3_000),
        ) {
            let (mut pacer, mut now) = (Pacer::new(rate), Duration::ZERO);
            let mut sends = Vec::new();
            for (delay, kind) in steps {
                let at = pacer.next_send(now);
                if at <= now {
                    sends.push(now);
                }
                // Mostly just after the wait, now and then too early, far too late, or after idling.
                now = match kind {
                    0 => now + Duration::from_micros(delay),
                    1 => at + Duration::from_micros(delay * 500),
                    2 => at + Duration::from_micros(delay * 30),
                    _ => at + Duration::from_micros(delay % 1_500),
                };
            }
            prop_assert!(fullest_second(&sends) <= rate as usize);
        }
    }
}
