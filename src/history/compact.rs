//! How small files are merged: every row is kept, and only the number of files falls.

use std::fs::{self, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use polars::prelude::DataFrame;

use super::files::Files;
use super::incoming::{Incoming, lock};
use super::orders::{self, OrdersWriter, ROW_GROUP, is_merged, merged_name};
use super::{COMPACTIONS, CompactionRecord, Dataset, DatasetError, DatasetFile, record};

/// A file with as many rows is not merged any more.
const FULL: u64 = 1 << 20;

/// What a compaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// How many files were merged.
    pub merged: u64,
    /// Into how many.
    pub into: u64,
    /// How many days they are of.
    pub days: u64,
}

impl Dataset {
    /// Merges the files of each day that have fewer than a million rows, day by day. Every row is kept.
    ///
    /// # Errors
    /// When another compaction is at work, a file is not as it was written, or the dataset can't be written. Days that were
    /// done stay done.
    pub fn compact(&self) -> Result<Compacted, DatasetError> {
        let place = self.folder().join(COMPACTIONS);
        fs::create_dir_all(&place).map_err(DatasetError::io("write", &place))?;
        let lock = match lock(&place) {
            Err(TryLockError::WouldBlock) => return Err(DatasetError::Compacting { path: self.folder().to_owned() }),
            lock => lock.ok(),
        };
        let (_, files) = self.counted()?;
        self.remove_leftovers(&files, lock.is_some())?;
        let mut compacted = Compacted::default();
        for (day, files) in files.by_day() {
            let small: Vec<&DatasetFile> = files.into_iter().filter(|file| file.rows < FULL).collect();
            if small.len() < 2 {
                continue;
            }
            compacted.merged += small.len() as u64;
            compacted.into += self.merge(day, &small)?;
            compacted.days += 1;
        }
        Ok(compacted)
    }

    /// Removes what a compaction that was killed left: files that were replaced, and merged ones that do not count. Where
    /// folders can't be locked, those may still be in use.
    fn remove_leftovers(&self, files: &Files, is_alone: bool) -> Result<(), DatasetError> {
        for path in files.replaced.keys() {
            remove(&self.folder().join(path))?;
        }
        let is_left = |path: &PathBuf| is_merged(path) && path.to_str().is_none_or(|path| !files.counts(path));
        for path in self.parquet_files()?.into_iter().filter(|path| is_alone && is_left(path)) {
            remove(&self.folder().join(path))?;
        }
        Ok(())
    }

    /// Merges some files of a day; returns into how many.
    fn merge(&self, day: Date, files: &[&DatasetFile]) -> Result<u64, DatasetError> {
        let incoming = Incoming::begin(self.folder())?;
        let name = merged_name(Timestamp::now());
        let mut merged = Vec::new();
        let mut rest = files.iter().peekable();
        while rest.peek().is_some() {
            let path = orders::path(day, &name, merged.len());
            let mut merged_file = incoming.create(merged.len() + 1)?;
            let mut writer = OrdersWriter::begin(&mut merged_file, &orders::schema())?;
            let (mut held, mut rows) = (DataFrame::default(), 0);
            while let Some(file) = rest.next_if(|file| rows == 0 || rows + file.rows <= FULL) {
                orders::for_each_group(&self.path(file), self.prove(file)?, |group| {
                    // Small row groups are put together: each costs a reader as much as a large one.
                    if held.height() + group.height() > ROW_GROUP {
                        writer.write(&std::mem::take(&mut held))?;
                    }
                    if held.width() == 0 {
                        held = group.clone();
                        Ok(())
                    } else {
                        held.vstack_mut(group).map(drop).map_err(DatasetError::parquet(&self.path(file)))
                    }
                })?;
                rows += file.rows;
            }
            writer.write(&held)?;
            writer.finish()?;
            merged.push(merged_file.finish(path, rows)?);
        }
        for (written, file) in &merged {
            incoming.place(written, &file.path)?;
        }
        incoming.keep(merged.iter().map(|(_, file)| file.path.as_str()))?;
        let replaces = files.iter().map(|file| (*file).clone()).collect();
        let compaction = CompactionRecord::new(name, replaces, merged.into_iter().map(|(_, file)| file).collect());
        let path = format!("{COMPACTIONS}/{}.json", compaction.compaction);
        incoming.place_text(&path, &record::text(&compaction, Path::new(&path))?)?;
        files.iter().try_for_each(|file| remove(&self.path(file)))?;
        Ok(compaction.files.len() as u64)
    }
}

/// Removes a file that no longer counts, if it is there.
fn remove(path: &Path) -> Result<(), DatasetError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(DatasetError::io("remove", path)(error)),
        _ => Ok(()),
    }
}
