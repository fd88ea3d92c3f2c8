//! History: every observation of every order, for good, in a dataset of plain Parquet files that any engine reads.
//!
//! ```text
//! DATASET/
//!   dataset.json                             whose orders these are, and the time zone of days (`identity`)
//!   orders/day=2026-10-03/<run>.parquet      the orders that a run observed, by the day they were created (`orders`)
//!   exceptions/<run>.parquet                 the rows of a run without a fetched order, with the reason (`exceptions`)
//!   runs/<run>.json                          written last: only now the run's files count (`run`)
//!   incoming/                                what is being written
//!   read.sql                                 the newest observation of each order, for DuckDB and Spark
//! ```
//!
//! A dataset only grows. Of several observations of an order, that of the run which started last counts. This rule does
//! not depend on the order in which runs were appended, and counting an observation twice changes nothing, so several
//! writers can't conflict.

mod append;
mod contents;
mod error;
mod exceptions;
mod identity;
mod incoming;
mod orders;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::domain::days::{DayBy, Days};

pub use append::{Append, ExceptionRow, NewRun};
pub use contents::{Contents, Proof};
pub use error::DatasetError;
pub use identity::Identity;
pub use run::{CurrencyTotals, DatasetFile, RunRecord};

const IDENTITY_FILE: &str = "dataset.json";
const READ_FILE: &str = "read.sql";
const ORDERS: &str = "orders";
const EXCEPTIONS: &str = "exceptions";
const RUNS: &str = "runs";
const READ_SQL: &str = include_str!("read.sql");

/// A dataset on a disk.
#[derive(Debug)]
pub struct Dataset {
    folder: PathBuf,
    identity: Identity,
}

impl Dataset {
    /// Opens the dataset in a folder.
    ///
    /// # Errors
    /// When there is none, or it can't be read.
    pub fn open(folder: &Path) -> Result<Self, DatasetError> {
        let identity = Identity::read(folder)?.ok_or_else(|| {
            let problem = if folder.is_dir() { "it has no dataset.json" } else { "there is no such folder" };
            DatasetError::NotADataset { path: folder.to_owned(), problem: problem.to_owned() }
        })?;
        Ok(Self { folder: folder.to_owned(), identity })
    }

    /// Opens the dataset in a folder for the orders of `wanted`. Creates it if the folder is empty or not there.
    ///
    /// # Errors
    /// When the folder holds something else, the dataset is about other orders or has another time zone, or it can't be
    /// written.
    pub fn open_or_create(folder: &Path, wanted: &Identity) -> Result<Self, DatasetError> {
        let identity = match Identity::read(folder)? {
            Some(identity) => identity,
            None => create(folder, wanted)?,
        };
        identity.require(wanted, folder)?;
        Ok(Self { folder: folder.to_owned(), identity })
    }

    /// Where the dataset is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whose orders it holds, and by which days.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Every run that was appended, by the time it started.
    ///
    /// # Errors
    /// When the records of the runs can't be read or are not valid.
    pub fn runs(&self) -> Result<Vec<RunRecord>, DatasetError> {
        let folder = self.folder.join(RUNS);
        let failed = DatasetError::io("read", &folder);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut runs = Vec::new();
        for entry in entries {
            let path = entry.map_err(&failed)?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                runs.push(RunRecord::read(&path)?);
            }
        }
        runs.sort_by(|one, other| (one.started_at, &one.run).cmp(&(other.started_at, &other.run)));
        Ok(runs)
    }

    /// Days as the dataset divides them.
    fn days(&self) -> Days {
        Days { zone: self.identity.timezone.clone(), by: DayBy::Created }
    }

    fn path(&self, file: &DatasetFile) -> PathBuf {
        self.folder.join(&file.path)
    }

    /// Opens a file of a run that is as it was written.
    fn prove(&self, file: &DatasetFile) -> Result<File, DatasetError> {
        let path = self.path(file);
        let failed = DatasetError::io("read", &path);
        let mut open = match File::open(&path) {
            Ok(open) => open,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(DatasetError::damaged(&path, "it is missing"));
            }
            Err(error) => return Err(failed(error)),
        };
        let (sha256, bytes) = hash(&mut open).map_err(&failed)?;
        if (sha256.as_str(), bytes) != (file.sha256.as_str(), file.bytes) {
            return Err(DatasetError::damaged(&path, "it is not as it was written"));
        }
        open.rewind().map_err(failed)?;
        Ok(open)
    }

    /// Every file that a run names, by its path; two runs never name the same.
    fn files(runs: &[RunRecord]) -> BTreeMap<&str, &DatasetFile> {
        runs.iter().flat_map(|run| &run.files).map(|file| (file.path.as_str(), file)).collect()
    }
}

/// Makes an empty dataset, unless another writer is quicker: then its identity counts.
fn create(folder: &Path, wanted: &Identity) -> Result<Identity, DatasetError> {
    let failed = DatasetError::io("create", folder);
    fs::create_dir_all(folder).map_err(&failed)?;
    for entry in fs::read_dir(folder).map_err(&failed)? {
        let name = entry.map_err(&failed)?.file_name();
        if name != incoming::FOLDER && name != IDENTITY_FILE && name != READ_FILE {
            let problem = format!("it holds {} but no {IDENTITY_FILE}; name an empty or a new folder", name.display());
            return Err(DatasetError::NotADataset { path: folder.to_owned(), problem });
        }
    }
    let incoming = incoming::Incoming::begin(folder)?;
    incoming.place_text(READ_FILE, READ_SQL)?;
    incoming.place_text(IDENTITY_FILE, &wanted.text(folder)?)?;
    let missing =
        || DatasetError::NotADataset { path: folder.to_owned(), problem: format!("{IDENTITY_FILE} vanished") };
    Identity::read(folder)?.ok_or_else(missing)
}

/// The SHA-256 (in hex) and the size (in bytes) of what is left to read.
fn hash(from: &mut File) -> io::Result<(String, u64)> {
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok((hex::encode(hash.finalize()), bytes)),
            count => {
                hash.update(&buffer[..count]);
                bytes += count as u64;
            }
        }
    }
}
