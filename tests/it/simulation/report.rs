//! A report, read by plain means.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::support::ReportFiles;

/// A row of a table, by column.
pub(super) type Cells = BTreeMap<String, String>;

/// A cell of a row; empty if there is no such column.
pub(super) fn cell<'r>(row: &'r Cells, name: &str) -> &'r str {
    row.get(name).map_or("", String::as_str)
}

/// The tables of a report.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) name: String,
    pub(super) summary: serde_json::Value,
    pub(super) manifest: serde_json::Value,
    pub(super) discrepancies: Vec<Cells>,
    pub(super) resolved: Vec<Cells>,
    pub(super) exceptions: Vec<Cells>,
    pub(super) pending: Vec<Cells>,
    pub(super) spend: Vec<Cells>,
}

impl Report {
    pub(super) fn read(reports: &Path, name: &str) -> Self {
        let files = ReportFiles(reports.join(name));
        Self {
            name: name.to_owned(),
            summary: files.json("summary.json"),
            manifest: files.json("manifest.json"),
            discrepancies: files.rows("discrepancies.csv"),
            resolved: files.rows("resolved.csv"),
            exceptions: files.rows("exceptions.csv"),
            pending: files.rows("pending.csv"),
            spend: files.rows("spend_by_workflow.csv"),
        }
    }

    /// A count of the summary.
    pub(super) fn count(&self, group: &str, name: &str) -> u64 {
        self.summary[group][name].as_u64().unwrap_or(u64::MAX)
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.summary[name].as_str().unwrap_or_default()
    }
}

/// The reports in a folder: their names and the hashes of their manifests.
pub(super) type Folder = BTreeMap<String, String>;

pub(super) fn folder(reports: &Path) -> Folder {
    let Ok(entries) = fs::read_dir(reports) else { return Folder::new() };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let hash = |name: String| {
        let manifest = fs::read(reports.join(&name).join("manifest.json")).ok()?;
        Some((name, hex::encode(Sha256::digest(manifest))))
    };
    names.filter(|name| !name.starts_with('.') && name != "latest").filter_map(hash).collect()
}

/// The report that `latest` points at.
pub(super) fn latest(reports: &Path) -> Option<String> {
    Some(fs::read_link(reports.join("latest")).ok()?.to_string_lossy().into_owned())
}
