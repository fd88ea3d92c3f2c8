//! Reads `run_orders.parquet` back, one row group at a time.

use std::path::PathBuf;
use std::vec;

use polars::prelude::{Column, DataFrame, PolarsResult};

use super::facts::{AMOUNT_SCALE, BUCKET, LINE, REUSED, SETTLED, TEXTS_AFTER, TEXTS_BEFORE, TIMES};
use super::facts_file::FactsFile;
use crate::domain::money::Amount;
use crate::domain::order::{Amounts, RunOrder};
use crate::domain::outcome::{Evidence, Fetched, Outcome};
use crate::report::ReportError;
use crate::report::files::ProvenFile;

/// One row of the file.
pub(in crate::report) struct Fact {
    /// The outcome that the row records.
    pub(in crate::report) outcome: Outcome,
    /// Whether the order was judged settled when the report was made.
    pub(in crate::report) settled: bool,
    /// The code of the bucket that the row was counted in when the report was made.
    pub(in crate::report) bucket: String,
}

/// Reads the facts back in the order of the file.
pub(in crate::report) struct FactsReader {
    path: PathBuf,
    file: FactsFile,
    next: usize,
    group: vec::IntoIter<Fact>,
}

impl FactsReader {
    pub(in crate::report) fn open(proven: &ProvenFile) -> Result<Self, ReportError> {
        let path = proven.path().to_owned();
        let file = FactsFile::open(proven).map_err(|problem| ReportError::evidence(&path, problem))?;
        Ok(Self { path, file, next: 0, group: Vec::new().into_iter() })
    }

    pub(in crate::report) fn next(&mut self) -> Result<Option<Fact>, ReportError> {
        loop {
            if let Some(fact) = self.group.next() {
                return Ok(Some(fact));
            }
            if self.next >= self.file.groups() {
                return Ok(None);
            }
            let damage = |problem: String| ReportError::evidence(&self.path, problem);
            let facts = self.file.group(self.next, None, facts).map_err(damage)?;
            self.group = facts.ok_or_else(|| damage("a value is missing or out of range".to_owned()))?.into_iter();
            self.next += 1;
        }
    }
}

/// The rows of a row group; `None` if a value is missing or out of range.
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
            remarks: None,
        };
        let fetched = Fetched { order, is_reused: reused[row]?, baseline: None };
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
    polars::prelude::polars_ensure!(decimals.scale() == AMOUNT_SCALE, ComputeError: "amounts need 8 decimals");
    Ok(decimals.physical().iter().collect())
}

fn microseconds(column: &Column) -> PolarsResult<Vec<Option<i64>>> {
    Ok(column.datetime()?.physical().iter().collect())
}
