//! Why two reports can't be compared.

use std::io;
use std::path::{Path, PathBuf};

use crate::domain::money::Overflow;

/// Why two reports can't be compared.
#[derive(Debug, thiserror::Error)]
pub enum ComparisonError {
    /// What was named is no report.
    #[error("{} is no report of tieout: {found}", path.display())]
    NotAReport {
        /// What was named.
        path: PathBuf,
        /// What is there.
        found: String,
    },
    /// A file is not what the manifest says, or not what reports hold.
    #[error("{}: {problem}; `tieout verify` tells more", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file can't be read.
    #[error("can't read {}: {source}; check its permissions and the disk", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A total or a movement does not fit `DECIMAL(38,8)`.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

impl ComparisonError {
    pub(super) fn not_a_report(path: &Path, found: impl Into<String>) -> Self {
        Self::NotAReport { path: path.to_owned(), found: found.into() }
    }

    pub(super) fn damaged(path: &Path, problem: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), problem: problem.into() }
    }

    pub(super) fn unreadable(path: &Path) -> impl Fn(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Unreadable { path: path.clone(), source }
    }
}
