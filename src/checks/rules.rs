//! The rules that orders are judged by. A report's manifest and `summary.json` show them as `settings`,
//! without paths and rates, and with optional rules only if they are set.

use std::collections::{BTreeMap, BTreeSet};

use clap::ValueEnum;
use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{CATALOGUE, Cause, Check, Waivers, waiver_list};
use crate::domain::books::Field;
use crate::domain::days::{DayBy, Days, Zone};
use crate::domain::finding::Severity;
use crate::domain::money::{Amount, Sum};
use crate::domain::order::RunOrder;
use crate::domain::time::{Age, Period};

/// The default age from which an unsettled order is stale.
pub const STALE_AFTER: Age = Age::of_hours(24);

/// The rules that orders are judged by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// The codes of the checks that are switched off; `identity-mismatch` always applies. A report lists the
    /// checks that are on instead, so that checks added later stay off when an older report is judged again.
    #[serde(rename = "checks", serialize_with = "write_checks", deserialize_with = "read_checks")]
    pub off: BTreeSet<&'static str>,
    /// The only currency expected; `None` accepts any.
    pub currency: Option<String>,
    /// How far `quote-split` and `cost-sum` may be off and still hold. `tolerances` overrides it by currency.
    #[serde(deserialize_with = "read_size")]
    pub tolerance: Amount,
    /// The tolerances of single currencies, by currency code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "read_sizes")]
    pub tolerances: BTreeMap<String, Amount>,
    /// The age from which an unsettled order is stale.
    #[serde(rename = "stale_after_seconds")]
    pub stale_after: Age,
    /// Severities that differ from the catalogue's, by code or by code and cause (`quote-split.overage`). The
    /// narrower key wins.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub severities: BTreeMap<String, Severity>,
    /// The accepted discrepancies.
    #[serde(default, skip_serializing_if = "Waivers::is_empty", with = "waiver_list")]
    pub waivers: Waivers,
    /// The smallest difference that counts as material, in the order's currency and without its sign.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "read_optional_size")]
    pub material: Option<Amount>,
    /// How long before an order becomes stale it is a warning; `None` for no early warning.
    #[serde(rename = "warn_before_seconds", default, skip_serializing_if = "Option::is_none")]
    pub warn_before: Option<Age>,
    /// The thresholds of single workflows, by workflow ID.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub workflows: BTreeMap<String, Thresholds>,
    /// The fields compared with our own books, each with its column in the input.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub expect: BTreeMap<Field, String>,
    /// How several rows of our own books that carry the same order are compared.
    #[serde(default, skip_serializing_if = "ExpectRows::is_each")]
    pub expect_rows: ExpectRows,
    /// How many decimals our own books and the control totals are kept to; `None` for all 8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub books_decimals: Option<u8>,
    /// The sums and counts stated by an invoice, or by whoever made the input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub control_totals: Vec<ControlTotal>,
    /// The period from which the input must have every order that the provider lists, by creation time;
    /// `None` if the input may leave out orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete: Option<Period>,
    /// The time zone whose days spend is summed by, such as `Asia/Shanghai`.
    pub timezone: Zone,
    /// Which time of an order decides its day.
    pub day_by: DayBy,
}

/// The thresholds of one workflow. `None` keeps the general rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// How far `quote-split` and `cost-sum` may be off and still hold.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "read_optional_size")]
    pub tolerance: Option<Amount>,
    /// The age from which an unsettled order is stale.
    #[serde(rename = "stale_after_seconds", default, skip_serializing_if = "Option::is_none")]
    pub stale_after: Option<Age>,
    /// The smallest difference that counts as material, without its sign.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "read_optional_size")]
    pub material: Option<Amount>,
}

/// How several rows of our own books that carry the same order are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExpectRows {
    /// Compare each row on its own: our books carry an order once.
    #[default]
    Each,
    /// Add the rows before comparing: our books may split an order.
    Sum,
}

impl ExpectRows {
    fn is_each(&self) -> bool {
        *self == Self::Each
    }
}

/// A sum or a count stated from outside, which ours must equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum ControlTotal {
    /// The sum of an amount over all settled orders.
    Amount {
        /// The amount that is summed.
        field: Field,
        /// The currency; `None` for the expected one, or else the only one there is.
        currency: Option<String>,
        /// The stated sum.
        expected: Sum,
    },
    /// A count of rows or orders.
    Count {
        /// What is counted.
        field: CountField,
        /// The stated count.
        expected: u64,
    },
}

/// What a control total may count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CountField {
    /// The rows of the input.
    Rows,
    /// The distinct orders that the rows name.
    Orders,
}

