//! The streams of a compound file, the container of `.xls`. calamine follows chains of sectors without checking that
//! they end, so they are checked here first.

use std::io::{BufReader, Read, Seek, SeekFrom};

use super::super::raw::fill;
use super::error::WorkbookError;
use super::source::{Source, Window};

/// The first bytes of a compound file.
pub(super) const COMPOUND: [u8; 8] = *b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// The largest file, in bytes: it is held in memory whole, more than once.
const LARGEST: u64 = 64 << 20;
const FORMAT: &str = ".xls";
/// Numbers from here on are markers, not sectors.
const NO_SECTOR: u32 = 0xffff_fffa;
const END_OF_CHAIN: u32 = 0xffff_fffe;
/// The length of a directory entry, in bytes.
const ENTRY: usize = 128;
/// Shorter streams are stored in small sectors inside one common stream, the mini stream.
const LEAST_OF_ITS_OWN: u64 = 4096;
const MINI_SECTOR: usize = 64;

fn unreadable(detail: &str) -> WorkbookError {
    WorkbookError::unreadable(FORMAT, detail)
}

/// A compound file whose chains were checked.
pub(super) struct Compound {
    reader: BufReader<Window>,
    /// The size of a sector, in bytes.
    sector: usize,
    /// For each sector, the one that follows it in its chain.
    next: Vec<u32>,
    /// For each small sector, the one that follows it in its chain.
    next_mini: Vec<u32>,
    mini_stream: Vec<u8>,
    entries: Vec<Entry>,
}

struct Entry {
    name: String,
    start: u32,
    size: u64,
    /// Whether it is in the root folder. The streams of an embedded workbook are not.
    outermost: bool,
}

impl Compound {
    pub(super) fn open(source: &Source) -> Result<Self, WorkbookError> {
        source.begin_step();
        if source.length() > LARGEST {
            return Err(WorkbookError::too_large("the .xls workbook is larger than 64 MiB"));
        }
        let mut reader = source.reader();
        let mut header = [0; 512];
        reader.read_exact(&mut header).map_err(|_| unreadable("it is shorter than its own header"))?;
        let sector = match (header.starts_with(&COMPOUND), u16_at(&header, 30)) {
            (true, 9) => 512,
            (true, 12) => 4096,
            _ => return Err(unreadable("its header is damaged")),
        };
        let mut compound = Self {
            reader,
            sector,
            next: Vec::new(),
            next_mini: Vec::new(),
            mini_stream: Vec::new(),
            entries: Vec::new(),
        };
        compound.read_chains(&header, source.length())?;
        let entries = compound.chain(u32_at(&header, 48), None)?;
        compound.read_entries(&entries, source.length())?;
        if let (Some(root), true) = (compound.entries.first(), u32_at(&header, 64) > 0) {
            let (start, size) = (root.start, root.size);
            compound.mini_stream = compound.chain(start, Some(size))?;
            let size = u64::from(u32_at(&header, 64)) * sector as u64;
            let table = compound.chain(u32_at(&header, 60), Some(size.min(source.length())))?;
            if size > source.length() {
                return Err(unreadable("a table in it is longer than the file"));
            }
            compound.next_mini = table.chunks_exact(4).map(|bytes| u32_at(bytes, 0)).collect();
        }
        Ok(compound)
    }

