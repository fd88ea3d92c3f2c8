//! The circuit breaker: a failing provider is left alone for a while, then probed carefully. Pure.
//!
//! Only the first attempts of distinct orders count, so that a few hopeless orders, retried again and again, can
//! neither delay nor fail the rest. Probes may also be retries, since a provider may fail every order once and answer
//! its retry.

use std::collections::VecDeque;
use std::time::Duration;

/// How many of the latest first attempts are judged …
const REMEMBERED: usize = 50;
/// … and how many must have been seen before judging.
const ENOUGH: usize = 20;
/// The shortest time the breaker stays open before a probe.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest time the breaker stays open before a probe.
const LONGEST: Duration = Duration::from_secs(60);
/// After being open for this long in total, all requests end.
const PATIENCE: Duration = Duration::from_secs(600);
/// Successful probes in a row that close the breaker.
const PROBES: u32 = 3;
/// The share of the rate and the concurrency that is admitted right after closing.
const RAMP: f64 = 0.1;
/// Seconds until that share doubles.
const RAMP_DOUBLES: f64 = 1.0;
/// How long the preferred kind of request may take to become the probe before the other kind may.
const HEAD_START: Duration = Duration::from_millis(100);
/// How long to wait for the retry of a failed probe; longer than the back-off before it.
const RETRY_WAIT: Duration = Duration::from_millis(500);

/// The breaker's decision about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permission {
    /// The request may go out.
    Granted,
    /// The request may go out as a probe, which decides whether others may follow. One kind of request is preferred.
    Probe {
        /// Whether retries are preferred over first attempts.
        of_retry: bool,
        /// Until when only the preferred kind may be the probe.
        until: Duration,
    },
    /// No request may go out before this time.
    NotBefore(Duration),
    /// No request may go out before the current probe is back.
    AfterProbe,
}

/// The breaker of one run.
#[derive(Debug)]
pub(super) struct Breaker {
    /// Whether each of the latest first attempts failed, oldest first.
    last: VecDeque<bool>,
    state: State,
    /// How many times in a row it opened.
    streak: u32,
    /// Whether a retry is the preferred probe rather than a first attempt; toggles with each failed probing.
    probes_retry: bool,
    /// Total time it was open before the current opening.
    open_before: Duration,
    /// When it last closed.
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
        /// When the next probe may go out.
        from: Duration,
        /// Successful probes in a row.
        successes: u32,
        /// Whether the previous probe was a first attempt and failed.
        previous_failed: bool,
        /// Whether a probe is in flight.
        is_in_flight: bool,
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

    /// Decides about a request at `now`.
    pub(super) fn permission(&mut self, now: Duration) -> Permission {
        match self.state {
            State::Closed => Permission::Granted,
            State::Open { until, .. } if now < until => Permission::NotBefore(until),
            State::Open { since, .. } => {
                self.state =
                    State::Probing { since, from: now, successes: 0, previous_failed: false, is_in_flight: false };
                Permission::Probe { of_retry: self.probes_retry, until: now + HEAD_START }
            }
            State::Probing { is_in_flight: true, .. } => Permission::AfterProbe,
            State::Probing { previous_failed: true, from, .. } => {
                Permission::Probe { of_retry: true, until: from + RETRY_WAIT }
            }
            State::Probing { from, .. } => Permission::Probe { of_retry: self.probes_retry, until: from + HEAD_START },
        }
    }

    /// A probe goes out.
    pub(super) fn probe(&mut self) {
        if let State::Probing { is_in_flight, .. } = &mut self.state {
            *is_in_flight = true;
        }
    }

    /// The probe ended without a result: it was limited or abandoned.
    pub(super) fn probe_lost(&mut self) {
        if let State::Probing { is_in_flight, .. } = &mut self.state {
            *is_in_flight = false;
        }
    }

