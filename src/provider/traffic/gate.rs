//! The gate that a 429 closes for all requests, and when to end requests altogether.
//!
//! Pure: times are passed in, as durations since a fixed start.

use std::time::Duration;

use crate::domain::outcome::Reason;

/// After this long with nothing but limits, all requests end.
const PATIENCE: Duration = Duration::from_secs(600);

/// Whether requests may go out.
#[derive(Debug)]
pub(super) struct Gate {
    max_wait: Duration,
    /// When the whole job must end.
    deadline: Option<Duration>,
    /// Whether the provider itself set the length of the current wait.
    has_retry_after: bool,
    /// When the gate was last closed.
    closed_at: Option<Duration>,
    open_at: Duration,
    /// How many times in a row the gate was closed.
    streak: u32,
    /// When the first 429 since the last answer came.
    limited_since: Option<Duration>,
    stopped: Option<Reason>,
}

impl Gate {
    /// An open gate. It ends requests if a wait would be longer than `max_wait` or end after `deadline`.
    pub(super) fn new(max_wait: Duration, deadline: Option<Duration>) -> Self {
        Self {
            max_wait,
            deadline,
            has_retry_after: false,
            closed_at: None,
            open_at: Duration::ZERO,
            streak: 0,
            limited_since: None,
            stopped: None,
        }
    }

    /// When the gate opens, if it is closed at `now`.
    pub(super) fn closed_until(&self, now: Duration) -> Option<Duration> {
        (self.open_at > now).then_some(self.open_at)
    }

    /// When the gate last opened or will next open.
    pub(super) fn opens_at(&self) -> Duration {
        self.open_at
    }

    /// Whether the provider itself set the length of the current wait.
    pub(super) fn has_retry_after(&self) -> bool {
        self.has_retry_after
    }

    /// Why all requests must end, if they must.
    pub(super) fn stopped(&self) -> Option<&Reason> {
        self.stopped.as_ref()
    }

    /// A request sent at `sent` was answered 429 at `now`: closes the gate for the wait the provider asks for, or else
    /// for `back_off(closings in a row before this one)`.
    pub(super) fn limited(
        &mut self,
        sent: Duration,
        now: Duration,
        retry_after: Option<Duration>,
        back_off: impl FnOnce(u32) -> Duration,
    ) {
        let since = *self.limited_since.get_or_insert(now);
        // A 429 for a request sent before the last closing is not news, unless it asks for a longer wait.
        let news = self.is_after_closing(sent);
        let wait = match retry_after {
            Some(wait) if wait > self.max_wait => return self.stop(too_long(wait, self.max_wait)),
            Some(wait) if self.deadline.is_some_and(|deadline| now.saturating_add(wait) > deadline) => {
                return self
                    .stop(format!("the provider asks to wait {} (Retry-After), past --deadline", rounded(wait)));
            }
            Some(wait) => wait,
            None if news => back_off(self.streak),
            None => return,
        };
        if news {
            self.streak = self.streak.saturating_add(1);
            self.closed_at = Some(now);
        }
        let open_at = now.saturating_add(wait);
        if open_at > self.open_at {
            (self.open_at, self.has_retry_after) = (open_at, retry_after.is_some());
        }
        if now.saturating_sub(since) >= PATIENCE {
            self.stop(
                "the provider answered nothing but rate limits for 10 minutes; run again later or lower --rate".into(),
            );
        }
    }

    /// A request sent at `sent` was answered. An answer to one sent before the last closing proves nothing.
    pub(super) fn answered(&mut self, sent: Duration) {
        if self.is_after_closing(sent) {
            self.streak = 0;
            self.limited_since = None;
        }
    }

    fn is_after_closing(&self, sent: Duration) -> bool {
        self.closed_at.is_none_or(|closed| sent >= closed)
    }

    fn stop(&mut self, why: String) {
        self.stopped.get_or_insert_with(|| Reason::new("rate-limited", why));
    }
}

