//! Reads `.ods` row by row. calamine would hold every sheet in memory, with all empty cells between distant ones.

use std::collections::HashMap;
use std::io::Write;

use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::Sheet;
use super::cells::{self, CellPosition, LONGEST_TEXT, Lines, MOST_COLUMNS, MOST_ROWS};
use super::error::WorkbookError;
use super::parts::{DEEPEST, Parts, attribute};
use super::source::{Source, catch_panic};

pub(super) const FORMAT: &str = ".ods";
const CONTENT: &str = "content.xml";
/// The longest row, in bytes of text. A row is held in memory because it may be repeated.
const LONGEST_ROW: usize = 64 << 20;
const MOST_SPACES: u32 = 32_767;

fn unreadable(detail: impl ToString) -> WorkbookError {
    WorkbookError::unreadable(FORMAT, detail)
}

/// An opened `.ods` workbook.
pub(super) struct Book {
    source: Source,
    parts: Parts,
}

impl Book {
    /// Opens the workbook and returns it with the names of its sheets.
    pub(super) fn open(source: &Source, parts: Parts) -> Result<(Self, Vec<String>), WorkbookError> {
        let mut book = Self { source: source.clone(), parts: parts.with_format(FORMAT) };
        let mut sheets = Vec::new();
        book.read(|event, depth| {
            if let (XmlItem::Start(start), SHEET_DEPTH) = (event, depth)
                && start.name().as_ref() == "table:table"
            {
                sheets.push(attribute(start, "table:name")?.unwrap_or_default());
            }
            Ok(())
        })?;
        Ok((book, sheets))
    }

    /// Writes the sheet called `name` as lines of CSV.
    pub(super) fn write_sheet(&mut self, name: &str, out: &mut impl Write) -> Result<Sheet, WorkbookError> {
        let mut sheet = SheetWriter::new(name, Lines::new(out));
        self.read(|event, depth| match event {
            XmlItem::Start(start) => sheet.start(start, depth),
            XmlItem::End(name) => sheet.end(name, depth),
            XmlItem::Text(text) => {
                sheet.text(text);
                Ok(())
            }
        })?;
        let (hidden, merged) = (Some(sheet.hidden), sheet.merged);
        Ok(Sheet { rows: sheet.lines.finish()?, hidden, merged })
    }

    /// Reads the part that holds all sheets, and calls `on_item` with each item and its depth.
    fn read(&mut self, mut on_item: impl FnMut(XmlItem<'_>, usize) -> Result<(), Fault>) -> Result<(), WorkbookError> {
        self.source.begin_step();
        let mut elements = self.parts.elements(CONTENT)?;
        elements.config_mut().check_end_names = true;
        let (mut buffer, mut depth) = (Vec::new(), 0);
        loop {
            buffer.clear();
            let event =
                catch_panic(|| elements.read_event_into(&mut buffer)).map_err(unreadable)?.map_err(unreadable)?;
            match event {
                Event::Start(start) => {
                    depth += 1;
                    if depth > DEEPEST {
                        return Err(unreadable("its elements are nested too deeply"));
                    }
                    on_item(XmlItem::Start(&start), depth)?;
                }
                Event::End(end) => {
                    on_item(XmlItem::End(end.name().as_ref()), depth)?;
                    depth = depth.saturating_sub(1);
                }
                Event::Text(text) => on_item(XmlItem::Text(&text.xml10_content()), depth)?,
                Event::CData(text) => on_item(XmlItem::Text(&text.xml10_content()), depth)?,
                Event::GeneralRef(reference) => on_item(XmlItem::Text(&resolved(&reference)?), depth)?,
                Event::Eof if depth == 0 => return Ok(()),
                Event::Eof => return Err(unreadable("it ends in the middle of its sheets")),
                _ => {}
            }
        }
    }
}

/// The depth of a sheet's element: inside the document, its body and its spreadsheet.
const SHEET_DEPTH: usize = 4;

fn resolved(reference: &BytesRef<'_>) -> Result<String, WorkbookError> {
    if let Some(text) = resolve_xml_entity(reference.as_ref()) {
        return Ok(text.to_owned());
    }
    let character = reference.resolve_char_ref().map_err(unreadable)?;
    character.map(String::from).ok_or_else(|| unreadable("it has an unknown entity"))
}

/// An item of the XML. The start and the end of an element have the same depth.
enum XmlItem<'a> {
    Start(&'a BytesStart<'a>),
    End(&'a str),
    Text(&'a str),
}

/// An error of either kind, so that `?` works for XML errors too.
struct Fault(WorkbookError);

impl From<quick_xml::Error> for Fault {
    fn from(error: quick_xml::Error) -> Self {
        Self(unreadable(error))
    }
}

impl From<WorkbookError> for Fault {
    fn from(error: WorkbookError) -> Self {
        Self(error)
    }
}

impl From<Fault> for WorkbookError {
    fn from(fault: Fault) -> Self {
        fault.0
    }
}

/// The state of writing one sheet while the workbook is read.
struct SheetWriter<'w, W: Write> {
    name: String,
    lines: Lines<'w, W>,
    /// Whether the reader is inside this sheet.
    inside: bool,
    next_row: u32,
    row: Option<Row>,
    cell: Option<Cell>,
    hidden: u64,
    merged: u64,
}

/// The current row. It is written at its end, as many times as it is repeated.
struct Row {
    repeated: u32,
    hidden: bool,
    next_column: u32,
    /// The non-empty cells: column, counted from 0, and text.
    filled: Vec<(u32, String)>,
    /// The length of all their texts.
    bytes: usize,
}

/// The current cell.
struct Cell {
    /// The depth of its element.
    depth: usize,
    repeated: u32,
    /// Its value type, such as `float`; empty if it has none.
    kind: String,
    formula: bool,
    /// The value in its attributes.
    stored: Option<String>,
    /// The text of its paragraphs.
    text: String,
    /// The number of paragraphs so far, and whether the last one is still open.
    paragraphs: u32,
    in_paragraph: bool,
    /// The depth of an element in it whose text is skipped, such as a comment or a picture.
    skipped: Option<usize>,
}

impl<'w, W: Write> SheetWriter<'w, W> {
    fn new(name: &str, lines: Lines<'w, W>) -> Self {
        let name = name.to_owned();
        Self { name, lines, inside: false, next_row: 0, row: None, cell: None, hidden: 0, merged: 0 }
    }

