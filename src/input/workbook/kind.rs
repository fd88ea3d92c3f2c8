//! Recognises workbooks by their content.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::super::raw::fill;
use super::compound::{COMPOUND, Compound};
use super::error::WorkbookError;
use super::parts::Parts;
use super::source::Source;

/// How a ZIP archive begins, and how an empty one does.
const ARCHIVES: [[u8; 4]; 2] = [*b"PK\x03\x04", *b"PK\x05\x06"];
/// The content types of an `.xlsx` or `.xlsm` workbook's main part.
const XLSX: [&str; 5] = [
    "spreadsheetml.sheet.main+xml",
    "spreadsheetml.template.main+xml",
    "ms-excel.sheet.macroenabled.main+xml",
    "ms-excel.template.macroenabled.main+xml",
    "ms-excel.addin.macroenabled.main+xml",
];
const XLSB: &str = "ms-excel.sheet.binary.macroenabled.main";
const ODS: &str = "application/vnd.oasis.opendocument.spreadsheet";

/// The kind of a file that is a workbook, or is packed in the same container as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::input) enum Kind {
    /// An Excel workbook `.xlsx` or `.xlsm`, a template or an add-in.
    Xlsx,
    /// An Excel binary workbook, `.xlsb`.
    Xlsb,
    /// An old Excel workbook, `.xls`.
    Xls,
    /// An OpenDocument spreadsheet, `.ods`.
    Ods,
    /// A password-protected workbook.
    Protected,
    /// A ZIP archive that is not a workbook or is damaged.
    Archive,
    /// A compound file that is not a workbook or is damaged: a `.doc`, say.
    Compound,
}

/// The kind of a file by its content. `None` if it does not begin as a workbook does, so that it may be text.
///
/// # Errors
/// The file can't be read.
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

/// The kind of a ZIP archive, by its parts.
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

/// The kind of a compound file, by its streams.
pub(super) fn of_streams(compound: &Compound) -> Kind {
    if compound.has("EncryptedPackage") {
        Kind::Protected
    } else if compound.has("Workbook") || compound.has("Book") {
        Kind::Xls
    } else {
        Kind::Compound
    }
}
