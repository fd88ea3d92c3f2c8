//! Reads `.xls` in two passes. The first walks the records for what calamine does not report (hidden rows, merged
//! cells), for sizes that calamine would trust and allocate, and for the number of cells. The second one is calamine's.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Write};

use calamine::{Data, Reader as _, SheetType, Xls};

use super::Sheet;
use super::cells::{self, Lines};
use super::compound::{Compound, u16_at, u32_at};
use super::error::WorkbookError;
use super::source::{Source, Window, catch_panic};

pub(super) const FORMAT: &str = ".xls";
/// The most cells of all sheets together, including empty ones in between: calamine holds them all in memory.
const MOST_CELLS: u64 = 8 << 20;
/// The most characters of all cells that share texts: calamine holds a copy for each cell.
const MOST_CHARACTERS: u64 = 256 << 20;
/// The most rows and columns of a sheet in this format.
const MOST_ROWS: u32 = 65_536;
const MOST_COLUMNS: u32 = 256;

// Record numbers of [MS-XLS].
const FORMULA: u16 = 0x0006;
const END: u16 = 0x000a;
const PASSWORD: u16 = 0x002f;
const SHEET: u16 = 0x0085;
const NUMBERS: u16 = 0x00bd;
const RICH_TEXT: u16 = 0x00d6;
const MERGED: u16 = 0x00e5;
const TEXTS: u16 = 0x00fc;
const SHARED_TEXT: u16 = 0x00fd;
const CONTINUED: u16 = 0x003c;
const DIMENSIONS: u16 = 0x0200;
const NUMBER: u16 = 0x0203;
const TEXT: u16 = 0x0204;
const TRUTH_OR_ERROR: u16 = 0x0205;
const FORMULA_TEXT: u16 = 0x0207;
const ROW: u16 = 0x0208;
const SHORT_NUMBER: u16 = 0x027e;
const BEGIN: u16 = 0x0809;

fn unreadable(detail: impl ToString) -> WorkbookError {
    WorkbookError::unreadable(FORMAT, detail)
}

/// An opened `.xls` workbook.
pub(super) struct Book {
    calamine: Xls<BufReader<Window>>,
    /// What the first pass found, by sheet name.
    walks: BTreeMap<String, Walk>,
}

impl Book {
    /// Reads the workbook and returns it with the names of its worksheets.
    pub(super) fn open(source: &Source, mut compound: Compound) -> Result<(Self, Vec<String>), WorkbookError> {
        let stream = match compound.stream("Workbook")? {
            Some(stream) => stream,
            None => {
                compound.stream("Book")?.ok_or_else(|| unreadable("the stream that holds its sheets is missing"))?
            }
        };
        drop(compound);
        let walks = walk(&stream)?;
        drop(stream);
        source.begin_step();
        let calamine = match catch_panic(|| Xls::new(source.reader())).map_err(unreadable)? {
            Err(calamine::XlsError::Password) => return Err(WorkbookError::Protected),
            read => read.map_err(unreadable)?,
        };
        let sheets = calamine.sheets_metadata();
        if sheets.len() != walks.len() {
            return Err(unreadable("its list of sheets is damaged"));
        }
        let walks = sheets.iter().map(|sheet| sheet.name.clone()).zip(walks).collect();
        let sheets = sheets.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
        let sheets = sheets.map(|sheet| sheet.name.clone()).collect();
        Ok((Self { calamine, walks }, sheets))
    }

    /// Writes the sheet called `name` as lines of CSV.
    pub(super) fn write_sheet(&mut self, name: &str, out: &mut impl Write) -> Result<Sheet, WorkbookError> {
        let walk = self.walks.get(name).ok_or_else(|| unreadable(format!("sheet `{name}` has no records")))?;
        let range = catch_panic(|| self.calamine.worksheet_range(name)).map_err(unreadable)?.map_err(unreadable)?;
        let (row, column) = range.start().unwrap_or_default();
        let (mut lines, mut found) = (Lines::new(out), 0);
        for (below, after, value) in range.used_cells() {
            let at = (row + below as u32, column + after as u32);
            found += u64::from(!matches!(value, Data::Empty));
            lines.cell(at, &cells::held_text(value, at))?;
        }
        // calamine silently skips records that it can't interpret.
        if found != walk.cells {
            let cells = walk.cells;
            return Err(unreadable(format!("only {found} of the {cells} cells of sheet `{name}` can be read")));
        }
        Ok(Sheet { rows: lines.finish()?, hidden: Some(walk.hidden), merged: walk.merged })
    }
}

