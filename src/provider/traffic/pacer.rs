//! When the next request may go out, so that no second has more requests than allowed and hardly any of the allowed
//! rate goes unused.
//!
//! Pure: times are passed in, as durations since a fixed start.

use std::collections::VecDeque;
use std::time::Duration;

/// No window of this length has more than `rate` sends: a second, plus the variation in travel time to the provider.
const WINDOW: Duration = Duration::from_millis(1002);
/// The slots of one second are spread over this time, so that small delays don't run into the window's edge.
const ROUND: Duration = Duration::from_millis(1005);
/// At most this many missed slots are caught up …
const CATCH_UP_SLOTS: u32 = 3;
/// … or as many as fit into this time, if that is more.
const CATCH_UP: Duration = Duration::from_millis(20);
/// The finest spacing a timer can keep. Shorter waits would be rounded up and lose more than they space.
const TIMER_GRAIN: Duration = Duration::from_millis(1);
/// Slots are never spaced wider than for this rate, in requests per second.
const LEAST_RATE: f64 = 0.01;

/// Spreads requests evenly, with at most `rate` in any one-second window.
///
/// A request that was taken but has not certainly gone out yet (until [`Pacer::note_departure`]) counts as if it went
/// out right now, so that a connection that is slow to open can't bunch requests.
#[derive(Debug)]
pub(super) struct Pacer {
    rate: usize,
    slot: Duration,
    next_slot: Duration,
    last: Option<Duration>,
    /// Requests taken that have not certainly gone out.
    departing: usize,
    /// When the requests went out that still count in the window.
    departures: VecDeque<Duration>,
}

impl Pacer {
    /// A pacer for `rate` requests per second; 0 counts as 1.
    pub(super) fn new(rate: u32) -> Self {
        let rate = rate.max(1);
        Self {
            rate: usize::try_from(rate).unwrap_or(usize::MAX),
            slot: ROUND / rate,
            next_slot: Duration::ZERO,
            last: None,
            departing: 0,
            departures: VecDeque::new(),
        }
    }

    /// Counts requests of an earlier run, which went out at these times, oldest first.
    pub(super) fn remember(&mut self, departures: impl IntoIterator<Item = Duration>) {
        self.departures.extend(departures);
    }

    /// Spaces the slots for `rate` requests per second from now on. The window keeps the original rate.
    pub(super) fn slow_to(&mut self, rate: f64) {
        let slot = ROUND.div_f64(rate.max(LEAST_RATE));
        self.slot = slot.max(ROUND / u32::try_from(self.rate).unwrap_or(u32::MAX));
    }

    /// When the next request may go out; at once if that is not after `now`. `None`: only after a departing request
    /// has gone out.
    pub(super) fn turn(&mut self, now: Duration) -> Option<Duration> {
        let now = self.monotonic(now);
        while self.departures.front().is_some_and(|at| *at + WINDOW <= now) {
            self.departures.pop_front();
        }
        if self.departing >= self.rate {
            return None;
        }
        // How many departures must leave the window first.
        let surplus = (self.departing + self.departures.len() + 1).saturating_sub(self.rate);
        let window_opens = surplus.checked_sub(1).and_then(|last| self.departures.get(last));
        let window_opens = window_opens.map_or(Duration::ZERO, |at| *at + WINDOW);
        let spaced = self.last.map_or(Duration::ZERO, |last| last + self.gap());
        Some(self.next_slot.max(window_opens).max(spaced))
    }

    /// Takes a turn at `now`.
    pub(super) fn take(&mut self, now: Duration) {
        let now = self.monotonic(now);
        let catch_up = CATCH_UP.max(self.slot.saturating_mul(CATCH_UP_SLOTS));
        // Before the first request there is nothing to catch up.
        let catch_up = self.last.map_or(Duration::ZERO, |_| catch_up);
        self.last = Some(now);
        self.next_slot = (self.next_slot + self.slot).max((now + self.slot).saturating_sub(catch_up));
        self.departing += 1;
    }

    /// One taken request went out at `now` at the latest.
    pub(super) fn note_departure(&mut self, now: Duration) {
        let now = self.departures.back().map_or(now, |last| now.max(*last));
        self.departing = self.departing.saturating_sub(1);
        self.departures.push_back(now);
    }

    /// The send times of the requests that still count at `now`; a departing request counts as sent at `now`.
    pub(super) fn counted(&self, now: Duration) -> impl Iterator<Item = Duration> {
        let departures = self.departures.iter().copied().filter(move |at| *at + WINDOW > now);
        departures.chain(std::iter::repeat_n(now, self.departing))
    }

    /// The shortest time between two sends while missed slots are caught up.
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

    /// Tries to send at `now`; a request sent departs at once. Returns when it was or could be sent.
    fn next_send(pacer: &mut Pacer, now: Duration) -> Duration {
        let at = pacer.turn(now).expect("nothing is departing");
        if at <= now {
            pacer.take(now);
            pacer.note_departure(now);
        }
        at.max(now)
    }

    /// Sends as often as allowed until `end`; each wait ends late by the next of `delays` (in µs). Returns the send
    /// times.
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

    /// Pseudo-random numbers below `bound` (a linear congruential generator).
    fn scattered(bound: u64) -> impl Iterator<Item = u64> {
        let mut state = 1_u64;
        std::iter::repeat_with(move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % bound
        })
    }

    #[test]
    fn the_rate_is_used_to_99_percent_and_never_exceeded() {
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
    fn a_request_counts_until_a_second_after_it_departed() {
        let mut pacer = Pacer::new(2);
        for at in [0, 600] {
            let now = Duration::from_millis(at);
            assert!(pacer.turn(now).is_some_and(|turn| turn <= now));
            pacer.take(now);
        }
        assert_eq!(pacer.turn(5 * SECOND), None, "both connections are still opening");
        pacer.note_departure(5 * SECOND);
        assert_eq!(pacer.turn(5 * SECOND), Some(5 * SECOND + WINDOW), "one departed, one is departing");
        pacer.note_departure(6 * SECOND);
        assert_eq!(pacer.turn(6 * SECOND), Some(5 * SECOND + WINDOW));
        assert_eq!(pacer.counted(6 * SECOND + WINDOW / 2).collect::<Vec<_>>(), [6 * SECOND]);
    }

    #[test]
    fn requests_of_an_earlier_run_count() {
        let mut pacer = Pacer::new(3);
        pacer.remember([SECOND, SECOND * 3 / 2, SECOND * 2]);
        assert_eq!(pacer.turn(SECOND * 2), Some(SECOND + WINDOW));
        assert!(pacer.turn(SECOND + WINDOW).is_some_and(|turn| turn <= SECOND + WINDOW));
    }

    #[test]
    fn slower_slots_limit_the_rate_below_the_window() {
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
                // Mostly just after the wait; sometimes too early, far too late, or after a pause.
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
