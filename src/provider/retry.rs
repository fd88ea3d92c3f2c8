//! Whether to retry, and when: the retry decision, its back-off with full jitter, and reading `Retry-After`. Pure.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use super::Stop;
use super::answer::{Answer, FinalAnswer, Unavailable};
use crate::domain::outcome::Reason;

/// The ceiling of the first back-off.
const BASE: Duration = Duration::from_millis(250);
/// The ceiling of any back-off.
const CAP: Duration = Duration::from_secs(30);

/// This many limits in a row, while other requests are answered, concern this order alone.
const LIMITS_IN_A_ROW: u32 = 5;

/// The attempts so far at one order or page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempts {
    failures: u32,
    retries: u32,
    /// Limits in a row.
    limits: u32,
    /// Total answers of the client when those limits began.
    answered: u64,
}

/// What to do after an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next<K> {
    /// Finish with this result.
    Done(K),
    /// Retry as soon as requests may go out.
    Again,
    /// Retry after a random wait between zero and this.
    AgainWithin(Duration),
    /// Stop the whole run.
    Stop(Stop),
}

impl Attempts {
    /// Before the first attempt; up to `retries` may follow it.
    pub(super) const fn new(retries: u32) -> Self {
        Self { failures: 0, retries, limits: 0, answered: 0 }
    }

    /// Whether no attempt has failed yet. A limited request does not count as an attempt.
    pub(super) const fn is_untried(&self) -> bool {
        self.failures == 0
    }

    /// How many attempts failed; limited requests don't count.
    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    /// Decides what to do after an answer. `answered` is how many of the client's requests got an answer so far.
    pub(super) fn next<K: FinalAnswer>(&mut self, answer: Answer<K>, answered: u64) -> Next<K> {
        let limits = std::mem::take(&mut self.limits);
        match answer {
            Answer::Final(known) => Next::Done(known),
            Answer::KeyRejected(Reason { code, detail: message }) => Next::Stop(Stop::KeyRejected { code, message }),
            Answer::Limited(reason) => {
                if limits == 0 {
                    self.answered = answered;
                }
                self.limits = limits + 1;
                match self.limits >= LIMITS_IN_A_ROW && answered > self.answered {
                    true => Next::Done(Unavailable::Unfetched(reason).into()),
                    false => Next::Again,
                }
            }
            Answer::Failed(reason) if self.failures >= self.retries => {
                Next::Done(Unavailable::Unfetched(reason).into())
            }
            Answer::Failed(_) => {
                self.failures += 1;
                Next::AgainWithin(ceiling(self.failures - 1))
            }
        }
    }
}

/// Accepts a wrong day of the week: the date is still clear.
const HTTP_DATE: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);

/// The ceiling of the back-off when `failures_before` failures came before this one. With full jitter, the wait is
/// drawn between zero and the ceiling.
pub(super) fn ceiling(failures_before: u32) -> Duration {
    2_u32.checked_pow(failures_before).and_then(|factor| BASE.checked_mul(factor)).map_or(CAP, |delay| delay.min(CAP))
}

/// Parses an HTTP date.
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    HTTP_DATE.parse_timestamp(text.trim()).ok()
}

