//! The file that the readers of a workbook share, and their panics made errors.

use std::any::Any;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::error::WorkbookError;
use crate::panics;

/// The largest file.
const LARGEST_FILE: u64 = 1 << 30;
/// What may be read of any file in one step, however short it is.
const LEAST_ALLOWANCE: u64 = 8 << 20;

/// A file that any number of readers read, each at its own place, and how much they may still read in this step:
/// a reader that goes round in circles in a damaged file comes to an end.
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

    /// Lets the file be read anew: a few times over, because two readers read each part, and parts may be read again.
    pub(super) fn begin_step(&self) {
        self.allowance.store(LEAST_ALLOWANCE + 4 * self.length, Ordering::Relaxed);
    }

    /// Lets no more be read in this step than a list of parts may be long.
    pub(super) fn begin_short_step(&self) {
        self.allowance.store(LEAST_ALLOWANCE, Ordering::Relaxed);
    }

    pub(super) fn reader(&self) -> BufReader<Window> {
        BufReader::new(Window { source: self.clone(), offset: 0 })
    }
}

/// One reader of the file.
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
        within.map(|_| read).map_err(|_| io::Error::other("reading it comes to no end"))
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

/// Has a library do something, and makes its panic an error: libraries panic at damaged files. Nothing of it is printed.
///
/// # Errors
/// What the panic said.
pub(super) fn caught<T>(make: impl FnOnce() -> T) -> Result<T, String> {
    panics::caught(|_| true, make).map_err(|payload| said(&*payload))
}

fn said(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it is damaged".to_owned())
}
