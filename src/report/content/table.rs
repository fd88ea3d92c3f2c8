//! Tables independent of any output format: typed columns and typed cells.

use std::borrow::Cow;

use jiff::Timestamp;

use super::percent::Percent;
use crate::domain::finding::Figure;
use crate::domain::money::Sum;

/// What the cells of a column hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An ID that people copy; it differs in nearly every row.
    Id,
    /// A machine name, never translated, that repeats across rows.
    Code,
    /// A machine name, never translated, that differs in nearly every row.
    Key,
    /// A severity's code (`error` or `warning`), translated for people.
    Severity,
    /// A bucket's code, translated for people.
    Bucket,
    /// Another code of ours that is translated for people, with the prefix of its message IDs.
    Word(&'static str),
    /// Short text, possibly from outside.
    Text,
    /// A sentence, possibly with text from outside.
    Sentence,
    /// Exact money with 8 decimals, or text where a check compares texts.
    Amount,
    /// A percentage with 2 decimals.
    Percent,
    /// A whole number.
    Integer,
    /// A point in time.
    Time,
    /// A yes or no; empty cells are a no.
    Flag,
}

/// One column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The machine name, never translated.
    pub name: &'static str,
    /// The kind of value in its cells.
    pub kind: Kind,
    /// Whether print leaves it out, because paper is too narrow for every column.
    pub is_extra: bool,
}

/// A column that is also printed.
pub(in crate::report) const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, is_extra: false }
}

impl Column {
    /// This column, but left out in print.
    pub(in crate::report) const fn extra(self) -> Self {
        Self { is_extra: true, ..self }
    }
}

/// One typed cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// No value.
    Empty,
    /// Text, possibly from outside.
    Text(Cow<'a, str>),
    /// Exact money with 8 decimals.
    Amount(Sum),
    /// A percentage with 2 decimals.
    Percent(Percent),
    /// A whole number.
    Integer(i64),
    /// A point in time.
    Time(Timestamp),
    /// True or false.
    Flag(bool),
}

impl<'a> Cell<'a> {
    /// A borrowed text.
    pub fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// A text that the cell owns.
    pub fn owned(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }

    /// A count.
    #[must_use]
    pub fn count(count: u64) -> Self {
        Self::Integer(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// A borrowed text, or an empty cell.
    pub fn optional(text: Option<&'a str>) -> Self {
        text.map_or(Self::Empty, Self::text)
    }

    /// The cell with a text of its own.
    #[must_use]
    pub fn into_owned(self) -> Cell<'static> {
        match self {
            Self::Empty => Cell::Empty,
            Self::Text(text) => Cell::Text(Cow::Owned(text.into_owned())),
            Self::Amount(sum) => Cell::Amount(sum),
            Self::Percent(percent) => Cell::Percent(percent),
            Self::Integer(number) => Cell::Integer(number),
            Self::Time(time) => Cell::Time(time),
            Self::Flag(flag) => Cell::Flag(flag),
        }
    }

    /// The expected or actual figure of a finding.
    pub fn figure(figure: &'a Figure) -> Self {
        match figure {
            Figure::Nothing => Self::Empty,
            Figure::Money(sum) => Self::Amount(*sum),
            Figure::Text(text) => Self::text(text),
        }
    }
}

/// A table whose rows are produced one by one as they are written.
pub struct Table<'a> {
    /// The name of its file, without the extension.
    pub name: &'static str,
    /// The columns, in order.
    pub columns: &'static [Column],
    /// The rows, each with one cell per column.
    pub rows: Box<dyn Iterator<Item = Vec<Cell<'a>>> + 'a>,
}

/// Produces a table anew each time it is read.
pub type Source<'a> = Box<dyn Fn() -> Table<'a> + 'a>;