impl CountField {
    /// Every value.
    pub const ALL: [Self; 2] = [Self::Rows, Self::Orders];

    /// The word that options and reports use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Orders => "orders",
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            off: BTreeSet::new(),
            currency: None,
            tolerance: Amount::ZERO,
            tolerances: BTreeMap::new(),
            stale_after: STALE_AFTER,
            severities: BTreeMap::new(),
            waivers: Waivers::new(),
            material: None,
            warn_before: None,
            workflows: BTreeMap::new(),
            expect: BTreeMap::new(),
            expect_rows: ExpectRows::default(),
            books_decimals: None,
            control_totals: Vec::new(),
            complete: None,
            timezone: Zone::default(),
            day_by: DayBy::default(),
        }
    }
}

impl Rules {
    /// The severity of a finding, given its check and cause.
    pub(super) fn severity(&self, check: &Check, cause: Option<Cause>) -> Severity {
        let by_cause = cause.and_then(|cause| self.severities.get(&format!("{}.{}", check.code, cause.code())));
        by_cause.or_else(|| self.severities.get(check.code)).copied().unwrap_or(check.severity)
    }

    /// The checks that are switched on, in the order of the catalogue.
    pub fn checks(&self) -> impl Iterator<Item = &'static Check> + '_ {
        CATALOGUE.into_iter().filter(|check| !self.off.contains(check.code))
    }

    /// The codes of the checks that are switched off, in the order of the catalogue.
    pub fn checks_off(&self) -> impl Iterator<Item = &'static str> + '_ {
        CATALOGUE.into_iter().map(|check| check.code).filter(|code| self.off.contains(code))
    }

    /// How orders are assigned to the days that spend is summed by.
    #[must_use]
    pub fn days(&self) -> Days {
        Days { zone: self.timezone.clone(), by: self.day_by }
    }

    /// Whether a materiality is set, for all orders or for a workflow.
    #[must_use]
    pub fn has_materiality(&self) -> bool {
        self.material.is_some() || self.workflows.values().any(|workflow| workflow.material.is_some())
    }

    /// Whether the provider's figure, rounded to the decimals of our books, is ours. False if none are set.
    #[must_use]
    pub fn is_rounded(&self, ours: Sum, provider: Sum) -> bool {
        let rounded = self.books_decimals.map(|decimals| provider.rounded(decimals.into()));
        rounded.is_some_and(|rounded| rounded == Ok(ours))
    }

    pub(super) fn tolerance_of(&self, order: &RunOrder) -> Amount {
        let own = self.thresholds_of(order).and_then(|workflow| workflow.tolerance);
        let of_currency = || self.tolerances.get(order.quote_currency.as_deref()?).copied();
        own.or_else(of_currency).unwrap_or(self.tolerance)
    }

    pub(super) fn stale_after_of(&self, order: &RunOrder) -> SignedDuration {
        self.thresholds_of(order).and_then(|workflow| workflow.stale_after).unwrap_or(self.stale_after).duration()
    }

    pub(super) fn material_of(&self, order: &RunOrder) -> Option<Amount> {
        self.thresholds_of(order).and_then(|workflow| workflow.material).or(self.material)
    }

    fn thresholds_of(&self, order: &RunOrder) -> Option<&Thresholds> {
        self.workflows.get(order.workflow_id.as_deref()?)
    }
}

fn write_checks<S: Serializer>(off: &BTreeSet<&'static str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(CATALOGUE.iter().map(|check| check.code).filter(|code| !off.contains(code)))
}

fn read_checks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<&'static str>, D::Error> {
    let on = BTreeSet::<String>::deserialize(deserializer)?;
    let known: BTreeSet<&str> = CATALOGUE.iter().map(|check| check.code).collect();
    if let Some(unknown) = on.iter().find(|code| !known.contains(code.as_str())) {
        let text = format!("this tieout has no check {unknown:?}: use the newer tieout that made the report");
        return Err(de::Error::custom(text));
    }
    Ok(known.into_iter().filter(|code| !on.contains(*code)).collect())
}

fn size<E: de::Error>(amount: Amount) -> Result<Amount, E> {
    if amount.is_negative() { Err(E::custom(format!("{amount} is below zero"))) } else { Ok(amount) }
}

fn read_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
    Amount::deserialize(deserializer).and_then(size)
}

fn read_optional_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Amount>, D::Error> {
    Option::<Amount>::deserialize(deserializer)?.map(size).transpose()
}

fn read_sizes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Amount>, D::Error> {
    let amounts = BTreeMap::<String, Amount>::deserialize(deserializer)?;
    amounts.into_iter().map(|(key, amount)| Ok((key, size(amount)?))).collect()
}
