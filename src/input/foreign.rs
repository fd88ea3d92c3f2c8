//! Files that are no tables, told by how they begin.

/// What a file is, and what to do instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Foreign {
    /// What it is.
    pub(super) what: &'static str,
    /// What to do.
    pub(super) instead: &'static str,
}

/// How much of the beginning is looked at, in bytes.
pub(super) const BEGINNING: usize = 1024;

const EXPORT: &str = "export the table as CSV or as a workbook";
const UNPACK: &str = "unpack it and name the table in it";

/// What a file that begins so is, if it is no table.
pub(super) fn told_by(beginning: &[u8]) -> Option<Foreign> {
    let foreign = |what, instead| Some(Foreign { what, instead });
    match beginning {
        [b'P', b'K', 3 | 5 | 7, ..] => return foreign("a ZIP archive, and not a workbook", UNPACK),
        [b'R', b'a', b'r', b'!', ..] => return foreign("a RAR archive", UNPACK),
        [b'7', b'z', 0xbc, 0xaf, ..] => return foreign("a 7z archive", UNPACK),
        [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', ..] => return foreign("a bzip2 file", UNPACK),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => return foreign("an xz file", UNPACK),
        [b'%', b'P', b'D', b'F', ..] => return foreign("a PDF", EXPORT),
        [b'P', b'A', b'R', b'1', ..] => return foreign("a Parquet file", EXPORT),
        [b'S', b'Q', b'L', b'i', b't', b'e', b' ', b'f', ..] => return foreign("an SQLite database", EXPORT),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => return foreign("a document of an old Office", EXPORT),
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
    fn what_is_no_table_is_named() {
        let what = |text: &[u8]| told_by(text).map(|foreign| foreign.what);
        assert_eq!(what(b"<!DOCTYPE html>"), Some("HTML"));
        assert_eq!(what(b"\xef\xbb\xbf\n <table>"), Some("HTML"));
        assert_eq!(what(b"<?xml version=\"1.0\"?>"), Some("XML"));
        assert_eq!(what(b"{\n  \"code\": 500}"), Some("JSON"));
        assert_eq!(what(b"[ {\"id\": 1}]"), Some("JSON"));
        assert_eq!(what(b"PK\x03\x04"), Some("a ZIP archive, and not a workbook"));
        assert_eq!(what(b"%PDF-1.7"), Some("a PDF"));
        for text in ["", "run_order_id\n", "<1>,2", "{wfrun_1}", "[wfrun_1]", "PK,2", "wfrun_1"] {
            assert_eq!(what(text.as_bytes()), None, "{text:?}");
        }
    }
}
