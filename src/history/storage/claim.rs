//! One writer at a time in a bucket, where nothing can be locked: whoever makes a file of this name has the place.

use std::io::Write;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Storage;
use crate::history::DatasetError;

/// After how long a claim is that of a writer that was killed.
const LASTS: SignedDuration = SignedDuration::from_hours(6);
/// The largest claim, in bytes.
const LARGEST: u64 = 1_024;

/// A claim, which ends when it is dropped.
#[derive(Debug)]
pub struct Claim {
    storage: Arc<Storage>,
    path: String,
}

impl Claim {
    /// Claims a place; `None` if another writer has it.
    pub(in crate::history) fn take(storage: &Arc<Storage>, path: &str) -> Result<Option<Self>, DatasetError> {
        let now = Timestamp::now();
        if let Some(claimed) = storage.bytes(path, LARGEST)? {
            let began = String::from_utf8_lossy(&claimed);
            let began = began.split_whitespace().next().and_then(|began| began.parse::<Timestamp>().ok());
            if began.is_none_or(|began| now.duration_since(began) < LASTS) {
                return Ok(None);
            }
            storage.remove(path)?;
        }
        // Two claims of one moment must not be the same.
        let text = format!("{now} {:016x}\n", rand::random::<u64>());
        let mut file = tempfile::NamedTempFile::new().map_err(DatasetError::io("write", &std::env::temp_dir()))?;
        file.write_all(text.as_bytes()).map_err(DatasetError::io("write", file.path()))?;
        let is_ours = storage.place_new(file.path(), path)?;
        Ok(is_ours.then(|| Self { storage: Arc::clone(storage), path: path.to_owned() }))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // If it stays, it ends by itself.
        let _ = self.storage.remove(&self.path);
    }
}
