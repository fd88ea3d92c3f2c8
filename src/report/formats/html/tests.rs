//! The whole page as written. `tests/it/html.rs` tests it in a browser.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::super::options::ReportOptions;
use super::*;
use crate::checks::{CATALOGUE, Cause, Rules, WaiverState};
use crate::domain::finding::Severity;
use crate::domain::layout::InputLayout;
use crate::domain::money::{Amount, Sum};
use crate::domain::order::{Amounts, RunOrder};
use crate::domain::outcome::{Background, Bucket, Evidence, Outcome, Reason};
use crate::language::Word;
use crate::report::builder::{Brief, Builder, Origin};
use crate::report::content::closing;
use crate::report::content::list::{List, ListRow};
use crate::report::content::summary_json::SummaryJson;
use crate::report::content::table::Kind;
use crate::report::content::tables;
use crate::report::evidence::spend::SpendRow;
use crate::report::files::HTML_FILE;
use crate::summary::{ExitInputs, Verdict};

/// A text that tries to be markup, script or another attribute, to reverse the text direction, and to end a
/// string.
const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\"'`<!--\u{202e}\0\u{2028}&lt;";

fn outcome(line: u64, text: &str) -> Outcome {
    let units = [100, 60, 41, 60, 0, 60];
    let text = || Some(text.to_owned());
    let order = RunOrder {
        run_order_id: Some(format!("{}{line}", text().unwrap_or_default())),
        workflow_id: text(),
        revision_id: text(),
        quote_currency: text(),
        run_status: text(),
        freeze_status: text(),
        settlement_status: Some("settled".into()),
        amounts: Amounts::from_order(units.map(Amount::from_units)),
        ..RunOrder::default()
    };
    let run_order_id = order.run_order_id.clone().unwrap_or_default();
    Outcome { line, run_order_id, evidence: order.into() }
}

/// The page of orders that have `text` in every text field, and of one rejected row.
fn page_of(text: &str, orders: u64, language: Language) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let mut builder = Builder::begin(brief(folder.path().to_owned(), text, orders + 1, language)).expect("writable");
    for line in 2..2 + orders {
        builder.add(outcome(line, text), Background::default()).expect("writable");
    }
    let rejected = Evidence::Rejected(Reason::new("no-id", text));
    builder
        .add(Outcome { line: 1_000_000, run_order_id: text.into(), evidence: rejected }, Background::default())
        .expect("writable");
    builder.finish().expect("it bridges");
    fs::read_to_string(folder.path().join(HTML_FILE)).expect("a page")
}

fn brief(folder: PathBuf, account: &str, rows_read: u64, language: Language) -> Brief {
    Brief {
        folder,
        rules: Rules::default(),
        as_of: Timestamp::UNIX_EPOCH,
        options: ReportOptions { account: Some(account.to_owned()), language, ..ReportOptions::default() },
        origin: Origin::Input { rows: rows_read, shortfall: None, layout: InputLayout::default() },
        evidence: None,
        facts: None,
    }
}

/// The number of escaped quotation marks in the script's data: no other part of a hostile text is embedded
/// unchanged.
fn escaped_quotes(markup: &str, page: &str) -> usize {
    if markup == "\"" { page.matches("\\\"").count() } else { 0 }
}

#[test]
fn texts_from_outside_are_never_markup() {
    let (hostile, harmless) = (page_of(HOSTILE, 2, Language::English), page_of("wf_1", 2, Language::English));
    // The page has exactly as much markup as one with harmless texts.
    for markup in ["<", "<img", "<script", "</script", "<!--", "\""] {
        assert_eq!(
            hostile.matches(markup).count(),
            harmless.matches(markup).count() + escaped_quotes(markup, &hostile),
            "{markup}"
        );
    }
    for char in ['\0', '\u{202e}', '\u{2028}'] {
        assert!(!hostile.contains(char), "{char:?}");
    }
    assert!(
        hostile.contains("&lt;/script&gt;") || hostile.contains("&#60;/script&#62;"),
        "the hostile texts are on the page, as text"
    );
}

