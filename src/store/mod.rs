//! The state: one SQLite file that keeps what was learnt about every input row. Every report is made from it and
//! from nothing else, and an outcome counts only once it is committed here.
//!
//! [`Store`] begins, continues, reads and finishes runs; [`Writer`] commits outcomes on a thread of its own. A line of
//! a run is written once: a second outcome for it is an error, never a replacement.
//!
//! | table | a row is | written |
//! |---|---|---|
//! | `runs` | a run of the job | when it begins and ends |
//! | `outcomes` | what became of one input row of a run | as it is learnt |
//! | `observations` | a state that an order was seen in, with its facts | as it is learnt, where it is another state than before |
//! | `orders` | what all runs know of an order: its latest state, and its baseline | at the end of a run |
//! | `findings` | a discrepancy, as it was last judged | with the report |
//! | `confirmations` | what became of a row that was fetched again before it was reported | as it is learnt |
//! | `books` | what a row of the input says of its order | as it is learnt, where our own books are compared |
//! | `replies` | the reply that decided a row, compressed | with full evidence only |
//! | `pruned_reports` | a report that was pruned | before it is removed |
//! | `providers`, `sends` | who was asked, and when the last requests went out | |
//!
//! Every row carries a checksum: what is damaged is said to be, and never read as something else.

mod books;
mod cells;
mod compact;
mod done;
mod error;
mod facts;
mod findings;
mod insert;
mod lock;
mod memory;
mod place;
mod prune;
mod queue;
mod rows;
mod runs;
mod schema;
mod seal;
mod sends;
mod writer;

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};

use crate::domain::books::Booking;
use crate::domain::outcome::Outcome;
use crate::domain::time::from_microsecond;

pub use compact::Size;
pub use done::{Done, RowKind};
pub use error::StoreError;
pub use findings::{Judged, KnownFinding};
pub use insert::Learnt;
pub use lock::{Holder, Lock, LockError, is_locked};
pub use memory::{Recall, Recalled, Remembered};
pub use prune::Pruned;
pub use rows::Confirmations;
pub use runs::{Ending, Reported, Run};
pub use sends::Sends;
pub use writer::Writer;

use cells::Damage;
use error::{io, sqlite};
use place::identity;
use runs::Providers;

/// A run of the job, as the state numbers it. Numbers are never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(i64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is known of a run when it begins. Times are kept to the microsecond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRun {
    /// The provider that is asked. Observations belong to one base URL.
    pub base_url: String,
    /// Where the input is: its absolute path, or nothing for standard input.
    pub input_place: String,
    /// What the input is called: its file name, or `stdin`.
    pub input_name: String,
    /// The SHA-256 of the input's bytes, in hex.
    pub input_sha256: String,
    /// How many rows the input holds.
    pub rows: u64,
    /// How the input is read: its encoding, delimiter, heading and columns.
    pub reading: String,
    /// The judging settings as canonical JSON.
    pub settings: String,
    /// The moment that ages are counted to.
    pub as_of: Timestamp,
    /// When the run began.
    pub started_at: Timestamp,
}

impl NewRun {
    /// The inputs that are one series: those whose places differ in nothing but digits, as names with a date do.
    #[must_use]
    pub fn series(&self) -> String {
        if self.input_place.is_empty() {
            // Inputs without a place are told by how their IDs are read. What stands after that is our books, which come and go.
            const IDS: &str = "IDs in column ";
            let ids = self.reading.find(IDS).unwrap_or_default();
            let end =
                self.reading.get(ids..).and_then(|rest| rest.find(", ")).map_or(self.reading.len(), |at| ids + at);
            return format!("standard input: {}", self.reading.get(..end).unwrap_or_default());
        }
        let mut series = String::from("input ");
        for character in self.input_place.chars() {
            match character.is_ascii_digit() {
                true if series.ends_with('#') => {}
                true => series.push('#'),
                false => series.push(character),
            }
        }
        series
    }
}

/// A report that is in its place.
#[derive(Clone, Copy, Debug)]
pub struct NewReport<'r> {
    /// The verdict's word.
    pub verdict: &'r str,
    /// Whether another start may fetch what it lacks: unfetched rows, or the provider's list.
    pub is_resumable: bool,
    /// The SHA-256 of its manifest, in hex.
    pub manifest_sha256: &'r str,
    /// Where it is.
    pub folder: &'r Path,
}

/// The open state.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    connection: Connection,
    /// Which file that was when it was opened.
    file: Option<(u64, u64)>,
}

