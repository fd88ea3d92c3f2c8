//! `latest` points at the newest report of a folder. It is a symbolic link, or, where links can't be made, a
//! text file with the report's name.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::hidden_folder::HiddenFolder;
use super::{FileSystemLimit, PublishError};

/// The name of the link or of the text file.
const LATEST: &str = "latest";
/// How much of such a text file is read, in bytes: more than the name of a report.
const MAX_TEXT: u64 = 100;

/// The report that `latest` in a folder points at, if there is one.
pub(in crate::report) fn newest(folder: &Path) -> Option<PathBuf> {
    follow(&folder.join(LATEST)).canonicalize().ok().filter(|report| report.is_dir())
}

/// Resolves `latest` where it is a text file: returns the report named in it. Any other path is returned as
/// it is.
#[must_use]
pub fn follow(path: &Path) -> PathBuf {
    match (path.file_name(), named(path)) {
        (Some(name), Some(report)) if name == LATEST => path.with_file_name(report),
        _ => path.to_owned(),
    }
}

/// Checks that `latest` is free, a symbolic link, or a text file of ours.
pub(super) fn check(folder: &Path) -> Result<(), PublishError> {
    let latest = folder.join(LATEST);
    match fs::symlink_metadata(&latest) {
        Ok(found) if !found.is_symlink() && named(&latest).is_none() => Err(PublishError::LatestNotOurs(latest)),
        _ => Ok(()),
    }
}

/// Points `latest` at a report in one step: a reader finds the old report or the new one. Returns the limit
/// of the file system if `latest` had to be a text file.
pub(super) fn point_at(folder: &Path, report: &Path) -> io::Result<Option<FileSystemLimit>> {
    let aside = HiddenFolder::create(folder)?;
    let made = aside.path().join(LATEST);
    let name = report.file_name().unwrap_or_default();
    let limit = match symlink(name, &made) {
        Ok(()) => None,
        // Whatever the reason: if the disk is at fault, writing the text file fails too.
        Err(source) => {
            let mut file = File::create_new(&made)?;
            writeln!(file, "{}", name.to_string_lossy())?;
            file.sync_all()?;
            Some(FileSystemLimit::Links { folder: folder.to_owned(), source })
        }
    };
    fs::rename(made, folder.join(LATEST))?;
    Ok(limit)
}

/// The report's name in a text file of ours; `None` if the path is anything else.
fn named(path: &Path) -> Option<String> {
    fs::symlink_metadata(path).ok()?.is_file().then_some(())?;
    let mut text = String::new();
    File::open(path).ok()?.take(MAX_TEXT).read_to_string(&mut text).ok()?;
    let name = text.strip_suffix('\n')?;
    is_name_of_ours(name).then(|| name.to_owned())
}

/// Whether a name is that of a report folder: a time, then a number from the second report of the same time
/// on.
fn is_name_of_ours(name: &str) -> bool {
    let (time, number) = name.split_once('-').unwrap_or((name, "2"));
    let is_time = |(at, byte): (usize, u8)| match at {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    time.len() == 16 && time.bytes().enumerate().all(is_time) && is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_text_that_names_a_report_is_ours() {
        for name in ["20261123T020000Z", "20261123T020000Z-2", "20261123T020000Z-17"] {
            assert!(is_name_of_ours(name), "{name}");
        }
        for name in
            ["", "notes", "..", "/etc", "20261123T020000Z-", "20261123T020000Z/x", "20261123T020000", "2026-11-23"]
        {
            assert!(!is_name_of_ours(name), "{name}");
        }
        let place = tempfile::tempdir().expect("a folder");
        let latest = place.path().join(LATEST);
        for (text, is_ours) in [("20261123T020000Z\n", true), ("20261123T020000Z", false), ("my notes\n", false)] {
            fs::write(&latest, text).expect("writable");
            assert_eq!(check(place.path()).is_ok(), is_ours, "{text}");
            let meant = follow(&latest);
            assert_eq!(meant == place.path().join("20261123T020000Z"), is_ours, "{text}");
        }
    }
}