    /// Whether there is a stream or a folder by this name at any depth.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name.eq_ignore_ascii_case(name))
    }

    /// The first stream by this name, which is the one that calamine reads. An error if it is not in the root folder.
    pub(super) fn stream(&mut self, name: &str) -> Result<Option<Vec<u8>>, WorkbookError> {
        let Some(entry) = self.entries.iter().find(|entry| entry.name.eq_ignore_ascii_case(name)) else {
            return Ok(None);
        };
        if !entry.outermost {
            return Err(unreadable("an embedded workbook comes before its own sheets"));
        }
        let (start, size) = (entry.start, entry.size);
        if size >= LEAST_OF_ITS_OWN {
            return self.chain(start, Some(size)).map(Some);
        }
        let (mut stream, mut sector) = (Vec::new(), start);
        while (stream.len() as u64) < size {
            let begin = sector as usize * MINI_SECTOR;
            let bytes = self.mini_stream.get(begin..begin + MINI_SECTOR);
            stream.extend_from_slice(bytes.ok_or_else(|| unreadable("a stream in it is truncated"))?);
            sector = self.next_mini.get(sector as usize).copied().unwrap_or(END_OF_CHAIN);
        }
        stream.truncate(usize::try_from(size).unwrap_or_default());
        Ok(Some(stream))
    }

    /// Reads the table that says which sector follows which.
    fn read_chains(&mut self, header: &[u8], length: u64) -> Result<(), WorkbookError> {
        let sectors = usize::try_from(length).unwrap_or_default() / self.sector;
        let mut tables: Vec<u32> = header[76..].chunks_exact(4).map(|bytes| u32_at(bytes, 0)).collect();
        let (mut more, mut lists) = (u32_at(header, 68), 0);
        while more < NO_SECTOR {
            lists += 1;
            if lists > sectors {
                return Err(unreadable("a list in it loops forever"));
            }
            let bytes = self.sector(more)?;
            tables.extend(bytes.chunks_exact(4).map(|bytes| u32_at(bytes, 0)));
            more = tables.pop().unwrap_or(END_OF_CHAIN);
        }
        tables.retain(|table| *table < NO_SECTOR);
        // Enough for all sectors of the file, and for the lists themselves.
        if tables.len() > sectors / (self.sector / 4) + 128 {
            return Err(unreadable("a list in it is longer than the file"));
        }
        for table in tables {
            let bytes = self.sector(table)?;
            self.next.extend(bytes.chunks_exact(4).map(|bytes| u32_at(bytes, 0)));
        }
        Ok(())
    }

    fn read_entries(&mut self, bytes: &[u8], length: u64) -> Result<(), WorkbookError> {
        let large = self.sector > 512;
        for entry in bytes.chunks_exact(ENTRY) {
            let units = entry[..64].chunks_exact(2).map(|unit| u16_at(unit, 0)).take_while(|unit| *unit != 0);
            let name = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
            let high = if large { u64::from(u32_at(entry, 124)) << 32 } else { 0 };
            let size = high + u64::from(u32_at(entry, 120));
            // The size of an unused entry means nothing.
            if size > length && entry[66] != 0 {
                return Err(unreadable("a stream in it is longer than the file"));
            }
            self.entries.push(Entry { name, start: u32_at(entry, 116), size: size.min(length), outermost: false });
        }
        // The entries of a folder form a binary tree: the folder names the root, and each entry names its two children.
        let link = |entry: u32, at: usize| {
            let begin = entry as usize * ENTRY;
            bytes.get(begin..begin + ENTRY).map(|entry| u32_at(entry, at))
        };
        let mut ahead = vec![link(0, 76)];
        while let Some(entry) = ahead.pop() {
            let Some(entry) = entry else { continue };
            match self.entries.get_mut(entry as usize) {
                Some(found) if !found.outermost => found.outermost = true,
                _ => continue,
            }
            ahead.extend([link(entry, 68), link(entry, 72)]);
        }
        Ok(())
    }

    /// The bytes of a chain of sectors, up to `size` or, without it, to the end of the chain.
    fn chain(&mut self, start: u32, size: Option<u64>) -> Result<Vec<u8>, WorkbookError> {
        let (mut bytes, mut sector, mut left) = (Vec::new(), start, self.next.len());
        while sector != END_OF_CHAIN && size.is_none_or(|size| (bytes.len() as u64) < size) {
            left = left.checked_sub(1).ok_or_else(|| unreadable("a stream in it loops forever"))?;
            bytes.extend_from_slice(&self.sector(sector)?);
            sector = match self.next.get(sector as usize) {
                Some(next) => *next,
                None if size.is_some() => END_OF_CHAIN,
                None => return Err(unreadable("a stream in it leads out of the file")),
            };
        }
        if let Some(size) = size {
            if (bytes.len() as u64) < size {
                return Err(unreadable("a stream in it is truncated"));
            }
            bytes.truncate(usize::try_from(size).unwrap_or_default());
        }
        Ok(bytes)
    }

    /// Reads one sector. The last sector of a file may be short, because some programs leave out unused bytes.
    fn sector(&mut self, sector: u32) -> Result<Vec<u8>, WorkbookError> {
        let mut bytes = vec![0; self.sector];
        let offset = (u64::from(sector) + 1) * self.sector as u64;
        self.reader.seek(SeekFrom::Start(offset)).map_err(WorkbookError::Read)?;
        let read = fill(&mut self.reader, &mut bytes).map_err(WorkbookError::Read)?;
        if read == 0 {
            return Err(unreadable("it is cut short"));
        }
        Ok(bytes)
    }
}

/// The little-endian number in two bytes; 0 if they are beyond the end.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|bytes| bytes.try_into().ok()).map_or(0, u16::from_le_bytes)
}

/// The little-endian number in four bytes; 0 if they are beyond the end.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
}
