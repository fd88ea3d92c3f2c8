//! Which sheet of a workbook holds the IDs.

use std::fs::File;
use std::io::BufWriter;

use encoding_rs::UTF_8;

use super::error::InputError;
use super::excerpt::excerpt;
use super::heading::Wanted;
use super::raw::Origin;
use super::rows::{self, Format, Survey};
use super::workbook::{Kind, Workbook, kind_of};

/// A sheet that was read through.
pub(super) struct Surveyed {
    pub(super) origin: Origin,
    pub(super) format: Format,
    pub(super) survey: Survey,
}

/// Whether the input is a workbook, or is said to be one.
pub(super) fn is_workbook(origin: &Origin) -> Result<bool, InputError> {
    let kind = origin.file().and_then(|mut file| kind_of(&mut file));
    let kind = kind.map_err(|source| InputError::Read { place: origin.place().to_owned(), source })?;
    Ok(matches!(kind, Some(Kind::Xlsx | Kind::Xlsb | Kind::Xls | Kind::Ods | Kind::Protected)))
}

/// Reads through the sheet that is named or, of all, the one that holds IDs.
pub(super) fn survey(origin: &Origin, wanted: &Wanted) -> Result<Surveyed, InputError> {
    let place = || origin.place().to_owned();
    let file = origin.file().map_err(|source| InputError::Read { place: place(), source })?;
    let mut book = Workbook::open(file).map_err(|source| InputError::Workbook { place: place(), source })?;
    if let Some(name) = &wanted.sheet {
        return read(origin, &mut book, name, wanted);
    }
    let names = book.sheets().to_vec();
    let mut surveyed: Vec<Result<Surveyed, InputError>> =
        names.iter().map(|name| read(origin, &mut book, name, wanted)).collect();
    let with_ids = |read: &Result<Surveyed, InputError>| read.as_ref().is_ok_and(|read| read.format.has_ids());
    let found: Vec<usize> = (0..names.len()).filter(|at| with_ids(&surveyed[*at])).collect();
    match found.as_slice() {
        [only] => surveyed.swap_remove(*only),
        [] if names.len() == 1 => surveyed.swap_remove(0),
        found => {
            let of = |at: &usize| format!("`{}`", excerpt(&names[*at], 64));
            let all: Vec<usize> = (0..names.len()).collect();
            let shown = if found.is_empty() { all.as_slice() } else { found };
            let sheets = shown.iter().take(20).map(of).collect::<Vec<_>>().join(", ");
            Err(InputError::WhichSheet { place: place(), found: found.len(), sheets })
        }
    }
}

fn read(origin: &Origin, book: &mut Workbook, name: &str, wanted: &Wanted) -> Result<Surveyed, InputError> {
    let place = origin.place().to_owned();
    let text = tempfile::tempfile().map_err(|source| InputError::Spool { place: place.clone(), source })?;
    let sheet = write(book, name, &text).map_err(|source| InputError::Workbook { place: place.clone(), source })?;
    let origin = origin.with_text(text, format!("{place}, sheet `{}`", excerpt(name, 64)));
    let (mut format, mut survey) = rows::survey(&origin, UTF_8, Some(b','), wanted)?;
    format.sheet = Some(name.to_owned());
    survey.layout.sheet = Some(excerpt(name, 64));
    survey.layout.hidden_rows = sheet.hidden.filter(|hidden| *hidden > 0);
    Ok(Surveyed { origin, format, survey })
}

fn write(
    book: &mut Workbook,
    name: &str,
    text: &File,
) -> Result<super::workbook::Sheet, super::workbook::WorkbookError> {
    book.write_sheet(name, &mut BufWriter::new(text))
}
