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
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};

use crate::domain::books::Booking;
use crate::domain::outcome::Outcome;
use crate::domain::time::from_microsecond;

pub use compact::Size;
pub use done::{Done, RowKind};
pub use error::{Problem, StoreError};
pub use findings::{Judged, KnownFinding};
pub use insert::Learnt;
pub use lock::{Holder, Lock, LockError, is_locked};
pub use memory::{Recall, Recalled, Remembered};
pub use prune::Pruned;
pub use rows::Confirmations;
pub use runs::{Ending, Reported, Run};
pub use sends::Sends;
pub use writer::Writer;

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
        let path = place::resolve(path).map_err(|error| io("find")(error).at(path))?;
        let connection = schema::open(&path).map_err(|problem| problem.at(&path))?;
        let file = identity(&path);
        Ok(Self { path, connection, file })
    }

    /// Records that a run begins.
    ///
    /// # Errors
    /// The run is not recorded if the state can't be written.
    pub fn begin(&mut self, begun: &NewRun) -> Result<RunId, StoreError> {
        self.change("record a new run in", |connection| {
            let mut providers = Providers::read(connection)?;
            providers.add(&begun.base_url);
            providers.write(connection)?;
            let runs = runs::all(connection)?;
            let id = RunId(cells::integer("run_id", runs.len() as u64 + 1)?);
            runs::replace(connection, &Run::begin(id, begun.clone(), runs::next_start(&runs)))?;
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
        self.read(runs::all)
    }

    /// One run.
    ///
    /// # Errors
    /// When there is no such run.
    pub fn run(&self, run: RunId) -> Result<Run, StoreError> {
        self.read(|connection| runs::one(connection, run))
    }

    /// Opens a run again that has something left to do. Its unfetched rows are forgotten, to be fetched again. From now on
    /// its input is the one at that place, which has the same bytes.
    ///
    /// # Errors
    /// Nothing is changed if the state can't be written.
    pub fn reopen(&mut self, run: RunId, input_place: &str) -> Result<(), StoreError> {
        self.change("continue a run in", |connection| {
            let start = runs::next_start(&runs::all(connection)?);
            let run = runs::one(connection, run)?;
            let failed = sqlite("continue a run in");
            for line in rows::open_lines(connection, run.id)? {
                // Such a row is the first of its order: that the others of the books repeat it stays true.
                for (table, also) in
                    [("replies", ""), ("books", "AND order_line = ?2"), ("confirmations", ""), ("outcomes", "")]
                {
                    let statement = format!("DELETE FROM {table} WHERE run_id = ?1 AND line = ?2 {also}");
                    let mut statement = connection.prepare_cached(&statement).map_err(failed)?;
                    statement.execute((run.id.0, line)).map_err(failed)?;
                }
            }
            let begun = NewRun { input_place: input_place.to_owned(), ..run.begun };
            runs::replace(connection, &Run { begun, ended: None, is_remembered: false, start, ..run })
        })
    }

    /// What is done of a run, in the order of its lines.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn done(&self, run: RunId) -> Result<Vec<Done>, StoreError> {
        self.read(|connection| done::read(connection, run))
    }

    /// How many lines of a run are done.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn count_done(&self, run: RunId) -> Result<u64, StoreError> {
        let query = "SELECT count(*) FROM outcomes WHERE run_id = ?1";
        self.read(|connection| {
            let count = connection.query_row(query, [run.0], |row| row.get::<_, i64>(0));
            count.map(i64::unsigned_abs).map_err(sqlite("count what is done in"))
        })
    }

    /// When a run was last active: it began, learnt something, or ended.
    ///
    /// # Errors
    /// The run must be in the state.
    pub fn last_activity_of(&self, run: RunId) -> Result<Timestamp, StoreError> {
        self.read(|connection| {
            let known = runs::one(connection, run)?;
            let query = "SELECT max(seen_at) FROM outcomes WHERE run_id = ?1";
            let seen: Option<i64> = connection
                .query_row(query, [run.0], |row| row.get(0))
                .map_err(sqlite("read when a run was last active in"))?;
            let seen = seen.and_then(from_microsecond).unwrap_or_default();
            let ended = known.ended.map(|(at, _)| at).unwrap_or_default();
            Ok(known.begun.started_at.max(seen).max(ended))
        })
    }

    /// Starts the writer of an unfinished run. At most `capacity` outcomes wait for it (at least one).
    ///
    /// # Errors
    /// The run must be in the state and not be finished. [`Problem::Moved`] where the state is not where it was.
    pub fn writer(&self, run: RunId, capacity: usize, keeps_replies: bool) -> Result<Writer, StoreError> {
        self.require_unfinished(run)?;
        self.require_in_place()?;
        self.read(|_| Writer::start(&self.path, run, capacity, keeps_replies))
    }

    /// Visits every committed outcome of a run by line, whatever the order in which they were committed, one at
    /// a time, with the rows of our own books that carry its order and the job that read it. Where a row was read once more,
    /// that counts. What is
    /// committed after the visit began is not seen.
    ///
    /// # Errors
    /// The visit ends at the first error of the visitor or of the state. A row that is not what was written is
    /// [`Problem::Damaged`].
    pub fn for_each_outcome<E: From<StoreError>>(
        &self,
        run: RunId,
        mut visit: impl FnMut(Outcome, Vec<Booking>, i64) -> Result<(), E>,
    ) -> Result<(), E> {
        self.read(|connection| {
            let failed = sqlite("read the outcomes in");
            // A run that is not there must not look like one without rows.
            runs::one(connection, run)?;
            let mut statement = connection.prepare_cached(&rows::select()).map_err(failed)?;
            let mut rows = statement.query([run.0]).map_err(failed)?;
            let mut confirmed = rows::confirmations(connection, run)?;
            let mut books = books::select(connection)?;
            let mut books = books.read(run)?;
            let mut visited = 0;
            while let Some(row) = rows.next().map_err(failed)? {
                let first = rows::read(row)?;
                let rows::Read { outcome, start, .. } = confirmed.remove(&first.outcome.line).unwrap_or(first);
                let bookings = books.of(outcome.line)?;
                visited += 1;
                if let Err(stop) = visit(outcome, bookings, start) {
                    return Ok(Err(stop));
                }
            }
            books.require(visited).map(Ok)
        })?
    }

    /// The lines of a run that were read once more.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn confirmed(&self, run: RunId) -> Result<BTreeSet<u64>, StoreError> {
        self.read(|connection| Ok(rows::confirmations(connection, run)?.into_keys().collect()))
    }

    /// How many rows of a run were read once more, and how many of them were otherwise then.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn confirmations(&self, run: RunId) -> Result<Confirmations, StoreError> {
        self.read(|connection| rows::compare_confirmed(connection, run))
    }

    /// Notes the hash of the manifest of a report that is about to be put in its place, at that destination: should the job be
    /// killed right then, the report is known to be this run's.
    ///
    /// # Errors
    /// The run must be in the state and not be finished yet. [`Problem::Moved`] where the state could not vouch for
    /// the report, because its path does not lead to it any more.
    pub fn announce(&mut self, run: RunId, manifest_sha256: &str, destination: &Path) -> Result<(), StoreError> {
        self.require_unfinished(run)?;
        self.require_in_place()?;
        self.change("announce a report in", |connection| {
            let mut run = runs::one(connection, run)?;
            run.manifests.push(manifest_sha256.to_owned());
            run.destination = Some(destination.to_string_lossy().into_owned());
            runs::replace(connection, &run)
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
        self.change("mark a run finished in", |connection| {
            let run = runs::one(connection, run)?;
            let reported = Reported {
                verdict: report.verdict.to_owned(),
                is_resumable: report.is_resumable,
                manifest_sha256: report.manifest_sha256.to_owned(),
                folder: report.folder.to_string_lossy().into_owned(),
                first_at: run.reported.as_ref().map_or(at, |earlier| earlier.first_at),
            };
            let run = Run { ended: Some((at, Ending::Reported)), reported: Some(reported), ..run };
            findings::record(connection, &run, judged)?;
            runs::replace(connection, &run)
        })
    }

    /// Marks a run as one that is never continued.
    ///
    /// # Errors
    /// The run must be in the state and not be finished yet.
    pub fn give_up(&mut self, run: RunId, at: Timestamp) -> Result<(), StoreError> {
        self.require_unfinished(run)?;
        self.change("give up a run in", |connection| {
            let run = runs::one(connection, run)?;
            runs::replace(connection, &Run { ended: Some((at, Ending::GivenUp)), ..run })
        })
    }

    /// Reads every page of the file and compares tables with their indexes: minutes, where there are millions of orders.
    ///
    /// # Errors
    /// What is damaged, or why the state can't be read.
    pub fn check_pages(&self) -> Result<(), StoreError> {
        self.read(|connection| {
            let found: String = connection
                .query_row("PRAGMA integrity_check(1)", (), |row| row.get(0))
                .map_err(sqlite("check the pages of"))?;
            if found == "ok" { Ok(()) } else { Err(Problem::damaged("its pages", found.replace('\n', " "))) }
        })
    }

    /// The path must lead to the file that was opened: SQLite would make a new one there.
    fn require_in_place(&self) -> Result<(), StoreError> {
        self.read(|_| if identity(&self.path) == self.file { Ok(()) } else { Err(Problem::Moved) })
    }

    fn require_unfinished(&self, run: RunId) -> Result<(), StoreError> {
        self.read(|connection| match runs::one(connection, run)?.ended {
            Some(_) => Err(Problem::Finished { run }),
            None => Ok(()),
        })
    }

    /// Reads the state. Only here and in [`Store::change`] does a problem learn which state it is about.
    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Problem>) -> Result<T, StoreError> {
        work(&self.connection).map_err(|problem| problem.at(&self.path))
    }

    /// Changes the state whole or not at all.
    fn change<T>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Problem>,
    ) -> Result<T, StoreError> {
        change(&mut self.connection, doing, work).map_err(|problem| problem.at(&self.path))
    }
}

/// Changes the state whole or not at all, through a connection of one's own.
fn change<T>(
    connection: &mut Connection,
    doing: &'static str,
    work: impl FnOnce(&Connection) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let failed = sqlite(doing);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let done = work(&transaction)?;
    transaction.commit().map_err(failed)?;
    Ok(done)
}

#[cfg(test)]
mod tests;
