//! Settings that can't be used, and what to do about them.

use std::io;
use std::path::PathBuf;

use super::provider::{KEY_FILE, KEY_VARIABLE};
use crate::provider::KeyError;

/// A setting that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The settings file can't be read.
    #[error("can't read the settings file {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The settings file is not valid TOML, or has an unknown key or a value of the wrong type.
    #[error("the settings file {} is not usable: {message}", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line.
        message: String,
    },
    /// The value of an option is out of range or malformed.
    #[error("--{option} {value:?}: {expected}")]
    Value {
        /// The option's name.
        option: &'static str,
        /// The value as given.
        value: String,
        /// Advice: which values are accepted.
        expected: String,
    },
    /// `[checks]` in the settings file names a check that does not exist.
    #[error("[checks]: there is no check {code:?}{}", nearest.map_or_else(String::new, |near| format!("; did you mean {near:?}?")))]
    UnknownCheck {
        /// The name as given.
        code: String,
        /// The most similar code, if one is similar enough.
        nearest: Option<&'static str>,
    },
    /// `[checks]` in the settings file gives a check or a cause a value that it can't have.
    #[error("[checks]: {key} = {value:?}: {expected}")]
    Check {
        /// The check, or check and cause with a dot between them.
        key: String,
        /// The value as given.
        value: String,
        /// Advice: which values are accepted.
        expected: String,
    },
    /// The thresholds of a workflow can't be used.
    #[error("[workflow.{id}]: {problem}")]
    Workflow {
        /// The ID of the workflow.
        id: String,
        /// Which threshold, and why it can't be used.
        problem: String,
    },
    /// A target of notifications can't be used.
    #[error("[[notify]] {target}: {problem}")]
    Notify {
        /// Its number in the file, with its name where that is known.
        target: String,
        /// What is wrong with it. It holds no secret.
        problem: String,
    },
    /// The time between runs can't be used.
    #[error("[schedule]: every = {value:?}: give a duration of whole seconds from a minute on, such as 24h")]
    Schedule {
        /// The value as given.
        value: String,
    },
    /// No settings file is named, and the user has none.
    #[error("no settings file: the job needs one; write it with `tieout init` and name it with --config")]
    NoFile,
    /// The script has no place.
    #[error("--engine sql: name the folder for its script with --out")]
    NoScriptFolder,
    /// The script has no report.
    #[error("--{option}: give it with --results, which makes the report")]
    NotOfScript {
        /// The name of the option.
        option: &'static str,
    },
    /// No Spark is named.
    #[error("--engine spark: name it with --spark-remote, such as sc://host:15002")]
    NoSpark,
    /// No dataset is named.
    #[error("no dataset: name it with --dataset, or as `dataset` in the settings file")]
    NoDataset,
    /// The file of waivers can't be used.
    #[error("--waivers {}: {problem}", path.display())]
    Waivers {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the waiver and its line where known.
        problem: String,
    },
    /// No API key is given.
    #[error(
        "no API key: set {KEY_VARIABLE}, name a key file with --api-key-file, or use --sandbox, which needs no key"
    )]
    NoKey,
    /// The key file can't be read.
    #[error("--api-key-file {}: {problem}", path.display())]
    KeyFile {
        /// The key file.
        path: PathBuf,
        /// Why it can't be read.
        problem: String,
    },
    /// The key among the credentials of the service can't be read.
    #[error("credential {}: {problem}", path.display())]
    Credential {
        /// The credential's file.
        path: PathBuf,
        /// Why it can't be read.
        problem: String,
    },
    /// The API key is empty, too long, or has a character that no key has.
    #[error("{origin}: {source}")]
    Key {
        /// The variable, or the option with its file.
        origin: String,
        /// What is wrong with the key.
        source: KeyError,
    },
    /// A setting that every report shows contains the API key.
    #[error("{place} contains the API key, and reports show it: remove the key there")]
    MisplacedKey {
        /// The option, or a description of what else contains it.
        place: &'static str,
    },
    /// A setting from the settings file can't be used.
    #[error("{error} (in the settings file {})", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// Which setting, and why.
        error: Box<SettingsError>,
    },
}

impl SettingsError {
    /// The key of the settings file that may be the cause.
    pub(super) fn key(&self) -> Option<&'static str> {
        match self {
            Self::Value { option, .. } => Some(option),
            Self::UnknownCheck { .. } | Self::Check { .. } => Some("checks"),
            Self::Workflow { .. } => Some("workflow"),
            Self::Notify { .. } => Some("notify"),
            Self::Schedule { .. } => Some("schedule"),
            Self::Waivers { .. } => Some("waivers"),
            Self::KeyFile { .. } => Some(KEY_FILE),
            Self::Key { origin, .. } if origin.starts_with("--") => Some(KEY_FILE),
            Self::Key { .. }
            | Self::Credential { .. }
            | Self::File { .. }
            | Self::Toml { .. }
            | Self::NoFile
            | Self::NoKey
            | Self::NoDataset
            | Self::NoScriptFolder
            | Self::NoSpark
            | Self::NotOfScript { .. }
            | Self::MisplacedKey { .. }
            | Self::InFile { .. } => None,
        }
    }
}
