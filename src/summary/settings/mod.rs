//! The settings that affect judgement, as reports and hashes show them: no paths, no rates.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::checks::{CATALOGUE, ControlTotal, Figures, Judging, NOT_FOUND, Thresholds, Tolerances, Waiver, WaiverKey};
use crate::domain::books::Field;
use crate::domain::days::{DayBy, Days};
use crate::domain::finding::{Severity, Subject};
use crate::domain::money::Amount;
use crate::domain::time::Period;

/// The settings that affect judgement. What is as usual is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgingSettings {
    /// The codes of the checks that judge.
    pub checks: Vec<String>,
    /// The only currency expected, if one is set.
    pub currency: Option<String>,
    /// By how much an identity may be off, with 8 decimals, in a currency that is not named.
    pub tolerance: String,
    /// By how much it may be off by currency, with 8 decimals.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tolerances: BTreeMap<String, String>,
    /// The age in seconds from which an order that is not settled is stale.
    pub stale_after_seconds: i64,
    /// Severities that are other ones than the catalogue's, by check or by check and cause.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub severities: BTreeMap<String, String>,
    /// The waivers, by order and check.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<WaiverSettings>,
    /// From which size on a difference is material, with 8 decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub material: Option<String>,
    /// How long before it is stale an order is a warning already, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn_before_seconds: Option<i64>,
    /// Other thresholds for the orders of some workflows, by workflow ID.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub workflows: BTreeMap<String, ThresholdSettings>,
    /// The fields that are compared with our own books, with the input's column of each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub expect: BTreeMap<String, String>,
    /// What sums have to come to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub control_totals: Vec<ControlTotalSettings>,
    /// When the orders were created that the input must have all of, where it must.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete: Option<CompleteSettings>,
    /// The time zone whose days spend is told by.
    pub timezone: String,
    /// Which time of an order says its day: `created` or `updated`.
    pub day_by: String,
}

/// A time from one moment on until right before another; null is no bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompleteSettings {
    /// The first moment.
    pub since: Option<Timestamp>,
    /// The first moment after it; where it is null, the report's `as_of`.
    pub until: Option<Timestamp>,
}

/// What is other than usual for the orders of one workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThresholdSettings {
    /// By how much identities may be off, with 8 decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<String>,
    /// The age in seconds from which an order is stale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after_seconds: Option<i64>,
    /// From which size on a difference is material, with 8 decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub material: Option<String>,
}

/// What one sum has to come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlTotalSettings {
    /// The amount's name.
    pub field: String,
    /// The currency, if one is named.
    pub currency: Option<String>,
    /// What it has to come to, with 8 decimals.
    pub expected: String,
}

/// One waiver. Either there is a difference, or both sides, or, for a missing order, neither.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaiverSettings {
    /// The order.
    pub order: String,
    /// The check's code, or `not-found`.
    pub check: String,
    /// The field, where the check has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Which row of our own books, counted from 1; left out where it is the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// Actual less expected, with 8 decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
    /// What the check expects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// Why it is all right.
    pub reason: String,
    /// The last day of the waiver.
    pub expires: Date,
    /// The moment at which that day is over.
    pub until: Timestamp,
}

/// Settings of a report that this program can't judge by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsProblem {
    /// A tolerance, a materiality or a control total that is no amount.
    #[error("{0:?} is no amount that can be judged by")]
    Tolerance(String),
    /// An age that is none.
    #[error("{0} seconds are no age")]
    StaleAfter(i64),
    /// A field that there is not, or that has no sum.
    #[error("{0:?} is no field that can be compared")]
    Field(String),
    /// Days of a time zone that is not known here, or by no time of an order.
    #[error("days by {by:?} in {zone:?} are none that spend can be told by")]
    Days {
        /// The time zone.
        zone: String,
        /// Which time of an order.
        by: String,
    },
    /// A word that is no severity.
    #[error("{0:?} is no severity")]
    Severity(String),
    /// A waiver of no figures, or of figures that are none.
    #[error("the waiver of {order:?} for {check:?} does not say what it waives")]
    Waiver {
        /// The order.
        order: String,
        /// The check.
        check: String,
    },
    /// A check that this version does not know.
    #[error("this tieout knows no check {0:?}: use the newer tieout that made the report")]
    UnknownCheck(String),
}

