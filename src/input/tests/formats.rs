//! Encodings, compressions and delimiters, which must all give the same rows.

use super::*;

type Encode = fn(&str) -> Vec<u8>;

#[test]
fn the_same_rows_in_every_encoding_compression_and_delimiter() {
    let text = "备注|运行订单ID|Betrag\r\n\
                第一|wfrun_1|1\r\n\
                \r\n\
                \"两\r\n行, 与; \"\"引号\"\"\tTab\"| wfrun_2 |2\r\n\
                第三|wfrun_1|3\r\n\
                ||\r\n\
                €𠮷é\r\n\
                尾|\"wfrun_3\"";
    let expected = ["2 wfrun_1", "4 wfrun_2", "6 wfrun_1 as 2", "7 empty-id()", "8 missing-cell()", "9 wfrun_3"];
    let encodings: [(&str, Encode, &[Option<&str>]); 7] = [
        ("UTF-8", |text| text.as_bytes().to_vec(), &[None, Some("utf-8"), Some("UTF8")]),
        ("UTF-8 marked", |text| format!("\u{feff}{text}").into_bytes(), &[None, Some("utf-8"), Some("gb18030")]),
        ("UTF-8 marked twice", |text| format!("\u{feff}\u{feff}{text}").into_bytes(), &[None]),
        ("UTF-16LE", |text| utf16(text, u16::to_le_bytes), &[Some("utf-16le"), Some("utf-16")]),
        ("UTF-16BE", |text| utf16(text, u16::to_be_bytes), &[Some("utf-16be")]),
        ("UTF-16BE marked", |text| utf16(&format!("\u{feff}{text}"), u16::to_be_bytes), &[None, Some("utf-16")]),
        ("GB18030", |text| GB18030.encode(text).0.into_owned(), &[None, Some("gb18030"), Some("gbk")]),
    ];
    let compressions: [Compress; 5] = [<[u8]>::to_vec, gz, zst, |bytes| in_two(bytes, gz), |bytes| in_two(bytes, zst)];
    for (name, encode, labels) in encodings {
        for (index, compress) in compressions.into_iter().enumerate() {
            for delimiter in [",", ";", "\t"] {
                for line_end in ["\r\n", "\n", "\r"] {
                    let bytes = compress(&encode(&text.replace('|', delimiter).replace("\r\n", line_end)));
                    for label in labels {
                        for given in [None, Some(delimiter.as_bytes()[0])] {
                            let rows = Case::new(&bytes).encoding(*label).delimiter(given).rows();
                            assert_eq!(rows, expected, "{name} {index} {delimiter:?} {line_end:?} {label:?}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn marked_utf16le_and_its_errors() {
    let bytes = utf16("\u{feff}run_order_id\nwfrun_1\n", u16::to_le_bytes);
    assert_eq!(Case::new(&bytes).rows(), ["2 wfrun_1"]);
    // A lone surrogate on line 2; an odd byte at the end.
    let lone = [bytes.as_slice(), &[0x00, 0xd8, b'x', 0]].concat();
    assert!(Case::new(lone).error().starts_with("line 3 is not valid UTF-16LE; "));
    assert!(Case::new([bytes.as_slice(), b"x"].concat()).error().starts_with("line 3 is not valid UTF-16LE; "));
}

#[test]
fn the_hash_is_of_the_bytes_as_given() {
    let text = b"run_order_id\nwfrun_1\n";
    let plain = Case::new(text).open().unwrap();
    assert_eq!(plain.name(), "ids.csv");
    assert_eq!((plain.bytes(), plain.rows()), (21, 1));
    // Computed with sha256sum.
    assert_eq!(plain.sha256(), "bbda274e2822b1f7f9a8a2c3e9f5001ad5e4bce1259530aeef40fc72b57dbed6");
    let packed = gz(text);
    let compressed = Case::new(&packed).open().unwrap();
    assert_eq!((compressed.bytes(), compressed.rows()), (packed.len() as u64, 1));
    assert_ne!(compressed.sha256(), plain.sha256());
}

#[test]
fn gb18030_is_detected_even_if_only_the_last_row_shows_it() {
    // The GB18030 bytes of 隆 are valid UTF-8 too; only the last row is not.
    let mut text = "隆,n\n".to_owned();
    (0..20_000).for_each(|n| text += &format!("wfrun{n},x\n"));
    let mut bytes = GB18030.encode(&text).0.into_owned();
    assert!(std::str::from_utf8(&bytes).is_ok());
    bytes.extend_from_slice(&GB18030.encode("账单,x\n").0);
    let rows = Case::new(&bytes).column("隆").rows();
    assert_eq!(rows.first().unwrap(), "2 wfrun0");
    assert_eq!(rows.last().unwrap(), "20002 bad-character(账单)");
}
