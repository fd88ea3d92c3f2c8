//! The languages of texts for people: which one applies, and its texts.
//!
//! Machine names (codes, columns, options, the words in files) are never translated. The texts are Fluent
//! files in `locales/`, compiled in. There are two exceptions: English help is in `app::cli`, where clap
//! reads it, and English messages of findings are in `checks`, since reports carry them. Only their Chinese
//! texts are in files. Errors and warnings are written in English where they arise; [`Texts::translated`] has their Chinese.

mod catalogue;
mod texts;
mod words;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use texts::{TextError, Texts, Value};
pub use words::Word;

/// A language of the program's texts for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    /// English, the default.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    Chinese,
}

/// A text that names no supported language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give en or zh-CN")]
pub struct UnknownLanguage;

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// The language's BCP 47 tag, as in `--lang`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// The language of a locale, from the values of environment variables in order of precedence. The first
    /// that is not empty decides. Every locale that is not Chinese, such as `C`, is English.
    pub fn of_locale<V: AsRef<str>>(variables: impl IntoIterator<Item = V>) -> Self {
        let first = variables.into_iter().find(|value| !value.as_ref().is_empty());
        let is_chinese = first.is_some_and(|value| value.as_ref().to_ascii_lowercase().starts_with("zh"));
        if is_chinese { Self::Chinese } else { Self::English }
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        Self::ALL.into_iter().find(|language| language.code() == text).ok_or(UnknownLanguage)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests;
