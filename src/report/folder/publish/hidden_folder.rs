//! The hidden folders that reports and files are made in. Each is locked while its job lives; those of dead
//! jobs are removed.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use tempfile::TempDir;

use super::super::ReportFolder;

/// How the names of such folders begin.
const PREFIX: &str = ".tieout-";
/// How many random letters and digits follow the prefix.
const RANDOM_LENGTH: usize = 6;
/// The subfolder that holds a report which was moved aside, under its own name. It is the only copy of that
/// report.
const EARLIER: &str = "earlier";

/// A hidden folder. It is removed when dropped, or by a later job if its own job is killed.
#[derive(Debug)]
pub(super) struct HiddenFolder {
    folder: TempDir,
    _lock: Option<File>,
}

impl HiddenFolder {
    /// Creates a hidden folder in `parent` and locks it, where folders can be locked.
    pub(super) fn create(parent: &Path) -> io::Result<Self> {
        loop {
            let folder = tempfile::Builder::new()
                .prefix(PREFIX)
                .rand_bytes(RANDOM_LENGTH)
                .permissions(Permissions::from_mode(0o755))
                .tempdir_in(parent)?;
            match lock(folder.path()) {
                Ok(lock) if is_at(&lock, folder.path()) => return Ok(Self { folder, _lock: Some(lock) }),
                // Another job took it for a dead job's before it was locked: it is gone, or about to be.
                Ok(_) | Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::NotFound => {}
                // Where folders can't be locked, no job removes them either.
                Err(TryLockError::Error(_)) => return Ok(Self { folder, _lock: None }),
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Moves an earlier report in here and returns its new path. It keeps its name, so that it can be put
    /// back.
    pub(super) fn move_aside(&self, place: &Path) -> io::Result<PathBuf> {
        let folder = self.path().join(EARLIER);
        fs::create_dir(&folder)?;
        let earlier = folder.join(place.file_name().unwrap_or_default());
        fs::rename(place, &earlier)?;
        Ok(earlier)
    }

    /// Leaves the folder and its contents where they are.
    pub(super) fn keep(self) {
        let _kept = self.folder.keep();
    }
}

/// Puts back what dead jobs moved aside in `parent`, and removes their hidden folders. What can't be removed
/// is left: it does no harm.
pub(super) fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if !entry.file_name().to_str().is_some_and(is_name_of_ours) {
            continue;
        }
        match lock(&path) {
            Ok(lock) if is_at(&lock, &path) => {
                if put_back(parent, &path.join(EARLIER)) {
                    let _ = fs::remove_dir_all(&path);
                }
            }
            // Its job lives, or the path names something else by now.
            Ok(_) | Err(TryLockError::WouldBlock) => {}
            // Where folders can't be locked, nothing is removed. Putting a report back is safe: if the job
            // still lives, it finds the destination taken.
            Err(TryLockError::Error(_)) => {
                if fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir()) {
                    put_back(parent, &path.join(EARLIER));
                }
            }
        }
    }
}

/// Puts back a report that was moved aside for one that was never published. If its successor is in place,
/// the report is removed. If something else is in place, both are left alone. Returns whether nothing is left
/// in `aside`.
fn put_back(parent: &Path, aside: &Path) -> bool {
    let Ok(entries) = fs::read_dir(aside) else { return fs::symlink_metadata(aside).is_err() };
    for earlier in entries.flatten().map(|entry| entry.path()) {
        let place = parent.join(earlier.file_name().unwrap_or_default());
        if fs::symlink_metadata(&place).is_err() {
            if fs::rename(&earlier, &place).is_ok() {
                tracing::warn!("a job was killed while replacing {}: the earlier report was put back", place.display());
            }
        } else if fs::remove_dir(&earlier).is_err() && follows(&place, &earlier) {
            let _ = fs::remove_dir_all(&earlier);
        }
    }
    fs::remove_dir(aside).is_ok()
}

