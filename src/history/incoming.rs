//! How files come into a dataset: each is written whole in a folder of `incoming/`, then moved into its place. So a reader
//! never meets half a file, and no file of a dataset is ever replaced.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::storage::{Claim, Storage};
use super::{DatasetError, DatasetFile, record};

/// The folder of what is being written.
pub(super) const FOLDER: &str = "incoming";

/// Files on their way into a dataset. Those that were not placed are removed when this is dropped, or by a later writer
/// if this one is killed.
pub(super) struct Incoming<'s> {
    storage: &'s Storage,
    folder: TempDir,
    _lock: Option<File>,
}

impl<'s> Incoming<'s> {
    /// Prepares to write into a dataset. What killed writers left is removed. What goes into a bucket is first written to a
    /// folder for temporary files.
    pub(super) fn begin(storage: &'s Storage) -> Result<Self, DatasetError> {
        let Some(dataset) = storage.local() else {
            let folder = tempfile::tempdir().map_err(DatasetError::io("write", &std::env::temp_dir()))?;
            return Ok(Self { storage, folder, _lock: None });
        };
        let place = dataset.join(FOLDER);
        let failed = DatasetError::io("write", &place);
        fs::create_dir_all(&place).map_err(&failed)?;
        sweep(&place);
        loop {
            let folder = tempfile::Builder::new().prefix("run-").tempdir_in(&place).map_err(&failed)?;
            match lock(folder.path()) {
                Ok(lock) if is_at(&lock, folder.path()) => {
                    return Ok(Self { storage, folder, _lock: Some(lock) });
                }
                // Another writer took it for a dead one's before it was locked.
                Ok(_) | Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::NotFound => {}
                // Where folders can't be locked, no writer removes them either.
                Err(TryLockError::Error(_)) => return Ok(Self { storage, folder, _lock: None }),
            }
        }
    }

    /// Creates a file that is not in its place yet.
    pub(super) fn create(&self, number: usize) -> Result<HashedFile, DatasetError> {
        let path = self.folder.path().join(number.to_string());
        let file = File::create(&path).map_err(DatasetError::io("write", &path))?;
        Ok(HashedFile { path, out: HashWriter::new(BufWriter::new(file)) })
    }

    /// Moves a finished file into its place, which is free: its name is random.
    pub(super) fn place_new(&self, written: &Path, path: &str) -> Result<(), DatasetError> {
        if self.storage.place_new(written, path)? {
            return Ok(());
        }
        Err(DatasetError::damaged(&self.storage.place(path), "there is such a file already, though its name is random"))
    }

    /// Writes a text into its place, unless there is a file already.
    pub(super) fn place_text(&self, path: &str, text: &str) -> Result<(), DatasetError> {
        self.place_unless_there(&self.write(text)?, path)
    }

    /// Moves a finished file into its place, unless there is a file already.
    pub(super) fn place_unless_there(&self, written: &Path, path: &str) -> Result<(), DatasetError> {
        self.storage.place_new(written, path)?;
        self.keep([path])
    }

    /// Writes a record into its place, which is free: its name is random.
    pub(super) fn place_record(&self, path: &str, record: &impl Serialize) -> Result<(), DatasetError> {
        self.place_lines(path, [record::text(record, &self.storage.place(path))?])
    }

    /// Writes the lines of a record into its place, which is free: its name is random.
    pub(super) fn place_lines(&self, path: &str, lines: impl IntoIterator<Item = String>) -> Result<(), DatasetError> {
        let written = self.write(&lines.into_iter().collect::<String>())?;
        self.place_new(&written, path)?;
        self.keep([path])
    }

    /// Writes a text that is not in its place yet; returns where it is.
    fn write(&self, text: &str) -> Result<PathBuf, DatasetError> {
        let mut file = self.create(0)?;
        file.write_all(text.as_bytes()).map_err(DatasetError::io("write", &file.path))?;
        Ok(file.finish(String::new(), 0)?.0)
    }

    /// Makes sure that what was placed is there after a power cut.
    pub(super) fn keep<'p>(&self, placed: impl IntoIterator<Item = &'p str>) -> Result<(), DatasetError> {
        let Some(dataset) = self.storage.local() else { return Ok(()) };
        let placed: Vec<PathBuf> = placed.into_iter().map(|path| dataset.join(path)).collect();
        let above = |path: &'_ PathBuf| -> Vec<PathBuf> {
            let folders = path.ancestors().skip(1).take_while(|folder| folder.starts_with(dataset));
            folders.map(Path::to_owned).collect()
        };
        let folders: BTreeSet<PathBuf> = placed.iter().flat_map(above).collect();
        for folder in folders {
            match File::open(&folder).and_then(|folder| folder.sync_all()) {
                // Some systems can't sync a folder.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
                synced => synced.map_err(DatasetError::io("write", &folder))?,
            }
        }
        Ok(())
    }
}

/// A file that is hashed while it is written.
pub(super) struct HashedFile {
    path: PathBuf,
    out: HashWriter<BufWriter<File>>,
}

impl HashedFile {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Completes the file on the disk. Returns where it is, and how a run names it under its future path.
    pub(super) fn finish(self, path: String, rows: u64) -> Result<(PathBuf, DatasetFile), DatasetError> {
        let failed = DatasetError::io("write", &self.path);
        let (bytes, sha256) = (self.out.bytes, self.out.sha256());
        let file = self.out.out.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(&failed)?;
        Ok((self.path, DatasetFile { path, rows, bytes, sha256 }))
    }
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Hashes what goes through it.
pub(super) struct HashWriter<W> {
    out: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> HashWriter<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, hash: Sha256::new(), bytes: 0 }
    }

    /// The SHA-256 of all bytes so far, in hex.
    pub(super) fn sha256(&self) -> String {
        hex::encode(self.hash.clone().finalize())
    }
}

impl<W: Write> Write for HashWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Removes the folders of killed writers.
fn sweep(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if lock(&path).is_ok_and(|lock| is_at(&lock, &path)) {
            // What can't be removed does no harm.
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// What keeps other writers away for as long as it is there.
#[derive(Debug)]
pub enum Lock {
    /// An open folder that is locked.
    Folder(File),
    /// A claim in a bucket.
    Claim(Claim),
}

/// Locks a folder for as long as the returned file is open.
pub(super) fn lock(folder: &Path) -> Result<File, TryLockError> {
    let folder = File::open(folder).map_err(TryLockError::Error)?;
    folder.try_lock()?;
    Ok(folder)
}

/// Whether the open folder is still the one at that path.
pub(super) fn is_at(open: &File, path: &Path) -> bool {
    let identity = |metadata: io::Result<fs::Metadata>| metadata.ok().map(|found| (found.dev(), found.ino()));
    identity(open.metadata()).is_some_and(|open| Some(open) == identity(fs::metadata(path)))
}
