//! The state: one SQLite file that keeps what was learnt about every input row. Every report is made from it, and an
//! outcome counts only once it is committed here.
//!
//! [`Store`] begins, continues, reads and finishes runs; [`Writer`] commits outcomes on a thread of its own. Each line
//! of a run gets one outcome: a second one is an error, never a replacement.
//!
//! | table | a row is | written |
//! |---|---|---|
//! | `runs` | a run of the job | when it begins and ends |
//! | `outcomes` | the outcome of an input row of a run | as it is learnt |
//! | `observations` | a state that an order was seen in, with its facts | as it is learnt, if it is a new state |
//! | `orders` | what all runs know of an order: its latest state, and its baseline | at the end of a run |
//! | `buckets` | a range of hashes of order IDs: how many `orders` it has, and the XOR of their checksums | with `orders` |
//! | `findings` | a discrepancy, as it was last judged | with the report |
//! | `confirmations` | the outcome of a row that was rechecked before it was reported | as it is learnt |
//! | `books` | the cells of our own books in an input row | as it is learnt, if the books are compared |
//! | `replies` | the reply that decided a row, compressed | with full evidence only |
//! | `pruned_reports` | a report that was pruned | before it is removed |
//! | `proven_reports` | a report that was proven | after its proof |
//! | `told` | what a target of notifications was last told of a job | when it was told |
//! | `providers` | a provider that was asked | when its first run begins |
//! | `sends` | the time of one of the last requests to a provider | when a run starts and stops sending |
//!
//! Every row carries a checksum, except in `replies` and `sends`: damage is reported, and never read as something else.

mod books;
mod cells;
mod compact;
mod error;
mod facts;
mod findings;
mod finished_lines;
mod insert;
mod lock;
mod memory;
mod place;
mod proofs;
mod prune;
mod queue;
mod rechecks;
mod rows;
mod runs;
mod schema;
mod seal;
mod sends;
mod told;
mod writer;

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, Row, TransactionBehavior};

use crate::domain::outcome::Outcome;
use crate::domain::time::from_microsecond;

pub use compact::Size;
pub use error::{Problem, StoreError};
pub use findings::{KnownFinding, ReportFindings};
pub use finished_lines::{FinishedLine, RowKind};
pub use insert::RowOutcome;
pub use lock::{Holder, Lock, LockError, is_locked};
pub use memory::{Recall, RememberedOrders, Remembering, ReusedOrder};
pub use place::{identity, without_links};
pub use prune::PruneCounts;
pub use rechecks::RecheckCounts;
pub use rows::StoredRow;
pub use runs::{Ending, Run, RunReport};
pub use sends::Sends;
pub use told::{Audience, LastTold};
pub use writer::{Writer, Written};

use error::{io, sqlite};
use rechecks::Rechecks;
use runs::Providers;

/// The number of a run in the state. Numbers are never reused.
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
    /// The absolute path of the input; empty for standard input.
    pub input_place: String,
    /// The file name of the input, or `stdin`.
    pub input_name: String,
    /// The SHA-256 of the input's bytes, in hex.
    pub input_sha256: String,
    /// How many rows the input holds.
    pub rows: u64,
    /// How the input is read: its encoding, delimiter, heading and columns.
    pub reading: String,
    /// The judging settings as canonical JSON.
    pub settings: String,
    /// The time to which ages are counted.
    pub as_of: Timestamp,
    /// When the run began.
    pub started_at: Timestamp,
}

impl NewRun {
    /// The series of the input. Inputs whose paths differ only in their digits, such as a date, are one series.
    #[must_use]
    pub fn series(&self) -> String {
        if self.input_place.is_empty() {
            // Standard input has no path: its series is how its IDs are read. The columns of our own books, which come
            // after that, are left out, since they may come and go.
            const IDS: &str = "IDs in column ";
            let ids = self.reading.find(IDS).unwrap_or_default();
            let end =
                self.reading.get(ids..).and_then(|rest| rest.find(", ")).map_or(self.reading.len(), |at| ids + at);
            return format!("standard input: {}", self.reading.get(..end).unwrap_or_default());
        }
        series_of(&self.input_place)
    }
}

