//! Damaged and malicious files. Whatever is in them, reading ends with rows or with an error.

use std::fs::{self, File};
use std::path::Path;

use polars::prelude::{DataFrame, ParquetReader, ParquetWriter, SerReader};
use polars_parquet_format::PageHeader;
use polars_parquet_format::thrift::protocol::TCompactInputProtocol;
use polars_parquet_format::thrift::protocol::TCompactOutputProtocol;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tempfile::TempDir;

use super::super::facts_read::FactsReader;
use super::{FactsWriter, open, schema};
use crate::domain::facts::OrderFacts;
use crate::domain::money::Amount;
use crate::domain::order::{Amounts, RunOrder};
use crate::domain::outcome::Bucket;
use crate::domain::time::from_microsecond;
use crate::report::files::{FACTS_FILE, ProvenFile};
use crate::report::folder::ReportFolder;
use crate::report::folder::manifest::Stamp;

const ORDERS: i128 = 40;
const MUTATIONS: usize = 600;
/// How many bytes at the end of a file hold its footer, which says where everything else is.
const FOOTER: usize = 6000;

fn order(number: i128) -> RunOrder {
    let text = |text: &str| Some(format!("{text}_{number}"));
    RunOrder {
        workflow_id: text("wf"),
        quote_currency: Some("CNY".to_owned()),
        amounts: Amounts::from_order([number, 2, 3, 4, 5, 6].map(Amount::from_units)),
        run_status: (number % 3 > 0).then(|| "succeeded".to_owned()),
        settlement_status: Some("settled".to_owned()),
        created_at: from_microsecond(1_780_000_000_000_000),
        ..RunOrder::default()
    }
}

fn write(path: &Path) {
    let mut facts = FactsWriter::create(path).expect("writable");
    for number in 0..ORDERS {
        let order = order(number);
        let line = u64::try_from(number).expect("small") + 2;
        let columns = OrderFacts::of(&order);
        facts.push(line, &format!("wfrun_{number}"), &columns, true, Bucket::Reconciled, false).expect("writable");
    }
    facts.finish().expect("writable");
}

/// A report whose manifest vouches for these facts.
fn proven(bytes: &[u8]) -> (TempDir, ProvenFile) {
    let place = tempfile::tempdir().expect("a folder");
    fs::write(place.path().join(FACTS_FILE), bytes).expect("writable");
    Stamp::default().write(place.path()).expect("writable");
    let file = ReportFolder::open(place.path()).and_then(|report| report.prove(FACTS_FILE)).expect("a report");
    (place, file)
}

fn honest() -> Vec<u8> {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("facts");
    write(&path);
    fs::read(path).expect("there")
}

/// How many rows are read, or what is wrong.
fn rows(bytes: &[u8]) -> Result<usize, String> {
    let (_place, file) = proven(bytes);
    let mut reader = FactsReader::open(&file).map_err(|error| error.to_string())?;
    let mut rows = 0;
    while let Some(group) = reader.next().map_err(|error| error.to_string())? {
        for row in group.rows() {
            row.map_err(|error| error.to_string())?;
            rows += 1;
        }
    }
    Ok(rows)
}

/// How many orders a single column of the file names, or what is wrong.
fn orders(bytes: &[u8]) -> Result<usize, String> {
    let (_place, file) = proven(bytes);
    let file = open(&file)?;
    let count = |number| {
        file.group(number, Some(&["run_order_id"]), |frame| Ok(frame.column("run_order_id")?.str()?.iter().count()))
    };
    (0..file.groups()).map(count).sum()
}

/// A damaged copy, the same in every run of the test.
fn mutated(honest: &[u8], number: usize) -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(number as u64);
    let mut bytes = honest.to_vec();
    for _ in 0..[1, 1, 2, 4][number % 4] {
        let first = if number.is_multiple_of(3) { 0 } else { bytes.len().saturating_sub(FOOTER) };
        let at = random.random_range(first..bytes.len());
        bytes[at] = match random.random_range(0..6) {
            0 => 0,
            1 => 0xff,
            2 => 0x7f,
            3 => 0x80,
            _ => bytes[at] ^ (1 << random.random_range(0..8)),
        };
    }
    bytes
}

#[test]
fn honest_facts_are_read_back() {
    assert_eq!(rows(&honest()), Ok(40));
    assert_eq!(orders(&honest()), Ok(40));
}