/// What the first pass found in one sheet.
struct Walk {
    /// The number of stored cells.
    cells: u64,
    /// The number of hidden rows that have cells.
    hidden: u64,
    /// The number of merged ranges.
    merged: u64,
    /// The number of cells in the smallest rectangle around the stored cells.
    area: u64,
    /// The number of characters in the shared texts of its cells, counted once per cell.
    characters: u64,
}

/// Walks the records of all sheets, in the order in which the workbook lists the sheets.
fn walk(stream: &[u8]) -> Result<Vec<Walk>, WorkbookError> {
    let (mut begins, mut texts, mut shared) = (Vec::new(), Vec::new(), false);
    let mut records = Records(stream);
    while let Some((kind, record)) = records.next()? {
        match kind {
            PASSWORD if u16_at(record, 0) != 0 => return Err(WorkbookError::Protected),
            SHEET => begins.push(u32_at(record, 0) as usize),
            END => break,
            TEXTS => texts = vec![record],
            CONTINUED if shared => texts.push(record),
            _ => {}
        }
        shared = kind == TEXTS || shared && kind == CONTINUED;
    }
    let lengths = lengths(&texts);
    if begins.iter().collect::<BTreeSet<_>>().len() != begins.len() {
        return Err(unreadable("two sheets begin at the same place"));
    }
    let mut walks = Vec::new();
    for begin in begins {
        let records = stream.get(begin..).ok_or_else(|| unreadable("a sheet begins after the end of the data"))?;
        walks.push(walk_sheet(Records(records), &lengths)?);
        let area: u64 = walks.iter().map(|walk: &Walk| walk.area).sum();
        if area > MOST_CELLS {
            let what = "the sheets of the .xls workbook span more than 8 million cells, empty ones included";
            return Err(WorkbookError::too_large(what));
        }
        if walks.iter().map(|walk| walk.characters).sum::<u64>() > MOST_CHARACTERS {
            return Err(WorkbookError::too_large(
                "the cells of the .xls workbook hold more than 256 million characters",
            ));
        }
    }
    Ok(walks)
}

/// The number of characters in each shared text. It ends early if the records are damaged.
fn lengths(pieces: &[&[u8]]) -> Vec<u16> {
    let (mut lengths, mut pieces) = (Vec::new(), pieces.iter().copied());
    // The first 8 bytes hold the counts of texts.
    let mut rest = pieces.next().and_then(|piece| piece.get(8..)).unwrap_or_default();
    loop {
        if rest.is_empty() {
            rest = pieces.next().unwrap_or_default();
        }
        let [_, _, flags, ..] = *rest else { return lengths };
        let length = u16_at(rest, 0);
        lengths.push(length);
        // Formatting runs and phonetic data may follow the text.
        let (fonts, phonetic) = (flags & 8 != 0, flags & 4 != 0);
        let mut after = if fonts { 4 * usize::from(u16_at(rest, 3)) } else { 0 };
        after += if phonetic { u32_at(rest, if fonts { 5 } else { 3 }) as usize } else { 0 };
        rest = rest.get(3 + if fonts { 2 } else { 0 } + if phonetic { 4 } else { 0 }..).unwrap_or_default();
        let (mut left, mut wide) = (usize::from(length), flags & 1 != 0);
        loop {
            let taken = left.min(rest.len() / if wide { 2 } else { 1 });
            (left, rest) = (left - taken, &rest[taken * if wide { 2 } else { 1 }..]);
            if left == 0 {
                break;
            }
            // Each continuation begins with a flag that says how wide its characters are.
            let Some([flags, more @ ..]) = pieces.next() else { return lengths };
            (wide, rest) = (flags & 1 != 0, more);
        }
        while after > rest.len() {
            after -= rest.len();
            let Some(piece) = pieces.next() else { return lengths };
            rest = piece;
        }
        rest = &rest[after..];
    }
}

