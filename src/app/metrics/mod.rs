//! `--metrics-file`: what a run leaves for Prometheus, as a file that node_exporter's textfile collector reads.

mod exposition;
mod families;

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::report::content::summary_json::SummaryJson;

/// How a file of ours begins.
const BEGIN: &str = "# HELP tieout_";
/// The largest earlier file that is read, in bytes.
const MOST: u64 = 4 << 20;
/// node_exporter runs as a user of its own, who must be able to read the file.
const MODE: u32 = 0o644;

/// A run, as its metrics show it.
pub(super) struct RunMetrics<'r> {
    /// The label of the account; empty without one. It tells the files of several accounts apart.
    pub account: &'r str,
    /// When the run started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How it ended.
    pub exit_code: u8,
    /// Requests that were sent.
    pub requests: u64,
    /// Replies that said that there were too many.
    pub throttled: u64,
    /// Notifications that could not be delivered.
    pub undelivered: u64,
    /// The summary of its report; `None` if it made none.
    pub summary: Option<&'r SummaryJson>,
}

/// Why the metrics can't be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum MetricsError {
    /// The file or its folder can't be read or written.
    #[error("can't write the metrics to {}: {source}; check that its folder exists and can be written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error from the operating system.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{} holds something else than metrics of tieout: name a different file", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
}

/// Writes the metrics of a run in one step. What an earlier run left and this one can't know anew stays: the time of the
/// last success, and without a report the figures of the last one.
pub(super) fn write(path: &Path, run: &RunMetrics<'_>) -> Result<(), MetricsError> {
    let failed = |source| MetricsError::Io { path: path.to_owned(), source };
    let earlier = earlier(path)?;
    let text = families::text(run, &earlier);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Not with the ending of the file itself, or an unfinished one could be collected.
    let mut new = tempfile::Builder::new();
    new.prefix(".tieout-").suffix(".tmp");
    // Created here, since `tempfile_in` would add the random path, which nobody knows, to an error.
    let mut file = new.make_in(folder, |path| File::create_new(path)).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.as_file().set_permissions(Permissions::from_mode(MODE)).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// What an earlier run left; empty if there is nothing.
fn earlier(path: &Path) -> Result<String, MetricsError> {
    let not_ours = || MetricsError::NotOurs { path: path.to_owned() };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(source) => return Err(MetricsError::Io { path: path.to_owned(), source }),
        // A pipe would block, and a link would be replaced instead of followed.
        Ok(found) if !found.is_file() || found.len() > MOST => return Err(not_ours()),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST).read_to_end(&mut bytes));
    read.map_err(|source| MetricsError::Io { path: path.to_owned(), source })?;
    let text = String::from_utf8(bytes).map_err(|_| not_ours())?;
    if text.is_empty() || text.starts_with(BEGIN) { Ok(text) } else { Err(not_ours()) }
}
