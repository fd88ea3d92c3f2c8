//! `orders/day=…/<run>.parquet`: the orders that a run observed and that were created on one day.

use std::fs::File;
use std::mem;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::{Date, date};
use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, Field, Int32Chunked, IntoColumn, NewChunkedArray, ParquetCompression,
    ParquetWriter, PolarsError, PolarsResult, Schema, StringChunkedBuilder,
};

use super::incoming::HashedFile;
use super::{DatasetError, ORDERS};
use crate::domain::facts::{OrderFacts, TextColumn};
use crate::parquet::columns::{self, FactArrays, FactColumns};
use crate::parquet::file::{ParquetFile, Shape};

/// The most rows of a row group: a reader holds one at a time.
pub(super) const ROW_GROUP: usize = 1 << 17;
/// The day of orders whose creation time is not known, or beyond the dates that every engine has.
pub const UNDATED: Date = date(1970, 1, 1);
/// The last day that every engine has.
const LAST: Date = date(9999, 12, 30);

/// A file without rows, so that programs that look for files find some.
pub(super) const EMPTY: &str = "orders/day=1970-01-01/empty.parquet";

/// What the names of merged files have between the time and the random digits.
const MERGED: &str = "-merged-";

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

/// The name of a compaction that began at a moment.
pub(super) fn merged_name(began: Timestamp) -> String {
    format!("{}{MERGED}{:016x}", began.strftime("%Y%m%dT%H%M%SZ"), rand::random::<u64>())
}

/// Whether a file is of a compaction.
pub(super) fn is_merged(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.contains(MERGED))
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
    /// The places of the runs among those of the file's writer.
    runs: Vec<u32>,
}

impl DayRows {
    pub(super) fn new() -> Self {
        Self { facts: FactColumns::new(), settled: Vec::new(), moved_to: Vec::new(), runs: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.settled.len()
    }

    /// Adds an order that a run observed.
    pub(super) fn push(&mut self, run_order_id: &str, facts: &OrderFacts<'_>, settled: bool, run: u32) {
        self.facts.push(run_order_id, facts);
        self.settled.push(Some(settled));
        self.moved_to.push(None);
        self.runs.push(run);
    }

    /// Adds that an order no longer belongs to this day, but to another.
    pub(super) fn push_moved(&mut self, run_order_id: &str, to: Date, run: u32) {
        self.facts.push(run_order_id, &OrderFacts::default());
        self.settled.push(None);
        self.moved_to.push(Some(days_since_1970(to)));
        self.runs.push(run);
    }

    /// Takes all rows out.
    pub(super) fn take(&mut self) -> Self {
        mem::replace(self, Self::new())
    }

    /// Writes the rows of the named runs.
    pub(super) fn write(self, runs: &[String], file: &mut HashedFile) -> Result<(), DatasetError> {
        let frame = self.frame(runs).map_err(DatasetError::parquet(file.path()))?;
        let mut writer = OrdersWriter::begin(file, &schema())?;
        writer.write(&frame)?;
        writer.finish()
    }

    fn frame(self, runs: &[String]) -> PolarsResult<DataFrame> {
        let rows = self.len();
        let mut columns = self.facts.finish()?;
        columns.push(BooleanChunked::from_iter_options(SETTLED.into(), self.settled.into_iter()).into_column());
        let moved_to = Int32Chunked::from_iter_options(MOVED_TO.into(), self.moved_to.into_iter());
        columns.push(moved_to.into_date().into_column());
        columns.push(run_column(runs, self.runs.into_iter()));
        DataFrame::new(rows, columns)
    }
}

/// The column with the run of each row.
pub(super) fn run_column(names: &[String], places: impl Iterator<Item = u32>) -> Column {
    let runs = places.map(|place| names.get(place as usize).map(String::as_str));
    let mut column = StringChunkedBuilder::new(RUN.into(), 0);
    runs.for_each(|run| column.append_option(run));
    column.finish().into_column()
}

/// Writes a file in row groups. (Polars' own division makes groups of up to twice the size that it is given.)
pub(super) struct OrdersWriter<'f> {
    writer: BatchedWriter<&'f mut HashedFile>,
    path: PathBuf,
}

