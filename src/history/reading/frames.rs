//! Row groups, read by a thread of their own while the one before is looked at.

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread;

use polars::prelude::DataFrame;

use crate::history::{Dataset, DatasetError, DatasetFile, orders};
use crate::parquet::file::Shape;

/// How many row groups wait to be looked at.
const AHEAD: usize = 1;

/// Visits the row groups of some files, or only some of their columns, with the place of the file among them and its path.
pub(super) fn for_each_frame<E: From<DatasetError>>(
    dataset: &Dataset,
    files: &[&DatasetFile],
    shape: &Shape,
    columns: Option<&[&str]>,
    mut visit: impl FnMut(usize, &Path, &DataFrame) -> Result<(), E>,
) -> Result<(), E> {
    thread::scope(|scope| {
        let (sender, frames) = sync_channel(AHEAD);
        let reading = scope.spawn(move || -> Result<(), DatasetError> {
            for (number, file) in files.iter().enumerate() {
                let path = dataset.path(file);
                let mut is_wanted = true;
                orders::for_each_group(&path, dataset.prove(file)?, shape.clone(), columns, |frame| {
                    // Nobody listens any more once a visit has failed.
                    is_wanted = is_wanted && sender.send((number, path.clone(), frame.clone())).is_ok();
                    Ok::<_, DatasetError>(())
                })?;
                if !is_wanted {
                    break;
                }
            }
            Ok(())
        });
        let visited = frames.into_iter().try_for_each(|(number, path, frame)| visit(number, &path, &frame));
        let read = reading.join().unwrap_or_else(|panic| resume_unwind(panic));
        visited.and(read.map_err(E::from))
    })
}
