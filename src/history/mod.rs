//! History: every observation of every order, for good, in a dataset of plain Parquet files that any engine reads.
//!
//! ```text
//! DATASET/
//!   dataset.json                             whose orders these are, and the time zone of days (`identity`)
//!   orders/day=2026-10-03/<run>.parquet      the orders that a run observed, by the day they were created (`orders`)
//!   exceptions/<run>.parquet                 the rows of a run without a fetched order, with the reason (`exceptions`)
//!   runs/<run>.json                          written last: only now the run's files count (`run`)
//!   compactions/<compaction>.json            which files were merged into which (`compaction`)
//!   closes/2026-10/                          the report that closed a month (`closes`)
//!   incoming/                                what is being written
//!   read.sql                                 what counts of each order, for DuckDB and Spark
//! ```
//!
//! A dataset only grows. Of several observations of an order, that of the run which started last counts. This rule does
//! not depend on the order in which runs were appended, and counting an observation twice changes nothing, so several
//! writers can't conflict.

mod append;
mod closes;
mod compact;
mod compaction;
mod contents;
mod error;
mod exceptions;
mod files;
mod identity;
mod incoming;
mod orders;
mod reading;
mod record;
mod run;
mod selection;
pub mod sql;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use self::incoming::{HashWriter, Incoming};
use self::orders::OrdersWriter;
use crate::domain::days::{DayBy, Days};

pub use append::{Append, CreatedSince, Known, NewRun};
pub use compact::Compacted;
pub use compaction::CompactionRecord;
pub use contents::{Contents, Proof};
pub use error::DatasetError;
pub use exceptions::{ExceptionRow, IDENTITY_MISMATCH};
pub use identity::Identity;
pub use orders::UNDATED;
pub use reading::{Extent, Observed, ReadCounts, Reading, Side, Sighting, Then};
pub use run::{CurrencyTotals, DatasetFile, EarlierJob, RunRecord};
pub use selection::Selection;

const IDENTITY_FILE: &str = "dataset.json";
const READ_FILE: &str = "read.sql";
const ORDERS: &str = "orders";
const EXCEPTIONS: &str = "exceptions";
const RUNS: &str = "runs";
const COMPACTIONS: &str = "compactions";
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

    /// Whether a folder says that it is a dataset.
    #[must_use]
    pub fn is_in(folder: &Path) -> bool {
        folder.join(IDENTITY_FILE).exists()
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
        furnish(folder)?;
        Ok(Self { folder: folder.to_owned(), identity })
    }

    /// Fails unless the dataset has this identity ([`Identity::value`]).
    ///
    /// # Errors
    /// [`DatasetError::Other`] says what differs.
    pub fn require(&self, identity: &Value) -> Result<(), DatasetError> {
        let path = self.folder.join(IDENTITY_FILE);
        let wanted = Identity::deserialize(identity)
            .map_err(|error| DatasetError::damaged(&path, format!("the wanted identity is not valid ({error})")))?;
        self.identity.require(&wanted, &self.folder)
    }

    /// SHA-256 of the record of a run, in hex.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn record_sha256(&self, run: &RunRecord) -> Result<String, DatasetError> {
        let path = self.folder.join(run::path(&run.run));
        let text = fs::read(&path).map_err(DatasetError::io("read", &path))?;
        Ok(hex::encode(Sha256::digest(text)))
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
        let mut runs = self.records(RUNS, RunRecord::read)?;
        runs.sort_by(|one, other| (one.started_at, &one.run).cmp(&(other.started_at, &other.run)));
        Ok(runs)
    }

    /// Every compaction.
    fn compactions(&self) -> Result<Vec<CompactionRecord>, DatasetError> {
        self.records(COMPACTIONS, CompactionRecord::read)
    }

    /// Every record in one of the dataset's folders.
    fn records<T>(
        &self,
        folder: &str,
        read: impl Fn(&Path) -> Result<T, DatasetError>,
    ) -> Result<Vec<T>, DatasetError> {
        let folder = self.folder.join(folder);
        let failed = DatasetError::io("read", &folder);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut records = Vec::new();
        for entry in entries {
            let path = entry.map_err(&failed)?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                records.push(read(&path)?);
            }
        }
        Ok(records)
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
        self.require_size(file)?;
        let path = self.path(file);
        let failed = DatasetError::io("read", &path);
        let mut open = File::open(&path).map_err(&failed)?;
        let mut hash = HashWriter::new(io::sink());
        let bytes = io::copy(&mut (&mut open).take(file.bytes), &mut hash).map_err(&failed)?;
        if (hash.sha256().as_str(), bytes) != (file.sha256.as_str(), file.bytes) {
            return Err(DatasetError::damaged(&path, "it is not as it was written"));
        }
        open.rewind().map_err(failed)?;
        Ok(open)
    }

    /// Fails unless a file of a run is there, a regular one, with as many bytes as were written.
    fn require_size(&self, file: &DatasetFile) -> Result<(), DatasetError> {
        let path = self.path(file);
        match fs::metadata(&path) {
            Ok(found) if !found.is_file() => Err(DatasetError::damaged(&path, "it is not a regular file")),
            Ok(found) if found.len() == file.bytes => Ok(()),
            Ok(found) => {
                let problem = format!("it has {} bytes, {} were written", found.len(), file.bytes);
                Err(DatasetError::damaged(&path, problem))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Err(DatasetError::damaged(&path, "it is missing")),
            Err(error) => Err(DatasetError::io("read", &path)(error)),
        }
    }
}