#[test]
fn the_policy_allows_what_the_page_has_and_nothing_else() {
    let page = page_of("wf_1", 1, Language::English);
    let between = |start: &str, end: &str| {
        let from = page.rfind(start).expect("the start") + start.len();
        &page[from..from + page[from..].find(end).expect("the end")]
    };
    let policy = between("http-equiv=\"Content-Security-Policy\" content=\"", "\"").replace("&#39;", "'");
    assert_eq!(policy, policy::of(between("<style>", "</style>"), Some(between("<script>", "</script>"))));
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    // A policy with hashes blocks these, so the page must not need them.
    for forbidden in [" style=\"", " onclick", "javascript:", "src=\"http", "href=\"http", "@import", "url("] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn the_same_evidence_gives_the_same_bytes_in_each_language() {
    let pages = Language::ALL.map(|language| [(); 2].map(|()| page_of("wf_1", 3, language)));
    for [first, second] in &pages {
        assert!(first == second);
    }
    assert!(pages[0][0].contains("<html lang=\"en\">") && pages[1][0].contains("<html lang=\"zh-CN\">"));
    for id in ["verdict-name-discrepant", "report-population-equal", "report-bridge-note"] {
        for (language, [page, _]) in Language::ALL.into_iter().zip(&pages) {
            assert!(page.contains(&Texts::new(language).get(id)), "{language:?} {id}");
        }
    }
    for page in pages.iter().flatten() {
        let from = page.find("report-").filter(|at| !page[..*at].contains("id=\"texts\""));
        assert_eq!(from.map(|at| &page[at..(at + 40).min(page.len())]), None, "a missing text shows as its message ID");
    }
}

#[test]
fn without_javascript_the_first_rows_are_there_and_a_note_about_the_rest() {
    let page = page_of("wf_1", 250, Language::English);
    let list = page.split("data-table=\"discrepancies\"").nth(1).expect("the list");
    let list = list.split("</table>").next().expect("a table");
    assert_eq!(list.matches("<th scope=\"row\"").count(), grid::FIRST_ROWS);
    // Every order fails quote-split and unknown-status, so there are more rows than orders.
    assert!(page.contains("only the first 200 of "), "a note");
    assert!(page.contains("The sum equals the rows read."));
}

#[test]
fn errors_and_warnings_are_counted_by_the_summary_and_not_by_the_rows_of_the_page() {
    let texts = Texts::new(Language::English);
    let note = |errors: &str, warnings: &str| {
        texts.with(
            "report-key-findings-note",
            &[("errors", errors.to_owned().into()), ("warnings", warnings.to_owned().into())],
        )
    };
    // Every order fails one check with an error and one with a warning.
    assert!(page_of("wf_1", 3, Language::English).contains(&note("3", "3")));
    let mut summary = SummaryJson::empty();
    summary.severities = [(Severity::Error, grid::MOST_ROWS + 7), (Severity::Warning, 2)].into();
    let exit_inputs = ExitInputs { verdict: Verdict::Discrepant, pending: 0, material: 0, completeness_unknown: false };
    let grid = |table| Grid::of(table, &Titles::new(), texts);
    let (found, exceptions) = (nothing(), nothing());
    let (rows, exceptions) = (grid(tables::discrepancies(&found)), grid(tables::exceptions(&exceptions)));
    let opening = Opening::of(&summary, &exit_inputs, &rows, &exceptions, texts);
    let notes: Vec<&str> = opening.key_figures.iter().map(|key| &*key.note).collect();
    assert!(notes.contains(&&*note("100,007", "2")), "{notes:?}");
}

fn nothing<T: ListRow>() -> List<T> {
    List::new(Path::new("."))
}

#[test]
fn days_are_drawn_as_a_timeline_in_the_page() {
    let units = |units| Sum::from_units(units).expect("small");
    let row = |day: &str| SpendRow {
        keys: vec![day.to_owned()],
        currency: "CNY".to_owned(),
        orders: 1,
        settled: 1,
        pending: 0,
        failed_runs: 0,
        discrepant: 0,
        amounts: [units(7); 6],
        quote_gross_difference: units(0),
        quote_net_difference: units(0),
        cost_gross_difference: units(0),
        cost_net_difference: units(0),
    };
    let by_day = ["2026-05-01", "2026-05-02", "2026-05-03"].map(row).into();
    let content = Content {
        summary: SummaryJson::empty(),
        exit_inputs: ExitInputs { verdict: Verdict::Reconciled, pending: 0, material: 0, completeness_unknown: false },
        as_of: Timestamp::UNIX_EPOCH,
        rows_read: 0,
        discrepancies: nothing(),
        spend: crate::report::evidence::spend::Spend { by_day, ..Default::default() },
        pending: nothing(),
        exceptions: nothing(),
        resolved: nothing(),
        waivers: Vec::new(),
        adjustments: None,
        titles: Titles::new(),
        evidence: Vec::new(),
    };
    let mut page = Vec::new();
    super::page(&content, Language::English).write_into(&mut page).expect("a vector takes everything");
    let page = String::from_utf8(page).expect("UTF-8");
    let drawn =
        page.split("class=\"days\"").nth(1).and_then(|rest| rest.split("</figure>").next()).expect("a timeline");
    assert_eq!(drawn.matches("<rect ").count(), 3);
    assert!(drawn.contains("2026-05-02: 0.00000007") && page.contains("Spend by day"), "{drawn}");
}

#[test]
fn every_code_and_column_of_a_page_has_a_text() {
    let messages = Texts::new(Language::English);
    let mut missing = BTreeSet::new();
    let mut needs = |id: String| {
        if messages.get(&id) == id {
            missing.insert(id);
        }
    };
    for check in CATALOGUE {
        needs(Word::CheckHolds.id(check.code));
    }
    for cause in ["quote-split", "cost-sum"].into_iter().flat_map(Cause::of_check) {
        needs(format!("report-cause-{}", cause.code()));
    }
    for bucket in Bucket::ALL {
        needs(Word::BucketName.id(bucket.code()));
        needs(Word::Bucket.id(bucket.code()));
    }
    for verdict in Verdict::ALL {
        needs(Word::VerdictName.id(verdict.code()));
    }
    for state in [WaiverState::Applied, WaiverState::Expired, WaiverState::Changed, WaiverState::Unused] {
        needs(format!("report-state-{}", state.code()));
    }
    let (found, pending, exceptions, resolved) = (nothing(), nothing(), nothing(), nothing());
    let (none, adjustments) = (BTreeMap::new(), nothing());
    let tables = [
        tables::discrepancies(&found),
        tables::pending(&pending, Timestamp::UNIX_EPOCH),
        tables::exceptions(&exceptions),
        tables::resolved(&resolved),
        tables::waivers(&[]),
        tables::spend_by_workflow(&[]),
        tables::spend_by_revision(&[]),
        closing::roll_forward(&none),
        closing::adjustments_by_month(&[]),
        closing::adjustments(&adjustments),
    ];
    for table in tables {
        needs(format!("report-table-{}", table.name));
        for column in table.columns {
            needs(format!("report-column-{}", column.name));
            assert!(column.kind != Kind::Percent, "no table of a report has percentages");
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_design_covers_every_file_that_draws() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/report/formats/html");
    let names = fs::read_dir(folder).expect("the sources").map(|entry| entry.expect("readable").file_name());
    // `nights.rs` draws a page that is in no report.
    let sources = names.filter(|name| name != "tests.rs" && name != "nights.rs").count();
    // Plus four files outside the folder.
    assert_eq!(CODE.len(), sources + 4);
    let distinct: BTreeSet<&str> = CODE.into_iter().collect();
    assert_eq!(distinct.len(), CODE.len(), "each file once");
}
