//! The texts of one language, by message.

use std::borrow::Cow;
use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::LanguageIdentifier;

use super::{Language, Word};

/// What a message is given for one of its variables: a text, or a number where the language has to know whether it
/// is one or many. Figures come as texts that are already written out.
pub use fluent_bundle::FluentValue as Value;

type Bundle = FluentBundle<FluentResource>;

/// The texts that both languages have.
const ENGLISH: &[&str] = &[
    include_str!("../../locales/en/diff.ftl"),
    include_str!("../../locales/en/explain.ftl"),
    include_str!("../../locales/en/report.ftl"),
    include_str!("../../locales/en/terminal.ftl"),
    include_str!("../../locales/en/words.ftl"),
    include_str!("../../locales/en/xlsx.ftl"),
];
const CHINESE: &[&str] = &[
    include_str!("../../locales/zh-CN/diff.ftl"),
    include_str!("../../locales/zh-CN/explain.ftl"),
    include_str!("../../locales/zh-CN/report.ftl"),
    include_str!("../../locales/zh-CN/terminal.ftl"),
    include_str!("../../locales/zh-CN/words.ftl"),
    include_str!("../../locales/zh-CN/xlsx.ftl"),
    // English has these in the code.
    include_str!("../../locales/zh-CN/findings.ftl"),
    include_str!("../../locales/zh-CN/help.ftl"),
];

/// The texts of one language.
#[derive(Clone, Copy)]
pub struct Texts {
    language: Language,
    bundle: &'static Bundle,
}

/// Why there is no text. The tests prove that none of the program's own messages comes to this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The language has no such message.
    #[error("{language} has no message {id}")]
    Missing {
        /// The language.
        language: Language,
        /// The message.
        id: String,
    },
    /// The message can't be written out with what it was given.
    #[error("the message {id} in {language}: {problem}")]
    Unresolved {
        /// The language.
        language: Language,
        /// The message.
        id: String,
        /// What Fluent says.
        problem: String,
    },
}

impl Texts {
    /// The texts of a language. They are read once.
    #[must_use]
    pub fn new(language: Language) -> Self {
        static READ: [OnceLock<Bundle>; 2] = [OnceLock::new(), OnceLock::new()];
        let (read, sources) = match language {
            Language::English => (&READ[0], ENGLISH),
            Language::Chinese => (&READ[1], CHINESE),
        };
        Self { language, bundle: read.get_or_init(|| bundle(language, sources)) }
    }

    /// Which language they are in.
    #[must_use]
    pub const fn language(&self) -> Language {
        self.language
    }

    /// The text of a message without variables. One that there is not shows as its id.
    #[must_use]
    pub fn get(&self, id: &str) -> String {
        self.with(id, &[])
    }

    /// The text of a message with these variables. One that there is not, or that lacks a variable, shows as its id.
    #[must_use]
    pub fn with(&self, id: &str, variables: &[(&str, Value<'_>)]) -> String {
        self.try_with(id, variables).unwrap_or_else(|_| id.to_owned())
    }

    /// What is said of a word of the program. A word that nothing is said of shows as the id of its message.
    #[must_use]
    pub fn of(&self, word: Word, code: &str) -> String {
        self.get(&word.id(code))
    }

    /// The text of a message that is plain: on one line, with nothing to put in. It lives as long as the program.
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
    /// [`TextError`] where there is no such message, or it can't be written out.
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

/// Reads the files of a language. A message that can't be read is left out, and shows as its id.
fn bundle(language: Language, sources: &[&str]) -> Bundle {
    let locale: LanguageIdentifier = language.code().parse().unwrap_or_default();
    let mut bundle = Bundle::new_concurrent(vec![locale]);
    // Marks that isolate right-to-left texts are for browsers: a terminal shows them, and they would stand in reports.
    bundle.set_use_isolating(false);
    for source in sources {
        let resource = FluentResource::try_new((*source).to_owned()).unwrap_or_else(|(readable, _)| readable);
        // Of two messages with one id the first stays.
        let _ = bundle.add_resource(resource);
    }
    bundle
}
