//! `exceptions/<run>.parquet`: the rows of a run without a fetched order, with the reason.

use polars::prelude::{Column, DataFrame, DataType, Field, IntoColumn, PolarsResult, StringChunkedBuilder};

use super::incoming::HashedFile;
use super::orders::{OrdersWriter, ROW_GROUP, RUN, run_column};
use super::{DatasetError, EXCEPTIONS};
use crate::parquet::file::Shape;

/// The reason for a reply that is about a different order, whose ID is the detail.
pub const IDENTITY_MISMATCH: &str = "identity-mismatch";

pub(super) const ID: &str = "run_order_id";
pub(super) const BUCKET: &str = "bucket";
pub(super) const REASON: &str = "reason";
pub(super) const DETAIL: &str = "detail";
/// A file without rows, so that programs that look for files find some.
pub(super) const EMPTY: &str = "exceptions/empty.parquet";

const COLUMNS: [&str; 4] = [ID, BUCKET, REASON, DETAIL];

/// What the files have in common.
pub(super) fn shape() -> Shape {
    let field = |name: &str| Field::new(name.into(), DataType::String);
    let schema = COLUMNS.into_iter().chain([RUN]).map(field).collect();
    Shape { schema, group_rows: ROW_GROUP, kind: "a dataset of this version" }
}

/// The path of a run's file, from the dataset's folder.
pub(super) fn path(run: &str) -> String {
    format!("{EXCEPTIONS}/{run}.parquet")
}

/// A row without a fetched order.
#[derive(Clone, Copy, Debug)]
pub struct ExceptionRow<'s> {
    /// The order that was asked for.
    pub run_order_id: &'s str,
    /// The code of the bucket that the row was counted in.
    pub bucket: &'s str,
    /// The code of the reason.
    pub reason: &'s str,
    /// The reason in full.
    pub detail: &'s str,
}

/// The rows of a file, until they are written.
pub(super) struct ExceptionRows {
    columns: [StringChunkedBuilder; COLUMNS.len()],
    /// The places of the runs among those of the file's writer.
    runs: Vec<u32>,
}

impl ExceptionRows {
    pub(super) fn new() -> Self {
        Self { columns: COLUMNS.map(|name| StringChunkedBuilder::new(name.into(), 0)), runs: Vec::new() }
    }

    pub(super) const fn len(&self) -> usize {
        self.runs.len()
    }

    pub(super) fn push(&mut self, row: ExceptionRow<'_>, run: u32) {
        let values = [row.run_order_id, row.bucket, row.reason, row.detail];
        self.columns.iter_mut().zip(values).for_each(|(column, value)| column.append_value(value));
        self.runs.push(run);
    }

    /// Writes the rows of the named runs.
    pub(super) fn write(self, runs: &[String], file: &mut HashedFile) -> Result<(), DatasetError> {
        let frame = self.frame(runs).map_err(DatasetError::parquet(file.path()))?;
        let mut writer = OrdersWriter::begin(file, frame.schema())?;
        writer.write(&frame)?;
        writer.finish()
    }

    fn frame(self, runs: &[String]) -> PolarsResult<DataFrame> {
        let rows = self.len();
        let mut columns: Vec<Column> = self.columns.map(|column| column.finish().into_column()).into();
        columns.push(run_column(runs, self.runs.into_iter()));
        DataFrame::new(rows, columns)
    }
}