impl Default for JudgingSettings {
    /// Those of a job that names none.
    fn default() -> Self {
        Self::from(&Judging::default())
    }
}

impl From<&Judging> for JudgingSettings {
    fn from(judging: &Judging) -> Self {
        Self {
            checks: judging.checks().map(|check| check.code.to_owned()).collect(),
            currency: judging.currency.clone(),
            tolerance: judging.tolerance.otherwise.to_string(),
            tolerances: texts(&judging.tolerance.by_currency, Amount::to_string),
            stale_after_seconds: judging.stale_after.as_secs(),
            severities: texts(&judging.severities, |severity| severity.code().to_owned()),
            waivers: judging.waivers.iter().map(WaiverSettings::of).collect(),
            material: judging.material.map(|material| material.to_string()),
            warn_before_seconds: judging.warn_before.map(|time| time.as_secs()),
            workflows: judging.workflows.iter().map(|(id, own)| (id.clone(), ThresholdSettings::of(own))).collect(),
            expect: judging.expect.iter().map(|(field, column)| (field.to_string(), column.clone())).collect(),
            control_totals: judging.control_totals.iter().map(ControlTotalSettings::of).collect(),
            complete: judging.complete.map(|Period { since, until }| CompleteSettings { since, until }),
            timezone: judging.days.zone_name().to_owned(),
            day_by: judging.days.by.code().to_owned(),
        }
    }
}

impl JudgingSettings {
    /// To judge as by these settings again. A check that was added since does not judge.
    ///
    /// # Errors
    /// [`SettingsProblem`].
    pub fn judging(&self) -> Result<Judging, SettingsProblem> {
        let known = |code: &String| CATALOGUE.iter().any(|check| check.code == code);
        if let Some(unknown) = self.checks.iter().find(|code| !known(code)) {
            return Err(SettingsProblem::UnknownCheck(unknown.clone()));
        }
        let off = CATALOGUE.iter().map(|check| check.code).filter(|code| !self.checks.iter().any(|on| on == code));
        let mut by_currency = BTreeMap::new();
        for (currency, text) in &self.tolerances {
            by_currency.insert(currency.clone(), tolerance(text)?);
        }
        let mut severities = BTreeMap::new();
        for (key, word) in &self.severities {
            severities.insert(key.clone(), severity(word)?);
        }
        Ok(Judging {
            tolerance: Tolerances { otherwise: tolerance(&self.tolerance)?, by_currency },
            currency: self.currency.clone(),
            stale_after: age(self.stale_after_seconds)?,
            warn_before: self.warn_before_seconds.map(age).transpose()?,
            off: off.collect(),
            severities,
            waivers: self.waivers.iter().map(WaiverSettings::waiver).collect::<Result<_, _>>()?,
            material: self.material.as_deref().map(tolerance).transpose()?,
            complete: self.complete.as_ref().map(|period| Period { since: period.since, until: period.until }),
            days: days(&self.timezone, &self.day_by)?,
            workflows: self
                .workflows
                .iter()
                .map(|(id, own)| Ok((id.clone(), own.thresholds()?)))
                .collect::<Result<_, _>>()?,
            expect: self
                .expect
                .iter()
                .map(|(name, column)| Ok((field(name)?, column.clone())))
                .collect::<Result<_, _>>()?,
            control_totals: self
                .control_totals
                .iter()
                .map(ControlTotalSettings::control_total)
                .collect::<Result<_, _>>()?,
        })
    }
}

impl ThresholdSettings {
    fn of(own: &Thresholds) -> Self {
        Self {
            tolerance: own.tolerance.map(|amount| amount.to_string()),
            stale_after_seconds: own.stale_after.map(|time| time.as_secs()),
            material: own.material.map(|amount| amount.to_string()),
        }
    }

    fn thresholds(&self) -> Result<Thresholds, SettingsProblem> {
        Ok(Thresholds {
            tolerance: self.tolerance.as_deref().map(tolerance).transpose()?,
            stale_after: self.stale_after_seconds.map(age).transpose()?,
            material: self.material.as_deref().map(tolerance).transpose()?,
        })
    }
}

