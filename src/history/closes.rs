//! The months that are closed: each has a report in the dataset, which nothing changes any more.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::PathBuf;

use super::incoming::{is_at, lock};
use super::{Dataset, DatasetError};
use crate::domain::month::Month;

const CLOSES: &str = "closes";

impl Dataset {
    /// The folders of the closed months.
    ///
    /// # Errors
    /// When they can't be listed, or something else is in the place of one.
    pub fn closes(&self) -> Result<BTreeMap<Month, PathBuf>, DatasetError> {
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

    /// Where the close of a month is, or will be.
    #[must_use]
    pub fn close_of(&self, month: Month) -> PathBuf {
        self.folder().join(CLOSES).join(month.to_string())
    }

    /// Keeps other closes away for as long as the returned file is open. Where folders can't be locked, nothing does.
    ///
    /// # Errors
    /// When another close is at work, or the folder of closes can't be made.
    pub fn begin_close(&self) -> Result<Option<File>, DatasetError> {
        let folder = self.folder().join(CLOSES);
        loop {
            fs::create_dir_all(&folder).map_err(DatasetError::io("write", &folder))?;
            match lock(&folder) {
                Err(TryLockError::WouldBlock) => return Err(DatasetError::Closing { path: self.folder().to_owned() }),
                Ok(lock) if is_at(&lock, &folder) => return Ok(Some(lock)),
                // A refused close removed it in between.
                Ok(_) => {}
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::NotFound => {}
                Err(TryLockError::Error(_)) => return Ok(None),
            }
        }
    }

    /// Removes the folder of closes if there are none: a refused close leaves nothing.
    pub fn end_close(&self) {
        let _ = fs::remove_dir(self.folder().join(CLOSES));
    }
}