    /// The probe is back at `now`. A failure reopens the breaker only if the probe was a retry or followed a failed
    /// probe. `jitter` (0 to 1) then decides how long it stays open.
    pub(super) fn probed(&mut self, now: Duration, failed: bool, is_retry: bool, jitter: f64) {
        let State::Probing { since, successes, previous_failed, .. } = self.state else {
            return;
        };
        let probing = |successes, previous_failed| State::Probing {
            since,
            from: now,
            successes,
            previous_failed,
            is_in_flight: false,
        };
        if failed && !is_retry && !previous_failed {
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

    /// A first attempt is back at `now`. `jitter` (0 to 1) decides how long the breaker stays open if this opens it.
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

    /// Closes the breaker because only retries are left: the retry budget limits those, so the breaker need not.
    pub(super) fn retire(&mut self, now: Duration) {
        if let State::Open { since, .. } | State::Probing { since, .. } = self.state {
            self.open_before += now.saturating_sub(since);
            self.state = State::Closed;
        }
        self.last.clear();
    }

    /// When the breaker may next be probed, if it is not closed; a past time while it is being probed.
    pub(super) fn open_until(&self) -> Option<Duration> {
        match self.state {
            State::Closed => None,
            State::Open { until, .. } => Some(until),
            State::Probing { since, .. } => Some(since),
        }
    }

    /// Whether it has been open for so long in total that all requests must end.
    pub(super) fn is_hopeless(&self, now: Duration) -> bool {
        let open_now = match self.state {
            State::Closed => Duration::ZERO,
            State::Open { since, .. } | State::Probing { since, .. } => now.saturating_sub(since),
        };
        self.open_before + open_now >= PATIENCE
    }

    /// The share of the rate and the concurrency admitted at `now`, above 0 and up to 1.
    pub(super) fn share(&self, now: Duration) -> f64 {
        self.closed_at.map_or(1.0, |closed| {
            let doublings = now.saturating_sub(closed).as_secs_f64() / RAMP_DOUBLES;
            (RAMP * doublings.exp2()).min(1.0)
        })
    }

    fn open(&mut self, now: Duration, jitter: f64) {
        let longest = SHORTEST.saturating_mul(2_u32.saturating_pow(self.streak)).min(LONGEST);
        // Between half of `longest` and all of it, but never below the shortest.
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
    fn opens_if_half_of_the_latest_fail_but_not_before_enough_are_seen() {
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
    fn three_probes_close_it_and_the_rate_ramps_up() {
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
        assert_eq!(jittered.permission(s(10)), Permission::NotBefore(s(11)), "no probe was in flight");
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
    fn an_order_that_fails_as_a_probe_is_probed_again_as_a_retry() {
        let mut breaker = opened();
        let mut probe = |now, failed, is_retry| {
            let permission = breaker.permission(now);
            breaker.probe();
            breaker.probed(now, failed, is_retry, 0.0);
            permission
        };
        assert_eq!(probe(s(11), true, false), Permission::Probe { of_retry: false, until: s(11) + HEAD_START });
        assert_eq!(probe(s(11), false, true), Permission::Probe { of_retry: true, until: s(11) + RETRY_WAIT });
        assert_eq!(probe(s(12), true, false), Permission::Probe { of_retry: false, until: s(11) + HEAD_START });
        assert_eq!(probe(s(13), true, false), Permission::Probe { of_retry: true, until: s(12) + RETRY_WAIT });
        assert_eq!(breaker.permission(s(13)), Permission::NotBefore(s(14)), "both probes failed");
    }

    #[test]
    fn ten_minutes_in_total_end_all_requests() {
        let mut breaker = opened();
        assert!(!breaker.is_hopeless(s(609)));
        assert!(breaker.is_hopeless(s(610)));
        for _ in 0..3 {
            probe(&mut breaker, s(310), false);
        }
        assert!(!breaker.is_hopeless(s(10_000)), "open for five minutes, then recovered");
        (0..20).for_each(|_| breaker.attempted(s(10_000), true, 0.0));
        assert!(!breaker.is_hopeless(s(10_299)) && breaker.is_hopeless(s(10_300)));
    }

    #[test]
    fn closes_when_only_retries_are_left() {
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