fn too_long(wait: Duration, max_wait: Duration) -> String {
    let (wait, longest) = (rounded(wait), rounded(max_wait));
    format!("the provider asks to wait {wait} (Retry-After), longer than --max-wait ({longest}); run again after that")
}

/// A time in whole days or hours if it has at least two of them, otherwise in seconds.
fn rounded(time: Duration) -> String {
    let seconds = time.as_secs();
    let units = [("days", 24 * 3_600), ("hours", 3_600)];
    let fitting = units.into_iter().find(|(_, length)| seconds >= 2 * length);
    fitting.map_or(format!("{seconds} s"), |(unit, length)| format!("{} {unit}", seconds / length))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn no_back_off(_: u32) -> Duration {
        panic!("no back-off expected")
    }

    #[test]
    fn closes_for_as_long_as_the_provider_asks() {
        let mut gate = Gate::new(s(300), None);
        assert_eq!(gate.closed_until(s(0)), None);
        gate.limited(s(1), s(2), Some(s(10)), no_back_off);
        assert_eq!(gate.closed_until(s(11)), Some(s(12)));
        assert_eq!(gate.closed_until(s(12)), None);
        gate.limited(s(1), s(3), Some(s(4)), no_back_off);
        assert_eq!(gate.closed_until(s(3)), Some(s(12)), "a shorter wait opens nothing");
        assert_eq!(gate.stopped(), None);
    }

    #[test]
    fn backs_off_once_for_all_that_was_in_flight() {
        let mut gate = Gate::new(s(300), None);
        let mut streaks = Vec::new();
        let mut limited = |gate: &mut Gate, sent, now| {
            gate.limited(sent, now, None, |streak| {
                streaks.push(streak);
                s(1)
            });
        };
        limited(&mut gate, s(1), s(5));
        limited(&mut gate, s(2), s(5));
        gate.answered(s(3));
        limited(&mut gate, s(6), s(7));
        limited(&mut gate, s(8), s(9));
        gate.answered(s(10));
        limited(&mut gate, s(11), s(12));
        assert_eq!(streaks, [0, 1, 2, 0]);
    }

    #[test]
    fn ends_requests_if_the_wait_is_too_long() {
        let mut gate = Gate::new(s(300), None);
        gate.limited(s(0), s(1), Some(s(300)), no_back_off);
        assert_eq!(gate.stopped(), None);
        gate.limited(s(302), s(303), Some(s(u64::MAX)), no_back_off);
        assert_eq!(gate.stopped().map(|reason| reason.code.as_str()), Some("rate-limited"));
    }

    #[test]
    fn ends_requests_if_the_wait_ends_after_the_deadline() {
        let mut gate = Gate::new(s(300), Some(s(60)));
        gate.limited(s(0), s(1), Some(s(59)), no_back_off);
        assert!(gate.stopped().is_none() && gate.has_retry_after());
        gate.limited(s(60), s(60), Some(s(1)), no_back_off);
        assert!(gate.stopped().is_some_and(|reason| reason.detail.contains("--deadline")));
    }

    #[test]
    fn ends_requests_after_ten_minutes_of_limits_only() {
        let mut gate = Gate::new(s(300), None);
        for minute in 0..10 {
            gate.limited(s(60 * minute), s(60 * minute), None, |_| s(1));
        }
        assert_eq!(gate.stopped(), None);
        gate.limited(s(600), s(600), None, |_| s(1));
        assert_eq!(gate.stopped().map(|reason| reason.code.as_str()), Some("rate-limited"));

        let mut gate = Gate::new(s(300), None);
        gate.limited(s(0), s(0), None, |_| s(1));
        gate.answered(s(300));
        gate.limited(s(600), s(600), None, |_| s(1));
        assert_eq!(gate.stopped(), None, "one answer restarts the ten minutes");
    }
}