/// The wait that `Retry-After` asks for: seconds, or an HTTP date relative to the reply's own `Date`, so that only the
/// provider's clock matters. `None` if the header is absent or unreadable; zero if the date is past, or if `Date` is
/// absent or unreadable.
pub(super) fn retry_after(value: Option<&str>, date: Option<&str>) -> Option<Duration> {
    let value = value?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits that overflow 64 bits count as the largest wait.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let (until, sent) = (http_date(value)?, date.and_then(http_date));
    let wait = sent.map_or(0, |sent| until.as_second() - sent.as_second());
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::outcome::Evidence;

    #[test]
    fn failures_use_up_retries_but_a_429_does_not() {
        let failed = || Answer::Failed(Reason::new("http-502", ""));
        let limited = || Answer::<Evidence>::Limited(Reason::new("http-429", ""));
        let mut attempts = Attempts::new(2);
        for answer in [failed(), limited(), failed(), limited()] {
            let is_limited = answer == limited();
            assert_eq!(attempts.next(answer, 0) == Next::Again, is_limited);
        }
        assert!(!attempts.is_untried());
        assert_eq!(attempts.next(failed(), 0), Next::Done(Evidence::Unfetched(Reason::new("http-502", ""))));
        let mut untried = Attempts::new(0);
        assert_eq!(untried.next(limited(), 0), Next::Again);
        assert!(untried.is_untried());
        assert_eq!(untried.next(failed(), 0), Next::Done(Evidence::Unfetched(Reason::new("http-502", ""))));
        let mut attempts = Attempts::new(5);
        let waits = [250, 500, 1000].map(|ceiling| Next::AgainWithin(Duration::from_millis(ceiling)));
        assert_eq!(waits.clone().map(|_| attempts.next(failed(), 0)), waits);
    }

    #[test]
    fn an_order_limited_five_times_while_others_are_answered_is_unfetched() {
        let limited = || Answer::Limited(Reason::new("http-429", "slow down"));
        let unfetched = Next::Done(Evidence::Unfetched(Reason::new("http-429", "slow down")));
        let follow = |answered: [u64; 6]| {
            let mut attempts = Attempts::new(0);
            answered.map(|answered| attempts.next(limited(), answered) == unfetched)
        };
        assert_eq!(follow([7; 6]), [false; 6], "no request is answered");
        assert_eq!(follow([7, 7, 7, 7, 8, 8]), [false, false, false, false, true, true]);
        assert_eq!(follow([7, 9, 9, 9, 9, 9]), [false, false, false, false, true, true]);
        let mut attempts = Attempts::new(9);
        for answered in 0..4 {
            assert_eq!(attempts.next(limited(), answered), Next::Again);
        }
        attempts.next(Answer::<Evidence>::Failed(Reason::new("http-502", "")), 4);
        assert_eq!(attempts.next(limited(), 5), Next::Again, "the count starts over");
    }

    #[test]
    fn the_ceiling_doubles_up_to_the_cap() {
        let milliseconds: Vec<u128> = (0..9).map(|failures| ceiling(failures).as_millis()).collect();
        assert_eq!(milliseconds, [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert_eq!(ceiling(u32::MAX), CAP);
    }

    #[test]
    fn retry_after_in_seconds() {
        for (text, seconds) in [("2", 2), (" 1 ", 1), ("9223372037", 9_223_372_037), ("0009", 9), ("0", 0)] {
            assert_eq!(retry_after(Some(text), None), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(retry_after(Some("99999999999999999999"), None), Some(Duration::from_secs(u64::MAX)));
        for text in ["", "-1", "+1", "1.5", "soon", "1e3"] {
            assert_eq!(retry_after(Some(text), None), None, "{text:?}");
        }
        assert_eq!(retry_after(None, None), None);
    }

    #[test]
    fn retry_after_as_a_date_is_relative_to_the_replys_date() {
        let wait = |until, sent| retry_after(Some(until), Some(sent)).map(|wait| wait.as_secs());
        // A provider whose clock is in 1994 still means ten seconds.
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:47 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"), Some(10));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"), Some(0));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:36 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"), Some(0));
        assert_eq!(wait("Thu, 01 Jan 2099 00:00:00 GMT", "Wed, 31 Dec 2098 00:00:00 GMT"), Some(86_400));
        assert_eq!(
            wait("Fri, 01 Jan 2099 00:00:00 GMT", "Wed, 31 Dec 2098 00:00:00 GMT"),
            Some(86_400),
            "it is a Thursday"
        );
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:47 GMT", "yesterday"), Some(0));
        assert_eq!(wait("yesterday", "Sun, 06 Nov 1994 08:49:37 GMT"), None);
        assert_eq!(retry_after(Some("Sun, 06 Nov 1994 08:49:47 GMT"), None), Some(Duration::ZERO));
    }
}
