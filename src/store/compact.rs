//! How large the state is, and how what is free inside goes back to the disk.

use std::path::Path;

use rusqlite::Connection;

use super::Store;
use super::error::{Problem, StoreError, sqlite};

const COMPACTING: &str = "compact";
/// How many pages are given back in one step, at most: as many may have to be written to the log.
const STEP: usize = 1000;

/// How large a state is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// The file.
    pub bytes: u64,
    /// What is free inside: later runs fill it.
    pub free: u64,
}

impl Store {
    /// How large the state is, with what its log holds.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn size(&self) -> Result<Size, StoreError> {
        self.read(size)
    }

    /// Gives what is free inside back to the disk. The quick way writes the state anew, twice, and needs the room for that; as
    /// long as there is none, pages from the end of the file are moved into free ones, which needs hardly any, but takes
    /// minutes for a gigabyte.
    ///
    /// # Errors
    /// When the disk is too full even for that; what was given back until then is.
    pub fn compact(&mut self) -> Result<Size, StoreError> {
        self.read(|connection| compact(connection, &self.path))
    }
}

fn size(connection: &Connection) -> Result<Size, Problem> {
    let pragma = |query| {
        let number = connection.query_row(query, (), |row| row.get::<_, i64>(0));
        number.map(i64::unsigned_abs).map_err(sqlite("measure"))
    };
    let page = pragma("PRAGMA page_size")?;
    Ok(Size { bytes: page * pragma("PRAGMA page_count")?, free: page * pragma("PRAGMA freelist_count")? })
}

fn compact(connection: &Connection, path: &Path) -> Result<Size, Problem> {
    fold_log(connection)?;
    let (mut is_quick_way_open, mut step) = (true, STEP);
    loop {
        let Size { bytes, free } = size(connection)?;
        if free == 0 {
            return size(connection);
        }
        let is_quick = is_quick_way_open && room_beside(path) > 2 * (bytes - free);
        let statement = if is_quick { "VACUUM".to_owned() } else { format!("PRAGMA incremental_vacuum({step})") };
        let done = connection.execute_batch(&statement).map_err(sqlite(COMPACTING));
        fold_log(connection)?;
        match done {
            // The room was taken meanwhile, or temporary files lie on another disk.
            Err(Problem::DiskFull) if is_quick => is_quick_way_open = false,
            Err(Problem::DiskFull) if step > 1 => step /= 10,
            done => done?,
        }
        if is_quick && is_quick_way_open {
            return size(connection);
        }
    }
}

/// Folds the log into the file and gives its room back, as far as nobody reads it.
pub(super) fn fold_log(connection: &Connection) -> Result<(), Problem> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).map_err(sqlite(COMPACTING))
}

/// How many bytes are free on the disk of a file; none where that is unknown.
fn room_beside(path: &Path) -> u64 {
    let folder = path.parent().unwrap_or(path);
    rustix::fs::statvfs(folder).map_or(0, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}
