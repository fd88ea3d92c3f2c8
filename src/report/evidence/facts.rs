//! Writes `run_orders.parquet`: every fetched order, one row each.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use jiff::Timestamp;
use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, Field, Int64Chunked, Int128Chunked, IntoColumn, NewChunkedArray,
    ParquetCompression, ParquetWriter, PolarsResult, Schema, StringChunked, TimeUnit, TimeZone,
};

use crate::domain::money::{Amount, SCALE};
use crate::domain::order::Amounts;
use crate::domain::outcome::{Bucket, Fetched};
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

/// Writes facts in row groups; holds one row group in memory.
pub struct FactsWriter {
    writer: BatchedWriter<BufWriter<File>>,
    rows: Vec<Fact>,
    written: u64,
}

struct Fact {
    line: i64,
    texts_before: [Option<String>; TEXTS_BEFORE.len()],
    amounts: [Option<Amount>; 6],
    texts_after: [Option<String>; TEXTS_AFTER.len()],
    times: [Option<Timestamp>; TIMES.len()],
    settled: bool,
    bucket: Bucket,
    is_reused: bool,
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
        Ok(Self { writer, rows: Vec::new(), written: 0 })
    }

    /// Adds one order, under the ID that was requested.
    ///
    /// # Errors
    /// When a full row group can't be written.
    pub fn push(
        &mut self,
        line: u64,
        run_order_id: &str,
        fetched: &Fetched,
        settled: bool,
        bucket: Bucket,
    ) -> Result<(), ReportError> {
        let Fetched { order, is_reused, .. } = fetched;
        self.rows.push(Fact {
            line: i64::try_from(line).unwrap_or(i64::MAX),
            texts_before: [
                Some(run_order_id.to_owned()),
                order.workflow_id.clone(),
                order.revision_id.clone(),
                order.quote_currency.clone(),
            ],
            amounts: order.amounts.in_order(),
            texts_after: [
                order.freeze_status.clone(),
                order.submission_status.clone(),
                order.run_status.clone(),
                order.settlement_status.clone(),
                order.task_id.clone(),
                order.prompt_id.clone(),
                order.error_code.clone(),
            ],
            times: [order.created_at, order.updated_at],
            settled,
            bucket,
            is_reused: *is_reused,
        });
        if self.rows.len() >= ROW_GROUP { self.write_row_group() } else { Ok(()) }
    }

    /// Completes the file; returns the number of orders in it.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn finish(mut self) -> Result<u64, ReportError> {
        if !self.rows.is_empty() {
            self.write_row_group()?;
        }
        self.writer.finish().map_err(ReportError::polars("write"))?;
        Ok(self.written)
    }

    fn write_row_group(&mut self) -> Result<(), ReportError> {
        let failed = ReportError::polars("write");
        let frame = frame(&self.rows).map_err(&failed)?;
        self.writer.write_batch(&frame).map_err(&failed)?;
        self.written += self.rows.len() as u64;
        self.rows.clear();
        Ok(())
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

fn frame(facts: &[Fact]) -> PolarsResult<DataFrame> {
    let mut columns: Vec<Column> = Vec::with_capacity(schema().len());
    columns.push(Int64Chunked::from_iter_values(LINE.into(), facts.iter().map(|fact| fact.line)).into_column());
    for (index, name) in TEXTS_BEFORE.into_iter().enumerate() {
        columns.push(texts(name, facts.iter().map(|fact| fact.texts_before[index].as_deref())));
    }
    for (index, name) in Amounts::NAMES.into_iter().enumerate() {
        let units = facts.iter().map(|fact| fact.amounts[index].map(Amount::units));
        let amounts = Int128Chunked::from_iter_options(name.into(), units);
        columns.push(amounts.into_decimal(PRECISION, AMOUNT_SCALE)?.into_column());
    }
    for (index, name) in TEXTS_AFTER.into_iter().enumerate() {
        columns.push(texts(name, facts.iter().map(|fact| fact.texts_after[index].as_deref())));
    }
    for (index, name) in TIMES.into_iter().enumerate() {
        let times = facts.iter().map(|fact| fact.times[index].map(Timestamp::as_microsecond));
        let times = Int64Chunked::from_iter_options(name.into(), times);
        columns.push(times.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column());
    }
    columns.push(flags(SETTLED, facts.iter().map(|fact| fact.settled)));
    columns.push(texts(BUCKET, facts.iter().map(|fact| Some(fact.bucket.code()))));
    columns.push(flags(REUSED, facts.iter().map(|fact| fact.is_reused)));
    DataFrame::new(facts.len(), columns)
}

fn texts<'f>(name: &str, values: impl Iterator<Item = Option<&'f str>>) -> Column {
    StringChunked::from_iter_options(name.into(), values).into_column()
}

fn flags(name: &str, values: impl Iterator<Item = bool>) -> Column {
    BooleanChunked::from_iter_values(name.into(), values).into_column()
}
