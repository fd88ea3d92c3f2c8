//! How a run is appended: its rows are divided by day and written, and at last its record, which makes them count.

use std::collections::{BTreeMap, HashSet};
use std::mem;
use std::path::PathBuf;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::exceptions::{self, ExceptionRow, ExceptionRows};
use super::incoming::{HashedFile, Incoming};
use super::orders::{self, DayRows, UNDATED};
use super::run::{EarlierJob, microsecond};
use super::{CurrencyTotals, DIGEST, Dataset, DatasetError, RunRecord, digest, record, run};
use crate::domain::days::{Day, Days};
use crate::domain::facts::{OrderFacts, TextColumn};
use crate::domain::money::Sum;
use crate::domain::order::TimeField;
use crate::domain::outcome::CreatedBefore;
use crate::domain::time::from_microsecond;

/// The most rows that are held in memory, some 150 MB.
const HELD: usize = 1 << 18;
/// By how much two clocks may differ.
const CLOCKS: SignedDuration = SignedDuration::from_mins(2);

/// What is known of a run before its rows.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// When the job started that observed the orders.
    pub started_at: Timestamp,
    /// The moment at which its report measured ages.
    pub as_of: Timestamp,
    /// SHA-256 of the report's manifest, in hex.
    pub manifest_sha256: String,
    /// Whether orders may be missing from its input.
    pub list_incomplete: bool,
    /// Those of the incomplete reports that this one continued and replaced.
    pub replaces: Vec<String>,
}

/// What is known of an order that was observed, besides its facts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known {
    /// Whether it was judged settled.
    pub settled: bool,
    /// When it was created as an earlier job saw it, if that has changed since.
    pub before: Option<CreatedBefore>,
    /// When it was created as a later job of another run saw it.
    pub since: Option<CreatedSince>,
}

/// When an order was created, as a job saw it that started after the one whose row is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreatedSince(pub Option<Timestamp>);

/// A run that is being appended. Until [`Append::commit`], the dataset is as it was.
pub struct Append<'d> {
    days: Days,
    incoming: Incoming<'d>,
    record: RunRecord,
    rows: BTreeMap<Date, DayRows>,
    held: usize,
    /// The day of the order before: neighbours mostly share it.
    last_day: Option<Day>,
    exceptions: ExceptionRows,
    /// The names that rows carry: that of the run, then those of its earlier jobs.
    runs: Vec<String>,
    /// The place of the job that read the rows which are added now.
    job: u32,
    totals: BTreeMap<String, CurrencyTotals>,
    /// The digests of the rows that the replaced reports brought, which did not observe those orders again.
    known: HashSet<[u8; DIGEST]>,
    /// Every finished file, where it is now.
    written: Vec<PathBuf>,
    /// How many files each day has.
    parts: BTreeMap<Date, usize>,
}

impl Dataset {
    /// Begins to append a run.
    ///
    /// # Errors
    /// When the dataset can't be written, or a run of it started in the future.
    pub fn append(&self, run: &NewRun) -> Result<Append<'_>, DatasetError> {
        let now = Timestamp::now();
        let (runs, files) = self.counted()?;
        let is_future = |record: &&RunRecord| record.started_at.duration_since(now) > CLOCKS;
        if let Some(RunRecord { run, started_at, .. }) = runs.iter().find(is_future) {
            return Err(DatasetError::FutureRun { run: run.clone(), started_at: *started_at });
        }
        let mut known = HashSet::new();
        for record in runs.iter().filter(|record| run.replaces.contains(&record.manifest_sha256)) {
            for file in files.of_run(&record.run) {
                orders::for_each_row(&self.path(file), self.prove(file)?, |row| {
                    if let Some(settled) = row.settled.filter(|_| record.has(row.run)) {
                        known.insert(row_digest(row.run_order_id, &row.facts, settled));
                    }
                    Ok::<_, DatasetError>(())
                })?;
            }
        }
        let NewRun { started_at, as_of, manifest_sha256, .. } = run.clone();
        let start = started_at.strftime("%Y%m%dT%H%M%SZ");
        let name = format!("{start}-{}-{:016x}", manifest_sha256.get(..8).unwrap_or_default(), rand::random::<u64>());
        let mut record = RunRecord::begin(name.clone(), started_at, as_of, manifest_sha256);
        record.list_incomplete = run.list_incomplete;
        Ok(Append {
            days: self.days(),
            incoming: Incoming::begin(&self.storage)?,
            runs: vec![name],
            job: 0,
            record,
            rows: BTreeMap::new(),
            held: 0,
            last_day: None,
            exceptions: ExceptionRows::new(),
            totals: BTreeMap::new(),
            known,
            written: Vec::new(),
            parts: BTreeMap::new(),
        })
    }
}

