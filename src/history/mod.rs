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
mod storage;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use self::closes::FetchedCloses;
use self::incoming::{HashWriter, Incoming};
use self::orders::OrdersWriter;
use self::storage::Storage;
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
pub use storage::is_bucket;

const IDENTITY_FILE: &str = "dataset.json";
const READ_FILE: &str = "read.sql";
const ORDERS: &str = "orders";
const EXCEPTIONS: &str = "exceptions";
const RUNS: &str = "runs";
const COMPACTIONS: &str = "compactions";
const READ_SQL: &str = include_str!("read.sql");

/// A dataset in a folder or a bucket.
#[derive(Debug)]
pub struct Dataset {
    place: PathBuf,
    storage: Arc<Storage>,
    identity: Identity,
    /// The closes of one in a bucket, once they are needed.
    fetched_closes: FetchedCloses,
}

impl Dataset {
    /// Opens the dataset in a folder, or at the address of one in a bucket (`s3://BUCKET/FOLDER`).
    ///
    /// # Errors
    /// When there is none, or it can't be read.
    pub fn open(place: &Path) -> Result<Self, DatasetError> {
        let storage = Storage::of(place)?;
        let identity = Identity::read(&storage)?.ok_or_else(|| {
            let is_there = storage.local().is_none_or(Path::is_dir);
            let problem = if is_there { "it has no dataset.json" } else { "there is no such folder" };
            DatasetError::NotADataset { path: place.to_owned(), problem: problem.to_owned() }
        })?;
        Ok(Self::of(place, storage, identity))
    }

    fn of(place: &Path, storage: Storage, identity: Identity) -> Self {
        let (place, storage) = (place.to_owned(), Arc::new(storage));
        Self { place, storage, identity, fetched_closes: FetchedCloses::default() }
    }

    /// Whether a folder says that it is a dataset. Nothing but datasets is in buckets.
    #[must_use]
    pub fn is_in(place: &Path) -> bool {
        is_bucket(place) || place.join(IDENTITY_FILE).exists()
    }

    /// Opens the dataset in a folder for the orders of `wanted`. Creates it if the folder is empty or not there.
    ///
    /// # Errors
    /// When the folder holds something else, the dataset is about other orders or has another time zone, or it can't be
    /// written.
    pub fn open_or_create(place: &Path, wanted: &Identity) -> Result<Self, DatasetError> {
        let storage = Storage::of(place)?;
        let identity = match Identity::read(&storage)? {
            Some(identity) => identity,
            None => create(place, &storage, wanted)?,
        };
        identity.require(wanted, place)?;
        let dataset = Self::of(place, storage, identity);
        furnish(&dataset.storage)?;
        Ok(dataset)
    }

    /// Fails unless the dataset has this identity ([`Identity::value`]).
    ///
    /// # Errors
    /// [`DatasetError::Other`] says what differs.
    pub fn require(&self, identity: &Value) -> Result<(), DatasetError> {
        let path = self.place.join(IDENTITY_FILE);
        let wanted = Identity::deserialize(identity)
            .map_err(|error| DatasetError::damaged(&path, format!("the wanted identity is not valid ({error})")))?;
        self.identity.require(&wanted, &self.place)
    }

