//! The settings that affect judgement: tolerances, ages, and the severities of checks.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use toml::{Table, Value};

use super::{SettingsError, discover, duration, unusable, waivers};
use crate::app::cli::{Options, WorkflowOptions};
use crate::checks::{
    CATALOGUE, Cause, Check, ControlTotal, CountField, ExpectRows, IDENTITY_MISMATCH, Rules, STALE_AFTER, Thresholds,
};
use crate::domain::books::{self, Field};
use crate::domain::finding::Severity;
use crate::domain::money::{Amount, AmountError, SCALE};
use crate::domain::time::{Age, Period};

/// Advice on the values of a check in the settings file.
const WORDS: &str = "use error, warning or off";
/// Advice on the values of a cause. A cause can't be off: a failed check is always listed.
const WORDS_OF_CAUSE: &str = "use error or warning";
const OFF: &str = "off";
const TOLERANCE: &str = "tolerance";

/// Validates the options that affect judgement.
pub(super) fn rules(options: &Options) -> Result<Rules, SettingsError> {
    if let Some(code) = options.currency.as_deref() {
        currency("currency", code)?;
    }
    let timezone = discover::zone(options.timezone.as_deref())?;
    let usual = Thresholds {
        tolerance: None,
        stale_after: options.stale_after.as_deref().map(|text| age("stale-after", text)).transpose()?,
        material: options.material.as_deref().map(material).transpose()?,
    };
    let stale_after = usual.stale_after.unwrap_or(STALE_AFTER);
    let warn_before = options.warn_before.as_deref().map(|text| age("warn-before", text)).transpose()?;
    if let (Some(text), Some(time)) = (&options.warn_before, warn_before)
        && time >= stale_after
    {
        return Err(unusable("warn-before", text, "give less than --stale-after"));
    }
    let (tolerance, tolerances) = options.tolerance.as_deref().map(tolerances).transpose()?.unwrap_or_default();
    let rules = Rules {
        tolerance,
        tolerances,
        currency: options.currency.clone(),
        stale_after,
        warn_before,
        material: usual.material,
        workflows: options.workflow.iter().flatten().map(workflow).collect::<Result<_, _>>()?,
        expect_rows: expect_rows(options)?,
        books_decimals: options.books_decimals.map(books_decimals).transpose()?.flatten(),
        expect: expect(options.expect.as_deref().unwrap_or_default())?,
        control_totals: options
            .control_total
            .iter()
            .flatten()
            .map(|text| control_total(text))
            .collect::<Result<_, _>>()?,
        waivers: options
            .waivers
            .as_deref()
            .map(|path| waivers::read(path, timezone.time_zone()))
            .transpose()?
            .unwrap_or_default(),
        complete: complete(options, timezone.time_zone())?,
        timezone,
        day_by: options.day_by.unwrap_or_default().into(),
        ..Rules::default()
    };
    options.checks.iter().flatten().try_fold(rules, |rules, (key, value)| check(rules, key, value))
}

fn material(text: &str) -> Result<Amount, SettingsError> {
    match Amount::parse(text) {
        Ok(amount) if !amount.is_negative() && !amount.is_zero() => Ok(amount),
        Ok(_) => Err(unusable("material", text, "give an amount above zero")),
        Err(error) => Err(unusable("material", text, &format!("{error}; give an amount such as 100"))),
    }
}

/// The period of which the input must have every order; `None` without `--complete`.
fn complete(options: &Options, zone: &TimeZone) -> Result<Option<Period>, SettingsError> {
    let period = discover::period(options.since.as_deref(), options.until.as_deref(), zone)?;
    match (options.complete, period.since.or(period.until)) {
        (Some(true), _) => Ok(Some(period)),
        (_, None) => Ok(None),
        (_, Some(_)) => {
            let typed = options.since.as_deref().or(options.until.as_deref()).unwrap_or_default();
            let option = if options.since.is_some() { "since" } else { "until" };
            Err(unusable(option, typed, "use it only with --complete"))
        }
    }
}

