//! A report folder with the manifest fields that a comparison needs.

use std::fs::File;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;

use super::error::ComparisonError;
use crate::report::files::ProvenFile;
use crate::report::folder::ReportFolder;
use crate::report::formats::csv::Encoding;

/// One of the two reports.
#[derive(Debug)]
pub(super) struct Folder {
    report: ReportFolder,
    pub(super) manifest: ManifestFields,
}

/// The manifest fields that a comparison needs. Later versions may add others.
#[derive(Debug, Deserialize)]
pub(super) struct ManifestFields {
    pub(super) as_of: Timestamp,
    pub(super) base_url: String,
    pub(super) settings_sha256: String,
    pub(super) verdict: String,
    #[serde(default)]
    pub(super) csv_encoding: Encoding,
}

impl Folder {
    /// Opens the folder that the user named, which may be a link to one.
    pub(super) fn open(named: &Path) -> Result<Self, ComparisonError> {
        let report = ReportFolder::open(named)?;
        let manifest = report.read()?;
        Ok(Self { report, manifest })
    }

    /// SHA-256 of the manifest, in hex. It identifies exactly this report.
    pub(super) fn manifest_sha256(&self) -> &str {
        self.report.manifest_sha256()
    }

    /// The path of a file, as the user would write it.
    pub(super) fn shown(&self, name: &str) -> PathBuf {
        self.report.path(name)
    }

    /// A file whose size and hash match the manifest.
    pub(super) fn proven(&self, name: &str) -> Result<ProvenFile, ComparisonError> {
        Ok(self.report.prove(name)?)
    }

    /// A handle to read such a file once, from its start.
    pub(super) fn file(&self, name: &str) -> Result<File, ComparisonError> {
        self.proven(name)?.reader().map_err(ComparisonError::unreadable(&self.shown(name)))
    }
}
