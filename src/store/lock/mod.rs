//! Locks against other jobs. The operating system releases them when their process ends, however it ends.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::place::{self, PRIVATE};

/// Folders for the locks on keys; the first usable one is taken. Fixed, so that all jobs of a user agree whatever their
/// environment.
const SHARED: [&str; 2] = ["/run/lock", "/tmp"];
/// How long to try to take a lock, and how often.
const PATIENCE: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(10);
/// More bytes than a holder's note ever has.
const MAX_NOTE: u64 = 200;

/// The process that holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    /// Its process ID.
    pub pid: u32,
    /// When it took the lock.
    pub since: Timestamp,
}

/// Why a lock can't be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("another tieout{} is using {what}: wait for it to end", holder.map_or_else(String::new, |holder| {
        format!(" (pid {}, since {})", holder.pid, holder.since)
    }))]
    Held {
        /// What is locked.
        what: String,
        /// The holder, if its note can be read.
        holder: Option<Holder>,
    },
    /// The lock can't be created.
    #[error("can't lock {what} with {}: {source}; check that path and its permissions", path.display())]
    Unusable {
        /// What should be locked.
        what: String,
        /// The path that failed: the lock file, its folder or the state.
        path: PathBuf,
        /// The error from the operating system.
        source: io::Error,
    },
}

/// A lock, held until it is dropped or the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Locks a state against other jobs.
    ///
    /// # Errors
    /// [`LockError::Held`] if another job holds it; [`LockError::Unusable`] if it can't be created.
    pub fn on_state(state: &Path, now: Timestamp) -> Result<Self, LockError> {
        let what = format!("the state {}", state.display());
        let unusable = |source| LockError::Unusable { what: what.clone(), path: state.to_owned(), source };
        let path = beside(&place::without_links(state).map_err(unusable)?);
        if let Some(folder) = path.parent()
            && let Err(source) = fs::create_dir_all(folder)
        {
            return Err(LockError::Unusable { what, path, source });
        }
        take(&path, what, PRIVATE, now)
    }

    /// Locks an API key at a provider against all other jobs of this user on this machine, whatever their state. The
    /// fingerprint is a hash of both, in hex. Other users can neither hold nor see these locks.
    ///
    /// # Errors
    /// [`LockError::Held`] if another job holds it; [`LockError::Unusable`] if it can't be created.
    pub fn on_key(fingerprint: &str, now: Timestamp) -> Result<Self, LockError> {
        Self::on_key_in(&SHARED.map(Path::new), fingerprint, now)
    }

    /// Locks the key in the first of these folders that is usable.
    fn on_key_in(shared: &[&Path], fingerprint: &str, now: Timestamp) -> Result<Self, LockError> {
        let what = "this API key".to_owned();
        let mut why = None;
        for folder in shared {
            match own_folder(folder) {
                Ok(own) => return take(&own.join(format!("{fingerprint}.lock")), what, PRIVATE, now),
                Err(source) => why = Some((folder, source)),
            }
        }
        let (path, source) = why.map_or_else(
            || (PathBuf::new(), io::Error::other("there is no folder for it")),
            |(path, source)| (path.to_path_buf(), source),
        );
        Err(LockError::Unusable { what, path, source })
    }
}

/// The folder of this user's locks, in a folder that all users share. Refuses one that another user created or may
/// write to.
fn own_folder(shared: &Path) -> io::Result<PathBuf> {
    // The owner of a new file is our own user ID.
    let user = tempfile::tempfile_in(shared)?.metadata()?.uid();
    let own = shared.join(format!("tieout-{user}"));
    match DirBuilder::new().mode(0o700).create(&own) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = fs::symlink_metadata(&own)?;
    if found.is_dir() && found.uid() == user && found.mode() & 0o022 == 0 {
        Ok(own)
    } else {
        Err(io::Error::other(format!("{} is not a folder that only this user can write to", own.display())))
    }
}

/// Locks the file. It stays after the lock is released, since removing it would be a race.
fn take(path: &Path, what: String, mode: u32, now: Timestamp) -> Result<Lock, LockError> {
    let unusable = |source| LockError::Unusable { what: what.clone(), path: path.to_owned(), source };
    let (mut file, is_writable) = open(path, mode).map_err(unusable)?;
    match try_for(PATIENCE, || file.try_lock()) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(LockError::Held { what, holder: holder(&file) }),
        Err(TryLockError::Error(source)) => return Err(unusable(source)),
    }
    if is_writable {
        let note = serde_json::to_string(&Holder { pid: std::process::id(), since: now }).unwrap_or_default();
        // The note is a courtesy to whoever waits: the lock is held whether or not it can be written.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{note}"));
    }
    Ok(Lock { _file: file })
}

/// Tries to lock until it succeeds, for a while: whoever only looks whether a lock is held holds it for a moment.
fn try_for(patience: Duration, lock: impl Fn() -> Result<(), TryLockError>) -> Result<(), TryLockError> {
    let begin = Instant::now();
    loop {
        match lock() {
            Err(TryLockError::WouldBlock) if begin.elapsed() < patience => sleep(PAUSE),
            result => return result,
        }
    }
}

/// Opens a regular file and nothing else, without ever blocking. Returns whether it is writable.
fn open(path: &Path, mode: u32) -> io::Result<(File, bool)> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC).bits()).unwrap_or_default();
    let options = |is_writable: bool| {
        let mut options = OpenOptions::new();
        options.read(true).write(is_writable).custom_flags(flags);
        options
    };
    // First without O_CREAT: in a shared folder the system may refuse that for another user's file.
    let opened = match options(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            match options(true).create_new(true).mode(mode).open(path) {
                // Another process created it in between.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options(true).open(path),
                created => created.inspect(|file| {
                    // The umask may have taken bits from the mode above.
                    let _ = file.set_permissions(Permissions::from_mode(mode));
                }),
            }
        }
        opened => opened,
    };
    let (file, is_writable) = match opened {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => (options(false).open(path)?, false),
        opened => (opened?, true),
    };
    if file.metadata()?.is_file() { Ok((file, is_writable)) } else { Err(io::Error::other("it is not a regular file")) }
}

/// The lock file of a state, beside the path without symbolic links.
fn beside(state: &Path) -> PathBuf {
    let mut name = state.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    state.with_file_name(name)
}

/// The holder's note, if it is one that tieout wrote.
fn holder(file: &File) -> Option<Holder> {
    let mut note = String::new();
    file.take(MAX_NOTE).read_to_string(&mut note).ok()?;
    serde_json::from_str(&note).ok()
}

/// The job that is working on a state; `None` if the state is not locked, or the holder's note can't be read.
#[must_use]
pub fn is_locked(state: &Path) -> Option<Holder> {
    let path = beside(&place::without_links(state).ok()?);
    fs::symlink_metadata(&path).ok()?.is_file().then_some(())?;
    let file = File::open(path).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => holder(&file),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