fn age(option: &'static str, text: &str) -> Result<Age, SettingsError> {
    let time = duration(option, text)?;
    if time.subsec_nanos() > 0 {
        return Err(unusable(option, text, "give whole seconds, such as 30s, 2m or 36h"));
    }
    let age = i64::try_from(time.as_secs()).ok().and_then(|seconds| Age::try_from(seconds).ok());
    age.ok_or_else(|| unusable(option, text, "give a shorter duration"))
}

/// The thresholds of one workflow.
fn workflow((id, own): (&String, &WorkflowOptions)) -> Result<(String, Thresholds), SettingsError> {
    let thresholds = || {
        Ok::<_, SettingsError>(Thresholds {
            tolerance: own.tolerance.as_deref().map(|text| tolerance(text, text)).transpose()?,
            stale_after: own.stale_after.as_deref().map(|text| age("stale-after", text)).transpose()?,
            material: own.material.as_deref().map(material).transpose()?,
        })
    };
    let of_workflow = |error: SettingsError| SettingsError::Workflow {
        id: id.clone(),
        // A key of this table is not an option.
        problem: error.to_string().trim_start_matches("--").to_owned(),
    };
    Ok((id.clone(), thresholds().map_err(of_workflow)?))
}

/// How the rows of one order are compared.
fn expect_rows(options: &Options) -> Result<ExpectRows, SettingsError> {
    match (options.expect_rows.unwrap_or_default(), &options.expect) {
        (ExpectRows::Sum, None) => Err(unusable("expect-rows", "sum", "use it only with --expect")),
        (rows, _) => Ok(rows),
    }
}

/// The number of decimals of our books; `None` for all that an amount has.
fn books_decimals(decimals: u8) -> Result<Option<u8>, SettingsError> {
    match u32::from(decimals) {
        SCALE => Ok(None),
        0..SCALE => Ok(Some(decimals)),
        _ => Err(unusable("books-decimals", &decimals.to_string(), "give a number from 0 to 8")),
    }
}

/// The fields to compare with columns of the input.
fn expect(texts: &[String]) -> Result<BTreeMap<Field, String>, SettingsError> {
    let mut expected = BTreeMap::new();
    for text in texts {
        let refused = |expected: &str| unusable("expect", text, expected);
        let pair = text.split_once('=').filter(|(_, column)| !column.trim().is_empty());
        let (name, column) = pair.ok_or_else(|| refused("give a field and a column, as in final_amount=amount"))?;
        let names = Field::ALL.map(Field::name);
        let field = Field::named(name.trim()).ok_or_else(|| {
            let near = nearest(name.trim(), names).map_or_else(String::new, |near| format!("; did you mean {near}?"));
            refused(&format!("the fields are {}{near}", names.join(", ")))
        })?;
        if expected.insert(field, column.trim().to_owned()).is_some() {
            return Err(refused("a field can be compared with only one column"));
        }
    }
    Ok(expected)
}

/// One control total: the expected sum of an amount, or an expected count.
fn control_total(text: &str) -> Result<ControlTotal, SettingsError> {
    const OPTION: &str = "control-total";
    let refused = |expected: &str| unusable(OPTION, text, expected);
    let (name, figure) =
        text.split_once('=').ok_or_else(|| refused("give an amount's name and figure, as in final=1234.56"))?;
    if let Some(field) = CountField::ALL.into_iter().find(|field| field.name() == name.trim()) {
        let expected = figure.trim().parse().map_err(|_| refused("give a whole number, as in rows=200"))?;
        return Ok(ControlTotal::Count { field, expected });
    }
    let (name, code) = match name.split_once(':') {
        Some((name, code)) => (name, Some(code.trim())),
        None => (name, None),
    };
    if let Some(code) = code {
        currency(OPTION, code)?;
    }
    let field = Field::named(name.trim()).filter(|field| field.is_amount());
    let field = field.ok_or_else(|| {
        refused("the amounts are quote, final, released, compute, external_model, total, the counts rows and orders")
    })?;
    // In a spreadsheet's cell a lone dash means zero; here it is a missing figure.
    let expected = if figure.contains(char::is_numeric) { books::amount(figure) } else { Err(AmountError::NotANumber) };
    let expected = expected.map_err(|error| refused(&format!("{error}; give a figure such as 1234.56")))?;
    let sign = books::sign_of(figure);
    if let (Some(sign), Some(code)) = (sign, code)
        && !sign.is_of(code)
    {
        return Err(refused(&format!("the currency sign is not that of {code}: remove it")));
    }
    let currency = code.map(str::to_owned).or(sign.map(|sign| sign.usual().to_owned()));
    Ok(ControlTotal::Amount { field, currency, expected: expected.into() })
}

