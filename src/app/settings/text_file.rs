//! Small text files of the user: settings, waivers and the key.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use encoding_rs::{Encoding, UTF_8};

/// The text of a file or character device of at most `most` bytes, in UTF-8 or, by its byte order mark, UTF-16, as
/// programs on Windows write it.
pub(super) fn read(path: &Path, most: u64) -> io::Result<String> {
    // A pipe could block its reader for ever; a device such as /dev/null does not.
    let found = fs::metadata(path)?.file_type();
    if !found.is_file() && !found.is_char_device() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("it is larger than {most} bytes")));
    }
    let encoding = Encoding::for_bom(&bytes).map_or(UTF_8, |(encoding, _)| encoding);
    let (text, _, has_errors) = encoding.decode(&bytes);
    if has_errors {
        return Err(io::Error::other(format!("it is not text in {}", encoding.name())));
    }
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_as_programs_write_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("f.toml");
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        for bytes in
            ["rate = 5 # 每秒".as_bytes().to_vec(), "\u{feff}rate = 5 # 每秒".into(), utf16("\u{feff}rate = 5 # 每秒")]
        {
            fs::write(&path, bytes).expect("writable");
            assert_eq!(read(&path, 64).expect("readable"), "rate = 5 # 每秒");
        }
        for (bytes, problem) in [
            (b"\xc4\xff".to_vec(), "it is not text in UTF-8"),
            (b"\xff\xfe\x00\xd8\x41\x00".to_vec(), "it is not text in UTF-16LE"),
            (vec![b' '; 65], "it is larger than 64 bytes"),
        ] {
            fs::write(&path, bytes).expect("writable");
            assert_eq!(read(&path, 64).expect_err("unreadable").to_string(), problem);
        }
        assert_eq!(read(Path::new("/dev/null"), 64).expect("readable"), "");
        assert_eq!(read(Path::new("/dev/zero"), 64).expect_err("endless").to_string(), "it is larger than 64 bytes");
        assert_eq!(read(folder.path(), 64).expect_err("unreadable").to_string(), "it is not a regular file");
        assert_eq!(read(&folder.path().join("none"), 64).expect_err("unreadable").kind(), io::ErrorKind::NotFound);
    }
}
