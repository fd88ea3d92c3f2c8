//! The messages that `report.html` uses: by id in its template and code, and by ids built from words of the program.

use std::collections::BTreeSet;
use std::fs;

use tieout::checks::{CATALOGUE, Cause, CountField};
use tieout::language::{Language, Texts};

use super::uses::MessageUse;
use crate::support::{files_below, repository};

/// The words in a column of the page, by the prefix of their messages.
const COLUMN_WORDS: [(&str, &[&str]); 5] = [
    ("report-lifecycle", &["new", "persisting"]),
    ("report-state", &["applied", "expired", "changed", "unused"]),
    ("report-line", &["pending_at_open", "new", "late", "reopened", "requoted", "settled", "gone", "pending_at_close"]),
    ("report-change", &["settled", "reopened", "restated", "requoted", "added", "gone", "reattributed"]),
    ("report-age", &["0-1h", "1-24h", "1-3d", "3-7d", "over-7d", "unknown"]),
];
/// A prefix of messages, not a message.
const NO_MESSAGE: &str = "report-state";
/// The figures beside the verdict, each of which has a note.
const KEYS: [&str; 5] = ["rows", "findings", "material", "pending", "exceptions"];

/// The messages whose ids are built from a word of the program.
pub fn by_word() -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let mut add = |prefix: &str, word: &str| _ = ids.insert(format!("{prefix}-{word}"));
    for check in CATALOGUE {
        Cause::of_check(check.code).iter().for_each(|cause| add("report-cause", cause.code()));
    }
    CountField::ALL.iter().for_each(|field| add("report-column", field.name()));
    for (prefix, words) in COLUMN_WORDS {
        words.iter().for_each(|word| add(prefix, word));
    }
    for key in KEYS {
        add("report-key", key);
        add("report-key", &format!("{key}-note"));
    }
    let tables = tables();
    for column in after(&tables, "column(\"") {
        add("report-column", column);
    }
    table_names(&tables).into_iter().for_each(|table| add("report-table", table));
    let settings = fs::read_to_string(repository("src/report/content/wording.rs")).expect("the settings");
    let named = ["label(\"", "row(\""].into_iter().flat_map(|call| after(&settings, call));
    // A row of the control totals is named by a message id or by a part of one.
    let named = named.filter(|name| !name.starts_with("report-") && !name.is_empty());
    // A setting without a text is shown as its option.
    let texts = Texts::new(Language::English);
    let has_text = |name: &&str| texts.try_with(&format!("report-setting-{name}"), &[]).is_ok();
    named.filter(has_text).for_each(|name| add("report-setting", name));
    ids
}

/// The messages of the workbook whose ids are built from a table's name.
pub fn by_sheet() -> BTreeSet<String> {
    let tables = tables();
    let names = table_names(&tables);
    assert!(names.len() > 5, "found only {names:?}");
    names.into_iter().flat_map(|table| [format!("xlsx-sheet-{table}"), format!("xlsx-about-{table}")]).collect()
}

/// The sources with the tables of a report.
fn tables() -> String {
    let files = ["src/report/content/tables.rs", "src/report/content/closing.rs"];
    files.map(|path| fs::read_to_string(repository(path)).expect("the tables")).concat()
}

fn table_names(tables: &str) -> Vec<&str> {
    after(tables, "name: \"").into_iter().chain(after(tables, "spend(\"")).collect()
}

/// The messages that the code of the page names in full.
pub fn named() -> BTreeSet<String> {
    let sources =
        files_below(&repository("src/report/formats/html")).into_iter().filter(|path| !path.ends_with("tests.rs"));
    let sources = sources.chain([repository("src/report/content/wording.rs")]);
    let mut ids = BTreeSet::new();
    for path in sources {
        let source = fs::read_to_string(path).expect("a text in UTF-8");
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        let literals = after(code, "\"report-").into_iter().map(|rest| format!("report-{rest}"));
        ids.extend(literals.filter(|id| !id.contains('{') && id != NO_MESSAGE));
    }
    ids
}

/// The messages that the templates use, with their variables.
pub fn in_template() -> Vec<MessageUse> {
    let read = |name| fs::read_to_string(repository("templates/report").join(name)).expect("a template");
    let page = ["page.html", "timeline.html", "nights.html"].map(read).concat();
    let plain =
        after(&page, "t.get(\"").into_iter().map(|id| MessageUse { id: id.to_owned(), variables: BTreeSet::new() });
    let with = page.split("self.with(\"").skip(1).map(|rest| {
        let mut parts = rest.split('"');
        let id = parts.next().unwrap_or_default().to_owned();
        MessageUse { id, variables: parts.nth(1).into_iter().map(str::to_owned).collect() }
    });
    let uses: Vec<MessageUse> = plain.chain(with).collect();
    assert!(uses.len() > 50, "found only {uses:?}");
    uses
}

/// The text between each occurrence of `beginning` and the next quotation mark.
fn after<'t>(text: &'t str, beginning: &str) -> Vec<&'t str> {
    text.split(beginning).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}
