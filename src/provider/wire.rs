//! The provider's JSON, read digit for digit: the envelope and the run order in it.
//!
//! Only the billing fields are ever looked at. Whatever else a reply holds, prompts above all, is skipped
//! unread, however deeply it nests.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::answer::Answer;
use crate::domain::money::{Amount, AmountError};
use crate::domain::order::{Amounts, RunOrder};
use crate::domain::outcome::{Evidence, Reason};

/// The longest text of a billing field, in characters.
const MAX_TEXT: usize = 4096;
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

/// The fields of a run order that are read at all. `None` is absent or null.
#[derive(Deserialize)]
struct Fields<'b> {
    #[serde(borrow)]
    run_order_id: Option<&'b RawValue>,
    #[serde(borrow)]
    workflow_id: Option<&'b RawValue>,
    #[serde(borrow)]
    revision_id: Option<&'b RawValue>,
    #[serde(borrow)]
    quote_currency: Option<&'b RawValue>,
    #[serde(borrow)]
    quote_amount: Option<&'b RawValue>,
    #[serde(borrow)]
    final_amount: Option<&'b RawValue>,
    #[serde(borrow)]
    released_amount: Option<&'b RawValue>,
    #[serde(borrow)]
    compute_cost: Option<&'b RawValue>,
    #[serde(borrow)]
    external_model_cost: Option<&'b RawValue>,
    #[serde(borrow)]
    total_cost: Option<&'b RawValue>,
    #[serde(borrow)]
    freeze_status: Option<&'b RawValue>,
    #[serde(borrow)]
    submission_status: Option<&'b RawValue>,
    #[serde(borrow)]
    run_status: Option<&'b RawValue>,
    #[serde(borrow)]
    settlement_status: Option<&'b RawValue>,
    #[serde(borrow)]
    task_id: Option<&'b RawValue>,
    #[serde(borrow)]
    prompt_id: Option<&'b RawValue>,
    #[serde(borrow)]
    error_code: Option<&'b RawValue>,
    #[serde(borrow)]
    created_at: Option<&'b RawValue>,
    #[serde(borrow)]
    updated_at: Option<&'b RawValue>,
}

/// Why a body is no envelope.
enum NoEnvelope {
    /// It is not one whole JSON text.
    NotJson,
    /// It is JSON of another kind.
    Malformed(Reason),
}

/// Reads the body of a reply with status 200.
pub(super) fn decode(body: &[u8]) -> Answer {
    let opened = match envelope(body) {
        Ok(envelope) => open(&envelope),
        Err(NoEnvelope::Malformed(reason)) => Err(reason),
        Err(NoEnvelope::NotJson) => {
            return Answer::Failed(Reason::new("not-json", "the reply is not one whole JSON text"));
        }
    };
    opened.unwrap_or_else(|reason| Answer::Final(Evidence::Malformed(reason)))
}

/// The text with which the provider explains itself, as it came; empty where there is none.
pub(super) fn message(body: &[u8]) -> String {
    envelope(body).map(|envelope| envelope.message()).unwrap_or_default()
}

