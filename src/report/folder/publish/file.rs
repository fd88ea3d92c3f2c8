//! Publishes a single file: complete, or not at all.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::hidden_folder::{self, HiddenFolder};
use super::sync_folder;

/// The name of the unfinished file in its hidden folder.
const NAME: &str = "file";

/// Why a file can't be published.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Something that is not a regular file is there.
    #[error("{} exists and is not a regular file: choose a different path; nothing was touched", .0.display())]
    NotAFile(PathBuf),
    /// It can't be written.
    #[error("can't write {}: {source}; check its folder, the permissions and the disk", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
}

/// An unfinished file in a hidden folder beside its destination; removed if it is dropped unpublished.
#[derive(Debug)]
pub struct StagedFile {
    folder: HiddenFolder,
    /// The destination, links resolved: a symbolic link stays, and the file it points at is replaced.
    place: PathBuf,
}

impl StagedFile {
    /// Checks, before any other work, that a file can be written there, and removes what dead jobs left.
    ///
    /// # Errors
    /// [`FileError`] says what is in the way. Nothing is overwritten here.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        let failed = |source| FileError::Io { path: path.to_owned(), source };
        let place = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
            Err(error) => return Err(failed(error)),
            Ok(_) if !fs::metadata(path).is_ok_and(|found| found.is_file()) => {
                return Err(FileError::NotAFile(path.to_owned()));
            }
            Ok(_) => path.canonicalize().map_err(failed)?,
        };
        if place.file_name().is_none() {
            return Err(FileError::NotAFile(path.to_owned()));
        }
        let parent = folder_of(&place);
        hidden_folder::sweep(parent);
        let folder = HiddenFolder::create(parent).map_err(failed)?;
        Ok(Self { folder, place })
    }

    /// Fills the file with `write`, syncs it to disk, and renames it to its destination.
    ///
    /// # Errors
    /// When it can't be written. An earlier file is then left as it was.
    pub fn publish(self, write: impl FnOnce(&File) -> io::Result<()>) -> Result<(), FileError> {
        self.fill_and_place(write).map_err(|source| FileError::Io { path: self.place.clone(), source })
    }

    fn fill_and_place(&self, write: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
        let staged = self.folder.path().join(NAME);
        let file = File::create_new(&staged)?;
        if let Ok(before) = fs::metadata(&self.place) {
            // If the user restricted who may read the earlier file, the new one stays restricted too.
            file.set_permissions(before.permissions())?;
        }
        write(&file)?;
        file.sync_all()?;
        fs::rename(&staged, &self.place)?;
        sync_folder(folder_of(&self.place)).map(drop)
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn write(staged: StagedFile, text: &str) -> Result<(), FileError> {
        staged.publish(|mut file| file.write_all(text.as_bytes()))
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("readable").map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_published_complete_or_not_at_all() {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("ids.csv");
        let staged = StagedFile::create(&path).expect("usable");
        assert!(!path.exists());
        write(staged, "new").expect("written");
        assert_eq!(names(place.path()), ["ids.csv"]);

        let failed = StagedFile::create(&path).expect("usable").publish(|mut file| {
            file.write_all(b"ha")?;
            Err(io::Error::other("full"))
        });
        assert!(failed.expect_err("not written").to_string().contains("full"));
        drop(StagedFile::create(&path).expect("usable"));
        assert_eq!(fs::read_to_string(&path).expect("there"), "new");
        assert_eq!(names(place.path()), ["ids.csv"], "nothing else is left");
    }

    #[test]
    fn permissions_and_links_stay() {
        let place = tempfile::tempdir().expect("a folder");
        let (path, link) = (place.path().join("ids.csv"), place.path().join("link.csv"));
        fs::write(&path, "old").expect("writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("ours");
        symlink("ids.csv", &link).expect("writable");
        write(StagedFile::create(&link).expect("usable"), "new").expect("written");
        assert_eq!(fs::read_to_string(&path).expect("there"), "new");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert!(link.is_symlink());
    }

    #[test]
    fn what_is_not_a_file_is_not_touched() {
        let place = tempfile::tempdir().expect("a folder");
        let (folder, dangling) = (place.path().join("folder"), place.path().join("dangling"));
        fs::create_dir(&folder).expect("writable");
        symlink("nowhere", &dangling).expect("writable");
        for path in [folder.as_path(), dangling.as_path(), Path::new("/dev/null"), Path::new("/")] {
            assert!(matches!(StagedFile::create(path), Err(FileError::NotAFile(_))), "{}", path.display());
        }
        let missing = StagedFile::create(&place.path().join("missing/ids.csv")).expect_err("no folder");
        assert!(missing.to_string().contains("missing/ids.csv"), "{missing}");
        assert_eq!(names(place.path()), ["dangling", "folder"]);
    }
}
