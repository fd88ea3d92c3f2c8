//! Writing where a disk may fill. The library that makes workbooks takes a write that fails for a reason to stop the
//! program; here it is an error like any other.

use std::io::{self, Write};

use rust_xlsxwriter::XlsxError;

use crate::panics::{self, Payload};

/// How the library says that a write failed, before what the operating system says: a cell, or what was left of a sheet.
const WRITE_FAILED: [&str; 2] = ["Couldn't write to xml file: ", "called `Result::unwrap()` on an `Err` value: Os { "];
/// What comes before the operating system's number of an error.
const CODE: &str = "code: ";

/// Does what writes a workbook. A write that fails on the way is an error; whatever else goes wrong stays what it is.
pub(super) fn guarded<T>(make: impl FnOnce() -> Result<T, XlsxError>) -> Result<T, XlsxError> {
    let made = panics::caught(|payload| failed_write(payload).is_some(), make);
    made.unwrap_or_else(|payload| {
        let error = failed_write(&*payload).unwrap_or_else(|| io::Error::other("a write failed"));
        Err(XlsxError::IoError(error))
    })
}

/// The error of a write that the library stopped at.
fn failed_write(payload: &Payload) -> Option<io::Error> {
    let said = payload.downcast_ref::<String>()?;
    let said = WRITE_FAILED.iter().find_map(|beginning| said.strip_prefix(beginning))?;
    let code = said.split_once(CODE).and_then(|(_, rest)| rest.split(',').next()?.parse().ok());
    Some(code.map_or_else(|| io::Error::other(said.to_owned()), io::Error::from_raw_os_error))
}

/// A writer that takes everything, and tells at the end whether all of it could be written.
pub(super) struct Patient<W> {
    out: W,
    failed: Option<io::Error>,
}

impl<W: Write> Patient<W> {
    pub(super) const fn new(out: W) -> Self {
        Self { out, failed: None }
    }

    /// # Errors
    /// The first thing that went wrong.
    pub(super) fn finish(mut self) -> io::Result<()> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.out.flush(),
        }
    }
}

impl<W: Write> Write for Patient<W> {
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

    /// A disk with so much room.
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
    fn a_full_disk_is_told_at_the_end() {
        let written = |room| {
            let mut out = Patient::new(Small(room));
            (0..3).for_each(|_| out.write_all(b"four").expect("it takes everything"));
            out.finish().err().map(|error| error.kind())
        };
        assert_eq!(written(12), None);
        assert_eq!(written(11), Some(io::ErrorKind::StorageFull));
        assert_eq!(written(0), Some(io::ErrorKind::StorageFull));
    }

    #[test]
    fn a_write_that_the_library_stops_at_is_an_error() {
        let full = || io::Error::from_raw_os_error(28);
        let [cell, _] = WRITE_FAILED;
        let stopped = guarded::<()>(|| panic!("{cell}{:?}", full()));
        assert!(matches!(stopped, Err(XlsxError::IoError(error)) if error.raw_os_error() == Some(28)));
        let unwrapped = guarded::<()>(|| panic!("called `Result::unwrap()` on an `Err` value: {:?}", full()));
        assert!(matches!(unwrapped, Err(XlsxError::IoError(error)) if error.raw_os_error() == Some(28)));
        let other = guarded::<()>(|| panic!("{cell}{:?}", io::Error::other("gone")));
        assert!(matches!(other, Err(XlsxError::IoError(error)) if error.to_string().contains("gone")));
        assert_eq!(guarded(|| Ok(1)).ok(), Some(1));
    }
}
