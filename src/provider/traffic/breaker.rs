//! The circuit breaker: a provider that fails is left alone for a while, then tried with care. Pure.
//!
//! It looks at the first attempts of distinct orders alone, so that a few hopeless orders, asked again and again,
//! can neither hold up the rest nor fail it. Its probes are retries as well: a provider may fail each order once, and
//! answer when asked again.

use std::collections::VecDeque;
use std::time::Duration;

/// How many first attempts it remembers …
const REMEMBERED: usize = 50;
/// … and how many it must have seen before it judges.
const ENOUGH: usize = 20;
/// The shortest and the longest time for which it stays open at once.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// After being open for so long in all, nothing more is asked.
const PATIENCE: Duration = Duration::from_secs(600);
/// So many probes in a row must succeed.
const PROBES: u32 = 3;
/// What share of everything is admitted when it has just closed, and how long until that doubles.
const RAMP: f64 = 0.1;
const RAMP_DOUBLES: f64 = 1.0;
/// How long one kind of request is waited for before the other may be the probe.
const HEAD_START: Duration = Duration::from_millis(100);
/// How long the retry of a probe that failed is waited for: longer than the back-off before it.
const AGAIN: Duration = Duration::from_millis(500);

/// What the breaker says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permission {
    /// Go.
    Granted,
    /// Go, as a probe: on it depends whether others may. Until then only what is preferred.
    Probe {
        /// Whether a retry is.
        of_retry: bool,
        /// Until when.
        until: Duration,
    },
    /// Not before then.
    NotBefore(Duration),
    /// Not before a probe is back.
    AfterProbe,
}

/// The breaker of one run.
#[derive(Debug)]
pub(super) struct Breaker {
    /// The last first attempts; true failed.
    last: VecDeque<bool>,
    state: State,
    /// How many times in a row it opened.
    streak: u32,
    /// Whether the next probe is rather a retry than the first attempt of an order; that changes with each failure.
    probes_retry: bool,
    /// For how long it was open before `since`.
    open_before: Duration,
    /// When it closed last.
    closed_at: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open {
        since: Duration,
        until: Duration,
    },
    Probing {
        since: Duration,
        /// Another probe may go since then.
        from: Duration,
        successes: u32,
        /// The probe before was the first attempt of an order, and failed.
        again: bool,
        aloft: bool,
    },
}

impl Breaker {
    /// A closed breaker.
    pub(super) const fn new() -> Self {
        Self {
            last: VecDeque::new(),
            state: State::Closed,
            streak: 0,
            probes_retry: false,
            open_before: Duration::ZERO,
            closed_at: None,
        }
    }

    /// What a request at `now` is told.
    pub(super) fn permission(&mut self, now: Duration) -> Permission {
        match self.state {
            State::Closed => Permission::Granted,
            State::Open { until, .. } if now < until => Permission::NotBefore(until),
            State::Open { since, .. } => {
                self.state = State::Probing { since, from: now, successes: 0, again: false, aloft: false };
                Permission::Probe { of_retry: self.probes_retry, until: now + HEAD_START }
            }
            State::Probing { aloft: true, .. } => Permission::AfterProbe,
            State::Probing { again: true, from, .. } => Permission::Probe { of_retry: true, until: from + AGAIN },
            State::Probing { from, .. } => Permission::Probe { of_retry: self.probes_retry, until: from + HEAD_START },
        }
    }

    /// The probe goes out.
    pub(super) fn probe(&mut self) {
        if let State::Probing { aloft, .. } = &mut self.state {
            *aloft = true;
        }
    }

    /// The probe came to nothing: neither a success nor a failure.
    pub(super) fn probe_lost(&mut self) {
        if let State::Probing { aloft, .. } = &mut self.state {
            *aloft = false;
        }
    }

    /// The probe is back at `now`. It failed for good only if it was a retry, or follows one that failed. `jitter` (0 to 1)
    /// decides how long it then stays open.
    pub(super) fn probed(&mut self, now: Duration, failed: bool, is_retry: bool, jitter: f64) {
        let State::Probing { since, successes, again, .. } = self.state else {
            return;
        };
        let probing = |successes, again| State::Probing { since, from: now, successes, again, aloft: false };
        if failed && !is_retry && !again {
            self.state = probing(successes, true);
        } else if failed {
            self.open_before += now.saturating_sub(since);
            self.open(now, jitter);
            self.probes_retry = !self.probes_retry;
        } else if successes + 1 < PROBES {
            self.state = probing(successes + 1, false);
        } else {
            self.open_before += now.saturating_sub(since);
            self.state = State::Closed;
            self.closed_at = Some(now);
            self.streak = 0;
        }
    }

