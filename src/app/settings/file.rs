//! The settings file: where it is, and how it is laid under what was typed.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use toml::Table;

use super::SettingsError;
use crate::app::cli::Options;

/// A settings file as it stands.
pub(super) struct SettingsFile {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// The file that is named, or the user's own; never one of the current directory, which could redirect the key.
pub(super) fn find(named: Option<&Path>) -> Result<Option<SettingsFile>, SettingsError> {
    let own = || {
        let folder = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
        let folder = folder.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".config")))?;
        Some(folder.join("tieout/tieout.toml")).filter(|path| path.exists())
    };
    let Some(path) = named.map(Path::to_owned).or_else(own) else {
        return Ok(None);
    };
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(SettingsFile { path, text })),
        Err(source) => Err(SettingsError::File { path, source }),
    }
}

impl SettingsFile {
    /// Lays what was typed over what the file says. The file is read by itself first, so that its errors name its
    /// lines.
    pub(super) fn under(&self, typed: &Options) -> Result<Options, SettingsError> {
        let unusable = |message| SettingsError::Toml { path: self.path.clone(), message };
        toml::from_str::<Options>(&self.text).map_err(|error| unusable(self.told(&error)))?;
        let mut settings: Table = self.text.parse().map_err(|error| unusable(self.told(&error)))?;
        settings.extend(Table::try_from(typed).map_err(|error| unusable(error.to_string()))?);
        settings.try_into().map_err(|error| unusable(self.told(&error)))
    }

    /// What is wrong and where. The line itself is not shown, for it may hold a key that should not stand there.
    fn told(&self, error: &toml::de::Error) -> String {
        let message = error.message().trim();
        let message = ["u32", "usize"].into_iter().fold(message.to_owned(), |message, number| {
            message.replace(&format!("expected {number}"), "expected a whole number")
        });
        match error.span().and_then(|span| self.text.get(..span.start)) {
            Some(before) => format!("line {}: {message}", 1 + before.matches('\n').count()),
            None => message,
        }
    }

    /// Says that an error is about this file, unless the setting was typed and the file has no say in it.
    pub(super) fn blamed(&self, error: SettingsError, typed: &Options) -> SettingsError {
        let is_typed = |key: &str| Table::try_from(typed).is_ok_and(|typed| typed.contains_key(key));
        match error.key() {
            Some(key) if !is_typed(key) => SettingsError::InFile { path: self.path.clone(), error: Box::new(error) },
            _ => error,
        }
    }
}
