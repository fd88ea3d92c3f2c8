//! Writing to a disk that may fill up. The workbook library panics when a write fails; this module turns that
//! panic into an ordinary error.

use std::io::{self, Write};

use rust_xlsxwriter::XlsxError;

use crate::panics::{self, Payload};

/// How the library's panic messages for a failed write begin, before the error of the operating system: for a
/// cell, and for the rest of a sheet.
const WRITE_FAILED: [&str; 2] = ["Couldn't write to xml file: ", "called `Result::unwrap()` on an `Err` value: Os { "];
/// The text before the operating system's error number.
const CODE: &str = "code: ";

/// Runs a function that writes a workbook. A panic about a failed write becomes an error; any other panic
/// goes on.
pub(super) fn catch_failed_writes<T>(make: impl FnOnce() -> Result<T, XlsxError>) -> Result<T, XlsxError> {
    let made = panics::catch(|payload| failed_write(payload).is_some(), make);
    made.unwrap_or_else(|payload| {
        let error = failed_write(&*payload).unwrap_or_else(|| io::Error::other("a write failed"));
        Err(XlsxError::IoError(error))
    })
}

/// The I/O error in a panic about a failed write; `None` for any other panic.
fn failed_write(payload: &Payload) -> Option<io::Error> {
    let said = payload.downcast_ref::<String>()?;
    let said = WRITE_FAILED.iter().find_map(|beginning| said.strip_prefix(beginning))?;
    let code = said.split_once(CODE).and_then(|(_, rest)| rest.split(',').next()?.parse().ok());
    Some(code.map_or_else(|| io::Error::other(said.to_owned()), io::Error::from_raw_os_error))
}

/// A writer that accepts everything and reports only at the end whether all of it was written.
pub(super) struct DeferringWriter<W> {
    out: W,
    failed: Option<io::Error>,
}

impl<W: Write> DeferringWriter<W> {
    pub(super) const fn new(out: W) -> Self {
        Self { out, failed: None }
    }

    /// Flushes the output.
    ///
    /// # Errors
    /// The first error of any write, or of the flush.
    pub(super) fn finish(mut self) -> io::Result<()> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.out.flush(),
        }
    }
}

impl<W: Write> Write for DeferringWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failed.is_none() {
            self.failed = self.out.write_all(bytes).err();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with room for this many bytes.
    struct Small(usize);

    impl Write for Small {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or_else(|| io::Error::from_raw_os_error(28))?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_reported_at_the_end() {
        let written = |room| {
            let mut out = DeferringWriter::new(Small(room));
            (0..3).for_each(|_| out.write_all(b"four").expect("it takes everything"));
            out.finish().err().map(|error| error.kind())
        };
        assert_eq!(written(12), None);
        assert_eq!(written(11), Some(io::ErrorKind::StorageFull));
        assert_eq!(written(0), Some(io::ErrorKind::StorageFull));
    }

    #[test]
    fn a_panic_about_a_failed_write_is_an_error() {
        let full = || io::Error::from_raw_os_error(28);
        let [cell, _] = WRITE_FAILED;
        let stopped = catch_failed_writes::<()>(|| panic!("{cell}{:?}", full()));
        assert!(matches!(stopped, Err(XlsxError::IoError(error)) if error.raw_os_error() == Some(28)));
        let unwrapped =
            catch_failed_writes::<()>(|| panic!("called `Result::unwrap()` on an `Err` value: {:?}", full()));
        assert!(matches!(unwrapped, Err(XlsxError::IoError(error)) if error.raw_os_error() == Some(28)));
        let other = catch_failed_writes::<()>(|| panic!("{cell}{:?}", io::Error::other("gone")));
        assert!(matches!(other, Err(XlsxError::IoError(error)) if error.to_string().contains("gone")));
        assert_eq!(catch_failed_writes(|| Ok(1)).ok(), Some(1));
    }
}
