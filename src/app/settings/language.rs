//! The user's language: as typed, else from the settings file, else from the locale.

use std::env;
use std::path::Path;

use toml::Table;

use super::file;
use crate::language::Language;

/// The key of the settings file.
const KEY: &str = "lang";
/// The variables that name the locale of messages, by precedence.
const LOCALE: [&str; 3] = ["LC_ALL", "LC_MESSAGES", "LANG"];

/// The user's language. An unusable settings file is ignored here: the commands that use one report what is wrong with
/// it.
pub(in crate::app) fn language(typed: Option<Language>, config: Option<&Path>) -> Language {
    let in_file = || {
        let file = file::find(config).ok()??;
        file.text.parse::<Table>().ok()?.get(KEY)?.as_str()?.parse().ok()
    };
    typed.or_else(in_file).unwrap_or_else(|| {
        let variables = LOCALE.into_iter().filter_map(env::var_os);
        Language::of_locale(variables.map(|value| value.to_string_lossy().into_owned()))
    })
}
