//! Phrases that are not plain English, in sources, English texts and documents.

use std::fs;

use crate::support::{files_below, repository};

/// Phrases that never stand, in lower case.
const PHRASES: [&str; 12] = [
    "another ones",
    "be had",
    "come to the same",
    "in need of",
    "is had",
    "of before",
    "other ones",
    "put that right",
    "that long after",
    "there is no telling",
    "was had",
    "what came of it",
];
/// "is no" may follow this,
const BEFORE: &str = "there ";
/// or stand before these.
const AFTER: [&str; 3] = [" longer", " more", " less"];

#[test]
fn texts_are_plain_english() {
    let mut files = files_below(&repository("src"));
    files.extend(files_below(&repository("locales/en")));
    files.extend(files_below(&repository("docs")));
    files.extend(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"].map(repository));
    let is_text = |path: &&std::path::PathBuf| {
        path.extension()
            .is_some_and(|extension| ["rs", "ftl", "md", "json", "toml"].iter().any(|text| extension == *text))
    };
    let texts: Vec<_> =
        files.iter().filter(is_text).map(|path| (path, fs::read_to_string(path).expect("text"))).collect();
    assert!(texts.len() > 250, "only {} files", texts.len());
    let found: Vec<String> = texts
        .iter()
        .flat_map(|(path, text)| {
            stumbles(text).into_iter().map(move |stumble| format!("{}: {stumble}", path.display()))
        })
        .collect();
    assert!(found.is_empty(), "{} phrases:\n{}", found.len(), found.join("\n"));
}

/// The phrases of a text that are not plain English, each with what follows it.
fn stumbles(text: &str) -> Vec<String> {
    let words = text.lines().map(|line| line.trim().trim_start_matches(['/', '!', '#', '*']).trim_end_matches('\\'));
    let text = words.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ").to_lowercase();
    let phrases = PHRASES.iter().flat_map(|phrase| text.match_indices(phrase));
    let denials = text.match_indices("is no").filter(|(at, phrase)| {
        let after = &text[at + phrase.len()..];
        !text[..*at].ends_with(BEFORE) && !AFTER.iter().any(|allowed| after.starts_with(allowed))
    });
    let is_whole = |at: usize, phrase: &str| {
        let is_end = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_');
        is_end(text[..at].chars().next_back()) && is_end(text[at + phrase.len()..].chars().next())
    };
    let found = phrases.chain(denials).filter(|(at, phrase)| is_whole(*at, phrase));
    found.map(|(at, _)| text[at..].chars().take(50).collect()).collect()
}

#[test]
fn planted_phrases_are_found() {
    assert_eq!(stumbles("/// It is\n/// no report."), ["is no report."]);
    assert_eq!(stumbles("Orders that can't be had; the figures are other ones now").len(), 2);
    for plain in ["there is no report", "it is no longer there", "is not", "this node", "its number", "be hadron"] {
        assert!(stumbles(plain).is_empty(), "{plain}");
    }
}
