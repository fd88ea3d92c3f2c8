//! The columns of order facts: filled row by row to be written, and read back row by row.

use std::hash::{BuildHasher, RandomState};

use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, Field, Int64Chunked, Int128Chunked, IntoColumn, NewChunkedArray, PolarsResult,
    StringChunked, StringChunkedBuilder, TimeUnit, TimeZone, polars_ensure,
};

use crate::domain::facts::OrderFacts;
use crate::domain::money::SCALE;
use crate::domain::order::Amounts;

/// The digits of an amount: `DECIMAL(28,8)`. With 38, other engines lose the 8th decimal when they add two
/// amounts.
const PRECISION: usize = 28;
/// The decimals of an amount.
pub(crate) const AMOUNT_SCALE: usize = SCALE as usize;

const TEXTS_BEFORE: [&str; 4] = ["run_order_id", "workflow_id", "revision_id", "quote_currency"];
const TEXTS_AFTER: [&str; 7] =
    ["freeze_status", "submission_status", "run_status", "settlement_status", "task_id", "prompt_id", "error_code"];
const TIMES: [&str; 2] = ["created_at", "updated_at"];

/// The fields of the columns, in their order in a file.
pub(crate) fn fields() -> impl Iterator<Item = Field> {
    let field = |name: &str, dtype: &DataType| Field::new(name.into(), dtype.clone());
    let decimal = DataType::Decimal(PRECISION, AMOUNT_SCALE);
    let texts = TEXTS_BEFORE.map(|name| field(name, &DataType::String)).into_iter();
    texts
        .chain(Amounts::NAMES.map(|name| field(name, &decimal)))
        .chain(TEXTS_AFTER.map(|name| field(name, &DataType::String)))
        .chain(TIMES.map(|name| field(name, &time())))
}

/// The type of a time: microseconds, UTC.
pub(crate) const fn time() -> DataType {
    DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))
}

/// Columns that are filled.
pub(crate) struct FactColumns {
    texts_before: [StringChunkedBuilder; TEXTS_BEFORE.len()],
    amounts: [Vec<Option<i128>>; Amounts::NAMES.len()],
    texts_after: [StringChunkedBuilder; TEXTS_AFTER.len()],
    times: [Vec<Option<i64>>; TIMES.len()],
}

impl FactColumns {
    pub(crate) fn new() -> Self {
        let texts = |name: &str| StringChunkedBuilder::new(name.into(), 0);
        Self {
            texts_before: TEXTS_BEFORE.map(texts),
            amounts: [const { Vec::new() }; Amounts::NAMES.len()],
            texts_after: TEXTS_AFTER.map(texts),
            times: [const { Vec::new() }; TIMES.len()],
        }
    }

    /// Adds one order, under the ID that was requested.
    pub(crate) fn push(&mut self, run_order_id: &str, order: &OrderFacts<'_>) {
        // The first text is the ID in the reply: the file has the one that was asked for.
        let texts = order.texts.into_iter().skip(1);
        let columns = self.texts_before.iter_mut().chain(&mut self.texts_after);
        columns
            .zip([Some(run_order_id)].into_iter().chain(texts))
            .for_each(|(column, text)| column.append_option(text));
        self.amounts.iter_mut().zip(order.units).for_each(|(column, units)| column.push(units));
        self.times.iter_mut().zip(order.microseconds).for_each(|(column, time)| column.push(time));
    }

    /// The columns, in the order of [`fields`].
    pub(crate) fn finish(self) -> PolarsResult<Vec<Column>> {
        let mut columns: Vec<Column> = self.texts_before.map(|column| column.finish().into_column()).into();
        for (name, units) in Amounts::NAMES.into_iter().zip(self.amounts) {
            let amounts = Int128Chunked::from_iter_options(name.into(), units.into_iter());
            columns.push(amounts.into_decimal(PRECISION, AMOUNT_SCALE)?.into_column());
        }
        columns.extend(self.texts_after.map(|column| column.finish().into_column()));
        for (name, times) in TIMES.into_iter().zip(self.times) {
            let times = Int64Chunked::from_iter_options(name.into(), times.into_iter());
            columns.push(times.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column());
        }
        Ok(columns)
    }
}

