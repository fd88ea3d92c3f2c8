//! Counts the records of an input by kind: preamble, heading, rows and footers.

use csv::ByteRecord;

use super::excerpt::excerpt;
use super::heading::{Columns, bare_cells, mentions_order};
use super::list_end::{self, Lists};
use crate::domain::cell::{bare_text, is_subtotal};
use crate::domain::id::RunOrderId;
use crate::domain::layout::InputLayout;
use crate::domain::listed::ListShortfall;

/// How many of the records that are not rows are shown, and how many characters of each.
const SHOWN: usize = 10;
const LENGTH: usize = 128;
/// No export prints more footers than this: with more of them, they count as rows.
const MOST_FOOTERS: u64 = 50;

/// Counts the records while they are read.
pub(super) struct Count<'c> {
    columns: Option<&'c Columns>,
    lists: Lists,
    rows: u64,
    layout: InputLayout,
    /// Excerpts of the closing records since the last row. They turn out to be rows if a row follows.
    closing: Vec<String>,
    closing_count: u64,
    /// The line of the last row, if that row has fewer cells than the heading.
    short_line: Option<u64>,
}

impl<'c> Count<'c> {
    pub(super) fn new(columns: Option<&'c Columns>) -> Self {
        let layout = InputLayout {
            heading_line: columns.and_then(|columns| columns.heading),
            guessed_heading: columns.and_then(|columns| columns.guessed.clone()),
            ..InputLayout::default()
        };
        let (closing, closing_count) = (Vec::new(), 0);
        Self { columns, lists: Lists::new(), rows: 0, layout, closing, closing_count, short_line: None }
    }

    pub(super) fn record(&mut self, record: &ByteRecord, line: u64) {
        self.layout.records += 1;
        if list_end::is_end(record) {
            self.lists.end_line(record);
        }
        let Some(columns) = self.columns else { return self.footer(record) };
        let at = self.layout.records - 1;
        if at < columns.above as u64 {
            self.layout.preamble += 1;
            self.show(record);
        } else if columns.heading == Some(line) {
            if list_end::is_heading(record) {
                self.lists.require_end();
            }
        } else if list_end::is_end(record) {
            self.layout.footers += 1;
        } else if is_closing(record, columns) {
            self.closing_count += 1;
            self.closing.extend((self.closing.len() < SHOWN).then(|| shown(record)));
            if self.closing_count > MOST_FOOTERS {
                self.count_closing_as_rows();
            }
        } else {
            self.count_closing_as_rows();
            self.lists.row();
            self.rows += 1;
            self.short_line = (record.len() < columns.count).then_some(line);
        }
    }

    /// The number of rows, the layout, and what is missing from a list. `is_cut`: the text ends within a line.
    pub(super) fn finish(mut self, is_cut: bool) -> (u64, InputLayout, Option<ListShortfall>) {
        self.layout.footers += self.closing_count;
        self.layout.shown.append(&mut self.closing);
        self.layout.shown.truncate(SHOWN);
        self.layout.cut_line = self.short_line.filter(|_| is_cut && self.closing_count == 0);
        (self.rows, self.layout, self.lists.shortfall())
    }

    fn count_closing_as_rows(&mut self) {
        (0..self.closing_count).for_each(|_| self.lists.row());
        self.rows += self.closing_count;
        self.closing_count = 0;
        self.closing.clear();
    }

    fn footer(&mut self, record: &ByteRecord) {
        self.layout.footers += 1;
        self.show(record);
    }

    fn show(&mut self, record: &ByteRecord) {
        if self.layout.shown.len() < SHOWN {
            self.layout.shown.push(shown(record));
        }
    }
}

/// Whether a record may be a footer: a total, or a remark that is alone on its line. It is a row after all if a row
/// follows, and always if it may hold an order.
fn is_closing(record: &ByteRecord, columns: &Columns) -> bool {
    let cell = |at: usize| String::from_utf8_lossy(record.get(at).unwrap_or_default());
    let (id, first) = (cell(columns.id), cell(0));
    let (id, first) = (bare_text(&id), bare_text(&first));
    let is_alone = || (1..record.len()).all(|at| bare_text(&cell(at)).is_empty());
    let has_id = columns.id > 0 && !id.is_empty();
    let may_close = is_subtotal(id)
        || (id.is_empty() && is_subtotal(first))
        || (!has_id && is_remark(first) && (first.starts_with('#') || is_alone()));
    may_close && !(0..record.len()).any(|at| mentions_order(&cell(at)))
}

/// Whether a text is one that exports print below a table: `#…`, a line of dashes, 合计…, 共3笔记录, 导出时间….
fn is_remark(text: &str) -> bool {
    const BEGINNINGS: [&str; 8] = ["#", "共", "导出", "以上", "备注", "说明", "制表", "审核"];
    const SHORTEST_RULE: usize = 6;
    let is_rule = text.chars().count() >= SHORTEST_RULE && text.chars().all(|char| "#-=*_—－".contains(char));
    let begins = BEGINNINGS.iter().any(|word| text.starts_with(word)) && RunOrderId::parse(text).is_err();
    is_rule || is_subtotal(text) || begins
}

fn shown(record: &ByteRecord) -> String {
    excerpt(&bare_cells(record).join(" "), LENGTH)
}
