//! The provider's JSON, read digit for digit: the envelope, and what is in it in files of their own.
//!
//! Only the billing fields are ever looked at. Whatever else a reply holds, prompts above all, is skipped
//! unread, however deeply it nests.

mod fields;
mod list;
mod order;

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer::{Answer, Known, Unavailable};
use super::limit::{self, LimitSigns};
use crate::domain::outcome::Reason;
use fields::{Kind, kind, object, unescaped, wrong_type};

pub(super) use list::Listed;
pub use list::{Flaws, ListPage};

/// What some programs put before UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// What every reply is wrapped in. `None` is absent or null.
#[derive(Deserialize)]
struct Envelope<'b> {
    #[serde(borrow)]
    code: Option<&'b RawValue>,
    #[serde(borrow)]
    msg: Option<&'b RawValue>,
    #[serde(borrow)]
    message: Option<&'b RawValue>,
    #[serde(borrow)]
    error: Option<&'b RawValue>,
    #[serde(borrow)]
    data: Option<&'b RawValue>,
}

/// Why a body is no envelope.
enum NoEnvelope {
    /// It is not one whole JSON text.
    NotJson,
    /// It is JSON of another kind.
    Malformed(Reason),
}

/// Reads the body of a reply with status 200.
pub(super) fn decode<K: Known>(body: &[u8], signs: LimitSigns<'_>) -> Answer<K> {
    let opened = match envelope(body) {
        Ok(envelope) => open(&envelope, signs),
        Err(NoEnvelope::Malformed(reason)) => Err(reason),
        Err(NoEnvelope::NotJson) => {
            return Answer::Failed(Reason::new("not-json", "the reply is not one whole JSON text"));
        }
    };
    opened.unwrap_or_else(|reason| Answer::Final(Unavailable::Malformed(reason).into()))
}

/// The text with which the provider explains itself, as it came; empty where there is none.
pub(super) fn message(body: &[u8]) -> String {
    envelope(body).map(|envelope| envelope.message()).unwrap_or_default()
}

/// Whether a body is an envelope as the provider writes it.
pub(super) fn is_envelope(body: &[u8]) -> bool {
    code_of(body).is_some()
}

/// The business code of an envelope, as it is written; `None` where there is no envelope of the provider.
pub(super) fn code_of(body: &[u8]) -> Option<String> {
    let code = envelope(body).ok()?.code().ok()?;
    Some(code.to_string())
}

fn envelope(body: &[u8]) -> Result<Envelope<'_>, NoEnvelope> {
    let text = str::from_utf8(body).map_err(|_| NoEnvelope::NotJson)?;
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    // An array would pass for an object with its fields in order.
    if text.trim_ascii_start().starts_with('{')
        && let Ok(envelope) = serde_json::from_str(text)
    {
        return Ok(envelope);
    }
    // Something is wrong with it; only a second look tells what.
    let json: &RawValue = serde_json::from_str(text).map_err(|_| NoEnvelope::NotJson)?;
    match kind(json) {
        Kind::Object => object(json).map_err(NoEnvelope::Malformed),
        kind => {
            let what = format!("the reply is {}, an object was expected", kind.name());
            Err(NoEnvelope::Malformed(Reason::new("wrong-type", what)))
        }
    }
}

fn open<K: Known>(envelope: &Envelope<'_>, signs: LimitSigns<'_>) -> Result<Answer<K>, Reason> {
    let code = envelope.code()?;
    if let Code::Number(0) = code {
        return Ok(Answer::Final(K::read(envelope.data)?));
    }
    let message = envelope.message();
    let is_limit = signs.are_clear(&code.to_string());
    let speaks_of_limit = limit::speaks_of_limit(&message);
    let reason = match &code {
        Code::Number(code) => Reason::new(format!("code-{code}"), message),
        Code::Other(code) => Reason::new("code-other", format!("{code}: {message}")),
    };
    Ok(match code {
        Code::Number(401) => Answer::KeyRejected(reason),
        _ if is_limit => Answer::Limited(reason),
        Code::Number(500..=599) => Answer::Failed(reason),
        _ if speaks_of_limit => Answer::Limited(reason),
        Code::Number(404) => Answer::Final(Unavailable::NotFound(reason).into()),
        _ => Answer::Final(Unavailable::Refused(reason).into()),
    })
}

/// The business code of a reply.
enum Code {
    /// A whole number, or a text of one.
    Number(i64),
    /// Any other number or text, verbatim: no success, whatever it stands for.
    Other(String),
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(code) => code.fmt(f),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl Envelope<'_> {
    fn code(&self) -> Result<Code, Reason> {
        let Some(code) = self.code else {
            return Err(Reason::new("no-code", "the reply has no code, or null for one"));
        };
        let text = match kind(code) {
            Kind::Number => code.get().to_owned(),
            Kind::Text => unescaped("code", code)?.into_owned(),
            _ => return Err(wrong_type("code", code, "a number or text")),
        };
        Ok(text.trim().parse().map_or(Code::Other(text), Code::Number))
    }

    fn message(&self) -> String {
        #[derive(Deserialize)]
        struct ErrorObject<'b> {
            #[serde(borrow)]
            message: Option<&'b RawValue>,
        }
        let text = |value: &RawValue| serde_json::from_str::<String>(value.get()).ok().filter(|text| !text.is_empty());
        let nested = || {
            let error = self.error.filter(|error| kind(error) == Kind::Object)?;
            object::<ErrorObject<'_>>(error).ok()?.message.and_then(text)
        };
        [self.msg, self.message, self.error].into_iter().flatten().find_map(text).or_else(nested).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