/// Whether a body is an envelope as the provider writes it.
pub(super) fn is_envelope(body: &[u8]) -> bool {
    envelope(body).is_ok_and(|envelope| envelope.code.is_some())
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

/// Decodes an object of which every known field is optional and kept raw, so that only a repeated field, or a
/// name that is no text, can be wrong with it.
fn object<'b, T: Deserialize<'b>>(json: &'b RawValue) -> Result<T, Reason> {
    serde_json::from_str(json.get()).map_err(|error| match error.classify() {
        Category::Data => Reason::new("duplicate-key", error.to_string()),
        _ => Reason::new("bad-text", "the name of a field can't be read"),
    })
}

fn open(envelope: &Envelope<'_>) -> Result<Answer, Reason> {
    let code = match envelope.code()? {
        Code::Number(code) => code,
        Code::Other(text) => {
            let detail = format!("{text}: {}", envelope.message());
            return Ok(Answer::Final(Evidence::Refused(Reason::new("code-other", detail))));
        }
    };
    let reason = || Reason::new(format!("code-{code}"), envelope.message());
    Ok(match code {
        0 => Answer::Final(order(envelope.data)?.into()),
        401 => Answer::KeyRejected(reason()),
        404 => Answer::Final(Evidence::NotFound(reason())),
        429 => Answer::Limited,
        500..=599 => Answer::Failed(reason()),
        _ => Answer::Final(Evidence::Refused(reason())),
    })
}

/// The business code of a reply.
enum Code {
    /// A whole number, or a text of one.
    Number(i64),
    /// Any other number or text, verbatim: no success, whatever it stands for.
    Other(String),
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

fn order(data: Option<&RawValue>) -> Result<RunOrder, Reason> {
    let no_order = |what: &str| Reason::new("no-order", format!("data is {what}, a run order was expected"));
    let data = data.ok_or_else(|| no_order("absent or null"))?;
    if kind(data) != Kind::Object {
        return Err(no_order(kind(data).name()));
    }
    let fields: Fields<'_> = object(data)?;
    Ok(RunOrder {
        run_order_id: text("run_order_id", fields.run_order_id)?,
        workflow_id: text("workflow_id", fields.workflow_id)?,
        revision_id: text("revision_id", fields.revision_id)?,
        quote_currency: text("quote_currency", fields.quote_currency)?,
        amounts: Amounts {
            quote_amount: amount("quote_amount", fields.quote_amount)?,
            final_amount: amount("final_amount", fields.final_amount)?,
            released_amount: amount("released_amount", fields.released_amount)?,
            compute_cost: amount("compute_cost", fields.compute_cost)?,
            external_model_cost: amount("external_model_cost", fields.external_model_cost)?,
            total_cost: amount("total_cost", fields.total_cost)?,
        },
        freeze_status: text("freeze_status", fields.freeze_status)?,
        submission_status: text("submission_status", fields.submission_status)?,
        run_status: text("run_status", fields.run_status)?,
        settlement_status: text("settlement_status", fields.settlement_status)?,
        task_id: text("task_id", fields.task_id)?,
        prompt_id: text("prompt_id", fields.prompt_id)?,
        error_code: text("error_code", fields.error_code)?,
        created_at: time("created_at", fields.created_at)?,
        updated_at: time("updated_at", fields.updated_at)?,
    })
}

/// A text; empty is `None`.
fn text(field: &str, value: Option<&RawValue>) -> Result<Option<String>, Reason> {
    borrowed(field, value).map(|text| text.map(Cow::into_owned))
}

fn borrowed<'b>(field: &str, value: Option<&'b RawValue>) -> Result<Option<Cow<'b, str>>, Reason> {
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

/// An amount as a text or a number, never by way of a binary float; an empty text is `None`.
fn amount(field: &str, value: Option<&RawValue>) -> Result<Option<Amount>, Reason> {
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

/// An RFC 3339 time with any offset, cut to the microsecond; an empty text is `None`.
fn time(field: &str, value: Option<&RawValue>) -> Result<Option<Timestamp>, Reason> {
    let Some(text) = borrowed(field, value)? else {
        return Ok(None);
    };
    text.parse::<Timestamp>()
        .and_then(|time| Timestamp::from_microsecond(time.as_microsecond()))
        .map(Some)
        .map_err(|_| Reason::new("bad-timestamp", format!("{field} is no RFC 3339 time")))
}

fn unescaped<'b>(field: &str, value: &'b RawValue) -> Result<Cow<'b, str>, Reason> {
    let quoted = value.get().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    if let Some(text) = quoted.filter(|text| !text.contains('\\')) {
        return Ok(Cow::Borrowed(text));
    }
    serde_json::from_str(value.get())
        .map(Cow::Owned)
        .map_err(|_| Reason::new("bad-text", format!("{field} has an escape of no meaning")))
}

fn wrong_type(field: &str, value: &RawValue, expected: &str) -> Reason {
    Reason::new("wrong-type", format!("{field} is {}, {expected} was expected", kind(value).name()))
}

/// What a JSON value is, as far as its first character tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Null,
    Boolean,
    Number,
    Text,
    Array,
    Object,
}

fn kind(value: &RawValue) -> Kind {
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
    const fn name(self) -> &'static str {
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

#[cfg(test)]
mod tests;
