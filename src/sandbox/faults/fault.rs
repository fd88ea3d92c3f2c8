//! The faults, and how each is read from a rule.

use std::time::Duration;

use serde::de::IgnoredAny;

use super::super::header::HeaderText;
use super::error::RuleError;
use super::rule_spec::{RuleSpec, Text};

/// The longest wait that a plan may set: a day.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// What goes wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection is closed without a byte.
    CloseBeforeHeaders,
    /// The connection is reset without a byte.
    ResetBeforeHeaders,
    /// The right headers and half the body, then the connection is closed.
    CutBody,
    /// The right headers and half the body, then the connection is reset.
    ResetBody,
    /// The whole body under a `Content-Length` that promises more, then the connection is closed.
    ShortBody,
    /// The right body in chunks, then a space every `interval`, for ever.
    ChunkedEndless { interval: Duration },
    /// The right reply, one byte of the body every `interval`.
    Trickle { interval: Duration },
    /// Nothing, for ever.
    HangBeforeHeaders,
    /// The right headers, then nothing, for ever.
    HangAfterHeaders,
    /// The right reply after `delay`.
    Slow { delay: Duration },
    /// 128 MiB of spaces, then the right body; compressed to about 128 KiB.
    GzipBomb,
    /// The right body, compressed.
    Gzip,
    /// The right body with 1 MiB of spaces added.
    Oversize,
    /// The right body with the content type `text/html`.
    WrongContentType,
    /// An HTML body with this HTTP status.
    Html { status: u16, retry_after: Option<HeaderText> },
    /// HTTP status 200 with an empty body.
    Empty,
    /// This HTTP status with a failure envelope.
    Status { status: u16, retry_after: Option<HeaderText> },
    /// HTTP status 200 with this JSON as the envelope's `code`.
    Code { code: String, retry_after: Option<HeaderText> },
    /// The 429 reply of a rate limit.
    TooMany { retry_after: Option<HeaderText> },
    /// HTTP status 302 to this URL.
    Redirect { to: HeaderText },
    /// The right body with a key that occurs twice in one object.
    DuplicateKeys,
    /// The right body with the ID of a different order.
    WrongOrder,
    /// The right body, then garbage.
    TrailingBytes,
    /// The right body with 200 nested arrays in an unknown field.
    Deep,
    /// A success whose `data` is null.
    NullData,
    /// The right reply, then the connection is closed without announcement.
    CloseAfter,
}

