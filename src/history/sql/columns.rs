//! The columns of answers.

use jiff::ToSpan;
use jiff::civil::Date;
use polars::prelude::{DataFrame, DataType, Field, PolarsError, PolarsResult, Schema};

use super::{SqlError, Statement};
use crate::domain::facts::TextColumn;
use crate::domain::money::Sum;
use crate::domain::order::{Amounts, TimeField};
use crate::history::UNDATED;
use crate::parquet::columns::{AMOUNT_SCALE, Charges, FactArrays};

pub(super) const ID: &str = TextColumn::RunOrderId.name();
/// What the columns of both sides of a changed order begin with.
pub(super) const WAS: &str = "was_";
pub(super) const IS: &str = "now_";
/// What the columns of an order's first charge begin with.
pub(super) const FIRST: &str = "first_";

/// The facts by which an order is judged, but for its ID and its amounts: the texts before the amounts, those after them, and
/// the times.
pub(super) const TEXTS_BEFORE: &[&str] = FactArrays::JUDGED.as_slice().split_at(4).0.split_at(1).1;
pub(super) const TEXTS_AFTER: &[&str] = FactArrays::JUDGED.as_slice().split_at(10).1.split_at(5).0;
pub(super) const TIMES: [&str; 2] = [TimeField::CreatedAt.name(), TimeField::UpdatedAt.name()];

/// What an order that is a group of its own has, besides its facts before the amounts.
pub(super) fn own() -> impl Iterator<Item = String> + Clone {
    let names = [ID, "place", "is_missing", "settled"].into_iter().chain(TEXTS_AFTER.iter().copied()).chain(TIMES);
    names.map(str::to_owned).chain([format!("{FIRST}place")]).chain(charge().map(|name| format!("{FIRST}{name}")))
}

/// The columns of a charge.
pub(super) fn charge() -> impl Iterator<Item = &'static str> + Clone {
    Charges::COLUMNS.into_iter().filter(|name| *name != ID)
}

/// The columns of one side of a changed order: of the order, and of the answer.
pub(super) fn side(side: &'static str) -> impl Iterator<Item = (&'static str, String)> + Clone {
    let facts = FactArrays::JUDGED.into_iter().filter(|name| *name != ID);
    ["settled"].into_iter().chain(facts).map(move |name| (name, format!("{side}{name}")))
}

impl Statement {
    /// The names of the columns of its answer.
    pub(super) fn names(self) -> Vec<String> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
        match self {
            Self::Session => owned(&["job", "time_zone", "coercion", "total", "sums", "differences", "alike"]),
            Self::Population => {
                let names = [
                    "day",
                    "run",
                    TextColumn::QuoteCurrency.name(),
                    "observations",
                    "orders",
                    "settled_orders",
                    "contradictions",
                ];
                [owned(&names), owned(&Amounts::NAMES)].concat()
            }
            Self::Orders => {
                let before = [owned(&["day"]), owned(TEXTS_BEFORE), own().collect()].concat();
                [before, owned(&["orders", "failed_runs"]), owned(&Amounts::NAMES)].concat()
            }
            Self::Exceptions => owned(&["day", ID, "bucket", "reason", "detail"]),
            Self::Changes => {
                let sides = side(WAS).chain(side(IS)).map(|(_, name)| name);
                owned(&["day", ID]).into_iter().chain(sides).collect()
            }
            Self::End => owned(&["answer", "answer_rows"]),
        }
    }

    /// The columns of its answer.
    pub(super) fn columns(self) -> Schema {
        let are_sums = [Self::Population, Self::Orders].contains(&self);
        let dtype = |name: &str| {
            let plain = [WAS, IS].into_iter().find_map(|side| name.strip_prefix(side)).unwrap_or(name);
            match plain {
                "day" => DataType::Date,
                "place" | "first_place" => DataType::Int32,
                "settled" | "is_missing" => DataType::Boolean,
                "observations" | "orders" | "settled_orders" | "contradictions" | "failed_runs" | "sums"
                | "differences" | "alike" | "answer_rows" => DataType::Int64,
                name if TIMES.contains(&name) => DataType::Int64,
                name if Amounts::NAMES.contains(&name) => {
                    DataType::Decimal(if are_sums { 38 } else { 28 }, AMOUNT_SCALE)
                }
                name if name.strip_prefix(FIRST).is_some_and(|name| Amounts::NAMES.contains(&name)) => {
                    DataType::Decimal(28, AMOUNT_SCALE)
                }
                _ => DataType::String,
            }
        };
        self.names().into_iter().map(|name| Field::new(name.as_str().into(), dtype(&name))).collect()
    }
}

