//! Publishes a report folder: complete, or not at all.
//!
//! A report is written into a hidden folder beside its destination and renamed into place. Only tieout
//! reports and empty folders are ever replaced.

mod file;
mod hidden_folder;
mod latest;

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use hidden_folder::HiddenFolder;
use jiff::Timestamp;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::{FolderError, ReportFolder, holds_only_a_report};
use crate::report::files::MANIFEST_FILE;

pub use file::{FileError, StagedFile};
pub use latest::follow;
pub(in crate::report) use latest::newest;

/// Where a report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Exactly this folder (`--out`), replacing an earlier report there.
    Exactly(PathBuf),
    /// A new folder below this one (`--reports-dir`), with `latest` pointing at it.
    Under(PathBuf),
    /// Exactly this folder, where nothing is yet.
    New(PathBuf),
}

/// Why a report can't be published at its destination.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Something that is not a tieout report is at the destination.
    #[error("{} is not a tieout report ({found}): choose a different --out; nothing was touched", path.display())]
    NotOurs {
        /// The destination.
        path: PathBuf,
        /// What is there instead.
        found: String,
    },
    /// Something is where nothing may be yet.
    #[error("{} is there already; nothing was touched", .0.display())]
    Taken(PathBuf),
    /// `latest` is neither a symbolic link nor a text file of ours.
    #[error(
        "{} is not a symbolic link, which tieout needs there to name the newest report: move it away; nothing was touched",
        .0.display()
    )]
    LatestNotOurs(PathBuf),
    /// The folder at the destination can't be replaced.
    #[error(
        "can't replace {} ({reason}): a report replaces a whole folder, so --out can be neither the current folder \
         nor a mount point; name a folder inside it; nothing was touched",
        path.display()
    )]
    Immovable {
        /// The destination.
        path: PathBuf,
        /// Why it can't be replaced.
        reason: String,
    },
    /// The destination can't be read or written.
    #[error("can't use {} for reports: {source}; check that it is a folder you may write to", path.display())]
    Io {
        /// The destination.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
}

/// A published report.
#[derive(Debug)]
pub struct PublishedReport {
    /// Its folder.
    pub folder: PathBuf,
    /// What the file system there can't do. The report is complete all the same.
    pub limits: Vec<FileSystemLimit>,
}

/// Something a file system can't do that does not keep a report from being published.
#[derive(Debug, thiserror::Error)]
pub enum FileSystemLimit {
    /// It can't hold symbolic links.
    #[error(
        "can't make a symbolic link in {} ({source}): `latest` there is a text file with the newest report's name",
        folder.display()
    )]
    Links {
        /// The folder of reports.
        folder: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// It can't sync a folder to disk.
    #[error(
        "the disk of {} can't confirm its writes ({source}): the report is complete, but a power cut may lose it",
        folder.display()
    )]
    Durability {
        /// The folder that the report is in.
        folder: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
}

impl PublishError {
    /// Whether the user must choose a different destination. Otherwise the disk failed at this one.
    #[must_use]
    pub const fn is_usage_error(&self) -> bool {
        match self {
            Self::NotOurs { .. } | Self::Taken(_) | Self::LatestNotOurs(_) | Self::Immovable { .. } => true,
            Self::Io { .. } => false,
        }
    }

    pub(in crate::report) fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path: path.clone(), source }
    }
}

