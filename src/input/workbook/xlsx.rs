//! Reads `.xlsx` and `.xlsm` in two passes. The first walks a sheet's XML for what calamine does not report (hidden
//! rows, merged cells, formulas without a value) and refuses what calamine would silently misread. In the second,
//! calamine reads the sheet cell by cell.

use std::collections::HashMap;
use std::io::{BufReader, Write};

use calamine::{Reader as _, SheetType, Xlsx};
use quick_xml::events::{BytesStart, Event};

use super::Sheet;
use super::cells::{self, CellPosition, Lines, MOST_COLUMNS, MOST_ROWS};
use super::error::WorkbookError;
use super::parts::{DEEPEST, Elements, Parts, attribute};
use super::source::{Source, Window, catch_panic};

/// The most bytes and tags of a part that is held in memory whole: of the shared strings, and of any other part.
const MOST_OF_STRINGS: (u64, u64) = (512 << 20, 32 << 20);
const MOST_OF_OTHERS: (u64, u64) = (32 << 20, 1 << 20);
const STRINGS: &str = "sharedstrings.xml";
pub(super) const FORMAT: &str = ".xlsx";

fn unreadable(detail: impl ToString) -> WorkbookError {
    WorkbookError::unreadable(FORMAT, detail)
}

/// An opened `.xlsx` or `.xlsm` workbook.
pub(super) struct Book {
    source: Source,
    parts: Parts,
    /// The name of each sheet's part, by sheet name.
    paths: HashMap<String, String>,
    calamine: Xlsx<BufReader<Window>>,
}

impl Book {
    /// Opens the workbook and returns it with the names of its worksheets.
    pub(super) fn open(source: &Source, parts: Parts) -> Result<(Self, Vec<String>), WorkbookError> {
        let mut parts = parts.with_format(FORMAT);
        check_sizes(&mut parts)?;
        let paths = paths(&mut parts)?;
        source.begin_step();
        let calamine = catch_panic(|| Xlsx::new(source.reader())).map_err(unreadable)?.map_err(unreadable)?;
        let sheets = calamine.sheets_metadata();
        let sheets = sheets.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
        let sheets = sheets.map(|sheet| sheet.name.clone()).collect();
        Ok((Self { source: source.clone(), parts, paths, calamine }, sheets))
    }

    /// Writes the sheet called `name` as lines of CSV.
    pub(super) fn write_sheet(&mut self, name: &str, out: &mut impl Write) -> Result<Sheet, WorkbookError> {
        self.source.begin_step();
        let path = self.paths.get(name).ok_or_else(|| unreadable(format!("sheet `{name}` has no part")))?;
        let walk =
            Walk::through(&mut self.parts.elements(path)?).map_err(|error| unreadable(format!("{path}: {error}")))?;
        self.source.begin_step();
        let calamine = &mut self.calamine;
        let mut reader =
            catch_panic(|| calamine.worksheet_cells_reader(name)).map_err(unreadable)?.map_err(unreadable)?;
        let (mut lines, mut uncomputed) = (Lines::new(out), walk.uncomputed.iter().peekable());
        while let Some(cell) = catch_panic(|| reader.next_cell()).map_err(unreadable)?.map_err(unreadable)? {
            let at = cell.get_position();
            if uncomputed.next_if_eq(&&at).is_some() {
                lines.cell(at, &cells::uncomputed(at))?;
            } else {
                lines.cell(at, &cells::text(cell.get_value(), at))?;
            }
        }
        Ok(Sheet { rows: lines.finish()?, hidden: Some(walk.hidden), merged: walk.merged })
    }
}

/// Checks the sizes of the parts that calamine holds in memory whole.
fn check_sizes(parts: &mut Parts) -> Result<(), WorkbookError> {
    for name in parts.names() {
        let strings = name.ends_with(STRINGS);
        // The main part may have any name, in a folder or not. All other parts are streamed or not read at all.
        let held = name.ends_with(".rels") || name.contains("theme") || name.split('/').count() < 3;
        if !(strings || held && (name.ends_with(".xml") || name.ends_with(".rels"))) {
            continue;
        }
        let (bytes, tags) = parts.measure(&name)?;
        let most = if strings { MOST_OF_STRINGS } else { MOST_OF_OTHERS };
        if bytes > most.0 || tags > most.1 {
            let (mebibytes, tags) = (most.0 >> 20, most.1);
            return Err(WorkbookError::too_large(format!("{name} has more than {mebibytes} MiB or {tags} tags")));
        }
        if strings {
            let mut claimed = 0;
            parts.each_element(&name, |start| {
                let count = attribute(start, "uniqueCount")?;
                claimed = count.and_then(|count| count.parse().ok()).unwrap_or_default();
                Ok(true)
            })?;
            // calamine allocates memory for the claimed number.
            if claimed > tags {
                return Err(unreadable(format!("{name} claims {claimed} strings but has fewer")));
            }
        }
    }
    Ok(())
}

