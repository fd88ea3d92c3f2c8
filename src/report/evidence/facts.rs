//! Writes `run_orders.parquet`: every fetched order, one row each.

use std::fs::File;
use std::io::BufWriter;
use std::mem;
use std::path::Path;
use std::sync::mpsc::Receiver;

use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, Field, Int64Chunked, Int128Chunked, IntoColumn, NewChunkedArray,
    ParquetCompression, ParquetWriter, PolarsResult, Schema, StringChunked, StringChunkedBuilder, TimeUnit, TimeZone,
};

use super::stage::Stage;
use crate::domain::facts::OrderFacts;
use crate::domain::money::SCALE;
use crate::domain::order::Amounts;
use crate::domain::outcome::Bucket;
use crate::report::ReportError;

/// How many orders are held in memory and written as one row group.
pub(in crate::report) const ROW_GROUP: usize = 65_536;
/// The digits of an amount: `DECIMAL(28,8)`. With 38, other engines lose the 8th decimal when they add two
/// amounts.
const PRECISION: usize = 28;
/// The decimals of an amount.
pub(in crate::report) const AMOUNT_SCALE: usize = SCALE as usize;

pub(in crate::report) const TEXTS_BEFORE: [&str; 4] = ["run_order_id", "workflow_id", "revision_id", "quote_currency"];
pub(in crate::report) const TEXTS_AFTER: [&str; 7] =
    ["freeze_status", "submission_status", "run_status", "settlement_status", "task_id", "prompt_id", "error_code"];
pub(in crate::report) const TIMES: [&str; 2] = ["created_at", "updated_at"];
pub(in crate::report) const LINE: &str = "input_line";
pub(in crate::report) const SETTLED: &str = "settled";
pub(in crate::report) const BUCKET: &str = "bucket";
pub(in crate::report) const REUSED: &str = "reused";

/// Writes facts in row groups, which a thread of its own packs and writes: at most three are in memory.
pub struct FactsWriter {
    group: RowGroup,
    writing: Stage<RowGroup, u64>,
}

impl FactsWriter {
    /// Creates the file.
    ///
    /// # Errors
    /// When it can't be created.
    pub fn create(path: &Path) -> Result<Self, ReportError> {
        let file = File::create(path).map_err(|source| ReportError::io(path, source))?;
        let writer = ParquetWriter::new(BufWriter::new(file))
            .with_compression(ParquetCompression::Zstd(None))
            .batched(&schema())
            .map_err(ReportError::polars("write"))?;
        let writing = Stage::start("facts", 1, |groups| write(writer, groups));
        let writing = writing.map_err(|source| ReportError::io(path, source))?;
        Ok(Self { group: RowGroup::new(), writing })
    }

    /// Adds one order, under the ID that was requested.
    ///
    /// # Errors
    /// When a full row group can't be written.
    pub fn push(
        &mut self,
        line: u64,
        run_order_id: &str,
        order: &OrderFacts<'_>,
        settled: bool,
        bucket: Bucket,
        is_reused: bool,
    ) -> Result<(), ReportError> {
        self.group.push_columns(line, run_order_id, order);
        self.group.settled.push(settled);
        self.group.buckets.push(bucket);
        self.group.reused.push(is_reused);
        if self.group.lines.len() < ROW_GROUP {
            return Ok(());
        }
        self.writing.give(mem::replace(&mut self.group, RowGroup::new()))
    }

    /// Completes the file; returns the number of orders in it.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn finish(mut self) -> Result<u64, ReportError> {
        if !self.group.lines.is_empty() {
            self.writing.give(self.group)?;
        }
        self.writing.end()
    }
}

/// Writes row groups until there are no more; returns the number of orders.
fn write(mut writer: BatchedWriter<BufWriter<File>>, groups: Receiver<RowGroup>) -> Result<u64, ReportError> {
    let failed = ReportError::polars("write");
    let mut written = 0;
    for group in groups {
        let frame = group.frame().map_err(&failed)?;
        writer.write_batch(&frame).map_err(&failed)?;
        written += frame.height() as u64;
    }
    writer.finish().map_err(&failed)?;
    Ok(written)
}

