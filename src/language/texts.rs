//! The texts of one language, by message.

use std::borrow::Cow;
use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::LanguageIdentifier;

use super::catalogue::Catalogue;
use super::{Language, Word};

/// The value of a message's variable: a text, or a number if the language has to choose between singular and
/// plural. Figures are passed as formatted texts.
pub use fluent_bundle::FluentValue as Value;

type Bundle = FluentBundle<FluentResource>;

/// The English files. Chinese has the same ones, and two more.
const ENGLISH: &[&str] = &[
    include_str!("../../locales/en/commands.ftl"),
    include_str!("../../locales/en/diff.ftl"),
    include_str!("../../locales/en/explain.ftl"),
    include_str!("../../locales/en/notify.ftl"),
    include_str!("../../locales/en/report.ftl"),
    include_str!("../../locales/en/status.ftl"),
    include_str!("../../locales/en/terminal.ftl"),
    include_str!("../../locales/en/words.ftl"),
    include_str!("../../locales/en/xlsx.ftl"),
];
const CHINESE: &[&str] = &[
    include_str!("../../locales/zh-CN/commands.ftl"),
    include_str!("../../locales/zh-CN/diff.ftl"),
    include_str!("../../locales/zh-CN/explain.ftl"),
    include_str!("../../locales/zh-CN/notify.ftl"),
    include_str!("../../locales/zh-CN/report.ftl"),
    include_str!("../../locales/zh-CN/status.ftl"),
    include_str!("../../locales/zh-CN/terminal.ftl"),
    include_str!("../../locales/zh-CN/words.ftl"),
    include_str!("../../locales/zh-CN/xlsx.ftl"),
    // The English texts of these are in the code.
    include_str!("../../locales/zh-CN/findings.ftl"),
    include_str!("../../locales/zh-CN/help.ftl"),
];

/// The texts of one language.
#[derive(Clone, Copy)]
pub struct Texts {
    language: Language,
    bundle: &'static Bundle,
}

/// Why a message has no text. Tests prove that this happens to none of the program's own messages.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The language has no such message.
    #[error("{language} has no message {id}")]
    Missing {
        /// The language that lacks the message.
        language: Language,
        /// The message's ID.
        id: String,
    },
    /// The message can't be formatted with the variables that it was given.
    #[error("the message {id} in {language}: {problem}")]
    Unresolved {
        /// The language of the message.
        language: Language,
        /// The message's ID.
        id: String,
        /// What Fluent reports.
        problem: String,
    },
}

impl Texts {
    /// The texts of a language. They are parsed once per process.
    #[must_use]
    pub fn new(language: Language) -> Self {
        static READ: [OnceLock<Bundle>; 2] = [OnceLock::new(), OnceLock::new()];
        let (read, sources) = match language {
            Language::English => (&READ[0], ENGLISH),
            Language::Chinese => (&READ[1], CHINESE),
        };
        Self { language, bundle: read.get_or_init(|| bundle(language, sources)) }
    }

    /// The language of these texts.
    #[must_use]
    pub const fn language(&self) -> Language {
        self.language
    }

    /// The text of a message without variables. A missing message shows as its ID.
    #[must_use]
    pub fn get(&self, id: &str) -> String {
        self.with(id, &[])
    }

    /// The text of a message with variables. A message that is missing or lacks a variable shows as its ID.
    #[must_use]
    pub fn with(&self, id: &str, variables: &[(&str, Value<'_>)]) -> String {
        self.try_with(id, variables).unwrap_or_else(|_| id.to_owned())
    }

    /// One explanation of a word of the program. A word without it shows as the ID of its message.
    #[must_use]
    pub fn word(&self, word: Word, code: &str) -> String {
        self.get(&word.id(code))
    }

    /// A text that the code writes in English, such as an error, in this language. Variable parts stay as they are; so
    /// does a text that is not one of the program's.
    #[must_use]
    pub fn translated<'t>(&self, english: &'t str) -> Cow<'t, str> {
        let chinese = match self.language {
            Language::English => None,
            Language::Chinese => Catalogue::chinese().translate(english),
        };
        chinese.map_or(Cow::Borrowed(english), Cow::Owned)
    }

    /// The static text of a message that is one line without variables; `None` for any other message.
    #[must_use]
    pub fn plain(&self, id: &str) -> Option<&'static str> {
        let pattern = self.bundle.get_message(id)?.value()?;
        match self.bundle.format_pattern(pattern, None, &mut Vec::new()) {
            Cow::Borrowed(text) => Some(text),
            Cow::Owned(_) => None,
        }
    }

    /// The text of a message with these variables.
    ///
    /// # Errors
    /// [`TextError`] if there is no such message, or it can't be formatted.
    pub fn try_with(&self, id: &str, variables: &[(&str, Value<'_>)]) -> Result<String, TextError> {
        let language = self.language;
        let message = self.bundle.get_message(id).and_then(|message| message.value());
        let pattern = message.ok_or_else(|| TextError::Missing { language, id: id.to_owned() })?;
        let arguments: FluentArgs<'_> = variables.iter().map(|(name, value)| (*name, value.clone())).collect();
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(&arguments), &mut errors);
        match errors.first() {
            None => Ok(text.into_owned()),
            Some(error) => Err(TextError::Unresolved { language, id: id.to_owned(), problem: error.to_string() }),
        }
    }
}

/// Parses the files of a language. A message that can't be parsed is left out, and shows as its ID.
fn bundle(language: Language, sources: &[&str]) -> Bundle {
    let locale: LanguageIdentifier = language.code().parse().unwrap_or_default();
    let mut bundle = Bundle::new_concurrent(vec![locale]);
    // Marks that isolate right-to-left texts are for browsers. Terminals and reports would show them.
    bundle.set_use_isolating(false);
    for source in sources {
        let resource = FluentResource::try_new((*source).to_owned()).unwrap_or_else(|(readable, _)| readable);
        // Of two messages with the same ID, the first one stays.
        let _ = bundle.add_resource(resource);
    }
    bundle
}