impl ControlTotalSettings {
    fn of(total: &ControlTotal) -> Self {
        let (field, expected) = (total.field.to_string(), total.expected.to_string());
        Self { field, currency: total.currency.clone(), expected }
    }

    fn control_total(&self) -> Result<ControlTotal, SettingsProblem> {
        let field = field(&self.field)?;
        let expected = Amount::parse(&self.expected).map_err(|_| SettingsProblem::Tolerance(self.expected.clone()))?;
        Ok(ControlTotal { field, currency: self.currency.clone(), expected: expected.into() })
    }
}

impl WaiverSettings {
    fn of((key, waiver): (&WaiverKey, &Waiver)) -> Self {
        let (difference, expected, actual) = match &waiver.figures {
            Figures::Difference(difference) => (Some(difference.to_string()), None, None),
            Figures::Sides { expected, actual } => (None, Some(expected.clone()), Some(actual.clone())),
            Figures::Missing => (None, None, None),
        };
        Self {
            order: key.order.clone(),
            check: key.check.clone(),
            field: key.field.clone(),
            row: Some(key.row).filter(|row| *row != Subject::ORDER.row),
            difference,
            expected,
            actual,
            owner: waiver.owner.clone(),
            reason: waiver.reason.clone(),
            expires: waiver.expires,
            until: waiver.until,
        }
    }

    fn waiver(&self) -> Result<(WaiverKey, Waiver), SettingsProblem> {
        let figures = match (&self.difference, &self.expected, &self.actual) {
            (Some(text), None, None) => Amount::parse(text).ok().map(|amount| Figures::Difference(amount.into())),
            (None, Some(expected), Some(actual)) => {
                Some(Figures::Sides { expected: expected.clone(), actual: actual.clone() })
            }
            (None, None, None) if self.check == NOT_FOUND => Some(Figures::Missing),
            _ => None,
        };
        let (order, check) = (self.order.clone(), self.check.clone());
        let unclear = || SettingsProblem::Waiver { order: order.clone(), check: check.clone() };
        let waiver = Waiver {
            figures: figures.ok_or_else(unclear)?,
            owner: self.owner.clone(),
            reason: self.reason.clone(),
            expires: self.expires,
            until: self.until,
        };
        let row = self.row.unwrap_or(Subject::ORDER.row);
        Ok((WaiverKey { order, check, field: self.field.clone(), row }, waiver))
    }
}

fn texts<T>(values: &BTreeMap<String, T>, text: impl Fn(&T) -> String) -> BTreeMap<String, String> {
    values.iter().map(|(key, value)| (key.clone(), text(value))).collect()
}

fn tolerance(text: &str) -> Result<Amount, SettingsProblem> {
    let tolerance = Amount::parse(text).ok().filter(|tolerance| !tolerance.is_negative());
    tolerance.ok_or_else(|| SettingsProblem::Tolerance(text.to_owned()))
}

fn age(seconds: i64) -> Result<SignedDuration, SettingsProblem> {
    if seconds > 0 { Ok(SignedDuration::from_secs(seconds)) } else { Err(SettingsProblem::StaleAfter(seconds)) }
}

/// The days of that zone, by the time of an order that the word is for.
fn days(zone: &str, word: &str) -> Result<Days, SettingsProblem> {
    let by = DayBy::ALL.into_iter().find(|by| by.code() == word);
    let days = by.and_then(|by| Days::of_zone(zone, by));
    days.ok_or_else(|| SettingsProblem::Days { zone: zone.to_owned(), by: word.to_owned() })
}

fn field(name: &str) -> Result<Field, SettingsProblem> {
    Field::named(name).filter(|field| field.name() == name).ok_or_else(|| SettingsProblem::Field(name.to_owned()))
}

fn severity(word: &str) -> Result<Severity, SettingsProblem> {
    let known = [Severity::Error, Severity::Warning].into_iter().find(|severity| severity.code() == word);
    known.ok_or_else(|| SettingsProblem::Severity(word.to_owned()))
}

#[cfg(test)]
mod tests;
