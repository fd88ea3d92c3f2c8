//! How long to wait before asking again: back-off with full jitter, and what `Retry-After` says. Pure.

use std::time::Duration;

use jiff::fmt::rfc2822;

/// The back-off's first ceiling.
const BASE: Duration = Duration::from_millis(250);
/// No back-off is longer.
const CAP: Duration = Duration::from_secs(30);

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
        let (until, sent) = (rfc2822::parse(value).ok()?, rfc2822::parse(date?.trim()).ok()?);
        Duration::from_secs(u64::try_from(until.timestamp().as_second() - sent.timestamp().as_second()).ok()?)
    };
    (!wait.is_zero()).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:47 GMT", "yesterday"), None);
        assert_eq!(retry_after(Some("Sun, 06 Nov 1994 08:49:47 GMT"), None), None);
    }
}
