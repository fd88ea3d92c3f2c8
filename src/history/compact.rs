//! How small files are merged: every row is kept, and only the number of files falls.

use std::fs::{self, TryLockError};
use std::mem;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use polars::prelude::DataFrame;

use super::files::Files;
use super::incoming::{Incoming, Lock, lock};
use super::orders::{self, OrdersWriter, ROW_GROUP, is_merged, merged_name};
use super::storage::Claim;
use super::{COMPACTIONS, CompactionRecord, Dataset, DatasetError, DatasetFile};

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
    /// Merges the files of each day that have fewer than a million rows, day by day. Every row is kept. Months that are closed
    /// are left as they are.
    ///
    /// # Errors
    /// When another compaction is at work, a file is not as it was written, or the dataset can't be written. Days that were
    /// done stay done.
    pub fn compact(&self) -> Result<Compacted, DatasetError> {
        let lock = self.lock_compactions()?;
        let compactions = self.compactions()?;
        let files = Files::of(&self.runs()?, &compactions);
        self.remove_leftovers(&compactions, &files, lock.is_some())?;
        let mut compacted = Compacted::default();
        let closed = self.closed_months()?;
        let is_open = |day: Date| !closed.iter().any(|month| month.has(day));
        for (day, files) in files.by_day().into_iter().filter(|(day, _)| is_open(*day)) {
            let mut is_merged = false;
            for group in groups(files) {
                self.merge(day, &group)?;
                compacted.merged += group.len() as u64;
                compacted.into += 1;
                is_merged = true;
            }
            compacted.days += u64::from(is_merged);
        }
        Ok(compacted)
    }

    /// Keeps other compactions away. Where folders can't be locked, nothing does: then rows are kept twice at most.
    fn lock_compactions(&self) -> Result<Option<Lock>, DatasetError> {
        let at_work = || DatasetError::Compacting { path: self.folder().to_owned() };
        let Some(folder) = self.storage.local() else {
            let claim = Claim::take(&self.storage, &format!("{COMPACTIONS}/claim"))?;
            return claim.map(|claim| Some(Lock::Claim(claim))).ok_or_else(at_work);
        };
        let place = folder.join(COMPACTIONS);
        fs::create_dir_all(&place).map_err(DatasetError::io("write", &place))?;
        match lock(&place) {
            Err(TryLockError::WouldBlock) => Err(at_work()),
            lock => Ok(lock.ok().map(Lock::Folder)),
        }
    }

    /// Removes what a compaction that was killed left: files that were replaced, and merged ones that do not count. Where
    /// folders can't be locked, those may still be in use.
    fn remove_leftovers(
        &self,
        compactions: &[CompactionRecord],
        files: &Files,
        is_alone: bool,
    ) -> Result<(), DatasetError> {
        for compaction in compactions {
            let there = |file: &DatasetFile| Ok(self.storage.size(&file.path)?.map(|_| file.path.clone()));
            let left = compaction.replaces.iter().filter_map(|file| there(file).transpose());
            let left = left.collect::<Result<Vec<String>, DatasetError>>()?;
            // Whatever the record says: rows are removed only where they are kept.
            if !left.is_empty() {
                let merged = compaction.files.iter().filter(|file| files.counts(&file.path));
                merged.map(|file| self.prove(file).map(drop)).collect::<Result<Vec<()>, _>>()?;
            }
            left.iter().try_for_each(|path| self.storage.remove(path))?;
        }
        let is_left = |path: &PathBuf| is_merged(path) && path.to_str().is_none_or(|path| !files.counts(path));
        for path in self.parquet_files()?.into_iter().filter(|path| is_alone && is_left(path)) {
            self.storage.remove(&path.to_string_lossy())?;
        }
        Ok(())
    }

    /// Merges some files of a day into one.
    fn merge(&self, day: Date, files: &[&DatasetFile]) -> Result<(), DatasetError> {
        let incoming = Incoming::begin(&self.storage)?;
        let name = merged_name(Timestamp::now());
        let mut merged = incoming.create(1)?;
        let mut writer = OrdersWriter::begin(&mut merged, &orders::schema())?;
        let mut held = DataFrame::default();
        for file in files {
            orders::for_each_group(
                &self.path(file),
                self.prove(file)?,
                orders::shape(),
                None,
                Some(file.rows),
                |group| {
                    // Small row groups are put together: each costs a reader as much as a large one.
                    if held.height() + group.height() > ROW_GROUP {
                        writer.write(&mem::take(&mut held))?;
                    }
                    if held.width() == 0 {
                        held = group.clone();
                        Ok(())
                    } else {
                        held.vstack_mut(group).map(drop).map_err(DatasetError::parquet(&self.path(file)))
                    }
                },
            )?;
        }
        writer.write(&held)?;
        writer.finish()?;
        let rows = files.iter().fold(0_u64, |rows, file| rows.saturating_add(file.rows));
        let (written, merged) = merged.finish(orders::path(day, &name, 0), rows)?;
        incoming.place_new(&written, &merged.path)?;
        incoming.keep([merged.path.as_str()])?;
        let compaction = CompactionRecord::new(name, files.iter().map(|file| (*file).clone()).collect(), vec![merged]);
        incoming.place_record(&format!("{COMPACTIONS}/{}.json", compaction.compaction), &compaction)?;
        files.iter().try_for_each(|file| self.storage.remove(&file.path))
    }
}

/// Groups of small files that are merged into one each. Those that stay alone are left as they are, so that compacting
/// again changes nothing.
fn groups(files: Vec<&DatasetFile>) -> Vec<Vec<&DatasetFile>> {
    let mut groups: Vec<(u64, Vec<&DatasetFile>)> = Vec::new();
    for file in files.into_iter().filter(|file| file.rows < FULL) {
        match groups.last_mut().filter(|(rows, _)| *rows + file.rows <= FULL) {
            Some((rows, group)) => {
                *rows += file.rows;
                group.push(file);
            }
            None => groups.push((file.rows, vec![file])),
        }
    }
    groups.into_iter().map(|(_, group)| group).filter(|group| group.len() > 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_grouped_up_to_a_million_rows_and_only_once() {
        let file = |rows| DatasetFile { path: String::new(), rows, bytes: 0, sha256: String::new() };
        let rows = |rows: &[u64]| -> Vec<Vec<u64>> {
            let files: Vec<DatasetFile> = rows.iter().map(|rows| file(*rows)).collect();
            let groups = groups(files.iter().collect());
            groups.into_iter().map(|group| group.into_iter().map(|file| file.rows).collect()).collect()
        };
        assert_eq!(rows(&[1, 2, 3]), [[1, 2, 3]]);
        assert_eq!(rows(&[FULL, 1, 2]), [[1, 2]], "a full file is left alone");
        assert_eq!(rows(&[FULL - 1, 7, 8]), [[7, 8]]);
        assert_eq!(rows(&[FULL - 1, FULL - 2]), Vec::<Vec<u64>>::new());
        assert_eq!(rows(&[1]), Vec::<Vec<u64>>::new());
    }
}
