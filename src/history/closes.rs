//! The months that are closed: each has a report in the dataset, which nothing changes any more.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

use super::incoming::{Lock, is_at, lock};
use super::storage::Claim;
use super::{Dataset, DatasetError};
use crate::domain::month::Month;

const CLOSES: &str = "closes";
/// The file that makes a report one. In a bucket it is written last.
const MANIFEST: &str = "manifest.json";

/// The closes of a dataset in a bucket, in a folder of this machine for as long as the dataset is open.
#[derive(Debug, Default)]
pub(super) struct FetchedCloses(OnceLock<TempDir>);

/// The files of the closes in a bucket, by month: with a manifest, and without.
struct ClosesInBucket {
    finished: BTreeMap<Month, Vec<String>>,
    unfinished: BTreeMap<Month, Vec<String>>,
}

impl Dataset {
    /// The months that are closed: each has a report with a manifest.
    pub(super) fn closed_months(&self) -> Result<BTreeSet<Month>, DatasetError> {
        if self.storage.local().is_some() {
            return Ok(self.closes()?.into_keys().collect());
        }
        Ok(self.closes_in_bucket()?.finished.into_keys().collect())
    }

    /// The files of closes in a bucket that have no manifest, by month: of closes that were killed, or lost it.
    ///
    /// # Errors
    /// When they can't be listed.
    pub fn unfinished_closes(&self) -> Result<BTreeMap<Month, Vec<String>>, DatasetError> {
        match self.storage.local() {
            Some(_) => Ok(BTreeMap::new()),
            None => Ok(self.closes_in_bucket()?.unfinished),
        }
    }

    fn closes_in_bucket(&self) -> Result<ClosesInBucket, DatasetError> {
        let mut closes = BTreeMap::<Month, Vec<String>>::new();
        for path in self.storage.files(CLOSES)? {
            if let Some(month) = month_of(&path) {
                closes.entry(month).or_default().push(path);
            }
        }
        let has_manifest =
            |(month, files): &(Month, Vec<String>)| files.contains(&format!("{CLOSES}/{month}/{MANIFEST}"));
        let (finished, unfinished) = closes.into_iter().partition(has_manifest);
        Ok(ClosesInBucket { finished, unfinished })
    }

    /// The folders of the closed months. Those in a bucket are fetched first.
    ///
    /// # Errors
    /// When they can't be listed or fetched, or something else is in the place of one.
    pub fn closes(&self) -> Result<BTreeMap<Month, PathBuf>, DatasetError> {
        if self.storage.local().is_none() {
            let closes = self.closes_in_bucket()?.finished;
            self.fetch(closes.values().flatten())?;
            return Ok(closes.into_keys().map(|month| (month, self.close_of(month))).collect());
        }
        let folder = self.folder().join(CLOSES);
        let failed = DatasetError::io("read", &folder);
        match fs::symlink_metadata(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Ok(found) if !found.is_dir() => return Err(DatasetError::damaged(&folder, "it is not a folder")),
            found => found.map_err(&failed)?,
        };
        let mut closes = BTreeMap::new();
        for entry in fs::read_dir(&folder).map_err(&failed)? {
            let entry = entry.map_err(&failed)?;
            // What is being written has another name.
            let Some(month) = entry.file_name().to_str().and_then(|name| name.parse::<Month>().ok()) else { continue };
            let place = entry.path();
            if !entry.file_type().map_err(&failed)?.is_dir() {
                return Err(DatasetError::damaged(&place, "it is not a folder"));
            }
            closes.insert(month, place);
        }
        Ok(closes)
    }

    /// Where the close of a month is on this machine, or will be.
    #[must_use]
    pub fn close_of(&self, month: Month) -> PathBuf {
        let root = self.storage.local().or_else(|| self.fetched_closes.0.get().map(TempDir::path));
        root.unwrap_or(&self.place).join(CLOSES).join(month.to_string())
    }

    /// Where the close of a month is, as people know it.
    #[must_use]
    pub fn place_of_close(&self, month: Month) -> PathBuf {
        self.storage.place(&format!("{CLOSES}/{month}"))
    }