/// The series of inputs with this path. Those whose paths differ only in their digits are one series.
#[must_use]
pub fn series_of(place: &str) -> String {
    let mut series = String::from("input ");
    for character in place.chars() {
        match character.is_ascii_digit() {
            true if series.ends_with('#') => {}
            true => series.push('#'),
            false => series.push(character),
        }
    }
    series
}

/// A report that was published.
#[derive(Clone, Copy, Debug)]
pub struct NewReport<'r> {
    /// The verdict's code, such as `reconciled`.
    pub verdict: &'r str,
    /// Whether continuing the run may fetch what the report lacks: unfetched rows, or the provider's list.
    pub is_resumable: bool,
    /// The SHA-256 of its manifest, in hex.
    pub manifest_sha256: &'r str,
    /// The folder it was published in.
    pub folder: &'r Path,
}

/// The open state.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    connection: Connection,
    /// The device and inode of the file that was opened.
    file: Option<(u64, u64)>,
}

impl Store {
    /// Opens the state at `path`, creating it and the folders above it if they are missing.
    ///
    /// # Errors
    /// A file that is not a state of this program, or one of a newer format, is refused and left untouched.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_by(path, schema::open)
    }

    /// Does what [`Store::open`] does; but a state that can't be written is opened all the same, and nothing can be
    /// recorded in it.
    ///
    /// # Errors
    /// Those of [`Store::open`], and [`Problem::LogUnread`] where nothing can be written and a killed job left a log.
    pub fn open_to_read(path: &Path) -> Result<Self, StoreError> {
        Self::open_by(path, schema::open_to_read)
    }

    fn open_by(path: &Path, open: impl Fn(&Path) -> Result<Connection, Problem>) -> Result<Self, StoreError> {
        // So that the writer's connection opens the same file, even if the working directory changes.
        let path = place::without_links(path).map_err(|error| io("find")(error).at(path))?;
        let connection = open(&path).map_err(|problem| problem.at(&path))?;
        let file = identity(&path);
        Ok(Self { path, connection, file })
    }

    /// Records that a run begins.
    ///
    /// # Errors
    /// When the state can't be written; the run is not recorded then.
    pub fn begin(&mut self, new: &NewRun) -> Result<RunId, StoreError> {
        self.change("record a new run in", |connection| {
            let mut providers = Providers::read(connection)?;
            providers.add(&new.base_url);
            providers.write(connection)?;
            let runs = runs::all(connection)?;
            let id = RunId(cells::integer("run_id", runs.len() as u64 + 1)?);
            runs::replace(connection, &Run::begin(id, new.clone(), runs::next_job(&runs)))?;
            Ok(id)
        })
    }

    /// The path of the state, without symbolic links.
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

    /// Looks up one run.
    ///
    /// # Errors
    /// When there is no such run, or the state can't be read.
    pub fn run(&self, run: RunId) -> Result<Run, StoreError> {
        self.read(|connection| runs::one(connection, run))
    }

    /// Reopens a run that has something left to do. Its unfetched rows are removed, to be fetched again. `input_place`
    /// is where its input, which has the same bytes, is now.
    ///
    /// # Errors
    /// When the state can't be written; nothing is changed then.
    pub fn reopen(&mut self, run: RunId, input_place: &str) -> Result<(), StoreError> {
        self.change("continue a run in", |connection| {
            let job = runs::next_job(&runs::all(connection)?);
            let run = runs::one(connection, run)?;
            let failed = sqlite("continue a run in");
            for line in rows::open_lines(connection, run.id)? {
                // An unfetched row is the first of its order. Only its own books go: those of later rows stay.
                for (table, also) in
                    [("replies", ""), ("books", "AND order_line = ?2"), ("confirmations", ""), ("outcomes", "")]
                {
                    let statement = format!("DELETE FROM {table} WHERE run_id = ?1 AND line = ?2 {also}");
                    let mut statement = connection.prepare_cached(&statement).map_err(failed)?;
                    statement.execute((run.id.0, line)).map_err(failed)?;
                }
            }
            let setup = NewRun { input_place: input_place.to_owned(), ..run.setup };
            runs::replace(connection, &Run { setup, ended: None, is_remembered: false, job, ..run })
        })
    }

    /// The finished lines of a run, in ascending order.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn finished_lines(&self, run: RunId) -> Result<Vec<FinishedLine>, StoreError> {
        self.read(|connection| finished_lines::read(connection, run))
    }

    /// How many lines of a run are finished.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn count_finished_lines(&self, run: RunId) -> Result<u64, StoreError> {
        self.read(|connection| rows::count(connection, run))
    }

    /// When a run was last active: when it began, last learnt an outcome, or ended.
    ///
    /// # Errors
    /// When there is no such run, or the state can't be read.
    pub fn last_activity_of(&self, run: RunId) -> Result<Timestamp, StoreError> {
        self.read(|connection| {
            let known = runs::one(connection, run)?;
            let query = "SELECT max(seen_at) FROM outcomes WHERE run_id = ?1";
            let seen: Option<i64> = connection
                .query_row(query, [run.0], |row| row.get(0))
                .map_err(sqlite("read when a run was last active in"))?;
            let seen = seen.and_then(from_microsecond).unwrap_or_default();
            let ended = known.ended.map(|(at, _)| at).unwrap_or_default();
            Ok(known.setup.started_at.max(seen).max(ended))
        })
    }

    /// Starts the writer of an unfinished run. At most `capacity` outcomes (at least one) are uncommitted at a time.
    /// `keeps_replies` stores the raw replies too.
    ///
    /// # Errors
    /// When there is no such run, or it is finished. [`Problem::Moved`] if the state is no longer at its path.
    pub fn writer(&self, run: RunId, capacity: usize, keeps_replies: bool) -> Result<Writer, StoreError> {
        self.require_unfinished(run)?;
        self.require_in_place()?;
        self.read(|_| Writer::start(&self.path, run, capacity, keeps_replies))
    }

    /// Visits the committed rows of a run, all of them or those on some lines, one at a time and sorted by line. If a row
    /// was rechecked, the recheck counts. Rows that are committed after the visit began are not seen.
    ///
    /// # Errors
    /// The visit ends at the first error of the visitor or of the state. A row that is not what was written is
    /// [`Problem::Damaged`].
    pub fn for_each_row<E: From<StoreError>>(
        &self,
        run: RunId,
        lines: Option<&BTreeSet<u64>>,
        mut visit: impl FnMut(StoredRow<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.read(|connection| {
            let failed = sqlite("read the outcomes in");
            // A missing run must not look like one without rows.
            runs::one(connection, run)?;
            let mut rechecks = Rechecks::prepare(connection)?;
            let mut rechecks = rechecks.open(run)?;
            let mut books = books::select(connection)?;
            let mut books = books.read(run)?;
            let mut visited = 0;
            let mut visit_row = |row: &Row<'_>| -> Result<Result<(), E>, Problem> {
                let mut stored = StoredRow::read(row)?;
                if let Some(again) = rechecks.take(stored.line)? {
                    // The memory may have learned of the first reading before the recheck, if the run was continued.
                    let first = stored.created_before;
                    stored = StoredRow::of(again);
                    stored.created_before = stored.created_before.or(first);
                }
                stored.bookings = books.of(stored.line)?;
                visited += 1;
                Ok(visit(stored))
            };
            let ranges = match lines {
                None => vec![(i64::MIN, i64::MAX)],
                Some(lines) => {
                    let lines = lines.iter().map(|line| cells::integer("line", *line));
                    lines.map(|line| line.map(|line| (line, line))).collect::<Result<_, _>>()?
                }
            };
            let mut statement = connection.prepare_cached(&rows::select()).map_err(failed)?;
            for (from, to) in ranges {
                let mut rows = statement.query((run.0, from, to)).map_err(failed)?;
                while let Some(row) = rows.next().map_err(failed)? {
                    if let Err(stop) = visit_row(row)? {
                        return Ok(Err(stop));
                    }
                }
            }
            if lines.is_some() { Ok(Ok(())) } else { books.require(visited).map(Ok) }
        })?
    }

    /// The outcome of a row.
    ///
    /// # Errors
    /// When an amount of the order is out of range.
    pub fn outcome(&self, row: StoredRow<'_>) -> Result<Outcome, StoreError> {
        self.read(|_| row.outcome())
    }

    /// The lines of a run that were rechecked.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn rechecked_lines(&self, run: RunId) -> Result<BTreeSet<u64>, StoreError> {
        self.read(|connection| rechecks::lines(connection, run))
    }

    /// How many rows of a run were rechecked, and how many of them had changed.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn recheck_counts(&self, run: RunId) -> Result<RecheckCounts, StoreError> {
        self.read(|connection| rechecks::count(connection, run))
    }

    /// Records the manifest's hash and the destination of a report that is about to be published, so that the report is
    /// known to be this run's even if the job is killed right after publishing it; and the dataset that it is to be
    /// appended to.
    ///
    /// # Errors
    /// When there is no such run, or it is finished. [`Problem::Moved`] if the state is no longer at its path, and so
    /// could not vouch for the report.
    pub fn announce(
        &mut self,
        run: RunId,
        manifest_sha256: &str,
        destination: &Path,
        dataset: Option<&Path>,
    ) -> Result<(), StoreError> {
        self.require_unfinished(run)?;
        self.require_in_place()?;
        self.change("announce a report in", |connection| {
            let mut run = runs::one(connection, run)?;
            run.manifests.push(manifest_sha256.to_owned());
            run.destination = Some(destination.to_string_lossy().into_owned());
            run.dataset = dataset.map(|dataset| dataset.to_string_lossy().into_owned());
            runs::replace(connection, &run)
        })
    }

    /// Marks a run as finished, and records its report and discrepancies. Nothing more is written to the run, unless
    /// the report is resumable and the run is continued.
    ///
    /// # Errors
    /// When there is no such run, or it is finished already.
    pub fn finish(
        &mut self,
        run: RunId,
        at: Timestamp,
        report: NewReport<'_>,
        findings: ReportFindings<'_>,
    ) -> Result<(), StoreError> {
        self.require_unfinished(run)?;
        self.change("mark a run finished in", |connection| {
            let run = runs::one(connection, run)?;
            let run_report = RunReport {
                verdict: report.verdict.to_owned(),
                is_resumable: report.is_resumable,
                manifest_sha256: report.manifest_sha256.to_owned(),
                folder: report.folder.to_string_lossy().into_owned(),
                first_at: run.report.as_ref().map_or(at, |earlier| earlier.first_at),
            };
            let run = Run { ended: Some((at, Ending::Reported)), report: Some(run_report), ..run };
            findings::record(connection, &run, findings)?;
            runs::replace(connection, &run)
        })
    }

    /// Marks a run as given up: it is never continued.
    ///
    /// # Errors
    /// When there is no such run, or it is finished already.
    pub fn give_up(&mut self, run: RunId, at: Timestamp) -> Result<(), StoreError> {
        self.require_unfinished(run)?;
        self.change("give up a run in", |connection| {
            let run = runs::one(connection, run)?;
            runs::replace(connection, &Run { ended: Some((at, Ending::GivenUp)), ..run })
        })
    }

    /// Reads every page of the file and checks tables against their indexes, which takes minutes with millions of
    /// orders.
    ///
    /// # Errors
    /// When the file is damaged or can't be read.
    pub fn check_pages(&self) -> Result<(), StoreError> {
        self.read(|connection| {
            let found: String = connection
                .query_row("PRAGMA integrity_check(1)", (), |row| row.get(0))
                .map_err(sqlite("check the pages of"))?;
            if found == "ok" { Ok(()) } else { Err(Problem::damaged("its pages", found.replace('\n', " "))) }
        })
    }

    /// Fails unless the path leads to the file that was opened: SQLite would create a new one there.
    fn require_in_place(&self) -> Result<(), StoreError> {
        self.read(|_| if identity(&self.path) == self.file { Ok(()) } else { Err(Problem::Moved) })
    }

    fn require_unfinished(&self, run: RunId) -> Result<(), StoreError> {
        self.read(|connection| match runs::one(connection, run)?.ended {
            Some(_) => Err(Problem::Finished { run }),
            None => Ok(()),
        })
    }

    /// Reads the state. Here and in [`Store::change`] a problem gets the path of the state.
    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Problem>) -> Result<T, StoreError> {
        work(&self.connection).map_err(|problem| problem.at(&self.path))
    }

    /// Changes the state in one transaction: completely or not at all.
    fn change<T>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Problem>,
    ) -> Result<T, StoreError> {
        change(&mut self.connection, doing, work).map_err(|problem| problem.at(&self.path))
    }
}

/// Changes the state in one transaction, completely or not at all, through the given connection.
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
