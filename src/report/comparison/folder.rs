//! A report folder, with what a comparison needs of its manifest.

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
    pub(super) listed: Listed,
}

/// What a comparison needs of a manifest, whatever else later versions put there.
#[derive(Debug, Deserialize)]
pub(super) struct Listed {
    pub(super) as_of: Timestamp,
    pub(super) base_url: String,
    pub(super) settings_sha256: String,
    pub(super) verdict: String,
    #[serde(default)]
    pub(super) csv_encoding: Encoding,
}

impl Folder {
    /// Opens what the user named: a folder, or a link to one.
    pub(super) fn open(named: &Path) -> Result<Self, ComparisonError> {
        let report = ReportFolder::open(named)?;
        let listed = report.read()?;
        Ok(Self { report, listed })
    }

    /// SHA-256 of the manifest, in hex: the name of exactly this report.
    pub(super) fn manifest_sha256(&self) -> &str {
        self.report.manifest_sha256()
    }

    /// The path of a file as the user would name it.
    pub(super) fn shown(&self, name: &str) -> PathBuf {
        self.report.path(name)
    }

    /// A file that is the one the manifest lists.
    pub(super) fn proven(&self, name: &str) -> Result<ProvenFile, ComparisonError> {
        Ok(self.report.prove(name)?)
    }

    /// The same, to be read once.
    pub(super) fn file(&self, name: &str) -> Result<File, ComparisonError> {
        self.proven(name)?.reader().map_err(ComparisonError::unreadable(&self.shown(name)))
    }
}