#[test]
fn no_mutation_of_the_facts_stops_the_program() {
    let honest = honest();
    let (mut whole, mut caught) = (0, 0);
    for number in 0..MUTATIONS {
        let bytes = mutated(&honest, number);
        match rows(&bytes) {
            Ok(_) => whole += 1,
            Err(problem) => caught += usize::from(problem.contains("can't be decoded")),
        }
        _ = orders(&bytes);
    }
    // Some mutations change only a figure, which re-performing finds. Some make Polars panic.
    assert!(whole > 50 && caught > 5, "{whole} read, {caught} panics");
}

#[test]
fn cut_facts_are_an_error() {
    let honest = honest();
    for length in (0..honest.len()).step_by(honest.len() / 40) {
        assert!(rows(&honest[..length]).is_err(), "{length} of {} bytes", honest.len());
    }
}

#[test]
fn wrong_columns_are_an_error() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("facts");
    let mut frame = DataFrame::empty_with_schema(&schema());
    frame.drop_in_place("reused").expect("a column");
    let file = File::create(&path).expect("writable");
    ParquetWriter::new(file).finish(&mut frame).expect("writable");
    let said = rows(&fs::read(&path).expect("there")).expect_err("a column is missing");
    assert!(said.contains("not those of a report"), "{said}");
}

/// The header of each page of the file, with its offset and its length.
fn headers(bytes: &[u8]) -> Vec<(usize, usize, PageHeader)> {
    const LONGEST: usize = 16 << 20;
    let (_place, file) = proven(bytes);
    let mut reader = ParquetReader::new(file.reader().expect("readable"));
    let mut found = Vec::new();
    for column in reader.get_metadata().expect("a footer").row_groups[0].parquet_columns() {
        let place = column.byte_range();
        let (mut at, end) = (usize::try_from(place.start).expect("small"), usize::try_from(place.end).expect("small"));
        while at < end {
            let mut left = &bytes[at..];
            let mut protocol = TCompactInputProtocol::new(&mut left, LONGEST);
            let header = PageHeader::read_from_in_protocol(&mut protocol).expect("a header");
            let length = bytes.len() - at - left.len();
            found.push((at, length, header.clone()));
            at += length + usize::try_from(header.compressed_page_size).expect("small");
        }
    }
    found
}

/// The file with one header replaced. What follows it moves, which is only noticed later.
fn with_header(bytes: &[u8], at: usize, length: usize, header: &PageHeader) -> Vec<u8> {
    let mut written = Vec::new();
    header.write_to_out_protocol(&mut TCompactOutputProtocol::new(&mut written)).expect("writable");
    let mut bytes = bytes.to_vec();
    bytes.splice(at..at + length, written);
    bytes
}

#[test]
fn no_memory_is_reserved_for_a_page_that_claims_to_be_huge() {
    let honest = honest();
    let pages = headers(&honest);
    assert!(pages.len() > schema().len(), "dictionaries and data: {}", pages.len());
    for (at, length, header) in pages {
        assert_eq!(with_header(&honest, at, length, &header), honest, "the header is understood");
        let mut huge = header.clone();
        huge.uncompressed_page_size = i32::MAX;
        let mut many = header.clone();
        if let Some(page) = &mut many.data_page_header {
            page.num_values = i32::MAX;
        }
        if let Some(page) = &mut many.dictionary_page_header {
            page.num_values = i32::MAX;
        }
        let mut negative = header;
        negative.compressed_page_size = -1;
        for (lie, problem) in
            [(huge, "unpacks to more than"), (many, "impossible number of values"), (negative, "negative size")]
        {
            let said = rows(&with_header(&honest, at, length, &lie)).expect_err("a lie");
            assert!(said.contains(problem), "page at {at}: {said}");
        }
    }
}

#[test]
fn a_long_text_in_many_rows_is_not_copied_for_each() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("facts");
    let long = "x".repeat(1 << 20);
    let mut facts = FactsWriter::create(&path).expect("writable");
    for line in 0..1100 {
        let order = RunOrder { workflow_id: Some(long.clone()), ..order(1) };
        facts.push(line, "wfrun_1", &OrderFacts::of(&order), true, Bucket::Reconciled, false).expect("writable");
    }
    facts.finish().expect("writable");
    let bytes = fs::read(&path).expect("there");
    assert!(bytes.len() < 1 << 20, "the file is small: {}", bytes.len());
    let said = rows(&bytes).expect_err("more than a gigabyte of texts");
    assert!(said.contains("unpacks to more than"), "{said}");
    assert_eq!(orders(&bytes), Ok(1100), "the other columns can be read");
}
