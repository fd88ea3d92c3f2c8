//! The row groups of files that are as they were written.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Seek;
use std::path::PathBuf;

use polars::prelude::{DataFrame, PolarsError};

use super::Reading;
use crate::history::{Dataset, DatasetError, DatasetFile, orders};
use crate::parquet::file::Shape;

/// How many files are kept open, so that they need not be proven again. A process may have some thousand.
const KEPT_OPEN: usize = 64;

/// A file that is read, perhaps twice.
pub(super) struct ReadFile<'f> {
    dataset: &'f Dataset,
    file: &'f DatasetFile,
    place: Place<'f>,
    open: Option<File>,
}

/// Where rows come from.
pub(super) struct Place<'f> {
    path: PathBuf,
    /// The runs that the file may have rows of.
    pub(super) runs: Option<&'f BTreeSet<String>>,
}

/// Prepares to read some files.
pub(super) fn files<'f>(reading: &'f Reading<'_>, files: &[&'f DatasetFile]) -> Vec<ReadFile<'f>> {
    let dataset = reading.dataset;
    let place = |file: &DatasetFile| Place { path: dataset.path(file), runs: reading.files.runs_of(&file.path) };
    files.iter().map(|file| ReadFile { dataset, file, place: place(file), open: None }).collect()
}

impl ReadFile<'_> {
    /// Visits the row groups, or only some of their columns. If `is_read_again`, the file stays open.
    pub(super) fn for_each_frame<E: From<DatasetError>>(
        &mut self,
        shape: Shape,
        columns: &[&str],
        is_read_again: bool,
        mut visit: impl FnMut(&Place<'_>, &DataFrame) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { dataset, file, place, open } = self;
        let failed = DatasetError::io("read", &place.path);
        let proven = match open.take() {
            Some(mut open) => open.rewind().map(|()| open).map_err(&failed)?,
            None => dataset.prove(file)?,
        };
        if is_read_again {
            *open = Some(proven.try_clone().map_err(&failed)?);
        }
        let rows = Some(file.rows);
        orders::for_each_group(&place.path, proven, shape, Some(columns), rows, |frame| visit(place, frame))
    }
}

impl Place<'_> {
    pub(super) fn damaged(&self, problem: String) -> DatasetError {
        DatasetError::damaged(&self.path, problem)
    }

    pub(super) fn failed(&self) -> impl Fn(PolarsError) -> DatasetError {
        |error| self.damaged(error.to_string())
    }

    pub(super) fn lacking(&self) -> DatasetError {
        self.damaged("a value is missing or out of range".to_owned())
    }
}

/// Whether so many files can be kept open.
pub(super) const fn can_be_kept_open(files: usize) -> bool {
    files <= KEPT_OPEN
}
