//! The faults, each by its name.

use std::time::Duration;

use serde::de::IgnoredAny;

use super::super::header::HeaderText;
use super::error::RuleError;
use super::written::{Text, Written};

/// The longest wait that a plan may name.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// How a request is mistreated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection is closed without a byte.
    CloseBeforeHeaders,
    /// The connection is reset without a byte.
    ResetBeforeHeaders,
    /// The right head, half the body, then the connection is closed.
    CutBody,
    /// The right head, half the body, then the connection is reset.
    ResetBody,
    /// The whole body under a `Content-Length` that promises more, then the connection is closed.
    ShortBody,
    /// The right body in chunks, then a space each `interval`, for ever.
    ChunkedEndless { interval: Duration },
    /// The right reply, one byte of the body each `interval`.
    Trickle { interval: Duration },
    /// Nothing, for ever.
    HangBeforeHeaders,
    /// The right head, then nothing for ever.
    HangAfterHeaders,
    /// The right reply after `delay`.
    Slow { delay: Duration },
    /// The right body after 128 MiB of spaces, compressed to some 128 KiB.
    GzipBomb,
    /// The right body, compressed.
    Gzip,
    /// The right body with more than 1 MiB of spaces in it.
    Oversize,
    /// The right body under `text/html`.
    WrongContentType,
    /// An HTML body under that HTTP status.
    Html { status: u16, retry_after: Option<HeaderText> },
    /// HTTP status 200 and no body.
    Empty,
    /// That HTTP status with the usual envelope.
    Status { status: u16, retry_after: Option<HeaderText> },
    /// HTTP status 200 with that JSON as the envelope's code.
    Code { code: String, retry_after: Option<HeaderText> },
    /// The refusal of a request too many.
    TooMany { retry_after: Option<HeaderText> },
    /// HTTP status 302 to that place.
    Redirect { to: HeaderText },
    /// The right body with a key twice in one object.
    DuplicateKeys,
    /// The right body with another order's ID.
    WrongOrder,
    /// The right body, then garbage.
    TrailingBytes,
    /// The right body with 200 nested arrays in a field that nobody knows.
    Deep,
    /// A success whose `data` is null.
    NullData,
    /// The right reply, then the connection is closed unannounced.
    CloseAfter,
}

impl Fault {
    /// Takes from a written rule what the fault itself is made of.
    pub(super) fn take(written: &mut Written) -> Result<Self, RuleError> {
        let Text(head) = std::mem::take(&mut written.fault);
        let (kind, value) = head.split_once('=').map_or((head.as_str(), None), |(kind, value)| (kind, Some(value)));
        let value = Value { kind, value };
        Ok(match kind {
            "close-before-headers" => value.none(Self::CloseBeforeHeaders)?,
            "reset-before-headers" => value.none(Self::ResetBeforeHeaders)?,
            "cut-body" => value.none(Self::CutBody)?,
            "reset-body" => value.none(Self::ResetBody)?,
            "short-body" => value.none(Self::ShortBody)?,
            "chunked-endless" => {
                let interval = duration("interval", written.interval.take(), Duration::from_secs(1))?;
                value.none(Self::ChunkedEndless { interval })?
            }
            "trickle" => {
                let interval = duration("interval", written.interval.take(), Duration::from_secs(5))?;
                value.none(Self::Trickle { interval })?
            }
            "hang-before-headers" => value.none(Self::HangBeforeHeaders)?,
            "hang-after-headers" => value.none(Self::HangAfterHeaders)?,
            "slow" => {
                let delay = duration("delay", written.delay.take(), Duration::from_secs(2))?;
                value.none(Self::Slow { delay })?
            }
            "gzip-bomb" => value.none(Self::GzipBomb)?,
            "gzip" => value.none(Self::Gzip)?,
            "oversize" => value.none(Self::Oversize)?,
            "wrong-content-type" => value.none(Self::WrongContentType)?,
            "html" => value.none(Self::Html { status: 200, retry_after: None })?,
            "empty" => value.none(Self::Empty)?,
            "status" => Self::Status { status: value.status("status")?, retry_after: retry_after(written)? },
            "html-status" => Self::Html { status: value.status("html-status")?, retry_after: retry_after(written)? },
            "code" => Self::Code { code: value.json()?, retry_after: retry_after(written)? },
            "too-many" => value.none(Self::TooMany { retry_after: retry_after(written)? })?,
            "redirect" => Self::Redirect { to: header("redirect", value.some("redirect", "URL")?)? },
            "duplicate-keys" => value.none(Self::DuplicateKeys)?,
            "wrong-order" => value.none(Self::WrongOrder)?,
            "trailing-bytes" => value.none(Self::TrailingBytes)?,
            "deep" => value.none(Self::Deep)?,
            "null-data" => value.none(Self::NullData)?,
            "close-after" => value.none(Self::CloseAfter)?,
            unknown => return Err(RuleError::Unknown { kind: unknown.to_owned() }),
        })
    }

    /// Whether the client gets headers at all.
    pub(super) const fn has_headers(&self) -> bool {
        !matches!(self, Self::CloseBeforeHeaders | Self::ResetBeforeHeaders | Self::HangBeforeHeaders)
    }
}

/// A fault's name and what is written after it.
struct Value<'w> {
    kind: &'w str,
    value: Option<&'w str>,
}

impl<'w> Value<'w> {
    fn none(&self, fault: Fault) -> Result<Fault, RuleError> {
        match self.value {
            None => Ok(fault),
            Some(value) => Err(RuleError::Value { kind: self.kind.to_owned(), value: value.to_owned() }),
        }
    }

