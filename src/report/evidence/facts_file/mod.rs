//! A `run_orders.parquet` that may come from anywhere: the one place where Parquet is read that this process did not write.
//!
//! Polars trusts what it reads: damage stops it with a panic, and a page says itself how much memory it needs. So what
//! a file claims is weighed before it is unpacked, one row group at a time, and a panic is an error like any other.

use std::fs::File;
use std::io::{self, BufReader, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use polars::io::parquet::metadata::FileMetadata;
use polars::prelude::{
    DataFrame, DataType, ParallelStrategy, ParquetReader, PolarsResult, Schema, SchemaExt, SerReader,
};
use polars_parquet_format::thrift::protocol::TCompactInputProtocol;
use polars_parquet_format::{PageHeader, PageType};

use super::facts::{ROW_GROUP, schema};
use crate::panics;
use crate::report::files::ProvenFile;

/// The most that a row group may come to unpacked, in bytes: 16 kB an order, where one has some 500 bytes.
const GROUP_BYTES: u64 = 1 << 30;
/// The longest header of a page that is read. It may hold the smallest and the largest text of its page.
const HEADER_BYTES: usize = 16 << 20;

/// The file, with what its footer says.
pub(in crate::report) struct FactsFile {
    file: File,
    /// The footer without row groups: with one of them it is the footer of a file that has no others.
    empty: FileMetadata,
    footer: FileMetadata,
}

impl FactsFile {
    /// Reads the footer, and sees that the columns are those that reports of this version have.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(in crate::report) fn open(proven: &ProvenFile) -> Result<Self, String> {
        let file = proven.reader().map_err(|error| error.to_string())?;
        let copy = file.try_clone().map_err(|error| error.to_string())?;
        let (footer, found) = guarded(|| {
            let mut reader = ParquetReader::new(copy);
            let found = Schema::from_arrow_schema(&*reader.schema()?);
            Ok(((**reader.get_metadata()?).clone(), found))
        })?;
        if found != schema() {
            return Err("its columns are not those of a report of this version".to_owned());
        }
        let mut empty = footer.clone();
        empty.row_groups.clear();
        Ok(Self { file, empty, footer })
    }

    /// How many row groups there are.
    pub(in crate::report) fn groups(&self) -> usize {
        self.footer.row_groups.len()
    }

    /// Reads one row group, or only some of its columns, and makes something of it.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(in crate::report) fn group<T>(
        &self,
        number: usize,
        columns: Option<&[&str]>,
        make: impl FnOnce(&DataFrame) -> PolarsResult<T>,
    ) -> Result<T, String> {
        let group = self.footer.row_groups.get(number).ok_or("it holds fewer rows than it says")?;
        let rows = group.num_rows();
        if rows > ROW_GROUP || group.parquet_columns().len() != schema().len() {
            return Err("a row group is none that reports have".to_owned());
        }
        let mut bytes = 0;
        for column in group.parquet_columns() {
            bytes += self.unpacked(column.byte_range(), rows)?;
            fits(bytes)?;
        }
        let mut footer = self.empty.clone();
        footer.row_groups.push(group.clone());
        footer.num_rows = rows;
        let file = self.file.try_clone().map_err(|error| error.to_string())?;
        let columns = columns.map(|columns| columns.iter().map(ToString::to_string).collect());
        guarded(|| {
            let mut reader = ParquetReader::new(file);
            reader.set_metadata(Arc::new(footer));
            // In this thread: it is the one whose panics are caught.
            let frame = reader.read_parallel(ParallelStrategy::None).with_columns(columns).finish()?;
            Ok(match checked(&frame, rows)? {
                Ok(()) => Ok(make(&frame)?),
                Err(problem) => Err(problem),
            })
        })?
    }

    /// What the pages of a column come to unpacked, in bytes. They are not unpacked: their headers say it.
    fn unpacked(&self, place: Range<u64>, rows: usize) -> Result<u64, String> {
        let cut = |error: io::Error| format!("a column can't be read ({error})");
        let mut source = BufReader::new(&self.file);
        source.seek(SeekFrom::Start(place.start)).map_err(cut)?;
        let (mut seen, mut bytes) = (0, 0);
        while seen < rows {
            let header = header(&mut source)?;
            let size = |size: i32| u64::try_from(size).map_err(|_| "a page has a size below zero".to_owned());
            let (packed, unpacked) = (size(header.compressed_page_size)?, size(header.uncompressed_page_size)?);
            let values = match header.type_ {
                PageType::DATA_PAGE => header.data_page_header.map(|page| page.num_values),
                PageType::DATA_PAGE_V2 => header.data_page_header_v2.map(|page| page.num_values),
                PageType::DICTIONARY_PAGE => header.dictionary_page_header.map(|page| page.num_values),
                _ => None,
            };
            let values = values.and_then(|values| usize::try_from(values).ok()).filter(|values| *values <= rows);
            let values = values.ok_or("a page is none that reports have")?;
            seen += if header.type_ == PageType::DICTIONARY_PAGE { 0 } else { values };
            bytes += unpacked;
            fits(bytes)?;
            let end = source.stream_position().map_err(cut)?.saturating_add(packed);
            if end > place.end {
                return Err("a page ends where its column does not".to_owned());
            }
            source.seek(SeekFrom::Start(end)).map_err(cut)?;
        }
        if seen == rows { Ok(bytes) } else { Err("a column has more values than there are rows".to_owned()) }
    }
}

fn header(source: &mut BufReader<&File>) -> Result<PageHeader, String> {
    guarded(|| Ok(PageHeader::read_from_in_protocol(&mut TCompactInputProtocol::new(source, HEADER_BYTES))))?
        .map_err(|error| format!("the header of a page can't be read ({error})"))
}

fn fits(bytes: u64) -> Result<(), String> {
    if bytes <= GROUP_BYTES {
        return Ok(());
    }
    Err(format!("a row group comes to more than {GROUP_BYTES} bytes, more than {ROW_GROUP} orders have"))
}

/// Whether each column has as many values as there are rows, and its texts can be held: a few bytes may stand for the
/// same long text many times.
fn checked(frame: &DataFrame, rows: usize) -> PolarsResult<Result<(), String>> {
    let mut bytes = 0;
    for column in frame.columns() {
        if column.len() != rows {
            return Ok(Err("it holds fewer rows than it says".to_owned()));
        }
        if *column.dtype() == DataType::String {
            bytes += column.str()?.iter().flatten().map(|text| text.len() as u64).sum::<u64>();
        }
    }
    Ok(fits(bytes))
}

/// Does something that may panic over what it reads.
fn guarded<T>(read: impl FnOnce() -> PolarsResult<T>) -> Result<T, String> {
    match panics::caught(|_| true, read) {
        Ok(read) => read.map_err(|error| error.to_string()),
        Err(_) => Err("its contents can't be decoded".to_owned()),
    }
}

#[cfg(test)]
mod tests;
