//! The columns of order facts: filled row by row to be written, and read back row by row.

use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, Field, Int64Chunked, Int64Type, Int128Chunked, Int128Type, IntoColumn,
    NewChunkedArray, PolarsDataType, PolarsResult, StaticArray, StringChunkedBuilder, StringType, TimeUnit, TimeZone,
    polars_ensure,
};

use crate::domain::facts::OrderFacts;
use crate::domain::money::SCALE;
use crate::domain::order::{Amounts, RunOrder, TimeField};

/// The digits of an amount: `DECIMAL(28,8)`. With 38, other engines lose the 8th decimal when they add two
/// amounts.
const PRECISION: usize = 28;
/// The decimals of an amount.
pub(crate) const AMOUNT_SCALE: usize = SCALE as usize;

const TEXTS_BEFORE: [&str; 4] = {
    let [id, workflow, revision, currency, ..] = RunOrder::TEXTS;
    [id, workflow, revision, currency]
};
const TEXTS_AFTER: [&str; RunOrder::TEXTS.len() - TEXTS_BEFORE.len()] = {
    let [_, _, _, _, after @ ..] = RunOrder::TEXTS;
    after
};
const TIMES: [&str; 2] = [TimeField::CreatedAt.name(), TimeField::UpdatedAt.name()];

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

/// A column in one piece.
pub(crate) type Array<T> = <T as PolarsDataType>::Array;

/// Columns that were read.
pub(crate) struct FactArrays {
    /// In the order of [`crate::domain::facts::TextColumn`]; `None` for one that was not read.
    texts: [Option<Array<StringType>>; TEXTS_BEFORE.len() + TEXTS_AFTER.len()],
    units: [Array<Int128Type>; Amounts::NAMES.len()],
    times: [Array<Int64Type>; TIMES.len()],
}

impl FactArrays {
    /// The columns that say what an order is about and what became of it: all but those that only identify its task.
    pub(crate) const JUDGED: [&str; TEXTS_BEFORE.len() + Amounts::NAMES.len() + 5 + TIMES.len()] = {
        let [id, workflow, revision, currency] = TEXTS_BEFORE;
        let [quote, charged, released, compute, external, total] = Amounts::NAMES;
        let [freeze, submission, run, settlement, _, _, error] = TEXTS_AFTER;
        let [created, updated] = TIMES;
        [
            id, workflow, revision, currency, quote, charged, released, compute, external, total, freeze, submission,
            run, settlement, error, created, updated,
        ]
    };

    /// The columns of a frame. Texts that were not read are left empty.
    pub(crate) fn of(frame: &DataFrame) -> PolarsResult<Self> {
        Self::with_prefix(frame, "")
    }

    /// The columns of a frame whose names begin so.
    pub(crate) fn with_prefix(frame: &DataFrame, prefix: &str) -> PolarsResult<Self> {
        let named = |name: &str| format!("{prefix}{name}");
        let mut texts = [const { None }; TEXTS_BEFORE.len() + TEXTS_AFTER.len()];
        for (column, name) in texts.iter_mut().zip(RunOrder::TEXTS) {
            let name = named(name);
            if frame.schema().contains(&name) {
                *column = Some(self::texts(frame, &name)?);
            }
        }
        let [quote, charged, released, compute, external, total] =
            Amounts::NAMES.map(|name| units(frame, &named(name)));
        let [created, updated] = TIMES.map(|name| microseconds(frame, &named(name)));
        Ok(Self {
            texts,
            units: [quote?, charged?, released?, compute?, external?, total?],
            times: [created?, updated?],
        })
    }

    /// The facts in a row; `None` if an amount or a time is out of range.
    pub(crate) fn row(&self, row: usize) -> Option<OrderFacts<'_>> {
        let mut facts = OrderFacts::default();
        for (text, column) in facts.texts.iter_mut().zip(&self.texts) {
            *text = column.as_ref().and_then(|column| column.get(row));
        }
        facts.units.iter_mut().zip(&self.units).for_each(|(units, column)| *units = column.get(row));
        facts.microseconds.iter_mut().zip(&self.times).for_each(|(time, column)| *time = column.get(row));
        facts.is_in_range().then_some(facts)
    }
}

/// The IDs and charges of orders, without their other columns.
pub(crate) struct Charges {
    ids: Array<StringType>,
    currencies: Array<StringType>,
    units: [Array<Int128Type>; Amounts::NAMES.len()],
}

impl Charges {
    /// The columns that it is made of.
    pub(crate) const COLUMNS: [&str; 2 + Amounts::NAMES.len()] = {
        let [quote, charged, released, compute, external, total] = Amounts::NAMES;
        [TEXTS_BEFORE[0], TEXTS_BEFORE[3], quote, charged, released, compute, external, total]
    };

    pub(crate) fn of(frame: &DataFrame) -> PolarsResult<Self> {
        let [id, currency, ..] = Self::COLUMNS;
        let [quote, charged, released, compute, external, total] = Amounts::NAMES.map(|name| units(frame, name));
        Ok(Self {
            ids: texts(frame, id)?,
            currencies: texts(frame, currency)?,
            units: [quote?, charged?, released?, compute?, external?, total?],
        })
    }

    pub(crate) fn run_order_id(&self, row: usize) -> Option<&str> {
        self.ids.get(row)
    }

    pub(crate) fn currency(&self, row: usize) -> Option<&str> {
        self.currencies.get(row)
    }

    /// The six amounts of a row, if it has all of them.
    pub(crate) fn amounts(&self, row: usize) -> Option<[i128; Amounts::NAMES.len()]> {
        let mut amounts = [0; Amounts::NAMES.len()];
        for (amount, column) in amounts.iter_mut().zip(&self.units) {
            *amount = column.get(row)?;
        }
        Some(amounts)
    }
}

/// Some rows of a row group of orders.
#[derive(Clone, Debug)]
pub struct OrderFrame {
    frame: DataFrame,
    rows: BooleanChunked,
}

impl OrderFrame {
    /// The rows of a frame for which there is `true`.
    pub(crate) const fn of(frame: DataFrame, rows: BooleanChunked) -> Self {
        Self { frame, rows }
    }

    /// Some columns of the rows.
    pub(crate) fn select(&self, columns: &[&str]) -> PolarsResult<DataFrame> {
        let columns = self.frame.select(columns.iter().copied())?;
        if self.rows.all() { Ok(columns) } else { columns.filter(&self.rows) }
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.rows.sum().map_or(0, u64::from)
    }
}

/// A column of texts.
pub(crate) fn texts(frame: &DataFrame, name: &str) -> PolarsResult<Array<StringType>> {
    Ok(frame.column(name)?.str()?.rechunk().downcast_as_array().clone())
}

fn units(frame: &DataFrame, name: &str) -> PolarsResult<Array<Int128Type>> {
    let decimals = frame.column(name)?.decimal()?;
    polars_ensure!(decimals.scale() == AMOUNT_SCALE, ComputeError: "amounts need 8 decimals");
    Ok(decimals.physical().rechunk().downcast_as_array().clone())
}

/// A column of times, or of microseconds.
fn microseconds(frame: &DataFrame, name: &str) -> PolarsResult<Array<Int64Type>> {
    let physical = frame.column(name)?.to_physical_repr();
    Ok(physical.i64()?.rechunk().downcast_as_array().clone())
}
