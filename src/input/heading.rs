//! What the first records tell: what stands above the heading, which record is the heading, and which column holds the IDs.

use std::collections::BTreeMap;

use csv::ByteRecord;

use super::delimiter::is_sep_line;
use super::error::InputError;
use super::excerpt::excerpt;
use super::list_end;
use crate::domain::books::Field;
use crate::domain::cell::{bare, half_width, is_placeholder};
use crate::domain::id::RunOrderId;

/// How every run order ID of the provider begins: what tells a row from a heading.
pub(super) const ID_PREFIX: &str = "wfrun_";

/// Headings of the ID column in lower case. An earlier one outranks the later ones.
const ID_HEADINGS: [&str; 6] = ["run_order_id", "运行订单id", "运行订单号", "order_id", "订单id", "订单号"];

/// Headings that an ID could be.
const ID_LIKE_HEADINGS: [&str; 4] = ["wfrun_id", "wfrun_no", "wfrun_order", "wfrun_order_id"];

/// What the user said about the heading.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) column: Option<String>,
    pub(super) no_header: bool,
    /// The line of the heading.
    pub(super) heading: Option<u64>,
    /// The sheet of a workbook.
    pub(super) sheet: Option<String>,
    /// The columns of our own books.
    pub(super) books: BTreeMap<Field, String>,
}

/// One of the first records.
#[derive(Clone, Debug)]
pub(super) struct First {
    /// The line on which it begins.
    pub(super) line: u64,
    /// Its cells.
    pub(super) record: ByteRecord,
    /// Its cells, bare.
    cells: Vec<String>,
}

impl First {
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

/// Where the heading and the IDs stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    /// How many records stand above the heading or, without one, above the rows.
    pub(super) above: usize,
    /// The line of the heading.
    pub(super) heading: Option<u64>,
    /// The heading, where it is taken for one only because no order could be called that.
    pub(super) guessed: Option<String>,
    /// The index of the ID column, counted from 0.
    pub(super) id: usize,
    /// What the ID column is called, in lower case.
    pub(super) id_heading: Option<String>,
    /// How many cells the heading or the first row has.
    pub(super) count: usize,
    /// The indices of the columns of our own books.
    pub(super) books: Vec<(Field, usize)>,
}

impl Columns {
    /// The records above the first row: preamble and heading.
    pub(super) fn records_above_rows(&self) -> usize {
        self.above + usize::from(self.heading.is_some())
    }

    /// Whether that text in the ID column is no ID but what an ID column is called.
    pub(super) fn repeats_heading(&self, bare: &str) -> bool {
        let text = bare.to_lowercase();
        self.id_heading.as_ref() == Some(&text) || ID_HEADINGS.contains(&text.as_str())
    }
}

impl Wanted {
    /// Whether that record is the heading by what its cells say.
    pub(super) fn is_heading(&self, record: &ByteRecord) -> bool {
        !self.no_header && self.names_the_ids(&bare_cells(record))
    }

    /// Whether what may be the ID's heading is a placeholder: a row without an ID, then.
    fn says_nothing(&self, cells: &[String]) -> bool {
        let at = self.column.as_ref().and_then(|column| column.trim().parse::<usize>().ok());
        let cell = if cells.len() == 1 { cells.first() } else { at.and_then(|at| cells.get(at.checked_sub(1)?)) };
        cell.is_some_and(|cell| is_placeholder(cell))
    }

    fn names_the_ids(&self, cells: &[String]) -> bool {
        match self.column.as_deref().filter(|column| !is_number(column)) {
            Some(column) => cells.iter().any(|cell| same(cell, column)),
            None => cells.iter().any(|cell| ID_HEADINGS.contains(&cell.to_lowercase().as_str())),
        }
    }
}

/// Decides by the first records, of which there is at least one.
pub(super) fn columns(first: &[First], wanted: &Wanted, place: &str) -> Result<Option<Columns>, InputError> {
    let above = first.iter().take_while(|record| is_no_table(&record.record)).count();
    let Some(top) = first.get(above) else { return Ok(None) };
    let heading = heading(&first[above..], wanted, place)?.map(|at| at + above);
    let record = &first[heading.unwrap_or(above)];
    let search = Search { cells: &record.cells, is_heading: heading.is_some(), wanted, place };
    let books = search.books()?;
    let id = search.id_column()?;
    let columns = Columns {
        above: heading.unwrap_or(above),
        heading: heading.map(|_| record.line),
        guessed: (heading.is_some() && wanted.heading.is_none() && !wanted.names_the_ids(&record.cells))
            .then(|| record.shown()),
        id,
        id_heading: heading.map(|_| record.cell(id).to_lowercase()),
        count: record.cells.len(),
        books,
    };
    if columns.guessed.is_some() && search.could_be_order(record.cell(id), &first[columns.above + 1..], id) {
        return Err(InputError::HeadingOrOrder { place: place.to_owned(), line: top.line, text: record.shown() });
    }
    refuse_orders_above(first, &columns, wanted, place)?;
    if wanted.column.is_none() {
        search.refuse_other_column(&first[columns.above..], id)?;
    }
    Ok(Some(columns))
}

/// Whether a record is neither a row nor a heading, wherever it stands.
fn is_no_table(record: &ByteRecord) -> bool {
    list_end::is_end(record) || is_sep_line(record)
}

