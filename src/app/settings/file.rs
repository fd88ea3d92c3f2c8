//! The settings file: one flat TOML table for every command, in which an unknown key is an error.

use std::env;
use std::path::{Path, PathBuf};

use serde::de::value::Error as NoValue;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;
use toml::Table;
use toml::de::DeTable;

use super::rules::nearest;
use super::{SettingsError, text_file};
use crate::app::cli::{Asking, General, Options};

/// The largest file, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// A settings file as it stands.
pub(super) struct SettingsFile {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// Works with what was typed, the settings file below it where there is one. What can't be used and stands in the file
/// is said to do so.
pub(super) fn with_file<T>(
    typed: Options,
    general: &General,
    prove: impl FnOnce(Options) -> Result<T, SettingsError>,
) -> Result<T, SettingsError> {
    match find(general.config.as_deref())? {
        Some(file) => prove(file.under(&typed)?).map_err(|error| file.blamed(error, &typed)),
        None => prove(typed),
    }
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
    match text_file::read(&path, MAX_FILE) {
        Ok(text) => Ok(Some(SettingsFile { path, text })),
        Err(source) => Err(SettingsError::File { path, source }),
    }
}

impl SettingsFile {
    /// Lays what was typed over what the file says.
    fn under(&self, typed: &Options) -> Result<Options, SettingsError> {
        overlay(typed, &self.text).map_err(|message| SettingsError::Toml { path: self.path.clone(), message })
    }

    /// Says that an error is about this file, unless the setting was typed and the file has no say in it.
    fn blamed(&self, error: SettingsError, typed: &Options) -> SettingsError {
        let is_typed = |key: &str| laid(Table::new(), typed).is_ok_and(|typed| typed.contains_key(key));
        match error.key() {
            Some(key) if !is_typed(key) => SettingsError::InFile { path: self.path.clone(), error: Box::new(error) },
            _ => error,
        }
    }
}

/// Lays what was typed over what the file says. The file is read by itself first, so that its errors name its lines.
pub(in crate::app) fn overlay(typed: &Options, file: &str) -> Result<Options, String> {
    let unusable = |error: toml::de::Error| told(&error, file);
    refuse_unknown_keys(file)?;
    toml::from_str::<Options>(file).map_err(unusable)?;
    toml::from_str::<Asking>(file).map_err(unusable)?;
    let settings = laid(file.parse().map_err(unusable)?, typed)?;
    let asking = settings.clone().try_into().map_err(unusable)?;
    Ok(Options { asking, ..settings.try_into().map_err(unusable)? })
}

/// What was typed, over other settings.
fn laid(mut settings: Table, typed: &Options) -> Result<Table, String> {
    settings.extend(Table::try_from(typed).map_err(|error| error.to_string())?);
    settings.extend(Table::try_from(&typed.asking).map_err(|error| error.to_string())?);
    Ok(settings)
}

/// What is wrong and where. The line itself is not shown, for it may hold a key that should not stand there.
fn told(error: &toml::de::Error, file: &str) -> String {
    let message = ["u32", "usize"].into_iter().fold(error.message().trim().to_owned(), |message, number| {
        message.replace(&format!("expected {number}"), "expected a whole number")
    });
    match error.span().map(|span| line_at(file, span.start)) {
        Some(line) => format!("line {line}: {message}"),
        None => message,
    }
}

/// The line on which that byte stands, counted from 1.
fn line_at(file: &str, offset: usize) -> usize {
    1 + file.get(..offset).unwrap_or_default().matches('\n').count()
}

/// Each group of options reads its own keys and leaves the others alone; what none of them reads is a mistake.
fn refuse_unknown_keys(file: &str) -> Result<(), String> {
    let known = known_keys();
    let table = DeTable::parse(file).map_err(|error| told(&error, file))?;
    for key in table.get_ref().keys() {
        let name = key.get_ref().as_ref();
        if !known.contains(&name) {
            let line = line_at(file, key.span().start);
            let hint = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are: {}", known.join(", ")),
            };
            return Err(format!("line {line}: there is no setting `{name}`; {hint}"));
        }
    }
    Ok(())
}

fn known_keys() -> Vec<&'static str> {
    [field_names::<Options>(), field_names::<Asking>()].concat()
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{Args, Command};

    use super::*;

    #[test]
    fn every_option_is_a_key_and_every_key_an_option_but_the_tables() {
        let command = Options::augment_args(Command::new("reconcile"));
        let options: BTreeSet<&str> = command.get_arguments().filter_map(|option| option.get_long()).collect();
        let mut keys: BTreeSet<&str> = known_keys().into_iter().collect();
        assert_eq!(keys.len(), known_keys().len(), "no key belongs to two groups");
        // Tables of the file, and the language, which is an option of every command.
        assert!(["checks", "workflow", "lang"].into_iter().all(|key| keys.remove(key)) && keys.len() > 30, "{keys:?}");
        assert_eq!(keys, options);
    }

    #[test]
    fn each_group_of_options_is_laid_over_the_file_by_itself() {
        let file = "rate = 3\nsandbox = true\ncolumn = 'id'\naccount = 'a'\n[checks]\ncurrency = 'off'";
        let asking = Asking { rate: Some(7), ..Asking::default() };
        let typed = Options { asking, account: Some("b".into()), ..Options::default() };
        let options = overlay(&typed, file).expect("usable");
        assert_eq!((options.asking.rate, options.asking.sandbox), (Some(7), Some(true)));
        assert_eq!((options.account.as_deref(), options.column.as_deref()), (Some("b"), Some("id")));
        assert!(options.checks.is_some_and(|checks| checks.contains_key("currency")));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let refusal = |file: &str| overlay(&Options::default(), file).expect_err("not usable");
        assert_eq!(
            refusal("rate = 3\n\napi_url = 'x'"),
            "line 3: there is no setting `api_url`; did you mean `api-url`?"
        );
        assert!(refusal("colour = 'red'").starts_with("line 1: there is no setting `colour`; did you mean `column`?"));
        assert!(
            refusal("[something-else]\na = 1").contains("line 1: there is no setting `something-else`; there are: ")
        );
        for file in ["\nretries = 'many'", "\nfresh = 3", "\nrate = -1", "\nrate = 1\nrate = 2"] {
            assert!(refusal(file).contains(if file.contains('2') { "line 3" } else { "line 2" }), "{}", refusal(file));
        }
    }
}
