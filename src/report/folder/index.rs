//! `index.html`: the page over all reports of a reports folder. The same reports give the same bytes.
//!
//! It shows what each `summary.json` says whose hash its manifest lists. Only `tieout verify` proves a report.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Read, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::nights::{self, Night};
use super::publish::{FileError, PublishError, StagedFile};
use super::{FolderError, open_regular};
use crate::language::Language;
use crate::report::content::night_list::{NightFacts, NightFigures, NightKind, NightList, NightRow, SummaryFields};
use crate::report::files::{HTML_FILE, INDEX_FILE, SUMMARY_FILE};
use crate::report::formats::html::nights as page;

/// The largest `summary.json` that is read, in bytes. Like a manifest, it holds the waivers.
const SUMMARY_BYTES: u64 = super::MANIFEST_BYTES;

/// Why the page can't be written. The reports are complete all the same.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Something that tieout did not write is in its place.
    #[error("{} is not a page of tieout ({found}), so it was left as it is", path.display())]
    NotOurs {
        /// Where the page belongs.
        path: PathBuf,
        /// What is there instead.
        found: String,
    },
    /// The reports can't be listed.
    #[error(transparent)]
    Reports(#[from] PublishError),
    /// The page can't be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Writes the page over all reports directly below a folder, in the language of the one that was made last.
///
/// # Errors
/// [`IndexError`] says what is in the way. The earlier page, or what else is in its place, then stays.
pub fn write(folder: &Path) -> Result<(), IndexError> {
    let path = folder.join(INDEX_FILE);
    check_ours(&path)?;
    let mut rows = Vec::new();
    let mut last: Option<((Timestamp, String), Language)> = None;
    nights::each(folder, |place, opened| {
        if let Ok(night) = &opened {
            let made = (night.stamp().finished_at, night.name());
            if last.as_ref().is_none_or(|(last, _)| *last < made) {
                last = Some((made, night.stamp().options.language));
            }
        }
        rows.extend(row(&place, opened));
    })?;
    let language = last.map(|(_, language)| language).unwrap_or_default();
    let list = NightList::of(rows);
    StagedFile::create(&path)?.publish(|file| {
        let mut out = BufWriter::new(file);
        page::write(&list, language, &mut out)?;
        out.flush()
    })?;
    Ok(())
}

/// Checks that nothing is there, or a page that tieout wrote.
fn check_ours(path: &Path) -> Result<(), IndexError> {
    let not_ours = |found: String| IndexError::NotOurs { path: path.to_owned(), found };
    let Some(file) = open_regular(path, path).map_err(|error| not_ours(error.in_report()))? else { return Ok(()) };
    let mut beginning = Vec::new();
    let read: io::Result<usize> = file.take(page::BEGINNING).read_to_end(&mut beginning);
    read.map_err(|error| not_ours(error.to_string()))?;
    if page::is_ours(&beginning) { Ok(()) } else { Err(not_ours("its beginning differs".to_owned())) }
}

/// The row of a folder; `None` for one that is not a report, unless it has the name of one: then its manifest is gone.
fn row(place: &Path, opened: Result<Night, FolderError>) -> Option<NightRow> {
    let name = place.file_name().unwrap_or_default();
    let link = format!("./{}/", encoded(name.as_bytes()));
    let name = name.to_string_lossy().into_owned();
    let is_report = !matches!(opened, Err(FolderError::NotAReport { .. }));
    let row = match opened {
        Err(error) => NightRow { name, link, facts: None, figures: Err(error.in_report()) },
        Ok(night) => {
            let page = night.report.stamp(HTML_FILE).map_or("", |file| &file.name);
            let link = format!("{link}{page}");
            NightRow { name, link, facts: Some(facts(&night)), figures: figures(&night) }
        }
    };
    Some(row).filter(|row| is_report || row.as_of().is_some())
}

/// A file name as a part of an address: whatever is not plain stands as `%` and two hex digits.
fn encoded(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(*byte)),
            _ => _ = write!(text, "%{byte:02X}"),
        }
    }
    text
}

