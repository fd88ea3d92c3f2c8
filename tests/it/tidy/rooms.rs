//! The rooms of `report` use only rooms below them, and no file of the crate uses itself by way of others.

use std::collections::{BTreeMap, BTreeSet};

use super::code::code_outside_tests;
use super::{Source, is_test_file, sources};

/// The rooms of `report` from the bottom up: a room uses only rooms below it.
const ROOMS: [&[&str]; 6] =
    [&["files"], &["evidence"], &["content"], &["formats"], &["folder", "builder"], &["comparison"]];

#[test]
fn rooms_of_the_report_use_only_rooms_below() {
    let files = sources("src/report");
    assert_eq!(upwards(&files), Vec::<String>::new());
    let planted = [
        ("src/report/content/tables.rs", "use super::table::Table;\nuse crate::report::formats::csv;\n"),
        ("src/report/folder/chain.rs", "use super::manifest::Link;\nuse crate::report::{builder::Builder, files};\n"),
        ("src/report/attic/mod.rs", "use crate::domain::money::Amount;\n"),
    ];
    let planted: Vec<Source> = planted.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
    assert_eq!(
        upwards(&planted),
        [
            "src/report/attic/mod.rs: attic is not a room of tidy/rooms.rs",
            "src/report/content/tables.rs: content must not use formats: it is not in a lower layer",
            "src/report/folder/chain.rs: folder must not use builder: it is not in a lower layer",
        ]
    );
}

fn upwards(files: &[Source]) -> Vec<String> {
    let height = |room: &str| ROOMS.iter().position(|rooms| rooms.contains(&room));
    let mut found = BTreeSet::new();
    for (path, text) in files.iter().filter(|(path, _)| !is_test_file(path)) {
        let module = module_of(path);
        let Some(own) = module.get(1).filter(|_| module.len() > 1) else { continue };
        let Some(own_height) = height(own) else {
            found.insert(format!("{path}: {own} is not a room of tidy/rooms.rs"));
            continue;
        };
        for used in uses(&module, text) {
            let room = used.get(1).filter(|room| used[0] == "report" && *room != own);
            if let Some(room) = room.filter(|room| height(room).is_some_and(|height| height >= own_height)) {
                found.insert(format!("{path}: {own} must not use {room}: it is not in a lower layer"));
            }
        }
    }
    found.into_iter().collect()
}

#[test]
fn no_file_uses_itself_by_way_of_others() {
    assert_eq!(circles(&sources("src")), Vec::<String>::new());
    let planted = |texts: &[(&str, &str)]| {
        circles(&texts.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect::<Vec<_>>())
    };
    let mut texts = vec![
        ("src/a/mod.rs", "mod b;\nmod c;\nuse b::B;\npub struct A;\n"),
        ("src/a/b.rs", "use super::A;\nuse super::c::{self, C};\n"),
        ("src/a/c.rs", "use crate::d::D;\n"),
        ("src/d.rs", ""),
    ];
    assert_eq!(planted(&texts), Vec::<String>::new(), "a submodule may use what its parent defines");
    texts[3].1 = "use crate::{\n    a::{b::B},\n};\n";
    assert_eq!(planted(&texts), ["src/a/b.rs -> src/a/c.rs -> src/d.rs"]);
    texts[3].1 = "#[cfg(test)]\nmod tests {\n    use crate::a::b::B;\n}\n";
    assert_eq!(planted(&texts), Vec::<String>::new(), "tests may use anything");
}

/// The files of each import cycle, starting with the first by name.
fn circles(files: &[Source]) -> Vec<String> {
    let files: Vec<&Source> = files.iter().filter(|(path, _)| !is_test_file(path)).collect();
    let by_module: BTreeMap<Vec<String>, &str> =
        files.iter().map(|(path, _)| (module_of(path), path.as_str())).collect();
    let file_of = |used: &[String]| (1..=used.len()).rev().find_map(|end| by_module.get(&used[..end]).copied());
    let mut arrows: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (path, text) in &files {
        let own = module_of(path);
        for used in uses(&own, text) {
            let Some(to) = file_of(&used).filter(|to| to != path) else { continue };
            // A submodule may use what its parent module defines.
            if !own.starts_with(&module_of(to)) {
                arrows.entry(path).or_default().insert(to);
            }
        }
    }
    let mut found = BTreeSet::new();
    for start in arrows.keys() {
        if let Some(circle) = way_back(start, &arrows)
            && circle.iter().min() == Some(start)
        {
            found.insert(circle.join(" -> "));
        }
    }
    found.into_iter().collect()
}

/// The shortest path of imports from a file back to itself, starting with the file.
fn way_back<'f>(start: &'f str, arrows: &BTreeMap<&'f str, BTreeSet<&'f str>>) -> Option<Vec<&'f str>> {
    let (mut ways, mut seen) = (vec![vec![start]], BTreeSet::new());
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in way.last().and_then(|last| arrows.get(last)).into_iter().flatten() {
                if *next == start {
                    return Some(way);
                }
                if seen.insert(*next) {
                    longer.push(way.iter().copied().chain([*next]).collect());
                }
            }
        }
        ways = longer;
    }
    None
}

/// The path of a file's module from the crate's root.
fn module_of(path: &str) -> Vec<String> {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    inner.split('/').map(str::to_owned).collect()
}

/// The paths, from the crate's root, that a file of this module imports.
fn uses(own: &[String], text: &str) -> Vec<Vec<String>> {
    let code = code_outside_tests(text);
    let statements =
        code.split("use ").skip(1).filter_map(|rest| rest.split_once(';').map(|(tree, _)| tree.to_owned()));
    let mut found = Vec::new();
    for tree in statements {
        let mut paths = Vec::new();
        expand(Vec::new(), &tree, &mut paths);
        for path in paths {
            let mut from = match path.first().map(String::as_str) {
                Some("crate") => Vec::new(),
                Some("super") => own[..own.len().saturating_sub(1)].to_vec(),
                Some("self") => own.to_vec(),
                _ => continue,
            };
            for step in &path[1..] {
                match step.as_str() {
                    "super" => _ = from.pop(),
                    "self" => {}
                    name => from.push(name.to_owned()),
                }
            }
            found.push(from);
        }
    }
    found
}

/// The paths of a `use` tree such as `a::{b, c::d}`.
fn expand(before: Vec<String>, tree: &str, paths: &mut Vec<Vec<String>>) {
    let (head, group) = match tree.split_once('{') {
        Some((head, group)) => (head, group.trim_end().strip_suffix('}')),
        None => (tree, None),
    };
    let names = head.split("::").map(|name| name.split_whitespace().next().unwrap_or_default());
    let path: Vec<String> =
        before.into_iter().chain(names.filter(|name| !name.is_empty()).map(str::to_owned)).collect();
    let Some(group) = group else {
        paths.push(path);
        return;
    };
    let (mut depth, mut start) = (0_usize, 0);
    for (at, char) in group.char_indices().chain([(group.len(), ',')]) {
        match char {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                let member = group[start..at].trim();
                if !member.is_empty() {
                    expand(path.clone(), member, paths);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}