    /// SHA-256 of the record of a run, in hex.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn record_sha256(&self, run: &RunRecord) -> Result<String, DatasetError> {
        let path = run::path(&run.run);
        let text = self.storage.bytes(&path, record::LARGEST)?;
        let text = text.ok_or_else(|| DatasetError::damaged(&self.storage.place(&path), "it is missing"))?;
        Ok(hex::encode(Sha256::digest(text)))
    }

    /// Where the dataset is: a folder, or an address.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.place
    }

    /// Where the dataset is, from wherever it is asked.
    #[must_use]
    pub fn absolute(&self) -> PathBuf {
        absolute(&self.place)
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
        let mut runs = self.records(RUNS, RunRecord::parse)?;
        runs.sort_by(|one, other| (one.started_at, &one.run).cmp(&(other.started_at, &other.run)));
        Ok(runs)
    }

    /// Every compaction.
    fn compactions(&self) -> Result<Vec<CompactionRecord>, DatasetError> {
        self.records(COMPACTIONS, CompactionRecord::parse)
    }

    /// Every record in one of the dataset's folders.
    fn records<T>(
        &self,
        folder: &str,
        parse: impl Fn(&Path, &[u8]) -> Result<T, DatasetError>,
    ) -> Result<Vec<T>, DatasetError> {
        let is_record = |path: &String| {
            let name = path.strip_prefix(folder).and_then(|name| name.strip_prefix('/'));
            name.is_some_and(|name| name.ends_with(".json") && !name.contains('/'))
        };
        let paths = self.storage.files(folder)?.into_iter().filter(is_record).collect();
        let records = self.storage.all_bytes(paths, record::LARGEST)?;
        records.iter().map(|(path, bytes)| parse(&self.storage.place(path), bytes)).collect()
    }

    /// Days as the dataset divides them.
    fn days(&self) -> Days {
        Days { zone: self.identity.timezone.clone(), by: DayBy::Created }
    }

    fn path(&self, file: &DatasetFile) -> PathBuf {
        self.storage.place(&file.path)
    }

    /// Opens a file of a run that is as it was written.
    fn prove(&self, file: &DatasetFile) -> Result<File, DatasetError> {
        self.require_size(file)?;
        let path = self.path(file);
        let failed = DatasetError::io("read", &path);
        let open = self.storage.open(&file.path, file.bytes)?;
        let mut open = open.ok_or_else(|| DatasetError::damaged(&path, "it is missing"))?;
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
        let damaged = |problem: String| Err(DatasetError::damaged(&self.path(file), problem));
        match self.storage.size(&file.path)? {
            Some(bytes) if bytes == file.bytes => Ok(()),
            Some(bytes) => damaged(format!("it has {bytes} bytes, {} were written", file.bytes)),
            None => damaged("it is missing".to_owned()),
        }
    }
}

/// A place that means the same from every folder.
#[must_use]
pub fn absolute(place: &Path) -> PathBuf {
    if is_bucket(place) { place.to_owned() } else { std::path::absolute(place).unwrap_or_else(|_| place.to_owned()) }
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
fn furnish(storage: &Storage) -> Result<(), DatasetError> {
    let is_missing = |path: &str| storage.size(path).map(|size| size.is_none());
    if is_missing(READ_FILE)? {
        Incoming::begin(storage)?.place_text(READ_FILE, READ_SQL)?;
    }
    for (path, schema) in [(orders::EMPTY, orders::schema()), (exceptions::EMPTY, exceptions::shape().schema)] {
        if is_missing(path)? {
            let incoming = Incoming::begin(storage)?;
            let mut file = incoming.create(0)?;
            OrdersWriter::begin(&mut file, &schema)?.finish()?;
            incoming.place_unless_there(&file.finish(String::new(), 0)?.0, path)?;
        }
    }
    Ok(())
}

/// Makes an empty dataset, unless another writer is quicker: then its identity counts.
fn create(place: &Path, storage: &Storage, wanted: &Identity) -> Result<Identity, DatasetError> {
    let not_a_dataset = |problem: String| DatasetError::NotADataset { path: place.to_owned(), problem };
    for name in storage.names()? {
        if name != incoming::FOLDER && name != IDENTITY_FILE && name != READ_FILE {
            return Err(not_a_dataset(if [ORDERS, RUNS, EXCEPTIONS].iter().any(|ours| name == *ours) {
                format!("its {IDENTITY_FILE} is missing; restore it from a backup")
            } else {
                format!("it holds {name} but no {IDENTITY_FILE}; name an empty or a new folder")
            }));
        }
    }
    let incoming = Incoming::begin(storage)?;
    incoming.place_text(IDENTITY_FILE, &wanted.text(place)?)?;
    Identity::read(storage)?.ok_or_else(|| not_a_dataset(format!("{IDENTITY_FILE} vanished")))
}
