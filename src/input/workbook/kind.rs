//! What a file is, by its bytes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::super::raw::fill;
use super::compound::{COMPOUND, Compound};
use super::error::WorkbookError;
use super::parts::Parts;
use super::source::Source;

/// How a ZIP archive begins, and one without anything in it.
const ARCHIVES: [[u8; 4]; 2] = [*b"PK\x03\x04", *b"PK\x05\x06"];
/// What the list of parts calls the main part of a workbook.
const XLSX: [&str; 5] = [
    "spreadsheetml.sheet.main+xml",
    "spreadsheetml.template.main+xml",
    "ms-excel.sheet.macroenabled.main+xml",
    "ms-excel.template.macroenabled.main+xml",
    "ms-excel.addin.macroenabled.main+xml",
];
const XLSB: &str = "ms-excel.sheet.binary.macroenabled.main";
const ODS: &str = "application/vnd.oasis.opendocument.spreadsheet";

/// What a file is that is a workbook, or is packed as workbooks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::input) enum Kind {
    /// `.xlsx` or `.xlsm`, or a template of one.
    Xlsx,
    /// `.xlsb`.
    Xlsb,
    /// `.xls`.
    Xls,
    /// `.ods`.
    Ods,
    /// A workbook that a password protects.
    Protected,
    /// A ZIP archive that is no workbook, or a damaged one.
    Archive,
    /// A file made of streams that is no workbook, or a damaged one: a `.doc`, say.
    Compound,
}

/// Tells what a file is by its bytes. `None`: nothing that begins as workbooks do, so it may be text.
///
/// # Errors
/// The system failed to deliver the bytes.
pub(in crate::input) fn kind_of(file: &mut File) -> io::Result<Option<Kind>> {
    let mut first = [0; 8];
    file.seek(SeekFrom::Start(0))?;
    let filled = fill(&mut file.by_ref(), &mut first)?;
    file.seek(SeekFrom::Start(0))?;
    let archive = ARCHIVES.iter().any(|magic| first.starts_with(magic));
    if filled < first.len() || !(archive || first == COMPOUND) {
        return Ok(None);
    }
    let unknown = if archive { Kind::Archive } else { Kind::Compound };
    let source = match Source::new(file.try_clone()?) {
        Ok(source) => source,
        Err(WorkbookError::Read(error)) => return Err(error),
        Err(_) => return Ok(Some(unknown)),
    };
    let kind = if archive { of_archive(&source) } else { of_compound(&source) };
    file.seek(SeekFrom::Start(0))?;
    Ok(Some(kind.unwrap_or(unknown)))
}

fn of_archive(source: &Source) -> Result<Kind, WorkbookError> {
    of_parts(&mut Parts::open(source, "ZIP")?)
}

/// What the parts of an archive make.
pub(super) fn of_parts(parts: &mut Parts) -> Result<Kind, WorkbookError> {
    if parts.small_text("mimetype")?.starts_with(ODS) {
        let encrypted = parts.small_text("META-INF/manifest.xml")?.contains("encryption-data");
        return Ok(if encrypted { Kind::Protected } else { Kind::Ods });
    }
    let types = parts.small_text("[Content_Types].xml")?;
    Ok(if types.contains(XLSB) {
        Kind::Xlsb
    } else if XLSX.iter().any(|main| types.contains(main)) {
        Kind::Xlsx
    } else {
        Kind::Archive
    })
}

fn of_compound(source: &Source) -> Result<Kind, WorkbookError> {
    Ok(of_streams(&Compound::open(source)?))
}

/// What the streams of a file make.
pub(super) fn of_streams(compound: &Compound) -> Kind {
    if compound.has("EncryptedPackage") {
        Kind::Protected
    } else if compound.has("Workbook") || compound.has("Book") {
        Kind::Xls
    } else {
        Kind::Compound
    }
}
