//! The one writer: a thread of its own that commits outcomes in groups.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::{RunId, StoreError, rows, schema};
use crate::domain::outcome::Outcome;

/// The most rows of one commit.
const GROUP: usize = 1_024;

/// Takes outcomes and commits them in groups: whatever has come in while the last group was being committed is the
/// next one, so a slow disk makes larger groups and not a longer queue.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    sender: Option<Sender<Outcome>>,
    thread: Option<JoinHandle<Result<(), StoreError>>>,
    committed: Arc<AtomicU64>,
}

impl Writer {
    pub(super) fn start(path: &Path, run: RunId, capacity: usize) -> Result<Self, StoreError> {
        let connection = schema::open(path)?;
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        let committed = Arc::new(AtomicU64::new(0));
        let (state, count) = (path.to_owned(), Arc::clone(&committed));
        let thread = thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || write(connection, &state, run, receiver, &count))
            .map_err(|source| StoreError::Thread { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), sender: Some(sender), thread: Some(thread), committed })
    }

    /// Hands over one outcome; waits while the writer is behind.
    ///
    /// # Errors
    /// When the writer has stopped: then the disk failed, and [`Writer::finish`] says how.
    pub async fn put(&self, outcome: Outcome) -> Result<(), StoreError> {
        let stopped = || StoreError::WriterStopped(self.path.clone());
        let sender = self.sender.as_ref().ok_or_else(stopped)?;
        sender.send(outcome).await.map_err(|_| stopped())
    }

    /// How many outcomes are committed.
    #[must_use]
    pub fn committed(&self) -> u64 {
        self.committed.load(Ordering::Acquire)
    }

    /// Waits until everything handed over is committed; returns how many outcomes are.
    ///
    /// # Errors
    /// What kept the writer from committing.
    pub fn finish(mut self) -> Result<u64, StoreError> {
        self.join()?;
        Ok(self.committed())
    }

    fn join(&mut self) -> Result<(), StoreError> {
        self.sender = None;
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(ended)) => ended,
            Some(Err(_)) => Err(StoreError::WriterStopped(self.path.clone())),
        }
    }
}

impl Drop for Writer {
    /// What was handed over is committed even so; nobody is left to hear of a failure.
    fn drop(&mut self) {
        let _ = self.join();
    }
}

fn write(
    mut connection: Connection,
    path: &Path,
    run: RunId,
    mut receiver: Receiver<Outcome>,
    committed: &AtomicU64,
) -> Result<(), StoreError> {
    let failed = StoreError::at(path);
    let mut group = Vec::with_capacity(GROUP);
    while receiver.blocking_recv_many(&mut group, GROUP) > 0 {
        commit(&mut connection, run, &group).map_err(&failed)?;
        committed.fetch_add(group.len() as u64, Ordering::Release);
        group.clear();
    }
    Ok(())
}

fn commit(connection: &mut Connection, run: RunId, group: &[Outcome]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction.prepare_cached(schema::INSERT_OUTCOME)?;
        group.iter().try_for_each(|outcome| rows::insert(&mut insert, run, outcome))?;
    }
    transaction.commit()
}
