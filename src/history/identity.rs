//! `dataset.json`: whose orders a dataset holds, and by which days. It is written once.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::storage::Storage;
use super::{DatasetError, IDENTITY_FILE, record};
use crate::domain::days::Zone;

const KIND: &str = "tieout-dataset";
const FORMAT: u32 = 1;

/// Whose orders a dataset holds, and by which days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    kind: String,
    format: u32,
    /// The time zone of its days.
    pub timezone: Zone,
    /// The provider's base URL, or `sandbox`.
    pub base_url: String,
    /// The label of the account, if reports have one.
    pub account: Option<String>,
}

impl Identity {
    /// The identity of a dataset of this version.
    #[must_use]
    pub fn new(timezone: Zone, base_url: String, account: Option<String>) -> Self {
        Self { kind: KIND.to_owned(), format: FORMAT, timezone, base_url, account }
    }

    /// Reads the identity of the dataset in a folder; `None` if it has none.
    pub(super) fn read(storage: &Storage) -> Result<Option<Self>, DatasetError> {
        if let Some(folder) = storage.local().filter(|folder| folder.exists() && !folder.is_dir()) {
            return Err(DatasetError::NotADataset {
                path: folder.to_owned(),
                problem: "it is not a folder".to_owned(),
            });
        }
        let path = storage.place(IDENTITY_FILE);
        let Some(bytes) = storage.bytes(IDENTITY_FILE, record::LARGEST)? else { return Ok(None) };
        let identity: Self = record::parse(&path, &bytes)?;
        if identity.kind != KIND || identity.format != FORMAT {
            return Err(DatasetError::OtherVersion { path });
        }
        Ok(Some(identity))
    }

    /// The content of `dataset.json`.
    #[must_use]
    pub fn value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    pub(super) fn text(&self, path: &Path) -> Result<String, DatasetError> {
        let text = serde_json::to_string_pretty(self).map_err(|error| DatasetError::io("write", path)(error.into()))?;
        Ok(text + "\n")
    }

    /// Fails unless this is the wanted identity.
    pub(super) fn require(&self, wanted: &Self, folder: &Path) -> Result<(), DatasetError> {
        let none = || "none".to_owned();
        let parts = [
            ("time zone", self.timezone.name().to_owned(), wanted.timezone.name().to_owned()),
            ("provider", self.base_url.clone(), wanted.base_url.clone()),
            ("account", self.account.clone().unwrap_or_else(none), wanted.account.clone().unwrap_or_else(none)),
        ];
        let other = parts.into_iter().find(|(_, theirs, ours)| theirs != ours);
        other.map_or(Ok(()), |(what, theirs, ours)| {
            Err(DatasetError::Other { path: folder.to_owned(), what, theirs, ours })
        })
    }
}
