//! Reads the cells of a row in order, once its checksum has been verified.

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::{FromSql, ValueRef};

use super::error::Problem;
use super::seal::checksum;
use crate::domain::money::Amount;
use crate::domain::time::from_microsecond;

/// The name and the columns of a table.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) table: &'static str,
    /// The columns in the order they are written and read. The checksum column comes after them.
    pub(super) columns: &'static [&'static str],
}

/// Converts a count to SQLite's signed 64-bit integer; `column` is named in the error.
pub(super) fn integer(column: &'static str, value: u64) -> Result<i64, Problem> {
    i64::try_from(value).map_err(|_| Problem::TooLarge { column, value })
}

/// The name of the checksum column.
const SEAL: &str = "seal";

impl Layout {
    /// The statement that inserts a row. A second row with the same key is an error.
    pub(super) fn insert(&self) -> String {
        self.write("INSERT")
    }

    /// The statement that inserts a row, or replaces the row with the same key.
    pub(super) fn replace(&self) -> String {
        self.write("REPLACE")
    }

    fn write(&self, verb: &str) -> String {
        let marks = vec!["?"; self.columns.len() + 1].join(", ");
        format!("{verb} INTO {} ({}) VALUES ({marks})", self.table, self.list(""))
    }

    /// The comma-separated columns for a query, checksum included, each after `prefix` (such as `o.`).
    pub(super) fn list(&self, prefix: &str) -> String {
        let columns: Vec<String> =
            self.columns.iter().chain([&SEAL]).map(|column| format!("{prefix}{column}")).collect();
        columns.join(", ")
    }

    /// The number of columns in [`Layout::list`].
    pub(super) const fn width(&self) -> usize {
        self.columns.len() + 1
    }
}

/// Reads the cells of a row in order.
pub(super) struct Cells<'r> {
    layout: &'static Layout,
    values: Vec<ValueRef<'r>>,
    checksum: i64,
    next: usize,
}

impl<'r> Cells<'r> {
    /// Verifies the checksum of the row whose columns start at index `first` of the query.
    pub(super) fn open(row: &'r Row<'r>, first: usize, layout: &'static Layout) -> Result<Self, Problem> {
        let columns = layout.columns.len();
        let value = |index: usize| {
            let column = layout.columns.get(index).copied().unwrap_or(SEAL);
            let missing = || Problem::damaged(layout.table, format!("the column {column} is missing"));
            row.get_ref(first + index).map_err(|_| missing())
        };
        // Collecting into a result would not reserve room.
        let mut values = Vec::with_capacity(columns);
        for index in 0..columns {
            values.push(value(index)?);
        }
        let checksum = checksum(values.iter().copied());
        let cells = Self { layout, values, checksum, next: 0 };
        match value(columns)? {
            ValueRef::Integer(seal) if seal == checksum => Ok(cells),
            _ => Err(cells.damage("the checksum does not match the row")),
        }
    }

    /// The checksum of a row that is read for nothing else, once it has been verified.
    pub(super) fn prove(row: &'r Row<'r>, layout: &'static Layout) -> Result<i64, Problem> {
        let value = |index: usize| row.get_ref(index).unwrap_or(ValueRef::Null);
        let columns = layout.columns.len();
        let checksum = checksum((0..columns).map(value));
        match value(columns) {
            ValueRef::Integer(seal) if seal == checksum => Ok(checksum),
            // Only a row that is kept can say what is wrong with it.
            _ => Ok(Self::open(row, 0, layout)?.checksum),
        }
    }

    /// The row's checksum.
    pub(super) const fn checksum(&self) -> i64 {
        self.checksum
    }

    /// Skips one cell.
    pub(super) fn skip(&mut self) {
        self.next += 1;
    }

    pub(super) fn text(&mut self) -> Result<Option<String>, Problem> {
        self.str().map(|text| text.map(str::to_owned))
    }

    pub(super) fn required_text(&mut self) -> Result<String, Problem> {
        self.required_str().map(str::to_owned)
    }