fn walk_sheet(mut records: Records<'_>, lengths: &[u16]) -> Result<Walk, WorkbookError> {
    let (mut cells, mut hidden_rows, mut merged) = (BTreeSet::new(), BTreeSet::new(), 0);
    // A chart is embedded in a sheet, at a greater depth, and has cells of its own, which are skipped.
    let (mut depth, mut text_ahead, mut characters) = (0_u32, false, 0);
    while let Some((kind, record)) = records.next()? {
        let (row, column) = (u16_at(record, 0), u16_at(record, 2));
        let mut columns = column..=column;
        match kind {
            BEGIN => depth += 1,
            END if depth <= 1 => break,
            END => depth -= 1,
            _ if depth > 1 => {}
            DIMENSIONS => check_dimensions(record)?,
            MERGED => merged += u64::from(row),
            ROW if u16_at(record, 12) & 0x20 != 0 => drop(hidden_rows.insert(row)),
            // The text result of the formula before it.
            FORMULA_TEXT if text_ahead => text_ahead = false,
            FORMULA_TEXT => return Err(unreadable("it has a text that belongs to no cell")),
            NUMBER | TEXT | RICH_TEXT | TRUTH_OR_ERROR | SHORT_NUMBER | SHARED_TEXT | FORMULA | NUMBERS => {
                text_ahead = kind == FORMULA && record.get(6) == Some(&0) && record.get(12..14) == Some(&[0xff, 0xff]);
                if kind == NUMBERS {
                    columns = column..=u16_at(record, record.len().saturating_sub(2));
                }
                if kind == SHARED_TEXT {
                    characters += lengths.get(u32_at(record, 6) as usize).map_or(0, |length| u64::from(*length));
                }
                if u32::from(*columns.end()) >= MOST_COLUMNS {
                    return Err(unreadable("it has a cell to the right of the last column"));
                }
                for column in columns {
                    if !cells.insert((row, column)) {
                        let at = cells::address((row.into(), column.into()));
                        return Err(unreadable(format!("cell {at} is stored twice")));
                    }
                }
            }
            _ => {}
        }
    }
    let rows: BTreeSet<u16> = cells.iter().map(|(row, _)| *row).collect();
    let span =
        |least: Option<u16>, most: Option<u16>| least.zip(most).map_or(0, |(least, most)| u64::from(most - least) + 1);
    let (left, right) = (cells.iter().map(|cell| cell.1).min(), cells.iter().map(|cell| cell.1).max());
    Ok(Walk {
        cells: cells.len() as u64,
        hidden: hidden_rows.intersection(&rows).count() as u64,
        merged,
        characters,
        area: span(rows.first().copied(), rows.last().copied()) * span(left, right),
    })
}

/// Checks the size that a record claims for the sheet, because calamine allocates memory for it.
fn check_dimensions(record: &[u8]) -> Result<(), WorkbookError> {
    let at = |at| u32::from(u16_at(record, at));
    let (top, bottom, left, right) = match record.len() {
        10 => (at(0), at(2), at(4), at(6)),
        _ => (u32_at(record, 0), u32_at(record, 4), at(8), at(10)),
    };
    let left = if left >= MOST_COLUMNS || right < left { 0 } else { left };
    let none = bottom == 0 || right == 0;
    if none || (top..=MOST_ROWS).contains(&bottom) && (left..=MOST_COLUMNS).contains(&right) {
        return Ok(());
    }
    Err(unreadable("it claims a sheet that is larger than the format allows"))
}

/// Iterates over the records of a stream.
struct Records<'a>(&'a [u8]);

impl<'a> Records<'a> {
    fn next(&mut self) -> Result<Option<(u16, &'a [u8])>, WorkbookError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let (kind, length) = (u16_at(self.0, 0), usize::from(u16_at(self.0, 2)));
        let record = self.0.get(4..4 + length).ok_or_else(|| unreadable("a record in it is truncated"))?;
        self.0 = &self.0[4 + length..];
        Ok(Some((kind, record)))
    }
}
