//! A text with variables: `can't read {path}: {@problem}`.

use std::mem;
use std::ops::Range;

/// How many ways to split a text by one template are tried.
const MOST_SPLITS: usize = 64;

/// A variable of a template.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// What a variable may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `{name}`: anything. It stays as it is.
    Anything,
    /// `{@name}`: possibly a text of the program, which is then translated in turn.
    MaybeText,
    /// `{!name}`: a text of the program.
    Text,
    /// `{#name}`: digits.
    Number,
    /// `{-name}`: a name without blanks. It stays as it is.
    Name,
}

impl Variable {
    fn of(name: &str) -> Self {
        let marks = [("@", Kind::MaybeText), ("!", Kind::Text), ("#", Kind::Number), ("-", Kind::Name)];
        let marked = marks.into_iter().find_map(|(mark, kind)| Some((name.strip_prefix(mark)?, kind)));
        let (name, kind) = marked.unwrap_or((name, Kind::Anything));
        Self { name: name.to_owned(), kind }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Literal(String),
    Variable(Variable),
}

impl Part {
    fn literal(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Variable(_) => None,
        }
    }
}

/// Literals and variables; there is a literal, if only an empty one, around every variable.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Template {
    pub(super) parts: Vec<Part>,
}

impl Template {
    /// Reads a template; `{{` and `}}` are braces.
    pub(super) fn of(text: &str) -> Self {
        let (mut parts, mut literal, mut rest) = (Vec::new(), String::new(), text);
        while let Some(char) = rest.chars().next() {
            let name =
                rest.strip_prefix('{').filter(|rest| !rest.starts_with('{')).and_then(|rest| rest.split_once('}'));
            if let Some((name, after)) = name {
                parts.push(Part::Literal(mem::take(&mut literal)));
                parts.push(Part::Variable(Variable::of(name)));
                rest = after;
                continue;
            }
            let doubled = rest.starts_with("{{") || rest.starts_with("}}");
            literal.push(char);
            rest = &rest[char.len_utf8() * if doubled { 2 } else { 1 }..];
        }
        parts.push(Part::Literal(literal));
        Self { parts }
    }

    pub(super) fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(variable) => Some(variable),
            Part::Literal(_) => None,
        })
    }

    fn literals(&self) -> Vec<&str> {
        self.parts.iter().filter_map(Part::literal).collect()
    }
}

/// The ways in which a text is this template: where each variable stands in it. Those with shorter first variables come
/// first. There are none if there are too many.
pub(super) fn splits(template: &Template, text: &str) -> Vec<Vec<Range<usize>>> {
    let literals = template.literals();
    let Some((first, others)) = literals.split_first() else { return Vec::new() };
    let Some((last, inner)) = others.split_last() else {
        return if text == *first { vec![Vec::new()] } else { Vec::new() };
    };
    if text.len() < first.len() + last.len() || !text.starts_with(first) || !text.ends_with(last) {
        return Vec::new();
    }
    let mut found = Vec::new();
    find(text, first.len()..text.len() - last.len(), inner, &mut Vec::new(), &mut found);
    if found.len() > MOST_SPLITS { Vec::new() } else { found }
}

/// Finds the literals one after the other in a part of the text.
fn find(
    text: &str,
    within: Range<usize>,
    literals: &[&str],
    before: &mut Vec<Range<usize>>,
    found: &mut Vec<Vec<Range<usize>>>,
) {
    let Some((literal, others)) = literals.split_first() else {
        found.push(before.iter().cloned().chain([within]).collect());
        return;
    };
    for (at, _) in text[within.clone()].match_indices(literal) {
        if found.len() > MOST_SPLITS {
            return;
        }
        let known = found.len();
        before.push(within.start..within.start + at);
        find(text, within.start + at + literal.len()..within.end, others, before, found);
        before.pop();
        if found.len() == known {
            // What does not follow here follows nowhere later.
            return;
        }
    }
}
