//! The parts of a workbook that is a ZIP archive. No part may unpack to more bytes than it claims or than the limits.

use std::collections::HashMap;
use std::io::{self, BufReader, Read};

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;
use zip::read::ZipFile;

use super::error::WorkbookError;
use super::source::{Source, Window};

/// The largest total size of all parts after unpacking, in bytes.
const LARGEST_WHOLE: u64 = 2 << 30;
/// The most bytes between two `<`: one tag or one text, which is held in memory.
const LONGEST_UNBROKEN: u64 = 4 << 20;
/// The deepest nesting of a part's elements.
pub(super) const DEEPEST: usize = 256;
/// How many bytes of a small part are read, such as the one that lists the content types.
const LONGEST_SMALL: u64 = 4 << 20;

/// An archive whose list of parts was checked.
pub(super) struct Parts {
    archive: ZipArchive<BufReader<Window>>,
    /// The index of each part by its name, normalised because spreadsheet programs accept any case and either slash.
    names: HashMap<String, usize>,
    format: &'static str,
}

/// A reader that unpacks one part.
pub(super) type Part<'a> = Bounded<ZipFile<'a, BufReader<Window>>>;
/// A reader of the XML elements of one part.
pub(super) type Elements<'a> = quick_xml::Reader<BufReader<Part<'a>>>;

impl Parts {
    /// Opens the archive and checks its list of parts. `format` names the kind of file in errors.
    pub(super) fn open(source: &Source, format: &'static str) -> Result<Self, WorkbookError> {
        source.begin_short_step();
        let archive = ZipArchive::new(source.reader())
            .map_err(|error| WorkbookError::unreadable(format, format!("the archive is cut or damaged: {error}")))?;
        source.begin_step();
        let mut whole = 0_u64;
        for index in 0..archive.len() {
            let part = archive.by_index_data(index).map_err(|error| WorkbookError::unreadable(format, error))?;
            whole = whole.saturating_add(part.size());
        }
        if whole > LARGEST_WHOLE {
            return Err(WorkbookError::too_large("the workbook's parts unpack to more than 2 GiB"));
        }
        let mut names = HashMap::new();
        for (index, name) in archive.file_names().enumerate() {
            let name = name.map_err(|error| WorkbookError::unreadable(format, error))?;
            let name = name.replace('\\', "/").to_ascii_lowercase();
            if let Some(name) = names.insert(name.clone(), index).map(|_| name) {
                return Err(WorkbookError::unreadable(format, format!("two parts are called {name}")));
            }
        }
        Ok(Self { archive, names, format })
    }

    /// The same parts with a different `format` in errors.
    pub(super) fn with_format(self, format: &'static str) -> Self {
        Self { format, ..self }
    }

    /// The names of all parts, in lower case.
    pub(super) fn names(&self) -> Vec<String> {
        self.names.keys().cloned().collect()
    }

    /// Opens one part; `None` if there is no such part.
    pub(super) fn part(&mut self, name: &str) -> Result<Option<Part<'_>>, WorkbookError> {
        let Some(index) = self.names.get(&name.to_ascii_lowercase()) else { return Ok(None) };
        let file = self
            .archive
            .by_index(*index)
            .map_err(|error| WorkbookError::unreadable(self.format, format!("{name}: {error}")))?;
        let size = file.size();
        Ok(Some(Bounded { inner: file, left: size, unbroken: 0, tags: 0 }))
    }

    /// Opens one part as XML. A missing part is an error.
    pub(super) fn elements(&mut self, name: &str) -> Result<Elements<'_>, WorkbookError> {
        let format = self.format;
        let missing = || WorkbookError::unreadable(format, format!("{name} is missing"));
        let part = self.part(name)?.ok_or_else(missing)?;
        let mut elements = quick_xml::Reader::from_reader(BufReader::new(part));
        let config = elements.config_mut();
        config.expand_empty_elements = true;
        // The same settings as calamine's, so that both read the same.
        config.check_end_names = false;
        config.check_comments = false;
        Ok(elements)
    }

    /// The text of a small part, in lower case; empty if there is no such part.
    pub(super) fn small_text(&mut self, name: &str) -> Result<String, WorkbookError> {
        let format = self.format;
        let Some(part) = self.part(name)? else { return Ok(String::new()) };
        let mut bytes = Vec::new();
        part.take(LONGEST_SMALL)
            .read_to_end(&mut bytes)
            .map_err(|error| WorkbookError::unreadable(format, format!("{name}: {error}")))?;
        Ok(String::from_utf8_lossy(&bytes).to_ascii_lowercase())
    }

    /// Unpacks one part without keeping it, and returns how many bytes and how many tags it has.
    pub(super) fn measure(&mut self, name: &str) -> Result<(u64, u64), WorkbookError> {
        let format = self.format;
        let Some(mut part) = self.part(name)? else { return Ok((0, 0)) };
        let bytes = io::copy(&mut part, &mut io::sink())
            .map_err(|error| WorkbookError::unreadable(format, format!("{name}: {error}")))?;
        Ok((bytes, part.tags))
    }

    /// Calls `seen` with the start tag of each element of a part, until it returns `true`.
    pub(super) fn each_element(
        &mut self,
        name: &str,
        mut seen: impl FnMut(&BytesStart<'_>) -> Result<bool, quick_xml::Error>,
    ) -> Result<(), WorkbookError> {
        let format = self.format;
        let unreadable = |error: quick_xml::Error| WorkbookError::unreadable(format, format!("{name}: {error}"));
        let mut elements = self.elements(name)?;
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            match elements.read_event_into(&mut buffer).map_err(unreadable)? {
                Event::Start(start) if seen(&start).map_err(unreadable)? => return Ok(()),
                Event::Eof => return Ok(()),
                _ => {}
            }
        }
    }
}

/// The value of an attribute, with its entities resolved.
pub(super) fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, quick_xml::Error> {
    let Some(attribute) = start.try_get_attribute(name)? else { return Ok(None) };
    Ok(Some(attribute.normalized_value(XmlVersion::Implicit1_0)?.into_owned()))
}

/// A reader that fails if the part unpacks to more bytes than it claims, or to a text that is too long.
pub(super) struct Bounded<R> {
    inner: R,
    /// How many of the claimed bytes are left.
    left: u64,
    /// How many bytes were read since the last `<`.
    unbroken: u64,
    /// How many `<` were read.
    tags: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::other("it unpacks to more than the archive says"))?;
        let mut begun = 0;
        for (at, _) in buffer[..read].iter().enumerate().filter(|(_, byte)| **byte == b'<') {
            self.tags += 1;
            (self.unbroken, begun) = (0, at);
        }
        self.unbroken += (read - begun) as u64;
        if self.unbroken > LONGEST_UNBROKEN {
            return Err(io::Error::other("one text in it is longer than 4 MiB"));
        }
        Ok(read)
    }
}
