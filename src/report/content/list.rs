//! The lists of a report, which may have a row for each of a million orders: beyond a few megabytes they are on disk.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::marker::PhantomData;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::report::ReportError;

/// The most bytes of a list that are held in memory.
const IN_MEMORY: usize = 4 << 20;
/// How many bytes are read from disk at once.
const AT_ONCE: usize = 1 << 16;

/// A row that a [`List`] can hold.
pub trait ListRow: Sized {
    /// Writes the row.
    fn write(&self, to: &mut RowWriter<'_>);
    /// Reads what [`ListRow::write`] wrote; `None` if it is something else.
    fn read(from: &mut RowReader<'_>) -> Option<Self>;
}

/// Rows in the sequence in which they were added. Those that don't fit in a few megabytes are in a file without a name,
/// in the folder of the report.
#[derive(Debug)]
pub struct List<T> {
    folder: PathBuf,
    rows: u64,
    /// Rows that are not in the file yet.
    recent: Vec<u8>,
    file: Option<File>,
    /// How many bytes are in the file.
    written: u64,
    words: Vec<&'static str>,
    /// Why rows could not be read back. Writers of formats take rows without looking for errors.
    failure: RefCell<Option<io::Error>>,
    kind: PhantomData<fn() -> T>,
}

impl<T: ListRow> List<T> {
    /// An empty list of a report that is made in this folder.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            rows: 0,
            recent: Vec::new(),
            file: None,
            written: 0,
            words: Vec::new(),
            failure: RefCell::new(None),
            kind: PhantomData,
        }
    }

    /// How many rows there are.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.rows
    }

    /// Whether there are no rows.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Adds a row at the end.
    ///
    /// # Errors
    /// When the disk can't hold it.
    pub fn push(&mut self, row: &T) -> Result<(), ReportError> {
        let start = self.recent.len();
        self.recent.extend_from_slice(&[0; LENGTH]);
        row.write(&mut RowWriter { bytes: &mut self.recent, words: &mut self.words });
        let length = u32::try_from(self.recent.len() - start - LENGTH).unwrap_or(u32::MAX);
        self.recent[start..start + LENGTH].copy_from_slice(&length.to_le_bytes());
        self.rows += 1;
        if self.recent.len() < IN_MEMORY { Ok(()) } else { self.spill().map_err(|error| self.error(error)) }
    }

    fn spill(&mut self) -> io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => tempfile::tempfile_in(&self.folder)?,
        };
        self.file.insert(file).write_all(&self.recent)?;
        self.written += self.recent.len() as u64;
        self.recent.clear();
        Ok(())
    }

    /// Writes the rows that are in memory to disk as well.
    ///
    /// # Errors
    /// When the disk can't hold them.
    pub(super) fn leave_memory(&mut self) -> Result<(), ReportError> {
        self.spill().map_err(|error| self.error(error))?;
        self.recent = Vec::new();
        Ok(())
    }

    /// Loses what is on disk.
    #[cfg(test)]
    pub(super) fn cut(&self) {
        self.file.as_ref().expect("a file").set_len(0).expect("writable");
    }

    /// The rows. They end early if one can't be read back: then [`List::require_read`] fails.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        let on_disk = OnDisk { file: self.file.as_ref(), next: 0, end: self.written };
        let mut bytes = BufReader::with_capacity(AT_ONCE, on_disk.chain(&*self.recent));
        let mut row = Vec::new();
        (0..self.rows).map_while(move |_| match self.next(&mut bytes, &mut row) {
            Ok(next) => Some(next),
            Err(error) => {
                self.failure.borrow_mut().get_or_insert(error);
                None
            }
        })
    }

    fn next(&self, from: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<T> {
        let mut length = [0; LENGTH];
        from.read_exact(&mut length)?;
        bytes.clear();
        from.take(u32::from_le_bytes(length).into()).read_to_end(bytes)?;
        let row = T::read(&mut RowReader { bytes, words: &self.words });
        row.ok_or_else(|| io::Error::other("a row is not as it was written"))
    }

    /// Fails if rows could not be read back.
    ///
    /// # Errors
    /// Why they could not.
    pub fn require_read(&self) -> Result<(), ReportError> {
        self.failure.take().map_or(Ok(()), |error| Err(self.error(error)))
    }

    fn error(&self, source: io::Error) -> ReportError {
        ReportError::io(&self.folder, source)
    }
}

/// Reads a file, if there is one, at a place of its own: several readers don't disturb each other.
struct OnDisk<'f> {
    file: Option<&'f File>,
    next: u64,
    end: u64,
}

