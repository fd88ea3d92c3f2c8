//! The neutral grid that feeds every output format: typed columns and typed cells.

use std::borrow::Cow;

use jiff::Timestamp;

use super::percent::Percent;
use crate::domain::finding::Figure;
use crate::domain::money::Sum;

/// What the cells of a column hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An ID that people copy: another one in nearly every row.
    Id,
    /// A machine name, never translated.
    Code,
    /// A machine name that is another one in nearly every row.
    Key,
    /// `error` or `warning`.
    Severity,
    /// Where a row is counted.
    Bucket,
    /// A word of ours that is translated for people, with what the names of its messages begin with.
    Word(&'static str),
    /// Text, some of it from outside.
    Text,
    /// A sentence, some of it from outside.
    Sentence,
    /// Exact money with 8 decimals; a text where a check compares texts.
    Amount,
    /// An exact percentage with 2 decimals.
    Percent,
    /// A whole number.
    Integer,
    /// A point in time.
    Time,
    /// True or false.
    Flag,
}

/// One column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The machine name, never translated.
    pub name: &'static str,
    /// What its cells hold.
    pub kind: Kind,
    /// Whether it is left out on paper, which is too narrow for every column.
    pub is_extra: bool,
}

/// A column of that name and kind.
pub(in crate::report) const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, is_extra: false }
}

impl Column {
    /// The same column, left out on paper.
    pub(in crate::report) const fn extra(self) -> Self {
        Self { is_extra: true, ..self }
    }
}

/// One typed cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Nothing.
    Empty,
    /// Text, some of it from outside.
    Text(Cow<'a, str>),
    /// Exact money.
    Amount(Sum),
    /// An exact percentage.
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

    /// A text made for this cell.
    pub fn owned(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }

    /// A borrowed text, or nothing.
    pub fn optional(text: Option<&'a str>) -> Self {
        text.map_or(Self::Empty, Self::text)
    }

    /// One side of a check.
    pub fn figure(figure: &'a Figure) -> Self {
        match figure {
            Figure::Nothing => Self::Empty,
            Figure::Money(sum) => Self::Amount(*sum),
            Figure::Text(text) => Self::text(text),
        }
    }
}

/// A table whose rows are made as they are written.
pub struct Table<'a> {
    /// The stem of its file's name.
    pub name: &'static str,
    /// The columns, in order.
    pub columns: &'static [Column],
    /// The rows, each with one cell a column.
    pub rows: Box<dyn Iterator<Item = Vec<Cell<'a>>> + 'a>,
}

/// Makes a table, as often as it is read.
pub type Source<'a> = Box<dyn Fn() -> Table<'a> + 'a>;
