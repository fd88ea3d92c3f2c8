//! Reads single fields of the provider's JSON: texts, amounts and times, each absent, null, or of the right type.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::domain::money::{Amount, AmountError};
use crate::domain::outcome::Reason;
use crate::domain::time::is_zero;

/// The longest text accepted in a billing field, in characters.
const MAX_TEXT: usize = 4096;

/// Decodes an object whose known fields are all optional and kept raw, so that only a repeated field or an unreadable
/// name can be wrong with it.
pub(super) fn object<'b, T: Deserialize<'b>>(json: &'b RawValue) -> Result<T, Reason> {
    serde_json::from_str(json.get()).map_err(|error| match error.classify() {
        Category::Data => Reason::new("duplicate-key", error.to_string()),
        _ => Reason::new("bad-text", "the name of a field can't be read"),
    })
}

/// Reads a text; an empty one is `None`.
pub(super) fn text<'b>(field: &str, value: Option<&'b RawValue>) -> Result<Option<Cow<'b, str>>, Reason> {
    let Some(value) = value else {
        return Ok(None);
    };
    if kind(value) != Kind::Text {
        return Err(wrong_type(field, value, "a text"));
    }
    let text = unescaped(field, value)?;
    if text.len() > MAX_TEXT && text.chars().count() > MAX_TEXT {
        return Err(Reason::new("text-too-long", format!("{field} is longer than {MAX_TEXT} characters")));
    }
    Ok((!text.is_empty()).then_some(text))
}

/// Reads an amount from a text or a number, never through a binary float; an empty text is `None`.
pub(super) fn amount(field: &str, value: Option<&RawValue>) -> Result<Option<Amount>, Reason> {
    let Some(value) = value else {
        return Ok(None);
    };
    let parsed = match kind(value) {
        Kind::Number => Amount::parse(value.get()),
        Kind::Text => match &*unescaped(field, value)? {
            "" => return Ok(None),
            text => Amount::parse(text),
        },
        _ => return Err(wrong_type(field, value, "a decimal string or number")),
    };
    parsed.map(Some).map_err(|error| {
        let code = match error {
            AmountError::NotANumber => "not-a-number",
            AmountError::TooManyDecimals(_) | AmountError::TooManyDigits(_) => "amount-not-exact",
        };
        Reason::new(code, format!("{field}: {error}"))
    })
}

/// The value of a time field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time {
    /// Absent, null or empty.
    None,
    /// A placeholder such as the zero time of a program, not a real time.
    Zero,
    /// A real time.
    At(Timestamp),
}

impl Time {
    pub(super) fn moment(self) -> Option<Timestamp> {
        if let Self::At(time) = self { Some(time) } else { None }
    }
}

/// Reads an RFC 3339 time with any offset, truncated to the microsecond; an empty text is [`Time::None`].
pub(super) fn time(field: &str, value: Option<&RawValue>) -> Result<Time, Reason> {
    let Some(text) = text(field, value)? else {
        return Ok(Time::None);
    };
    // Placeholders of other programs that lie outside the range of `Timestamp`.
    if text.starts_with("0000-00-00") || text.starts_with("9999-12-31") {
        return Ok(Time::Zero);
    }
    text.parse::<Timestamp>()
        .and_then(|time| Timestamp::from_microsecond(time.as_microsecond()))
        .map(|time| if is_zero(time) { Time::Zero } else { Time::At(time) })
        .map_err(|_| Reason::new("bad-timestamp", format!("{field} is not an RFC 3339 time")))
}

pub(super) fn unescaped<'b>(field: &str, value: &'b RawValue) -> Result<Cow<'b, str>, Reason> {
    let quoted = value.get().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    if let Some(text) = quoted.filter(|text| !text.contains('\\')) {
        return Ok(Cow::Borrowed(text));
    }
    serde_json::from_str(value.get())
        .map(Cow::Owned)
        .map_err(|_| Reason::new("bad-text", format!("{field} has an invalid escape")))
}

pub(super) fn wrong_type(field: &str, value: &RawValue, expected: &str) -> Reason {
    Reason::new("wrong-type", format!("{field} is {}, expected {expected}", kind(value).name()))
}

/// The type of a JSON value, judged by its first character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Boolean,
    Number,
    Text,
    Array,
    Object,
}

pub(super) fn kind(value: &RawValue) -> Kind {
    match value.get().as_bytes().first() {
        Some(b'n') | None => Kind::Null,
        Some(b't' | b'f') => Kind::Boolean,
        Some(b'"') => Kind::Text,
        Some(b'[') => Kind::Array,
        Some(b'{') => Kind::Object,
        Some(_) => Kind::Number,
    }
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}