impl Destination {
    /// The folder that becomes the report, or that will hold it.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Exactly(path) | Self::Under(path) | Self::New(path) => path,
        }
    }

    /// Checks, before anything is fetched, that a report can be published there. Creates missing parent
    /// folders, and removes what dead jobs left.
    ///
    /// # Errors
    /// [`PublishError`] says what is in the way. Nothing is overwritten here.
    pub fn check(&self) -> Result<(), PublishError> {
        if let Self::Exactly(path) = self {
            let path = &plain(path);
            if path.file_name().is_none() {
                return Err(PublishError::Immovable { path: path.clone(), reason: "it does not end in a name".into() });
            }
            check_ours(path)?;
            let holds_us = |place: PathBuf| env::current_dir().is_ok_and(|current| current.starts_with(place));
            if fs::canonicalize(path).is_ok_and(holds_us) {
                let reason = "the command was started inside it".into();
                return Err(PublishError::Immovable { path: path.clone(), reason });
            }
        }
        let parent = self.parent();
        fs::create_dir_all(&parent).map_err(PublishError::io(&parent))?;
        if let Self::Under(folder) = self {
            latest::check(folder)?;
        }
        hidden_folder::sweep(&parent);
        // Only writing proves that a folder is writable.
        let probe = HiddenFolder::create(&parent).map_err(PublishError::io(&parent))?;
        match self {
            Self::Exactly(path) if fs::symlink_metadata(path).is_ok() => check_movable(&plain(path), &probe),
            Self::New(path) if fs::symlink_metadata(path).is_ok() => Err(PublishError::Taken(path.clone())),
            _ => Ok(()),
        }
    }

    /// A hidden folder to write the report into, on the same file system; removed if it is dropped
    /// unpublished.
    ///
    /// # Errors
    /// When it can't be created.
    pub fn staging(&self, as_of: Timestamp) -> Result<Staging, PublishError> {
        let parent = self.parent();
        let folder = HiddenFolder::create(&parent).map_err(PublishError::io(&parent))?;
        Ok(Staging { folder, destination: self.clone(), as_of })
    }

    fn parent(&self) -> PathBuf {
        match self {
            Self::Under(folder) => folder.clone(),
            Self::Exactly(path) | Self::New(path) => match plain(path).parent() {
                Some(parent) if parent != Path::new("") => parent.to_owned(),
                _ => PathBuf::from("."),
            },
        }
    }
}

/// An unfinished report in its hidden folder.
#[derive(Debug)]
pub struct Staging {
    folder: HiddenFolder,
    destination: Destination,
    as_of: Timestamp,
}

impl Staging {
    /// The folder to write the files into.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Syncs the files to disk and renames the folder to its destination; returns where it is. In a folder of
    /// reports, it replaces an earlier report of the same time whose manifest's hash is in `replaces`; if
    /// there is none, it gets a new name.
    ///
    /// # Errors
    /// When something else is at the destination by now, or the disk fails. An earlier report then stays in
    /// place.
    pub fn publish(self, replaces: &[String]) -> Result<PublishedReport, PublishError> {
        let failed = PublishError::io(self.path());
        sync_files(self.path()).map_err(&failed)?;
        let mut limits = Vec::new();
        let folder = match &self.destination {
            Destination::Exactly(path) => {
                let path = plain(path);
                check_ours(&path)?;
                self.replace(&path).map_err(PublishError::io(&path))?;
                path
            }
            Destination::New(path) => {
                self.publish_new(path)?;
                path.clone()
            }
            Destination::Under(folder) => {
                let place = self.publish_under(folder, replaces).map_err(PublishError::io(folder))?;
                limits.extend(latest::point_at(folder, &place).map_err(PublishError::io(folder))?);
                place
            }
        };
        let parent = self.destination.parent();
        if let Some(source) = sync_folder(&parent).map_err(PublishError::io(&parent))? {
            limits.push(FileSystemLimit::Durability { folder: parent, source });
        }
        Ok(PublishedReport { folder, limits })
    }

    /// Renames the report to a place that must be free: of several jobs, one gets it.
    fn publish_new(&self, place: &Path) -> Result<(), PublishError> {
        match renameat_with(CWD, self.path(), CWD, place, RenameFlags::NOREPLACE) {
            Err(Errno::EXIST) => Err(PublishError::Taken(place.to_owned())),
            // Where that is not possible, only an empty folder could be replaced.
            Err(Errno::INVAL | Errno::NOSYS) => fs::rename(self.path(), place).map_err(PublishError::io(place)),
            renamed => renamed.map_err(|error| PublishError::io(place)(error.into())),
        }
    }

    /// Exchanges an earlier report with this one in one step, so that there is always a report. The earlier
    /// one is then in the hidden folder, and is removed with it.
    fn replace(&self, place: &Path) -> io::Result<()> {
        if fs::symlink_metadata(place).is_err() {
            return fs::rename(self.path(), place);
        }
        // Not every file system or kernel can exchange. Any other failure makes the two steps fail as well.
        match renameat_with(CWD, self.path(), CWD, place, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(()),
            Err(_) => self.replace_in_two_steps(place),
        }
    }

