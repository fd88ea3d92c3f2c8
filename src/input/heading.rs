//! Finds the heading among the first records, the preamble above it, and the column that holds the IDs.

use std::collections::BTreeMap;

use csv::ByteRecord;

use super::delimiter::is_sep_line;
use super::error::InputError;
use super::excerpt::excerpt;
use super::list_end;
use crate::domain::books::Field;
use crate::domain::cell::{bare_text, half_width, is_placeholder};
use crate::domain::id::RunOrderId;

/// The prefix of the provider's run order IDs. It distinguishes a row from a heading.
pub(super) const ID_PREFIX: &str = "wfrun_";

/// Known headings of the ID column, in lower case, best first.
const ID_HEADINGS: [&str; 6] = ["run_order_id", "运行订单id", "运行订单号", "order_id", "订单id", "订单号"];

/// Headings that look like IDs of the provider, in lower case.
const ID_LIKE_HEADINGS: [&str; 4] = ["wfrun_id", "wfrun_no", "wfrun_order", "wfrun_order_id"];

/// The user's options about sheet, heading and columns.
#[derive(Clone, Debug, Default)]
pub(super) struct LayoutOptions {
    pub(super) column: Option<String>,
    pub(super) no_header: bool,
    /// The line of the heading, counted from 1.
    pub(super) heading: Option<u64>,
    /// The name of the workbook's sheet.
    pub(super) sheet: Option<String>,
    /// The columns of our own books, each by its heading or number.
    pub(super) books: BTreeMap<Field, String>,
}

/// One of the first records.
#[derive(Clone, Debug)]
pub(super) struct FirstRecord {
    /// The line on which it begins, counted from 1.
    pub(super) line: u64,
    pub(super) record: ByteRecord,
    /// Its cells, stripped by [`bare_text`].
    cells: Vec<String>,
}

impl FirstRecord {
    pub(super) fn new(line: u64, record: ByteRecord) -> Self {
        let cells = bare_cells(&record);
        Self { line, record, cells }
    }

    fn cell(&self, at: usize) -> &str {
        self.cells.get(at).map_or("", String::as_str)
    }

    fn shown(&self) -> String {
        excerpt(&self.cells.join(" "), 64)
    }
}

/// The position of the heading, the IDs and the columns of our books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    /// The number of records above the heading or, without a heading, above the rows.
    pub(super) above: usize,
    /// The line of the heading, counted from 1.
    pub(super) heading: Option<u64>,
    /// The heading's text, if it was only assumed to be one: no `--heading`, `--column` or known ID heading says so.
    pub(super) guessed: Option<String>,
    /// The index of the ID column, counted from 0.
    pub(super) id: usize,
    /// The heading of the ID column, in lower case.
    pub(super) id_heading: Option<String>,
    /// The number of cells in the heading or, without a heading, in the first row.
    pub(super) count: usize,
    /// The columns of our own books, each by its index counted from 0.
    pub(super) books: Vec<(Field, usize)>,
}

impl Columns {
    /// The number of records above the first row: preamble and heading.
    pub(super) fn records_above_rows(&self) -> usize {
        self.above + usize::from(self.heading.is_some())
    }

    /// Whether an ID cell repeats the heading of the ID column, or any known ID heading.
    pub(super) fn repeats_heading(&self, bare: &str) -> bool {
        let text = bare.to_lowercase();
        self.id_heading.as_ref() == Some(&text) || ID_HEADINGS.contains(&text.as_str())
    }
}

impl LayoutOptions {
    /// Whether the record's cells identify it as the heading.
    pub(super) fn is_heading(&self, record: &ByteRecord) -> bool {
        !self.no_header && self.has_id_heading(&bare_cells(record))
    }

