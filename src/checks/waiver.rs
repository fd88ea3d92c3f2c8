//! Discrepancies that somebody answers for: exactly these figures, of exactly this order, until a date.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::finding::{Figure, Finding};
use crate::domain::money::{Amount, Sum};
use crate::domain::visible;

/// The code by which a missing order is waived: no check of the catalogue, since there is nothing to check.
pub const NOT_FOUND: &str = "not-found";

/// One waiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// What exactly is waived.
    pub figures: Figures,
    /// Who answers for it.
    pub owner: String,
    /// Why it is all right.
    pub reason: String,
    /// The last day of the waiver.
    pub expires: Date,
    /// The moment at which that day is over.
    pub until: Timestamp,
}

/// The figures that are waived: with any others the waiver lapses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Figures {
    /// Actual less expected.
    Difference(Sum),
    /// Both sides: amounts, or texts as they are or as the cells of a report have them.
    Sides {
        /// What the check expects.
        expected: String,
        /// What there is.
        actual: String,
    },
    /// That there is no such order.
    Missing,
}

/// Which finding a waiver is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WaiverKey {
    /// The order.
    pub order: String,
    /// The check's code, or [`NOT_FOUND`].
    pub check: String,
    /// The field, where the check has several.
    pub field: Option<String>,
    /// Which row of our own books that carries the order, counted from 1.
    pub row: u64,
}

impl WaiverKey {
    /// That of a finding of an order.
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

/// Every waiver, by the finding that it is for: there is at most one.
pub type Waivers = BTreeMap<WaiverKey, Waiver>;

/// What became of a waiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaiverState {
    /// It covers a discrepancy.
    Applied,
    /// Its day is over.
    Expired,
    /// The figures are other ones now.
    Changed,
    /// There is no such discrepancy in this input.
    Unused,
}

impl WaiverState {
    /// Whether there is what it was for, and it does not cover it any more.
    #[must_use]
    pub const fn is_lapsed(self) -> bool {
        matches!(self, Self::Expired | Self::Changed)
    }

    /// The word the reports use.
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
    /// What becomes of it at that time in view of what was found: `None` is a missing order.
    #[must_use]
    pub fn meets(&self, found: Option<&Finding>, as_of: Timestamp) -> WaiverState {
        let is_meant = match (&self.figures, found) {
            (Figures::Missing, None) => true,
            (Figures::Difference(difference), Some(finding)) => finding.difference == Some(*difference),
            (Figures::Sides { expected, actual }, Some(finding)) => {
                names(expected, &finding.expected) && names(actual, &finding.actual)
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

/// Whether a text of a waiver is that figure.
fn names(text: &str, figure: &Figure) -> bool {
    match figure {
        Figure::Nothing => text.is_empty(),
        Figure::Money(sum) => {
            Amount::parse(text).is_ok_and(|amount| Sum::from(amount) == *sum) || text == sum.to_string()
        }
        Figure::Text(found) => text == found || text == visible::cell(found),
    }
}
