//! A report folder, opened safely: it may come from anywhere. Whoever reads a report goes through here.
//!
//! Only regular files are read, never through a link, and never more than the manifest says: a pipe would keep its reader
//! waiting, a device may never end.

pub mod chain;
pub mod manifest;
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

/// The largest manifest that is read. One has some ten files and a few kilobytes; what may be many in it are waivers, with some 300 bytes
/// each: this is room for 200,000.
pub const MANIFEST_BYTES: u64 = 64 << 20;
/// How many characters of a name or a hash from outside an error shows.
const SHOWN: usize = 64;

/// Why a folder can't be used as a report, or a file of it.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// What was named is no report.
    #[error("{} is no report of tieout: {found}", path.display())]
    NotAReport {
        /// What was named.
        path: PathBuf,
        /// What is there.
        found: String,
    },
    /// A file is not what the manifest says, or the manifest not what manifests are.
    #[error("{}: {problem}; `tieout verify` tells more", path.display())]
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
        /// What the operating system says.
        source: io::Error,
    },
}

impl FolderError {
    fn not_a_report(path: &Path, found: impl Into<String>) -> Self {
        Self::NotAReport { path: path.to_owned(), found: found.into() }
    }

    pub(in crate::report) fn damaged(path: &Path, problem: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), problem: problem.into() }
    }

    pub(in crate::report) fn unreadable(path: &Path) -> impl Fn(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Unreadable { path: path.clone(), source }
    }
}

/// A report folder of ours. Its manifest was read once, and lists each file under a plain name, once.
#[derive(Debug)]
pub struct ReportFolder {
    /// As the user named it.
    named: PathBuf,
    /// Where it really is: a link may be pointed at another report meanwhile.
    place: PathBuf,
    manifest: Value,
    files: Vec<FileStamp>,
    manifest_sha256: String,
}

impl ReportFolder {
    /// Opens what the user named: a folder, or a link to one.
    ///
    /// # Errors
    /// [`FolderError`] says what it is instead, or what is wrong with its manifest.
    pub fn open(named: &Path) -> Result<Self, FolderError> {
        let place = fs::canonicalize(named).map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => {
                FolderError::not_a_report(named, "there is no such folder")
            }
            _ => FolderError::unreadable(named)(error),
        })?;
        if !place.is_dir() {
            return Err(FolderError::not_a_report(named, "it is a file; name the folder"));
        }
        let shown = named.join(MANIFEST_FILE);
        let text = manifest_text(&place, &shown)?
            .ok_or_else(|| FolderError::not_a_report(named, format!("it holds no {MANIFEST_FILE}")))?;
        let (manifest, files) = parse(&text, named, &shown)?;
        let (manifest_sha256, _) = files::hash(&*text).map_err(FolderError::unreadable(&shown))?;
        Ok(Self { named: named.to_owned(), place, manifest, files, manifest_sha256 })
    }

    /// What the manifest says, or as much of it as `T` holds.
    ///
    /// # Errors
    /// [`FolderError::Damaged`] where it lacks something.
    pub(in crate::report) fn read<T: for<'de> Deserialize<'de>>(&self) -> Result<T, FolderError> {
        T::deserialize(&self.manifest).map_err(|error| {
            FolderError::damaged(&self.path(MANIFEST_FILE), format!("it lacks what manifests hold ({error})"))
        })
    }

    /// The whole manifest.
    ///
    /// # Errors
    /// [`FolderError::Damaged`] where it lacks something.
    pub fn manifest(&self) -> Result<Manifest, FolderError> {
        self.read()
    }

    /// SHA-256 of the manifest, in hex: the name of exactly this report.
    #[must_use]
    pub fn manifest_sha256(&self) -> &str {
        &self.manifest_sha256
    }

    /// Where it really is, links resolved.
    #[must_use]
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// The path of a file as the user would name it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.named.join(name)
    }

    /// The files that the manifest lists.
    #[must_use]
    pub fn files(&self) -> &[FileStamp] {
        &self.files
    }

    /// What the manifest says of a file; nothing where it does not list it.
    #[must_use]
    pub fn stamp(&self, name: &str) -> Option<&FileStamp> {
        self.files.iter().find(|stamp| stamp.name == name)
    }

    /// Opens a file that the manifest lists, whatever it holds.
    ///
    /// # Errors
    /// [`FolderError`] says what it is instead.
    pub fn open_listed(&self, name: &str) -> Result<File, FolderError> {
        Ok(self.listed(name)?.1)
    }

    fn listed(&self, name: &str) -> Result<(&FileStamp, File), FolderError> {
        let path = self.path(name);
        let damaged = |problem: &str| FolderError::damaged(&path, format!("{MANIFEST_FILE} {problem}"));
        let stamp = self.stamp(name).ok_or_else(|| damaged("does not list it"))?;
        let file = open_regular(&self.place.join(name), &path)?;
        Ok((stamp, file.ok_or_else(|| damaged("lists it, but it is not there"))?))
    }

    /// Opens a file and proves that it is the one the manifest lists.
    ///
    /// # Errors
    /// [`FolderError`] says what it is instead.
    pub fn prove(&self, name: &str) -> Result<ProvenFile, FolderError> {
        let (stamp, mut file) = self.listed(name)?;
        let path = self.path(name);
        match difference(stamp, &mut file) {
            Ok(None) => Ok(ProvenFile::new(path, file)),
            Ok(Some(problem)) => Err(FolderError::damaged(&path, problem)),
            Err(error) => Err(FolderError::unreadable(&path)(error)),
        }
    }

    /// What lies in the folder and is not listed, by name.
    ///
    /// # Errors
    /// When the folder can't be read.
    pub fn unlisted(&self) -> Result<Vec<String>, FolderError> {
        let failed = FolderError::unreadable(&self.named);
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.place).map_err(&failed)? {
            let name = entry.map_err(&failed)?.file_name().to_string_lossy().into_owned();
            if name != MANIFEST_FILE && self.stamp(&name).is_none() {
                found.push(name);
            }
        }
        found.sort();
        Ok(found)
    }
}