/// Columns that were read.
pub(crate) struct FactArrays {
    /// In the order of [`crate::domain::facts::TextColumn`].
    texts: Vec<StringChunked>,
    units: Vec<Int128Chunked>,
    times: Vec<Int64Chunked>,
}

impl FactArrays {
    pub(crate) fn of(frame: &DataFrame) -> PolarsResult<Self> {
        let texts = TEXTS_BEFORE.into_iter().chain(TEXTS_AFTER).map(|name| texts(frame, name));
        Ok(Self {
            texts: texts.collect::<PolarsResult<_>>()?,
            units: Amounts::NAMES.into_iter().map(|name| units(frame.column(name)?)).collect::<PolarsResult<_>>()?,
            times: TIMES.into_iter().map(|name| microseconds(frame.column(name)?)).collect::<PolarsResult<_>>()?,
        })
    }

    /// The facts in a row; `None` if an amount or a time is out of range.
    pub(crate) fn row(&self, row: usize) -> Option<OrderFacts<'_>> {
        let mut facts = OrderFacts::default();
        facts.texts.iter_mut().zip(&self.texts).for_each(|(text, column)| *text = column.get(row));
        facts.units.iter_mut().zip(&self.units).for_each(|(units, column)| *units = column.get(row));
        facts.microseconds.iter_mut().zip(&self.times).for_each(|(time, column)| *time = column.get(row));
        facts.is_in_range().then_some(facts)
    }
}

/// The IDs and charges of orders, without their other columns.
pub(crate) struct Charges {
    ids: StringChunked,
    currencies: StringChunked,
    units: Vec<Int128Chunked>,
}

impl Charges {
    /// The columns that it is made of.
    pub(crate) const COLUMNS: [&str; 2 + Amounts::NAMES.len()] = {
        let [quote, charged, released, compute, external, total] = Amounts::NAMES;
        [TEXTS_BEFORE[0], TEXTS_BEFORE[3], quote, charged, released, compute, external, total]
    };

    pub(crate) fn of(frame: &DataFrame) -> PolarsResult<Self> {
        let [id, currency, amounts @ ..] = Self::COLUMNS;
        Ok(Self {
            ids: texts(frame, id)?,
            currencies: texts(frame, currency)?,
            units: amounts.into_iter().map(|name| units(frame.column(name)?)).collect::<PolarsResult<_>>()?,
        })
    }

    pub(crate) fn run_order_id(&self, row: usize) -> Option<&str> {
        self.ids.get(row)
    }

    /// Stands for a row's charge. Also whether all six amounts are there.
    pub(crate) fn hash(&self, row: usize, key: &RandomState) -> (u64, bool) {
        let mut units = [None; Amounts::NAMES.len()];
        units.iter_mut().zip(&self.units).for_each(|(units, column)| *units = column.get(row));
        (key.hash_one((self.currencies.get(row), units)), units.iter().all(Option::is_some))
    }
}

/// Some rows of a row group of orders.
#[derive(Clone, Copy, Debug)]
pub struct OrderFrame<'f> {
    frame: &'f DataFrame,
    rows: &'f BooleanChunked,
}

impl<'f> OrderFrame<'f> {
    /// The rows of a frame for which there is `true`.
    pub(crate) const fn of(frame: &'f DataFrame, rows: &'f BooleanChunked) -> Self {
        Self { frame, rows }
    }

    /// Some columns of the rows.
    pub(crate) fn select(&self, columns: &[&str]) -> PolarsResult<DataFrame> {
        let columns = self.frame.select(columns.iter().copied())?;
        if self.rows.all() { Ok(columns) } else { columns.filter(self.rows) }
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.rows.sum().map_or(0, u64::from)
    }
}

/// A column of texts, in one piece.
pub(crate) fn texts(frame: &DataFrame, name: &str) -> PolarsResult<StringChunked> {
    Ok(frame.column(name)?.str()?.rechunk().into_owned())
}

fn units(column: &Column) -> PolarsResult<Int128Chunked> {
    let decimals = column.decimal()?;
    polars_ensure!(decimals.scale() == AMOUNT_SCALE, ComputeError: "amounts need 8 decimals");
    Ok(decimals.physical().rechunk().into_owned())
}

fn microseconds(column: &Column) -> PolarsResult<Int64Chunked> {
    Ok(column.datetime()?.physical().rechunk().into_owned())
}