impl Read for OnDisk<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(file) = self.file else { return Ok(0) };
        let left = usize::try_from(self.end - self.next).unwrap_or(usize::MAX).min(into.len());
        let read = file.read_at(&mut into[..left], self.next)?;
        self.next += read as u64;
        Ok(read)
    }
}

/// The bytes of a row's length.
const LENGTH: usize = 4;

/// Writes the values of one row.
pub struct RowWriter<'w> {
    bytes: &'w mut Vec<u8>,
    words: &'w mut Vec<&'static str>,
}

impl RowWriter<'_> {
    /// Writes a whole number.
    pub fn number(&mut self, number: i128) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    /// Writes a text.
    pub fn text(&mut self, text: &str) {
        self.bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Writes one of the program's own words.
    pub fn word(&mut self, word: &'static str) {
        let known = self.words.iter().position(|known| *known == word);
        let place = known.unwrap_or_else(|| {
            self.words.push(word);
            self.words.len() - 1
        });
        self.number(place as i128);
    }

    /// Writes a value that may be absent.
    pub fn option<V>(&mut self, value: Option<V>, write: impl FnOnce(&mut Self, V)) {
        self.bytes.push(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }
}

/// Reads the values of one row, in the sequence in which they were written; `None` if there is something else.
pub struct RowReader<'r> {
    bytes: &'r [u8],
    words: &'r [&'static str],
}

impl RowReader<'_> {
    /// Reads a whole number.
    pub fn number(&mut self) -> Option<i128> {
        let (number, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(i128::from_le_bytes(*number))
    }

    /// Reads a text.
    pub fn text(&mut self) -> Option<String> {
        let (length, rest) = self.bytes.split_first_chunk()?;
        let (text, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        self.bytes = rest;
        String::from_utf8(text.to_vec()).ok()
    }

    /// Reads one of the program's own words.
    pub fn word(&mut self) -> Option<&'static str> {
        self.words.get(usize::try_from(self.number()?).ok()?).copied()
    }

    /// Reads a value that may be absent.
    pub fn option<V>(&mut self, read: impl FnOnce(&mut Self) -> Option<V>) -> Option<Option<V>> {
        let (is_some, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        if *is_some == 0 { Some(None) } else { read(self).map(Some) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Note {
        line: i128,
        text: Option<String>,
        word: &'static str,
    }

    impl ListRow for Note {
        fn write(&self, to: &mut RowWriter<'_>) {
            to.number(self.line);
            to.option(self.text.as_deref(), RowWriter::text);
            to.word(self.word);
        }

        fn read(from: &mut RowReader<'_>) -> Option<Self> {
            Some(Self { line: from.number()?, text: from.option(RowReader::text)?, word: from.word()? })
        }
    }

    fn note(line: i128) -> Note {
        let text = (line % 3 > 0).then(|| "ä".repeat(usize::try_from(line % 50).expect("small")));
        Note { line, text, word: ["one", "other", ""][usize::try_from(line % 3).expect("small")] }
    }

    fn list(rows: i128) -> (tempfile::TempDir, List<Note>) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut list = List::new(folder.path());
        (0..rows).for_each(|line| list.push(&note(line)).expect("room"));
        (folder, list)
    }

    #[test]
    fn rows_are_read_back_from_memory_and_from_disk() {
        for rows in [0, 1, 1_000, 150_000] {
            let (_folder, list) = list(rows);
            assert_eq!(list.file.is_some(), rows == 150_000, "{rows}");
            for _ in 0..2 {
                assert!(list.iter().eq((0..rows).map(note)), "{rows}");
            }
            assert!(list.require_read().is_ok());
            let both = list.iter().zip(list.iter());
            assert!(both.into_iter().all(|(one, other)| one == other), "readers don't disturb each other");
        }
    }

    #[test]
    fn memory_does_not_grow_with_the_rows() {
        let (_folder, list) = list(500_000);
        assert!(list.recent.capacity() <= 3 * IN_MEMORY, "{}", list.recent.capacity());
    }

    #[test]
    fn rows_that_are_lost_or_damaged_are_missed() {
        for damage in [
            |file: &File| file.set_len(0),
            |file: &File| file.set_len(100_001),
            |file: &File| file.write_at(&[0xff; 64], 1_000).map(drop),
        ] {
            let (_folder, list) = list(150_000);
            damage(list.file.as_ref().expect("a file")).expect("writable");
            assert!(list.iter().count() < 150_000);
            assert!(list.require_read().is_err());
        }
    }
}
