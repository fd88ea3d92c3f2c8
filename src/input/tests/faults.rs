//! Inputs that can't be read, and their error messages.

use super::*;

#[test]
fn bytes_that_are_not_text_are_an_error() {
    let heading = "run_order_id,n\nwfrun_1,";
    let with = |bytes: &[u8]| Case::new([heading.as_bytes(), bytes].concat());
    assert_eq!(
        with(b"caf\xe9\n").error(),
        "the text is neither UTF-8 (invalid from byte 26, counted from 0, on line 2) nor GB18030; \
         name its encoding with --encoding"
    );
    assert_eq!(with(b"caf\xe9\n").encoding(Some("latin1")).rows(), ["2 wfrun_1"]);
    let malformed = with(b"x\n\n\"\r\n\xff\"\n").encoding(Some("utf-8")).error();
    assert_eq!(malformed, "line 5 is not valid UTF-8; correct it, or name the file's encoding with --encoding");
    assert!(with(b"\xe4\xb8").encoding(Some("utf-8")).error().starts_with("line 2 is not valid UTF-8"));
    assert!(with(b"\x81").encoding(Some("gb18030")).error().starts_with("line 2 is not valid gb18030"));
    assert!(Case::new(b"\xef\xbb\xbfa\n\xff").error().starts_with("line 2 is not valid UTF-8"));
    let binary = "looks like a binary file, not CSV: it has a NUL byte";
    assert!(with(b"\0").error().starts_with(&format!("{binary} on line 2;")));
    assert!(with(b"a\r\nb,\"\n\"\rc\0").error().starts_with(&format!("{binary} on line 5;")));
    assert!(with(b"a\r\nb\rc\0\xff").error().starts_with(&format!("{binary} on line 4;")));
    assert!(with(b"a\r\nb\rc\n\xff").error().contains(" on line 5)"));
    assert!(Case::new(b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0\xff\xff\xff").error().starts_with("this is a ZIP archive"));
    assert!(Case::new(utf16(heading, u16::to_le_bytes)).error().starts_with(binary));
    assert_eq!(
        with(b"").encoding(Some("klingon\u{7}")).error(),
        "unknown encoding `klingon\u{fffd}`; name one such as utf-8, utf-16le, utf-16be or gb18030"
    );
    assert!(with(b"").encoding(Some("replacement")).error().starts_with("unknown encoding"));
}

#[test]
fn a_lone_line_that_is_not_a_heading_is_not_an_empty_input() {
    let lone = "there are no rows, only a line that is not a known heading (`502 Bad Gateway`): \
                the export probably failed. Get the file again; if the line is the heading, name it with --column; \
                if it is an ID, add --no-header";
    for text in ["502 Bad Gateway", "\n502 Bad Gateway\n\n"] {
        assert_eq!(Case::new(text).error(), lone);
    }
    assert_eq!(Case::new("502 Bad Gateway\nwfrun_1\n").rows(), ["2 wfrun_1"], "the only column, with rows");
    for text in ["run_order_id", "order_id\n", "订单号", ""] {
        assert_eq!(Case::new(text).rows(), Vec::<String>::new(), "{text:?}");
    }
    assert_eq!(Case::new("what\n").column("what").rows(), Vec::<String>::new());
    assert_eq!(Case::new("what\n").no_header().rows(), ["1 what"]);
}

#[test]
fn quotes_that_would_swallow_rows_are_errors() {
    let open = Case::new("run_order_id,n\na,1\nb,\"2\nc,3\n").error();
    assert_eq!(open, "the quote opened on line 3 is never closed, so every row after it would be lost; close it");
    let runaway = Case::new("run_order_id,n\na,\"1\nb,2\nc,\"3\"\n").error();
    assert_eq!(
        runaway,
        "the quote opened on line 2 seems to run on to line 4, swallowing the rows between; \
         close it, or double the quotes inside the cell"
    );
    assert_eq!(Case::new("run_order_id,n\na,\"1\" x\nb,\"1\n2\" \nc,5\" x").rows(), ["2 a", "3 b", "5 c"]);
    let long = format!("run_order_id,n\na,\"{}\n", "x".repeat(9 << 20));
    assert_eq!(
        Case::new(&long).error(),
        "the record that begins on line 2 is longer than 8 MiB; look for a quote that is never closed"
    );
    assert!(Case::new(format!("\"{}", "\n".repeat(9 << 20))).error().contains("is longer than 8 MiB"));
}

#[test]
fn cut_or_damaged_compression_is_an_error() {
    let mut text = String::from("run_order_id\n");
    (0..5_000).for_each(|n| text += &format!("wfrun_{n}\n"));
    let text = text.as_bytes();
    for (format, whole) in
        [("gzip", gz(text)), ("zstd", zst(text)), ("gzip", in_two(text, gz)), ("zstd", in_two(text, zst))]
    {
        assert_eq!(Case::new(&whole).rows().len(), 5_000);
        for kept in [5, 12, whole.len() / 2 + 3, whole.len() * 3 / 4, whole.len() - 1] {
            let error = Case::new(&whole[..kept]).error();
            assert!(error.starts_with(&format!("the {format} data is cut or damaged (")), "{kept}: {error}");
            // The error is the same whether the encoding is given or detected.
            let error = Case::new(&whole[..kept]).encoding(Some("utf-8")).error();
            assert!(error.starts_with(&format!("the {format} data is cut or damaged (")), "{kept}: {error}");
        }
        let garbage = [whole.as_slice(), b"garbage"].concat();
        assert!(Case::new(garbage).error().contains("data is cut or damaged"));
    }
    // One wrong bit in gzip's checksum.
    let mut flipped = gz(text);
    let crc = flipped.len() - 8;
    flipped[crc] ^= 1;
    assert!(Case::new(flipped).error().contains("gzip data is cut or damaged"));
}

#[test]
fn a_missing_file_and_a_folder_are_errors() {
    let mut case = Case::new("");
    case.options.source = Source::File(case.path.with_file_name("other.csv"));
    assert!(matches!(case.open(), Err(InputError::Missing { place }) if place.ends_with("other.csv")));
    case.options.source = Source::File(case.path.parent().unwrap().to_owned());
    assert!(matches!(case.open(), Err(InputError::Directory { .. })));
    case.options.source = Source::File(case.path.join("below"));
    assert!(matches!(case.open(), Err(InputError::Open { .. })));
}
