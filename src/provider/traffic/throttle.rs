//! How far the provider's 429s cut the allowed rate. Pure.
//!
//! It works as TCP CUBIC does for its window: one cut for all requests in flight, then back to the rate before the cut
//! within ten seconds, a rest there, and then beyond it, first slowly, then ever faster.

use std::time::Duration;

/// The share of the rate that is left after a cut.
const CUT: f64 = 0.7;
/// Seconds until the rate is back to what it was before a cut.
const RECOVERY: f64 = 10.0;
/// No cut goes below this rate, in requests per second.
const LEAST: f64 = 1.0;

/// The allowed rate, given the 429s so far.
#[derive(Debug)]
pub(super) struct Throttle {
    /// The configured rate in requests per second; `None` is unlimited.
    allowance: Option<f64>,
    cut: Option<Cut>,
}

#[derive(Clone, Copy, Debug)]
struct Cut {
    at: Duration,
    /// The rate before the cut, to which it recovers.
    before: f64,
}

impl Throttle {
    /// An uncut rate in requests per second; 0 is unlimited.
    pub(super) fn new(allowance: u32) -> Self {
        Self { allowance: (allowance > 0).then(|| f64::from(allowance)), cut: None }
    }

    /// The rate at `now` in requests per second; `None` is unlimited.
    pub(super) fn rate(&self, now: Duration) -> Option<f64> {
        let Some(cut) = self.cut else {
            return self.allowance;
        };
        let way = (now.saturating_sub(cut.at).as_secs_f64() - RECOVERY) / RECOVERY;
        let rate = cut.before * (1.0 + (1.0 - CUT) * way.powi(3));
        Some(self.allowance.map_or(rate, |allowance| rate.min(allowance)))
    }

    /// A request sent at `sent` was answered 429 at `now`, at a measured rate of `measured` per second. Returns whether
    /// this cut the rate: a request sent before the last cut does not cut it again.
    pub(super) fn limited(&mut self, sent: Duration, now: Duration, measured: f64) -> bool {
        if self.cut.is_some_and(|cut| sent < cut.at) {
            return false;
        }
        let before = self.rate(now).map_or(measured, |rate| rate.min(measured));
        // Cut again before it recovered: the provider's limit is lower than assumed, so aim lower.
        let lower = self.cut.is_some_and(|cut| before < cut.before);
        let aim = if lower { before * f64::midpoint(1.0, CUT) } else { before };
        // Recovery begins at `CUT` times the aim, so raise the aim until that is at least `LEAST`.
        self.cut = Some(Cut { at: now, before: aim.max(LEAST / CUT) });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn rate(throttle: &Throttle, now: f64) -> f64 {
        throttle.rate(s(now)).expect("a limited rate")
    }

    #[test]
    fn the_rate_is_uncut_until_a_429() {
        assert_eq!(Throttle::new(20).rate(s(5.0)), Some(20.0));
        assert_eq!(Throttle::new(0).rate(s(5.0)), None);
    }

    #[test]
    fn one_cut_for_all_requests_in_flight_then_recovery_and_beyond() {
        let mut throttle = Throttle::new(100);
        assert!(throttle.limited(s(9.9), s(10.0), 80.0));
        assert!((rate(&throttle, 10.0) - 56.0).abs() < 1e-9, "0.7 of the measured rate");
        assert!(!throttle.limited(s(9.95), s(10.1), 80.0), "sent before the cut");
        assert!((rate(&throttle, 20.0) - 80.0).abs() < 1e-9, "back after ten seconds");
        assert!(rate(&throttle, 22.0) < 80.3, "resting there");
        assert!((rate(&throttle, 60.0) - 100.0).abs() < 1e-9, "up to the configured rate and no further");
        let course: Vec<f64> = (10..60).map(|second| rate(&throttle, f64::from(second))).collect();
        assert!(course.is_sorted());
    }

    #[test]
    fn a_lower_limit_is_found() {
        // The provider admits 50 of our 100 requests a second and answers 429 above that.
        let (mut throttle, mut cuts, mut sent) = (Throttle::new(100), 0, 0.0);
        for tenth in 0..3_000_u32 {
            let now = f64::from(tenth) / 10.0;
            let rate = rate(&throttle, now);
            sent += rate / 10.0;
            cuts += u32::from(rate > 50.0 && throttle.limited(s(now), s(now), rate));
        }
        assert!(cuts < 40, "{cuts} cuts in 300 s");
        assert!(sent > 0.85 * 50.0 * 300.0, "{sent} of 15,000");
    }

    #[test]
    fn no_cut_goes_below_one_a_second_or_limits_an_unlimited_rate_for_ever() {
        let mut throttle = Throttle::new(0);
        for second in 0..50 {
            assert!(throttle.limited(s(f64::from(second)), s(f64::from(second)), 3.0));
        }
        assert!((rate(&throttle, 49.0) - 1.0).abs() < 1e-9);
        assert!(rate(&throttle, 1_000.0) > 100_000.0, "an unlimited rate comes back");
    }
}
