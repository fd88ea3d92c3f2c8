//! A report folder whose files are proved against its manifest before they are used.

use std::fs::{self, File};
use std::io::{BufReader, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::error::ComparisonError;
use crate::report::csv::Encoding;
use crate::report::manifest::{self, FORMAT, FileStamp, KIND, MANIFEST_FILE};

/// The largest manifest that is read: a report has some ten files.
const MANIFEST_BYTES: u64 = 1 << 20;
/// How many characters of a hash or a version an error shows.
const SHOWN: usize = 64;

/// A report folder of ours.
#[derive(Debug)]
pub(super) struct Folder {
    /// As the user named it.
    named: PathBuf,
    /// Where it really is: a link may be pointed at another report meanwhile.
    place: PathBuf,
    pub(super) listed: Listed,
    /// SHA-256 of the manifest, in hex: the name of exactly this report.
    pub(super) manifest_sha256: String,
}

/// What a comparison needs of a manifest, whatever else later versions put there.
#[derive(Debug, Deserialize)]
pub(super) struct Listed {
    pub(super) as_of: Timestamp,
    pub(super) base_url: String,
    pub(super) settings_sha256: String,
    pub(super) verdict: String,
    #[serde(default)]
    pub(super) csv_encoding: Encoding,
    files: Vec<FileStamp>,
}

impl Folder {
    /// Opens what the user named: a folder, or a link to one.
    pub(super) fn open(named: &Path) -> Result<Self, ComparisonError> {
        let place = fs::canonicalize(named).map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => {
                ComparisonError::not_a_report(named, "there is no such folder")
            }
            _ => ComparisonError::unreadable(named)(error),
        })?;
        if !place.is_dir() {
            return Err(ComparisonError::not_a_report(named, "it is a file; name the folder"));
        }
        let (path, shown) = (place.join(MANIFEST_FILE), named.join(MANIFEST_FILE));
        let file = open_regular(&path, &shown)?
            .ok_or_else(|| ComparisonError::not_a_report(named, format!("it holds no {MANIFEST_FILE}")))?;
        let mut text = Vec::new();
        file.take(MANIFEST_BYTES + 1).read_to_end(&mut text).map_err(ComparisonError::unreadable(&shown))?;
        let listed = parse(&text, named, &shown)?;
        let (manifest_sha256, _) = manifest::hash(&*text).map_err(ComparisonError::unreadable(&shown))?;
        Ok(Self { named: named.to_owned(), place, listed, manifest_sha256 })
    }

    /// The path of a file as the user would name it.
    pub(super) fn shown(&self, name: &str) -> PathBuf {
        self.named.join(name)
    }

    /// Opens a file and proves that it is the one the manifest lists. What is read is what was proved: nothing is opened
    /// twice.
    pub(super) fn file(&self, name: &str) -> Result<File, ComparisonError> {
        let shown = self.shown(name);
        let damaged = |problem: String| ComparisonError::damaged(&shown, problem);
        let stamp = self.listed.files.iter().find(|stamp| stamp.name == name);
        let stamp = stamp.ok_or_else(|| damaged(format!("{MANIFEST_FILE} does not list it")))?;
        let mut file = open_regular(&self.place.join(name), &shown)?
            .ok_or_else(|| damaged(format!("{MANIFEST_FILE} lists it, but it is not there")))?;
        let failed = ComparisonError::unreadable(&shown);
        let there = file.metadata().map_err(&failed)?.len();
        if there != stamp.bytes {
            return Err(damaged(format!("it has {there} bytes, {MANIFEST_FILE} says {}", stamp.bytes)));
        }
        let (sha256, bytes) = manifest::hash(BufReader::new(&mut file)).map_err(&failed)?;
        if sha256 != stamp.sha256 || bytes != stamp.bytes {
            let expected: String = stamp.sha256.chars().take(SHOWN).collect();
            return Err(damaged(format!("its SHA-256 is {sha256}, {MANIFEST_FILE} says {expected}")));
        }
        file.rewind().map_err(&failed)?;
        Ok(file)
    }
}

fn parse(text: &[u8], named: &Path, shown: &Path) -> Result<Listed, ComparisonError> {
    let damaged = |problem: String| ComparisonError::damaged(shown, problem);
    if text.len() as u64 > MANIFEST_BYTES {
        return Err(damaged(format!("it has more than {MANIFEST_BYTES} bytes")));
    }
    let json: Value = serde_json::from_slice(text).map_err(|error| damaged(format!("it is no JSON ({error})")))?;
    if json.get("kind").and_then(Value::as_str) != Some(KIND) {
        return Err(ComparisonError::not_a_report(named, format!("its {MANIFEST_FILE} is not one of tieout")));
    }
    match json.get("format").and_then(Value::as_u64) {
        Some(format) if format == u64::from(FORMAT) => {}
        format => {
            let format = format.map_or_else(|| "none".to_owned(), |format| format.to_string());
            return Err(damaged(format!("its format is {format}, this version of tieout reads format {FORMAT}")));
        }
    }
    serde_json::from_value(json).map_err(|error| damaged(format!("it lacks what manifests hold ({error})")))
}

/// Opens a regular file; `None` where there is nothing. A pipe would keep whoever opens it waiting.
fn open_regular(path: &Path, shown: &Path) -> Result<Option<File>, ComparisonError> {
    let failed = ComparisonError::unreadable(shown);
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
        Ok(found) if !found.is_file() => Err(ComparisonError::damaged(shown, "it is no regular file")),
        Ok(_) => File::open(path).map(Some).map_err(failed),
    }
}
