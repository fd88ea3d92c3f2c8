//! The months that are closed: each has a report in the dataset, which nothing changes any more.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use super::{Dataset, DatasetError};
use crate::domain::month::Month;

const CLOSES: &str = "closes";

impl Dataset {
    /// The folders of the closed months.
    ///
    /// # Errors
    /// When they can't be listed.
    pub fn closes(&self) -> Result<BTreeMap<Month, PathBuf>, DatasetError> {
        let folder = self.folder().join(CLOSES);
        let failed = DatasetError::io("read", &folder);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
            entries => entries.map_err(&failed)?,
        };
        let mut closes = BTreeMap::new();
        for entry in entries {
            let entry = entry.map_err(&failed)?;
            // What is being written has another name.
            let month = entry.file_name().to_str().and_then(|name| name.parse::<Month>().ok());
            closes.extend(month.map(|month| (month, entry.path())));
        }
        Ok(closes)
    }

    /// Where the close of a month is, or will be.
    #[must_use]
    pub fn close_of(&self, month: Month) -> PathBuf {
        self.folder().join(CLOSES).join(month.to_string())
    }
}
