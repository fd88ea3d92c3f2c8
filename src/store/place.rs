//! Finds the file that a state's path leads to, and creates and checks it.

use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::error::{Problem, io};

/// The longest chain of symbolic links that is followed, as in Linux.
const MAX_LINKS: usize = 40;
/// The mode of a file for its owner alone: with full evidence the state holds prompts. SQLite gives its log and index
/// the same mode.
pub(super) const PRIVATE: u32 = 0o600;

/// The path without symbolic links, whether or not the file exists: by whatever name a state is given, it has one lock
/// and one log. Absolute, so that SQLite's special name `:memory:` is an ordinary file name.
///
/// # Errors
/// When a folder on the way can't be read, or the links go round in a circle.
pub fn without_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = std::path::absolute(path)?;
    for _ in 0..MAX_LINKS {
        match path.canonicalize() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            resolved => return resolved,
        }
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(path) };
        path = match fs::read_link(&path) {
            // A link to a file that does not exist yet.
            Ok(target) => folder.join(target),
            Err(_) => return Ok(without_links(folder)?.join(name)),
        };
    }
    Err(Errno::LOOP.into())
}

/// Creates the file of a new state with mode 0600, whatever the umask. Leaves an existing file as it is.
pub(super) fn create_private(path: &Path) -> Result<(), Problem> {
    match OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(path) {
        // The umask may have taken bits from the mode above.
        Ok(file) => file.set_permissions(Permissions::from_mode(PRIVATE)).map_err(io("create")),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(io("create")(error)),
    }
}

/// Refuses a file with hard links: its log lies beside only one of its names, and whoever opened it by a different one
/// would miss what is in the log.
pub(super) fn refuse_hard_links(path: &Path) -> Result<(), Problem> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() && found.nlink() > 1 => Err(Problem::HardLinks { names: found.nlink() }),
        _ => Ok(()),
    }
}

/// The device and inode number of a file or a folder, which identify it by whatever name it is reached.
#[must_use]
pub fn identity(path: &Path) -> Option<(u64, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}
