//! The size of the state, and how its free pages go back to the disk.

use std::path::Path;

use rusqlite::Connection;

use super::Store;
use super::error::{Problem, StoreError, sqlite};

const COMPACTING: &str = "compact";
/// The most pages given back in one step. Up to as many may first have to be written to the log.
const STEP: usize = 1000;

/// The size of a state, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// All pages, free ones included.
    pub bytes: u64,
    /// Free pages inside the file, which later runs fill.
    pub free: u64,
}

impl Store {
    /// The size of the state, including pages that are still in its log.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn size(&self) -> Result<Size, StoreError> {
        self.read(size)
    }

    /// Gives free pages back to the disk. The quick way (`VACUUM`) rewrites the state, twice, and needs disk space for
    /// that. While there is not enough, pages from the end of the file are moved into free ones, which needs hardly any
    /// space but takes minutes per gigabyte.
    ///
    /// # Errors
    /// When the disk is too full even for that. What was given back by then stays given back.
    pub fn compact(&mut self) -> Result<Size, StoreError> {
        self.read(|connection| compact(connection, &self.path))
    }
}

pub(super) fn size(connection: &Connection) -> Result<Size, Problem> {
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
            // The space was taken meanwhile, or temporary files are on a different disk.
            Err(Problem::DiskFull) if is_quick => is_quick_way_open = false,
            Err(Problem::DiskFull) if step > 1 => step /= 10,
            done => done?,
        }
        if is_quick && is_quick_way_open {
            return size(connection);
        }
    }
}

/// Writes the log back into the file and truncates it, as far as no reader still needs it.
pub(super) fn fold_log(connection: &Connection) -> Result<(), Problem> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).map_err(sqlite(COMPACTING))
}

/// The free bytes on the disk of a file; 0 if unknown.
fn room_beside(path: &Path) -> u64 {
    let folder = path.parent().unwrap_or(path);
    rustix::fs::statvfs(folder).map_or(0, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}
