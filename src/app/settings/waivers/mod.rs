//! The waivers file: TOML, kept under version control; every waiver has an owner, a reason and an expiry date.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use toml::Spanned;

use super::{SettingsError, text_file};
use crate::checks::{CATALOGUE, Figures, NOT_FOUND, Waiver, WaiverKey, Waivers, depends_on_input};
use crate::domain::finding::Subject;
use crate::domain::id::RunOrderId;
use crate::domain::money::Amount;

/// The largest file, in bytes.
const MAX_FILE: u64 = 16 << 20;
/// The longest owner or reason, in characters.
const MAX_TEXT: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    waiver: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    order: String,
    check: String,
    field: Option<String>,
    row: Option<u64>,
    difference: Option<String>,
    expected: Option<String>,
    actual: Option<String>,
    owner: String,
    reason: String,
    expires: String,
}

/// Reads a waivers file. A waiver's last day ends at midnight in `zone`.
pub(super) fn read(path: &Path, zone: &TimeZone) -> Result<Waivers, SettingsError> {
    let unusable = |problem: String| SettingsError::Waivers { path: path.to_owned(), problem };
    let text = text_file::read(path, MAX_FILE).map_err(|error| unusable(error.to_string()))?;
    parse(&text, zone).map_err(unusable)
}

fn parse(text: &str, zone: &TimeZone) -> Result<Waivers, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut waivers = Waivers::new();
    for entry in file.waiver {
        let line = 1 + text.get(..entry.span().start).unwrap_or_default().matches('\n').count();
        let entry = entry.into_inner();
        let named = format!("line {line}: the waiver of {:?} for {:?}", entry.order, entry.check);
        let (key, waiver) = waiver(entry, zone).map_err(|problem| format!("{named}: {problem}"))?;
        if waivers.insert(key, waiver).is_some() {
            return Err(format!("{named}: an earlier waiver covers the same finding: remove one of them"));
        }
    }
    Ok(waivers)
}

fn waiver(entry: Entry, zone: &TimeZone) -> Result<(WaiverKey, Waiver), String> {
    let key = key(&entry)?;
    let figures = match (entry.difference, entry.expected, entry.actual) {
        (None, None, None) if entry.check == NOT_FOUND => Figures::Missing,
        _ if entry.check == NOT_FOUND => return Err("a missing order has no figures: leave them out".to_owned()),
        (Some(difference), None, None) => {
            let amount = Amount::parse(&difference)
                .map_err(|error| format!("difference {difference:?}: {error}; give an amount such as 0.58042467"))?;
            Figures::Difference(amount.into())
        }
        (None, Some(expected), Some(actual)) => Figures::Sides { expected, actual },
        _ => return Err("give the difference, or expected and actual where there is none".to_owned()),
    };
    let expires: Date =
        entry.expires.parse().map_err(|_| format!("expires {:?}: give a day such as 2026-12-31", entry.expires))?;
    Ok((
        key,
        Waiver {
            figures,
            owner: validated_text("owner", &entry.owner)?,
            reason: validated_text("reason", &entry.reason)?,
            expires,
            until: end_of(expires, zone)?,
        },
    ))
}

/// The finding that a waiver covers.
fn key(entry: &Entry) -> Result<WaiverKey, String> {
    let order = RunOrderId::parse(&entry.order).map_err(|error| error.to_string())?.to_string();
    let check = CATALOGUE.iter().find(|check| check.code == entry.check);
    let fields = match check {
        None if entry.check == NOT_FOUND => &[],
        None => return Err(format!("there is no such check: see `tieout checks`; {NOT_FOUND} waives a missing order")),
        Some(check) => check.fields(),
    };
    let row = entry.row.unwrap_or(Subject::ORDER.row);
    match &entry.field {
        Some(field) if fields.contains(&field.as_str()) => {}
        None if fields.is_empty() => {}
        Some(_) if fields.is_empty() => return Err("this check has no fields: leave the field out".to_owned()),
        _ => return Err(format!("give the field that it covers, one of {}", fields.join(", "))),
    }
    if row == 0 || (row > Subject::ORDER.row && !(depends_on_input(&entry.check) && entry.field.is_some())) {
        return Err(
            "row numbers the rows of our books that carry the order, from 1: only expected-mismatch uses it".to_owned()
        );
    }
    Ok(WaiverKey { order, check: entry.check.clone(), field: entry.field.clone(), row })
}

/// The moment at which a day ends in `zone`.
fn end_of(day: Date, zone: &TimeZone) -> Result<Timestamp, String> {
    let next = day.tomorrow().and_then(|next| next.to_zoned_datetime(zone.clone()));
    next.map(|next| next.timestamp()).map_err(|_| format!("expires {day}: give an earlier day"))
}

/// Validates the owner or the reason (`what`): not empty, on one line, and not too long.
fn validated_text(what: &str, text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err(format!("give the {what}")),
        length if length > MAX_TEXT || text.chars().any(char::is_control) => {
            Err(format!("give the {what} on one line of at most {MAX_TEXT} characters"))
        }
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests;
