//! `report.html`: the report for people, in one self-contained file that needs no network. It shows the
//! tables and `summary.json`, and decides nothing.

mod chart;
mod columns;
mod embed;
mod external_figures;
mod figures;
mod grid;
pub mod nights;
mod opening;
mod policy;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use askama::Template;

use self::chart::Chart;
use self::external_figures::{BookRow, TieRow};
use self::figures::{Age, BridgeRow, CauseRow, Totals};
use self::grid::Grid;
use self::opening::{Opening, PopulationView};
use super::design;
use crate::domain::visible::visible;
use crate::language::{Language, Texts};
use crate::report::ReportError;
use crate::report::content::Content;
use crate::report::content::closing;
use crate::report::content::summary_json::WaiverCounts;
use crate::report::content::table::{Cell, Table};
use crate::report::content::tables;
use crate::report::content::wording::{self, grouped};
use crate::report::files::FileStamp;

const TEMPLATE: &str = include_str!("../../../../templates/report/page.html");
const TIMELINE: &str = include_str!("../../../../templates/report/timeline.html");
const STYLE: &str = include_str!("../../../../templates/report/page.css");
const SCRIPT: &str = include_str!("../../../../templates/report/page.js");
/// The texts of the page in every language.
const TEXTS: [&str; 2] =
    [include_str!("../../../../locales/en/report.ftl"), include_str!("../../../../locales/zh-CN/report.ftl")];

/// The code that draws the page, as part of its [`design()`].
const CODE: [&str; 13] = [
    include_str!("mod.rs"),
    include_str!("chart.rs"),
    include_str!("columns.rs"),
    include_str!("embed.rs"),
    include_str!("figures.rs"),
    include_str!("grid.rs"),
    include_str!("opening.rs"),
    include_str!("external_figures.rs"),
    include_str!("policy.rs"),
    include_str!("../design.rs"),
    include_str!("../../content/largest.rs"),
    include_str!("../../../domain/visible.rs"),
    include_str!("../../content/wording.rs"),
];

/// The messages that the script needs, each with the variables that it fills in itself.
const SCRIPT_TEXTS: [(&str, &[&str]); 20] = [
    ("report-filter", &["table"]),
    ("report-search", &[]),
    ("report-filter-hint", &[]),
    ("report-filter-all", &[]),
    ("report-filter-clear", &[]),
    ("report-found", &["shown", "all"]),
    ("report-nothing-found", &[]),
    ("report-first", &[]),
    ("report-previous", &[]),
    ("report-next", &[]),
    ("report-last", &[]),
    ("report-page", &["page", "pages"]),
    ("report-pages", &["table"]),
    ("report-copy", &["id"]),
    ("report-copied", &["id"]),
    ("report-not-copied", &["id"]),
    ("report-printed", &["from", "to", "all"]),
    ("report-theme-auto", &[]),
    ("report-theme-light", &[]),
    ("report-theme-dark", &[]),
];

/// The column whose IDs may have titles.
const WORKFLOW: &str = "workflow_id";

/// The titles of workflows, by ID.
pub type Titles = BTreeMap<String, String>;

/// Everything that the template of the page shows.
#[derive(Template)]
#[template(path = "report/page.html")]
struct Page<'a> {
    t: Texts,
    language: &'static str,
    policy: String,
    style: &'static str,
    script: &'static str,
    account: Option<String>,
    as_of: &'a str,
    /// The time zone in which days are counted.
    zone: String,
    opening: Opening,
    population: PopulationView,
    totals: Totals,
    bridge: Vec<BridgeRow>,
    ties: Vec<TieRow>,
    books: Vec<BookRow>,
    column_causes: Vec<String>,
    completeness: Vec<String>,
    causes: Vec<CauseRow>,
    off: Option<String>,
    closing: Option<Closing>,
    discrepancies: Grid,
    spend: Vec<Spend>,
    ages: Vec<Age>,
    pending: Grid,
    exceptions: Grid,
    waivers: Option<(String, Grid)>,
    resolved: Option<Grid>,
    settings: Vec<(String, Vec<String>)>,
    evidence: &'a [FileStamp],
    is_of_dataset: bool,
    words: String,
}

/// What a close adds.
struct Closing {
    roll_forward: Option<Grid>,
    /// The sums, and each order.
    adjustments: Option<(Grid, Grid)>,
}

/// A spend table with its charts.
struct Spend {
    grid: Grid,
    charts: Vec<Chart>,
}

/// Writes the page to `path`.
///
/// # Errors
/// If the file can't be written.
pub fn write(content: &Content<'_>, language: Language, path: &Path) -> Result<(), ReportError> {
    let failed = |source| ReportError::io(path, source);
    let mut out = BufWriter::new(File::create(path).map_err(failed)?);
    page(content, language).write_into(&mut out).and_then(|()| out.flush()).map_err(failed)
}

/// The SHA-256, in hex, of the templates, texts and code that draw the page. Where it differs, another
/// version of the program may draw different bytes from the same figures.
#[must_use]
pub fn design() -> String {
    design::hash_of(CODE.into_iter().chain([TEMPLATE, TIMELINE, STYLE, SCRIPT]).chain(TEXTS))
}