    /// Whether the ID cell is a placeholder, which makes the record a row without an ID. The ID cell is known only if
    /// it is the only cell or `--column` gives its number.
    fn has_placeholder_id(&self, cells: &[String]) -> bool {
        let at = self.column.as_ref().and_then(|column| column.trim().parse::<usize>().ok());
        let cell = if cells.len() == 1 { cells.first() } else { at.and_then(|at| cells.get(at.checked_sub(1)?)) };
        cell.is_some_and(|cell| is_placeholder(cell))
    }

    fn has_id_heading(&self, cells: &[String]) -> bool {
        match self.column.as_deref().filter(|column| !is_number(column)) {
            Some(column) => cells.iter().any(|cell| same(cell, column)),
            None => cells.iter().any(|cell| ID_HEADINGS.contains(&cell.to_lowercase().as_str())),
        }
    }
}

/// Finds the heading and the columns in the first records. `None` if there are no records, or only `sep=` lines and
/// ends of lists.
pub(super) fn columns(
    first: &[FirstRecord],
    options: &LayoutOptions,
    place: &str,
) -> Result<Option<Columns>, InputError> {
    let above = first.iter().take_while(|record| is_marker_line(&record.record)).count();
    let Some(top) = first.get(above) else { return Ok(None) };
    let heading = heading(&first[above..], options, place)?.map(|at| at + above);
    let record = &first[heading.unwrap_or(above)];
    let search = Search { cells: &record.cells, is_heading: heading.is_some(), options, place };
    let books = search.books()?;
    let id = search.id_column()?;
    let columns = Columns {
        above: heading.unwrap_or(above),
        heading: heading.map(|_| record.line),
        guessed: (heading.is_some() && options.heading.is_none() && !options.has_id_heading(&record.cells))
            .then(|| record.shown()),
        id,
        id_heading: heading.map(|_| record.cell(id).to_lowercase()),
        count: record.cells.len(),
        books,
    };
    if columns.guessed.is_some() && search.could_be_order(record.cell(id), &first[columns.above + 1..], id) {
        return Err(InputError::AmbiguousFirstLine { place: place.to_owned(), line: top.line, text: record.shown() });
    }
    refuse_orders_above(first, &columns, options, place)?;
    if options.column.is_none() {
        search.refuse_ids_in_different_column(&first[columns.above..], id)?;
    }
    Ok(Some(columns))
}

/// Whether a record is the end of a list or a `sep=` line, which is never a row or a heading.
fn is_marker_line(record: &ByteRecord) -> bool {
    list_end::is_end(record) || is_sep_line(record)
}

/// The index of the heading among the records; `None` if the first record is a row.
fn heading(first: &[FirstRecord], options: &LayoutOptions, place: &str) -> Result<Option<usize>, InputError> {
    if let Some(line) = options.heading {
        let last = first.last().map_or(0, |record| record.line);
        let at = first.iter().position(|record| record.line == line);
        return at.map(Some).ok_or_else(|| InputError::NoHeadingLine { place: place.to_owned(), line, last });
    }
    if options.no_header {
        return Ok(None);
    }
    let could_be_either = |record: &FirstRecord, column: &str| InputError::HeadingWithOrderId {
        place: place.to_owned(),
        line: record.line,
        column: excerpt(column, 64),
        text: record.shown(),
    };
    if let Some(at) = first.iter().position(|record| options.has_id_heading(&record.cells)) {
        let column = options.column.as_deref().unwrap_or_default();
        let is_order = |cell: &String| mentions_order(cell) && !same(cell, column) && !is_id_like_heading(cell);
        return match first[at].cells.iter().find(|cell| is_order(cell)) {
            Some(order) => Err(could_be_either(&first[at], if column.is_empty() { order } else { column })),
            None => Ok(Some(at)),
        };
    }
    let top = &first[0];
    let is_row = top.cells.iter().any(|cell| mentions_order(cell)) || options.has_placeholder_id(&top.cells);
    let named = options.books.values().filter(|column| !is_number(column));
    let mut named = named.filter(|column| top.cells.iter().any(|cell| same(cell, column)));
    let id_like = top.cells.iter().find(|cell| is_id_like_heading(cell));
    match (is_row, named.next().or(id_like)) {
        (true, Some(column)) => Err(could_be_either(top, column)),
        (true, None) => Ok(None),
        (false, _) => Ok(Some(0)),
    }
}

