//! The files of a report folder: their names, what is known of each by its bytes, and JSON.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The manifest: written last, it lists every other file.
pub const MANIFEST_FILE: &str = "manifest.json";
/// Verdict, population and control totals.
pub const SUMMARY_FILE: &str = "summary.json";
/// The facts of orders.
pub const FACTS_FILE: &str = "run_orders.parquet";
/// What the report is made from beside the facts.
pub const EVIDENCE_FILE: &str = "evidence.jsonl";
/// What the provider's list says of the input.
pub const COMPLETENESS_FILE: &str = "completeness.json";
/// The page for people.
pub const HTML_FILE: &str = "report.html";
/// The workbook for people.
pub const XLSX_FILE: &str = "report.xlsx";

/// One file of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    /// Its name.
    pub name: String,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// A file of a report that is the one its manifest lists. What is read is what was proved: it is not opened again.
#[derive(Debug)]
pub struct ProvenFile {
    path: PathBuf,
    file: File,
}

impl ProvenFile {
    /// The file at that path, which was proved and is open.
    pub(super) const fn new(path: PathBuf, file: File) -> Self {
        Self { path, file }
    }

    /// Its path as the user would name it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A handle to read it from its beginning. All handles of a file have their place in common: one reads at a time.
    ///
    /// # Errors
    /// When the system has no more handles.
    pub fn reader(&self) -> io::Result<File> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        Ok(file)
    }
}

/// SHA-256 in hex and size in bytes of a file.
///
/// # Errors
/// When it can't be read.
pub fn hash_file(path: &Path) -> io::Result<(String, u64)> {
    hash(File::open(path)?)
}

/// SHA-256, in hex, and size of what is left to read.
pub(super) fn hash(mut from: impl Read) -> io::Result<(String, u64)> {
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok((hex::encode(hash.finalize()), bytes)),
            count => {
                hash.update(&buffer[..count]);
                bytes += count as u64;
            }
        }
    }
}

/// Writes a JSON file, indented and with a newline at the end; returns the bytes that it holds.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    fs::write(path, &text)?;
    Ok(text)
}
