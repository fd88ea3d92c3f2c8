//! Recognises files that are not tables by their first bytes.

/// A kind of file that is not a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ForeignFile {
    /// Its name in an error message, such as `a PDF`.
    pub(super) what: &'static str,
    /// What the user should do instead.
    pub(super) instead: &'static str,
}

/// How many bytes at the beginning of a file are examined.
pub(super) const EXAMINED_BYTES: usize = 1024;

const EXPORT: &str = "export the table as CSV or as a workbook";
const UNPACK: &str = "unpack it and name the CSV file or workbook inside";
const UNPACK_OR_DAMAGED: &str =
    "unpack it and name the CSV file or workbook inside; if it should be a workbook, it is damaged: get it again";

/// The kind of a file that begins with these bytes; `None` if it may be a table.
pub(super) fn identify(beginning: &[u8]) -> Option<ForeignFile> {
    let foreign = |what, instead| Some(ForeignFile { what, instead });
    match beginning {
        [b'P', b'K', 3 | 5 | 7, ..] => return foreign("a ZIP archive", UNPACK_OR_DAMAGED),
        [b'R', b'a', b'r', b'!', ..] => return foreign("a RAR archive", UNPACK),
        [b'7', b'z', 0xbc, 0xaf, ..] => return foreign("a 7z archive", UNPACK),
        [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', ..] => return foreign("a bzip2 file", UNPACK),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => return foreign("an xz file", UNPACK),
        [b'%', b'P', b'D', b'F', ..] => return foreign("a PDF", EXPORT),
        [b'P', b'A', b'R', b'1', ..] => return foreign("a Parquet file", EXPORT),
        [b'S', b'Q', b'L', b'i', b't', b'e', b' ', b'f', ..] => return foreign("an SQLite database", EXPORT),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => return foreign("an old Office document", EXPORT),
        _ => {}
    }
    let text = beginning.strip_prefix("\u{feff}".as_bytes()).unwrap_or(beginning).trim_ascii_start();
    let rest = text.get(1..).unwrap_or_default().trim_ascii_start();
    match (text.first(), rest.first()) {
        (Some(b'<'), Some(b'!' | b'?' | b'a'..=b'z' | b'A'..=b'Z')) => {
            let is_xml = rest.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"?xml"));
            foreign(if is_xml { "XML" } else { "HTML" }, EXPORT)
        }
        (Some(b'{'), Some(b'"' | b'}') | None) | (Some(b'['), Some(b'{' | b'[' | b'"' | b']')) => {
            foreign("JSON", EXPORT)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_not_tables_are_named() {
        let what = |text: &[u8]| identify(text).map(|foreign| foreign.what);
        assert_eq!(what(b"<!DOCTYPE html>"), Some("HTML"));
        assert_eq!(what(b"\xef\xbb\xbf\n <table>"), Some("HTML"));
        assert_eq!(what(b"<?xml version=\"1.0\"?>"), Some("XML"));
        assert_eq!(what(b"{\n  \"code\": 500}"), Some("JSON"));
        assert_eq!(what(b"[ {\"id\": 1}]"), Some("JSON"));
        assert_eq!(what(b"PK\x03\x04"), Some("a ZIP archive"));
        assert_eq!(what(b"%PDF-1.7"), Some("a PDF"));
        for text in ["", "run_order_id\n", "<1>,2", "{wfrun_1}", "[wfrun_1]", "PK,2", "wfrun_1"] {
            assert_eq!(what(text.as_bytes()), None, "{text:?}");
        }
    }
}
