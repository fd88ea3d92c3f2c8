//! Why an input can't be used, and what to do about it.

use std::io;

/// How many characters of an unusable cell are shown.
const SHOWN: usize = 128;

/// Why the input can't be used.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file can't be read.
    #[error("can't read {input}: {source}")]
    Unreadable {
        /// The input's name.
        input: String,
        /// What the operating system, or the decompressor, says.
        source: io::Error,
    },
    /// The file is a folder.
    #[error("{input} is a folder: name a CSV file in it")]
    Folder {
        /// The input's name.
        input: String,
    },
    /// Nobody knows an encoding of that name.
    #[error(
        "there is no encoding {label:?}: use utf-8, utf-16le, utf-16be, gb18030 or another label of the WHATWG standard"
    )]
    UnknownEncoding {
        /// What was given.
        label: String,
    },
    /// The text is in neither of the encodings that are detected.
    #[error(
        "{input} is neither UTF-8 (byte {offset} is not) nor UTF-16 nor GB18030: name its encoding with --encoding"
    )]
    UndetectedEncoding {
        /// The input's name.
        input: String,
        /// The first byte that is not UTF-8.
        offset: u64,
    },
    /// The text is not in the encoding that was named.
    #[error("{input} is not {encoding}: line {line} can't be decoded; name another --encoding")]
    Undecodable {
        /// The input's name.
        input: String,
        /// The encoding.
        encoding: &'static str,
        /// The line.
        line: u64,
    },
    /// There is a NUL character.
    #[error(
        "{input} looks like a binary file (line {line} has a NUL character): a CSV text is expected; if it is UTF-16, say --encoding utf-16le"
    )]
    Binary {
        /// The input's name.
        input: String,
        /// The line.
        line: u64,
    },
    /// There is no ID column.
    #[error("{input} has no column of run order IDs; found: {headings}. Name one with --column")]
    NoIdColumn {
        /// The input's name.
        input: String,
        /// What the first row holds.
        headings: String,
    },
    /// More than one column could be meant.
    #[error("{input} has more than one column {name:?}; give the number of the right one with --column")]
    AmbiguousColumn {
        /// The input's name.
        input: String,
        /// The heading.
        name: String,
    },
    /// A quoted cell runs to the end of the file: it would swallow every row after it.
    #[error(
        "{input}: a quote that opens on line {line} is never closed, so the rows after it can't be told apart; close or remove it"
    )]
    UnclosedQuote {
        /// The input's name.
        input: String,
        /// The line on which the record begins.
        line: u64,
    },
    /// The file changed while it was being used.
    #[error("{input} changed while it was being read: run again")]
    Changed {
        /// The input's name.
        input: String,
    },
}

/// A cell's text, cut and without control characters.
pub(super) fn shown(cell: &str) -> String {
    let visible = |char: char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char };
    cell.trim().chars().take(SHOWN).map(visible).collect()
}