    pub(super) fn str(&mut self) -> Result<Option<&'r str>, Problem> {
        self.read(|value| match value {
            ValueRef::Null => Some(None),
            ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok().map(Some),
            _ => None,
        })
    }

    pub(super) fn required_str(&mut self) -> Result<&'r str, Problem> {
        let text = self.str()?;
        self.required(text)
    }

    /// An amount, in units of 10⁻⁸.
    pub(super) fn units(&mut self) -> Result<Option<i128>, Problem> {
        self.read(|value| match value {
            ValueRef::Null => Some(None),
            ValueRef::Integer(units) => Some(Some(units.into())),
            ValueRef::Text(bytes) => Some(Some(Amount::parse(std::str::from_utf8(bytes).ok()?).ok()?.units())),
            _ => None,
        })
    }

    /// A time, in microseconds since 1970.
    pub(super) fn microseconds(&mut self) -> Result<Option<i64>, Problem> {
        self.read(|value| match value {
            ValueRef::Null => Some(None),
            ValueRef::Integer(microseconds) => from_microsecond(microseconds).map(|_| Some(microseconds)),
            _ => None,
        })
    }

    pub(super) fn time(&mut self) -> Result<Option<Timestamp>, Problem> {
        self.read(|value| match value {
            ValueRef::Null => Some(None),
            ValueRef::Integer(microseconds) => from_microsecond(microseconds).map(Some),
            _ => None,
        })
    }

    pub(super) fn required_time(&mut self) -> Result<Timestamp, Problem> {
        let time = self.time()?;
        self.required(time)
    }

    pub(super) fn integer(&mut self) -> Result<Option<i64>, Problem> {
        self.read(|value| Option::<i64>::column_result(value).ok())
    }

    pub(super) fn required_integer(&mut self) -> Result<i64, Problem> {
        let integer = self.integer()?;
        self.required(integer)
    }

    pub(super) fn count(&mut self) -> Result<Option<u64>, Problem> {
        self.read(|value| match value {
            ValueRef::Null => Some(None),
            ValueRef::Integer(value) => u64::try_from(value).ok().map(Some),
            _ => None,
        })
    }

    pub(super) fn required_count(&mut self) -> Result<u64, Problem> {
        let count = self.count()?;
        self.required(count)
    }

    pub(super) fn flag(&mut self) -> Result<bool, Problem> {
        let flag = self.optional_flag()?;
        self.required(flag)
    }

    pub(super) fn optional_flag(&mut self) -> Result<Option<bool>, Problem> {
        self.read(|value| match value {
            ValueRef::Null => Some(None),
            ValueRef::Integer(0) => Some(Some(false)),
            ValueRef::Integer(1) => Some(Some(true)),
            _ => None,
        })
    }

    /// Bytes of any number.
    pub(super) fn blob(&mut self) -> Result<Option<&'r [u8]>, Problem> {
        self.read(|value| match value {
            ValueRef::Null => Some(None),
            ValueRef::Blob(bytes) => Some(Some(bytes)),
            _ => None,
        })
    }

    pub(super) fn bytes<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], Problem> {
        let bytes = self.optional_bytes()?;
        self.required(bytes)
    }

    pub(super) fn optional_bytes<const COUNT: usize>(&mut self) -> Result<Option<[u8; COUNT]>, Problem> {
        self.read(|value| match value {
            ValueRef::Null => Some(None),
            ValueRef::Blob(bytes) => bytes.try_into().ok().map(Some),
            _ => None,
        })
    }

    /// The error for a value that its column can't hold, or that contradicts other columns.
    pub(super) fn damage(&self, problem: &str) -> Problem {
        // The key may be damaged too, but it helps to find the row.
        let named: Vec<String> = (0..self.layout.columns.len().min(3))
            .filter_map(|index| Some((self.layout.columns.get(index)?, *self.values.get(index)?)))
            .filter_map(|(column, value)| match value {
                ValueRef::Integer(number) => Some(format!("{column} {number}")),
                _ => None,
            })
            .collect();
        Problem::damaged(format!("{}, {}", self.layout.table, named.join(", ")), problem)
    }

    fn required<T>(&self, value: Option<T>) -> Result<T, Problem> {
        value.ok_or_else(|| self.damage(&format!("{} is empty", self.column(self.next.saturating_sub(1)))))
    }

    fn read<T>(&mut self, understand: impl FnOnce(ValueRef<'r>) -> Option<T>) -> Result<T, Problem> {
        let index = self.next;
        self.next += 1;
        let value = self.values.get(index).copied().and_then(understand);
        value.ok_or_else(|| self.damage(&format!("{} is not valid", self.column(index))))
    }

    fn column(&self, index: usize) -> &'static str {
        self.layout.columns.get(index).copied().unwrap_or(SEAL)
    }
}