    /// Fetches the files of closes that were not fetched before.
    fn fetch<'f>(&self, files: impl Iterator<Item = &'f String>) -> Result<(), DatasetError> {
        let root = self.closes_on_this_machine()?;
        for path in files {
            let to = root.join(path);
            if to.exists() {
                continue;
            }
            // A name that leads elsewhere is that of no file of a report.
            if path.split('/').any(|part| part == "..") {
                return Err(DatasetError::damaged(&self.storage.place(path), "it is not a file of a report"));
            }
            let failed = DatasetError::io("write", &to);
            let size = self.storage.size(path)?.unwrap_or_default();
            let Some(mut fetched) = self.storage.open(path, size)? else { continue };
            fs::create_dir_all(to.parent().unwrap_or(root)).map_err(&failed)?;
            let mut file = File::create(&to).map_err(&failed)?;
            io::copy(&mut fetched, &mut file).map_err(failed)?;
        }
        Ok(())
    }

    fn closes_on_this_machine(&self) -> Result<&Path, DatasetError> {
        let FetchedCloses(folder) = &self.fetched_closes;
        if folder.get().is_none() {
            let new = tempfile::tempdir().map_err(DatasetError::io("write", &std::env::temp_dir()))?;
            // Whoever was quicker has made one as well.
            let _ = folder.set(new);
        }
        Ok(folder.get().map_or(self.place.as_path(), TempDir::path))
    }

    /// Writes a close that was made on this machine into the bucket, its manifest last. Nothing is left to do in a folder.
    ///
    /// # Errors
    /// When it can't be written, or there are files of another close of the month.
    pub fn place_close(&self, month: Month) -> Result<(), DatasetError> {
        if self.storage.local().is_some() {
            return Ok(());
        }
        let (folder, closes) = (self.close_of(month), format!("{CLOSES}/{month}"));
        let failed = DatasetError::io("read", &folder);
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder).map_err(&failed)? {
            names.push(entry.map_err(&failed)?.file_name().to_string_lossy().into_owned());
        }
        names.sort_by_key(|name| name == MANIFEST);
        // No other close is at work: what is there is that of one that was killed. With a manifest, it would count.
        for left in self.unfinished_closes()?.remove(&month).unwrap_or_default() {
            self.storage.remove(&left)?;
        }
        for name in names {
            if !self.storage.place_new(&folder.join(&name), &format!("{closes}/{name}"))? {
                return Err(DatasetError::UnfinishedClose { path: self.storage.place(&closes), file: name });
            }
        }
        Ok(())
    }

    /// Keeps other closes away for as long as the returned file is open. Where folders can't be locked, nothing does.
    ///
    /// # Errors
    /// When another close is at work, or the folder of closes can't be made.
    pub fn begin_close(&self) -> Result<Option<Lock>, DatasetError> {
        if self.storage.local().is_none() {
            self.closes_on_this_machine()?;
            let claim = Claim::take(&self.storage, &format!("{CLOSES}/claim"))?;
            let at_work = || DatasetError::Closing { path: self.folder().to_owned() };
            return claim.map(|claim| Some(Lock::Claim(claim))).ok_or_else(at_work);
        }
        let folder = self.folder().join(CLOSES);
        loop {
            fs::create_dir_all(&folder).map_err(DatasetError::io("write", &folder))?;
            match lock(&folder) {
                Err(TryLockError::WouldBlock) => return Err(DatasetError::Closing { path: self.folder().to_owned() }),
                Ok(lock) if is_at(&lock, &folder) => return Ok(Some(Lock::Folder(lock))),
                // A refused close removed it in between.
                Ok(_) => {}
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::NotFound => {}
                Err(TryLockError::Error(_)) => return Ok(None),
            }
        }
    }

    /// Removes the folder of closes if there are none: a refused close leaves nothing.
    pub fn end_close(&self) {
        if let Some(folder) = self.storage.local() {
            let _ = fs::remove_dir(folder.join(CLOSES));
        }
    }
}

/// The month whose close a file is of.
fn month_of(path: &str) -> Option<Month> {
    let (month, _) = path.strip_prefix(CLOSES)?.strip_prefix('/')?.split_once('/')?;
    month.parse().ok()
}