/// Which of the records is the heading; `None` where the first one is a row.
fn heading(first: &[First], wanted: &Wanted, place: &str) -> Result<Option<usize>, InputError> {
    if let Some(line) = wanted.heading {
        let last = first.last().map_or(0, |record| record.line);
        let at = first.iter().position(|record| record.line == line);
        return at.map(Some).ok_or_else(|| InputError::NoHeadingLine { place: place.to_owned(), line, last });
    }
    if wanted.no_header {
        return Ok(None);
    }
    let could_be_either = |record: &First, column: &str| InputError::OrderOrHeading {
        place: place.to_owned(),
        line: record.line,
        column: excerpt(column, 64),
        text: record.shown(),
    };
    if let Some(at) = first.iter().position(|record| wanted.names_the_ids(&record.cells)) {
        let column = wanted.column.as_deref().unwrap_or_default();
        let is_order = |cell: &String| mentions_order(cell) && !same(cell, column) && !is_id_like_heading(cell);
        return match first[at].cells.iter().find(|cell| is_order(cell)) {
            Some(order) => Err(could_be_either(&first[at], if column.is_empty() { order } else { column })),
            None => Ok(Some(at)),
        };
    }
    let top = &first[0];
    let is_row = top.cells.iter().any(|cell| mentions_order(cell)) || wanted.says_nothing(&top.cells);
    let named = wanted.books.values().filter(|column| !is_number(column));
    let mut named = named.filter(|column| top.cells.iter().any(|cell| same(cell, column)));
    let id_like = top.cells.iter().find(|cell| is_id_like_heading(cell));
    match (is_row, named.next().or(id_like)) {
        (true, Some(column)) => Err(could_be_either(top, column)),
        (true, None) => Ok(None),
        (false, _) => Ok(Some(0)),
    }
}

/// What stands above the heading must be no order. The line of a heading is believed in all but orders of the provider, in it and
/// above it: one day an export has a line fewer.
fn refuse_orders_above(first: &[First], columns: &Columns, wanted: &Wanted, place: &str) -> Result<(), InputError> {
    let Some(heading) = columns.heading else { return Ok(()) };
    if wanted.heading.is_some() {
        let to = first.iter().take(columns.above + 1);
        return match to.into_iter().find(|record| record.cells.iter().any(|cell| holds_order(cell))) {
            None => Ok(()),
            Some(record) => {
                Err(InputError::OrderAboveRows { place: place.to_owned(), line: record.line, text: record.shown() })
            }
        };
    }
    let above = first.iter().take(columns.above).filter(|record| !is_no_table(&record.record));
    let is_order =
        |record: &&First| could_be_id(record.cell(columns.id)) || record.cells.iter().any(|cell| mentions_order(cell));
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

/// Whether a text has the beginning of the provider's IDs in it, in letters of any case and width.
pub(super) fn mentions_order(text: &str) -> bool {
    let prefix = ID_PREFIX.as_bytes();
    let mut met = 0;
    text.chars().map(|char| half_width(char).to_ascii_lowercase()).any(|char| {
        let is_next = |at: usize| prefix.get(at).is_some_and(|next| char::from(*next) == char);
        // No end of the prefix is a beginning of it.
        met = if is_next(met) { met + 1 } else { usize::from(is_next(0)) };
        met == prefix.len()
    })
}

/// Whether a text has an ID of the provider in it, beyond doubt.
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

/// The search for columns in the heading or, without one, in the first row.
struct Search<'f> {
    cells: &'f [String],
    is_heading: bool,
    wanted: &'f Wanted,
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
        self.wanted.books.iter().map(book).collect()
    }

    fn id_column(&self) -> Result<usize, InputError> {
        let candidates = match &self.wanted.column {
            Some(column) => self.named(column),
            None if self.is_heading => ID_HEADINGS
                .iter()
                .map(|name| positions(self.cells, |cell| same(cell, name)))
                .find(|positions| !positions.is_empty())
                .unwrap_or_default(),
            None => positions(self.cells, looks_like_id),
        };
        let place = self.place.to_owned();
        match (candidates.as_slice(), &self.wanted.column) {
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

    /// Whether a heading that nobody named could be an order. Above IDs of the provider, one of several cells without a digit is not.
    fn could_be_order(&self, cell: &str, rows: &[First], id: usize) -> bool {
        let is_named = self.wanted.column.as_ref().is_some_and(|column| same(cell, column));
        let is_unlike = self.cells.len() > 1
            && !cell.contains(|char: char| char.is_ascii_digit())
            && rows.iter().any(|row| looks_like_id(row.cell(id)));
        could_be_id(cell) && !is_named && !is_unlike
    }

    /// Where the cells of the ID column are no IDs of the provider, no other column may hold any.
    fn refuse_other_column(&self, first: &[First], id: usize) -> Result<(), InputError> {
        let has_ids = |at: usize| first.iter().any(|record| looks_like_id(record.cell(at)));
        let other = (0..self.cells.len()).find(|at| has_ids(*at));
        match other.filter(|_| self.is_heading && !has_ids(id)) {
            None => Ok(()),
            Some(other) => Err(InputError::OtherColumn {
                place: self.place.to_owned(),
                column: excerpt(&self.cells[id], 64),
                number: id + 1,
                other: excerpt(&self.cells[other], 64),
                other_number: other + 1,
            }),
        }
    }

    /// Where the column of that heading stands, or of that number where no heading is it.
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

/// The cells of a record, bare.
pub(super) fn bare_cells(record: &ByteRecord) -> Vec<String> {
    record.iter().map(|cell| bare(&String::from_utf8_lossy(cell)).to_owned()).collect()
}

fn positions(cells: &[String], is_it: impl Fn(&str) -> bool) -> Vec<usize> {
    cells.iter().enumerate().filter(|(_, cell)| is_it(cell)).map(|(index, _)| index).collect()
}

fn same(cell: &str, name: &str) -> bool {
    cell.to_lowercase() == bare(name).to_lowercase()
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
