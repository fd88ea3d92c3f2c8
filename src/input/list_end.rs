//! The last line of a list that `tieout discover` wrote: whether the list is whole.

use csv::ByteRecord;

use crate::domain::listed::{LIST_COLUMNS, LIST_END, ListShortfall};

/// Whether the record is the heading of such a list, as it may come out of a spreadsheet: with other columns to the right of its own.
pub(super) fn is_heading(record: &ByteRecord) -> bool {
    let is = |name: &str, cell: &[u8]| String::from_utf8_lossy(cell).trim().eq_ignore_ascii_case(name);
    record.len() >= LIST_COLUMNS.len() && LIST_COLUMNS.iter().zip(record).all(|(name, cell)| is(name, cell))
}

/// Whether the record ends such a list. It is no row and no heading, wherever it stands.
pub(super) fn is_end(record: &ByteRecord) -> bool {
    record.get(0).is_some_and(|cell| cell.trim_ascii() == LIST_END.as_bytes())
}

/// The lists of an input, as they are read: mostly none, or one.
#[derive(Debug)]
pub(super) struct Lists {
    /// Whether the input is a list, and must have its end.
    must_end: bool,
    has_ended: bool,
    /// Rows since the last end.
    rows: u64,
    shortfall: Option<ListShortfall>,
}

impl Lists {
    pub(super) fn new() -> Self {
        Self { must_end: false, has_ended: false, rows: 0, shortfall: None }
    }

    /// The input has the heading of a list.
    pub(super) fn require_end(&mut self) {
        self.must_end = true;
    }

    pub(super) fn row(&mut self) {
        self.rows += 1;
    }

    pub(super) fn end(&mut self, record: &ByteRecord) {
        let found = shortfall(record, self.rows);
        self.shortfall = self.shortfall.or(found);
        (self.has_ended, self.rows) = (true, 0);
    }

    /// What is wrong with the first list that is not whole, once all is read.
    pub(super) fn shortfall(&self) -> Option<ListShortfall> {
        let is_open = if self.has_ended { self.rows > 0 } else { self.must_end };
        self.shortfall.or(is_open.then_some(ListShortfall::BrokenOff))
    }
}

fn shortfall(end: &ByteRecord, read: u64) -> Option<ListShortfall> {
    let cell = |at: usize| std::str::from_utf8(end.get(at).unwrap_or_default()).unwrap_or_default().trim();
    match (cell(1).parse::<u64>(), cell(2), cell(2).parse::<u64>()) {
        (Ok(written), _, _) if written != read => Some(ListShortfall::OtherRows { written, read }),
        (Ok(_), _, Ok(0)) => None,
        (Ok(_), _, Ok(orders)) => Some(ListShortfall::Missing { orders }),
        (Ok(_), "unknown", _) => Some(ListShortfall::Unknown),
        _ => Some(ListShortfall::BrokenOff),
    }
}