    /// The first attempt of an order is back at `now`.
    pub(super) fn attempted(&mut self, now: Duration, failed: bool, jitter: f64) {
        if self.state != State::Closed {
            return;
        }
        self.last.push_back(failed);
        if self.last.len() > REMEMBERED {
            self.last.pop_front();
        }
        let failures = self.last.iter().filter(|failed| **failed).count();
        if self.last.len() >= ENOUGH && failures * 2 >= self.last.len() {
            self.open(now, jitter);
        }
    }

    /// Only orders that have failed before are left: they have the retry budget, and nothing else to wait for.
    pub(super) fn retire(&mut self, now: Duration) {
        if let State::Open { since, .. } | State::Probing { since, .. } = self.state {
            self.open_before += now.saturating_sub(since);
            self.state = State::Closed;
        }
        self.last.clear();
    }

    /// Until when it is open, where it is open at `now`; a moment that is past while it probes.
    pub(super) fn open_until(&self) -> Option<Duration> {
        match self.state {
            State::Closed => None,
            State::Open { until, .. } => Some(until),
            State::Probing { since, .. } => Some(since),
        }
    }

    /// Whether it has been open for so long in all that nothing more is to be asked.
    pub(super) fn is_hopeless(&self, now: Duration) -> bool {
        let open_now = match self.state {
            State::Closed => Duration::ZERO,
            State::Open { since, .. } | State::Probing { since, .. } => now.saturating_sub(since),
        };
        self.open_before + open_now >= PATIENCE
    }

    /// The share of everything that is admitted at `now`, above 0 and up to 1.
    pub(super) fn share(&self, now: Duration) -> f64 {
        self.closed_at.map_or(1.0, |closed| {
            let doublings = now.saturating_sub(closed).as_secs_f64() / RAMP_DOUBLES;
            (RAMP * doublings.exp2()).min(1.0)
        })
    }

    fn open(&mut self, now: Duration, jitter: f64) {
        let longest = SHORTEST.saturating_mul(2_u32.saturating_pow(self.streak)).min(LONGEST);
        // Between half of it and all of it, and never less than the shortest.
        let wait = longest.mul_f64(f64::midpoint(1.0, jitter.clamp(0.0, 1.0))).max(SHORTEST);
        self.streak = self.streak.saturating_add(1);
        self.last.clear();
        self.closed_at = None;
        self.state = State::Open { since: now, until: now + wait };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::new();
        (0..20).for_each(|_| breaker.attempted(s(10), true, 0.0));
        breaker
    }

    fn probe(breaker: &mut Breaker, now: Duration, failed: bool) {
        assert!(matches!(breaker.permission(now), Permission::Probe { .. }));
        breaker.probe();
        assert_eq!(breaker.permission(now), Permission::AfterProbe);
        breaker.probed(now, failed, true, 0.0);
    }

    #[test]
    fn opens_where_half_of_the_last_fail_and_not_before_it_has_seen_enough() {
        let mut breaker = Breaker::new();
        for _ in 0..19 {
            breaker.attempted(s(1), true, 0.5);
        }
        assert_eq!(breaker.permission(s(1)), Permission::Granted);
        breaker.attempted(s(1), false, 0.5);
        assert_eq!(breaker.permission(s(1)), Permission::NotBefore(s(2)), "19 of 20");

        let mut breaker = Breaker::new();
        for n in 0..200 {
            breaker.attempted(s(1), n % 50 < 24, 0.5);
        }
        assert_eq!(breaker.permission(s(1)), Permission::NotBefore(s(2)), "the first 20 all failed");

        let mut breaker = Breaker::new();
        for n in 0..2_000 {
            breaker.attempted(s(1), n % 5 < 2, 0.5);
        }
        assert_eq!(breaker.permission(s(1)), Permission::Granted, "two of five is not half");
    }