/// The name of each sheet's part by sheet name, found through the same relationships that calamine follows.
fn paths(parts: &mut Parts) -> Result<HashMap<String, String>, WorkbookError> {
    let mut main = String::new();
    parts.each_element("_rels/.rels", |start| {
        if attribute(start, "Type")?.is_some_and(|kind| kind.ends_with("/relationships/officeDocument")) {
            main = attribute(start, "Target")?.unwrap_or_default();
        }
        Ok(false)
    })?;
    let (folder, name) = main.rfind('/').map_or(("", main.as_str()), |slash| main.split_at(slash + 1));
    let folder = folder.strip_prefix('/').unwrap_or(folder);
    let mut targets = HashMap::new();
    parts.each_element(&format!("{folder}_rels/{name}.rels"), |start| {
        if let (Some(id), Some(target)) = (attribute(start, "Id")?, attribute(start, "Target")?) {
            let path = target.strip_prefix('/').map_or_else(|| format!("{folder}{target}"), str::to_owned);
            targets.insert(id, path);
        }
        Ok(false)
    })?;
    let mut paths = HashMap::new();
    parts.each_element(&format!("{folder}{name}"), |start| {
        if start.local_name().as_ref() == "sheet"
            && let (Some(name), Some(id)) = (attribute(start, "name")?, relation(start)?)
            && let Some(path) = targets.get(&id)
        {
            paths.insert(name, path.clone());
        }
        Ok(false)
    })?;
    Ok(paths)
}

/// The attribute that names a part: `r:id` with any prefix.
fn relation(start: &BytesStart<'_>) -> Result<Option<String>, quick_xml::Error> {
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute?;
        if attribute.key.local_name().as_ref() == "id" {
            return Ok(Some(attribute.value.into_owned()));
        }
    }
    Ok(None)
}

/// The state and result of the first pass over a sheet.
#[derive(Default)]
struct Walk {
    /// The number of non-empty rows that are hidden.
    hidden: u64,
    /// The number of merged ranges.
    merged: u64,
    /// The cells with a formula and no value.
    uncomputed: Vec<CellPosition>,
    /// The position of the next cell, unless that cell states its own.
    next: CellPosition,
    row: Option<Row>,
    cell: Option<Cell>,
    inside: Inside,
}

/// Whether the walk is before, in or after the rows of the sheet.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Inside {
    #[default]
    Before,
    Rows,
    After,
}

struct Row {
    hidden: bool,
    /// Whether it has a non-empty cell.
    filled: bool,
}

/// The current cell.
struct Cell {
    at: CellPosition,
    /// Its type, such as `s` for a shared string; empty for a number.
    kind: String,
    formula: bool,
    /// How many elements are open inside it.
    depth: usize,
    /// The text of its `<v>`; `None` until there is one.
    value: Option<String>,
    /// Whether it has a text of its own, in `<is>`.
    inline: bool,
    in_value: bool,
    /// The offset in the part at which it begins.
    begun: u64,
}

/// The most bytes of one cell's XML. Programs write less than a hundredth of that.
const LARGEST_CELL: u64 = 4 << 20;

impl Walk {
    fn through(elements: &mut Elements<'_>) -> Result<Self, String> {
        let (mut walk, mut buffer, mut depth) = (Self::default(), Vec::new(), 0_usize);
        loop {
            buffer.clear();
            let position = elements.buffer_position();
            match elements.read_event_into(&mut buffer).map_err(|error| error.to_string())? {
                Event::Start(start) => {
                    depth += 1;
                    if depth > DEEPEST {
                        return Err("its elements are nested too deeply".to_owned());
                    }
                    walk.start(&start, position)?;
                }
                Event::End(end) => {
                    depth = depth.saturating_sub(1);
                    walk.end(end.local_name().as_ref(), position)?;
                }
                Event::Text(text) => walk.text(&text.xml10_content(), true)?,
                Event::GeneralRef(_) => walk.text("&", walk.cell.as_ref().is_some_and(|cell| cell.kind == "str"))?,
                // No program writes these, and calamine would drop the text after them.
                Event::CData(_) | Event::Comment(_) | Event::PI(_) => walk.text("", false)?,
                Event::Eof if walk.inside == Inside::After => return Ok(walk),
                Event::Eof => return Err("it ends in the middle of its rows".to_owned()),
                _ => {}
            }
        }
    }

