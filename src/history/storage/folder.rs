//! A dataset in a folder.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::history::DatasetError;

pub(super) fn bytes(path: &Path, most: u64) -> Result<Option<Vec<u8>>, DatasetError> {
    let failed = DatasetError::io("read", path);
    let found = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        found => found.map_err(&failed)?,
    };
    if !found.is_file() || found.len() > most {
        return Err(DatasetError::damaged(path, format!("it is not a regular file of at most {most} bytes")));
    }
    fs::read(path).map(Some).map_err(failed)
}

pub(super) fn open(path: &Path) -> Result<Option<File>, DatasetError> {
    match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some).map_err(DatasetError::io("read", path)),
    }
}

pub(super) fn size(path: &Path) -> Result<Option<u64>, DatasetError> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(DatasetError::damaged(path, "it is not a regular file")),
        Ok(found) => Ok(Some(found.len())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(DatasetError::io("read", path)(error)),
    }
}

pub(super) fn files(root: &Path, below: &str) -> Result<Vec<String>, DatasetError> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from(below)];
    while let Some(folder) = folders.pop() {
        let path = root.join(&folder);
        let failed = DatasetError::io("read", &path);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(error)),
        };
        for entry in entries {
            let entry = entry.map_err(&failed)?;
            let path = folder.join(entry.file_name());
            if entry.file_type().map_err(&failed)?.is_dir() {
                folders.push(path);
            } else {
                files.push(path.to_string_lossy().into_owned());
            }
        }
    }
    Ok(files)
}

/// Moves a finished file into its place. Returns whether the place was free.
pub(super) fn place(written: &Path, to: &Path) -> Result<bool, DatasetError> {
    let failed = DatasetError::io("write", to);
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(&failed)?;
    }
    match renameat_with(CWD, written, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        // Some network disks can't do that; a link never replaces a file either.
        Err(Errno::INVAL | Errno::NOSYS) => match fs::hard_link(written, to) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(failed(error)),
        },
        Err(error) => Err(failed(error.into())),
    }
}

pub(super) fn remove(path: &Path) -> Result<(), DatasetError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(DatasetError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

pub(super) fn names(root: &Path) -> Result<Vec<String>, DatasetError> {
    let failed = DatasetError::io("create", root);
    fs::create_dir_all(root).map_err(&failed)?;
    let name =
        |entry: std::io::Result<fs::DirEntry>| Ok(entry.map_err(&failed)?.file_name().to_string_lossy().into_owned());
    fs::read_dir(root).map_err(&failed)?.map(name).collect()
}