/// The bytes of a SHA-256 that tell orders or rows apart.
const DIGEST: usize = 16;

fn digest(text: &str) -> [u8; DIGEST] {
    let mut digest = [0; DIGEST];
    digest.copy_from_slice(&Sha256::digest(text)[..DIGEST]);
    digest
}

/// Adds what other programs need to read a dataset, however little it holds: `read.sql`, and a file without rows wherever
/// it looks for some.
fn furnish(folder: &Path) -> Result<(), DatasetError> {
    let is_missing = |path: &str| !folder.join(path).exists();
    if is_missing(READ_FILE) {
        Incoming::begin(folder)?.place_text(READ_FILE, READ_SQL)?;
    }
    for (path, schema) in [(orders::EMPTY, orders::schema()), (exceptions::EMPTY, exceptions::shape().schema)] {
        if is_missing(path) {
            let incoming = Incoming::begin(folder)?;
            let mut file = incoming.create(0)?;
            OrdersWriter::begin(&mut file, &schema)?.finish()?;
            incoming.place_unless_there(&file.finish(String::new(), 0)?.0, path)?;
        }
    }
    Ok(())
}

/// Makes an empty dataset, unless another writer is quicker: then its identity counts.
fn create(folder: &Path, wanted: &Identity) -> Result<Identity, DatasetError> {
    let failed = DatasetError::io("create", folder);
    fs::create_dir_all(folder).map_err(&failed)?;
    for entry in fs::read_dir(folder).map_err(&failed)? {
        let name = entry.map_err(&failed)?.file_name();
        if name != incoming::FOLDER && name != IDENTITY_FILE && name != READ_FILE {
            let problem = if [ORDERS, RUNS, EXCEPTIONS].iter().any(|ours| name == *ours) {
                format!("its {IDENTITY_FILE} is missing; restore it from a backup")
            } else {
                format!("it holds {} but no {IDENTITY_FILE}; name an empty or a new folder", name.display())
            };
            return Err(DatasetError::NotADataset { path: folder.to_owned(), problem });
        }
    }
    let incoming = Incoming::begin(folder)?;
    incoming.place_text(IDENTITY_FILE, &wanted.text(folder)?)?;
    let missing =
        || DatasetError::NotADataset { path: folder.to_owned(), problem: format!("{IDENTITY_FILE} vanished") };
    Identity::read(folder)?.ok_or_else(missing)
}
