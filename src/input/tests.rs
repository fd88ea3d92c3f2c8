//! The same rows in every dress, lines counted by hand, and nothing lost.

use std::io::Write;
use std::path::Path;

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;

fn options(path: &Path) -> Options {
    Options { source: Source::File(path.to_owned()), column: None, no_header: false, encoding: None, delimiter: None }
}

fn open_with(bytes: &[u8], change: impl FnOnce(&mut Options)) -> Result<Vec<Row>, InputError> {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("writable");
    let mut options = options(file.path());
    change(&mut options);
    let input = Input::open(options)?;
    assert_eq!(input.bytes(), bytes.len() as u64);
    assert_eq!(input.sha256(), hex::encode(Sha256::digest(bytes)));
    let rows: Vec<Row> = input.read()?.collect::<Result<_, _>>()?;
    assert_eq!(rows.len() as u64, input.rows(), "both passes count the same");
    Ok(rows)
}

fn open(bytes: &[u8]) -> Result<Vec<Row>, InputError> {
    open_with(bytes, |_| {})
}

fn brief(rows: &[Row]) -> Vec<(u64, String)> {
    rows.iter()
        .map(|row| {
            let what = match &row.entry {
                Entry::Order(id) => id.to_string(),
                Entry::Duplicate { id, first_line } => format!("{id} again, first on {first_line}"),
                Entry::Rejected { text, reason } => format!("{text:?} {}", reason.code),
            };
            (row.line, what)
        })
        .collect()
}

fn rows_of(bytes: &[u8]) -> Vec<(u64, String)> {
    brief(&open(bytes).expect("usable"))
}

fn row(line: u64, what: &str) -> (u64, String) {
    (line, what.to_owned())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("a vector");
    encoder.finish().expect("a vector")
}

#[test]
fn the_same_rows_in_every_dress() {
    let text = "备注,运行订单ID\n早,wfrun_1\n晚,wfrun_2\n,wfrun_1\n,\n";
    let expected = [row(2, "wfrun_1"), row(3, "wfrun_2"), row(4, "wfrun_1 again, first on 2"), row(5, "\"\" empty-id")];
    let utf_16 = |little: bool| -> Vec<u8> {
        let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
        units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    };
    let gb18030 = encoding_rs::GB18030.encode(text).0.into_owned();
    let two_members: Vec<u8> = [gzip(&text.as_bytes()[..20]), gzip(&text.as_bytes()[20..])].concat();
    let dresses: Vec<(&str, Vec<u8>)> = vec![
        ("UTF-8", text.into()),
        ("UTF-8 with BOM", format!("\u{feff}{text}").into()),
        ("UTF-16 LE", utf_16(true)),
        ("UTF-16 BE", utf_16(false)),
        ("GB18030", gb18030.clone()),
        ("CRLF", text.replace('\n', "\r\n").into()),
        ("CR", text.replace('\n', "\r").into()),
        ("semicolon", text.replace(',', ";").into()),
        ("tab", text.replace(',', "\t").into()),
        ("no last line end", text.trim_end_matches('\n').into()),
        ("gzip", gzip(text.as_bytes())),
        ("gzip of two members", two_members),
        ("gzip of GB18030", gzip(&gb18030)),
        ("zstd", zstd::encode_all(text.as_bytes(), 1).expect("a vector")),
    ];
    for (dress, bytes) in dresses {
        assert_eq!(rows_of(&bytes), expected, "{dress}");
    }
}

#[test]
fn a_record_is_named_by_the_line_on_which_it_begins() {
    let text = "\n\norder_id,note\n\nwfrun_1,\"two\nlines\"\n\n\nwfrun_2,\"a\r\nb\"\r\n\r\nwfrun_3,x";
    assert_eq!(rows_of(text.as_bytes()), [row(5, "wfrun_1"), row(9, "wfrun_2"), row(12, "wfrun_3")]);
}

#[test]
fn a_heading_or_none() {
    assert_eq!(rows_of(b"wfrun_1\nwfrun_2\n"), [row(1, "wfrun_1"), row(2, "wfrun_2")]);
    assert_eq!(rows_of(b"x,wfrun_1\ny,wfrun_2\n"), [row(1, "wfrun_1"), row(2, "wfrun_2")]);
    assert_eq!(rows_of(b"anything\nA-1\n"), [row(2, "A-1")]);
    assert_eq!(rows_of(b"a,RUN_ORDER_ID , order_id\n1,A-1,B-1\n"), [row(2, "A-1")]);
    let no_header = |options: &mut Options| options.no_header = true;
    assert_eq!(brief(&open_with(b"A-1\nA-2\n", no_header).expect("usable")), [row(1, "A-1"), row(2, "A-2")]);
    let by = |name: &'static str| move |options: &mut Options| options.column = Some(name.into());
    assert_eq!(brief(&open_with(b"a,b\n1,A-1\n", by("B")).expect("usable")), [row(2, "A-1")]);
    assert_eq!(brief(&open_with(b"a,b\n1,A-1\n", by("2")).expect("usable")), [row(2, "A-1")]);
    assert_eq!(rows_of(b""), []);
    assert_eq!(rows_of(b"run_order_id\n\n"), []);
}

