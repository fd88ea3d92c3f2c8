//! Finds the physical line of each record, and quotes that would swallow rows.
//!
//! The CSV parser reports a record's position before the blank lines that it skips, does not count a lone CR, and reads
//! an unclosed quote as a cell that runs to the end of the file. So this reader watches the text on its way to the
//! parser and applies the parser's own rules for where cells and records begin and end.

use std::collections::VecDeque;
use std::io::{self, Read};

use super::error::{Fault, LONGEST_RECORD};

/// The parser state at the next byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    RecordStart,
    CellStart,
    Plain,
    Quoted,
    AfterQuote,
    /// Blanks between a closing quote and the end of the cell.
    AfterQuoteBlank,
}

/// A reader that passes the text on unchanged and records the line on which each record begins.
pub(super) struct Framing<R> {
    inner: R,
    delimiter: u8,
    place: Place,
    /// The line of the next byte, counted from 1.
    line: u64,
    after_cr: bool,
    record_line: u64,
    record_bytes: usize,
    quote_line: u64,
    /// The lines of records that have begun but were not taken yet: at most as many as the parser reads ahead.
    begun: VecDeque<u64>,
}

impl<R> Framing<R> {
    pub(super) fn new(inner: R, delimiter: u8) -> Self {
        Self {
            inner,
            delimiter,
            place: Place::RecordStart,
            line: 1,
            after_cr: false,
            record_line: 1,
            record_bytes: 0,
            quote_line: 1,
            begun: VecDeque::new(),
        }
    }

    /// Takes the line of the next record, in the order in which the parser yields them.
    pub(super) fn next_record_line(&mut self) -> Option<u64> {
        self.begun.pop_front()
    }

    /// Whether the text so far ends within a line.
    pub(super) fn is_within_a_line(&self) -> bool {
        self.place != Place::RecordStart
    }

    pub(super) fn into_inner(self) -> R {
        self.inner
    }

    fn watch(&mut self, byte: u8) -> Result<(), Fault> {
        let is_break = matches!(byte, b'\n' | b'\r');
        if self.place == Place::RecordStart && !is_break {
            self.begun.push_back(self.line);
            self.record_line = self.line;
            self.record_bytes = 0;
        }
        self.record_bytes += 1;
        if self.record_bytes > LONGEST_RECORD && self.place != Place::RecordStart {
            return Err(Fault::LongRecord { line: self.record_line });
        }
        self.place = match (self.place, byte) {
            (Place::Quoted, b'"') => Place::AfterQuote,
            (Place::Quoted, _) => Place::Quoted,
            (Place::AfterQuote, b'"') => Place::Quoted,
            (Place::RecordStart | Place::CellStart, b'"') => {
                self.quote_line = self.line;
                Place::Quoted
            }
            (_, byte) if byte == self.delimiter => Place::CellStart,
            _ if is_break => Place::RecordStart,
            (Place::AfterQuote | Place::AfterQuoteBlank, b' ' | b'\t') => Place::AfterQuoteBlank,
            // `"a"b` on one line loses nothing. If it spans several lines, a quote was left open on the first one.
            (Place::AfterQuote | Place::AfterQuoteBlank, _) if self.quote_line < self.line => {
                return Err(Fault::RunawayQuote { line: self.quote_line, end: self.line });
            }
            _ => Place::Plain,
        };
        // LF, CR LF and a lone CR each end a line.
        if byte == b'\r' || (byte == b'\n' && !self.after_cr) {
            self.line += 1;
        }
        self.after_cr = byte == b'\r';
        Ok(())
    }

    fn located(&self, error: io::Error) -> io::Error {
        match error.downcast::<Fault>() {
            Ok(Fault::Malformed { encoding, .. }) => Fault::Malformed { encoding, line: self.line }.into(),
            Ok(Fault::Binary { .. }) => Fault::Binary { line: self.line }.into(),
            Ok(fault) => fault.into(),
            Err(error) => error,
        }
    }
}

impl<R: Read> Read for Framing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer).map_err(|error| self.located(error))?;
        for &byte in &buffer[..read] {
            self.watch(byte)?;
        }
        if read == 0 && self.place == Place::Quoted {
            return Err(Fault::OpenQuote { line: self.quote_line }.into());
        }
        Ok(read)
    }
}
