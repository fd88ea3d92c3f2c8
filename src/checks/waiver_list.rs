//! The list of waivers in a report's settings.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Figures, NOT_FOUND, Waiver, WaiverKey, Waivers};
use crate::domain::finding::Subject;
use crate::domain::money::Sum;

/// One waiver. It has a difference or both sides; for a missing order, neither.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    order: String,
    check: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// Omitted for the first row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    row: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    difference: Option<Sum>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    actual: Option<String>,
    owner: String,
    reason: String,
    expires: Date,
    until: Timestamp,
}

pub(super) fn serialize<S: Serializer>(waivers: &Waivers, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(waivers.iter().map(|(key, waiver)| entry(key.clone(), waiver.clone())))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Waivers, D::Error> {
    let entries = Vec::<Entry>::deserialize(deserializer)?;
    entries.into_iter().map(|entry| waiver(entry).map_err(de::Error::custom)).collect()
}

fn entry(key: WaiverKey, waiver: Waiver) -> Entry {
    let (difference, expected, actual) = match waiver.figures {
        Figures::Difference(difference) => (Some(difference), None, None),
        Figures::Sides { expected, actual } => (None, Some(expected), Some(actual)),
        Figures::Missing => (None, None, None),
    };
    let WaiverKey { order, check, field, row } = key;
    let Waiver { owner, reason, expires, until, .. } = waiver;
    let row = Some(row).filter(|row| *row != Subject::ORDER.row);
    Entry { order, check, field, row, difference, expected, actual, owner, reason, expires, until }
}

fn waiver(entry: Entry) -> Result<(WaiverKey, Waiver), String> {
    let Entry { order, check, field, row, difference, expected, actual, owner, reason, expires, until } = entry;
    let figures = match (difference, expected, actual) {
        (Some(difference), None, None) => Figures::Difference(difference),
        (None, Some(expected), Some(actual)) => Figures::Sides { expected, actual },
        (None, None, None) if check == NOT_FOUND => Figures::Missing,
        _ => return Err(format!("the waiver of {order:?} for {check:?} does not say what it waives")),
    };
    let row = row.unwrap_or(Subject::ORDER.row);
    Ok((WaiverKey { order, check, field, row }, Waiver { figures, owner, reason, expires, until }))
}
