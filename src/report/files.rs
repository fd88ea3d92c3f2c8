//! The files of a report folder: their names, sizes and hashes, and how JSON is written.

use std::env;
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The manifest: written last, it lists every other file.
pub const MANIFEST_FILE: &str = "manifest.json";
/// Verdict, population and control totals.
pub const SUMMARY_FILE: &str = "summary.json";
/// The billing facts of every fetched order, one row each.
pub const FACTS_FILE: &str = "run_orders.parquet";
/// The evidence that is not in the facts: exceptions, our own books, earlier findings.
pub const EVIDENCE_FILE: &str = "evidence.jsonl";
/// What the provider's list of orders says about the input.
pub const COMPLETENESS_FILE: &str = "completeness.json";
/// The files of a dataset that the orders come from, if they do.
pub const SOURCES_FILE: &str = "sources.json";
/// The report as a web page, for people.
pub const HTML_FILE: &str = "report.html";
/// The report as a workbook, for people.
pub const XLSX_FILE: &str = "report.xlsx";
/// The page over all reports of a reports folder; it is beside them, not in one.
pub const INDEX_FILE: &str = "index.html";

/// One file of a report, as the manifest lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    /// Its name in the report folder.
    pub name: String,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// An open file of a report whose size and hash match the manifest, or that this process has just written. It is read by
/// the handle that was checked: the file is not opened again.
#[derive(Debug)]
pub struct ProvenFile {
    path: PathBuf,
    file: File,
}

impl ProvenFile {
    /// Wraps an open file that was checked against the manifest, or just written.
    pub(in crate::report) const fn new(path: PathBuf, file: File) -> Self {
        Self { path, file }
    }

    /// The file's path, as the user would write it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A handle that reads the file from its start. All handles share one position: use one at a time.
    ///
    /// # Errors
    /// When the handle can't be duplicated or rewound.
    pub fn reader(&self) -> io::Result<File> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        Ok(file)
    }
}

/// The SHA-256 (in hex) and the size (in bytes) of a file.
///
/// # Errors
/// When it can't be read.
pub fn hash_file(path: &Path) -> io::Result<(String, u64)> {
    hash(File::open(path)?)
}

/// The SHA-256 of this program, in hex; `None` if the system does not let it read its own file.
#[must_use]
pub fn hash_program() -> Option<&'static str> {
    static HASH: LazyLock<Option<String>> = LazyLock::new(|| {
        // On Linux, this is the program that runs, even if its file has been replaced meanwhile.
        let own = if cfg!(target_os = "linux") { "/proc/self/exe".into() } else { env::current_exe().ok()? };
        Some(hash_file(&own).ok()?.0)
    });
    HASH.as_deref()
}

/// The SHA-256 (in hex) and the size (in bytes) of what is left to read.
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

/// Writes a JSON file, indented and with a final newline; returns the bytes written.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    fs::write(path, &text)?;
    Ok(text)
}
