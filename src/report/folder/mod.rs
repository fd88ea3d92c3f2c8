//! Opens report folders safely: they may come from anywhere. Everything that reads a report goes through this
//! module.
//!
//! It reads only regular files, never through a link, and never more bytes than the manifest lists: a pipe
//! would block its reader, and a device may never end.

pub mod chain;
pub mod index;
pub mod manifest;
pub mod nights;
pub mod publish;
pub mod retention;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use serde::Deserialize;
use serde_json::Value;

use self::manifest::{FORMAT, KIND, Manifest};
use crate::report::files::{self, FileStamp, MANIFEST_FILE, ProvenFile};

/// The largest manifest that is read, in bytes. Most have a few kilobytes. Only waivers can be many, at some
/// 300 bytes each: this is room for 200,000.
pub const MANIFEST_BYTES: u64 = 64 << 20;
/// How many characters an error shows of a name or a hash from outside.
const SHOWN: usize = 64;

/// Why a folder, or a file in it, can't be read as part of a report.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The user named something that is not a report.
    #[error("{} is not a tieout report: {found}", path.display())]
    NotAReport {
        /// The path as the user named it.
        path: PathBuf,
        /// What is there instead.
        found: String,
    },
    /// A file differs from what the manifest lists, or is not valid.
    #[error("{}: {problem}; run `tieout verify` for details", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file can't be read.
    #[error("can't read {}: {source}; check its permissions and the disk", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
}

impl FolderError {
    fn not_a_report(path: &Path, found: impl Into<String>) -> Self {
        Self::NotAReport { path: path.to_owned(), found: found.into() }
    }

    /// What is wrong, for a place that names the report: by the file's name, and without advice.
    #[must_use]
    pub fn in_report(&self) -> String {
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match self {
            Self::NotAReport { found, .. } => found.clone(),
            Self::Damaged { path, problem } => format!("{}: {problem}", name(path)),
            Self::Unreadable { path, source } => format!("{} can't be read: {source}", name(path)),
        }
    }

    pub(in crate::report) fn damaged(path: &Path, problem: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), problem: problem.into() }
    }

    pub(in crate::report) fn unreadable(path: &Path) -> impl Fn(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Unreadable { path: path.clone(), source }
    }
}

/// An open report folder. Its manifest was read once, and lists each file once, under a plain name.
#[derive(Clone, Debug)]
pub struct ReportFolder {
    /// The path as the user named it.
    named: PathBuf,
    /// The real path, resolved once: a link may point at a different report later.
    real_path: PathBuf,
    manifest: Value,
    files: Vec<FileStamp>,
    manifest_sha256: String,
}