    #[test]
    fn three_probes_close_it_and_the_rest_comes_back_by_and_by() {
        let mut breaker = opened();
        assert_eq!(breaker.permission(s(10)), Permission::NotBefore(s(11)));
        for _ in 0..3 {
            probe(&mut breaker, s(12), false);
        }
        assert_eq!(breaker.permission(s(12)), Permission::Granted);
        let shares = [12, 13, 15, 16, 60].map(|now| breaker.share(s(now)));
        for (share, expected) in shares.into_iter().zip([0.1, 0.2, 0.8, 1.0, 1.0]) {
            assert!((share - expected).abs() < 1e-9, "{shares:?}");
        }
    }

    #[test]
    fn each_failed_probe_keeps_it_open_longer_up_to_a_minute() {
        let mut breaker = opened();
        let mut now = s(11);
        let mut waits = Vec::new();
        for _ in 0..8 {
            probe(&mut breaker, now, true);
            let Permission::NotBefore(until) = breaker.permission(now) else { panic!("{breaker:?}") };
            waits.push((until - now).as_secs_f64());
            now = until;
        }
        assert_eq!(waits, [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0], "half of 2, 4, 8 … 60");
        let mut jittered = opened();
        jittered.probed(s(11), true, true, 1.0);
        assert_eq!(jittered.permission(s(10)), Permission::NotBefore(s(11)), "no probe was out");
    }

    #[test]
    fn after_a_failed_probe_the_other_kind_is_preferred_for_a_moment() {
        let mut breaker = opened();
        probe(&mut breaker, s(11), true);
        let until = |at| at + HEAD_START;
        assert_eq!(breaker.permission(s(12)), Permission::Probe { of_retry: true, until: until(s(12)) });
        breaker.probe();
        breaker.probed(s(14), false, true, 0.0);
        assert_eq!(breaker.permission(s(15)), Permission::Probe { of_retry: true, until: until(s(14)) });
        breaker.probe();
        breaker.probed(s(15), true, true, 0.0);
        assert_eq!(breaker.permission(s(20)), Permission::Probe { of_retry: false, until: until(s(20)) });
    }

    #[test]
    fn an_order_that_fails_as_a_probe_is_asked_once_more() {
        let mut breaker = opened();
        let mut probe = |now, failed, is_retry| {
            let told = breaker.permission(now);
            breaker.probe();
            breaker.probed(now, failed, is_retry, 0.0);
            told
        };
        assert_eq!(probe(s(11), true, false), Permission::Probe { of_retry: false, until: s(11) + HEAD_START });
        assert_eq!(probe(s(11), false, true), Permission::Probe { of_retry: true, until: s(11) + AGAIN });
        assert_eq!(probe(s(12), true, false), Permission::Probe { of_retry: false, until: s(11) + HEAD_START });
        assert_eq!(probe(s(13), true, false), Permission::Probe { of_retry: true, until: s(12) + AGAIN });
        assert_eq!(breaker.permission(s(13)), Permission::NotBefore(s(14)), "neither had an answer");
    }

    #[test]
    fn ten_minutes_in_all_end_the_asking() {
        let mut breaker = opened();
        assert!(!breaker.is_hopeless(s(609)));
        assert!(breaker.is_hopeless(s(610)));
        for _ in 0..3 {
            probe(&mut breaker, s(310), false);
        }
        assert!(!breaker.is_hopeless(s(10_000)), "five minutes, then well");
        (0..20).for_each(|_| breaker.attempted(s(10_000), true, 0.0));
        assert!(!breaker.is_hopeless(s(10_299)) && breaker.is_hopeless(s(10_300)));
    }

    #[test]
    fn with_only_failed_orders_left_it_is_closed() {
        let mut breaker = opened();
        breaker.retire(s(20));
        assert_eq!(breaker.permission(s(20)), Permission::Granted);
        assert!((breaker.share(s(20)) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_lost_probe_makes_room_for_another() {
        let mut breaker = opened();
        let until = s(11) + HEAD_START;
        assert_eq!(breaker.permission(s(11)), Permission::Probe { of_retry: false, until });
        breaker.probe();
        breaker.probe_lost();
        assert_eq!(breaker.permission(s(12)), Permission::Probe { of_retry: false, until });
    }
}
