//! Hashing of what is read, as it is read.

use std::fs::File;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

/// Hashes what is read through it.
pub(super) struct Hashed {
    file: File,
    state: HashHandle,
}

#[derive(Clone)]
pub(super) struct HashHandle(Arc<Mutex<(Sha256, u64)>>);

impl Hashed {
    pub(super) fn new(file: File) -> Self {
        Self { file, state: HashHandle(Arc::default()) }
    }

    pub(super) fn handle(&self) -> HashHandle {
        self.state.clone()
    }
}

impl HashHandle {
    /// The hash so far in hex, and the bytes so far.
    pub(super) fn finish(&self) -> (String, u64) {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (hex::encode(state.0.clone().finalize()), state.1)
    }
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        let mut state = self.state.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.update(&buffer[..count]);
        state.1 += count as u64;
        Ok(count)
    }
}