/// The columns of one row group.
struct RowGroup {
    lines: Vec<i64>,
    texts_before: [StringChunkedBuilder; TEXTS_BEFORE.len()],
    amounts: [Vec<Option<i128>>; Amounts::NAMES.len()],
    texts_after: [StringChunkedBuilder; TEXTS_AFTER.len()],
    times: [Vec<Option<i64>>; TIMES.len()],
    settled: Vec<bool>,
    buckets: Vec<Bucket>,
    reused: Vec<bool>,
}

impl RowGroup {
    fn new() -> Self {
        let texts = |name: &str| StringChunkedBuilder::new(name.into(), 0);
        Self {
            lines: Vec::new(),
            texts_before: TEXTS_BEFORE.map(texts),
            amounts: [const { Vec::new() }; Amounts::NAMES.len()],
            texts_after: TEXTS_AFTER.map(texts),
            times: [const { Vec::new() }; TIMES.len()],
            settled: Vec::new(),
            buckets: Vec::new(),
            reused: Vec::new(),
        }
    }

    fn push_columns(&mut self, line: u64, run_order_id: &str, order: &OrderFacts<'_>) {
        self.lines.push(i64::try_from(line).unwrap_or(i64::MAX));
        // The first text is the ID in the reply: the file has the one that was asked for.
        let texts = order.texts.into_iter().skip(1);
        let columns = self.texts_before.iter_mut().chain(&mut self.texts_after);
        columns
            .zip([Some(run_order_id)].into_iter().chain(texts))
            .for_each(|(column, text)| column.append_option(text));
        self.amounts.iter_mut().zip(order.units).for_each(|(column, units)| column.push(units));
        self.times.iter_mut().zip(order.microseconds).for_each(|(column, time)| column.push(time));
    }

    fn frame(self) -> PolarsResult<DataFrame> {
        let rows = self.lines.len();
        let mut columns: Vec<Column> = Vec::with_capacity(schema().len());
        columns.push(Int64Chunked::from_vec(LINE.into(), self.lines).into_column());
        columns.extend(self.texts_before.map(|column| column.finish().into_column()));
        for (name, units) in Amounts::NAMES.into_iter().zip(self.amounts) {
            let amounts = Int128Chunked::from_iter_options(name.into(), units.into_iter());
            columns.push(amounts.into_decimal(PRECISION, AMOUNT_SCALE)?.into_column());
        }
        columns.extend(self.texts_after.map(|column| column.finish().into_column()));
        for (name, times) in TIMES.into_iter().zip(self.times) {
            let times = Int64Chunked::from_iter_options(name.into(), times.into_iter());
            columns.push(times.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column());
        }
        columns.push(BooleanChunked::from_iter_values(SETTLED.into(), self.settled.into_iter()).into_column());
        let buckets = self.buckets.iter().map(|bucket| bucket.code());
        columns.push(StringChunked::from_iter_values(BUCKET.into(), buckets).into_column());
        columns.push(BooleanChunked::from_iter_values(REUSED.into(), self.reused.into_iter()).into_column());
        DataFrame::new(rows, columns)
    }
}

pub(in crate::report) fn schema() -> Schema {
    let field = |name: &str, dtype: &DataType| Field::new(name.into(), dtype.clone());
    let decimal = DataType::Decimal(PRECISION, AMOUNT_SCALE);
    let time = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    [field(LINE, &DataType::Int64)]
        .into_iter()
        .chain(TEXTS_BEFORE.map(|name| field(name, &DataType::String)))
        .chain(Amounts::NAMES.map(|name| field(name, &decimal)))
        .chain(TEXTS_AFTER.map(|name| field(name, &DataType::String)))
        .chain(TIMES.map(|name| field(name, &time)))
        .chain([field(SETTLED, &DataType::Boolean), field(BUCKET, &DataType::String)])
        .chain([field(REUSED, &DataType::Boolean)])
        .collect()
}
