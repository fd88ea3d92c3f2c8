//! Writes `run_orders.parquet`: every fetched order, one row each.

use std::fs::File;
use std::io::BufWriter;
use std::mem;
use std::path::Path;
use std::sync::mpsc::Receiver;

use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, Field, Int64Chunked, IntoColumn, NewChunkedArray, ParquetCompression,
    ParquetWriter, PolarsResult, Schema, StringChunked,
};

use crate::domain::facts::OrderFacts;
use crate::domain::outcome::Bucket;
use crate::parquet::columns::{self, FactColumns};
use crate::parquet::file::{ParquetFile, Shape};
use crate::parquet::stage::Stage;
use crate::report::ReportError;
use crate::report::files::ProvenFile;

/// How many orders are held in memory and written as one row group.
pub(in crate::report) const ROW_GROUP: usize = 65_536;
pub(in crate::report) const LINE: &str = "input_line";
pub(in crate::report) const SETTLED: &str = "settled";
pub(in crate::report) const BUCKET: &str = "bucket";
pub(in crate::report) const REUSED: &str = "reused";

/// Writes facts in row groups, which a thread of its own packs and writes: at most three are in memory.
pub struct FactsWriter {
    group: RowGroup,
    writing: Stage<RowGroup, u64, ReportError>,
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
        let writing = Stage::start("facts", 1, || ReportError::Stopped, |groups| write(writer, groups));
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
        self.group.push(line, run_order_id, order, settled, bucket, is_reused);
        self.group.take_full().map_or(Ok(()), |group| self.writing.give(group))
    }

    /// Completes the file; returns the number of orders in it.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn finish(mut self) -> Result<u64, ReportError> {
        if !self.group.is_empty() {
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
pub(super) struct RowGroup {
    lines: Vec<i64>,
    facts: FactColumns,
    settled: Vec<bool>,
    buckets: Vec<Bucket>,
    reused: Vec<bool>,
}

impl RowGroup {
    pub(super) fn new() -> Self {
        Self {
            lines: Vec::new(),
            facts: FactColumns::new(),
            settled: Vec::new(),
            buckets: Vec::new(),
            reused: Vec::new(),
        }
    }

    pub(super) fn push(
        &mut self,
        line: u64,
        run_order_id: &str,
        order: &OrderFacts<'_>,
        settled: bool,
        bucket: Bucket,
        is_reused: bool,
    ) {
        self.lines.push(i64::try_from(line).unwrap_or(i64::MAX));
        self.facts.push(run_order_id, order);
        self.settled.push(settled);
        self.buckets.push(bucket);
        self.reused.push(is_reused);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Takes all rows out once they are enough.
    pub(super) fn take_full(&mut self) -> Option<Self> {
        (self.lines.len() >= ROW_GROUP).then(|| mem::replace(self, Self::new()))
    }

    pub(super) fn frame(self) -> PolarsResult<DataFrame> {
        let rows = self.lines.len();
        let mut columns: Vec<Column> = Vec::with_capacity(schema().len());
        columns.push(Int64Chunked::from_vec(LINE.into(), self.lines).into_column());
        columns.extend(self.facts.finish()?);
        columns.push(BooleanChunked::from_iter_values(SETTLED.into(), self.settled.into_iter()).into_column());
        let buckets = self.buckets.iter().map(|bucket| bucket.code());
        columns.push(StringChunked::from_iter_values(BUCKET.into(), buckets).into_column());
        columns.push(BooleanChunked::from_iter_values(REUSED.into(), self.reused.into_iter()).into_column());
        DataFrame::new(rows, columns)
    }
}

pub(in crate::report) fn schema() -> Schema {
    let field = |name: &str, dtype: DataType| Field::new(name.into(), dtype);
    [field(LINE, DataType::Int64)]
        .into_iter()
        .chain(columns::fields())
        .chain([field(SETTLED, DataType::Boolean), field(BUCKET, DataType::String), field(REUSED, DataType::Boolean)])
        .collect()
}

/// Opens the facts of a report, which may come from anywhere.
///
/// # Errors
/// What is wrong with the file.
pub(in crate::report) fn open(proven: &ProvenFile) -> Result<ParquetFile, String> {
    let shape = Shape { schema: schema(), group_rows: ROW_GROUP, kind: "a report of this version" };
    ParquetFile::open(proven.reader().map_err(|error| error.to_string())?, shape)
}

#[cfg(test)]
mod tests;