    fn start(&mut self, start: &BytesStart<'_>, position: u64) -> Result<(), String> {
        let name = start.local_name();
        let attribute = |name| attribute(start, name).map_err(|error| error.to_string());
        match (self.inside, name.as_ref()) {
            (Inside::Before, "sheetData") => self.inside = Inside::Rows,
            (Inside::After, "mergeCell") => self.merged += 1,
            (Inside::Rows, "row") => {
                let row = match attribute("r")? {
                    Some(number) => number.parse::<u32>().ok().and_then(|number| number.checked_sub(1)),
                    None => Some(self.next.0),
                };
                let row = row.filter(|row| (self.next.0..MOST_ROWS).contains(row) && self.row.is_none());
                let row = row.ok_or_else(|| match self.next.0 {
                    0 => "the first row is misplaced".to_owned(),
                    last => format!("the row after row {last} is misplaced"),
                })?;
                self.next = (row, 0);
                let hidden = attribute("hidden")?.is_some_and(|hidden| matches!(hidden.as_str(), "1" | "true"));
                self.row = Some(Row { hidden, filled: false });
            }
            (Inside::Rows, "c") => {
                let at = match attribute("r")? {
                    Some(name) => position_of(&name),
                    None => Some(self.next),
                };
                let (row, column) = self.next;
                let here = self.row.is_some() && self.cell.is_none();
                let at = at.filter(|at| here && at.0 == row && (column..MOST_COLUMNS).contains(&at.1));
                let at = at.ok_or_else(|| {
                    format!("the cell expected at {} or to its right is misplaced", cells::address(self.next))
                })?;
                self.next = (row, at.1 + 1);
                let kind = attribute("t")?.unwrap_or_default();
                let (value, formula, inline, in_value) = (None, false, false, false);
                self.cell = Some(Cell { at, kind, formula, depth: 0, value, inline, in_value, begun: position });
            }
            (Inside::Rows, name) => {
                if let Some(cell) = &mut self.cell {
                    cell.child(name)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &str, position: u64) -> Result<(), String> {
        match (self.inside, name) {
            (Inside::Rows, "sheetData") => self.inside = Inside::After,
            (Inside::Rows, "row") => {
                if let Some(row) = self.row.take() {
                    self.hidden += u64::from(row.hidden && row.filled);
                }
                self.next = (self.next.0 + 1, 0);
            }
            (Inside::Rows, "c") => {
                if let Some(cell) = self.cell.take() {
                    if position - cell.begun > LARGEST_CELL {
                        return Err(format!("cell {} is longer than 4 MiB", cells::address(cell.at)));
                    }
                    self.close(cell)?;
                }
            }
            _ => {
                if let Some(cell) = &mut self.cell {
                    cell.depth = cell.depth.saturating_sub(1);
                    cell.in_value &= name != "v";
                }
            }
        }
        Ok(())
    }

    fn text(&mut self, text: &str, plain: bool) -> Result<(), String> {
        let Some(cell) = self.cell.as_mut().filter(|cell| cell.in_value) else { return Ok(()) };
        // calamine takes the first piece of a number for the whole number.
        let whole = cell.kind == "str" || cell.kind == "d" || cell.value.as_ref().is_none_or(String::is_empty);
        if !(plain && whole) {
            return Err(format!("the value of cell {} is split into pieces", cells::address(cell.at)));
        }
        cell.value.get_or_insert_default().push_str(text);
        Ok(())
    }

    fn close(&mut self, cell: Cell) -> Result<(), String> {
        let value = cell.value.as_deref().unwrap_or_default();
        if cell.kind == "s" && !value.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!("cell {} does not refer to a string of the workbook", cells::address(cell.at)));
        }
        if let Some(row) = &mut self.row {
            row.filled |= cell.inline || cell.formula || !value.is_empty();
        }
        if cell.formula && value.is_empty() && cell.kind != "str" && !cell.inline {
            self.uncomputed.push(cell.at);
        }
        Ok(())
    }
}

impl Cell {
    /// Takes an element inside the cell. Only a formula may come before the value, and nothing after it, because
    /// calamine keeps the last element that it reads.
    fn child(&mut self, name: &str) -> Result<(), String> {
        self.depth += 1;
        if self.depth > 1 {
            return if self.in_value {
                Err(format!("the value of cell {} is not plain text", cells::address(self.at)))
            } else {
                Ok(())
            };
        }
        match name {
            _ if self.value.is_some() || self.inline => {
                return Err(format!("cell {} has something after its value", cells::address(self.at)));
            }
            "f" => self.formula = true,
            "v" => (self.in_value, self.value) = (true, Some(String::new())),
            _ => self.inline = true,
        }
        Ok(())
    }
}

/// Parses a cell name such as `B7` into its row and column, counted from 0.
fn position_of(name: &str) -> Option<CellPosition> {
    let digits = name.find(|c: char| c.is_ascii_digit())?;
    let (letters, number) = name.split_at(digits);
    if letters.is_empty() || letters.len() > 3 || !letters.bytes().all(|letter| letter.is_ascii_alphabetic()) {
        return None;
    }
    let letter = |column: u32, letter: u8| column * 26 + u32::from(letter.to_ascii_uppercase() - b'A') + 1;
    let column = letters.bytes().fold(0, letter);
    let row: u32 = number.bytes().all(|digit| digit.is_ascii_digit()).then(|| number.parse().ok())??;
    Some((row.checked_sub(1)?, column.checked_sub(1)?))
}