/// Some rows of an answer.
pub(super) struct Table<'f> {
    pub(super) statement: Statement,
    pub(super) frame: &'f DataFrame,
}

impl<'f> Table<'f> {
    pub(super) fn text(&self, name: &str, row: usize) -> Result<Option<&'f str>, SqlError> {
        self.read(|frame| Ok(frame.column(name)?.str()?.get(row)))
    }

    pub(super) fn flag(&self, name: &str, row: usize) -> Result<Option<bool>, SqlError> {
        self.read(|frame| Ok(frame.column(name)?.bool()?.get(row)))
    }

    pub(super) fn day(&self, row: usize) -> Result<Option<Date>, SqlError> {
        let day = self.read(|frame| Ok(frame.column("day")?.date()?.physical().get(row)))?;
        let date = |day: i32| UNDATED.checked_add(day.days()).map_err(|_| self.wrong("a day is out of range"));
        day.map(date).transpose()
    }

    pub(super) fn place(&self, name: &str, row: usize) -> Result<Option<u32>, SqlError> {
        let place = self.read(|frame| Ok(frame.column(name)?.i32()?.get(row)))?;
        place.map(|place| u32::try_from(place).map_err(|_| self.wrong("a place is below zero"))).transpose()
    }

    pub(super) fn count(&self, name: &str, row: usize) -> Result<u64, SqlError> {
        let count = self.read(|frame| Ok(frame.column(name)?.i64()?.get(row)))?;
        self.needed(count.and_then(|count| u64::try_from(count).ok()))
    }

    pub(super) fn units(&self, name: &str, row: usize) -> Result<Option<i128>, SqlError> {
        self.read(|frame| Ok(frame.column(name)?.decimal()?.physical().get(row)))
    }

    /// The six sums of a row. One that is missing has overflowed.
    pub(super) fn sums(&self, row: usize) -> Result<[Sum; Amounts::NAMES.len()], SqlError> {
        let mut sums = [Sum::ZERO; Amounts::NAMES.len()];
        for (sum, name) in sums.iter_mut().zip(Amounts::NAMES) {
            let units = self.units(name, row)?.and_then(|units| Sum::from_units(units).ok());
            *sum = units.ok_or_else(|| self.wrong(format!("a sum of {name} has more than 38 digits")))?;
        }
        Ok(sums)
    }

    /// The facts of orders, in columns whose names begin so.
    pub(super) fn facts(&self, prefix: &str) -> Result<FactArrays, SqlError> {
        self.read(|frame| FactArrays::with_prefix(frame, prefix))
    }

    /// Fails unless every row carries this.
    pub(super) fn require_all(&self, name: &str, text: &str) -> Result<(), SqlError> {
        let differs = (0..self.frame.height()).find_map(|row| match self.text(name, row) {
            Ok(found) if found == Some(text) => None,
            Ok(_) => Some(Err(self.wrong("it is of another script, or of none that has ended"))),
            Err(error) => Some(Err(error)),
        });
        differs.unwrap_or(Ok(()))
    }

    pub(super) fn needed<T>(&self, value: Option<T>) -> Result<T, SqlError> {
        value.ok_or_else(|| self.wrong("a value is missing or out of range"))
    }

    pub(super) fn wrong(&self, problem: impl Into<String>) -> SqlError {
        SqlError::Contradiction(format!("{}: {}", self.statement.name(), problem.into()))
    }

    fn read<T>(&self, read: impl FnOnce(&'f DataFrame) -> PolarsResult<T>) -> Result<T, SqlError> {
        read(self.frame).map_err(|error: PolarsError| self.wrong(error.to_string()))
    }
}