impl ReportFolder {
    /// Opens the folder that the user named, which may be a link to one.
    ///
    /// # Errors
    /// [`FolderError`] says what is there instead, or what is wrong with the manifest.
    pub fn open(named: &Path) -> Result<Self, FolderError> {
        let real_path = fs::canonicalize(named).map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => {
                FolderError::not_a_report(named, "there is no such folder")
            }
            _ => FolderError::unreadable(named)(error),
        })?;
        if !real_path.is_dir() {
            return Err(FolderError::not_a_report(named, "it is a file; name the folder"));
        }
        let shown = named.join(MANIFEST_FILE);
        let text = manifest_text(&real_path, &shown)?
            .ok_or_else(|| FolderError::not_a_report(named, format!("it holds no {MANIFEST_FILE}")))?;
        let (manifest, files) = parse(&text, named, &shown)?;
        let (manifest_sha256, _) = files::hash(&*text).map_err(FolderError::unreadable(&shown))?;
        Ok(Self { named: named.to_owned(), real_path, manifest, files, manifest_sha256 })
    }

    /// The manifest, or the part of it that `T` holds.
    ///
    /// # Errors
    /// [`FolderError::Damaged`] where a field is missing or not valid.
    pub(in crate::report) fn read<T: for<'de> Deserialize<'de>>(&self) -> Result<T, FolderError> {
        T::deserialize(&self.manifest).map_err(|error| {
            FolderError::damaged(&self.path(MANIFEST_FILE), format!("it is not a valid manifest ({error})"))
        })
    }

    /// The whole manifest.
    ///
    /// # Errors
    /// [`FolderError::Damaged`] where a field is missing or not valid.
    pub fn manifest(&self) -> Result<Manifest, FolderError> {
        self.read()
    }

    /// SHA-256 of the manifest, in hex. It identifies exactly this report.
    #[must_use]
    pub fn manifest_sha256(&self) -> &str {
        &self.manifest_sha256
    }

    /// The folder's real path, links resolved.
    #[must_use]
    pub fn real_path(&self) -> &Path {
        &self.real_path
    }

    /// The path of a file, as the user would write it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.named.join(name)
    }

    /// The files that the manifest lists.
    #[must_use]
    pub fn files(&self) -> &[FileStamp] {
        &self.files
    }

    /// The manifest's entry for a file; `None` if it does not list the file.
    #[must_use]
    pub fn stamp(&self, name: &str) -> Option<&FileStamp> {
        self.files.iter().find(|stamp| stamp.name == name)
    }

    /// Opens a file that the manifest lists, without checking its content.
    ///
    /// # Errors
    /// [`FolderError`] where it is not listed, missing, or not a regular file.
    pub fn open_listed(&self, name: &str) -> Result<File, FolderError> {
        Ok(self.open_with_stamp(name)?.1)
    }

    fn open_with_stamp(&self, name: &str) -> Result<(&FileStamp, File), FolderError> {
        let path = self.path(name);
        let damaged = |problem: &str| FolderError::damaged(&path, format!("{MANIFEST_FILE} {problem}"));
        let stamp = self.stamp(name).ok_or_else(|| damaged("does not list it"))?;
        let file = open_regular(&self.real_path.join(name), &path)?;
        Ok((stamp, file.ok_or_else(|| damaged("lists it, but it is not there"))?))
    }

    /// Opens a file and checks its size and hash against the manifest.
    ///
    /// # Errors
    /// [`FolderError`] says how the file differs, or why it can't be read.
    pub fn prove(&self, name: &str) -> Result<ProvenFile, FolderError> {
        let (stamp, mut file) = self.open_with_stamp(name)?;
        let path = self.path(name);
        match difference(stamp, &mut file) {
            Ok(None) => Ok(ProvenFile::new(path, file)),
            Ok(Some(problem)) => Err(FolderError::damaged(&path, problem)),
            Err(error) => Err(FolderError::unreadable(&path)(error)),
        }
    }

    /// The sorted names of what is in the folder but not in the manifest.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn unlisted(&self) -> Result<Vec<String>, FolderError> {
        let failed = FolderError::unreadable(&self.named);
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.real_path).map_err(&failed)? {
            let name = entry.map_err(&failed)?.file_name().to_string_lossy().into_owned();
            if name != MANIFEST_FILE && self.stamp(&name).is_none() {
                found.push(name);
            }
        }
        found.sort();
        Ok(found)
    }
}

/// How a file differs from the manifest's entry. `None` if it does not; the file is then rewound to its
/// start.
fn difference(stamp: &FileStamp, file: &mut File) -> io::Result<Option<String>> {
    let there = file.metadata()?.len();
    // Checked before hashing: a sparse file of any size is made in no time.
    if there != stamp.bytes {
        return Ok(Some(format!("it has {there} bytes, {MANIFEST_FILE} says {}", stamp.bytes)));
    }
    // One byte more than listed, to notice a file that grows while it is read.
    let (sha256, bytes) = files::hash(Read::by_ref(file).take(stamp.bytes.saturating_add(1)))?;
    file.rewind()?;
    Ok(if bytes != stamp.bytes {
        Some("it changed while it was read".to_owned())
    } else if sha256 != stamp.sha256 {
        Some(format!(
            "its SHA-256 is {sha256}, {MANIFEST_FILE} says {}",
            stamp.sha256.chars().take(SHOWN).collect::<String>()
        ))
    } else {
        None
    })
}

