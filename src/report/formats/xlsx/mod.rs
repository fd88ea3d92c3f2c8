//! `report.xlsx`: the report for people who work in spreadsheets. It holds the tables and `summary.json`, and
//! decides nothing. The same report gives the same bytes: neither the clock nor a random name enters the
//! file.

mod cells;
mod failed_writes;
mod sheet;
mod summary;

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use jiff::Timestamp;
use rust_xlsxwriter::{DocProperties, IntoCustomDateTime, Workbook, Worksheet, XlsxError};

use self::cells::Styles;
use self::failed_writes::DeferringWriter;
use self::sheet::Sheets;
use super::design;
use crate::language::{Language, Texts};
use crate::report::ReportError;
use crate::report::content::Content;
use crate::report::content::summary_json::SummaryJson;
use crate::report::content::table::Source;

/// The table of resolved discrepancies, which has a sheet only if it has rows.
const RESOLVED: &str = "resolved";
/// The most rows that a sheet holds, without its heading.
pub const MOST_ROWS: u32 = 1_048_575;

/// The code that draws the workbook, as part of its [`design()`].
const CODE: [&str; 9] = [
    include_str!("mod.rs"),
    include_str!("cells.rs"),
    include_str!("failed_writes.rs"),
    include_str!("sheet.rs"),
    include_str!("summary.rs"),
    include_str!("../design.rs"),
    include_str!("../../content/largest.rs"),
    include_str!("../../../domain/visible.rs"),
    include_str!("../../content/wording.rs"),
];
const TEXTS: [&str; 6] = [
    include_str!("../../../../locales/en/report.ftl"),
    include_str!("../../../../locales/zh-CN/report.ftl"),
    include_str!("../../../../locales/en/xlsx.ftl"),
    include_str!("../../../../locales/zh-CN/xlsx.ftl"),
    include_str!("../../../../locales/en/words.ftl"),
    include_str!("../../../../locales/zh-CN/words.ftl"),
];
/// The packages whose versions decide how the same cells become bytes, as the lock file names them.
const PACKERS: [&str; 5] = ["rust_xlsxwriter", "zip", "flate2", "miniz_oxide", "zlib-rs"];
const LOCK_FILE: &str = include_str!("../../../../Cargo.lock");

/// The content of the workbook: the summary, and every table on sheets of its own.
struct Book<'a, 't> {
    summary: &'a SummaryJson,
    /// The time at which ages are measured. The workbook's properties name it as the time of creation.
    as_of: Timestamp,
    /// The tables in the order of their sheets. Each is read twice: first to measure its columns and find
    /// amounts that need an exact text, then for its cells.
    tables: &'a [Source<'t>],
}

/// Writes the workbook to `path`, with at most one row of a table in memory at a time.
///
/// # Errors
/// If the file can't be written.
pub fn write(content: &Content<'_>, language: Language, path: &Path) -> Result<(), ReportError> {
    let book = Book { summary: &content.summary, as_of: content.as_of, tables: &content.tables() };
    write_split(&book, language, MOST_ROWS, path)
}

/// Writes the workbook with at most `most` rows per sheet, not counting the heading.
fn write_split(book: &Book<'_, '_>, language: Language, most: u32, path: &Path) -> Result<(), ReportError> {
    let written = failed_writes::catch_failed_writes(|| {
        let mut out = DeferringWriter::new(BufWriter::new(File::create(path)?));
        workbook(book, Texts::new(language), most, path.parent())?.save_to_writer(&mut out)?;
        Ok(out.finish()?)
    });
    written.map_err(|source| match source {
        XlsxError::IoError(source) => ReportError::io(path, source),
        source => ReportError::Xlsx { path: path.to_owned(), source },
    })
}

fn workbook(book: &Book<'_, '_>, texts: Texts, most: u32, beside: Option<&Path>) -> Result<Workbook, XlsxError> {
    let mut workbook = Workbook::new();
    if let Some(folder) = beside.filter(|folder| folder.is_dir()) {
        // Unpacked sheets may take as much room as the report, so they go to the report's disk.
        workbook.set_tempdir(folder)?;
    }
    workbook.set_properties(&properties(book, texts));
    let styles = Styles::new();
    let mut front = Worksheet::new();
    front.set_name(texts.get("xlsx-sheet-summary"))?;
    let mut sheets = Sheets { workbook: &mut workbook, styles: &styles, texts, most, finished: Vec::new() };
    // Resolved discrepancies have a sheet only if there are any.
    let has_sheet = |source: &&Source<'_>| {
        let mut table = source();
        table.name != RESOLVED || table.rows.next().is_some()
    };
    let tables = book.tables.iter().filter(has_sheet);
    let written = tables.map(|source| sheets.write(source)).collect::<Result<Vec<_>, _>>()?;
    let finished = sheets.finished;
    summary::write(&mut front, book, &written, &styles, texts)?;
    workbook.push_worksheet(front);
    finished.into_iter().for_each(|sheet| workbook.push_worksheet(sheet));
    Ok(workbook)
}

fn properties(book: &Book<'_, '_>, texts: Texts) -> DocProperties {
    let properties = DocProperties::new()
        .set_title(texts.get("xlsx-title"))
        .set_subject(texts.get("xlsx-subject"))
        .set_author("tieout")
        .set_creation_datetime(Moment(book.as_of));
    match &book.summary.account {
        Some(account) => properties.set_company(cells::printable(account)),
        None => properties,
    }
}

/// A time as workbook properties write it, to the second.
struct Moment(Timestamp);

impl IntoCustomDateTime for Moment {
    fn utc_datetime(self) -> String {
        self.0.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}

/// The SHA-256, in hex, of the code, texts and packages that draw the workbook. Where it differs, another
/// version of the program may draw different bytes from the same figures.
#[must_use]
pub fn design() -> String {
    design::hash_of(CODE.into_iter().chain(TEXTS).chain(packers()))
}

/// The lock file's entries for [`PACKERS`], with version and checksum.
fn packers() -> impl Iterator<Item = &'static str> {
    LOCK_FILE.split("\n[[package]]\n").filter(|package| {
        PACKERS
            .iter()
            .any(|name| package.strip_prefix("name = \"").is_some_and(|rest| rest.starts_with(&format!("{name}\""))))
    })
}

#[cfg(test)]
mod tests;
