//! Reads `run_orders.parquet` back, one row group at a time.

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

use polars::prelude::{BooleanChunked, DataFrame, Int64Chunked, PolarsResult, StringType};

use super::facts::{self, BUCKET, LINE, REUSED, SETTLED};
use crate::domain::facts::{OrderFacts, TextColumn};
use crate::domain::outcome::{Evidence, Fetched, Outcome};
use crate::parquet::columns::{self, FactArrays};
use crate::report::ReportError;
use crate::report::files::ProvenFile;

/// One row of the file.
pub struct FactRow<'f> {
    /// The input line.
    pub line: u64,
    /// The ID that was asked for.
    pub run_order_id: &'f str,
    /// The facts of the order, which are about that ID.
    pub facts: OrderFacts<'f>,
    /// Whether the order was judged settled when the report was made.
    pub settled: bool,
    /// The code of the bucket that the row was counted in when the report was made.
    pub bucket: &'f str,
    /// Whether the order was reused instead of fetched.
    pub is_reused: bool,
}

impl FactRow<'_> {
    /// The outcome that the row records.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        // The facts were checked when the row was read, so they are those of an order.
        let order = self.facts.order(None).unwrap_or_default();
        let fetched = Fetched { order, is_reused: self.is_reused, baseline: None };
        let evidence = Evidence::Fetched(Box::new(fetched));
        Outcome { line: self.line, run_order_id: self.run_order_id.to_owned(), evidence }
    }
}

/// Reads the facts back in the order of the file, a row group ahead, on a thread of its own.
pub(in crate::report) struct FactsReader {
    groups: Receiver<Result<FactGroup, ReportError>>,
    /// `None` once it was waited for.
    thread: Option<JoinHandle<()>>,
}

impl FactsReader {
    pub(in crate::report) fn open(proven: &ProvenFile) -> Result<Self, ReportError> {
        let path = proven.path().to_owned();
        let file = facts::open(proven).map_err(|problem| ReportError::evidence(&path, problem))?;
        let (read, groups) = sync_channel(0);
        let (place, failed) = (path, |source| ReportError::io(proven.path(), source));
        let work = move || {
            for number in 0..file.groups() {
                let group = file.group(number, None, |frame| FactGroup::of(frame, place.clone()));
                // Nobody waits for the rest once the reader is dropped.
                if read.send(group.map_err(|problem| ReportError::evidence(&place, problem))).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("tieout-read".to_owned()).spawn(work).map_err(failed)?;
        Ok(Self { groups, thread: Some(thread) })
    }

    /// The next row group; `None` after the last one.
    pub(in crate::report) fn next(&mut self) -> Result<Option<FactGroup>, ReportError> {
        let group = self.groups.recv().ok();
        if group.is_none()
            && let Some(thread) = self.thread.take()
        {
            // A thread that panicked has not read everything.
            thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
        group.transpose()
    }
}

/// The rows of one row group.
pub(in crate::report) struct FactGroup {
    path: PathBuf,
    pub(in crate::report) frame: DataFrame,
    lines: Int64Chunked,
    facts: FactArrays,
    settled: BooleanChunked,
    buckets: columns::Array<StringType>,
    reused: BooleanChunked,
}

impl FactGroup {
    fn of(frame: &DataFrame, path: PathBuf) -> PolarsResult<Self> {
        let flag =
            |name: &str| -> PolarsResult<BooleanChunked> { Ok(frame.column(name)?.bool()?.rechunk().into_owned()) };
        Ok(Self {
            path,
            frame: frame.clone(),
            lines: frame.column(LINE)?.i64()?.rechunk().into_owned(),
            facts: FactArrays::of(frame)?,
            settled: flag(SETTLED)?,
            buckets: columns::texts(frame, BUCKET)?,
            reused: flag(REUSED)?,
        })
    }

    /// The rows, in the order of the file.
    ///
    /// # Errors
    /// Each row that lacks a value or has one out of range is one.
    pub(in crate::report) fn rows(&self) -> impl Iterator<Item = Result<FactRow<'_>, ReportError>> {
        let damage = || ReportError::evidence(&self.path, "a value is missing or out of range");
        (0..self.lines.len()).map(move |row| self.row(row).ok_or_else(damage))
    }

    fn row(&self, row: usize) -> Option<FactRow<'_>> {
        let facts = self.facts.row(row)?;
        Some(FactRow {
            line: u64::try_from(self.lines.get(row)?).ok()?,
            run_order_id: facts.text(TextColumn::RunOrderId)?,
            facts,
            settled: self.settled.get(row)?,
            bucket: self.buckets.get(row)?,
            is_reused: self.reused.get(row)?,
        })
    }
}
