//! Style rules that the compiler and clippy don't check. Each rule is a function from a file's path and text to a list
//! of violations, so that it can be tested with a planted violation too.

pub(crate) mod code;
mod english;
mod rooms;

use std::fs;
use std::path::Path;

use code::{code_only, code_outside_tests, leading_word, line_of};

/// Top-level modules from the bottom up: a module uses only modules in lower layers.
const LAYERS: [&[&str]; 6] = [
    &["domain", "language", "panics"],
    &["checks", "https", "parquet"],
    &["summary"],
    &["input", "provider", "store", "history", "notify", "report", "sandbox"],
    &["pipeline"],
    &["app"],
];
/// Code that stops the program. Each use needs a `// reason: …` on its own line or in the comment above.
const STOPS: [&str; 6] = [".unwrap(", ".expect(", "panic!", "todo!", "unimplemented!", "dbg!"];
/// Where money is computed, so that binary floating point is forbidden.
const EXACT: [&str; 6] = [
    "src/domain/",
    "src/checks/",
    "src/summary/",
    "src/report/evidence/",
    "src/report/comparison/",
    "src/report/content/percent",
];
/// Names that say nothing about the content.
const EMPTY_NAMES: [&str; 8] = ["utils", "util", "helpers", "helper", "manager", "common", "misc", "shared"];
/// The longest file, in lines, that needs no reason.
const LONG: usize = 500;
/// The reason for a long file must be in this many first lines.
const HEAD: usize = 30;

/// A file: its path from the root of the repository, with slashes, and its text.
type Source = (String, String);

#[test]
fn imports_go_downwards() {
    assert_tidy(&["src"], imports);

    let planted = "use std::fmt;\nuse crate::{domain::money::Amount, pipeline};\n// crate::app\n";
    assert_eq!(
        imports("src/report/csv.rs", planted),
        ["src/report/csv.rs:2: report must not use pipeline: it is not in a lower layer"]
    );
    assert_eq!(imports("src/store/mod.rs", "fn f() { crate::report::x() }").len(), 1, "sideways");
    assert_eq!(imports("src/checks/mod.rs", "use crate::summary::Total;").len(), 1, "summary may use checks only");
    assert_eq!(imports("src/input/mod.rs", "use super::provider;").len(), 1, "by way of super");
    assert_eq!(imports("src/input/decode/gzip.rs", "use super::super::super::app::Exit;").len(), 1, "by way of super");
    assert_eq!(imports("src/domain/money.rs", "use crate::money_tools::X;").len(), 1, "not in a layer");
    assert_eq!(
        imports("src/report/csv.rs", "use crate::report::table; use crate::summary::S; use super::store;").len(),
        0
    );
}

/// A file uses only modules in lower layers and its own module.
fn imports(path: &str, text: &str) -> Vec<String> {
    let Some(own) = top_module(path) else { return Vec::new() };
    let Some(own_layer) = layer(own) else { return vec![format!("{path}: {own} is not in a layer of tidy.rs")] };
    let code = code_only(text);
    let mut violations = Vec::new();
    for (at, used) in crate_paths(&code).into_iter().chain(super_paths(&code, depth(path))) {
        let place = format!("{path}:{}", line_of(&code, at));
        match layer(used) {
            _ if used == own => {}
            None => violations.push(format!("{place}: crate::{used} is not in a layer of tidy.rs")),
            Some(layer) if layer < own_layer => {}
            Some(_) => violations.push(format!("{place}: {own} must not use {used}: it is not in a lower layer")),
        }
    }
    violations
}