impl Fault {
    /// Takes the fault's own parts out of a written rule; what is left belongs to the rule or is misplaced.
    pub(super) fn take(spec: &mut RuleSpec) -> Result<Self, RuleError> {
        let Text(head) = std::mem::take(&mut spec.fault);
        let (kind, value) = head.split_once('=').map_or((head.as_str(), None), |(kind, value)| (kind, Some(value)));
        let value = Value { kind, value };
        Ok(match kind {
            "close-before-headers" => value.none(Self::CloseBeforeHeaders)?,
            "reset-before-headers" => value.none(Self::ResetBeforeHeaders)?,
            "cut-body" => value.none(Self::CutBody)?,
            "reset-body" => value.none(Self::ResetBody)?,
            "short-body" => value.none(Self::ShortBody)?,
            "chunked-endless" => {
                let interval = duration("interval", spec.interval.take(), Duration::from_secs(1))?;
                value.none(Self::ChunkedEndless { interval })?
            }
            "trickle" => {
                let interval = duration("interval", spec.interval.take(), Duration::from_secs(5))?;
                value.none(Self::Trickle { interval })?
            }
            "hang-before-headers" => value.none(Self::HangBeforeHeaders)?,
            "hang-after-headers" => value.none(Self::HangAfterHeaders)?,
            "slow" => {
                let delay = duration("delay", spec.delay.take(), Duration::from_secs(2))?;
                value.none(Self::Slow { delay })?
            }
            "gzip-bomb" => value.none(Self::GzipBomb)?,
            "gzip" => value.none(Self::Gzip)?,
            "oversize" => value.none(Self::Oversize)?,
            "wrong-content-type" => value.none(Self::WrongContentType)?,
            "html" => value.none(Self::Html { status: 200, retry_after: None })?,
            "empty" => value.none(Self::Empty)?,
            "status" => Self::Status { status: value.status("status")?, retry_after: retry_after(spec)? },
            "html-status" => Self::Html { status: value.status("html-status")?, retry_after: retry_after(spec)? },
            "code" => Self::Code { code: value.json()?, retry_after: retry_after(spec)? },
            "too-many" => value.none(Self::TooMany { retry_after: retry_after(spec)? })?,
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

    /// Whether the client gets any headers.
    pub(super) const fn has_headers(&self) -> bool {
        !matches!(self, Self::CloseBeforeHeaders | Self::ResetBeforeHeaders | Self::HangBeforeHeaders)
    }
}

/// A fault's name and the value after its `=`.
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

/// Takes the `retry-after` key; `None` if it is absent or `none`.
fn retry_after(spec: &mut RuleSpec) -> Result<Option<HeaderText>, RuleError> {
    let text = spec.retry_after.take().map(|Text(text)| header("retry-after", &text)).transpose()?;
    Ok(text.and_then(HeaderText::unless_none))
}

pub(super) fn header(key: &'static str, text: &str) -> Result<HeaderText, RuleError> {
    text.parse().map_err(|_| bad(key, text, "free of control characters"))
}

pub(super) fn bad(key: &'static str, value: &str, wanted: &'static str) -> RuleError {
    RuleError::BadValue { key, value: value.to_owned(), wanted }
}

/// Reads a time such as `500ms`, `5s` or `2m`; `usual` if none is written.
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

    /// The shortest spelling of a fault.
    fn example(kind: &str) -> String {
        match kind {
            "status" | "html-status" => format!("{kind}=502"),
            "code" => "code=\"00\"".to_owned(),
            "redirect" => "redirect=http://127.0.0.1:9/".to_owned(),
            plain => plain.to_owned(),
        }
    }

    fn take(spec: &str) -> Result<Fault, RuleError> {
        Fault::take(&mut RuleSpec::parse(spec).expect("keys"))
    }

    #[test]
    fn every_kind_can_be_read_and_is_documented() {
        let documentation = include_str!("../../../docs/reference/sandbox.md");
        let mut read = Vec::new();
        for kind in KINDS {
            let fault = take(&example(kind)).unwrap_or_else(|error| panic!("{kind}: {error}"));
            assert!(!read.contains(&fault), "{kind} reads as the same fault as a different kind");
            read.push(fault);
            assert!(documentation.contains(&format!("| `{kind}")), "docs/reference/sandbox.md lacks {kind}");
            let missing = take(&format!("{kind}=")).is_err();
            assert!(missing, "{kind} with an empty value");
        }
        assert!(KINDS.is_sorted());
    }

    #[test]
    fn values_are_kept_verbatim() {
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
    fn errors_say_what_is_accepted() {
        for (spec, expected) in [
            ("sing", "unknown fault `sing`; choose from: chunked-endless, "),
            ("html=1", "`html` takes no value; remove `=1`"),
            ("status", "`status` needs a value: status=N, an HTTP status from 200 to 999"),
            ("status=99", "`status=99` is not valid: it must be an HTTP status from 200 to 999"),
            ("code=00", "`code=00` is not valid: it must be JSON, such as 429"),
            ("trickle,interval=5", "`interval=5` is not valid: it must be a whole number of ms, s or m"),
            ("trickle,interval=+5s", "`interval=+5s` is not valid"),
            ("slow,delay=99999999999999999m", "at most a day"),
            ("redirect=\u{7}", "free of control characters"),
        ] {
            let message = take(spec).expect_err(spec).to_string();
            assert!(message.contains(expected), "{spec}: {message}");
        }
    }
}