impl<'f> OrdersWriter<'f> {
    pub(super) fn begin(file: &'f mut HashedFile, schema: &Schema) -> Result<Self, DatasetError> {
        let path = file.path().to_owned();
        let writer = ParquetWriter::new(file).with_compression(ParquetCompression::Zstd(None));
        Ok(Self { writer: writer.batched(schema).map_err(DatasetError::parquet(&path))?, path })
    }

    pub(super) fn write(&mut self, frame: &DataFrame) -> Result<(), DatasetError> {
        for first in (0..frame.height()).step_by(ROW_GROUP) {
            let mut group = frame.slice(first as i64, ROW_GROUP);
            // Each chunk would become a row group of its own.
            group.rechunk_mut();
            self.writer.write_batch(&group).map_err(DatasetError::parquet(&self.path))?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<(), DatasetError> {
        self.writer.finish().map(drop).map_err(DatasetError::parquet(&self.path))
    }
}

/// One row of a file.
pub(super) struct DayRow<'r> {
    /// The ID that was asked for.
    pub(super) run_order_id: &'r str,
    /// The facts of the order; without any if it moved.
    pub(super) facts: OrderFacts<'r>,
    /// Whether the order was judged settled; `None` if it moved.
    pub(super) settled: Option<bool>,
    /// The run that observed it.
    pub(super) run: &'r str,
}

/// Visits the rows of a file, a row group at a time.
pub(super) fn for_each_row<E: From<DatasetError>>(
    path: &Path,
    file: File,
    mut visit: impl FnMut(DayRow<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let damaged = |problem: String| DatasetError::damaged(path, problem);
    let missing = || damaged("a value is missing or out of range".to_owned());
    for_each_group(path, file, shape(), None, None, |frame| {
        let failed = |error: PolarsError| damaged(error.to_string());
        let facts = FactArrays::of(frame).map_err(failed)?;
        let settled = frame.column(SETTLED).and_then(Column::bool).map_err(failed)?.rechunk().into_owned();
        let moved = frame.column(MOVED_TO).map_err(failed)?.is_not_null();
        let runs = columns::texts(frame, RUN).map_err(failed)?;
        for row in 0..frame.height() {
            let facts = facts.row(row).ok_or_else(missing)?;
            let run_order_id = facts.text(TextColumn::RunOrderId).ok_or_else(missing)?;
            let (settled, run) = (settled.get(row), runs.get(row).ok_or_else(missing)?);
            if settled.is_some() == moved.get(row).unwrap_or_default() {
                return Err(missing().into());
            }
            visit(DayRow { run_order_id, facts, settled, run })?;
        }
        Ok(())
    })
}

/// What the files of orders have in common.
pub(super) fn shape() -> Shape {
    Shape { schema: schema(), group_rows: ROW_GROUP, kind: "a dataset of this version" }
}

/// Visits the row groups of a file, or only some of their columns. If it is known how many `rows` it has, another number
/// is damage.
pub(super) fn for_each_group<E: From<DatasetError>>(
    path: &Path,
    file: File,
    shape: Shape,
    columns: Option<&[&str]>,
    rows: Option<u64>,
    mut visit: impl FnMut(&DataFrame) -> Result<(), E>,
) -> Result<(), E> {
    let damaged = |problem: String| DatasetError::damaged(path, problem);
    let file = ParquetFile::open(file, shape).map_err(damaged)?;
    if let Some(rows) = rows.filter(|rows| *rows != file.rows()) {
        return Err(damaged(format!("it has {} rows, its run says {rows}", file.rows())).into());
    }
    for group in 0..file.groups() {
        let frame = file.group(group, columns, |frame| Ok(frame.clone())).map_err(damaged)?;
        visit(&frame)?;
    }
    Ok(())
}

fn days_since_1970(day: Date) -> i32 {
    // A century has 36,525 days.
    (day - UNDATED).get_days()
}