/// The top-level module that a file belongs to; `None` for `lib.rs` and `main.rs`.
fn top_module(path: &str) -> Option<&str> {
    let inner = path.strip_prefix("src/")?;
    let top = inner.split('/').next()?.trim_end_matches(".rs");
    (!["lib", "main"].contains(&top)).then_some(top)
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

/// How many `super::` lead from a file to the crate's root.
fn depth(path: &str) -> usize {
    path.matches('/').count() - usize::from(path.ends_with("/mod.rs"))
}

/// The first name after each `crate::`; all first names of a group in braces.
fn crate_paths(code: &str) -> Vec<(usize, &str)> {
    let mut paths = Vec::new();
    for (at, prefix) in code.match_indices("crate::") {
        let rest = &code[at + prefix.len()..];
        match rest.strip_prefix('{') {
            None => paths.push((at, leading_word(rest))),
            Some(group) => paths.extend(group_members(group).into_iter().map(|name| (at, name))),
        }
    }
    paths
}

/// The first name of each member of a group, up to its closing brace.
fn group_members(group: &str) -> Vec<&str> {
    let (mut members, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                members.push(leading_word(group[start..at].trim()));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    members.retain(|name| !name.is_empty());
    members
}

/// The names after chains of `super::` that reach the crate's root. An inline module can reach a submodule with an
/// equally long chain, so only names of top-level modules count.
fn super_paths(code: &str, depth: usize) -> Vec<(usize, &str)> {
    let chain = "super::".repeat(depth);
    let reaches = |(at, _): &(usize, &str)| !code[..*at].ends_with("super::");
    let named = code.match_indices(&chain).filter(reaches).map(|(at, _)| (at, leading_word(&code[at + chain.len()..])));
    named.filter(|(_, name)| layer(name).is_some()).collect()
}

#[test]
fn nothing_stops_the_program_without_a_reason() {
    assert_tidy(&["src"], stops);

    let planted =
        "fn f() {\n    x.unwrap();\n    // reason: checked above\n    y.expect(\"y\");\n    \".unwrap(\";\n}\n";
    assert_eq!(stops("src/store/mod.rs", planted), ["src/store/mod.rs:2: .unwrap( without `// reason: …`"]);
    assert_eq!(stops("src/app/x.rs", "todo!();\npanic!(\"x\"); // reason: unreachable\ndbg!(1);").len(), 2);
    assert_eq!(stops("src/app/x.rs", "#[cfg(test)]\nmod tests {\n    fn f() { g().unwrap(); }\n}\n").len(), 0);
    assert_eq!(stops("src/checks/tests.rs", "g().unwrap();").len(), 0);
}

/// `unwrap`, `expect`, `panic!` and the like outside tests need a comment with the reason.
fn stops(path: &str, text: &str) -> Vec<String> {
    if is_test_file(path) {
        return Vec::new();
    }
    let lines: Vec<&str> = text.lines().collect();
    let code = code_outside_tests(text);
    let mut violations = Vec::new();
    for (number, line) in code.lines().enumerate() {
        for stop in STOPS.iter().filter(|stop| line.contains(**stop) && !has_reason(&lines, number)) {
            violations.push(format!("{path}:{}: {stop} without `// reason: …`", number + 1));
        }
    }
    violations
}

/// Whether a line or the comment right above it gives a reason.
fn has_reason(lines: &[&str], number: usize) -> bool {
    let comment = lines[..number].iter().rev().take_while(|line| line.trim_start().starts_with("//"));
    lines[number].contains("// reason: ") || comment.into_iter().any(|line| line.contains("// reason: "))
}

#[test]
fn money_is_never_binary() {
    assert_tidy(&["src"], binary_floats);

    let planted = "fn f(x: Value) -> Option<f64> { x.as_f64() } // f64\n";
    assert_eq!(binary_floats("src/checks/x.rs", planted).len(), 2);
    assert_eq!(binary_floats("src/report/evidence/spend/mod.rs", "let x = 1f32;").len(), 1);
    assert_eq!(binary_floats("src/provider/pacer.rs", planted).len(), 0);
}

/// No `f64` and `f32` where money is computed.
fn binary_floats(path: &str, text: &str) -> Vec<String> {
    if !EXACT.iter().any(|place| path.starts_with(place)) {
        return Vec::new();
    }
    let code = code_only(text);
    let floats = code.match_indices("f64").chain(code.match_indices("f32"));
    floats.map(|(at, float)| format!("{path}:{}: {float} where money is computed", line_of(&code, at))).collect()
}

#[test]
fn public_items_are_documented() {
    assert_tidy(&["src"], undocumented);

    let planted = "/// A.\n#[derive(\n    Debug,\n)]\npub struct A {\n    pub b: u8,\n}\n\npub fn c() {}\n";
    assert_eq!(
        undocumented("src/domain/x.rs", planted),
        ["src/domain/x.rs:6: `pub b: u8,` is not documented", "src/domain/x.rs:9: `pub fn c() {}` is not documented"]
    );
    assert_eq!(undocumented("src/lib.rs", "pub mod a;\npub use a::B;\npub(crate) fn c() {}\n").len(), 0);
}

/// Every `pub` item has a `///` above it or above its attributes, except modules in files and re-exports.
fn undocumented(path: &str, text: &str) -> Vec<String> {
    if is_test_file(path) {
        return Vec::new();
    }
    let code = code_outside_tests(text);
    let (code, raw): (Vec<&str>, Vec<&str>) = (code.lines().collect(), text.lines().collect());
    let mut violations = Vec::new();
    for (number, line) in code.iter().enumerate() {
        let Some(item) = line.trim_start().strip_prefix("pub ") else { continue };
        let excepted = item.starts_with("use ") || (item.starts_with("mod ") && item.trim_end().ends_with(';'));
        if !excepted && !documented(&code[..number], &raw[..number]) {
            violations.push(format!("{path}:{}: `{}` is not documented", number + 1, raw[number].trim()));
        }
    }
    violations
}

/// Whether the lines end with a `///`, ignoring attributes and plain comments after it.
fn documented(code: &[&str], raw: &[&str]) -> bool {
    let mut open = 0_usize;
    for (code, raw) in code.iter().zip(raw).rev() {
        let raw = raw.trim_start();
        if raw.starts_with("///") || raw.starts_with("#[doc") {
            return true;
        }
        open = (open + code.matches(']').count()).saturating_sub(code.matches('[').count());
        let attribute = open > 0 || raw.starts_with("#[");
        if !attribute && !raw.starts_with("// ") {
            return false;
        }
    }
    false
}

#[test]
fn long_files_say_why() {
    assert_tidy(&["src", "tests"], too_long);

    let planted = "x();\n".repeat(LONG + 1);
    assert_eq!(too_long("src/a.rs", &planted), ["src/a.rs: 501 lines without `// long: …` near the top"]);
    assert_eq!(too_long("src/a.rs", &format!("// long: one table\n{planted}")).len(), 0);
    assert_eq!(too_long("src/a.rs", &"x();\n".repeat(LONG)).len(), 0);
}

/// A file of more than [`LONG`] lines gives the reason near its top.
fn too_long(path: &str, text: &str) -> Vec<String> {
    let (length, excuse) = (text.lines().count(), "// long: ");
    if length <= LONG || text.lines().take(HEAD).any(|line| line.trim_start().starts_with(excuse)) {
        return Vec::new();
    }
    vec![format!("{path}: {length} lines without `{excuse}…` near the top")]
}

#[test]
fn names_say_what_is_inside() {
    assert_tidy(&["src", "tests"], empty_names);

    assert_eq!(
        empty_names("src/report/utils.rs", "mod misc {}\nmod store_manager {}\n"),
        ["src/report/utils.rs: `utils` says nothing", "src/report/utils.rs: `misc` says nothing"]
    );
    assert_eq!(empty_names("src/common/mod.rs", "").len(), 1);
}

/// No file, folder or module has a name that fits anything.
fn empty_names(path: &str, text: &str) -> Vec<String> {
    let code = code_only(text);
    let modules = code.match_indices("mod ").map(|(at, word)| leading_word(&code[at + word.len()..]));
    let files = path.split(['/', '.']);
    let empty = files.chain(modules).filter(|name| EMPTY_NAMES.contains(name));
    empty.map(|name| format!("{path}: `{name}` says nothing")).collect()
}

#[test]
fn every_file_is_part_of_the_crate() {
    let dead = dead_files(&sources("src"));
    assert!(dead.is_empty(), "{}", dead.join("\n"));

    let planted = |files: &[(&str, &str)]| {
        dead_files(&files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect::<Vec<_>>())
    };
    let mut crates = vec![
        ("src/lib.rs", "pub mod a;\n// mod dead;"),
        ("src/main.rs", "fn main() {}"),
        ("src/a/mod.rs", "mod b;\n#[cfg(test)]\nmod tests;\n"),
        ("src/a/b.rs", "mod c;"),
        ("src/a/b/c.rs", ""),
        ("src/a/tests.rs", ""),
    ];
    assert_eq!(planted(&crates), Vec::<String>::new());
    crates.extend([("src/dead.rs", ""), ("src/a/bb.rs", ""), ("src/a/c.rs", "")]);
    assert_eq!(planted(&crates).len(), 3);
}

/// Files that no `mod` declares.
fn dead_files(files: &[Source]) -> Vec<String> {
    let declares = |parent: &str, module: &str| {
        let text = files.iter().find(|(path, _)| path == parent).map(|(_, text)| code_only(text));
        text.is_some_and(|code| {
            code.split_whitespace()
                .collect::<Vec<_>>()
                .windows(2)
                .any(|pair| pair[0] == "mod" && pair[1].trim_end_matches(';') == module)
        })
    };
    let alive = |path: &str| {
        let module = path.trim_end_matches(".rs").trim_end_matches("/mod");
        let Some((folder, name)) = module.rsplit_once('/') else { return false };
        if folder == "src" {
            return ["lib", "main"].contains(&name)
                || ["lib", "main"].iter().any(|root| declares(&format!("src/{root}.rs"), name));
        }
        declares(&format!("{folder}/mod.rs"), name) || declares(&format!("{folder}.rs"), name)
    };
    files
        .iter()
        .filter(|(path, _)| !alive(path))
        .map(|(path, _)| format!("{path}: no `mod` declares this file"))
        .collect()
}

fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/") || path.starts_with("tests/")
}

/// Asserts that no Rust file in those folders breaks a rule.
fn assert_tidy(folders: &[&str], rule: fn(&str, &str) -> Vec<String>) {
    let files: Vec<Source> = folders.iter().flat_map(|folder| sources(folder)).collect();
    let violations: Vec<String> = files.iter().flat_map(|(path, text)| rule(path, text)).collect();
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

/// Every Rust file below a folder of the repository, sorted by path.
fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).expect("a folder of the repository") {
            let entry = entry.expect("an entry of a folder");
            let path = format!("{folder}/{}", entry.file_name().to_str().expect("a name in UTF-8"));
            if entry.file_type().expect("a type of file").is_dir() {
                folders.push(path);
            } else if Path::new(&path).extension().is_some_and(|extension| extension == "rs") {
                files.push((path.clone(), fs::read_to_string(root.join(&path)).expect("a source in UTF-8")));
            }
        }
    }
    assert!(!files.is_empty(), "no Rust files in {folder}");
    files.sort();
    files
}
