//! `run_orders.parquet`, read back as it was written, a row group at a time.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::vec;

use polars::prelude::{Column, DataFrame, ParquetReader, PolarsResult, SerReader};

use super::ReportError;
use super::builder::FACTS_FILE;
use super::facts::{AMOUNT_SCALE, BUCKET, LINE, REUSED, ROW_GROUP, SETTLED, TEXTS_AFTER, TEXTS_BEFORE, TIMES, schema};
use crate::domain::money::Amount;
use crate::domain::order::{Amounts, RunOrder};
use crate::domain::outcome::{Evidence, Fetched, Outcome};

/// One row of the file.
pub(super) struct Fact {
    /// The outcome it stands for.
    pub(super) outcome: Outcome,
    /// What the file says of its settlement.
    pub(super) settled: bool,
    /// What the file says of its bucket.
    pub(super) bucket: String,
}

/// Reads the facts back in the order of the file.
pub(super) struct FactsReader {
    path: PathBuf,
    rows: usize,
    read: usize,
    group: vec::IntoIter<Fact>,
}

impl FactsReader {
    pub(super) fn open(folder: &Path) -> Result<Self, ReportError> {
        let path = folder.join(FACTS_FILE);
        let mut reader = Self { path, rows: 0, read: 0, group: Vec::new().into_iter() };
        let mut file = reader.file()?;
        reader.rows = file.num_rows().map_err(|error| reader.damage(error.to_string()))?;
        let found = file.schema().map_err(|error| reader.damage(error.to_string()))?;
        let names = |schema: &polars::prelude::Schema| schema.iter_names().map(ToString::to_string).collect::<Vec<_>>();
        let found: Vec<String> = found.iter_names().map(ToString::to_string).collect();
        if found != names(&schema()) {
            return Err(reader.damage("its columns are not those of a report of this version"));
        }
        Ok(reader)
    }

    pub(super) fn next(&mut self) -> Result<Option<Fact>, ReportError> {
        if let Some(fact) = self.group.next() {
            return Ok(Some(fact));
        }
        if self.read >= self.rows {
            return Ok(None);
        }
        let length = ROW_GROUP.min(self.rows - self.read);
        let failed = |error: polars::prelude::PolarsError| self.damage(error.to_string());
        let frame = self.file()?.with_slice(Some((self.read, length))).finish().map_err(failed)?;
        if frame.height() != length {
            return Err(self.damage("it holds fewer rows than it says"));
        }
        let facts = facts(&frame).map_err(failed)?.ok_or_else(|| self.damage("a value is none that reports have"))?;
        self.read += length;
        self.group = facts.into_iter();
        Ok(self.group.next())
    }

    fn file(&self) -> Result<ParquetReader<File>, ReportError> {
        let file = File::open(&self.path).map_err(|source| ReportError::io(&self.path, source))?;
        Ok(ParquetReader::new(file))
    }

    fn damage(&self, problem: impl Into<String>) -> ReportError {
        ReportError::Evidence { path: self.path.clone(), problem: problem.into() }
    }
}

/// The rows of a group; `None` where one can't be a row of a report.
fn facts(frame: &DataFrame) -> PolarsResult<Option<Vec<Fact>>> {
    let text = |name: &str| frame.column(name).and_then(texts);
    let lines: Vec<Option<i64>> = frame.column(LINE)?.i64()?.iter().collect();
    let mut before = columns(TEXTS_BEFORE.map(text))?;
    let mut after = columns(TEXTS_AFTER.map(text))?;
    let amounts = columns(Amounts::NAMES.map(|name| frame.column(name).and_then(units)))?;
    let times = columns(TIMES.map(|name| frame.column(name).and_then(microseconds)))?;
    let settled: Vec<Option<bool>> = frame.column(SETTLED)?.bool()?.iter().collect();
    let reused: Vec<Option<bool>> = frame.column(REUSED)?.bool()?.iter().collect();
    let mut buckets = text(BUCKET)?;
    let fact = |row: usize| {
        let [id, workflow, revision, currency] = before.each_mut().map(|column| column[row].take());
        let [freeze, submission, run, settlement, task, prompt, error] =
            after.each_mut().map(|column| column[row].take());
        let mut read = [None; Amounts::NAMES.len()];
        for (to, column) in read.iter_mut().zip(&amounts) {
            *to = column[row].map(|units| Amount::from_units(units).ok_or(())).transpose().ok()?;
        }
        let mut moments = [None; TIMES.len()];
        for (to, column) in moments.iter_mut().zip(&times) {
            *to = column[row].map(|time| crate::domain::time::from_microsecond(time).ok_or(())).transpose().ok()?;
        }
        let [created_at, updated_at] = moments;
        let id = id?;
        let order = RunOrder {
            run_order_id: Some(id.clone()),
            workflow_id: workflow,
            revision_id: revision,
            quote_currency: currency,
            amounts: Amounts::from_order(read),
            freeze_status: freeze,
            submission_status: submission,
            run_status: run,
            settlement_status: settlement,
            task_id: task,
            prompt_id: prompt,
            error_code: error,
            created_at,
            updated_at,
        };
        let fetched = Fetched { order, is_reused: reused[row]?, settled_as: None };
        let line = u64::try_from(lines[row]?).ok()?;
        let outcome = Outcome { line, run_order_id: id, evidence: Evidence::Fetched(Box::new(fetched)) };
        Some(Fact { outcome, settled: settled[row]?, bucket: buckets[row].take()? })
    };
    Ok((0..frame.height()).map(fact).collect())
}

fn columns<T, const COUNT: usize>(columns: [PolarsResult<Vec<T>>; COUNT]) -> PolarsResult<[Vec<T>; COUNT]> {
    let mut read = [const { Vec::new() }; COUNT];
    for (to, column) in read.iter_mut().zip(columns) {
        *to = column?;
    }
    Ok(read)
}

fn texts(column: &Column) -> PolarsResult<Vec<Option<String>>> {
    Ok(column.str()?.iter().map(|text| text.map(str::to_owned)).collect())
}

fn units(column: &Column) -> PolarsResult<Vec<Option<i128>>> {
    let decimals = column.decimal()?;
    polars::prelude::polars_ensure!(decimals.scale() == AMOUNT_SCALE, ComputeError: "not eight decimals");
    Ok(decimals.physical().iter().collect())
}

fn microseconds(column: &Column) -> PolarsResult<Vec<Option<i64>>> {
    Ok(column.datetime()?.physical().iter().collect())
}
