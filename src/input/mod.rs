//! The input: a CSV of run order IDs, read once to prove it and hash it, then streamed. Every row is accounted for.

mod decode;
mod error;
mod hashed;
mod heading;
mod rows;
mod seen;

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::PathBuf;

use encoding_rs::Encoding;

use decode::Text;
use hashed::Hashed;
use heading::Layout;
use rows::Records;

pub use error::InputError;
pub use rows::{Entry, Row, Rows};

/// How to read the input.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it is.
    pub source: Source,
    /// The ID column: its heading, or its number from 1.
    pub column: Option<String>,
    /// Whether the first row is no heading.
    pub no_header: bool,
    /// The label of the encoding; detected where there is none.
    pub encoding: Option<String>,
    /// The delimiter; detected where there is none.
    pub delimiter: Option<u8>,
}

/// Where the input is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Standard input; it is spooled to a temporary file.
    Stdin,
}

/// An input that has been read through once and can be streamed.
#[derive(Debug)]
pub struct Input {
    options: Options,
    /// Standard input, or a pipe, spooled.
    spool: Option<File>,
    encoding: &'static Encoding,
    layout: Layout,
    sha256: String,
    bytes: u64,
    rows: u64,
}

impl Input {
    /// Reads the input through: proves it readable, finds encoding, delimiter and ID column, hashes it and counts its
    /// rows.
    ///
    /// # Errors
    /// [`InputError`] says why it can't be used.
    pub fn open(options: Options) -> Result<Self, InputError> {
        let spool = match &options.source {
            Source::File(path) => {
                let found = fs::metadata(path).map_err(|source| options.unreadable(source))?;
                if found.is_dir() {
                    return Err(InputError::Folder { input: options.shown() });
                }
                // What can be read only once, such as a named pipe, is kept like standard input.
                let once = (!found.is_file()).then(|| File::open(path).and_then(spool));
                once.transpose().map_err(|source| options.unreadable(source))?
            }
            Source::Stdin => Some(spool(io::stdin().lock()).map_err(|source| options.unreadable(source))?),
        };
        let mut input = Self {
            options,
            spool,
            encoding: encoding_rs::UTF_8,
            layout: Layout::default(),
            sha256: String::new(),
            bytes: 0,
            rows: 0,
        };
        input.survey()?;
        Ok(input)
    }

    fn survey(&mut self) -> Result<(), InputError> {
        let hashed = Hashed::new(self.raw()?);
        let hash = hashed.handle();
        let mut text = decode::decompressed(hashed).map_err(|source| self.options.unreadable(source))?;
        self.encoding = match &self.options.encoding {
            Some(label) => decode::named(label).ok_or_else(|| InputError::UnknownEncoding { label: label.clone() })?,
            None => decode::detect(&mut text)
                .map_err(|source| self.options.unreadable(source))?
                .map_err(|offset| InputError::UndetectedEncoding { input: self.options.shown(), offset })?,
        };
        io::copy(&mut text, &mut io::sink()).map_err(|source| self.options.unreadable(source))?;
        drop(text);
        (self.sha256, self.bytes) = hash.finish();

        self.layout = {
            let text = Text::new(
                decode::decompressed(self.raw()?).map_err(|source| self.options.unreadable(source))?,
                self.encoding,
            );
            heading::find(text, &self.options)?
        };
        let mut records = self.records()?;
        while records.next_record()?.is_some() {
            self.rows += 1;
        }
        Ok(())
    }

    /// The name of the file without its folder, or `stdin`.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.options.source {
            Source::File(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            Source::Stdin => "stdin".to_owned(),
        }
    }

    /// SHA-256 of the input's bytes as they were given, in hex.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The size in bytes, as given.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many rows there are: no heading, no blank lines.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Streams the rows.
    ///
    /// # Errors
    /// When the input can't be opened again.
    pub fn read(&self) -> Result<Rows, InputError> {
        Ok(Rows::new(self.records()?, self.layout.column, (self.sha256.clone(), self.rows)))
    }

    fn records(&self) -> Result<Records, InputError> {
        let hashed = Hashed::new(self.raw()?);
        let hash = hashed.handle();
        let bytes = decode::decompressed(hashed).map_err(|source| self.options.unreadable(source))?;
        let mut records = Records::new(Text::new(bytes, self.encoding), &self.layout, self.options.clone(), hash);
        if self.layout.has_heading {
            records.next_record()?;
        }
        Ok(records)
    }

    fn raw(&self) -> Result<File, InputError> {
        let opened = match (&self.spool, &self.options.source) {
            (Some(spool), _) => spool.try_clone().and_then(|mut file| file.rewind().map(|()| file)),
            (None, Source::File(path)) => File::open(path),
            (None, Source::Stdin) => Err(io::Error::other("standard input was not spooled")),
        };
        opened.map_err(|source| self.options.unreadable(source))
    }
}

impl Options {
    fn shown(&self) -> String {
        match &self.source {
            Source::File(path) => path.display().to_string(),
            Source::Stdin => "standard input".to_owned(),
        }
    }

    fn unreadable(&self, source: io::Error) -> InputError {
        let input = self.shown();
        match decode::Fault::of(&source) {
            Some(decode::Fault::Undecodable { encoding, line }) => InputError::Undecodable { input, encoding, line },
            Some(decode::Fault::Nul { line }) => InputError::Binary { input, line },
            None => InputError::Unreadable { input, source },
        }
    }
}

fn spool(mut from: impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut from, &mut file)?;
    Ok(file)
}

#[cfg(test)]
mod tests;
