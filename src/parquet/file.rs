//! Reads a Parquet file that may come from anywhere. No other code reads Parquet that this process did not write.
//!
//! Polars trusts what it reads: it panics on damage, and reserves as much memory as a page claims to need. So
//! a file's claims are checked before it is unpacked, one row group at a time, and a panic becomes an error.

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

use crate::panics;

/// The largest unpacked row group, in bytes: 8 kB per order or more, where an order has some 500 bytes.
const GROUP_BYTES: u64 = 1 << 30;
/// The longest page header that is read, in bytes. It may hold the smallest and the largest text of its page.
const HEADER_BYTES: usize = 16 << 20;

/// What files of one kind have in common.
#[derive(Clone)]
pub(crate) struct Shape {
    /// The columns.
    pub(crate) schema: Schema,
    /// The most rows of a row group.
    pub(crate) group_rows: usize,
    /// What such a file is, after "not those of" (such as `a report of this version`).
    pub(crate) kind: &'static str,
}

/// An open file, with its footer.
pub(crate) struct ParquetFile {
    file: File,
    shape: Shape,
    /// The footer without row groups. With one group added, it is the footer of a file with that group alone.
    footer_without_groups: FileMetadata,
    footer: FileMetadata,
}

impl ParquetFile {
    /// Reads the footer of a file and checks that it has the columns of its kind.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(crate) fn open(file: File, shape: Shape) -> Result<Self, String> {
        let copy = file.try_clone().map_err(|error| error.to_string())?;
        let (footer, found) = catch_panics(|| {
            let mut reader = ParquetReader::new(copy);
            let found = Schema::from_arrow_schema(&*reader.schema()?);
            Ok(((**reader.get_metadata()?).clone(), found))
        })?;
        if found != shape.schema {
            return Err(format!("its columns are not those of {}", shape.kind));
        }
        let mut footer_without_groups = footer.clone();
        footer_without_groups.row_groups.clear();
        Ok(Self { file, shape, footer_without_groups, footer })
    }

    /// How many rows there are, as the file says.
    pub(crate) fn rows(&self) -> u64 {
        self.footer.row_groups.iter().fold(0, |rows, group| rows.saturating_add(group.num_rows() as u64))
    }

    /// How many row groups there are.
    pub(crate) fn groups(&self) -> usize {
        self.footer.row_groups.len()
    }

    /// Reads one row group, or only some of its columns, and returns what `make` makes of it.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(crate) fn group<T>(
        &self,
        number: usize,
        columns: Option<&[&str]>,
        make: impl FnOnce(&DataFrame) -> PolarsResult<T>,
    ) -> Result<T, String> {
        let group = self.footer.row_groups.get(number).ok_or("it has fewer rows than it claims")?;
        let rows = group.num_rows();
        if rows > self.shape.group_rows || group.parquet_columns().len() != self.shape.schema.len() {
            return Err(format!("a row group does not have the size or the columns of {}", self.shape.kind));
        }
        let mut bytes = 0;
        let is_read = |name: &str| columns.is_none_or(|columns| columns.contains(&name));
        let read = self.shape.schema.iter_names().zip(group.parquet_columns()).filter(|(name, _)| is_read(name));
        for (_, column) in read {
            bytes += self.unpacked_size(column.byte_range(), rows)?;
            fits(bytes)?;
        }
        let mut footer = self.footer_without_groups.clone();
        footer.row_groups.push(group.clone());
        footer.num_rows = rows;
        let file = self.file.try_clone().map_err(|error| error.to_string())?;
        let columns = columns.map(|columns| columns.iter().map(ToString::to_string).collect());
        catch_panics(|| {
            let mut reader = ParquetReader::new(file);
            reader.set_metadata(Arc::new(footer));
            // Read in this thread, since its panics are catch.
            let frame = reader.read_parallel(ParallelStrategy::None).with_columns(columns).finish()?;
            Ok(match check_frame(&frame, rows)? {
                Ok(()) => Ok(make(&frame)?),
                Err(problem) => Err(problem),
            })
        })?
    }

    /// The size of a column's pages when unpacked, in bytes, from their headers alone.
    fn unpacked_size(&self, place: Range<u64>, rows: usize) -> Result<u64, String> {
        let cut = |error: io::Error| format!("a column can't be read ({error})");
        let mut source = BufReader::new(&self.file);
        source.seek(SeekFrom::Start(place.start)).map_err(cut)?;
        let (mut seen, mut bytes) = (0, 0);
        while seen < rows {
            let header = header(&mut source)?;
            let size = |size: i32| u64::try_from(size).map_err(|_| "a page claims a negative size".to_owned());
            let (packed, unpacked) = (size(header.compressed_page_size)?, size(header.uncompressed_page_size)?);
            let values = match header.type_ {
                PageType::DATA_PAGE => header.data_page_header.map(|page| page.num_values),
                PageType::DATA_PAGE_V2 => header.data_page_header_v2.map(|page| page.num_values),
                PageType::DICTIONARY_PAGE => header.dictionary_page_header.map(|page| page.num_values),
                _ => None,
            };
            let values = values.and_then(|values| usize::try_from(values).ok()).filter(|values| *values <= rows);
            let values = values.ok_or("a page is of an unknown kind or claims an impossible number of values")?;
            seen += if header.type_ == PageType::DICTIONARY_PAGE { 0 } else { values };
            bytes += unpacked;
            fits(bytes)?;
            let end = source.stream_position().map_err(cut)?.saturating_add(packed);
            if end > place.end {
                return Err("a page ends beyond its column".to_owned());
            }
            source.seek(SeekFrom::Start(end)).map_err(cut)?;
        }
        if seen == rows { Ok(bytes) } else { Err("a column has more values than there are rows".to_owned()) }
    }
}

fn header(source: &mut BufReader<&File>) -> Result<PageHeader, String> {
    catch_panics(|| Ok(PageHeader::read_from_in_protocol(&mut TCompactInputProtocol::new(source, HEADER_BYTES))))?
        .map_err(|error| format!("the header of a page can't be read ({error})"))
}

fn fits(bytes: u64) -> Result<(), String> {
    if bytes <= GROUP_BYTES {
        return Ok(());
    }
    Err(format!("a row group unpacks to more than {GROUP_BYTES} bytes, more than its orders can need"))
}

/// Checks that each column has a value per row, and that the texts fit in memory: a few bytes may stand for
/// many copies of a long text.
fn check_frame(frame: &DataFrame, rows: usize) -> PolarsResult<Result<(), String>> {
    let mut bytes = 0;
    for column in frame.columns() {
        if column.len() != rows {
            return Ok(Err("it has fewer rows than it claims".to_owned()));
        }
        if *column.dtype() == DataType::String {
            bytes += column.str()?.iter().flatten().map(|text| text.len() as u64).sum::<u64>();
        }
    }
    Ok(fits(bytes))
}

/// Runs a read that may panic on bad input, and makes an error of the panic.
pub(crate) fn catch_panics<T>(read: impl FnOnce() -> PolarsResult<T>) -> Result<T, String> {
    match panics::catch(|_| true, read) {
        Ok(read) => read.map_err(|error| error.to_string()),
        Err(_) => Err("its contents can't be decoded".to_owned()),
    }
}
