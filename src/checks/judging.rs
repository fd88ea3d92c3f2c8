//! The settings that affect judgement.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::{CATALOGUE, Cause, Check, Waivers};
use crate::domain::books::Field;
use crate::domain::days::Days;
use crate::domain::finding::Severity;
use crate::domain::money::{Amount, Sum};
use crate::domain::order::RunOrder;
use crate::domain::time::Period;

/// The age from which an order that is not settled is stale, where no other is set.
pub const STALE_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// The settings that affect judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judging {
    /// By how much `quote-split` and `cost-sum` may be off and still hold.
    pub tolerance: Tolerances,
    /// The only currency expected, if there is one.
    pub currency: Option<String>,
    /// The age from which an order that is not settled is stale.
    pub stale_after: SignedDuration,
    /// How long before it is stale an order is a warning already; `None` for not at all.
    pub warn_before: Option<SignedDuration>,
    /// The codes of checks that judge nothing. What a reply is about is always judged.
    pub off: BTreeSet<&'static str>,
    /// Other severities than the catalogue's, by code or by code and cause (`quote-split.overage`): the narrower wins.
    pub severities: BTreeMap<String, Severity>,
    /// The discrepancies that somebody answers for.
    pub waivers: Waivers,
    /// From which size on, in the order's currency, a difference is material.
    pub material: Option<Amount>,
    /// Other thresholds for the orders of some workflows, by workflow ID.
    pub workflows: BTreeMap<String, Thresholds>,
    /// The fields that are compared with our own books, with the input's column of each.
    pub expect: BTreeMap<Field, String>,
    /// What sums have to come to, as an invoice says.
    pub control_totals: Vec<ControlTotal>,
    /// When the orders were created that the input must have all of, as the provider lists them; `None` where the input may
    /// leave out what it likes.
    pub complete: Option<Period>,
    /// How spend is told by day.
    pub days: Days,
}

/// By how much an identity may be off and still hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tolerances {
    /// For orders in a currency that is not named.
    pub otherwise: Amount,
    /// By currency.
    pub by_currency: BTreeMap<String, Amount>,
}

/// What is other than usual for the orders of one workflow. `None` is as usual.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thresholds {
    /// By how much identities may be off.
    pub tolerance: Option<Amount>,
    /// The age from which an order is stale.
    pub stale_after: Option<SignedDuration>,
    /// From which size on a difference is material.
    pub material: Option<Amount>,
}

/// What the sum of an amount over all settled orders has to come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlTotal {
    /// Which amount.
    pub field: Field,
    /// In which currency; `None` where there is only one.
    pub currency: Option<String>,
    /// What it has to come to.
    pub expected: Sum,
}

impl Tolerances {
    /// What orders of that currency are allowed.
    fn of(&self, currency: Option<&str>) -> Amount {
        currency.and_then(|currency| self.by_currency.get(currency)).copied().unwrap_or(self.otherwise)
    }
}

impl Default for Judging {
    fn default() -> Self {
        Self {
            tolerance: Tolerances::default(),
            currency: None,
            stale_after: STALE_AFTER,
            warn_before: None,
            off: BTreeSet::new(),
            severities: BTreeMap::new(),
            waivers: Waivers::new(),
            material: None,
            workflows: BTreeMap::new(),
            expect: BTreeMap::new(),
            control_totals: Vec::new(),
            complete: None,
            days: Days::default(),
        }
    }
}

impl Judging {
    /// What a finding of that check and cause does to the verdict.
    pub(super) fn severity(&self, check: &Check, cause: Option<Cause>) -> Severity {
        let by_cause = cause.and_then(|cause| self.severities.get(&format!("{}.{}", check.code, cause.code())));
        by_cause.or_else(|| self.severities.get(check.code)).copied().unwrap_or(check.severity)
    }

    /// The checks that judge orders, in the order of the catalogue.
    pub fn checks(&self) -> impl Iterator<Item = &'static Check> + '_ {
        CATALOGUE.into_iter().filter(|check| !self.off.contains(check.code))
    }

    /// Whether any order has a size from which on a difference is material.
    #[must_use]
    pub fn has_materiality(&self) -> bool {
        self.material.is_some() || self.workflows.values().any(|workflow| workflow.material.is_some())
    }

    pub(super) fn tolerance_of(&self, order: &RunOrder) -> Amount {
        let own = self.thresholds_of(order).and_then(|workflow| workflow.tolerance);
        own.unwrap_or_else(|| self.tolerance.of(order.quote_currency.as_deref()))
    }

    pub(super) fn stale_after_of(&self, order: &RunOrder) -> SignedDuration {
        self.thresholds_of(order).and_then(|workflow| workflow.stale_after).unwrap_or(self.stale_after)
    }

    pub(super) fn material_of(&self, order: &RunOrder) -> Option<Amount> {
        self.thresholds_of(order).and_then(|workflow| workflow.material).or(self.material)
    }

    fn thresholds_of(&self, order: &RunOrder) -> Option<&Thresholds> {
        self.workflows.get(order.workflow_id.as_deref()?)
    }
}
