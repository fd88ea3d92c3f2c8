//! The settings file: one flat TOML table for all commands. An unknown key is an error.

use std::env;
use std::path::{Path, PathBuf};

use serde::de::value::Error as NoValue;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;
use toml::Table;
use toml::de::DeTable;

use super::rules::nearest;
use super::{SettingsError, text_file};
use crate::app::cli::{General, Options, ProviderArgs};

/// The largest file, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// A settings file, unparsed.
pub(super) struct SettingsFile {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// Calls `validate` with the typed options laid over those of the settings file, if there is one. An error about a
/// setting from the file names the file.
pub(super) fn with_file<T>(
    typed: Options,
    general: &General,
    validate: impl FnOnce(Options) -> Result<T, SettingsError>,
) -> Result<T, SettingsError> {
    match find(general.config.as_deref())? {
        Some(file) => validate(file.under(&typed)?).map_err(|error| file.with_path(error, &typed)),
        None => validate(typed),
    }
}

/// Reads the file that is named, or else the user's own; never one in the current directory, which could redirect the
/// key.
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
    /// Lays the typed options over those of the file.
    fn under(&self, typed: &Options) -> Result<Options, SettingsError> {
        overlay(typed, &self.text).map_err(|message| SettingsError::Toml { path: self.path.clone(), message })
    }

    /// Adds the file's path to an error, unless the setting was typed and overrides the file.
    fn with_path(&self, error: SettingsError, typed: &Options) -> SettingsError {
        let is_typed = |key: &str| merge(Table::new(), typed).is_ok_and(|typed| typed.contains_key(key));
        match error.key() {
            Some(key) if !is_typed(key) => SettingsError::InFile { path: self.path.clone(), error: Box::new(error) },
            _ => error,
        }
    }
}

/// Lays typed options over the text of a settings file. The file is parsed by itself first, so that its errors name its
/// lines.
pub(in crate::app) fn overlay(typed: &Options, file: &str) -> Result<Options, String> {
    let unusable = |error: toml::de::Error| toml_error_message(&error, file);
    refuse_unknown_keys(file)?;
    toml::from_str::<Options>(file).map_err(unusable)?;
    toml::from_str::<ProviderArgs>(file).map_err(unusable)?;
    let settings = merge(file.parse().map_err(unusable)?, typed)?;
    let provider = settings.clone().try_into().map_err(unusable)?;
    Ok(Options { provider, ..settings.try_into().map_err(unusable)? })
}

/// Lays typed options over other settings.
fn merge(mut settings: Table, typed: &Options) -> Result<Table, String> {
    settings.extend(Table::try_from(typed).map_err(|error| error.to_string())?);
    settings.extend(Table::try_from(&typed.provider).map_err(|error| error.to_string())?);
    Ok(settings)
}

/// The message of a TOML error, with its line number. The line itself is not shown: it may hold a misplaced API key.
fn toml_error_message(error: &toml::de::Error, file: &str) -> String {
    let ours = [("u32", "a whole number"), ("usize", "a whole number")];
    let ours =
        ours.into_iter().chain(["struct ScheduleOptions", "struct WorkflowOptions"].map(|name| (name, "a table")));
    let message = ours.fold(error.message().trim().to_owned(), |message, (name, plain)| {
        message.replace(&format!("expected {name}"), &format!("expected {plain}"))
    });
    match error.span().map(|span| line_at(file, span.start)) {
        Some(line) => format!("line {line}: {message}"),
        None => message,
    }
}

/// The line of the byte at `offset`, counted from 1.
fn line_at(file: &str, offset: usize) -> usize {
    1 + file.get(..offset).unwrap_or_default().matches('\n').count()
}

/// Refuses keys that no group of options reads: each group ignores the keys of the others.
fn refuse_unknown_keys(file: &str) -> Result<(), String> {
    let known = known_keys();
    let table = DeTable::parse(file).map_err(|error| toml_error_message(&error, file))?;
    for key in table.get_ref().keys() {
        let name = key.get_ref().as_ref();
        if !known.contains(&name) {
            let line = line_at(file, key.span().start);
            let hint = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the settings are: {}", known.join(", ")),
            };
            return Err(format!("line {line}: there is no setting `{name}`; {hint}"));
        }
    }
    Ok(())
}

fn known_keys() -> Vec<&'static str> {
    [field_names::<Options>(), field_names::<ProviderArgs>()].concat()
}

/// The names of a struct's fields, as a settings file writes them.
fn field_names<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    /// A deserializer without a value: it records the field names that a struct asks for, and fails.
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
            Err(NoValue::custom("only the names are wanted"))
        }

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NoValue> {
            Err(NoValue::custom("not a struct"))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut names: &'static [&'static str] = &[];
    // Always fails; it leaves the names behind.
    let _ = T::deserialize(Names(&mut names));
    names
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{Args, Command};

    use super::*;

    #[test]
    fn every_key_is_an_option_except_tables_and_language() {
        let command = Options::augment_args(Command::new("reconcile"));
        let options: BTreeSet<&str> = command.get_arguments().filter_map(|option| option.get_long()).collect();
        let mut keys: BTreeSet<&str> = known_keys().into_iter().collect();
        assert_eq!(keys.len(), known_keys().len(), "no key belongs to two groups");
        // Four tables, which only the file has, and the language, which is an option of every command.
        assert!(
            ["checks", "workflow", "schedule", "notify", "lang"].into_iter().all(|key| keys.remove(key))
                && keys.len() > 30,
            "{keys:?}"
        );
        assert_eq!(keys, options);
    }

    #[test]
    fn every_group_of_options_is_laid_over_the_file() {
        let file = "rate = 3\nsandbox = true\ncolumn = 'id'\naccount = 'a'\n[checks]\ncurrency = 'off'";
        let provider = ProviderArgs { rate: Some(7), ..ProviderArgs::default() };
        let typed = Options { provider, account: Some("b".into()), ..Options::default() };
        let options = overlay(&typed, file).expect("usable");
        assert_eq!((options.provider.rate, options.provider.sandbox), (Some(7), Some(true)));
        assert_eq!((options.account.as_deref(), options.column.as_deref()), (Some("b"), Some("id")));
        assert!(options.checks.is_some_and(|checks| checks.contains_key("currency")));
    }

    #[test]
    fn errors_name_their_line() {
        let refusal = |file: &str| overlay(&Options::default(), file).expect_err("not usable");
        assert_eq!(
            refusal("rate = 3\n\napi_url = 'x'"),
            "line 3: there is no setting `api_url`; did you mean `api-url`?"
        );
        assert!(refusal("colour = 'red'").starts_with("line 1: there is no setting `colour`; did you mean `column`?"));
        assert!(
            refusal("[something-else]\na = 1")
                .contains("line 1: there is no setting `something-else`; the settings are: ")
        );
        for file in ["\nretries = 'many'", "\nfresh = 3", "\nrate = -1", "\nrate = 1\nrate = 2"] {
            assert!(refusal(file).contains(if file.contains('2') { "line 3" } else { "line 2" }), "{}", refusal(file));
        }
    }
}
