//! Whether to ask again, and when: the retry decision, its back-off with full jitter, and what
//! `Retry-After` says. Pure.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use super::Stop;
use super::answer::{Answer, Known, Unavailable};
use crate::domain::outcome::Reason;

/// The back-off's first ceiling.
const BASE: Duration = Duration::from_millis(250);
/// No back-off is longer.
const CAP: Duration = Duration::from_secs(30);

/// So many limits in a row are about one order, where others are answered meanwhile.
const LIMITS_IN_A_ROW: u32 = 5;

/// The attempts so far at one thing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    failures: u32,
    retries: u32,
    /// How many times in a row it was limited.
    limits: u32,
    /// How many others had been answered when that began.
    answered: u64,
}

/// What follows an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next<K> {
    /// It is known.
    Done(K),
    /// Ask again as soon as anything may be asked.
    Again,
    /// Ask again after a wait drawn from zero to this.
    AgainWithin(Duration),
    /// Nothing else need be asked either.
    Stop(Stop),
}

impl Course {
    /// No attempt was made yet; up to `retries` may follow the first.
    pub(super) const fn new(retries: u32) -> Self {
        Self { failures: 0, retries, limits: 0, answered: 0 }
    }

    /// Whether no attempt has failed yet. One that was limited is no attempt.
    pub(super) const fn is_untried(&self) -> bool {
        self.failures == 0
    }

    /// Decides what follows an answer; `answered` requests of all were answered so far.
    pub(super) fn next<K: Known>(&mut self, answer: Answer<K>, answered: u64) -> Next<K> {
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

/// A wrong day of the week leaves no doubt about the date.
const HTTP_DATE: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);

/// The longest back-off after that many failures in a row before this one. With full jitter the wait is drawn
/// from zero to it.
pub(super) fn ceiling(failures_before: u32) -> Duration {
    2_u32.checked_pow(failures_before).and_then(|factor| BASE.checked_mul(factor)).map_or(CAP, |delay| delay.min(CAP))
}

/// The moment that an HTTP date names.
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    HTTP_DATE.parse_timestamp(text.trim()).ok()
}

/// The wait that a `Retry-After` asks for: seconds, or an HTTP date read against the reply's own `Date`, so that
/// nobody's clock but the provider's matters. `None` where there is none that is readable; zero where it is over, or by whose clock
/// it is to be read is unknown.
pub(super) fn retry_after(value: Option<&str>, date: Option<&str>) -> Option<Duration> {
    let value = value?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than 64 bits hold are as good as the most they hold.
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
    fn failures_use_up_the_retries_and_a_429_does_not() {
        let failed = || Answer::Failed(Reason::new("http-502", ""));
        let limited = || Answer::<Evidence>::Limited(Reason::new("http-429", ""));
        let mut course = Course::new(2);
        for answer in [failed(), limited(), failed(), limited()] {
            let is_limited = answer == limited();
            assert_eq!(course.next(answer, 0) == Next::Again, is_limited);
        }
        assert!(!course.is_untried());
        assert_eq!(course.next(failed(), 0), Next::Done(Evidence::Unfetched(Reason::new("http-502", ""))));
        let mut untried = Course::new(0);
        assert_eq!(untried.next(limited(), 0), Next::Again);
        assert!(untried.is_untried());
        assert_eq!(untried.next(failed(), 0), Next::Done(Evidence::Unfetched(Reason::new("http-502", ""))));
        let mut course = Course::new(5);
        let waits = [250, 500, 1000].map(|ceiling| Next::AgainWithin(Duration::from_millis(ceiling)));
        assert_eq!(waits.clone().map(|_| course.next(failed(), 0)), waits);
    }

    #[test]
    fn what_is_limited_five_times_while_others_are_answered_is_unfetched() {
        let limited = || Answer::Limited(Reason::new("http-429", "slow down"));
        let unfetched = Next::Done(Evidence::Unfetched(Reason::new("http-429", "slow down")));
        let follow = |answered: [u64; 6]| {
            let mut course = Course::new(0);
            answered.map(|answered| course.next(limited(), answered) == unfetched)
        };
        assert_eq!(follow([7; 6]), [false; 6], "nobody is answered");
        assert_eq!(follow([7, 7, 7, 7, 8, 8]), [false, false, false, false, true, true]);
        assert_eq!(follow([7, 9, 9, 9, 9, 9]), [false, false, false, false, true, true]);
        let mut course = Course::new(9);
        for answered in 0..4 {
            assert_eq!(course.next(limited(), answered), Next::Again);
        }
        course.next(Answer::<Evidence>::Failed(Reason::new("http-502", "")), 4);
        assert_eq!(course.next(limited(), 5), Next::Again, "the row begins anew");
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
    fn retry_after_as_a_date_is_read_against_the_replys_own() {
        let wait = |until, sent| retry_after(Some(until), Some(sent)).map(|wait| wait.as_secs());
        // A provider whose clock stands in 1994 still means ten seconds.
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:47 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"), Some(10));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"), Some(0));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:36 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"), Some(0));
        assert_eq!(wait("Thu, 01 Jan 2099 00:00:00 GMT", "Wed, 31 Dec 2098 00:00:00 GMT"), Some(86_400));
        assert_eq!(wait("Fri, 01 Jan 2099 00:00:00 GMT", "Wed, 31 Dec 2098 00:00:00 GMT"), Some(86_400), "a Thursday");
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:47 GMT", "yesterday"), Some(0));
        assert_eq!(wait("yesterday", "Sun, 06 Nov 1994 08:49:37 GMT"), None);
        assert_eq!(retry_after(Some("Sun, 06 Nov 1994 08:49:47 GMT"), None), Some(Duration::ZERO));
    }
}
