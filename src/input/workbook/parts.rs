//! The parts of a workbook that is a ZIP archive, none of which unpacks to more than it claims or memory should hold.

use std::collections::HashMap;
use std::io::{self, BufReader, Read};

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;
use zip::read::ZipFile;

use super::error::WorkbookError;
use super::source::{Source, Window};

/// The most that all parts may unpack to.
const LARGEST_WHOLE: u64 = 2 << 30;
/// The most bytes without a tag: one text or one tag, which is held in memory.
const LONGEST_UNBROKEN: u64 = 4 << 20;
/// How deep the elements of a part stand in one another at most.
pub(super) const DEEPEST: usize = 256;
/// The longest small part: the one that lists the kinds of the others, say.
const LONGEST_SMALL: u64 = 4 << 20;

/// The archive, with its list of parts checked.
pub(super) struct Parts {
    archive: ZipArchive<BufReader<Window>>,
    /// By name as spreadsheet programs look for them: in any case, with either slash.
    names: HashMap<String, usize>,
    format: &'static str,
}

/// One part, as it unpacks.
pub(super) type Part<'a> = Bounded<ZipFile<'a, BufReader<Window>>>;
/// The part's elements.
pub(super) type Elements<'a> = quick_xml::Reader<BufReader<Part<'a>>>;

impl Parts {
    /// Reads the archive's list of parts.
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

    /// The same parts, in errors under another name.
    pub(super) fn called(self, format: &'static str) -> Self {
        Self { format, ..self }
    }

    /// The names of all parts, in lower case.
    pub(super) fn names(&self) -> Vec<String> {
        self.names.keys().cloned().collect()
    }

    /// One part, if it is there.
    pub(super) fn part(&mut self, name: &str) -> Result<Option<Part<'_>>, WorkbookError> {
        let Some(index) = self.names.get(&name.to_ascii_lowercase()) else { return Ok(None) };
        let file = self
            .archive
            .by_index(*index)
            .map_err(|error| WorkbookError::unreadable(self.format, format!("{name}: {error}")))?;
        let size = file.size();
        Ok(Some(Bounded { inner: file, left: size, unbroken: 0, tags: 0 }))
    }

    /// The elements of one part.
    pub(super) fn elements(&mut self, name: &str) -> Result<Elements<'_>, WorkbookError> {
        let format = self.format;
        let missing = || WorkbookError::unreadable(format, format!("{name} is missing"));
        let part = self.part(name)?.ok_or_else(missing)?;
        let mut elements = quick_xml::Reader::from_reader(BufReader::new(part));
        let config = elements.config_mut();
        config.expand_empty_elements = true;
        // As calamine reads, which must not meet anything else than we do.
        config.check_end_names = false;
        config.check_comments = false;
        Ok(elements)
    }

    /// The text of a small part, in lower case; empty if it is not there.
    pub(super) fn small_text(&mut self, name: &str) -> Result<String, WorkbookError> {
        let format = self.format;
        let Some(part) = self.part(name)? else { return Ok(String::new()) };
        let mut bytes = Vec::new();
        part.take(LONGEST_SMALL)
            .read_to_end(&mut bytes)
            .map_err(|error| WorkbookError::unreadable(format, format!("{name}: {error}")))?;
        Ok(String::from_utf8_lossy(&bytes).to_ascii_lowercase())
    }

    /// Unpacks one part without keeping it: that it can be, how many bytes it has and how many tags.
    pub(super) fn measure(&mut self, name: &str) -> Result<(u64, u64), WorkbookError> {
        let format = self.format;
        let Some(mut part) = self.part(name)? else { return Ok((0, 0)) };
        let bytes = io::copy(&mut part, &mut io::sink())
            .map_err(|error| WorkbookError::unreadable(format, format!("{name}: {error}")))?;
        Ok((bytes, part.tags))
    }

    /// Shows the beginning of each element of a part, until one is said to be the last.
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

/// The value of an attribute, with its references resolved.
pub(super) fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, quick_xml::Error> {
    let Some(attribute) = start.try_get_attribute(name)? else { return Ok(None) };
    Ok(Some(attribute.normalized_value(XmlVersion::Implicit1_0)?.into_owned()))
}

/// A part that is cut off where it unpacks to more than it claims, or to one text that never ends.
pub(super) struct Bounded<R> {
    inner: R,
    left: u64,
    unbroken: u64,
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
