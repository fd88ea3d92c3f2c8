//! The settings file: one flat TOML table for every command, in which an unknown key is an error.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::value::Error as NoValue;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;
use toml::Table;
use toml::de::DeTable;

use super::SettingsError;
use super::judging::nearest;
use crate::app::cli::{Asking, General, Options};

/// What was typed, with the settings file below it where there is one.
pub(super) fn with_file(typed: Options, general: &General) -> Result<Options, SettingsError> {
    match settings_file(general.config.as_deref())? {
        Some((path, text)) => overlay(&typed, &text).map_err(|message| SettingsError::Toml { path, message }),
        None => Ok(typed),
    }
}

/// The file that is named, or the user's own; never one of the current directory, which could redirect the key.
pub(super) fn settings_file(named: Option<&Path>) -> Result<Option<(PathBuf, String)>, SettingsError> {
    let own = || {
        let folder = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
        let folder = folder.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".config")))?;
        Some(folder.join("tieout/tieout.toml")).filter(|path| path.exists())
    };
    let Some(path) = named.map(Path::to_owned).or_else(own) else {
        return Ok(None);
    };
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(source) => Err(SettingsError::File { path, source }),
    }
}

/// Lays what was typed over what the file says. The file is read by itself first, so that its errors name its lines.
pub(in crate::app) fn overlay(typed: &Options, file: &str) -> Result<Options, String> {
    let unusable = |error: toml::de::Error| error.to_string();
    refuse_unknown_keys(file)?;
    toml::from_str::<Options>(file).map_err(unusable)?;
    toml::from_str::<Asking>(file).map_err(unusable)?;
    let mut settings: Table = file.parse().map_err(unusable)?;
    settings.extend(Table::try_from(typed).map_err(|error| error.to_string())?);
    settings.extend(Table::try_from(&typed.asking).map_err(|error| error.to_string())?);
    let asking = settings.clone().try_into().map_err(unusable)?;
    Ok(Options { asking, ..settings.try_into().map_err(unusable)? })
}

/// Each group of options reads its own keys and leaves the others alone; what none of them reads is a mistake.
fn refuse_unknown_keys(file: &str) -> Result<(), String> {
    let known = [field_names::<Options>(), field_names::<Asking>()].concat();
    let table = DeTable::parse(file).map_err(|error| error.to_string())?;
    for key in table.get_ref().keys() {
        let name = key.get_ref().as_ref();
        if !known.contains(&name) {
            let line = 1 + file.get(..key.span().start).unwrap_or_default().matches('\n').count();
            let hint = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are: {}", known.join(", ")),
            };
            return Err(format!("line {line}: there is no setting `{name}`; {hint}"));
        }
    }
    Ok(())
}

/// The names of a struct's fields, as they are written in a file.
fn field_names<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    /// Gives no value, and keeps the names that a struct asks for.
    struct Names<'n>(&'n mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Names<'_> {
        type Error = NoValue;

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, NoValue> {
            *self.0 = fields;
            Err(NoValue::custom("only the names were wanted"))
        }

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NoValue> {
            Err(NoValue::custom("no struct"))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut names: &'static [&'static str] = &[];
    // The value is always an error; the names are what it is for.
    let _ = T::deserialize(Names(&mut names));
    names
}
