//! The texts of reports for people, in their language: Fluent, compiled in. Machine names are in no language.

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource, FluentValue};

/// The languages there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// Its tag, as in `<html lang>` and the manifest.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// The language of that tag.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// The messages as written.
    pub(super) const fn source(self) -> &'static str {
        match self {
            Self::English => include_str!("../../locales/en/report.ftl"),
            Self::Chinese => include_str!("../../locales/zh-CN/report.ftl"),
        }
    }
}

/// Texts by their ids. An unknown id is its own text: it shows, and stops nothing.
pub trait Texts {
    /// The text of an id.
    fn get(&self, id: &str) -> String {
        self.with(id, &[])
    }

    /// The text of an id with its variables.
    fn with(&self, id: &str, variables: &[(&str, FluentValue<'_>)]) -> String;
}

/// The messages of one language.
pub struct Messages(FluentBundle<FluentResource>);

impl Messages {
    /// Those of a language.
    #[must_use]
    pub fn of(language: Language) -> Self {
        let mut bundle = FluentBundle::new(vec![language.code().parse().unwrap_or_default()]);
        // The marks would stand in what is copied from a page.
        bundle.set_use_isolating(false);
        // What can't be parsed is left out and shows as its id; a test proves that there is none.
        let resource = FluentResource::try_new(language.source().to_owned()).unwrap_or_else(|(resource, _)| resource);
        bundle.add_resource_overriding(resource);
        Self(bundle)
    }
}

impl Texts for Messages {
    fn with(&self, id: &str, variables: &[(&str, FluentValue<'_>)]) -> String {
        let Some(pattern) = self.0.get_message(id).and_then(|message| message.value()) else {
            return id.to_owned();
        };
        let arguments: FluentArgs<'_> = variables.iter().map(|(name, value)| (*name, value.clone())).collect();
        self.0.format_pattern(pattern, Some(&arguments), &mut Vec::new()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// The ids of a language with the variables each names, by plain reading.
    fn variables(language: Language) -> BTreeMap<String, BTreeSet<String>> {
        let mut found = BTreeMap::<String, BTreeSet<String>>::new();
        let mut id = String::new();
        for line in language.source().lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, _)) = line.split_once(" =").filter(|_| line.starts_with("report-")) {
                name.clone_into(&mut id);
                assert!(found.insert(id.clone(), BTreeSet::new()).is_none(), "{id} stands twice");
            }
            for variable in line.split('$').skip(1) {
                let end = variable.find(|char: char| !char.is_alphanumeric()).unwrap_or(variable.len());
                found.get_mut(&id).expect("a message").insert(variable[..end].to_owned());
            }
        }
        found
    }

    #[test]
    fn both_languages_say_the_same_things() {
        let (english, mut chinese) = (variables(Language::English), variables(Language::Chinese));
        assert!(english.len() > 200, "{} messages", english.len());
        assert_eq!(english.keys().collect::<Vec<_>>(), chinese.keys().collect::<Vec<_>>());
        for (id, variables) in english {
            // Chinese has no plural: what only chooses one may be missing there.
            assert_eq!(Some(variables), chinese.remove(&id), "{id}");
        }
    }

    #[test]
    fn every_message_is_parsed_and_says_something() {
        for language in Language::ALL {
            assert!(FluentResource::try_new(language.source().to_owned()).is_ok(), "{language:?}");
            let messages = Messages::of(language);
            for (id, variables) in variables(language) {
                let values: Vec<_> =
                    variables.iter().map(|name| (name.as_str(), FluentValue::from(format!("<{name}>")))).collect();
                let text = messages.with(&id, &values);
                assert!(!text.trim().is_empty() && text != id && !text.contains('{'), "{language:?} {id}: {text}");
                for name in variables.iter().filter(|name| *name != "n") {
                    assert!(text.contains(&format!("<{name}>")), "{language:?} {id}: {text}");
                }
            }
        }
    }

    #[test]
    fn a_count_chooses_its_form() {
        let messages = Messages::of(Language::English);
        let why =
            |n: u64, count: &str| messages.with("report-why-pending", &[("n", n.into()), ("count", count.into())]);
        assert_eq!(why(1, "1"), "Everything due so far ties out; one order is not settled yet.");
        assert_eq!(why(1200, "1,200"), "Everything due so far ties out; 1,200 orders are not settled yet.");
        assert_eq!(messages.get("report-nothing-of-the-kind"), "report-nothing-of-the-kind");
    }
}