/// Refuses orders above the heading. `--heading` is trusted, except that no ID of the provider may stand on that line
/// or above it: some day the export may have one line less above its heading.
fn refuse_orders_above(
    first: &[FirstRecord],
    columns: &Columns,
    options: &LayoutOptions,
    place: &str,
) -> Result<(), InputError> {
    let Some(heading) = columns.heading else { return Ok(()) };
    if options.heading.is_some() {
        let to = first.iter().take(columns.above + 1);
        return match to.into_iter().find(|record| record.cells.iter().any(|cell| holds_order(cell))) {
            None => Ok(()),
            Some(record) => Err(InputError::OrderSkippedByHeading {
                place: place.to_owned(),
                line: record.line,
                text: record.shown(),
            }),
        };
    }
    let above = first.iter().take(columns.above).filter(|record| !is_marker_line(&record.record));
    let is_order = |record: &&FirstRecord| {
        could_be_id(record.cell(columns.id)) || record.cells.iter().any(|cell| mentions_order(cell))
    };
    match above.into_iter().find(is_order) {
        None => Ok(()),
        Some(record) => Err(InputError::OrderAboveHeading {
            place: place.to_owned(),
            line: record.line,
            text: record.shown(),
            heading,
        }),
    }
}

fn could_be_id(bare: &str) -> bool {
    bare.contains(|char: char| char.is_ascii_alphanumeric()) && !is_placeholder(bare) && RunOrderId::parse(bare).is_ok()
}

/// Whether a text contains the prefix of the provider's IDs, in any case and in full or half width.
pub(super) fn mentions_order(text: &str) -> bool {
    let prefix = ID_PREFIX.as_bytes();
    let mut matched = 0;
    text.chars().map(|char| half_width(char).to_ascii_lowercase()).any(|char| {
        let is_next = |at: usize| prefix.get(at).is_some_and(|next| char::from(*next) == char);
        // No proper suffix of the prefix is a beginning of it, so after a mismatch the search starts over.
        matched = if is_next(matched) { matched + 1 } else { usize::from(is_next(0)) };
        matched == prefix.len()
    })
}

/// Whether a text certainly contains an ID of the provider: the prefix and at least eight hex digits.
fn holds_order(text: &str) -> bool {
    const DIGITS: usize = 8;
    let text = text.to_lowercase();
    let digits = |rest: &str| rest.bytes().take_while(u8::is_ascii_hexdigit).count();
    text.split(ID_PREFIX).skip(1).any(|rest| digits(rest) >= DIGITS)
}

fn is_id_like_heading(bare: &str) -> bool {
    ID_LIKE_HEADINGS.contains(&bare.to_lowercase().as_str())
}

fn looks_like_id(bare: &str) -> bool {
    bare.get(..ID_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(ID_PREFIX)) && could_be_id(bare)
}

/// Looks for columns in the heading or, without a heading, in the first row.
struct Search<'f> {
    cells: &'f [String],
    is_heading: bool,
    options: &'f LayoutOptions,
    place: &'f str,
}