/// Checks that the folder holds a tieout report of any version and nothing else, or is empty.
///
/// # Errors
/// [`FolderError::NotAReport`] names something else that is there.
pub(in crate::report) fn holds_only_a_report(place: &Path) -> Result<(), FolderError> {
    let failed = FolderError::unreadable(place);
    let shown = place.join(MANIFEST_FILE);
    let text = manifest_text(place, &shown)?;
    let listing = text.map(|text| listing(&text)).and_then(Result::ok).filter(|listing| listing.kind == KIND);
    let names = listing.as_ref().map(|listing| listing.files.iter().map(|file| &*file.name).collect::<BTreeSet<_>>());
    let is_listed = |name: &str| names.as_ref().is_some_and(|names| name == MANIFEST_FILE || names.contains(name));
    for entry in fs::read_dir(place).map_err(&failed)? {
        let entry = entry.map_err(&failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // Links, pipes and folders are not part of any report, whatever the manifest lists.
        let is_file = entry.file_type().map_err(&failed)?.is_file();
        if !is_file || !is_listed(&name) {
            return Err(FolderError::not_a_report(
                place,
                format!("it holds {}, which is not part of one", name.escape_debug()),
            ));
        }
    }
    Ok(())
}

/// The fields that every version of the manifest has.
#[derive(Deserialize)]
struct Listing {
    kind: String,
    files: Vec<FileStamp>,
}

fn listing(text: &[u8]) -> serde_json::Result<Listing> {
    serde_json::from_slice(text)
}

/// The bytes of the manifest in a folder; `None` if there is none.
fn manifest_text(place: &Path, shown: &Path) -> Result<Option<Vec<u8>>, FolderError> {
    let Some(file) = open_regular(&place.join(MANIFEST_FILE), shown)? else { return Ok(None) };
    let mut text = Vec::new();
    file.take(MANIFEST_BYTES + 1).read_to_end(&mut text).map_err(FolderError::unreadable(shown))?;
    if text.len() as u64 > MANIFEST_BYTES {
        return Err(FolderError::damaged(shown, format!("it has more than {MANIFEST_BYTES} bytes")));
    }
    Ok(Some(text))
}

fn parse(text: &[u8], named: &Path, shown: &Path) -> Result<(Value, Vec<FileStamp>), FolderError> {
    let damaged = |problem: String| FolderError::damaged(shown, problem);
    let json: Value = serde_json::from_slice(text).map_err(|error| damaged(format!("it is not JSON ({error})")))?;
    if json.get("kind").and_then(Value::as_str) != Some(KIND) {
        return Err(FolderError::not_a_report(named, format!("its {MANIFEST_FILE} is not from tieout")));
    }
    match json.get("format").and_then(Value::as_u64) {
        Some(format) if format == u64::from(FORMAT) => {}
        format => {
            let format = format.map_or_else(|| "none".to_owned(), |format| format.to_string());
            return Err(damaged(format!("its format is {format}, but this version of tieout reads format {FORMAT}")));
        }
    }
    // Parsed from the text, since the value keeps only one of several members with the same name.
    let Listing { files, .. } =
        listing(text).map_err(|error| damaged(format!("it is not a valid manifest ({error})")))?;
    let mut names = BTreeSet::new();
    for FileStamp { name, .. } in &files {
        if !is_plain(name) {
            return Err(damaged(format!("it lists {}, which can't be a file of a report", excerpt(name))));
        }
        if !names.insert(name) {
            return Err(damaged(format!("it lists {} twice", excerpt(name))));
        }
    }
    Ok((json, files))
}

/// Whether a name can be a listed file: visible, directly in the folder, and not the manifest itself.
fn is_plain(name: &str) -> bool {
    let is_visible = !name.is_empty() && !name.starts_with('.');
    is_visible && name != MANIFEST_FILE && !name.contains(['/', '\\']) && !name.contains(char::is_control)
}

/// Opens a regular file, never through a link; `None` if nothing is there.
fn open_regular(path: &Path, shown: &Path) -> Result<Option<File>, FolderError> {
    let failed = FolderError::unreadable(shown);
    let irregular = || FolderError::damaged(shown, "it is not a regular file");
    // Checked before opening: opening a device may start it.
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
        Ok(found) if !found.is_file() => return Err(irregular()),
        Ok(_) => {}
    }
    // Checked again once open, since the file may have been exchanged. NONBLOCK: opening a pipe must not
    // wait.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
    let file = File::from(file);
    if file.metadata().map_err(failed)?.is_file() { Ok(Some(file)) } else { Err(irregular()) }
}

/// The start of a text from outside, quoted for an error.
fn excerpt(text: &str) -> String {
    format!("{:?}", text.chars().take(SHOWN).collect::<String>())
}