#[test]
fn rows_without_a_usable_id_are_kept_with_their_reason() {
    let long = "x".repeat(129);
    let text = format!("a,order_id\nonly\n1,\" \"\n2,two words\n3,订单\n4,{long}\n5, A-1 \n");
    let long_shown = "x".repeat(128);
    let expected = [
        row(2, "\"\" missing-cell"),
        row(3, "\"\" empty-id"),
        row(4, "\"two words\" bad-character"),
        row(5, "\"订单\" bad-character"),
        row(6, &format!("{long_shown:?} id-too-long")),
        row(7, "A-1"),
    ];
    assert_eq!(rows_of(text.as_bytes()), expected);
}

#[test]
fn what_can_not_be_used_says_why() {
    let error = |bytes: &[u8]| open(bytes).expect_err("not usable").to_string();
    let no_column = error(b"name,amount\na,1\n");
    assert!(no_column.contains("found: \"name\", \"amount\"") && no_column.contains("--column"), "{no_column}");
    assert!(error(b"order_id,Order_ID\n1,2\n").contains("more than one column"));
    assert!(error(b"order_id\nA\0B\n").contains("binary file (line 2"));
    assert!(error(&[b'a', b'\n', 0xff, 0xff, 0xff]).contains("byte 2"));
    assert!(error(b"order_id,note\nA-1,\"open\nA-2,x\nA-3,y\n").contains("line 2 is never closed"));
    assert!(matches!(open(&gzip(b"order_id\nA-1\n")[..20]), Err(InputError::Unreadable { .. })));
    let named = |label: &'static str| move |options: &mut Options| options.encoding = Some(label.into());
    let wrong = open_with("order_id\n订单\n".as_bytes(), named("utf-16le")).map(|rows| brief(&rows));
    assert!(!matches!(&wrong, Ok(rows) if rows.iter().any(|(_, what)| what.contains("订单"))), "{wrong:?}");
    let undecodable = open_with(b"order_id\n\xff\n", named("utf-8")).expect_err("not usable").to_string();
    assert!(undecodable.contains("not UTF-8: line 2"), "{undecodable}");
    assert!(matches!(open_with(b"a", named("klingon")), Err(InputError::UnknownEncoding { .. })));
    let folder = tempfile::tempdir().expect("a folder");
    assert!(matches!(Input::open(options(folder.path())), Err(InputError::Folder { .. })));
    let missing = Input::open(options(&folder.path().join("none.csv"))).expect_err("missing").to_string();
    assert!(missing.contains("none.csv"), "{missing}");
}

#[test]
fn a_file_that_changes_meanwhile_is_never_taken_for_the_same() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(b"order_id\nA-1\nA-2\n").expect("writable");
    let input = Input::open(options(file.path())).expect("usable");
    file.write_all(b"A-3\n").expect("writable");
    let last = input.read().expect("usable").last().expect("something");
    assert!(matches!(last, Err(InputError::Changed { .. })));
}

proptest! {
    #[test]
    fn every_row_is_accounted_for(
        rows in prop::collection::vec((r#"[ -~\n"订]{0,12}"#, r"[A-Za-z0-9_-]{1,12}"), 0..40),
        delimiter in prop::sample::select(vec![b',', b';', b'\t']),
    ) {
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        writer.write_record(["note", "order_id"]).expect("a vector");
        for (note, id) in &rows {
            writer.write_record([note, id]).expect("a vector");
        }
        let bytes = writer.into_inner().expect("a vector");
        let read = open_with(&bytes, |options| options.delimiter = Some(delimiter)).expect("usable");
        let mut expected_line = 2;
        for (row, (note, id)) in read.iter().zip(&rows) {
            prop_assert_eq!(row.line, expected_line);
            expected_line += 1 + note.matches('\n').count() as u64;
            match &row.entry {
                Entry::Order(found) | Entry::Duplicate { id: found, .. } => prop_assert_eq!(found.as_str(), id),
                Entry::Rejected { .. } => prop_assert!(false, "{} is usable", id),
            }
        }
        prop_assert_eq!(read.len(), rows.len());
    }

    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = open(&bytes);
    }
}
