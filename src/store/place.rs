//! Which file a path to a state leads to, and whose it is.

use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::error::{Problem, io};

/// How many symbolic links may follow one another, as for the system.
const MAX_LINKS: usize = 40;
/// For its owner alone: with full evidence the state holds prompts. SQLite gives its log and index the same mode.
pub(super) const PRIVATE: u32 = 0o600;

/// The path without symbolic links, be the file there or not: by whatever name a state is given, it is one state with one
/// lock and one log. Absolute, so that SQLite's special name `:memory:` is an ordinary file name.
pub(super) fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut path = std::path::absolute(path)?;
    for _ in 0..MAX_LINKS {
        match path.canonicalize() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            resolved => return resolved,
        }
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(path) };
        path = match fs::read_link(&path) {
            // A link to where nothing is yet.
            Ok(target) => folder.join(target),
            Err(_) => return Ok(resolve(folder)?.join(name)),
        };
    }
    Err(Errno::LOOP.into())
}

/// Makes the file that a new state becomes, whatever the umask; leaves one that is there as it is.
pub(super) fn create_private(path: &Path) -> Result<(), Problem> {
    match OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(path) {
        // The mode above is cut by the umask.
        Ok(file) => file.set_permissions(Permissions::from_mode(PRIVATE)).map_err(io("create")),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(io("create")(error)),
    }
}

/// A file with a second name has its log beside one of them: whoever came by the other would miss what is in it.
pub(super) fn refuse_hard_links(path: &Path) -> Result<(), Problem> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() && found.nlink() > 1 => Err(Problem::HardLinks { names: found.nlink() }),
        _ => Ok(()),
    }
}

/// The device and the number of a file, which no other file shares.
pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}
