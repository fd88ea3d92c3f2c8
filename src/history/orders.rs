//! `orders/day=…/<run>.parquet`: the orders that a run observed and that were created on one day.

use std::fs::File;
use std::mem;
use std::path::Path;

use jiff::civil::{Date, date};
use polars::prelude::{
    AnyValue, BooleanChunked, Column, DataFrame, DataType, Field, Int32Chunked, IntoColumn, NewChunkedArray,
    ParquetCompression, ParquetWriter, PolarsResult, Scalar, Schema,
};

use super::incoming::HashedFile;
use super::{DatasetError, ORDERS};
use crate::domain::facts::{OrderFacts, TextColumn};
use crate::parquet::columns::{self, FactArrays, FactColumns};
use crate::parquet::file::{ParquetFile, Shape};

/// The most rows of a row group: a reader holds one at a time.
pub(super) const ROW_GROUP: usize = 1 << 17;
/// The day of orders whose creation time is not known, or beyond the dates that every engine has.
pub(super) const UNDATED: Date = date(1970, 1, 1);
/// The last day that every engine has.
const LAST: Date = date(9999, 12, 30);

pub(super) const SETTLED: &str = "settled";
pub(super) const MOVED_TO: &str = "moved_to";
pub(super) const RUN: &str = "run";

/// The day that the orders of a date lie in.
pub(super) fn day_of(date: Date) -> Date {
    if (UNDATED..=LAST).contains(&date) { date } else { UNDATED }
}

/// The path of a day's file of a run, from the dataset's folder. A run with many days may have several files of one.
pub(super) fn path(day: Date, run: &str, part: usize) -> String {
    let part = if part == 0 { String::new() } else { format!("-{part}") };
    format!("{ORDERS}/day={day}/{run}{part}.parquet")
}

/// The columns of a file.
pub(super) fn schema() -> Schema {
    let field = |name: &str, dtype: DataType| Field::new(name.into(), dtype);
    let own = [field(SETTLED, DataType::Boolean), field(MOVED_TO, DataType::Date), field(RUN, DataType::String)];
    columns::fields().chain(own).collect()
}

/// The rows of one file, until they are written.
pub(super) struct DayRows {
    facts: FactColumns,
    settled: Vec<Option<bool>>,
    moved_to: Vec<Option<i32>>,
}

impl DayRows {
    pub(super) fn new() -> Self {
        Self { facts: FactColumns::new(), settled: Vec::new(), moved_to: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.settled.len()
    }

    /// Adds an order that was observed.
    pub(super) fn push(&mut self, run_order_id: &str, facts: &OrderFacts<'_>, settled: bool) {
        self.facts.push(run_order_id, facts);
        self.settled.push(Some(settled));
        self.moved_to.push(None);
    }

    /// Adds that an order no longer belongs to this day, but to another.
    pub(super) fn push_moved(&mut self, run_order_id: &str, to: Date) {
        self.facts.push(run_order_id, &OrderFacts::default());
        self.settled.push(None);
        self.moved_to.push(Some(days_since_1970(to)));
    }

    /// Takes all rows out.
    pub(super) fn take(&mut self) -> Self {
        mem::replace(self, Self::new())
    }

    /// Writes the rows.
    pub(super) fn write(self, run: &str, file: &mut HashedFile) -> Result<(), DatasetError> {
        let failed = DatasetError::parquet(file.path());
        self.frame(run).and_then(|frame| write(&frame, file)).map_err(failed)
    }

    fn frame(self, run: &str) -> PolarsResult<DataFrame> {
        let rows = self.len();
        let mut columns = self.facts.finish()?;
        columns.push(BooleanChunked::from_iter_options(SETTLED.into(), self.settled.into_iter()).into_column());
        let moved_to = Int32Chunked::from_iter_options(MOVED_TO.into(), self.moved_to.into_iter());
        columns.push(moved_to.into_date().into_column());
        let run = Scalar::new(DataType::String, AnyValue::StringOwned(run.into()));
        columns.push(Column::new_scalar(RUN.into(), run, rows));
        DataFrame::new(rows, columns)
    }
}

/// Writes a file in row groups. (Polars' own division makes groups of up to twice the size that it is given.)
pub(super) fn write(frame: &DataFrame, file: &mut HashedFile) -> PolarsResult<()> {
    let writer = ParquetWriter::new(file).with_compression(ParquetCompression::Zstd(None));
    let mut writer = writer.batched(frame.schema())?;
    for first in (0..frame.height()).step_by(ROW_GROUP) {
        writer.write_batch(&frame.slice(first as i64, ROW_GROUP))?;
    }
    writer.finish()?;
    Ok(())
}

/// One row of a file.
pub(super) struct DayRow<'r> {
    /// The ID that was asked for.
    pub(super) run_order_id: &'r str,
    /// The facts of the order; without any if it moved.
    pub(super) facts: OrderFacts<'r>,
    /// Whether the order was judged settled; `None` if it moved.
    pub(super) settled: Option<bool>,
}

/// Visits the rows of a file, a row group at a time.
pub(super) fn for_each_row(path: &Path, file: File, mut visit: impl FnMut(DayRow<'_>)) -> Result<(), DatasetError> {
    let damaged = |problem: String| DatasetError::damaged(path, problem);
    let shape = Shape { schema: schema(), group_rows: ROW_GROUP, kind: "a dataset of this version" };
    let file = ParquetFile::open(file, shape).map_err(damaged)?;
    for group in 0..file.groups() {
        let (facts, settled, moved, rows) = file
            .group(group, None, |frame| {
                let settled = frame.column(SETTLED)?.bool()?.rechunk().into_owned();
                let moved = frame.column(MOVED_TO)?.is_not_null();
                Ok((FactArrays::of(frame)?, settled, moved, frame.height()))
            })
            .map_err(damaged)?;
        for row in 0..rows {
            let missing = || damaged("a value is missing or out of range".to_owned());
            let facts = facts.row(row).ok_or_else(missing)?;
            let run_order_id = facts.text(TextColumn::RunOrderId).ok_or_else(missing)?;
            let settled = settled.get(row);
            if settled.is_some() == moved.get(row).unwrap_or_default() {
                return Err(missing());
            }
            visit(DayRow { run_order_id, facts, settled });
        }
    }
    Ok(())
}

fn days_since_1970(day: Date) -> i32 {
    // A century has 36,525 days.
    (day - UNDATED).get_days()
}
