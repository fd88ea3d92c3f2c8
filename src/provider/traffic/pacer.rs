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
/// The slots are never further apart than this rate, in requests per second.
const LEAST_RATE: f64 = 0.01;

/// Paces requests to `rate` in any one-second window, evenly.
///
/// A request that is taken but of which it is not known yet when it went out ([`Pacer::landed`] tells) counts as if
/// it went out at this very moment, so that no connection that is slow to open can bunch requests.
#[derive(Debug)]
pub(super) struct Pacer {
    rate: usize,
    slot: Duration,
    next_slot: Duration,
    last: Option<Duration>,
    /// How many are taken and not landed.
    aloft: usize,
    /// The landed ones that still count in the window.
    landed: VecDeque<Duration>,
}

impl Pacer {
    /// A pacer of that many requests per second; 0 is taken as 1.
    pub(super) fn new(rate: u32) -> Self {
        let rate = rate.max(1);
        Self {
            rate: usize::try_from(rate).unwrap_or(usize::MAX),
            slot: ROUND / rate,
            next_slot: Duration::ZERO,
            last: None,
            aloft: 0,
            landed: VecDeque::new(),
        }
    }

    /// Counts requests of an earlier run, which landed at those times, the earliest first.
    pub(super) fn remember(&mut self, landed: impl IntoIterator<Item = Duration>) {
        self.landed.extend(landed);
    }

    /// Spreads the slots for that many requests per second from now on. The window keeps its own rate.
    pub(super) fn slow_to(&mut self, rate: f64) {
        let slot = ROUND.div_f64(rate.max(LEAST_RATE));
        self.slot = slot.max(ROUND / u32::try_from(self.rate).unwrap_or(u32::MAX));
    }

    /// When the next request may go, asked at `now`: at once where that is not later. `None`: when one that is aloft
    /// has landed.
    pub(super) fn turn(&mut self, now: Duration) -> Option<Duration> {
        let now = self.monotonic(now);
        while self.landed.front().is_some_and(|at| *at + WINDOW <= now) {
            self.landed.pop_front();
        }
        if self.aloft >= self.rate {
            return None;
        }
        // How many of the landed must leave the window first.
        let surplus = (self.aloft + self.landed.len() + 1).saturating_sub(self.rate);
        let window_opens = surplus.checked_sub(1).and_then(|last| self.landed.get(last));
        let window_opens = window_opens.map_or(Duration::ZERO, |at| *at + WINDOW);
        let spaced = self.last.map_or(Duration::ZERO, |last| last + self.gap());
        Some(self.next_slot.max(window_opens).max(spaced))
    }

    /// Takes the turn at `now`.
    pub(super) fn take(&mut self, now: Duration) {
        let now = self.monotonic(now);
        let catch_up = CATCH_UP.max(self.slot.saturating_mul(CATCH_UP_SLOTS));
        // Before the first there is nothing to catch up.
        let catch_up = self.last.map_or(Duration::ZERO, |_| catch_up);
        self.last = Some(now);
        self.next_slot = (self.next_slot + self.slot).max((now + self.slot).saturating_sub(catch_up));
        self.aloft += 1;
    }

    /// One that was taken went out at `now` at the latest.
    pub(super) fn landed(&mut self, now: Duration) {
        let now = self.landed.back().map_or(now, |last| now.max(*last));
        self.aloft = self.aloft.saturating_sub(1);
        self.landed.push_back(now);
    }

    /// When the requests went out that still count at `now`; those aloft as of now.
    pub(super) fn counted(&self, now: Duration) -> impl Iterator<Item = Duration> {
        let landed = self.landed.iter().copied().filter(move |at| *at + WINDOW > now);
        landed.chain(std::iter::repeat_n(now, self.aloft))
    }

    /// The least distance of two sends while missed slots are caught up.
    fn gap(&self) -> Duration {
        let half = self.slot / 2;
        if half >= TIMER_GRAIN { half } else { Duration::ZERO }
    }

    fn monotonic(&self, now: Duration) -> Duration {
        self.last.map_or(now, |last| now.max(last))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Asks to send at `now`, where what is sent lands at once.
    fn next_send(pacer: &mut Pacer, now: Duration) -> Duration {
        let at = pacer.turn(now).expect("nothing is aloft");
        if at <= now {
            pacer.take(now);
            pacer.landed(now);
        }
        at.max(now)
    }

    /// Asks without a pause until `end`, each wait ending late by the next of `delays` (in µs).
    fn run(rate: u32, end: Duration, mut delays: impl Iterator<Item = u64>) -> Vec<Duration> {
        let (mut pacer, mut now, mut sends) = (Pacer::new(rate), Duration::ZERO, Vec::new());
        while now < end {
            let at = next_send(&mut pacer, now);
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
        assert_eq!(next_send(&mut pacer, Duration::ZERO), Duration::ZERO);
        let back = 3 * SECOND;
        let mut burst = 0;
        for millisecond in 0..100 {
            let now = back + Duration::from_millis(millisecond);
            burst += usize::from(next_send(&mut pacer, now) <= now);
        }
        // 100 ms hold ten slots of 10.05 ms, and three may be caught up.
        assert!((10..=13).contains(&burst), "{burst} sends in the 100 ms after a stall of 3 s");
    }

    #[test]
    fn a_rate_of_any_size_works() {
        assert_eq!(next_send(&mut Pacer::new(u32::MAX), SECOND), SECOND);
        let mut slowest = Pacer::new(1);
        assert_eq!(next_send(&mut slowest, SECOND), SECOND);
        assert_eq!(next_send(&mut slowest, SECOND), SECOND + ROUND);
    }

    #[test]
    fn what_is_aloft_counts_until_it_landed_and_a_second_longer() {
        let mut pacer = Pacer::new(2);
        for at in [0, 600] {
            let now = Duration::from_millis(at);
            assert!(pacer.turn(now).is_some_and(|turn| turn <= now));
            pacer.take(now);
        }
        assert_eq!(pacer.turn(5 * SECOND), None, "both connections are still opening");
        pacer.landed(5 * SECOND);
        assert_eq!(pacer.turn(5 * SECOND), Some(5 * SECOND + WINDOW), "one landed, one is aloft");
        pacer.landed(6 * SECOND);
        assert_eq!(pacer.turn(6 * SECOND), Some(5 * SECOND + WINDOW));
        assert_eq!(pacer.counted(6 * SECOND + WINDOW / 2).collect::<Vec<_>>(), [6 * SECOND]);
    }

    #[test]
    fn what_an_earlier_run_sent_counts() {
        let mut pacer = Pacer::new(3);
        pacer.remember([SECOND, SECOND * 3 / 2, SECOND * 2]);
        assert_eq!(pacer.turn(SECOND * 2), Some(SECOND + WINDOW));
        assert!(pacer.turn(SECOND + WINDOW).is_some_and(|turn| turn <= SECOND + WINDOW));
    }

    #[test]
    fn slower_slots_space_what_the_window_would_allow() {
        let mut pacer = Pacer::new(100);
        pacer.slow_to(10.0);
        let mut sends = 0;
        for millisecond in 0..10_000 {
            let now = Duration::from_millis(millisecond);
            sends += usize::from(next_send(&mut pacer, now) <= now);
        }
        assert!((98..=102).contains(&sends), "{sends} sends in 10 s at 10 a second");
        pacer.slow_to(1e9);
        assert_eq!(pacer.slot, ROUND / 100, "never faster than its own rate");
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
                let at = next_send(&mut pacer, now);
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
