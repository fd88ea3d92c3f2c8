//! The end line of a list that `tieout discover` wrote, which shows whether the list is complete.

use csv::ByteRecord;

use crate::domain::listed::{LIST_COLUMNS, LIST_END, ListShortfall};

/// Whether the record is the heading of such a list. A spreadsheet may have added columns to the right.
pub(super) fn is_heading(record: &ByteRecord) -> bool {
    let is = |name: &str, cell: &[u8]| String::from_utf8_lossy(cell).trim().eq_ignore_ascii_case(name);
    record.len() >= LIST_COLUMNS.len() && LIST_COLUMNS.iter().zip(record).all(|(name, cell)| is(name, cell))
}

/// Whether the record is the end line of such a list. It is never a row or a heading.
pub(super) fn is_end(record: &ByteRecord) -> bool {
    record.get(0).is_some_and(|cell| cell.trim_ascii() == LIST_END.as_bytes())
}

/// Tracks the lists in an input while it is read. Most inputs have none or one.
#[derive(Debug)]
pub(super) struct Lists {
    /// Whether the input has the heading of a list and so must have an end line.
    must_end: bool,
    has_ended: bool,
    /// Rows since the last end line.
    rows: u64,
    shortfall: Option<ListShortfall>,
}

impl Lists {
    pub(super) fn new() -> Self {
        Self { must_end: false, has_ended: false, rows: 0, shortfall: None }
    }

    /// Notes that the input has the heading of a list.
    pub(super) fn require_end(&mut self) {
        self.must_end = true;
    }

    pub(super) fn row(&mut self) {
        self.rows += 1;
    }

    pub(super) fn end_line(&mut self, record: &ByteRecord) {
        let found = shortfall(record, self.rows);
        self.shortfall = self.shortfall.or(found);
        (self.has_ended, self.rows) = (true, 0);
    }

    /// What is missing from the first incomplete list. Call it after the last record.
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
