//! The row groups of files that are as they were written.

use std::fs::File;
use std::io::Seek;
use std::path::{Path, PathBuf};

use polars::prelude::DataFrame;

use crate::history::{Dataset, DatasetError, DatasetFile, orders};
use crate::parquet::file::Shape;

/// How many files are kept open, so that they need not be proven again. A process may have some thousand.
const KEPT_OPEN: usize = 64;

/// A file that is read, perhaps twice.
pub(super) struct ReadFile<'f> {
    pub(super) file: &'f DatasetFile,
    path: PathBuf,
    open: Option<File>,
}

/// Prepares to read some files.
pub(super) fn files<'f>(dataset: &Dataset, files: &[&'f DatasetFile]) -> Vec<ReadFile<'f>> {
    files.iter().map(|file| ReadFile { file, path: dataset.path(file), open: None }).collect()
}

impl ReadFile<'_> {
    /// Visits the row groups, or only some of their columns. If `is_read_again`, the file stays open.
    pub(super) fn for_each_frame<E: From<DatasetError>>(
        &mut self,
        dataset: &Dataset,
        shape: Shape,
        columns: &[&str],
        is_read_again: bool,
        mut visit: impl FnMut(&Path, &DataFrame) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = DatasetError::io("read", &self.path);
        let open = match self.open.take() {
            Some(mut open) => open.rewind().map(|()| open).map_err(&failed)?,
            None => dataset.prove(self.file)?,
        };
        if is_read_again {
            self.open = Some(open.try_clone().map_err(&failed)?);
        }
        let rows = Some(self.file.rows);
        orders::for_each_group(&self.path, open, shape, Some(columns), rows, |frame| visit(&self.path, frame))
    }
}

/// Whether so many files can be kept open.
pub(super) const fn can_be_kept_open(files: usize) -> bool {
    files <= KEPT_OPEN
}