impl Search<'_> {
    fn books(&self) -> Result<Vec<(Field, usize)>, InputError> {
        let book = |(field, column): (&Field, &String)| match *self.named(column) {
            [only] => Ok((*field, only)),
            ref found_at => Err(InputError::NoBookColumn {
                place: self.place.to_owned(),
                field: field.name(),
                column: excerpt(column, 64),
                count: found_at.len(),
                found: self.found(),
            }),
        };
        self.options.books.iter().map(book).collect()
    }

    fn id_column(&self) -> Result<usize, InputError> {
        let candidates = match &self.options.column {
            Some(column) => self.named(column),
            None if self.is_heading => ID_HEADINGS
                .iter()
                .map(|name| positions(self.cells, |cell| same(cell, name)))
                .find(|positions| !positions.is_empty())
                .unwrap_or_default(),
            None => positions(self.cells, looks_like_id),
        };
        let place = self.place.to_owned();
        match (candidates.as_slice(), &self.options.column) {
            (&[only], _) => Ok(only),
            ([], Some(column)) => {
                Err(InputError::NoSuchColumn { place, column: excerpt(column, 64), found: self.found() })
            }
            ([], None) if self.cells.len() == 1 => Ok(0),
            ([], None) => Err(InputError::NoIdColumn { place, found: self.found() }),
            (several, _) => {
                let numbers: Vec<String> = several.iter().take(20).map(|index| (index + 1).to_string()).collect();
                Err(InputError::AmbiguousColumn { place, numbers: numbers.join(", "), found: self.found() })
            }
        }
    }

    /// Whether the ID cell of a guessed heading could itself be an order. It could not if `--column` names it, or if it
    /// is one of several cells, has no digit, and IDs of the provider stand below it.
    fn could_be_order(&self, cell: &str, rows: &[FirstRecord], id: usize) -> bool {
        let is_named = self.options.column.as_ref().is_some_and(|column| same(cell, column));
        let is_unlike = self.cells.len() > 1
            && !cell.contains(|char: char| char.is_ascii_digit())
            && rows.iter().any(|row| looks_like_id(row.cell(id)));
        could_be_id(cell) && !is_named && !is_unlike
    }

    /// Refuses a heading whose ID column has no IDs of the provider while a different column has some.
    fn refuse_ids_in_different_column(&self, first: &[FirstRecord], id: usize) -> Result<(), InputError> {
        let has_ids = |at: usize| first.iter().any(|record| looks_like_id(record.cell(at)));
        let other = (0..self.cells.len()).find(|at| has_ids(*at));
        match other.filter(|_| self.is_heading && !has_ids(id)) {
            None => Ok(()),
            Some(other) => Err(InputError::IdsInDifferentColumn {
                place: self.place.to_owned(),
                column: excerpt(&self.cells[id], 64),
                number: id + 1,
                other: excerpt(&self.cells[other], 64),
                other_number: other + 1,
            }),
        }
    }

    /// The indices of the columns with that heading; if there are none, the column with that number.
    fn named(&self, column: &str) -> Vec<usize> {
        let named = if self.is_heading { positions(self.cells, |cell| same(cell, column)) } else { Vec::new() };
        if named.is_empty() { numbered(column, self.cells.len()) } else { named }
    }

    fn found(&self) -> String {
        if self.is_heading {
            shown_headings(self.cells)
        } else {
            format!("no heading, {} cells in a row", self.cells.len())
        }
    }
}

/// The cells of a record, stripped by [`bare_text`].
pub(super) fn bare_cells(record: &ByteRecord) -> Vec<String> {
    record.iter().map(|cell| bare_text(&String::from_utf8_lossy(cell)).to_owned()).collect()
}

fn positions(cells: &[String], is_it: impl Fn(&str) -> bool) -> Vec<usize> {
    cells.iter().enumerate().filter(|(_, cell)| is_it(cell)).map(|(index, _)| index).collect()
}

fn same(cell: &str, name: &str) -> bool {
    cell.to_lowercase() == bare_text(name).to_lowercase()
}

fn is_number(column: &str) -> bool {
    column.trim().parse::<usize>().is_ok()
}

fn numbered(column: &str, count: usize) -> Vec<usize> {
    let number = column.trim().parse::<usize>().ok().filter(|number| (1..=count).contains(number));
    number.map(|number| number - 1).into_iter().collect()
}

fn shown_headings(cells: &[String]) -> String {
    const MOST: usize = 20;
    let shown: Vec<String> = cells.iter().take(MOST).map(|cell| format!("`{}`", excerpt(cell, 40))).collect();
    let more = cells.len().saturating_sub(MOST);
    let and_more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("the headings are {}{and_more}", shown.join(", "))
}
