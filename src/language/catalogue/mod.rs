//! Chinese for texts that the code writes in English: errors, warnings, and the details of proofs. Their types live in all
//! layers and know no language, so, as with gettext, the English text is the key: it is matched against the templates of
//! `locales/zh-CN/messages.po`.
//!
//! A variable part is never looked into, unless its template says that it may be a text of the program (`{@problem}`):
//! then it is translated in turn. A text that can be read in several ways, because a file name looks like a text of the
//! program, stays English: a wrong reading would attribute words to the wrong part. Only a name that imitates a separator
//! and a text of the program after it is taken for that text.
//!
//! A template with few words of its own would also match other texts. The variables of such a template are numbers, or
//! names without blanks.

mod po;
mod template;

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::rc::Rc;
use std::sync::OnceLock;

use template::{Kind, Part, Template, Variable, splits};

/// The longest text that is translated, in bytes. Longer ones are lists of things, or hostile.
const LONGEST: usize = 4 << 10;
/// How many readings of a text are tried before it is left as it is.
const MOST_READINGS: usize = 1_000;
/// How deeply texts may be nested.
const DEEPEST: usize = 8;

/// The templates of both languages, in the order of the file.
pub(super) struct Catalogue {
    entries: Vec<(Template, Template)>,
}

impl Catalogue {
    /// The catalogue of Chinese, parsed once per process.
    pub(super) fn chinese() -> &'static Self {
        static READ: OnceLock<Catalogue> = OnceLock::new();
        READ.get_or_init(|| Self::of(include_str!("../../../locales/zh-CN/messages.po")))
    }

    fn of(source: &str) -> Self {
        let entries = po::entries(source).into_iter();
        Self { entries: entries.map(|(english, chinese)| (Template::of(&english), Template::of(&chinese))).collect() }
    }

    /// The translation of an English text; `None` if no template matches it, or if it can be read in several ways.
    pub(super) fn translate(&self, text: &str) -> Option<String> {
        if text.len() > LONGEST {
            return None;
        }
        let mut reader = Reader { entries: &self.entries, text, known: HashMap::new(), readings: 0 };
        let reading = reader.read(0..text.len(), 0)?;
        if reader.readings > MOST_READINGS { None } else { reading.translation.clone() }
    }
}

/// One way to read a text.
struct Reading {
    /// `None` where the words don't tell which part is what.
    translation: Option<String>,
    /// The places of the letters that are the program's own words.
    own: BTreeSet<usize>,
    /// How many templates were filled.
    templates: usize,
}

/// Reads one text and the texts in it.
struct Reader<'t> {
    entries: &'t [(Template, Template)],
    text: &'t str,
    known: HashMap<Range<usize>, Option<Rc<Reading>>>,
    readings: usize,
}

impl Reader<'_> {
    /// The reading of a part of the text that contains the words of every other reading; `None` if nothing is read.
    fn read(&mut self, range: Range<usize>, depth: usize) -> Option<Rc<Reading>> {
        if depth > DEEPEST {
            return None;
        }
        if let Some(known) = self.known.get(&range) {
            return known.clone();
        }
        let entries = self.entries;
        let mut all = Vec::new();
        for (english, chinese) in entries {
            for split in splits(english, &self.text[range.clone()]) {
                self.readings += 1;
                if self.readings > MOST_READINGS {
                    return None;
                }
                let split: Vec<_> =
                    split.into_iter().map(|part| range.start + part.start..range.start + part.end).collect();
                all.extend(self.fill(english, chinese, &split, range.clone(), depth).map(Rc::new));
            }
        }
        // Of readings that differ only in separators, such as a colon, the simplest one stands, then the first.
        let best = all.iter().min_by_key(|reading| (Reverse(reading.own.len()), reading.templates));
        let best = best.map(|best| match all.iter().all(|other| other.own.is_subset(&best.own)) {
            true => Rc::clone(best),
            false => Rc::new(Reading {
                translation: None,
                own: all.iter().flat_map(|reading| reading.own.iter().copied()).collect(),
                templates: best.templates,
            }),
        });
        self.known.insert(range, best.clone());
        best
    }

    /// The translation where the variables of a template are these parts of the text; `None` where none of the text is
    /// the program's own words.
    fn fill(
        &mut self,
        english: &Template,
        chinese: &Template,
        split: &[Range<usize>],
        whole: Range<usize>,
        depth: usize,
    ) -> Option<Reading> {
        let variables: Vec<_> = english.variables().zip(split).collect();
        let is_own = |place: &usize| !split.iter().any(|part| part.contains(place));
        let letters = self.text[whole.clone()].char_indices().filter(|(_, char)| char.is_alphabetic());
        let mut own: BTreeSet<usize> = letters.map(|(at, _)| whole.start + at).filter(is_own).collect();
        let (mut nested, mut templates) = (HashMap::new(), 1);
        for (variable, part) in &variables {
            let reading = match variable.kind {
                Kind::Anything => continue,
                Kind::Number if is_all(&self.text[(*part).clone()], |char| char.is_ascii_digit()) => continue,
                Kind::Name if is_all(&self.text[(*part).clone()], |char| !char.is_whitespace()) => continue,
                Kind::Number | Kind::Name => return None,
                Kind::MaybeText => match self.read((*part).clone(), depth + 1) {
                    Some(reading) => reading,
                    None => continue,
                },
                Kind::Text => self.read((*part).clone(), depth + 1)?,
            };
            own.extend(&reading.own);
            templates += reading.templates;
            nested.insert(variable.name.as_str(), reading);
        }
        if own.is_empty() {
            return None;
        }
        let value = |wanted: &Variable| match nested.get(wanted.name.as_str()) {
            Some(reading) => reading.translation.as_deref(),
            None => {
                let (_, part) = variables.iter().find(|(variable, _)| variable.name == wanted.name)?;
                Some(&self.text[(*part).clone()])
            }
        };
        let texts = chinese.parts.iter().map(|part| match part {
            Part::Literal(text) => Some(text.as_str()),
            Part::Variable(wanted) => value(wanted),
        });
        let translation = texts.collect::<Option<String>>();
        Some(Reading { translation, own, templates })
    }
}

/// Whether the text is not empty, and every character is of a kind.
fn is_all(text: &str, is_of_kind: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(is_of_kind)
}

#[cfg(test)]
mod tests;
