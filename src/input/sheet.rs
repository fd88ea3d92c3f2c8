//! Chooses the sheet of a workbook that holds the IDs.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Seek as _, SeekFrom};

use encoding_rs::UTF_8;

use super::error::InputError;
use super::excerpt::excerpt;
use super::heading::{self, LayoutOptions};
use super::raw::Origin;
use super::rows::{self, Format, Survey};
use super::workbook::{Kind, Workbook, kind_of};

/// A sheet after its first reading.
pub(super) struct SheetSurvey {
    pub(super) origin: Origin,
    pub(super) format: Format,
    pub(super) survey: Survey,
}

/// Whether the input is a workbook by its content, even one that is refused later (`.xlsb`, password-protected).
pub(super) fn is_workbook(origin: &Origin) -> Result<bool, InputError> {
    let kind = origin.file().and_then(|mut file| kind_of(&mut file));
    let kind = kind.map_err(|source| InputError::Read { place: origin.place().to_owned(), source })?;
    Ok(matches!(kind, Some(Kind::Xlsx | Kind::Xlsb | Kind::Xls | Kind::Ods | Kind::Protected)))
}

/// Reads the sheet that `--sheet` names or, without it, every sheet, and returns the only one that holds IDs.
pub(super) fn survey(origin: &Origin, options: &LayoutOptions) -> Result<SheetSurvey, InputError> {
    let place = || origin.place().to_owned();
    let file = origin.file().map_err(|source| InputError::Read { place: place(), source })?;
    let mut book = Workbook::open(file).map_err(|source| InputError::Workbook { place: place(), source })?;
    if let Some(name) = &options.sheet {
        let text = write(origin, &mut book, name)?;
        return read(origin, name, text, options);
    }
    let names = book.sheets().to_vec();
    let mut sheets = Vec::with_capacity(names.len());
    for name in &names {
        let text = write(origin, &mut book, name)?;
        // A sheet that can't be read without more options may still hold orders.
        let has_orders = mentions_order(&text.file).map_err(|source| InputError::Read { place: place(), source })?;
        let survey = read(origin, name, text, options);
        let has_ids = has_orders || survey.as_ref().is_ok_and(|survey| survey.format.has_ids());
        sheets.push((has_ids, survey));
    }
    let found: Vec<usize> = (0..names.len()).filter(|at| sheets[*at].0).collect();
    match found.as_slice() {
        [only] => sheets.swap_remove(*only).1,
        [] if names.len() == 1 => sheets.swap_remove(0).1,
        found => {
            let of = |at: &usize| format!("`{}`", excerpt(&names[*at], 64));
            let all: Vec<usize> = (0..names.len()).collect();
            let shown = if found.is_empty() { all.as_slice() } else { found };
            let sheets = shown.iter().take(20).map(of).collect::<Vec<_>>().join(", ");
            Err(InputError::WhichSheet { place: place(), found: found.len(), sheets })
        }
    }
}

/// A sheet written as CSV to a temporary file.
struct SheetText {
    file: File,
    /// The number of hidden rows, if known.
    hidden: Option<u64>,
}

fn write(origin: &Origin, book: &mut Workbook, name: &str) -> Result<SheetText, InputError> {
    let place = || origin.place().to_owned();
    let file = tempfile::tempfile().map_err(|source| InputError::Spool { place: place(), source })?;
    let sheet = book.write_sheet(name, &mut BufWriter::new(&file));
    let sheet = sheet.map_err(|source| InputError::Workbook { place: place(), source })?;
    Ok(SheetText { file, hidden: sheet.hidden })
}

/// Whether the text contains the prefix of the provider's IDs.
fn mentions_order(mut text: &File) -> io::Result<bool> {
    text.seek(SeekFrom::Start(0))?;
    for line in BufReader::new(text).split(b'\n') {
        if heading::mentions_order(&String::from_utf8_lossy(&line?)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn read(origin: &Origin, name: &str, text: SheetText, options: &LayoutOptions) -> Result<SheetSurvey, InputError> {
    let origin = origin.with_text(text.file, format!("{}, sheet `{}`", origin.place(), excerpt(name, 64)));
    let (mut format, mut survey) = rows::survey(&origin, UTF_8, Some(b','), options)?;
    format.sheet = Some(name.to_owned());
    survey.layout.sheet = Some(excerpt(name, 64));
    survey.layout.hidden_rows = text.hidden.filter(|hidden| *hidden > 0);
    Ok(SheetSurvey { origin, format, survey })
}