    fn start(&mut self, start: &BytesStart<'_>, depth: usize) -> Result<(), Fault> {
        let name = start.name();
        if let Some(cell) = &mut self.cell {
            return cell.start(start, depth);
        }
        match name.as_ref() {
            "table:table" if depth == SHEET_DEPTH => {
                self.inside = attribute(start, "table:name")?.unwrap_or_default() == self.name;
            }
            "table:table-row" if self.inside && self.row.is_none() => {
                let hidden = attribute(start, "table:visibility")?.is_some_and(|seen| seen != "visible");
                let repeated = count(start, "table:number-rows-repeated", MOST_ROWS)?;
                self.row = Some(Row { repeated, hidden, next_column: 0, filled: Vec::new(), bytes: 0 });
            }
            "table:table-cell" | "table:covered-table-cell" if self.row.is_some() => {
                let spanned = ["table:number-columns-spanned", "table:number-rows-spanned"];
                let mut merged = false;
                for name in spanned {
                    merged |= count(start, name, u32::MAX)? > 1;
                }
                self.merged += u64::from(merged);
                let at = (self.next_row, self.row.as_ref().map_or(0, |row| row.next_column));
                self.cell = Some(Cell::new(start, depth, at)?);
            }
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let Some(cell) = self.cell.as_mut().filter(|cell| cell.skipped.is_none() && cell.in_paragraph) {
            cell.text.push_str(text);
        }
    }

    fn end(&mut self, name: &str, depth: usize) -> Result<(), Fault> {
        if let Some(cell) = &mut self.cell {
            if cell.depth < depth {
                cell.skipped = cell.skipped.filter(|skipped| *skipped < depth);
                cell.in_paragraph &= depth > cell.depth + 1;
                return self.check_length();
            }
            return self.end_cell();
        }
        match name {
            "table:table" if depth == SHEET_DEPTH => self.inside = false,
            "table:table-row" if self.inside => self.end_row()?,
            _ => {}
        }
        Ok(())
    }

    fn check_length(&self) -> Result<(), Fault> {
        let (row, cell) =
            (self.row.as_ref().map_or(0, |row| row.bytes), self.cell.as_ref().map_or(0, |cell| cell.text.len()));
        if row + cell > LONGEST_ROW {
            return Err(unreadable(format!("row {} is longer than 64 MiB", u64::from(self.next_row) + 1)).into());
        }
        Ok(())
    }

    fn end_cell(&mut self) -> Result<(), Fault> {
        self.check_length()?;
        let (Some(cell), Some(row)) = (self.cell.take(), self.row.as_mut()) else { return Ok(()) };
        let first = row.next_column;
        row.next_column = first.saturating_add(cell.repeated);
        let text = cell.into_text((self.next_row, first));
        if text.is_empty() {
            return Ok(());
        }
        if row.next_column > MOST_COLUMNS {
            let row = u64::from(self.next_row) + 1;
            return Err(unreadable(format!("row {row} has more than {MOST_COLUMNS} columns")).into());
        }
        for column in first..row.next_column {
            row.bytes += text.len();
            row.filled.push((column, text.clone()));
            if row.bytes > LONGEST_ROW {
                return self.check_length();
            }
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Fault> {
        let Some(row) = self.row.take() else { return Ok(()) };
        let first = self.next_row;
        self.next_row = first.saturating_add(row.repeated);
        if row.filled.is_empty() {
            return Ok(());
        }
        if self.next_row > MOST_ROWS {
            return Err(unreadable(format!("it has more than {MOST_ROWS} rows")).into());
        }
        // A few bytes can stand for many rows, so the size is checked before anything is written.
        let last = row.filled.last().map_or(0, |(column, _)| u64::from(*column));
        if (row.bytes as u64 + last + 1) * u64::from(row.repeated) > LONGEST_TEXT {
            return Err(cells::too_long().into());
        }
        self.hidden += if row.hidden { u64::from(row.repeated) } else { 0 };
        for at in first..self.next_row {
            for (column, text) in &row.filled {
                self.lines.cell((at, *column), text)?;
            }
        }
        Ok(())
    }
}

impl Cell {
    fn new(start: &BytesStart<'_>, depth: usize, at: CellPosition) -> Result<Self, Fault> {
        let mut values = HashMap::new();
        for name in ["value-type", "value", "date-value", "time-value", "boolean-value", "string-value"] {
            if let Some(value) = attribute(start, &format!("office:{name}"))? {
                values.insert(name, value);
            }
        }
        let mut kind = values.remove("value-type").unwrap_or_default();
        if attribute(start, "calcext:value-type")?.as_deref() == Some("error") {
            "error".clone_into(&mut kind);
        }
        let stored = match kind.as_str() {
            "float" | "percentage" | "currency" => match values.remove("value").map(|value| value.parse::<f64>()) {
                Some(Ok(value)) => Some(cells::number(value, at)),
                _ => {
                    return Err(
                        unreadable(format!("cell {} should hold a number but does not", cells::address(at))).into()
                    );
                }
            },
            "date" => values.remove("date-value"),
            "time" => values.remove("time-value"),
            "boolean" => values.remove("boolean-value").map(|value| cells::truth(value == "true").to_owned()),
            "string" => values.remove("string-value"),
            _ => None,
        };
        Ok(Self {
            depth,
            repeated: count(start, "table:number-columns-repeated", MOST_COLUMNS)?,
            kind,
            formula: start.try_get_attribute("table:formula").map_err(quick_xml::Error::from)?.is_some(),
            stored,
            text: String::new(),
            paragraphs: 0,
            in_paragraph: false,
            skipped: None,
        })
    }

    /// Takes an element inside the cell: a part of its text, or one whose text is skipped.
    fn start(&mut self, start: &BytesStart<'_>, depth: usize) -> Result<(), Fault> {
        if self.skipped.is_some() {
            return Ok(());
        }
        match start.name().as_ref() {
            "text:p" if depth == self.depth + 1 => {
                if self.paragraphs > 0 {
                    self.text.push('\n');
                }
                self.paragraphs += 1;
                self.in_paragraph = true;
            }
            "text:s" => {
                let spaces = count(start, "text:c", MOST_SPACES)?;
                self.text.extend(std::iter::repeat_n(' ', spaces as usize));
            }
            "text:tab" => self.text.push('\t'),
            "text:line-break" => self.text.push('\n'),
            "text:span" | "text:a" => {}
            _ => self.skipped = Some(depth),
        }
        Ok(())
    }

    fn into_text(self, at: CellPosition) -> String {
        match self.stored {
            Some(stored) => stored,
            None if self.kind.is_empty() && self.formula => cells::uncomputed(at),
            None => self.text,
        }
    }
}

/// The value of a repeat attribute: 1 if it is missing, and never more than `most`.
fn count(start: &BytesStart<'_>, name: &str, most: u32) -> Result<u32, Fault> {
    let Some(text) = attribute(start, name)? else { return Ok(1) };
    let count = text.parse::<u32>().map_err(|_| unreadable(format!("`{text}` is not a number of cells")))?;
    Ok(count.clamp(1, most))
}
