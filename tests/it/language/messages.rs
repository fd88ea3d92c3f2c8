//! Messages of Fluent files, read by plain means: their ids and variables.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::support::{files_below, repository};

/// The variables of messages, by id.
pub type Messages = BTreeMap<String, BTreeSet<String>>;

/// The text of each file of a language, by name.
pub fn files(language: &str) -> BTreeMap<String, String> {
    let files = files_below(&repository("locales").join(language)).into_iter();
    let files = files.filter(|path| path.extension().is_some_and(|is| is == "ftl"));
    let named = |path: std::path::PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, fs::read_to_string(path).expect("a text in UTF-8"))
    };
    files.map(named).collect()
}

/// The messages of a file; asserts that no id occurs twice.
pub fn messages(text: &str) -> Messages {
    let mut messages = Messages::new();
    let mut current = None;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with(|char: char| char.is_ascii_alphabetic()) {
            let (id, _) = line.split_once(" =").unwrap_or_else(|| panic!("no message: {line}"));
            assert!(messages.insert(id.to_owned(), BTreeSet::new()).is_none(), "{id} stands twice");
            current = Some(id.to_owned());
        }
        let Some(variables) = current.as_ref().and_then(|id| messages.get_mut(id)) else { continue };
        let is_name = |char: char| char.is_ascii_alphanumeric() || "-_".contains(char);
        let named = line.split('$').skip(1).map(|rest| rest.split(|char| !is_name(char)).next().unwrap_or_default());
        variables.extend(named.filter(|name| !name.is_empty()).map(str::to_owned));
    }
    messages
}

#[test]
fn ids_and_variables_are_found() {
    let text = "# a-comment = no\na = { $one } and { $two-b ->\n        [0] none\n       *[other] { $three }\n    }\n\nb =\n    plain\n";
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let expected = [("a".to_owned(), set(&["one", "three", "two-b"])), ("b".to_owned(), set(&[]))];
    assert_eq!(messages(text), Messages::from(expected));
}
