//! Rows that are sorted, however many they are: parts of them in memory, and the sorted parts on disk.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::path::{Path, PathBuf};

use super::list::{List, ListRow};
use crate::report::ReportError;

/// How many rows are sorted in memory.
const IN_MEMORY: usize = 1 << 16;

/// A row that has its place among others.
pub trait SortedRow: ListRow {
    /// Whether it comes before another.
    fn compare(&self, other: &Self) -> Ordering;
}

/// Rows that can be visited in their sequence once all are there. Equal ones come as they like.
#[derive(Debug)]
pub struct SortedRows<T> {
    folder: PathBuf,
    recent: Vec<T>,
    /// Each is sorted, and on disk.
    parts: Vec<List<T>>,
}

impl<T: SortedRow> SortedRows<T> {
    /// No rows yet. Those that don't fit in memory go to files without a name in this folder.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), recent: Vec::new(), parts: Vec::new() }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When the disk can't hold it.
    pub fn push(&mut self, row: T) -> Result<(), ReportError> {
        self.recent.push(row);
        if self.recent.len() < IN_MEMORY { Ok(()) } else { self.spill() }
    }

    fn spill(&mut self) -> Result<(), ReportError> {
        self.recent.sort_unstable_by(T::compare);
        let mut part = List::new(&self.folder);
        self.recent.drain(..).try_for_each(|row| part.push(&row))?;
        part.leave_memory()?;
        self.parts.push(part);
        Ok(())
    }

    /// Visits all rows in their sequence.
    ///
    /// # Errors
    /// When a row can't be read back, and those of `visit`.
    pub fn visit<E: From<ReportError>>(mut self, mut visit: impl FnMut(T) -> Result<(), E>) -> Result<(), E> {
        self.recent.sort_unstable_by(T::compare);
        let Self { recent, parts, .. } = self;
        let mut sources: Vec<Box<dyn Iterator<Item = T> + '_>> = vec![Box::new(recent.into_iter())];
        sources.extend(parts.iter().map(|part| Box::new(part.iter()) as Box<dyn Iterator<Item = T> + '_>));
        // The next row of each source, the smallest first.
        let mut next = BinaryHeap::new();
        for (number, source) in sources.iter_mut().enumerate() {
            next.extend(source.next().map(|row| Reverse(Next { number, row })));
        }
        while let Some(Reverse(Next { number, row })) = next.pop() {
            next.extend(sources[number].next().map(|row| Reverse(Next { number, row })));
            visit(row)?;
        }
        drop(sources);
        parts.iter().try_for_each(List::require_read).map_err(E::from)
    }
}

/// The next row of a source.
struct Next<T> {
    number: usize,
    row: T,
}

impl<T: SortedRow> PartialEq for Next<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T: SortedRow> Eq for Next<T> {}

impl<T: SortedRow> PartialOrd for Next<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: SortedRow> Ord for Next<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.row.compare(&other.row).then(self.number.cmp(&other.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::content::list::{RowReader, RowWriter};

    #[derive(Debug, PartialEq)]
    struct Number(i128);

    impl ListRow for Number {
        fn write(&self, to: &mut RowWriter<'_>) {
            to.number(self.0);
        }

        fn read(from: &mut RowReader<'_>) -> Option<Self> {
            from.number().map(Self)
        }
    }

    impl SortedRow for Number {
        fn compare(&self, other: &Self) -> Ordering {
            self.0.cmp(&other.0)
        }
    }

    #[test]
    fn rows_come_in_their_sequence_however_many_there_are() {
        let folder = tempfile::tempdir().expect("a folder");
        for count in [0, 1, 1_000, 3 * IN_MEMORY as i128 + 7] {
            let mut rows = SortedRows::new(folder.path());
            // 7,919 is prime, so each number comes once.
            (0..count).for_each(|number| rows.push(Number(number * 7_919 % count)).expect("room"));
            let mut expected = 0..count;
            rows.visit(|row| {
                assert_eq!(Some(row.0), expected.next(), "of {count}");
                Ok::<_, ReportError>(())
            })
            .expect("readable");
            assert_eq!(expected.next(), None, "of {count}");
        }
    }

    #[test]
    fn rows_that_are_lost_are_missed() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut rows = SortedRows::new(folder.path());
        (0..3 * IN_MEMORY as i128).for_each(|number| rows.push(Number(number)).expect("room"));
        rows.parts[1].cut();
        assert!(rows.visit(|_| Ok::<_, ReportError>(())).is_err());
    }
}
