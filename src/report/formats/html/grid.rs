//! A table in the page: its first rows as HTML, and all of them as data for the script.

use std::collections::HashMap;
use std::fmt::Write;

use super::super::csv;
use super::columns::{class, display_order, is_unbounded, repeats, translation};
use super::embed::{push_text, texts as json_texts};
use super::{Titles, WORKFLOW, workflow_name};
use crate::domain::visible::visible;
use crate::language::Texts;
use crate::report::content::table::{Cell, Column, Kind, Table};
use crate::report::content::wording::grouped;

/// The most rows that the page shows as HTML, for readers without JavaScript.
pub(super) const FIRST_ROWS: usize = 200;
/// The most rows that the page holds: as many as a browser can sort without a pause. The CSV file has them
/// all.
pub(super) const MOST_ROWS: u64 = 100_000;

/// A table in the page.
pub(super) struct Grid {
    /// The name of its file, without the extension.
    pub(super) name: &'static str,
    /// Its title for people.
    pub(super) title: String,
    /// The heads of its columns, in the order for people.
    pub(super) heads: Vec<Head>,
    /// The first rows, at most [`FIRST_ROWS`].
    pub(super) first: Vec<Vec<GridCell>>,
    /// The number of rows in the table.
    pub(super) rows: u64,
    /// The rows that the page holds, at most [`MOST_ROWS`], as JSON.
    pub(super) json: String,
    /// The note for readers without JavaScript, where they do not see all rows.
    pub(super) first_note: Option<String>,
    /// The note where the page does not hold all rows.
    pub(super) cut_note: Option<String>,
}

/// The head of a column.
pub(super) struct Head {
    /// Its label for people.
    pub(super) label: String,
    /// The class of its cells in the style sheet.
    pub(super) class: &'static str,
    /// Whether print leaves it out.
    pub(super) is_extra: bool,
}

/// A cell as people see it.
pub(super) struct GridCell {
    /// The visible text.
    pub(super) text: String,
    /// Its class in the style sheet.
    pub(super) class: &'static str,
    /// The code of a severity, which the style sheet colours.
    pub(super) word: Option<String>,
    /// Whether print leaves it out.
    pub(super) is_extra: bool,
    /// Whether its text comes from outside and may have any length.
    pub(super) is_unbounded: bool,
}

impl Grid {
    /// Reads a table through and prepares it for the page.
    pub(super) fn of(table: Table<'_>, titles: &Titles, texts: Texts) -> Self {
        let mut columns: Vec<GridColumn<'_>> = display_order(table.name, table.columns)
            .into_iter()
            .map(|at| GridColumn::new(&table.columns[at], at, titles, texts))
            .collect();
        let (mut first, mut rows) = (Vec::new(), 0);
        for row in table.rows {
            rows += 1;
            if rows > MOST_ROWS {
                continue;
            }
            if first.len() < FIRST_ROWS {
                first.push(columns.iter().map(|column| column.cell(&row[column.at], texts)).collect());
            }
            for column in &mut columns {
                column.push(&row[column.at]);
            }
        }
        let held = rows.min(MOST_ROWS);
        let file = || format!("{}.csv", table.name);
        let of = |id: &str, count: u64| {
            let variables = [("count", grouped(count)), ("all", grouped(rows)), ("file", file())];
            texts.with(id, &variables.map(|(name, value)| (name, value.into())))
        };
        let shown = first.len() as u64;
        Self {
            name: table.name,
            title: texts.get(&format!("report-table-{}", table.name)),
            heads: columns.iter().map(GridColumn::head).collect(),
            first_note: (shown < held).then(|| of("report-first-rows", shown)),
            cut_note: (held < rows).then(|| of("report-cut-rows", held)),
            json: json(table.name, columns, held, texts),
            first,
            rows,
        }
    }
}

/// One column: how it is shown, and its values so far as JSON.
struct GridColumn<'t> {
    /// Its index in the table.
    at: usize,
    column: &'static Column,
    label: String,
    /// The titles of workflows, where the values are workflow IDs.
    titles: Option<&'t Titles>,
    /// Where texts repeat: each text once, with the number that stands for it.
    words: Option<HashMap<String, usize>>,
    /// The values, separated by commas.
    json: String,
}

impl<'t> GridColumn<'t> {
    fn new(column: &'static Column, at: usize, titles: &'t Titles, texts: Texts) -> Self {
        Self {
            at,
            column,
            label: texts.get(&format!("report-column-{}", column.name)),
            titles: (column.name == WORKFLOW).then_some(titles),
            words: repeats(column.kind).then(HashMap::new),
            json: String::new(),
        }
    }

    fn head(&self) -> Head {
        Head { label: self.label.clone(), class: class(self.column.kind), is_extra: self.column.is_extra }
    }

    fn push(&mut self, cell: &Cell<'_>) {
        if !self.json.is_empty() {
            self.json.push(',');
        }
        let text = text_of(cell);
        match &mut self.words {
            Some(words) => {
                let next = words.len();
                let number = words.entry(text).or_insert(next);
                let _ = write!(self.json, "{number}");
            }
            None if matches!(cell, Cell::Integer(_)) => self.json.push_str(&text),
            None => push_text(&mut self.json, &text),
        }
    }

    /// What people read instead of a machine word, where that differs.
    fn display_text(&self, word: &str, texts: Texts) -> Option<String> {
        if word.is_empty() {
            return None;
        }
        translation(self.column.kind, word, texts).or_else(|| workflow_name(word, self.titles?))
    }