impl Store {
    /// Opens the state at `path`, creating it and the folders above it where they are missing, and brings an
    /// older format up to date.
    ///
    /// # Errors
    /// A file that is not a state of this program, or one of a newer format, is refused and left untouched.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        // So that the writer's connection opens the same file wherever the process has moved to.
        let path = place::resolve(path).map_err(io(path, "find"))?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(io(&path, "create the folder of"))?;
        }
        schema::refuse_others(&path)?;
        place::refuse_hard_links(&path)?;
        place::create_private(&path)?;
        let mut connection = schema::connect(&path)?;
        schema::prepare(&mut connection, &path)?;
        let file = identity(&path);
        Ok(Self { path, connection, file })
    }

    /// Records that a run begins.
    ///
    /// # Errors
    /// The run is not recorded if the state can't be written.
    pub fn begin(&mut self, begun: &NewRun) -> Result<RunId, StoreError> {
        self.change("record a new run in", |connection, path| {
            let mut providers = Providers::read(connection, path)?;
            providers.add(&begun.base_url);
            providers.write(connection, path)?;
            let runs = runs::all(connection, path)?;
            let id = RunId(insert::integer(path, "run_id", runs.len() as u64 + 1)?);
            runs::replace(connection, path, &Run::begin(id, begun.clone(), runs::next_start(&runs)))?;
            Ok(id)
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every run, the first one first.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn runs(&self) -> Result<Vec<Run>, StoreError> {
        runs::all(&self.connection, &self.path)
    }

    /// One run.
    ///
    /// # Errors
    /// When there is no such run.
    pub fn run(&self, run: RunId) -> Result<Run, StoreError> {
        runs::one(&self.connection, &self.path, run)
    }

    /// Opens a run again that has something left to do. Its unfetched rows are forgotten, to be fetched again. From now on
    /// its input is the one at that place, which has the same bytes.
    ///
    /// # Errors
    /// Nothing is changed if the state can't be written.
    pub fn reopen(&mut self, run: RunId, input_place: &str) -> Result<(), StoreError> {
        self.change("continue a run in", |connection, path| {
            let start = runs::next_start(&runs::all(connection, path)?);
            let run = runs::one(connection, path, run)?;
            let failed = || sqlite(path, "continue a run in");
            for line in rows::open_lines(connection, path, run.id)? {
                // Such a row is the first of its order: that the others of the books repeat it stays true.
                for (table, also) in
                    [("replies", ""), ("books", "AND order_line = ?2"), ("confirmations", ""), ("outcomes", "")]
                {
                    let statement = format!("DELETE FROM {table} WHERE run_id = ?1 AND line = ?2 {also}");
                    let mut statement = connection.prepare_cached(&statement).map_err(failed())?;
                    statement.execute((run.id.0, line)).map_err(failed())?;
                }
            }
            let begun = NewRun { input_place: input_place.to_owned(), ..run.begun };
            runs::replace(connection, path, &Run { begun, ended: None, is_remembered: false, start, ..run })
        })
    }

    /// What is done of a run, in the order of its lines.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn done(&self, run: RunId) -> Result<Vec<Done>, StoreError> {
        done::read(&self.connection, &self.path, run)
    }

    /// How many lines of a run are done.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn count_done(&self, run: RunId) -> Result<u64, StoreError> {
        let query = "SELECT count(*) FROM outcomes WHERE run_id = ?1";
        let count = self.connection.query_row(query, [run.0], |row| row.get::<_, i64>(0));
        count.map(i64::unsigned_abs).map_err(sqlite(&self.path, "count what is done in"))
    }

    /// When a run was last active: it began, learnt something, or ended.
    ///
    /// # Errors
    /// The run must be in the state.
    pub fn last_activity_of(&self, run: RunId) -> Result<Timestamp, StoreError> {
        let known = self.run(run)?;
        let query = "SELECT max(seen_at) FROM outcomes WHERE run_id = ?1";
        let seen: Option<i64> = self
            .connection
            .query_row(query, [run.0], |row| row.get(0))
            .map_err(sqlite(&self.path, "read when a run was last active in"))?;
        let ended = known.ended.map(|(at, _)| at);
        Ok(known
            .begun
            .started_at
            .max(seen.and_then(from_microsecond).unwrap_or_default())
            .max(ended.unwrap_or_default()))
    }

    /// Starts the writer of an unfinished run. At most `capacity` outcomes wait for it (at least one).
    ///
    /// # Errors
    /// The run must be in the state and not be finished. [`StoreError::Moved`] where the state is not where it was.
    pub fn writer(&self, run: RunId, capacity: usize, keeps_replies: bool) -> Result<Writer, StoreError> {
        self.require_unfinished(run)?;
        self.require_in_place()?;
        Writer::start(&self.path, run, capacity, keeps_replies)
    }

    /// Visits every committed outcome of a run by line, whatever the order in which they were committed, one at
    /// a time, with the rows of our own books that carry its order and the job that read it. Where a row was read once more,
    /// that counts. What is
    /// committed after the visit began is not seen.
    ///
    /// # Errors
    /// The visit ends at the first error of the visitor or of the state. A row that is not what was written is
    /// [`StoreError::Damaged`].
    pub fn for_each_outcome<E: From<StoreError>>(
        &self,
        run: RunId,
        mut visit: impl FnMut(Outcome, Vec<Booking>, i64) -> Result<(), E>,
    ) -> Result<(), E> {
        const READING: &str = "read the outcomes in";
        // A run that is not there must not look like one without rows.
        self.run(run)?;
        let mut statement = self.connection.prepare_cached(&rows::select()).map_err(sqlite(&self.path, READING))?;
        let mut rows = statement.query([run.0]).map_err(sqlite(&self.path, READING))?;
        let mut confirmed = rows::confirmations(&self.connection, &self.path, run)?;
        let mut books = books::select(&self.connection, &self.path)?;
        let mut books = books.read(&self.path, run)?;
        let mut visited = 0;
        while let Some(row) = rows.next().map_err(sqlite(&self.path, READING))? {
            let first = rows::read(row).map_err(|damage| damage.at(&self.path))?;
            let rows::Read { outcome, start, .. } = confirmed.remove(&first.outcome.line).unwrap_or(first);
            let bookings = books.of(outcome.line)?;
            visited += 1;
            visit(outcome, bookings, start)?;
        }
        books.require(visited)?;
        Ok(())
    }

    /// The lines of a run that were read once more.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn confirmed(&self, run: RunId) -> Result<BTreeSet<u64>, StoreError> {
        Ok(rows::confirmations(&self.connection, &self.path, run)?.into_keys().collect())
    }

    /// How many rows of a run were read once more, and how many of them were otherwise then.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn confirmations(&self, run: RunId) -> Result<Confirmations, StoreError> {
        rows::compare_confirmed(&self.connection, &self.path, run)
    }

    /// Notes the hash of the manifest of a report that is about to be put in its place, at that destination: should the job be
    /// killed right then, the report is known to be this run's.
    ///
    /// # Errors
    /// The run must be in the state and not be finished yet. [`StoreError::Moved`] where the state could not vouch for
    /// the report, because its path does not lead to it any more.
    pub fn announce(&mut self, run: RunId, manifest_sha256: &str, destination: &Path) -> Result<(), StoreError> {
        self.require_unfinished(run)?;
        self.require_in_place()?;
        self.change("announce a report in", |connection, path| {
            let mut run = runs::one(connection, path, run)?;
            run.manifests.push(manifest_sha256.to_owned());
            run.destination = Some(destination.to_string_lossy().into_owned());
            runs::replace(connection, path, &run)
        })
    }

    /// Marks a run finished with a report and what that says of discrepancies. Nothing is written to it any more, unless the
    /// report is resumable and the run is continued.
    ///
    /// # Errors
    /// The run must be in the state and not be finished yet.
    pub fn finish(
        &mut self,
        run: RunId,
        at: Timestamp,
        report: NewReport<'_>,
        judged: Judged,
    ) -> Result<(), StoreError> {
        self.require_unfinished(run)?;
        self.change("mark a run finished in", |connection, path| {
            let run = runs::one(connection, path, run)?;
            let reported = Reported {
                verdict: report.verdict.to_owned(),
                is_resumable: report.is_resumable,
                manifest_sha256: report.manifest_sha256.to_owned(),
                folder: report.folder.to_string_lossy().into_owned(),
                first_at: run.reported.as_ref().map_or(at, |earlier| earlier.first_at),
            };
            let run = Run { ended: Some((at, Ending::Reported)), reported: Some(reported), ..run };
            findings::record(connection, path, &run, judged)?;
            runs::replace(connection, path, &run)
        })
    }

    /// Marks a run as one that is never continued.
    ///
    /// # Errors
    /// The run must be in the state and not be finished yet.
    pub fn give_up(&mut self, run: RunId, at: Timestamp) -> Result<(), StoreError> {
        self.require_unfinished(run)?;
        self.change("give up a run in", |connection, path| {
            let run = runs::one(connection, path, run)?;
            runs::replace(connection, path, &Run { ended: Some((at, Ending::GivenUp)), ..run })
        })
    }

    /// Reads every page of the file and compares tables with their indexes: minutes, where there are millions of orders.
    ///
    /// # Errors
    /// What is damaged, or why the state can't be read.
    pub fn check_pages(&self) -> Result<(), StoreError> {
        let found: String = self
            .connection
            .query_row("PRAGMA integrity_check(1)", (), |row| row.get(0))
            .map_err(sqlite(&self.path, "check the pages of"))?;
        if found == "ok" { Ok(()) } else { Err(Damage::new("its pages", found.replace('\n', " ")).at(&self.path)) }
    }

    /// The path must lead to the file that was opened: SQLite would make a new one there.
    fn require_in_place(&self) -> Result<(), StoreError> {
        let is_there = identity(&self.path) == self.file;
        if is_there { Ok(()) } else { Err(StoreError::Moved { path: self.path.clone() }) }
    }

    fn require_unfinished(&self, run: RunId) -> Result<(), StoreError> {
        if self.run(run)?.ended.is_some() {
            return Err(StoreError::Finished { path: self.path.clone(), run });
        }
        Ok(())
    }

    /// Changes the state whole or not at all.
    fn change<T>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&Connection, &Path) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(sqlite(&self.path, doing))?;
        let done = work(&transaction, &self.path)?;
        transaction.commit().map_err(sqlite(&self.path, doing))?;
        Ok(done)
    }
}

#[cfg(test)]
mod tests;
