//! The bytes as given: opens the input, and hashes it while it is read.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::Source;
use super::error::InputError;
use super::excerpt::excerpt;

/// An opened input that can be read from its beginning any number of times.
///
/// All readings share one handle, so each reads the same file even if a different one was renamed over its path.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    file: Arc<Mutex<File>>,
    /// The sheet of a workbook as CSV text; `None` if the file itself is the text.
    text: Option<Arc<Mutex<File>>>,
    name: Arc<str>,
    path: Arc<str>,
    place: Arc<str>,
}

/// The hash and length that show whether two readings saw the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    pub(super) sha256: String,
    pub(super) bytes: u64,
}

/// The input's name in error messages.
pub(super) fn shown_place(source: &Source) -> String {
    match source {
        Source::File(path) => excerpt(&path.to_string_lossy(), 4096),
        Source::Stdin => "standard input".to_owned(),
    }
}

impl Origin {
    pub(super) fn open(source: &Source, place: String) -> Result<Self, InputError> {
        let (file, name, path) = match source {
            Source::File(path) => {
                let name = path.file_name().map_or_else(|| place.clone(), |name| excerpt(&name.to_string_lossy(), 255));
                (open_file(path, &place)?, name, absolute(path).to_string_lossy().into_owned())
            }
            Source::Stdin => (spool(io::stdin().lock(), &place)?, "stdin".to_owned(), String::new()),
        };
        let file = Arc::new(Mutex::new(file));
        Ok(Self { file, text: None, name: name.into(), path: path.into(), place: place.into() })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// A second handle to the file. Both share one position, so every reader seeks before it reads.
    pub(super) fn file(&self) -> io::Result<File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).try_clone()
    }

    /// The same workbook, to be read as the text of one of its sheets.
    pub(super) fn with_text(&self, text: File, place: String) -> Self {
        Self { text: Some(Arc::new(Mutex::new(text))), place: place.into(), ..self.clone() }
    }

    /// The fingerprint of the workbook, whose bytes are not the text that is read. `None` if the file is the text.
    pub(super) fn fingerprint(&self) -> Option<io::Result<Fingerprint>> {
        self.text.as_ref().map(|_| Raw::of(&self.file).finish())
    }
}

/// The file's absolute path. Links in its folder are resolved, so that a file has one path; its own name is kept.
fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    folder.zip(path.file_name()).map_or_else(|| path.clone(), |(folder, name)| folder.join(name))
}

fn open_file(path: &Path, place: &str) -> Result<File, InputError> {
    let not_opened = |source: io::Error| {
        let place = place.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => InputError::Missing { place },
            _ => InputError::Open { place, source },
        }
    };
    if fs::metadata(path).map_err(not_opened)?.is_dir() {
        return Err(InputError::Directory { place: place.to_owned() });
    }
    let file = File::open(path).map_err(not_opened)?;
    if file.metadata().map_err(not_opened)?.is_file() { Ok(file) } else { spool(file, place) }
}

/// Copies a source that can be read only once to an unnamed temporary file, which the system removes when it is closed.
pub(super) fn spool(mut source: impl Read, place: &str) -> Result<File, InputError> {
    tempfile::tempfile()
        .and_then(|mut file| io::copy(&mut source, &mut file).map(|_| file))
        .map_err(|source| InputError::Spool { place: place.to_owned(), source })
}

/// One reading of the bytes from the beginning, which hashes them on the way.
#[derive(Debug)]
pub(super) struct Raw {
    file: Arc<Mutex<File>>,
    offset: u64,
    sha256: Sha256,
}

impl Raw {
    pub(super) fn new(origin: &Origin) -> Self {
        Self::of(origin.text.as_ref().unwrap_or(&origin.file))
    }

    fn of(file: &Arc<Mutex<File>>) -> Self {
        Self { file: Arc::clone(file), offset: 0, sha256: Sha256::new() }
    }

    /// Reads the rest and returns the fingerprint of all bytes.
    pub(super) fn finish(mut self) -> io::Result<Fingerprint> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(Fingerprint { sha256: hex::encode(self.sha256.finalize()), bytes: self.offset })
    }
}

impl Read for Raw {
    /// Fills the buffer unless the file ends, so that the first read always includes the magic bytes.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let filled = {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(self.offset))?;
            fill(&mut *file, buffer)?
        };
        self.sha256.update(&buffer[..filled]);
        self.offset += filled as u64;
        Ok(filled)
    }
}

/// Reads until the buffer is full or the source ends, and returns the number of bytes read.
pub(super) fn fill(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
