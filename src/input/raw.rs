//! The bytes as given: where they come from, and their hash as they are read.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::Source;
use super::error::InputError;
use super::excerpt::excerpt;

/// An opened input that can be read from its beginning as often as need be.
///
/// One handle serves every reading, so that a file replaced by renaming another over it is still read whole.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    file: Arc<Mutex<File>>,
    /// The sheet of a workbook as text; `None` where the file is the text.
    text: Option<Arc<Mutex<File>>>,
    name: Arc<str>,
    path: Arc<str>,
    place: Arc<str>,
}

/// What proves that two readings met the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    pub(super) sha256: String,
    pub(super) bytes: u64,
}

/// How errors name the input.
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

    /// A second handle on the file. The two share one position, which every reading sets for itself.
    pub(super) fn file(&self) -> io::Result<File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).try_clone()
    }

    /// The same file, read as the text of one of its sheets.
    pub(super) fn with_text(&self, text: File, place: String) -> Self {
        Self { text: Some(Arc::new(Mutex::new(text))), place: place.into(), ..self.clone() }
    }

    /// What the bytes as given are, where they are not the text that was read.
    pub(super) fn fingerprint(&self) -> Option<io::Result<Fingerprint>> {
        self.text.as_ref().map(|_| Raw::of(&self.file).finish())
    }
}

/// The file's path from the root. Links to folders are resolved, so that one file is known by one path; the file's own name stays.
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

/// Keeps what can be read only once in an unnamed temporary file, which the system removes with its handle.
pub(super) fn spool(mut source: impl Read, place: &str) -> Result<File, InputError> {
    tempfile::tempfile()
        .and_then(|mut file| io::copy(&mut source, &mut file).map(|_| file))
        .map_err(|source| InputError::Spool { place: place.to_owned(), source })
}

/// One reading of the bytes from the beginning, hashing them on the way.
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

    /// Reads what is left and tells what was read in all.
    pub(super) fn finish(mut self) -> io::Result<Fingerprint> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(Fingerprint { sha256: hex::encode(self.sha256.finalize()), bytes: self.offset })
    }
}

impl Read for Raw {
    /// Fills the buffer unless the file ends, so that a first read always shows the magic bytes.
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

/// Reads until the buffer is full or the source ends, and tells how many bytes there were.
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
