//! The reading rule: of several observations of an order, that of the run which started last counts.

use std::collections::HashMap;

use jiff::civil::Date;

use super::orders::{self, DayRow};
use super::{DIGEST, Dataset, DatasetError, DatasetFile, RunRecord, digest};
use crate::domain::facts::OrderFacts;

/// The most orders of a day that are told apart at once: some 200 MB. A day with more is read several times.
const AT_ONCE: u64 = 1 << 22;

/// The newest observation of an order.
#[derive(Clone, Copy, Debug)]
pub struct NewestOrder<'r> {
    /// The day on which it was created, or 1970-01-01.
    pub day: Date,
    /// The order's ID, as it was asked for.
    pub run_order_id: &'r str,
    /// Its facts.
    pub facts: OrderFacts<'r>,
    /// Whether it was judged settled.
    pub settled: bool,
    /// The run that observed it.
    pub run: &'r str,
}

impl Dataset {
    /// Visits the newest observation of every order that was created on one of some days, day by day.
    ///
    /// # Errors
    /// When a file is not as it was written, and those of `visit`.
    pub fn for_each_newest<E: From<DatasetError>>(
        &self,
        is_wanted: impl Fn(Date) -> bool,
        mut visit: impl FnMut(NewestOrder<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let (runs, files) = self.counted()?;
        let ranks = ranks(&runs);
        for (day, files) in files.by_day() {
            if is_wanted(day) {
                self.newest_of_day(day, &files, &ranks, &mut visit)?;
            }
        }
        Ok(())
    }

    fn newest_of_day<E: From<DatasetError>>(
        &self,
        day: Date,
        files: &[&DatasetFile],
        ranks: &HashMap<&str, u32>,
        visit: &mut impl FnMut(NewestOrder<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let rows = files.iter().fold(0_u64, |rows, file| rows.saturating_add(file.rows));
        let passes = rows.div_ceil(AT_ONCE).max(1);
        for pass in 0..passes {
            let is_of_pass = |digest: &[u8; DIGEST]| u64::from(digest[0]) % passes == pass;
            let mut newest = HashMap::<[u8; DIGEST], u32>::new();
            self.rows_of(files, |row| {
                let (digest, rank) = (digest(row.run_order_id), ranks.get(row.run).copied());
                if let Some(rank) = rank.filter(|_| is_of_pass(&digest)) {
                    let known = newest.entry(digest).or_insert(rank);
                    *known = rank.max(*known);
                }
                Ok::<_, E>(())
            })?;
            self.rows_of(files, |row| {
                let digest = digest(row.run_order_id);
                let is_newest = ranks.get(row.run).is_some_and(|rank| newest.get(&digest) == Some(rank));
                match row.settled {
                    Some(settled) if is_newest => {
                        // Files that were merged twice have the same rows twice.
                        newest.remove(&digest);
                        let DayRow { run_order_id, facts, run, .. } = row;
                        visit(NewestOrder { day, run_order_id, facts, settled, run })
                    }
                    // The order belongs to another day, or there is a newer observation.
                    _ => Ok(()),
                }
            })?;
        }
        Ok(())
    }

    fn rows_of<E: From<DatasetError>>(
        &self,
        files: &[&DatasetFile],
        mut visit: impl FnMut(DayRow<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        files.iter().try_for_each(|file| orders::for_each_row(&self.path(file), self.prove(file)?, &mut visit))
    }
}

/// The place of each run in the order in which they started.
fn ranks(runs: &[RunRecord]) -> HashMap<&str, u32> {
    runs.iter().map(|run| run.run.as_str()).zip(0..).collect()
}