fn page<'c>(content: &'c Content<'_>, language: Language) -> Page<'c> {
    let texts = Texts::new(language);
    let Content { summary, exit_inputs, rows_read, titles, evidence, .. } = content;
    let grid = |table| Grid::of(table, titles, texts);
    let discrepancies = grid(tables::discrepancies(&content.discrepancies));
    let exceptions = grid(tables::exceptions(&content.exceptions));
    let waived = |counts: WaiverCounts| {
        let WaiverCounts { applied, expired, changed, unused } = counts;
        let [applied, expired, changed, unused] =
            [applied, expired, changed, unused].map(|count| grouped(count).into());
        texts.with(
            "report-waivers-note",
            &[("applied", applied), ("expired", expired), ("changed", changed), ("unused", unused)],
        )
    };
    let roll_forward = summary.roll_forward.as_ref().map(|lines| grid(closing::roll_forward(lines)));
    let adjustments = summary.adjustments.as_ref().zip(content.adjustments.as_ref());
    let adjustments = adjustments
        .map(|(by_month, rows)| (grid(closing::adjustments_by_month(by_month)), grid(closing::adjustments(rows))));
    let closing = Closing { roll_forward, adjustments };
    let off = summary.settings.checks_off().collect::<Vec<_>>().join(", ");
    Page {
        t: texts,
        language: language.code(),
        policy: policy::of(STYLE, Some(SCRIPT)),
        style: STYLE,
        script: SCRIPT,
        account: summary.account.as_deref().map(|account| visible(account).into_owned()),
        as_of: &summary.as_of,
        zone: visible(summary.settings.timezone.name()).into_owned(),
        opening: Opening::of(summary, exit_inputs, &discrepancies, &exceptions, texts),
        population: PopulationView::of(summary, *rows_read, texts),
        totals: Totals::of(summary, texts),
        bridge: figures::bridge(summary, texts),
        ties: external_figures::ties(summary, texts),
        books: external_figures::books(summary, texts),
        column_causes: wording::column_causes(summary, texts),
        completeness: [wording::completeness(summary, texts), wording::outside_period(summary, texts)].concat(),
        causes: figures::causes(summary, texts),
        off: (!off.is_empty()).then(|| texts.with("report-off", &[("checks", off.into())])),
        closing: Some(closing).filter(|closing| closing.roll_forward.is_some() || closing.adjustments.is_some()),
        discrepancies,
        spend: content.spend.tables().into_iter().map(|table| spend(table, titles, texts)).collect(),
        ages: figures::frozen_by_age(summary, texts),
        pending: grid(tables::pending(&content.pending, content.as_of)),
        exceptions,
        waivers: summary.waivers.map(|counts| (waived(counts), grid(tables::waivers(&content.waivers)))),
        resolved: Some(grid(tables::resolved(&content.resolved))).filter(|grid| grid.rows > 0),
        settings: wording::settings(summary, texts),
        evidence,
        is_of_dataset: summary.dataset.is_some(),
        words: words(texts),
    }
}

/// Collects the rows of a spend table, which are read twice: for its charts and for its grid.
fn spend(table: Table<'_>, titles: &Titles, texts: Texts) -> Spend {
    let Table { name, columns, rows } = table;
    let rows: Vec<Vec<Cell<'_>>> = rows.collect();
    let charts = chart::charts(columns, &rows, titles, texts);
    Spend { grid: Grid::of(Table { name, columns, rows: Box::new(rows.into_iter()) }, titles, texts), charts }
}

impl Page<'_> {
    /// Every table of the page that has rows, for the script's data.
    fn grids(&self) -> Vec<&Grid> {
        let lists = [&self.discrepancies].into_iter().chain(self.spend.iter().map(|spend| &spend.grid));
        let lists = lists.chain([&self.pending, &self.exceptions]);
        let lists = lists.chain(self.waivers.iter().map(|(_, grid)| grid)).chain(&self.resolved);
        let closing = self.closing.iter().flat_map(|closing| {
            let adjustments = closing.adjustments.iter().flat_map(|(sums, rows)| [sums, rows]);
            closing.roll_forward.iter().chain(adjustments)
        });
        let lists = lists.chain(closing);
        lists.filter(|grid| grid.rows > 0).collect()
    }

    /// A message with one variable.
    fn with(&self, id: &str, name: &str, value: impl Display) -> String {
        self.t.with(id, &[(name, value.to_string().into())])
    }

    fn moment(&self) -> String {
        moment(self.as_of)
    }

    /// The size of a file in bytes, with its thousands grouped.
    fn bytes(&self, file: &FileStamp) -> String {
        grouped(file.bytes)
    }
}

/// A time in RFC 3339 for people, such as `2026-06-01 00:00:00 UTC`.
fn moment(time: &str) -> String {
    time.replacen('T', " ", 1).replacen('Z', " UTC", 1)
}

/// The script's messages as JSON. Variables stay in braces, for the script to fill in.
fn words(texts: Texts) -> String {
    let mut json = String::from("{");
    for (at, (id, variables)) in SCRIPT_TEXTS.into_iter().enumerate() {
        if at > 0 {
            json.push(',');
        }
        let variables: Vec<_> = variables.iter().map(|name| (*name, format!("{{{name}}}").into())).collect();
        embed::push_text(&mut json, id);
        json.push(':');
        embed::push_text(&mut json, &texts.with(id, &variables));
    }
    json.push('}');
    json
}

/// A workflow as people read it, ID and title; `None` if it has no title.
fn workflow_name(id: &str, titles: &Titles) -> Option<String> {
    titles.get(id).map(|title| format!("{} · {}", visible(id), visible(title)))
}

#[cfg(test)]
mod tests;
