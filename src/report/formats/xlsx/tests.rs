//! The structure of the workbook, and that only the report decides its bytes. `tests/readers/workbook.py`
//! checks its cells.

use std::io::Read;
use std::thread::sleep;
use std::time::Duration;

use flate2::read::DeflateDecoder;

use super::*;
use crate::domain::money::Sum;
use crate::report::content::summary_json::SummaryJson;
use crate::report::content::table::{Cell, Column, Kind, Table, column};
use crate::report::files::XLSX_FILE;

const AS_OF: &str = "2026-06-01T00:00:00.123456Z";
const COLUMNS: &[Column] = &[
    column("run_order_id", Kind::Id),
    column("severity", Kind::Severity),
    column("difference", Kind::Amount),
    column("created_at", Kind::Time),
];

fn as_of() -> Timestamp {
    AS_OF.parse().expect("a time")
}

/// A table with `rows` rows.
fn table<'a>(name: &'static str, rows: i128) -> Table<'a> {
    let rows = (0..rows).map(|row| {
        vec![
            Cell::owned(format!("wfrun_{row}")),
            Cell::text("error"),
            Cell::Amount(Sum::from_units(row).expect("small")),
            Cell::Time(as_of()),
        ]
    });
    Table { name, columns: COLUMNS, rows: Box::new(rows) }
}

/// The bytes and the parts of a workbook with one table and at most 3 rows per sheet.
fn written(name: &'static str, rows: i128, language: Language) -> (Vec<u8>, Vec<(String, String)>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(XLSX_FILE);
    let summary = SummaryJson { account: Some("R&D".into()), ..SummaryJson::empty() };
    let tables: [Source<'_>; 1] = [Box::new(move || table(name, rows))];
    let book = Book { summary: &summary, as_of: as_of(), tables: &tables };
    write_split(&book, language, 3, &path).expect("writable");
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("readable").collect();
    assert_eq!(left.len(), 1, "no other file is left: {left:?}");
    let bytes = std::fs::read(&path).expect("readable");
    let parts = parts(&bytes);
    (bytes, parts)
}

/// The files inside a workbook by name, unpacked, as the directory at the end of the archive lists them.
fn parts(archive: &[u8]) -> Vec<(String, String)> {
    let number = |at: usize, size: usize| {
        archive[at..at + size].iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte))
    };
    let end = archive.windows(4).rposition(|four| four == b"PK\x05\x06").expect("an archive");
    let (count, mut at) = (number(end + 10, 2), number(end + 16, 4));
    let mut parts = Vec::new();
    for _ in 0..count {
        assert_eq!(&archive[at..at + 4], b"PK\x01\x02");
        let [size, name, extra, comment] =
            [(20, 4), (28, 2), (30, 2), (32, 2)].map(|(offset, size)| number(at + offset, size));
        let local = number(at + 42, 4);
        let start = local + 30 + number(local + 26, 2) + number(local + 28, 2);
        let mut text = String::new();
        DeflateDecoder::new(&archive[start..start + size]).read_to_string(&mut text).expect("UTF-8");
        parts.push((String::from_utf8_lossy(&archive[at + 46..at + 46 + name]).into_owned(), text));
        at += 46 + name + extra + comment;
    }
    parts
}

fn part<'p>(parts: &'p [(String, String)], name: &str) -> &'p str {
    &parts.iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("no {name}")).1
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    for language in Language::ALL {
        let (first, parts) = written("discrepancies", 7, language);
        // Archives count time in steps of two seconds: a clock in the file would have moved on by then.
        sleep(Duration::from_millis(2_100));
        let (second, _) = written("discrepancies", 7, language);
        assert!(first == second, "{language}");
        let core = part(&parts, "docProps/core.xml");
        assert_eq!(core.matches("2026-06-01T00:00:00Z").count(), 2, "created and modified: {core}");
    }
}

#[test]
fn rows_beyond_one_sheet_continue_on_the_next() {
    let names = |rows| {
        let (_, parts) = written("discrepancies", rows, Language::English);
        let workbook = part(&parts, "xl/workbook.xml").to_owned();
        let named =
            workbook.split("<sheet name=\"").skip(1).map(|rest| rest.split('"').next().expect("a name").to_owned());
        (named.collect::<Vec<_>>(), parts)
    };
    assert_eq!(names(0).0, ["Summary", "Discrepancies"]);
    assert_eq!(names(3).0, ["Summary", "Discrepancies"]);
    let (found, parts) = names(7);
    assert_eq!(found, ["Summary", "Discrepancies", "Discrepancies 2", "Discrepancies 3"]);
    for (sheet, rows) in [(2, 3), (3, 3), (4, 1)] {
        let sheet = part(&parts, &format!("xl/worksheets/sheet{sheet}.xml"));
        assert_eq!(sheet.matches("<row ").count(), rows + 1, "the rows and the heading");
        assert!(sheet.contains(&format!("<autoFilter ref=\"A1:D{}\"/>", rows + 1)), "{sheet}");
        assert!(sheet.contains("state=\"frozen\"") && sheet.contains("orientation=\"landscape\""), "{sheet}");
        assert!(sheet.contains("fitToPage=\"1\"") && sheet.contains("<oddFooter>"), "{sheet}");
        assert_eq!(sheet.matches("<cfRule ").count(), 2, "errors and warnings");
    }
    let said = part(&parts, "xl/sharedStrings.xml");
    assert!(said.contains("continued in Discrepancies 2, Discrepancies 3."), "{said}");
    assert!(part(&parts, "docProps/app.xml").contains("R&amp;D"));
}

#[test]
fn amounts_that_sheets_can_not_hold_are_also_texts() {
    let heading = |name| {
        let (_, parts) = written(name, 2, Language::English);
        part(&parts, "xl/worksheets/sheet2.xml").contains("(exact text)")
    };
    assert!(!heading("discrepancies"), "0.00000001 is exact");
    assert!(heading("spend_by_workflow"), "sums always have an exact text");
}

#[test]
fn the_design_covers_the_packages_that_pack_the_workbook() {
    assert_eq!(packers().count(), PACKERS.len());
    assert!(packers().all(|package| package.contains("\nchecksum = ")));
    assert_eq!(design().len(), 64);
}