    /// Moves an earlier report aside and this one in, or the earlier one back if that fails. If this job is
    /// killed in between, the next one moves it back.
    fn replace_in_two_steps(&self, place: &Path) -> io::Result<()> {
        let aside = HiddenFolder::create(&self.destination.parent())?;
        let earlier = aside.move_aside(place)?;
        if let Err(error) = fs::rename(self.path(), place) {
            if fs::rename(&earlier, place).is_err() {
                // The earlier report can't go back: keep it where it is rather than lose it.
                aside.keep();
            }
            return Err(error);
        }
        Ok(())
    }

    /// Renames the report to the first free name of its time, or replaces a report with such a name that is
    /// in `replaces`. Renaming onto a folder that is not empty fails, so a report only ever replaces one that
    /// it names.
    fn publish_under(&self, folder: &Path, replaces: &[String]) -> io::Result<PathBuf> {
        let name = self.as_of.strftime("%Y%m%dT%H%M%SZ").to_string();
        let mut place = folder.join(&name);
        let mut number = 2;
        while fs::symlink_metadata(&place).is_ok() {
            let there = ReportFolder::open(&place).ok();
            let is_replaced = |there: ReportFolder| replaces.iter().any(|hash| hash == there.manifest_sha256());
            if there.is_some_and(is_replaced) && check_ours(&place).is_ok() {
                self.replace(&place)?;
                return Ok(place);
            }
            place = folder.join(format!("{name}-{number}"));
            number += 1;
        }
        fs::rename(self.path(), &place)?;
        Ok(place)
    }
}

/// Checks that `path` does not exist, is an empty folder, or is a tieout report with nothing else in it.
fn check_ours(path: &Path) -> Result<(), PublishError> {
    let failed = PublishError::io(path);
    let not_ours = |found: &str| PublishError::NotOurs { path: path.to_owned(), found: found.to_owned() };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
        Ok(found) if found.is_symlink() => return Err(not_ours("it is a symbolic link")),
        Ok(found) if !found.is_dir() => return Err(not_ours("it is a file")),
        Ok(_) => {}
    }
    holds_only_a_report(path).map_err(|error| match error {
        FolderError::NotAReport { found, .. } => not_ours(&found),
        FolderError::Damaged { problem, .. } => not_ours(&format!("{MANIFEST_FILE}: {problem}")),
        FolderError::Unreadable { source, .. } => failed(source),
    })
}

/// The path without a closing `.` or `/`: `reports/.` can't be renamed over, `reports` can.
fn plain(path: &Path) -> PathBuf {
    path.components().collect()
}

/// Checks that the folder at the destination can be moved, without moving it: renaming it onto a folder that
/// is not empty fails for that reason, but a mount point or a folder of another user is refused for its own
/// reason first.
fn check_movable(path: &Path, probe: &HiddenFolder) -> Result<(), PublishError> {
    File::create_new(probe.path().join("probe")).map_err(PublishError::io(path))?;
    match fs::rename(path, probe.path()) {
        Err(error) if matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists) => Ok(()),
        Err(error) => Err(PublishError::Immovable { path: path.to_owned(), reason: error.to_string() }),
        Ok(()) => fs::rename(probe.path(), path).map_err(PublishError::io(path)),
    }
}

fn sync_files(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        File::open(entry?.path())?.sync_all()?;
    }
    sync_folder(folder).map(drop)
}

/// Syncs the names in a folder to disk. Returns the system's error if the file system can't do that for any
/// folder.
fn sync_folder(folder: &Path) -> io::Result<Option<io::Error>> {
    let lacking = [Errno::INVAL, Errno::BADF, Errno::NOSYS, Errno::OPNOTSUPP];
    match File::open(folder)?.sync_all() {
        Err(error) if Errno::from_io_error(&error).is_some_and(|error| lacking.contains(&error)) => Ok(Some(error)),
        synced => synced.map(|()| None),
    }
}

#[cfg(test)]
mod tests;