/// Whether `report` names `earlier` as the previous report, or as one that it replaces.
fn follows(report: &Path, earlier: &Path) -> bool {
    let stamp = ReportFolder::open(report).and_then(|report| Ok(report.manifest()?.stamp));
    let (Ok(stamp), Ok(earlier)) = (stamp, ReportFolder::open(earlier)) else { return false };
    let hash = earlier.manifest_sha256();
    stamp.earlier.replaces.iter().any(|replaced| replaced == hash)
        || stamp.previous.is_some_and(|link| link.manifest_sha256 == hash)
}

fn is_name_of_ours(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .is_some_and(|random| random.len() == RANDOM_LENGTH && random.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Locks a folder, never the target of a symbolic link.
fn lock(folder: &Path) -> Result<File, TryLockError> {
    let flags = (OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC).bits();
    let flags = i32::try_from(flags).unwrap_or_default();
    let folder = OpenOptions::new().read(true).custom_flags(flags).open(folder).map_err(TryLockError::Error)?;
    folder.try_lock()?;
    Ok(folder)
}

/// Whether the path still names the locked folder.
fn is_at(lock: &File, path: &Path) -> bool {
    match (lock.metadata(), fs::symlink_metadata(path)) {
        (Ok(locked), Ok(found)) => (locked.dev(), locked.ino()) == (found.dev(), found.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> TempDir {
        tempfile::tempdir().expect("a folder")
    }

    fn folder(parent: &Path, name: &str) -> PathBuf {
        let path = parent.join(name);
        fs::create_dir(&path).expect("writable");
        fs::write(path.join("summary.json"), "half").expect("writable");
        path
    }

    #[test]
    fn only_the_folders_of_dead_jobs_are_removed() {
        let place = place();
        let dead = folder(place.path(), ".tieout-a1B2c3");
        let living = HiddenFolder::create(place.path()).expect("writable");
        sweep(place.path());
        assert!(!dead.exists());
        assert!(living.path().is_dir());
        let path = living.path().to_owned();
        living.keep();
        sweep(place.path());
        assert!(!path.exists(), "its lock is released");
    }

    #[test]
    fn only_folders_named_like_ours_are_removed() {
        let place = place();
        let kept =
            [".tieout-", ".tieout-a1b2c", ".tieout-a1b2c3d", ".tieout-a1b2.3", "tieout-a1b2c3", "20261123T020000Z"]
                .map(|name| folder(place.path(), name));
        fs::write(place.path().join(".tieout-f1l2e3"), "a file").expect("writable");
        sweep(place.path());
        assert!(kept.iter().all(|folder| folder.join("summary.json").is_file()));
        assert!(place.path().join(".tieout-f1l2e3").is_file());
    }

    #[test]
    fn a_link_is_neither_followed_nor_removed() {
        let place = place();
        let target = folder(place.path(), "target");
        std::os::unix::fs::symlink(&target, place.path().join(".tieout-l1n2k3")).expect("writable");
        sweep(place.path());
        assert!(target.join("summary.json").is_file());
        assert!(place.path().join(".tieout-l1n2k3").is_symlink());
    }

    #[test]
    fn a_report_that_was_moved_aside_goes_back_unless_something_else_is_there() {
        let place = place();
        let report = folder(place.path(), "report");
        let aside = HiddenFolder::create(place.path()).expect("writable");
        let (path, earlier) = (aside.path().to_owned(), aside.move_aside(&report).expect("movable"));
        sweep(place.path());
        assert!(earlier.is_dir() && !report.exists(), "its job lives");
        aside.keep();
        let foreign = folder(place.path(), "report");
        sweep(place.path());
        assert!(earlier.join("summary.json").is_file(), "it is the only copy");
        fs::remove_dir_all(&foreign).expect("ours");
        sweep(place.path());
        assert_eq!(fs::read_to_string(report.join("summary.json")).expect("it is back"), "half");
        assert!(!path.exists());
    }

    #[test]
    fn many_jobs_at_once_never_lose_a_folder() {
        let place = place();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for round in 0..200 {
                        let made = HiddenFolder::create(place.path()).expect("writable");
                        fs::write(made.path().join("figures"), round.to_string()).expect("the folder is there");
                        sweep(place.path());
                        let read = fs::read_to_string(made.path().join("figures")).expect("still there");
                        assert_eq!(read, round.to_string());
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(place.path()).expect("readable").count(), 0);
    }
}
