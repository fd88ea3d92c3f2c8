//! Where a dataset lies: in a folder, or in a bucket of S3. Nothing that is there is ever replaced.

mod bucket;
mod claim;
mod credentials;
mod folder;

use std::fs::File;
use std::path::{Path, PathBuf};

use self::bucket::{Bucket, Content};
pub(super) use self::claim::Claim;
use super::DatasetError;

/// What addresses of buckets begin with.
const SCHEME: &str = "s3://";

/// Whether a path is the address of a bucket.
#[must_use]
pub fn is_bucket(place: &Path) -> bool {
    place.to_str().is_some_and(|place| place.starts_with(SCHEME))
}

/// Whether a path looks like an address of another kind, such as `s3a://`.
fn has_scheme(place: &Path) -> bool {
    let scheme = place.to_str().and_then(|place| place.split_once(":/")).map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| scheme.len() > 1 && scheme.chars().all(|sign| sign.is_ascii_alphanumeric()))
}

/// Where the files of a dataset are. Paths are those from its root.
#[derive(Debug)]
pub(super) enum Storage {
    Folder(PathBuf),
    Bucket(Bucket),
}

impl Storage {
    pub(super) fn of(place: &Path) -> Result<Self, DatasetError> {
        match place.to_str().and_then(|place| place.strip_prefix(SCHEME)) {
            Some(address) => Bucket::of(place, address).map(Self::Bucket),
            None if has_scheme(place) => {
                let problem = "a dataset is in a folder or at s3://BUCKET/FOLDER".to_owned();
                Err(DatasetError::NotADataset { path: place.to_owned(), problem })
            }
            None => Ok(Self::Folder(place.to_owned())),
        }
    }

    /// The folder, if it is one on this machine.
    pub(super) fn local(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Bucket(_) => None,
        }
    }

    /// A file's path in full, for messages.
    pub(super) fn place(&self, path: &str) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.join(path),
            Self::Bucket(bucket) => bucket.place(path),
        }
    }

    /// The content of a file of at most so many bytes; `None` if it is not there.
    pub(super) fn bytes(&self, path: &str, most: u64) -> Result<Option<Vec<u8>>, DatasetError> {
        match self {
            Self::Folder(folder) => folder::bytes(&folder.join(path), most),
            Self::Bucket(bucket) => bucket.bytes(path, most),
        }
    }

    /// The content of several files, all of which must be there.
    pub(super) fn all_bytes(&self, paths: Vec<String>, most: u64) -> Result<Vec<(String, Vec<u8>)>, DatasetError> {
        let read = match self {
            Self::Folder(folder) => {
                let read = |path: String| Ok((folder::bytes(&folder.join(&path), most)?, path));
                paths.into_iter().map(read).collect::<Result<Vec<_>, DatasetError>>()?
            }
            Self::Bucket(bucket) => bucket.all_bytes(paths, most)?,
        };
        let there = |(bytes, path): Content| match bytes {
            Some(bytes) => Ok((path, bytes)),
            None => Err(DatasetError::damaged(&self.place(&path), "it is missing")),
        };
        read.into_iter().map(there).collect()
    }

    /// Opens a file of so many bytes, at its beginning; `None` if it is not there. One in a bucket is fetched first.
    pub(super) fn open(&self, path: &str, bytes: u64) -> Result<Option<File>, DatasetError> {
        match self {
            Self::Folder(folder) => folder::open(&folder.join(path)),
            Self::Bucket(bucket) => bucket.open(path, bytes),
        }
    }

    /// The size of a file in bytes; `None` if it is not there.
    pub(super) fn size(&self, path: &str) -> Result<Option<u64>, DatasetError> {
        match self {
            Self::Folder(folder) => folder::size(&folder.join(path)),
            Self::Bucket(bucket) => bucket.size(path),
        }
    }

    /// What is directly in the root, which is made if it is a folder that is not there.
    pub(super) fn names(&self) -> Result<Vec<String>, DatasetError> {
        match self {
            Self::Folder(folder) => folder::names(folder),
            Self::Bucket(bucket) => bucket.names(),
        }
    }

    /// Every file below a folder, however deep, in no particular order.
    pub(super) fn files(&self, below: &str) -> Result<Vec<String>, DatasetError> {
        match self {
            Self::Folder(folder) => folder::files(folder, below),
            Self::Bucket(bucket) => bucket.files(below),
        }
    }

    /// Copies a finished file into its place. Returns whether the place was free, or has this very file.
    pub(super) fn place_new(&self, written: &Path, path: &str) -> Result<bool, DatasetError> {
        match self {
            Self::Folder(folder) => folder::place(written, &folder.join(path)),
            Self::Bucket(bucket) => bucket.place_new(written, path),
        }
    }

    /// Removes a file, if it is there.
    pub(super) fn remove(&self, path: &str) -> Result<(), DatasetError> {
        match self {
            Self::Folder(folder) => folder::remove(&folder.join(path)),
            Self::Bucket(bucket) => bucket.remove(path),
        }
    }
}
