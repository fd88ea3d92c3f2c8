//! Why two reports can't be compared.

use std::io;
use std::path::Path;

use crate::domain::money::Overflow;
use crate::report::folder::FolderError;

/// Why two reports can't be compared.
#[derive(Debug, thiserror::Error)]
pub enum ComparisonError {
    /// The user named something that is not a report, or a file differs from the manifest or is not valid.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A total or a movement does not fit `DECIMAL(38,8)`.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

impl ComparisonError {
    pub(super) fn damaged(path: &Path, problem: impl Into<String>) -> Self {
        FolderError::damaged(path, problem).into()
    }

    pub(super) fn unreadable(path: &Path) -> impl Fn(io::Error) -> Self {
        let failed = FolderError::unreadable(path);
        move |source| failed(source).into()
    }
}
