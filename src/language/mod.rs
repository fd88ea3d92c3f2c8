//! The languages of what people read: which one somebody wants, and the texts in it.
//!
//! Machine names (codes, columns, options, the words in files) are never translated. The texts are Fluent files below
//! `locales/`, compiled in. English help stands in `app::cli`, where clap takes it from, and English messages of
//! findings in `checks`, since reports carry them: of these two, only Chinese has files.

mod texts;
mod words;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use texts::{TextError, Texts, Value};
pub use words::Word;

/// A language that people can read the program's texts in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    /// English, for who wants nothing else.
    #[default]
    #[serde(rename = "en")]
    English,
    /// 简体中文.
    #[serde(rename = "zh-CN")]
    Chinese,
}

/// A text that names no language of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give en or zh-CN")]
pub struct UnknownLanguage;

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// Its BCP 47 tag: the word of `--lang`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// The language of a locale, from the values of the environment's variables in the order of their precedence: the
    /// first that is not empty decides. Whatever is not Chinese, `C` among it, is English.
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
