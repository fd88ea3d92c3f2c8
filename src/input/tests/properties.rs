//! Property tests with random inputs.

use super::*;

/// The number of line ends in a text, counted in a different way than the product does.
fn lines_ended(text: &str) -> u64 {
    text.replace("\r\n", "\n").replace('\r', "\n").matches('\n').count() as u64
}

/// The value of a cell without what spreadsheets put around it: at most one `="…"`, and one `'` or backtick.
fn value(cell: &str) -> &str {
    let blank = |text: &str| -> bool { text.chars().all(|char| char.is_whitespace() || char == '\u{feff}') };
    let inner = |text: &'_ str| -> (usize, usize) {
        let starts = text.char_indices().find(|(_, char)| !blank(&char.to_string())).map_or(text.len(), |(at, _)| at);
        let ends = text
            .char_indices()
            .rev()
            .find(|(_, char)| !blank(&char.to_string()))
            .map_or(starts, |(at, char)| at + char.len_utf8());
        (starts, ends)
    };
    let (from, to) = inner(cell);
    let mut text = &cell[from..to];
    if text.len() >= 3 && text.starts_with("=\"") && text.ends_with('"') {
        let (from, to) = inner(&text[2..text.len() - 1]);
        text = &text[2 + from..2 + to];
    }
    if text.starts_with('\'') || text.starts_with('`') {
        let (from, to) = inner(&text[1..]);
        text = &text[1 + from..1 + to];
    }
    text
}

/// What up to six characters of ASCII can be that stand for no ID.
const ABSENT: [&str; 18] = [
    "", "-", "--", "na", "nil", "nan", "n/a", "none", "null", "(null)", "<null>", "\\n", "#n/a", "#n/a!", "#ref!",
    "#num!", "#null!", "#name?",
];

proptest! {
    #[test]
    fn any_cells_are_read_back_as_written(
        cells in proptest::collection::vec(
            proptest::collection::vec("[ -~]{0,6}|[a-c]|[,;\t\"\r\n\u{feff}订é ]{0,4}", 1..4), 0..12),
        delimiter in proptest::sample::select(b",;\t|".to_vec()),
    ) {
        let mut text = String::new();
        let mut expected = Vec::new();
        let mut first_lines: Vec<(String, u64)> = Vec::new();
        let heading = vec!["n".to_owned(), "run_order_id".to_owned()];
        let last = vec!["n".to_owned(), "last".to_owned()];
        for (index, record) in std::iter::once(&heading).chain(&cells).chain([&last]).enumerate() {
            let line = 1 + lines_ended(&text);
            let mut writer = csv::WriterBuilder::new().delimiter(delimiter).flexible(true).from_writer(Vec::new());
            writer.write_record(record).unwrap();
            text += &String::from_utf8(writer.into_inner().unwrap()).unwrap();
            if index == 0 {
                continue;
            }
            expected.push(match record.get(1).map(|cell| value(cell)) {
                None => format!("{line} missing-cell"),
                Some(id) if ABSENT.contains(&id.to_ascii_lowercase().as_str()) => format!("{line} empty-id"),
                Some(id) if id.chars().all(|c| ('!'..='~').contains(&c)) => {
                    match first_lines.iter().find(|(seen, _)| seen == id) {
                        Some((_, first)) => format!("{line} {id} as {first}"),
                        None => {
                            first_lines.push((id.to_owned(), line));
                            format!("{line} {id}")
                        }
                    }
                }
                Some(_) => format!("{line} bad-character"),
            });
        }
        let given = (delimiter == b'|').then_some(delimiter);
        let rows: Vec<String> = Case::new(&text).delimiter(given).rows().into_iter().map(|row| {
            let rejected = ["missing-cell", "empty-id", "bad-character"];
            let code = rejected.into_iter().find(|code| row.split_once(' ').unwrap().1.starts_with(&format!("{code}(")));
            match code {
                Some(code) => format!("{} {code}", row.split_once(' ').unwrap().0),
                None => row,
            }
        }).collect();
        prop_assert_eq!(rows, expected);
    }

    #[test]
    fn any_bytes_are_refused_or_read_to_the_end_without_panic(
        bytes in proptest::collection::vec(
            prop_oneof![proptest::sample::select(b"a\",;\t\r\n \xef\xbb\xbf\xff\xfe\x81\x30\x1f\x8b".to_vec()), any::<u8>()], 0..60),
        magic in proptest::sample::select(vec![&b""[..], b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\xff\xfe", b"run_order_id\n", b"wfrun_"]),
        label in proptest::sample::select(vec![None, Some("utf-8"), Some("utf-16le"), Some("gb18030"), Some("latin1")]),
    ) {
        let case = Case::new([magic, &bytes].concat()).encoding(label);
        match case.open() {
            Ok(input) => {
                let rows = input.read().unwrap().map(|row| row.unwrap()).collect::<Vec<_>>();
                prop_assert_eq!(rows.len() as u64, input.rows());
                prop_assert!(rows.windows(2).all(|pair| pair[0].line < pair[1].line));
                prop_assert!(rows.first().is_none_or(|row| row.line > 0));
            }
            Err(error) => prop_assert!(error.to_string().chars().all(|c| !c.is_control())),
        }
    }

    #[test]
    fn the_first_invalid_byte_is_where_the_standard_library_says(
        head in "[a-z订é𠮷\n]{0,40}", tail in proptest::collection::vec(any::<u8>(), 1..8),
    ) {
        let bytes = [head.as_bytes(), &tail, b"\xff\n"].concat();
        let expected = std::str::from_utf8(&bytes).unwrap_err().valid_up_to() as u64;
        if let Err(InputError::UnknownText { offset, .. }) = Case::new(&bytes).open() {
            prop_assert_eq!(offset, expected);
        }
    }
}