impl Append<'_> {
    /// Says which job of the run read the rows that are added from now on: the one that read its first row then, or the
    /// last.
    pub fn set_job(&mut self, started_at: Option<Timestamp>) {
        let Some(started_at) = started_at.map(microsecond) else {
            self.job = 0;
            return;
        };
        let jobs = &mut self.record.earlier_jobs;
        let place = jobs.iter().position(|job| job.started_at == started_at).unwrap_or_else(|| {
            let run = format!("{}-{}", self.record.run, jobs.len() + 1);
            self.runs.push(run.clone());
            jobs.push(EarlierJob { run, started_at });
            jobs.len() - 1
        });
        self.job = u32::try_from(place + 1).unwrap_or(u32::MAX);
    }

    /// Adds an order that was observed, under the ID that was asked for. If it was seen before with a different creation time
    /// and so on a different day, it no longer counts there; if a later job has seen that, it does not count on its own day.
    /// An order that a replaced report brought is left out, unless its creation time has changed since.
    ///
    /// # Errors
    /// When the dataset can't be written, or a total has too many digits.
    pub fn order(&mut self, run_order_id: &str, facts: &OrderFacts<'_>, known: Known) -> Result<(), DatasetError> {
        let Known { settled, before, since } = known;
        let is_brought = !self.known.is_empty() && self.known.contains(&row_digest(run_order_id, facts, settled));
        if is_brought && before.is_none() && since.is_none() {
            return Ok(());
        }
        let day = self.day_of(facts.microseconds(TimeField::CreatedAt));
        let since = since.map(|CreatedSince(since)| self.day_of(since.map(Timestamp::as_microsecond)));
        match since.filter(|since| *since != day) {
            Some(since) => self.moved(run_order_id, day, since)?,
            None => {
                self.add_to_totals(facts, settled)?;
                self.record.orders += 1;
                self.rows.entry(day).or_insert_with(DayRows::new).push(run_order_id, facts, settled, self.job);
                self.hold()?;
            }
        }
        let Some(CreatedBefore(before)) = before else { return Ok(()) };
        let before = self.day_of(before.map(Timestamp::as_microsecond));
        if before == day { Ok(()) } else { self.moved(run_order_id, before, day) }
    }

    /// Adds that an order no longer belongs to a day.
    fn moved(&mut self, run_order_id: &str, from: Date, to: Date) -> Result<(), DatasetError> {
        self.record.moved += 1;
        self.rows.entry(from).or_insert_with(DayRows::new).push_moved(run_order_id, to, self.job);
        self.hold()
    }

    /// Adds a row without a fetched order.
    pub fn exception(&mut self, row: ExceptionRow<'_>) {
        self.exceptions.push(row, self.job);
        self.record.exceptions += 1;
    }

    /// Makes the run count.
    ///
    /// # Errors
    /// When the dataset can't be written; the run does not count then.
    pub fn commit(mut self) -> Result<RunRecord, DatasetError> {
        for (day, rows) in mem::take(&mut self.rows) {
            self.write_day(day, rows)?;
        }
        self.write_exceptions()?;
        self.record.control_totals = mem::take(&mut self.totals).into_values().collect();
        for (written, file) in self.written.iter().zip(&self.record.files) {
            self.incoming.place_new(written, &file.path)?;
        }
        self.incoming.keep(self.record.files.iter().map(|file| file.path.as_str()))?;
        let path = run::path(&self.record.run);
        let place = PathBuf::from(&path);
        let earlier = self.record.earlier_jobs.iter().map(|job| record::text(job, &place));
        let lines = [record::text(&self.record, &place)].into_iter().chain(earlier);
        self.incoming.place_lines(&path, lines.collect::<Result<Vec<_>, _>>()?)?;
        Ok(self.record)
    }

    fn add_to_totals(&mut self, facts: &OrderFacts<'_>, settled: bool) -> Result<(), DatasetError> {
        let currency = facts.text(TextColumn::QuoteCurrency).unwrap_or_default();
        if !self.totals.contains_key(currency) {
            let totals = CurrencyTotals { currency: currency.to_owned(), ..CurrencyTotals::default() };
            self.totals.insert(currency.to_owned(), totals);
        }
        let Some(totals) = self.totals.get_mut(currency) else { return Ok(()) };
        totals.orders += 1;
        totals.settled += u64::from(settled);
        for (total, units) in totals.amounts.iter_mut().zip(facts.units) {
            if let Some(units) = units {
                *total = total.plus(Sum::from_units(units)?)?;
            }
        }
        Ok(())
    }

    fn day_of(&mut self, microseconds: Option<i64>) -> Date {
        let Some(time) = microseconds.and_then(from_microsecond) else { return UNDATED };
        if !self.last_day.as_ref().is_some_and(|day| day.period.holds(time)) {
            self.last_day = Some(self.days.day_of(time));
        }
        self.last_day.as_ref().map_or(UNDATED, |day| orders::day_of(day.date))
    }

    /// Writes the fullest days once too many rows are held.
    fn hold(&mut self) -> Result<(), DatasetError> {
        self.held += 1;
        while self.held >= HELD {
            let fullest = self.rows.iter().max_by_key(|(_, rows)| rows.len()).map(|(day, _)| *day);
            let Some((day, rows)) = fullest.and_then(|day| Some((day, self.rows.get_mut(&day)?.take()))) else { break };
            self.held -= rows.len();
            self.write_day(day, rows)?;
        }
        Ok(())
    }

    fn write_day(&mut self, day: Date, rows: DayRows) -> Result<(), DatasetError> {
        let count = rows.len();
        if count == 0 {
            return Ok(());
        }
        let mut file = self.incoming.create(self.written.len() + 1)?;
        rows.write(&self.runs, &mut file)?;
        let part = self.parts.entry(day).or_default();
        let path = orders::path(day, &self.record.run, *part);
        *part += 1;
        self.finish(file, path, count)
    }

    fn write_exceptions(&mut self) -> Result<(), DatasetError> {
        let rows = mem::replace(&mut self.exceptions, ExceptionRows::new());
        let count = rows.len();
        if count == 0 {
            return Ok(());
        }
        let mut file = self.incoming.create(self.written.len() + 1)?;
        rows.write(&self.runs, &mut file)?;
        let path = exceptions::path(&self.record.run);
        self.finish(file, path, count)
    }

    fn finish(&mut self, file: HashedFile, path: String, rows: usize) -> Result<(), DatasetError> {
        let (written, file) = file.finish(path, rows as u64)?;
        self.written.push(written);
        self.record.files.push(file);
        Ok(())
    }
}

/// A digest of an order's row.
fn row_digest(run_order_id: &str, facts: &OrderFacts<'_>, settled: bool) -> [u8; DIGEST] {
    // Texts are quoted here, so that no two rows look the same.
    let OrderFacts { texts, units, microseconds } = facts;
    digest(&format!("{run_order_id:?} {:?} {units:?} {microseconds:?} {settled}", &texts[1..]))
}
