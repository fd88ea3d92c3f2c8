//! The file that the readers of a workbook share, and a wrapper that turns a library's panics into errors.

use std::any::Any;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::error::WorkbookError;
use crate::panics;

/// The largest workbook file, in bytes.
const LARGEST_FILE: u64 = 1 << 30;
/// How many bytes may be read of any file in one step, however short the file is.
const LEAST_ALLOWANCE: u64 = 8 << 20;

/// A file shared by any number of readers, each with its own position. They also share the number of bytes that may
/// still be read in the current step, which stops a reader that loops in a damaged file.
#[derive(Clone, Debug)]
pub(super) struct Source {
    file: Arc<Mutex<File>>,
    length: u64,
    allowance: Arc<AtomicU64>,
}

impl Source {
    pub(super) fn new(mut file: File) -> Result<Self, WorkbookError> {
        let length = file.seek(SeekFrom::End(0)).map_err(WorkbookError::Read)?;
        if length > LARGEST_FILE {
            return Err(WorkbookError::too_large("the workbook is larger than 1 GiB"));
        }
        let source = Self { file: Arc::new(Mutex::new(file)), length, allowance: Arc::default() };
        source.begin_step();
        Ok(source)
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Begins a step in which the file may be read about four times over: two readers read each part, and parts may be
    /// read again.
    pub(super) fn begin_step(&self) {
        self.allowance.store(LEAST_ALLOWANCE + 4 * self.length, Ordering::Relaxed);
    }

    /// Begins a step in which only the archive's list of parts is read.
    pub(super) fn begin_short_step(&self) {
        self.allowance.store(LEAST_ALLOWANCE, Ordering::Relaxed);
    }

    pub(super) fn reader(&self) -> BufReader<Window> {
        BufReader::new(Window { source: self.clone(), offset: 0 })
    }
}

/// A reader of the shared file with its own position.
#[derive(Debug)]
pub(super) struct Window {
    source: Source,
    offset: u64,
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = {
            let mut file = self.source.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(self.offset))?;
            file.read(buffer)?
        };
        self.offset += read as u64;
        let taken = |left: u64| left.checked_sub(read as u64);
        let within = self.source.allowance.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken);
        within.map(|_| read).map_err(|_| io::Error::other("reading it never ends"))
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(by) => self.source.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.offset.checked_add_signed(by),
        };
        self.offset = target.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.offset)
    }
}

/// Calls a library and turns its panic into an error: libraries panic on damaged files. The panic is not printed.
///
/// # Errors
/// The panic's message.
pub(super) fn catch_panic<T>(make: impl FnOnce() -> T) -> Result<T, String> {
    panics::catch(|_| true, make).map_err(|payload| panic_message(&*payload))
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it is damaged".to_owned())
}
