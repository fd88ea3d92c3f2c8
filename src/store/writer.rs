//! The one writer of a run: a thread that commits outcomes in groups.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::error::{Problem, StoreError, io, sqlite};
use super::insert::{Inserter, RowOutcome, WriterContext};
use super::queue::Queue;
use super::{RunId, change, schema};

/// Commits the outcomes of one run, in groups, on a thread of its own.
///
/// An outcome that was put is queued, not yet committed. [`Writer::finish`] commits everything queued and returns any
/// error. Dropping the writer commits it too (and blocks until then), but an error is lost.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    shared: Arc<Shared>,
    /// Resolves when the thread has ended, for whatever reason.
    ended: oneshot::Receiver<()>,
    /// `None` once joined.
    thread: Option<JoinHandle<()>>,
}

/// What a writer committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// How many outcomes.
    pub outcomes: u64,
    /// Whether an outcome may differ from what earlier runs saw of its order. If not, none does.
    pub may_differ: bool,
}

/// What the thread shares with the [`Writer`].
#[derive(Debug)]
struct Shared {
    queue: Queue,
    committed: AtomicU64,
    may_differ: AtomicBool,
    failure: OnceLock<Problem>,
}

impl Writer {
    pub(super) fn start(path: &Path, run: RunId, capacity: usize, keeps_replies: bool) -> Result<Self, Problem> {
        let connection = schema::connect(path)?;
        // It appends, so that a large cache would keep pages that are not needed again. In KiB.
        connection.pragma_update(None, "cache_size", -4096).map_err(sqlite("open"))?;
        let context = WriterContext::of(&connection, run)?;
        let (end, ended) = oneshot::channel::<()>();
        let shared = Arc::new(Shared {
            queue: Queue::new(capacity),
            committed: AtomicU64::new(0),
            may_differ: AtomicBool::new(context.may_differ),
            failure: OnceLock::new(),
        });
        let shared_too = Arc::clone(&shared);
        let mut work = Work { context, keeps_replies, connection, shared: shared_too };
        let thread = thread::Builder::new()
            .name("tieout-store".to_owned())
            .spawn(move || {
                work.until_closed();
                // The file is closed before the end is signalled.
                drop(work);
                drop(end);
            })
            .map_err(io("start the writer of"))?;
        Ok(Self { path: path.to_owned(), shared, ended, thread: Some(thread) })
    }

    /// Queues the outcome of one row. Waits while as many outcomes are uncommitted as the queue has room for.
    ///
    /// # Errors
    /// Once the thread has failed, its error. Everything not committed by then is lost.
    pub async fn put(&self, outcome: RowOutcome) -> Result<(), StoreError> {
        self.shared.queue.put(outcome).await.map_err(|_| self.failure())
    }

    /// How many outcomes are committed so far.
    #[must_use]
    pub fn committed(&self) -> u64 {
        self.shared.committed.load(Ordering::Acquire)
    }

    /// Commits everything queued, and returns what this writer committed in all.
    ///
    /// # Errors
    /// The error that stopped the thread. Then only what was committed before is in the state.
    pub async fn finish(mut self) -> Result<Written, StoreError> {
        self.shared.queue.close();
        // The thread signals its end by dropping the sender, so an error is expected.
        let _ = (&mut self.ended).await;
        let joined = self.thread.take().is_some_and(|thread| thread.join().is_ok());
        if !joined || self.shared.failure.get().is_some() {
            return Err(self.failure());
        }
        Ok(Written { outcomes: self.committed(), may_differ: self.shared.may_differ.load(Ordering::Acquire) })
    }

    fn failure(&self) -> StoreError {
        self.shared.failure.get().cloned().unwrap_or(Problem::WriterLost).at(&self.path)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.queue.close();
        if let Some(thread) = self.thread.take() {
            // An error can't be reported any more.
            let _ = thread.join();
        }
    }
}

/// What the thread owns.
struct Work {
    context: WriterContext,
    keeps_replies: bool,
    connection: Connection,
    shared: Arc<Shared>,
}

impl Work {
    fn until_closed(&mut self) {
        loop {
            let group = self.shared.queue.next_group();
            let rows = group.len();
            if rows == 0 {
                return;
            }
            match commit(&mut self.connection, &mut self.context, self.keeps_replies, group) {
                Ok(()) => {
                    self.shared.may_differ.store(self.context.may_differ, Ordering::Release);
                    self.shared.committed.fetch_add(rows as u64, Ordering::Release);
                    self.shared.queue.committed(rows);
                }
                Err(failure) => {
                    // Set before the queue is abandoned, so that a `put` that fails finds the reason.
                    let _ = self.shared.failure.set(failure);
                    return;
                }
            }
        }
    }
}

impl Drop for Work {
    /// Makes waiting tasks fail, however the thread ended, a panic included.
    fn drop(&mut self) {
        self.shared.queue.abandon();
    }
}

/// Commits a group in one transaction: all of it or nothing.
pub(super) fn commit(
    connection: &mut Connection,
    context: &mut WriterContext,
    keeps_replies: bool,
    group: Vec<RowOutcome>,
) -> Result<(), Problem> {
    *context = change(connection, "write to", |connection| {
        let mut inserter = Inserter::prepare(connection, *context, keeps_replies)?;
        group.into_iter().try_for_each(|outcome| inserter.insert(outcome))?;
        Ok(inserter.finish())
    })?;
    Ok(())
}