    fn cell(&self, cell: &Cell<'_>, texts: Texts) -> GridCell {
        let word = text_of(cell);
        let translation = self.display_text(&word, texts);
        let Column { kind, is_extra, .. } = *self.column;
        let text = match kind {
            Kind::Time => word.replacen('T', " ", 1).trim_end_matches('Z').to_owned(),
            _ => translation.unwrap_or_else(|| word.clone()),
        };
        let is_unbounded = is_unbounded(kind) && !text.is_empty();
        let word = (kind == Kind::Severity).then_some(word);
        GridCell { text, class: class(kind), word, is_extra, is_unbounded }
    }
}

/// The text of a cell, as in the CSV file but without the apostrophe that protects spreadsheets from
/// formulas.
fn text_of(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Text(text) => visible(text).into_owned(),
        cell => csv::text_of(cell).into_owned(),
    }
}

fn json(name: &str, columns: Vec<GridColumn<'_>>, rows: u64, texts: Texts) -> String {
    let mut json = format!("{{\"name\":\"{name}\",\"rows\":{rows},\"columns\":[");
    for (at, column) in columns.into_iter().enumerate() {
        let comma = if at > 0 { ",\n" } else { "\n" };
        let (class, extra) = (class(column.column.kind), column.column.is_extra);
        let _ = write!(
            json,
            "{comma}{{\"name\":\"{}\",\"look\":\"{class}\",\"extra\":{extra},\"label\":",
            column.column.name
        );
        push_text(&mut json, &column.label);
        if let Some(words) = &column.words {
            let mut words: Vec<(&String, &usize)> = words.iter().collect();
            words.sort_by_key(|(_, number)| *number);
            let words: Vec<&String> = words.into_iter().map(|(word, _)| word).collect();
            let shown: Vec<String> =
                words.iter().map(|word| column.display_text(word, texts).unwrap_or_else(|| (*word).clone())).collect();
            let _ = write!(json, ",\"words\":{}", json_texts(words.iter().map(|word| word.as_str())));
            if shown.iter().ne(words) {
                let _ = write!(json, ",\"shown\":{}", json_texts(shown.iter().map(String::as_str)));
            }
        }
        json.push_str(",\"values\":[");
        json.push_str(&column.json);
        json.push_str("]}");
    }
    json.push_str("]}");
    json
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::domain::money::Sum;
    use crate::language::{Language, Texts};
    use crate::report::content::table::column;

    const COLUMNS: &[Column] = &[
        column("run_order_id", Kind::Id),
        column("severity", Kind::Severity),
        column("difference", Kind::Amount),
        column("input_line", Kind::Integer),
    ];

    fn grid(rows: u64, language: Language) -> Grid {
        let rows = (0..rows).map(|row| {
            let word = if row % 3 == 0 { "error" } else { "warning" };
            let amount = Sum::from_units(-i128::from(row)).expect("small");
            vec![Cell::owned(format!("<{row}>")), Cell::text(word), Cell::Amount(amount), Cell::Integer(2)]
        });
        Grid::of(
            Table { name: "discrepancies", columns: COLUMNS, rows: Box::new(rows) },
            &Titles::new(),
            Texts::new(language),
        )
    }

    #[test]
    fn every_value_is_embedded_exactly() {
        let grid = grid(201, Language::Chinese);
        let json: Value = serde_json::from_str(&grid.json).expect("JSON");
        assert_eq!((grid.rows, json["rows"].as_u64(), grid.first.len()), (201, Some(201), FIRST_ROWS));
        let column = |name: &str| {
            let columns = json["columns"].as_array().expect("columns");
            columns.iter().find(|column| column["name"] == name).expect("the column").clone()
        };
        assert_eq!(column("run_order_id")["values"][200], "<200>");
        assert_eq!(column("difference")["values"][200], "-0.00000200");
        assert_eq!(column("input_line")["values"][200], 2);
        let severity = column("severity");
        assert_eq!((&severity["words"][0], &severity["words"][1]), (&"error".into(), &"warning".into()));
        assert_eq!((&severity["shown"][0], &severity["values"][200]), (&"错误".into(), &1.into()));
        assert!(grid.first_note.is_some() && grid.cut_note.is_none());
    }

    #[test]
    fn a_workflow_is_shown_with_its_title() {
        const COLUMNS: &[Column] = &[column("workflow_id", Kind::Code)];
        let rows = ["wf_1", "wf_2"].map(|id| vec![Cell::text(id)]);
        let titles = Titles::from([("wf_1".to_owned(), "Portraits <b>".to_owned())]);
        let table = Table { name: "spend_by_workflow", columns: COLUMNS, rows: Box::new(rows.into_iter()) };
        let grid = Grid::of(table, &titles, Texts::new(Language::English));
        let shown: Vec<&str> = grid.first.iter().map(|row| &*row[0].text).collect();
        assert_eq!(shown, ["wf_1 · Portraits <b>", "wf_2"]);
        let json: Value = serde_json::from_str(&grid.json).expect("JSON");
        let column = &json["columns"][0];
        assert_eq!((&column["words"][0], &column["shown"][0]), (&"wf_1".into(), &"wf_1 · Portraits <b>".into()));
        assert_eq!(column["shown"][1], "wf_2");
    }

    #[test]
    fn a_page_with_too_many_rows_for_a_browser_says_so() {
        let grid = grid(MOST_ROWS + 1, Language::English);
        let json: Value = serde_json::from_str(&grid.json).expect("JSON");
        assert_eq!(json["columns"][0]["values"].as_array().expect("values").len() as u64, MOST_ROWS);
        let note = grid.cut_note.expect("a note");
        assert!(note.contains("100,000 of 100,001") && note.contains("discrepancies.csv"), "{note}");
    }
}
