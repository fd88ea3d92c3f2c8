//! Which sheet of a workbook holds the IDs.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Seek as _, SeekFrom};

use encoding_rs::UTF_8;

use super::error::InputError;
use super::excerpt::excerpt;
use super::heading::{self, Wanted};
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
        let text = write(origin, &mut book, name)?;
        return read(origin, name, text, wanted);
    }
    let names = book.sheets().to_vec();
    let mut sheets = Vec::with_capacity(names.len());
    for name in &names {
        let text = write(origin, &mut book, name)?;
        // What tieout would ask about has its orders, too.
        let has_orders = mentions_order(&text.file).map_err(|source| InputError::Read { place: place(), source })?;
        let surveyed = read(origin, name, text, wanted);
        let has_ids = has_orders || surveyed.as_ref().is_ok_and(|surveyed| surveyed.format.has_ids());
        sheets.push((has_ids, surveyed));
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

/// A sheet as text.
struct Text {
    file: File,
    hidden: Option<u64>,
}

fn write(origin: &Origin, book: &mut Workbook, name: &str) -> Result<Text, InputError> {
    let place = || origin.place().to_owned();
    let file = tempfile::tempfile().map_err(|source| InputError::Spool { place: place(), source })?;
    let sheet = book.write_sheet(name, &mut BufWriter::new(&file));
    let sheet = sheet.map_err(|source| InputError::Workbook { place: place(), source })?;
    Ok(Text { file, hidden: sheet.hidden })
}

/// Whether the text has the beginning of an ID of the provider in it.
fn mentions_order(mut text: &File) -> io::Result<bool> {
    text.seek(SeekFrom::Start(0))?;
    for line in BufReader::new(text).split(b'\n') {
        if heading::mentions_order(&String::from_utf8_lossy(&line?)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn read(origin: &Origin, name: &str, text: Text, wanted: &Wanted) -> Result<Surveyed, InputError> {
    let origin = origin.with_text(text.file, format!("{}, sheet `{}`", origin.place(), excerpt(name, 64)));
    let (mut format, mut survey) = rows::survey(&origin, UTF_8, Some(b','), wanted)?;
    format.sheet = Some(name.to_owned());
    survey.layout.sheet = Some(excerpt(name, 64));
    survey.layout.hidden_rows = text.hidden.filter(|hidden| *hidden > 0);
    Ok(Surveyed { origin, format, survey })
}
