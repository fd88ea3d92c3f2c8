//! Findings: the failed checks of an order. They are data for people to review, never errors of the program.

use std::fmt;

use super::money::{Amount, Sum};

/// How much a finding weighs in the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Makes the order `discrepant`, unless it is waived.
    Error,
    /// Is reported, but makes the verdict `warnings` at worst.
    Warning,
}

impl Severity {
    /// Both severities, the graver first.
    pub const ALL: [Self; 2] = [Self::Error, Self::Warning];

    /// The word that reports use.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One side of a check: an exact figure, or a text where the check compares texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Figure {
    /// No figure.
    Nothing,
    /// An exact figure.
    Money(Sum),
    /// A text, as the provider or the input gave it.
    Text(String),
}

impl From<Amount> for Figure {
    fn from(amount: Amount) -> Self {
        Self::Money(amount.into())
    }
}

impl From<Sum> for Figure {
    fn from(sum: Sum) -> Self {
        Self::Money(sum)
    }
}

impl From<Option<String>> for Figure {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Nothing, Self::Text)
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => Ok(()),
            Self::Money(sum) => sum.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// What a finding is about within its check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The field, if the check examines fields. Each has its own figures.
    pub field: Option<&'static str>,
    /// Which of our own books' rows for the order, counted from 1. Always 1 if the check compares no books.
    pub row: u64,
}

impl Subject {
    /// The order as a whole.
    pub const ORDER: Self = Self { field: None, row: 1 };

    /// One field of the order.
    #[must_use]
    pub const fn field(field: &'static str) -> Self {
        Self { field: Some(field), row: 1 }
    }
}

/// One check that one order fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check's stable kebab-case code.
    pub check: &'static str,
    /// What the finding is about.
    pub subject: Subject,
    /// What the finding does to the verdict.
    pub severity: Severity,
    /// Why the check fails, as a stable kebab-case word; `None` if it has no causes, or none is proven.
    pub cause: Option<&'static str>,
    /// What the check expects.
    pub expected: Figure,
    /// What the check found.
    pub actual: Figure,
    /// Actual minus expected, if both are money.
    pub difference: Option<Sum>,
    /// Whether a waiver covers the finding.
    pub is_waived: bool,
    /// Whether the finding is not waived and its difference is material. False if no materiality is set.
    pub is_material: bool,
    /// The finding in one English sentence, without the provider's texts.
    pub message: String,
}

/// A finding from an earlier report, with the texts of its row.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PastFinding {
    /// 16 hex digits from order, check, field and row of our books, the same every night.
    pub discrepancy_id: String,
    /// The order's ID.
    pub run_order_id: String,
    /// The check's code.
    pub check: String,
    /// The field, if the check examines fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Which of our own books' rows for the order, counted from 1.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub row: u64,
    /// `error` or `warning`.
    pub severity: String,
    /// The order's currency.
    pub currency: Option<String>,
    /// What the check expected.
    pub expected: String,
    /// What the check found then.
    pub actual: String,
    /// Actual minus expected, if both are money.
    pub difference: Option<String>,
}

const fn first() -> u64 {
    1
}

const fn is_first(row: &u64) -> bool {
    *row == 1
}

impl PastFinding {
    /// Whether the finding is that check's, about that subject.
    #[must_use]
    pub fn is_of(&self, check: &str, subject: Subject) -> bool {
        self.check == check && self.field.as_deref() == subject.field && self.row == subject.row
    }
}
