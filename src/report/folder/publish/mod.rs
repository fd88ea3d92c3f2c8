//! How a folder becomes a report: whole, or not at all.
//!
//! A report is written into a hidden folder beside its destination and renamed into place. Nothing that is not a
//! report of ours is ever replaced.

mod file;
mod latest;
mod unfinished;

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use unfinished::Unfinished;

use super::{FolderError, ReportFolder, holds_only_a_report};
use crate::report::files::MANIFEST_FILE;

pub use file::{FileError, StagedFile};
pub use latest::follow;
pub(in crate::report) use latest::newest;

/// Where a report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Exactly there, in place of an earlier report.
    Exactly(PathBuf),
    /// Into a folder of its own below, with `latest` pointing at it.
    Under(PathBuf),
}

/// Why a report can't go where it should.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// There is something else at the destination.
    #[error("{} is not a report of tieout ({found}): choose another --out; nothing was touched", path.display())]
    NotOurs {
        /// The destination.
        path: PathBuf,
        /// What is there.
        found: String,
    },
    /// `latest` is something else than a link.
    #[error("{} is not a symbolic link: move it away, it is where the newest report is linked; nothing was touched", .0.display())]
    LatestNotOurs(PathBuf),
    /// The folder at the destination can't be replaced.
    #[error(
        "can't replace {} ({reason}): a report takes the place of a whole folder, so --out names neither the current \
         folder as `.` nor a mount point; name a folder inside it; nothing was touched", path.display()
    )]
    Immovable {
        /// The destination.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The destination can't be read or written.
    #[error("can't use {} for reports: {source}; check that it is a folder you may write to", path.display())]
    Io {
        /// The destination.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

/// A report in its place.
#[derive(Debug)]
pub struct Published {
    /// Its folder.
    pub folder: PathBuf,
    /// What the file system there can't do.
    pub unavailable: Vec<FileSystemLimit>,
}

/// What a file system can't do, where a report is in its place all the same.
#[derive(Debug, thiserror::Error)]
pub enum FileSystemLimit {
    /// It holds no symbolic links.
    #[error("no symbolic link can be made in {} ({source}): `latest` there is a text file that names the newest report", folder.display())]
    Links {
        /// The folder of reports.
        folder: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// It can't make the names in a folder durable.
    #[error("the disk of {} can't confirm what is on it ({source}): the report is whole, but may be lost in a power cut", folder.display())]
    Durability {
        /// The folder that the report is in.
        folder: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

impl PublishError {
    /// Whether another destination must be named; else the disk refuses this one.
    #[must_use]
    pub const fn is_mistaken_place(&self) -> bool {
        match self {
            Self::NotOurs { .. } | Self::LatestNotOurs(_) | Self::Immovable { .. } => true,
            Self::Io { .. } => false,
        }
    }

    pub(in crate::report) fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path: path.clone(), source }
    }
}

impl Destination {
    /// The folder that is a report then, or holds it.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Exactly(path) | Self::Under(path) => path,
        }
    }

    /// Proves, before anything is fetched, that a report may go there; creates what folders are missing above it and
    /// sweeps away what dead jobs left there.
    ///
    /// # Errors
    /// [`PublishError`] says what stands in the way. Nothing is ever overwritten here.
    pub fn check(&self) -> Result<(), PublishError> {
        if let Self::Exactly(path) = self {
            let path = &plain(path);
            if path.file_name().is_none() {
                return Err(PublishError::Immovable { path: path.clone(), reason: "it has no name of its own".into() });
            }
            check_ours(path)?;
            let holds_us = |place: PathBuf| env::current_dir().is_ok_and(|current| current.starts_with(place));
            if fs::canonicalize(path).is_ok_and(holds_us) {
                let reason = "the command was started in it".into();
                return Err(PublishError::Immovable { path: path.clone(), reason });
            }
        }
        let parent = self.parent();
        fs::create_dir_all(&parent).map_err(PublishError::io(&parent))?;
        if let Self::Under(folder) = self {
            latest::check(folder)?;
        }
        unfinished::sweep(&parent);
        // The only honest proof that a folder can be written is to write.
        let probe = Unfinished::create(&parent).map_err(PublishError::io(&parent))?;
        match self {
            Self::Exactly(path) if fs::symlink_metadata(path).is_ok() => check_movable(&plain(path), &probe),
            _ => Ok(()),
        }
    }

    /// A hidden folder to write the report into, on the same file system; gone when dropped unpublished.
    ///
    /// # Errors
    /// When it can't be created.
    pub fn staging(&self, as_of: Timestamp) -> Result<Staging, PublishError> {
        let parent = self.parent();
        let folder = Unfinished::create(&parent).map_err(PublishError::io(&parent))?;
        Ok(Staging { folder, destination: self.clone(), as_of })
    }

    fn parent(&self) -> PathBuf {
        match self {
            Self::Under(folder) => folder.clone(),
            Self::Exactly(path) => match plain(path).parent() {
                Some(parent) if parent != Path::new("") => parent.to_owned(),
                _ => PathBuf::from("."),
            },
        }
    }
}

/// A report in the making.
#[derive(Debug)]
pub struct Staging {
    folder: Unfinished,
    destination: Destination,
    as_of: Timestamp,
}

impl Staging {
    /// Where to write the files.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Makes the files durable and renames the folder into its place; returns that place. Below a folder of reports,
    /// that is the place of an earlier report of the same time whose manifest has one of the hashes in `replaces`, and
    /// a new one where there is none.
    ///
    /// # Errors
    /// When the place was taken meanwhile, or the disk fails; then the earlier report still stands.
    pub fn publish(self, replaces: &[String]) -> Result<Published, PublishError> {
        let failed = PublishError::io(self.path());
        sync_files(self.path()).map_err(&failed)?;
        let mut unavailable = Vec::new();
        let folder = match &self.destination {
            Destination::Exactly(path) => {
                let path = plain(path);
                check_ours(&path)?;
                self.replace(&path).map_err(PublishError::io(&path))?;
                path
            }
            Destination::Under(folder) => {
                let place = self.settle_under(folder, replaces).map_err(PublishError::io(folder))?;
                unavailable.extend(latest::lead_to(folder, &place).map_err(PublishError::io(folder))?);
                place
            }
        };
        let parent = self.destination.parent();
        if let Some(source) = sync_folder(&parent).map_err(PublishError::io(&parent))? {
            unavailable.push(FileSystemLimit::Durability { folder: parent, source });
        }
        Ok(Published { folder, unavailable })
    }

    /// Exchanges an earlier report with this one in one step, so that there is always a report. The earlier one is then
    /// where this one was made, and goes with it.
    fn replace(&self, place: &Path) -> io::Result<()> {
        if fs::symlink_metadata(place).is_err() {
            return fs::rename(self.path(), place);
        }
        // Not every file system can exchange, nor every kernel; what else may be in the way is in the way of two steps too.
        match renameat_with(CWD, self.path(), CWD, place, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(()),
            Err(_) => self.replace_in_two_steps(place),
        }
    }

    /// Moves an earlier report aside, this one in, and the earlier one back if that fails. Who is killed in between leaves
    /// that to the next job.
    fn replace_in_two_steps(&self, place: &Path) -> io::Result<()> {
        let aside = Unfinished::create(&self.destination.parent())?;
        let earlier = aside.take_earlier(place)?;
        if let Err(error) = fs::rename(self.path(), place) {
            if fs::rename(&earlier, place).is_err() {
                // The earlier report can't go back: keep it where it is rather than lose it.
                aside.keep();
            }
            return Err(error);
        }
        Ok(())
    }

    /// The name of the report's time that holds a report to be replaced, or else the first free one: renaming onto a
    /// folder that holds something fails, so no report can take the place of one that it does not name.
    fn settle_under(&self, folder: &Path, replaces: &[String]) -> io::Result<PathBuf> {
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

/// `path` does not exist, is an empty folder, or is a report of ours that holds nothing else.
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

/// The path without what names nothing: `reports/.` can't be renamed over, `reports` can.
fn plain(path: &Path) -> PathBuf {
    path.components().collect()
}

/// Proves that the folder at the destination can be moved away, without doing it: onto a folder that holds something
/// nothing can be renamed. A mount point is refused before that, and so is a folder of somebody else's.
fn check_movable(path: &Path, probe: &Unfinished) -> Result<(), PublishError> {
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

/// Makes the names in a folder durable; what the system says where it can't do that for any folder.
fn sync_folder(folder: &Path) -> io::Result<Option<io::Error>> {
    let lacking = [Errno::INVAL, Errno::BADF, Errno::NOSYS, Errno::OPNOTSUPP];
    match File::open(folder)?.sync_all() {
        Err(error) if Errno::from_io_error(&error).is_some_and(|error| lacking.contains(&error)) => Ok(Some(error)),
        synced => synced.map(|()| None),
    }
}

#[cfg(test)]
mod tests;
