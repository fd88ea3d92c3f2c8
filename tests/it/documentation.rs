//! Documentation that names tests names those that there are, all of them.

use std::collections::BTreeSet;
use std::fs;

use crate::support::{files_below, repository};

/// The modules whose tests `docs/faults.md` lists.
const LISTED: [&str; 5] = ["damage", "disk", "faults", "network", "restarts"];

#[test]
fn the_faults_are_documented_with_their_tests() {
    let text = fs::read_to_string(repository("docs/faults.md")).expect("the list of faults");
    let named: BTreeSet<&str> = text
        .split('`')
        .filter(|quoted| LISTED.iter().any(|module| quoted.starts_with(&format!("{module}::"))))
        .collect();
    let there = tests();
    let there: BTreeSet<&str> = there.iter().map(String::as_str).collect();
    assert!(there.len() > 100, "found only {there:?}");
    let unknown: Vec<_> = named.difference(&there).collect();
    let unlisted: Vec<_> = there.difference(&named).collect();
    assert!(unknown.is_empty() && unlisted.is_empty(), "named but not there: {unknown:?}; not named: {unlisted:?}");
}

/// The names of the tests in the listed modules, as the test runner shows them.
fn tests() -> Vec<String> {
    let root = repository("tests/it");
    let mut tests = Vec::new();
    for file in files_below(&root) {
        let path = file.strip_prefix(&root).expect("below the root").with_extension("");
        let module = path.to_string_lossy().replace('/', "::");
        if !LISTED.iter().any(|listed| module.split("::").next() == Some(listed)) {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a source file");
        let attributed = text.split("#[test]").skip(1);
        let names = attributed.filter_map(|after| after.split_once("fn ")?.1.split_once('(').map(|(name, _)| name));
        tests.extend(names.map(|name| format!("{module}::{name}")));
    }
    tests
}
