//! The provider's JSON, read strictly: amounts digit for digit, unknown fields ignored, nothing private kept.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::money::{Amount, AmountError};
use crate::domain::order::{Amounts, RunOrder};
use crate::domain::outcome::Reason;

/// The longest text that is kept, in bytes.
const LONGEST_TEXT: usize = 4_096;
/// The longest message of the provider that is kept, in characters.
const LONGEST_MESSAGE: usize = 300;

/// What the body of a reply of status 200 is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decoded {
    /// An order.
    Order(Box<RunOrder>),
    /// JSON, but no order.
    Malformed(Reason),
    /// A code other than 0.
    Code(String),
    /// No whole JSON.
    NotJson,
}

/// Every value is raw first, so that its very digits are there and a wrong type can be named.
#[derive(Deserialize)]
struct Envelope<'b> {
    #[serde(borrow, default)]
    code: Option<&'b RawValue>,
    #[serde(borrow, default)]
    msg: Option<&'b RawValue>,
    #[serde(borrow, default)]
    message: Option<&'b RawValue>,
    #[serde(borrow, default)]
    error: Option<&'b RawValue>,
    #[serde(borrow, default)]
    data: Option<&'b RawValue>,
}

#[derive(Deserialize)]
struct Data<'b> {
    #[serde(borrow, default)]
    run_order_id: Option<&'b RawValue>,
    #[serde(borrow, default)]
    workflow_id: Option<&'b RawValue>,
    #[serde(borrow, default)]
    revision_id: Option<&'b RawValue>,
    #[serde(borrow, default)]
    quote_currency: Option<&'b RawValue>,
    #[serde(borrow, default)]
    quote_amount: Option<&'b RawValue>,
    #[serde(borrow, default)]
    final_amount: Option<&'b RawValue>,
    #[serde(borrow, default)]
    released_amount: Option<&'b RawValue>,
    #[serde(borrow, default)]
    compute_cost: Option<&'b RawValue>,
    #[serde(borrow, default)]
    external_model_cost: Option<&'b RawValue>,
    #[serde(borrow, default)]
    total_cost: Option<&'b RawValue>,
    #[serde(borrow, default)]
    freeze_status: Option<&'b RawValue>,
    #[serde(borrow, default)]
    submission_status: Option<&'b RawValue>,
    #[serde(borrow, default)]
    run_status: Option<&'b RawValue>,
    #[serde(borrow, default)]
    settlement_status: Option<&'b RawValue>,
    #[serde(borrow, default)]
    task_id: Option<&'b RawValue>,
    #[serde(borrow, default)]
    prompt_id: Option<&'b RawValue>,
    #[serde(borrow, default)]
    error_code: Option<&'b RawValue>,
    #[serde(borrow, default)]
    created_at: Option<&'b RawValue>,
    #[serde(borrow, default)]
    updated_at: Option<&'b RawValue>,
}

/// Reads the body of a reply of status 200.
pub(super) fn decode(body: &[u8]) -> Decoded {
    let Ok(text) = std::str::from_utf8(body) else { return Decoded::NotJson };
    let text = text.trim_start_matches('\u{feff}');
    let Ok(whole) = serde_json::from_str::<&RawValue>(text) else { return Decoded::NotJson };
    let envelope: Envelope<'_> = match serde_json::from_str(whole.get()) {
        Ok(envelope) => envelope,
        Err(error) => return Decoded::Malformed(structure(&error, "the reply")),
    };
    match code(envelope.code) {
        None => Decoded::Malformed(Reason::new("no-code", "the reply has no code")),
        Some(code) if code == "0" => match order(envelope.data) {
            Ok(order) => Decoded::Order(Box::new(order)),
            Err(reason) => Decoded::Malformed(reason),
        },
        Some(code) => Decoded::Code(code),
    }
}

/// What the provider says in its envelope, verbatim but for control characters, cut.
pub(super) fn message(body: &[u8]) -> String {
    let Ok(envelope) = serde_json::from_slice::<Envelope<'_>>(body) else { return String::new() };
    let nested = |raw: &RawValue| {
        let inner: Envelope<'_> = serde_json::from_str(raw.get()).ok()?;
        unquoted(inner.message.or(inner.msg)?)
    };
    let said = [envelope.msg, envelope.message, envelope.error]
        .into_iter()
        .flatten()
        .find_map(|raw| unquoted(raw).or_else(|| nested(raw)));
    let visible = |char: char| if char.is_control() { ' ' } else { char };
    said.unwrap_or_default().chars().map(visible).take(LONGEST_MESSAGE).collect()
}