fn currency(option: &'static str, code: &str) -> Result<(), SettingsError> {
    let usable =
        (3..=10).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if usable { Ok(()) } else { Err(unusable(option, code, "give a code in capitals, such as CNY")) }
}

fn tolerance(text: &str, figure: &str) -> Result<Amount, SettingsError> {
    match Amount::parse(figure) {
        Ok(amount) if !amount.is_negative() => Ok(amount),
        Ok(_) => Err(unusable(TOLERANCE, text, "give zero or more")),
        Err(error) => Err(unusable(TOLERANCE, text, &format!("{error}; give an amount such as 0.01"))),
    }
}

/// One tolerance for all currencies, or one for each that is named.
fn tolerances(text: &str) -> Result<(Amount, BTreeMap<String, Amount>), SettingsError> {
    if !text.contains('=') {
        return Ok((tolerance(text, text)?, BTreeMap::new()));
    }
    let mut by_currency = BTreeMap::new();
    for part in text.split(',') {
        let (code, figure) = part
            .trim()
            .split_once('=')
            .ok_or_else(|| unusable(TOLERANCE, text, "give each amount with its currency, as in CNY=0.01,USD=0.002"))?;
        currency(TOLERANCE, code)?;
        if by_currency.insert(code.to_owned(), tolerance(text, figure)?).is_some() {
            return Err(unusable(TOLERANCE, text, &format!("give {code} once")));
        }
    }
    Ok((Amount::ZERO, by_currency))
}

/// One entry of `[checks]`: a check with its severity, one cause of it, or a table of its causes.
fn check(rules: Rules, key: &str, value: &Value) -> Result<Rules, SettingsError> {
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
        (Value::String(word), None) => of_check(rules, check, word),
        (Value::String(word), Some(cause)) => of_cause(rules, check, cause, word),
        (Value::Table(causes), None) => of_causes(rules, check, causes),
        _ => Err(refused(key, &value.to_string(), WORDS)),
    }
}

fn of_check(mut rules: Rules, check: &'static Check, word: &str) -> Result<Rules, SettingsError> {
    if check.code == IDENTITY_MISMATCH {
        return Err(refused(check.code, word, "it is always judged, as an error: leave it out"));
    }
    match severity(word) {
        Some(severity) => _ = rules.severities.insert(check.code.to_owned(), severity),
        None if word == OFF => _ = rules.off.insert(check.code),
        None => return Err(refused(check.code, word, WORDS)),
    }
    Ok(rules)
}

fn of_causes(rules: Rules, check: &'static Check, causes: &Table) -> Result<Rules, SettingsError> {
    causes.iter().try_fold(rules, |rules, (cause, value)| match value {
        Value::String(word) => of_cause(rules, check, cause, word),
        value => Err(refused(&format!("{}.{cause}", check.code), &value.to_string(), WORDS_OF_CAUSE)),
    })
}

fn of_cause(mut rules: Rules, check: &'static Check, cause: &str, word: &str) -> Result<Rules, SettingsError> {
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
    rules.severities.insert(key, severity);
    Ok(rules)
}

fn severity(word: &str) -> Option<Severity> {
    Severity::ALL.into_iter().find(|severity| severity.code() == word)
}

fn refused(key: &str, value: &str, expected: &str) -> SettingsError {
    SettingsError::Check { key: key.to_owned(), value: value.to_owned(), expected: expected.to_owned() }
}

/// The known word most similar to an unknown one, if one is similar enough. A known word that begins with the whole
/// unknown word, where that is long enough, wins over any other.
pub(in crate::app) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    const ALIKE: usize = 4;
    let begins = |known: &str| word.len() > ALIKE && known.starts_with(word);
    known
        .into_iter()
        .map(|known| (!begins(known), strsim::damerau_levenshtein(word, known), known))
        .filter(|(other, distance, _)| !other || *distance <= ALIKE)
        .min()
        .map(|(.., known)| known)
}