/// In what a file is not the one that the manifest lists. Afterwards it is at its beginning.
fn difference(stamp: &FileStamp, file: &mut File) -> io::Result<Option<String>> {
    let there = file.metadata()?.len();
    // Before it is hashed: a file of any size can be made in no time.
    if there != stamp.bytes {
        return Ok(Some(format!("it has {there} bytes, {MANIFEST_FILE} says {}", stamp.bytes)));
    }
    // One byte more, to find out if it grows meanwhile.
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

/// Whether the folder holds a report of ours, of whatever version, and nothing else.
///
/// # Errors
/// What else it holds.
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
        // Links, pipes and folders are nobody's report, whatever a manifest says.
        let is_file = entry.file_type().map_err(&failed)?.is_file();
        if !is_file || !is_listed(&name) {
            return Err(FolderError::not_a_report(place, format!("it holds {}", name.escape_debug())));
        }
    }
    Ok(())
}

/// What every version of the manifest has.
#[derive(Deserialize)]
struct Listing {
    kind: String,
    files: Vec<FileStamp>,
}

fn listing(text: &[u8]) -> serde_json::Result<Listing> {
    serde_json::from_slice(text)
}

/// The bytes of the manifest in that folder; `None` where there is none.
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
    let json: Value = serde_json::from_slice(text).map_err(|error| damaged(format!("it is no JSON ({error})")))?;
    if json.get("kind").and_then(Value::as_str) != Some(KIND) {
        return Err(FolderError::not_a_report(named, format!("its {MANIFEST_FILE} is not one of tieout")));
    }
    match json.get("format").and_then(Value::as_u64) {
        Some(format) if format == u64::from(FORMAT) => {}
        format => {
            let format = format.map_or_else(|| "none".to_owned(), |format| format.to_string());
            return Err(damaged(format!("its format is {format}, this version of tieout reads format {FORMAT}")));
        }
    }
    // Not from the value: there, of members with the same name only one is left.
    let Listing { files, .. } =
        listing(text).map_err(|error| damaged(format!("it lacks what manifests hold ({error})")))?;
    let mut names = BTreeSet::new();
    for FileStamp { name, .. } in &files {
        if !is_plain(name) {
            return Err(damaged(format!("it lists {}, which is not the name of a file of a report", excerpt(name))));
        }
        if !names.insert(name) {
            return Err(damaged(format!("it lists {} twice", excerpt(name))));
        }
    }
    Ok((json, files))
}

/// Whether that is the name of a file in the folder itself, and not the manifest's own.
fn is_plain(name: &str) -> bool {
    let is_visible = !name.is_empty() && !name.starts_with('.');
    is_visible && name != MANIFEST_FILE && !name.contains(['/', '\\']) && !name.contains(char::is_control)
}

/// Opens a regular file, not through a link; `None` where there is nothing.
fn open_regular(path: &Path, shown: &Path) -> Result<Option<File>, FolderError> {
    let failed = FolderError::unreadable(shown);
    let irregular = || FolderError::damaged(shown, "it is no regular file");
    // Before it is opened: to open a device may set it going.
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
        Ok(found) if !found.is_file() => return Err(irregular()),
        Ok(_) => {}
    }
    // And again, since it may be another one by now: NONBLOCK so that to open a pipe waits for nobody.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
    let file = File::from(file);
    if file.metadata().map_err(failed)?.is_file() { Ok(Some(file)) } else { Err(irregular()) }
}

/// The beginning of a text from outside, for an error.
fn excerpt(text: &str) -> String {
    format!("{:?}", text.chars().take(SHOWN).collect::<String>())
}
