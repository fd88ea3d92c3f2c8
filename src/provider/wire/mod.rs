//! Reads the provider's JSON digit for digit: the envelope here, its contents in files of their own.
//!
//! Only billing fields are read. Everything else in a reply, prompts above all, is skipped, however deeply it nests.

mod fields;
mod list;
mod order;

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer::{Answer, FinalAnswer, Unavailable};
use super::limit::{self, LimitSigns};
use crate::domain::outcome::Reason;
use fields::{Kind, kind, object, unescaped, wrong_type};

pub(super) use list::PageResult;
pub use list::{Flaws, ListPage};

/// Some programs put this before UTF-8 text.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The object that wraps every reply. `None` means absent or null.
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

/// Why a body is not an envelope.
enum NoEnvelope {
    /// It is not exactly one complete JSON text.
    NotJson,
    /// It is JSON, but not an object, or a field is repeated.
    Malformed(Reason),
}

/// Reads the body of a reply with status 200.
pub(super) fn decode<K: FinalAnswer>(body: &[u8], signs: LimitSigns<'_>) -> Answer<K> {
    let opened = match envelope(body) {
        Ok(envelope) => open(&envelope, signs),
        Err(NoEnvelope::Malformed(reason)) => Err(reason),
        Err(NoEnvelope::NotJson) => {
            return Answer::Failed(Reason::new("not-json", "the reply is not exactly one complete JSON text"));
        }
    };
    opened.unwrap_or_else(|reason| Answer::Final(Unavailable::Malformed(reason).into()))
}

/// The envelope's message, verbatim; empty if there is none.
pub(super) fn message(body: &[u8]) -> String {
    envelope(body).map(|envelope| envelope.message()).unwrap_or_default()
}

/// Whether a body is the provider's envelope: a JSON object with a `code`.
pub(super) fn is_envelope(body: &[u8]) -> bool {
    code_of(body).is_some()
}

/// The business code of an envelope, as text; `None` if the body is not the provider's envelope.
pub(super) fn code_of(body: &[u8]) -> Option<String> {
    let code = envelope(body).ok()?.code().ok()?;
    Some(code.to_string())
}

fn envelope(body: &[u8]) -> Result<Envelope<'_>, NoEnvelope> {
    let text = str::from_utf8(body).map_err(|_| NoEnvelope::NotJson)?;
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    // serde would accept an array as an object with its fields in order.
    if text.trim_ascii_start().starts_with('{')
        && let Ok(envelope) = serde_json::from_str(text)
    {
        return Ok(envelope);
    }
    // Something is wrong with it; parse again to find out what.
    let json: &RawValue = serde_json::from_str(text).map_err(|_| NoEnvelope::NotJson)?;
    match kind(json) {
        Kind::Object => object(json).map_err(NoEnvelope::Malformed),
        kind => {
            let what = format!("the reply is {}, expected an object", kind.name());
            Err(NoEnvelope::Malformed(Reason::new("wrong-type", what)))
        }
    }
}

fn open<K: FinalAnswer>(envelope: &Envelope<'_>, signs: LimitSigns<'_>) -> Result<Answer<K>, Reason> {
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
    /// A whole number, or a text that holds one.
    Number(i64),
    /// Any other number or text, verbatim; never a success.
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
            return Err(Reason::new("no-code", "the reply's code is absent or null"));
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