/// The code as text, whether it came as a number or as a text.
fn code(raw: Option<&RawValue>) -> Option<String> {
    let raw = raw?;
    let text = unquoted(raw).unwrap_or_else(|| raw.get().to_owned());
    let text = text.trim();
    let simple = !text.is_empty() && text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_graphic());
    (simple && !text.starts_with(['{', '['])).then(|| text.to_owned())
}

fn order(data: Option<&RawValue>) -> Result<RunOrder, Reason> {
    let no_order = |what: &str| Reason::new("no-order", format!("data is {what}, an order was expected"));
    let Some(raw) = data else { return Err(no_order("absent or null")) };
    if !raw.get().starts_with('{') {
        return Err(no_order(type_name(raw)));
    }
    let data: Data<'_> = serde_json::from_str(raw.get()).map_err(|error| structure(&error, "data"))?;
    Ok(RunOrder {
        run_order_id: text("run_order_id", data.run_order_id)?,
        workflow_id: text("workflow_id", data.workflow_id)?,
        revision_id: text("revision_id", data.revision_id)?,
        quote_currency: text("quote_currency", data.quote_currency)?,
        amounts: Amounts {
            quote_amount: amount("quote_amount", data.quote_amount)?,
            final_amount: amount("final_amount", data.final_amount)?,
            released_amount: amount("released_amount", data.released_amount)?,
            compute_cost: amount("compute_cost", data.compute_cost)?,
            external_model_cost: amount("external_model_cost", data.external_model_cost)?,
            total_cost: amount("total_cost", data.total_cost)?,
        },
        freeze_status: text("freeze_status", data.freeze_status)?,
        submission_status: text("submission_status", data.submission_status)?,
        run_status: text("run_status", data.run_status)?,
        settlement_status: text("settlement_status", data.settlement_status)?,
        task_id: text("task_id", data.task_id)?,
        prompt_id: text("prompt_id", data.prompt_id)?,
        error_code: text("error_code", data.error_code)?,
        created_at: time("created_at", data.created_at)?,
        updated_at: time("updated_at", data.updated_at)?,
    })
}

/// Why JSON is no object of ours. The error's own text may quote what stands there, so it is not kept.
fn structure(error: &serde_json::Error, what: &str) -> Reason {
    if error.to_string().starts_with("duplicate field") {
        return Reason::new("duplicate-key", format!("{what} names a field twice"));
    }
    Reason::new("wrong-type", format!("{what} is no object"))
}

fn wrong_type(field: &str, raw: &RawValue, expected: &str) -> Reason {
    Reason::new("wrong-type", format!("{field} is {}, {expected} was expected", type_name(raw)))
}

fn text(field: &str, raw: Option<&RawValue>) -> Result<Option<String>, Reason> {
    let Some(raw) = raw else { return Ok(None) };
    let text = unquoted(raw).ok_or_else(|| wrong_type(field, raw, "a text"))?;
    if text.len() > LONGEST_TEXT {
        return Err(Reason::new("text-too-long", format!("{field} is longer than {LONGEST_TEXT} bytes")));
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

fn amount(field: &str, raw: Option<&RawValue>) -> Result<Option<Amount>, Reason> {
    let Some(raw) = raw else { return Ok(None) };
    let digits = match raw.get().as_bytes() {
        [b'-' | b'0'..=b'9', ..] => raw.get().to_owned(),
        _ => unquoted(raw).ok_or_else(|| wrong_type(field, raw, "a decimal string or number"))?,
    };
    if digits.is_empty() {
        return Ok(None);
    }
    Amount::parse(&digits).map(Some).map_err(|error| {
        let code = match error {
            AmountError::NotANumber => "wrong-type",
            AmountError::TooManyDecimals(_) | AmountError::TooManyDigits(_) => "amount-not-exact",
        };
        Reason::new(code, format!("{field}: {error}"))
    })
}

/// To the microsecond: finer digits are cut.
fn time(field: &str, raw: Option<&RawValue>) -> Result<Option<Timestamp>, Reason> {
    let Some(text) = text(field, raw)? else { return Ok(None) };
    let time = text.parse::<Timestamp>().and_then(|time| Timestamp::from_microsecond(time.as_microsecond()));
    time.map(Some).map_err(|_| Reason::new("bad-timestamp", format!("{field} is no RFC 3339 time")))
}

/// The text of a JSON string; `None` for any other type.
fn unquoted(raw: &RawValue) -> Option<String> {
    raw.get().starts_with('"').then(|| serde_json::from_str(raw.get()).ok()).flatten()
}

fn type_name(raw: &RawValue) -> &'static str {
    match raw.get().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

#[cfg(test)]
mod tests;
