//! The settings that affect judgement: tolerances, ages, and the severities of checks.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use toml::{Table, Value};

use super::{SettingsError, duration, unusable, waivers};
use crate::app::cli::Options;
use crate::checks::{CATALOGUE, Cause, Check, IDENTITY_MISMATCH, Judging, STALE_AFTER, Tolerances};
use crate::domain::finding::Severity;
use crate::domain::money::Amount;

/// What can be said of a check in the settings file.
const WORDS: &str = "say error, warning or off";
/// What can be said of a cause there: what fails is listed, and so none is off.
const WORDS_OF_CAUSE: &str = "say error or warning";
const OFF: &str = "off";

pub(super) fn judging(options: &Options) -> Result<Judging, SettingsError> {
    if let Some(code) = options.currency.as_deref() {
        currency("currency", code)?;
    }
    let stale_after = match options.stale_after.as_deref() {
        None => STALE_AFTER,
        Some(text) => SignedDuration::try_from(duration("stale-after", text)?)
            .map_err(|_| unusable("stale-after", text, "give a shorter duration"))?,
    };
    let judging = Judging {
        tolerance: options.tolerance.as_deref().map(tolerances).transpose()?.unwrap_or_default(),
        currency: options.currency.clone(),
        stale_after,
        material: options.material.as_deref().map(material).transpose()?,
        waivers: options.waivers.as_deref().map(waivers::read).transpose()?.unwrap_or_default(),
        ..Judging::default()
    };
    options.checks.iter().flatten().try_fold(judging, |judging, (key, value)| check(judging, key, value))
}

fn material(text: &str) -> Result<Amount, SettingsError> {
    match Amount::parse(text) {
        Ok(amount) if !amount.is_negative() && !amount.is_zero() => Ok(amount),
        Ok(_) => Err(unusable("material", text, "give an amount above zero")),
        Err(error) => Err(unusable("material", text, &format!("{error}; give an amount such as 100"))),
    }
}

fn currency(option: &'static str, code: &str) -> Result<(), SettingsError> {
    let usable =
        (3..=10).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if usable { Ok(()) } else { Err(unusable(option, code, "give a code in capitals, such as CNY")) }
}

/// One amount for all, or amounts by currency.
fn tolerances(text: &str) -> Result<Tolerances, SettingsError> {
    const OPTION: &str = "tolerance";
    let amount = |figure: &str| match Amount::parse(figure) {
        Ok(amount) if !amount.is_negative() => Ok(amount),
        Ok(_) => Err(unusable(OPTION, text, "give zero or more")),
        Err(error) => Err(unusable(OPTION, text, &format!("{error}; give an amount such as 0.01"))),
    };
    if !text.contains('=') {
        return Ok(Tolerances { otherwise: amount(text)?, by_currency: BTreeMap::new() });
    }
    let mut by_currency = BTreeMap::new();
    for part in text.split(',') {
        let (code, figure) = part
            .trim()
            .split_once('=')
            .ok_or_else(|| unusable(OPTION, text, "give each amount with its currency, as in CNY=0.01,USD=0.002"))?;
        currency(OPTION, code)?;
        if by_currency.insert(code.to_owned(), amount(figure)?).is_some() {
            return Err(unusable(OPTION, text, &format!("give {code} once")));
        }
    }
    Ok(Tolerances { otherwise: Amount::ZERO, by_currency })
}

/// One entry of `[checks]`: a check with its severity, one cause of it, or a table of its causes.
fn check(judging: Judging, key: &str, value: &Value) -> Result<Judging, SettingsError> {
    let (code, cause) = match key.split_once('.') {
        None => (key, None),
        Some((code, cause)) => (code, Some(cause)),
    };
    let found = CATALOGUE.into_iter().find(|check| check.code == code);
    let check = found.ok_or_else(|| SettingsError::UnknownCheck {
        code: code.to_owned(),
        nearest: nearest(code, CATALOGUE.map(|check| check.code)),
    })?;
    match (value, cause) {
        (Value::String(word), None) => of_check(judging, check, word),
        (Value::String(word), Some(cause)) => of_cause(judging, check, cause, word),
        (Value::Table(causes), None) => of_causes(judging, check, causes),
        _ => Err(refused(key, &value.to_string(), WORDS)),
    }
}

fn of_check(mut judging: Judging, check: &'static Check, word: &str) -> Result<Judging, SettingsError> {
    if check.code == IDENTITY_MISMATCH {
        return Err(refused(check.code, word, "it is always judged, as an error: leave it out"));
    }
    match severity(word) {
        Some(severity) => _ = judging.severities.insert(check.code.to_owned(), severity),
        None if word == OFF => _ = judging.off.insert(check.code),
        None => return Err(refused(check.code, word, WORDS)),
    }
    Ok(judging)
}

fn of_causes(judging: Judging, check: &'static Check, causes: &Table) -> Result<Judging, SettingsError> {
    causes.iter().try_fold(judging, |judging, (cause, value)| match value {
        Value::String(word) => of_cause(judging, check, cause, word),
        value => Err(refused(&format!("{}.{cause}", check.code), &value.to_string(), WORDS_OF_CAUSE)),
    })
}

fn of_cause(mut judging: Judging, check: &'static Check, cause: &str, word: &str) -> Result<Judging, SettingsError> {
    let key = format!("{}.{cause}", check.code);
    let causes = Cause::of_check(check.code);
    if !causes.iter().any(|known| known.code() == cause) {
        let known: Vec<&str> = causes.iter().map(|cause| cause.code()).collect();
        let expected = match known.as_slice() {
            [] => format!("{} has no causes", check.code),
            known => format!("the causes of {} are: {}", check.code, known.join(", ")),
        };
        return Err(refused(&key, word, &expected));
    }
    let severity = severity(word).ok_or_else(|| refused(&key, word, WORDS_OF_CAUSE))?;
    judging.severities.insert(key, severity);
    Ok(judging)
}

fn severity(word: &str) -> Option<Severity> {
    [Severity::Error, Severity::Warning].into_iter().find(|severity| severity.code() == word)
}

fn refused(key: &str, value: &str, expected: &str) -> SettingsError {
    SettingsError::Check { key: key.to_owned(), value: value.to_owned(), expected: expected.to_owned() }
}

/// The known word that is most like an unknown one, where any is alike.
fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    const ALIKE: usize = 4;
    known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(word, known), known))
        .filter(|(distance, _)| *distance <= ALIKE)
        .min()
        .map(|(_, known)| known)
}