fn facts(night: &Night) -> NightFacts {
    let stamp = night.stamp();
    let close = stamp.dataset.as_ref().and_then(|dataset| dataset.close);
    NightFacts {
        as_of: stamp.as_of,
        finished_at: stamp.finished_at,
        zone: stamp.settings.timezone.clone(),
        base_url: stamp.base_url.clone(),
        account: stamp.options.account.clone(),
        kind: match close {
            Some(close) => NightKind::Close(close.month),
            None if night.is_of_a_run() => NightKind::Night,
            None => NightKind::Audit,
        },
    }
}

/// The figures of a report by its summary, or what is wrong with that.
fn figures(night: &Night) -> Result<NightFigures, String> {
    let of_file = |problem: String| format!("{SUMMARY_FILE}: {problem}");
    if night.report.stamp(SUMMARY_FILE).is_some_and(|stamp| stamp.bytes > SUMMARY_BYTES) {
        return Err(of_file(format!("it has more than {SUMMARY_BYTES} bytes")));
    }
    let proven = night.report.prove(SUMMARY_FILE).map_err(|error| error.in_report())?;
    let mut text = Vec::new();
    let read = proven.reader().and_then(|file| file.take(SUMMARY_BYTES).read_to_end(&mut text));
    read.map_err(|error| of_file(error.to_string()))?;
    let fields: SummaryFields = serde_json::from_slice(&text).map_err(|error| of_file(error.to_string()))?;
    let stamp = night.stamp();
    let said =
        |verdict: &str, exit_code: u8, as_of: Timestamp| format!("{verdict}, exit code {exit_code}, as of {as_of}");
    let (there, here) =
        (said(&fields.verdict, fields.exit_code, fields.as_of), said(&stamp.verdict, stamp.exit_code, stamp.as_of));
    if there != here {
        return Err(of_file(format!("it says {there}, the manifest {here}")));
    }
    fields.figures().map_err(of_file)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::report::folder::manifest::Stamp;

    #[test]
    fn addresses_have_only_plain_characters() {
        assert_eq!(encoded(b"20260601T000000Z-2"), "20260601T000000Z-2");
        assert_eq!(encoded("javascript:\"é".as_bytes()), "javascript%3A%22%C3%A9");
        assert_eq!(encoded(b"a/%\xff"), "a%2F%25%FF");
    }

    #[test]
    fn what_is_not_ours_is_left_alone() {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join(INDEX_FILE);
        write(place.path()).expect("nothing is there");
        let ours = fs::read(&path).expect("a page");
        write(place.path()).expect("ours is there");
        assert_eq!(fs::read(&path).expect("a page"), ours, "the same reports, the same bytes");

        let elsewhere = place.path().join("elsewhere");
        let refused = |found: &str| {
            let error = write(place.path()).expect_err("not ours").to_string();
            assert!(error.contains(found), "{error}");
        };
        fs::write(&path, "<!doctype html>\n<html lang=\"en\">\n<title>Mine</title>").expect("writable");
        refused("its beginning differs");
        assert!(fs::read_to_string(&path).expect("there").contains("Mine"));
        fs::rename(&path, &elsewhere).expect("writable");
        fs::write(&elsewhere, &ours).expect("writable");
        symlink("elsewhere", &path).expect("a link");
        refused("it is not a regular file");
        assert!(path.is_symlink());
        fs::remove_file(&path).expect("writable");
        fs::create_dir(&path).expect("writable");
        refused("it is not a regular file");
        assert_eq!(fs::read_dir(place.path()).expect("readable").count(), 2, "nothing else is left");
    }

    #[test]
    fn a_folder_that_lost_its_manifest_is_listed_and_others_are_not() {
        let place = tempfile::tempdir().expect("a folder");
        for name in ["20260601T000000Z", "20260602T000000Z-2", "notes"] {
            fs::create_dir(place.path().join(name)).expect("writable");
        }
        let report = place.path().join("20260603T000000Z");
        fs::create_dir(&report).expect("writable");
        Stamp::default().write(&report).expect("writable");
        write(place.path()).expect("written");
        let page = fs::read_to_string(place.path().join(INDEX_FILE)).expect("a page");
        assert_eq!(page.matches("reason\">it holds no manifest.json").count(), 2);
        assert!(page.contains("manifest.json does not list it"), "a report without a summary");
        assert!(!page.contains("notes"));
        assert!(!page.contains(&place.path().display().to_string()), "no paths of this machine");
    }
}