    fn some(&self, kind: &'static str, wanted: &'static str) -> Result<&'w str, RuleError> {
        self.value.filter(|value| !value.is_empty()).ok_or(RuleError::NoValue { kind, wanted })
    }

    fn status(&self, kind: &'static str) -> Result<u16, RuleError> {
        let value = self.some(kind, "N, an HTTP status from 200 to 999")?;
        let status = value.parse().ok().filter(|status| (200..=999).contains(status));
        status.ok_or_else(|| bad(kind, value, "an HTTP status from 200 to 999"))
    }

    fn json(&self) -> Result<String, RuleError> {
        let value = self.some("code", "JSON, such as 429 or \"0\" with its quotes")?;
        match serde_json::from_str::<IgnoredAny>(value) {
            Ok(_) => Ok(value.to_owned()),
            Err(_) => Err(bad("code", value, "JSON, such as 429 or \"0\" with its quotes")),
        }
    }
}

/// A header's text; none where it is absent or `none`.
fn retry_after(written: &mut Written) -> Result<Option<HeaderText>, RuleError> {
    let text = written.retry_after.take().map(|Text(text)| header("retry-after", &text)).transpose()?;
    Ok(text.and_then(HeaderText::unless_none))
}

pub(super) fn header(key: &'static str, text: &str) -> Result<HeaderText, RuleError> {
    text.parse().map_err(|_| bad(key, text, "free of control characters"))
}

pub(super) fn bad(key: &'static str, value: &str, wanted: &'static str) -> RuleError {
    RuleError::BadValue { key, value: value.to_owned(), wanted }
}

/// A time such as `500ms`, `5s` or `2m`.
fn duration(key: &'static str, written: Option<Text>, usual: Duration) -> Result<Duration, RuleError> {
    let Some(Text(text)) = written else { return Ok(usual) };
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let number = digits.parse::<u64>().ok().filter(|_| digits.bytes().all(|digit| digit.is_ascii_digit()));
    let read = number.and_then(|number| match text.strip_prefix(digits)? {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        _ => None,
    });
    let read = read.filter(|duration| *duration <= LONGEST);
    read.ok_or_else(|| bad(key, &text, "a whole number of ms, s or m, at most a day, such as 500ms"))
}

#[cfg(test)]
mod tests {
    use super::super::error::KINDS;
    use super::*;

    /// The fault as one would write it with the least words.
    fn example(kind: &str) -> String {
        match kind {
            "status" | "html-status" => format!("{kind}=502"),
            "code" => "code=\"00\"".to_owned(),
            "redirect" => "redirect=http://127.0.0.1:9/".to_owned(),
            plain => plain.to_owned(),
        }
    }

    fn take(spec: &str) -> Result<Fault, RuleError> {
        Fault::take(&mut Written::from_spec(spec).expect("keys"))
    }

    #[test]
    fn every_kind_is_read_and_documented() {
        let documentation = include_str!("../../../docs/sandbox.md");
        let mut read = Vec::new();
        for kind in KINDS {
            let fault = take(&example(kind)).unwrap_or_else(|error| panic!("{kind}: {error}"));
            assert!(!read.contains(&fault), "{kind} is another one's name");
            read.push(fault);
            assert!(documentation.contains(&format!("| `{kind}")), "docs/sandbox.md lacks {kind}");
            let missing = take(&format!("{kind}=")).is_err();
            assert!(missing, "{kind} with an empty value");
        }
        assert!(KINDS.is_sorted());
    }

    #[test]
    fn values_are_kept_to_the_letter() {
        let after = |text: &str| Some(text.parse().expect("a header"));
        let many =
            |spec| take(spec).map(|fault| if let Fault::TooMany { retry_after } = fault { retry_after } else { None });
        assert_eq!(many("too-many"), Ok(None));
        assert_eq!(many("too-many,retry-after=none"), Ok(None));
        assert_eq!(many("too-many,retry-after=-1"), Ok(after("-1")));
        assert_eq!(many("too-many,retry-after="), Ok(after("")));
        assert_eq!(take("trickle,interval=20ms"), Ok(Fault::Trickle { interval: Duration::from_millis(20) }));
        assert_eq!(take("slow,delay=2m"), Ok(Fault::Slow { delay: Duration::from_secs(120) }));
        assert_eq!(take("html"), take("html-status=200"));
        for code in ["429", "\"0\"", "null", "[\"\"]"] {
            assert_eq!(take(&format!("code={code}")), Ok(Fault::Code { code: code.to_owned(), retry_after: None }));
        }
    }

    #[test]
    fn says_what_would_do() {
        for (spec, expected) in [
            ("sing", "there is no fault `sing`; there are: chunked-endless, "),
            ("html=1", "`html` takes no value; leave `=1` out"),
            ("status", "`status` needs a value: status=N, an HTTP status from 200 to 999"),
            ("status=99", "`status=99` won't do: it must be an HTTP status from 200 to 999"),
            ("code=00", "`code=00` won't do: it must be JSON, such as 429"),
            ("trickle,interval=5", "`interval=5` won't do: it must be a whole number of ms, s or m"),
            ("trickle,interval=+5s", "`interval=+5s` won't do"),
            ("slow,delay=99999999999999999m", "at most a day"),
            ("redirect=\u{7}", "free of control characters"),
        ] {
            let said = take(spec).expect_err(spec).to_string();
            assert!(said.contains(expected), "{spec}: {said}");
        }
    }
}
