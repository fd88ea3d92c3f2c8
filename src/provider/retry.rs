//! Whether to ask again, and when: the retry decision, its back-off with full jitter, and what
//! `Retry-After` says. Pure.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;

use super::Stop;
use super::answer::{Answer, Known, Lack};
use crate::domain::outcome::Reason;

/// The back-off's first ceiling.
const BASE: Duration = Duration::from_millis(250);
/// No back-off is longer.
const CAP: Duration = Duration::from_secs(30);

/// The attempts so far at one thing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    failures: u32,
    retries: u32,
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
        Self { failures: 0, retries }
    }

    /// Whether no attempt has failed yet. One that was answered 429 is no attempt.
    pub(super) const fn is_untried(&self) -> bool {
        self.failures == 0
    }

    /// Decides what follows an answer.
    pub(super) fn next<K: Known>(&mut self, answer: Answer<K>) -> Next<K> {
        match answer {
            Answer::Final(known) => Next::Done(known),
            Answer::KeyRejected(Reason { code, detail: message }) => Next::Stop(Stop::KeyRejected { code, message }),
            Answer::Limited => Next::Again,
            Answer::Failed(reason) if self.failures >= self.retries => Next::Done(Lack::Unfetched(reason).into()),
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

/// The wait that a `Retry-After` asks for: seconds, or an HTTP date read against the reply's own `Date`, so that
/// nobody's clock but the provider's matters. `None` where there is none that is readable and longer than zero.
pub(super) fn retry_after(value: Option<&str>, date: Option<&str>) -> Option<Duration> {
    let value = value?.trim();
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than 64 bits hold are as good as the most they hold.
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        let (until, sent) = (HTTP_DATE.parse_timestamp(value).ok()?, HTTP_DATE.parse_timestamp(date?.trim()).ok()?);
        Duration::from_secs(u64::try_from(until.as_second() - sent.as_second()).ok()?)
    };
    (!wait.is_zero()).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::outcome::Evidence;

    #[test]
    fn failures_use_up_the_retries_and_a_429_does_not() {
        let failed = || Answer::Failed(Reason::new("http-502", ""));
        let mut course = Course::new(2);
        for answer in [failed(), Answer::Limited, failed(), Answer::Limited] {
            let is_limited = answer == Answer::Limited;
            assert_eq!(course.next(answer) == Next::Again, is_limited);
        }
        assert!(!course.is_untried());
        assert_eq!(course.next(failed()), Next::Done(Evidence::Unfetched(Reason::new("http-502", ""))));
        let mut untried = Course::new(0);
        assert_eq!(untried.next(Answer::<Evidence>::Limited), Next::Again);
        assert!(untried.is_untried());
        assert_eq!(untried.next(failed()), Next::Done(Evidence::Unfetched(Reason::new("http-502", ""))));
        let mut course = Course::new(5);
        let waits = [250, 500, 1000].map(|ceiling| Next::AgainWithin(Duration::from_millis(ceiling)));
        assert_eq!(waits.clone().map(|_| course.next(failed())), waits);
    }

    #[test]
    fn the_ceiling_doubles_up_to_the_cap() {
        let milliseconds: Vec<u128> = (0..9).map(|failures| ceiling(failures).as_millis()).collect();
        assert_eq!(milliseconds, [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert_eq!(ceiling(u32::MAX), CAP);
    }

    #[test]
    fn retry_after_in_seconds() {
        for (text, seconds) in [("2", 2), (" 1 ", 1), ("9223372037", 9_223_372_037), ("0009", 9)] {
            assert_eq!(retry_after(Some(text), None), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(retry_after(Some("99999999999999999999"), None), Some(Duration::from_secs(u64::MAX)));
        for text in ["", "0", "-1", "+1", "1.5", "soon", "1e3"] {
            assert_eq!(retry_after(Some(text), None), None, "{text:?}");
        }
        assert_eq!(retry_after(None, None), None);
    }

    #[test]
    fn retry_after_as_a_date_is_read_against_the_replys_own() {
        let wait = |until, sent| retry_after(Some(until), Some(sent)).map(|wait| wait.as_secs());
        // A provider whose clock stands in 1994 still means ten seconds.
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:47 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"), Some(10));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"), None);
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:36 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"), None);
        assert_eq!(wait("Thu, 01 Jan 2099 00:00:00 GMT", "Wed, 31 Dec 2098 00:00:00 GMT"), Some(86_400));
        assert_eq!(wait("Fri, 01 Jan 2099 00:00:00 GMT", "Wed, 31 Dec 2098 00:00:00 GMT"), Some(86_400), "a Thursday");
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:47 GMT", "yesterday"), None);
        assert_eq!(retry_after(Some("Sun, 06 Nov 1994 08:49:47 GMT"), None), None);
    }
}
