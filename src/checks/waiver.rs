//! Waivers: accepted discrepancies. Each covers exactly these figures of exactly this order, until a date.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::finding::{Figure, Finding};
use crate::domain::money::{Amount, Sum};
use crate::domain::visible;

/// The code that waives a missing order. It is not a check of the catalogue: there is no order to check.
pub const NOT_FOUND: &str = "not-found";

/// One accepted discrepancy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// The exact figures that are waived.
    pub figures: Figures,
    /// Who is responsible for accepting it.
    pub owner: String,
    /// Why it is acceptable.
    pub reason: String,
    /// The last day on which the waiver is valid.
    pub expires: Date,
    /// The moment at which that day ends.
    pub until: Timestamp,
}

/// The figures that a waiver covers. It lapses if the discrepancy has different ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Figures {
    /// Actual minus expected.
    Difference(Sum),
    /// Both sides: amounts, or texts as the provider gave them or as a report's cells show them.
    Sides {
        /// What the check expects.
        expected: String,
        /// What the check found instead.
        actual: String,
    },
    /// No figures: the provider has no such order.
    Missing,
}

/// The finding that a waiver is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WaiverKey {
    /// The order's ID.
    pub order: String,
    /// The check's code, or [`NOT_FOUND`].
    pub check: String,
    /// The field, if the check examines fields.
    pub field: Option<String>,
    /// Which of our own books' rows for the order, counted from 1.
    pub row: u64,
}

impl WaiverKey {
    /// The key of a finding of an order.
    #[must_use]
    pub fn of(order: &str, finding: &Finding) -> Self {
        Self {
            order: order.to_owned(),
            check: finding.check.to_owned(),
            field: finding.subject.field.map(str::to_owned),
            row: finding.subject.row,
        }
    }
}

/// All waivers by the finding that each is for. A finding has at most one.
pub type Waivers = BTreeMap<WaiverKey, Waiver>;

/// Whether a waiver applies to what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaiverState {
    /// It covers a discrepancy.
    Applied,
    /// It has expired.
    Expired,
    /// The figures have changed.
    Changed,
    /// The input has no such discrepancy.
    Unused,
}

impl WaiverState {
    /// Whether the discrepancy is there, but the waiver no longer covers it.
    #[must_use]
    pub const fn is_lapsed(self) -> bool {
        matches!(self, Self::Expired | Self::Changed)
    }

    /// The word that reports use.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Expired => "expired",
            Self::Changed => "changed",
            Self::Unused => "unused",
        }
    }
}

impl Waiver {
    /// The waiver's state at `as_of`, given the finding that it is for. `None` stands for a missing order.
    #[must_use]
    pub fn state(&self, found: Option<&Finding>, as_of: Timestamp) -> WaiverState {
        let is_meant = match (&self.figures, found) {
            (Figures::Missing, None) => true,
            (Figures::Difference(difference), Some(finding)) => finding.difference == Some(*difference),
            (Figures::Sides { expected, actual }, Some(finding)) => {
                matches_figure(expected, &finding.expected) && matches_figure(actual, &finding.actual)
            }
            _ => false,
        };
        match (is_meant, as_of < self.until) {
            (false, _) => WaiverState::Changed,
            (true, false) => WaiverState::Expired,
            (true, true) => WaiverState::Applied,
        }
    }
}

/// Whether a waiver's text stands for a figure.
fn matches_figure(text: &str, figure: &Figure) -> bool {
    match figure {
        Figure::Nothing => text.is_empty(),
        Figure::Money(sum) => {
            Amount::parse(text).is_ok_and(|amount| Sum::from(amount) == *sum) || text == sum.to_string()
        }
        Figure::Text(found) => text == found || text == visible::cell(found),
    }
}
