//! The one writer of a run: a thread that commits outcomes in groups.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior, ffi};
use tokio::runtime::{self, Runtime};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::error::{StoreError, io, sqlite};
use super::{RunId, rows, schema};
use crate::domain::outcome::Outcome;

/// The most outcomes that one transaction commits.
const GROUP_ROWS: usize = 1_024;
/// How long the first outcome of a group waits for others.
const GROUP_WAIT: Duration = Duration::from_millis(20);
/// What the writer does, for its errors.
const WRITING: &str = "write to";

/// Commits the outcomes of one run, in groups, on a thread of its own.
///
/// An outcome that was put is queued, not yet committed. [`Writer::finish`] commits everything queued and says
/// whether that succeeded; merely dropping the writer commits it too (and blocks until then), but an error is
/// then lost.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    /// `None` once closed.
    queue: Option<mpsc::Sender<Outcome>>,
    progress: Arc<Progress>,
    /// Resolves when the thread has ended, however it did.
    ended: oneshot::Receiver<()>,
    /// `None` once joined.
    thread: Option<JoinHandle<()>>,
}

/// What the thread tells the others.
#[derive(Debug, Default)]
struct Progress {
    committed: AtomicU64,
    failure: OnceLock<StoreError>,
}

impl Writer {
    pub(super) fn start(path: &Path, run: RunId, capacity: usize) -> Result<Self, StoreError> {
        const STARTING: &str = "start the writer of";
        let connection = schema::connect(path)?;
        let runtime = runtime::Builder::new_current_thread().enable_time().build().map_err(io(path, STARTING))?;
        let (queue, receiver) = mpsc::channel(capacity.clamp(1, Semaphore::MAX_PERMITS));
        let (end, ended) = oneshot::channel::<()>();
        let progress = Arc::new(Progress::default());
        let mut work =
            Work { path: path.to_owned(), run, connection, runtime, receiver, progress: Arc::clone(&progress) };
        let thread = thread::Builder::new()
            .name("tieout-store".to_owned())
            .spawn(move || {
                work.until_closed();
                // The file is closed before the end is told.
                drop(work);
                drop(end);
            })
            .map_err(io(path, STARTING))?;
        Ok(Self { path: path.to_owned(), queue: Some(queue), progress, ended, thread: Some(thread) })
    }

    /// Queues one outcome, waiting for room where the thread can't keep up.
    ///
    /// # Errors
    /// As soon as the thread has failed, its error. Everything that was not committed by then is lost.
    pub async fn put(&self, outcome: Outcome) -> Result<(), StoreError> {
        if let Some(failure) = self.progress.failure.get() {
            return Err(failure.clone());
        }
        let Some(queue) = &self.queue else {
            return Err(self.failure());
        };
        queue.send(outcome).await.map_err(|_| self.failure())
    }

    /// How many outcomes are committed by now.
    #[must_use]
    pub fn committed(&self) -> u64 {
        self.progress.committed.load(Ordering::Acquire)
    }

    /// Commits everything queued and says how many outcomes this writer committed in all.
    ///
    /// # Errors
    /// What stopped the thread: then only [`Writer::committed`] of what was put is in the state.
    pub async fn finish(mut self) -> Result<u64, StoreError> {
        self.queue = None;
        // Told by dropping the other end, so the error is the good news.
        let _ = (&mut self.ended).await;
        let joined = self.thread.take().is_some_and(|thread| thread.join().is_ok());
        if joined && self.progress.failure.get().is_none() { Ok(self.committed()) } else { Err(self.failure()) }
    }

    fn failure(&self) -> StoreError {
        let failure = self.progress.failure.get().cloned();
        failure.unwrap_or_else(|| StoreError::WriterLost { path: self.path.clone() })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // There is nobody left to tell whether it ended well.
            let _ = thread.join();
        }
    }
}

/// What the thread owns.
struct Work {
    path: PathBuf,
    run: RunId,
    connection: Connection,
    /// For the timer of a group; nothing else runs on it.
    runtime: Runtime,
    receiver: mpsc::Receiver<Outcome>,
    progress: Arc<Progress>,
}

impl Work {
    fn until_closed(&mut self) {
        loop {
            let group = self.runtime.block_on(next_group(&mut self.receiver));
            let Some(rows) = u64::try_from(group.len()).ok().filter(|rows| *rows > 0) else {
                return;
            };
            match commit(&mut self.connection, &self.path, self.run, group) {
                Ok(()) => self.progress.committed.fetch_add(rows, Ordering::Release),
                Err(failure) => {
                    // Set before the queue closes, so that whoever finds it closed finds the reason.
                    let _ = self.progress.failure.set(failure);
                    return;
                }
            };
        }
    }
}

/// Waits for an outcome, then a little for others. Empty once the queue is closed and drained.
async fn next_group(receiver: &mut mpsc::Receiver<Outcome>) -> Vec<Outcome> {
    let mut group = Vec::new();
    let mut received = receiver.recv_many(&mut group, GROUP_ROWS).await;
    let deadline = Instant::now() + GROUP_WAIT;
    while received > 0 && group.len() < GROUP_ROWS {
        let room = GROUP_ROWS - group.len();
        received = timeout_at(deadline, receiver.recv_many(&mut group, room)).await.unwrap_or(0);
    }
    group
}

/// Commits a group whole or not at all.
pub(super) fn commit(
    connection: &mut Connection,
    path: &Path,
    run: RunId,
    group: Vec<Outcome>,
) -> Result<(), StoreError> {
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite(path, WRITING))?;
    insert(&transaction, path, run, group)?;
    transaction.commit().map_err(sqlite(path, WRITING))
}

/// Writes a group within a transaction.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    path: &Path,
    run: RunId,
    group: Vec<Outcome>,
) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(&rows::insert()).map_err(sqlite(path, WRITING))?;
    for outcome in group {
        let line = rows::integer("line", outcome.line).map_err(|problem| problem.at(path))?;
        let values = rows::values(run, outcome).map_err(|problem| problem.at(path))?;
        statement.execute(rusqlite::params_from_iter(values)).map_err(|error| {
            match error.sqlite_extended_error_code() {
                Some(ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => {
                    StoreError::AlreadyStored { path: path.to_owned(), run, line }
                }
                _ => sqlite(path, WRITING)(error),
            }
        })?;
    }
    Ok(())
}
