//! Outcomes on their way to the thread that commits them.

use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{AcquireError, Semaphore};

use super::insert::Learnt;

/// How long the first outcome of a group waits for others.
const GROUP_WAIT: Duration = Duration::from_millis(5);

/// A queue with room for what may be uncommitted, from tasks to one thread.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    news: Condvar,
    /// A permit for each outcome that may be put before others are committed; closed once nothing is committed any more.
    room: Semaphore,
    /// A group of so many waits for no others: while it is committed there is room for as many.
    enough: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    outcomes: Vec<Learnt>,
    /// Nothing more is put.
    is_closed: bool,
}

impl Queue {
    /// A queue for at most `capacity` uncommitted outcomes, at least one.
    pub(super) fn new(capacity: usize) -> Self {
        let room = capacity.clamp(1, Semaphore::MAX_PERMITS);
        let (waiting, news) = (Mutex::default(), Condvar::new());
        Self { waiting, news, room: Semaphore::new(room), enough: (room / 2).max(1) }
    }

    /// Puts an outcome once there is room. Fails once nothing is committed any more.
    pub(super) async fn put(&self, learnt: Learnt) -> Result<(), AcquireError> {
        // Given back with the commit.
        self.room.acquire().await?.forget();
        let mut waiting = self.waiting();
        waiting.outcomes.push(learnt);
        let count = waiting.outcomes.len();
        drop(waiting);
        // To wake the thread for each outcome would cost more than to commit it.
        if count == 1 || count == self.enough {
            self.news.notify_one();
        }
        Ok(())
    }

    /// Nothing more is put.
    pub(super) fn close(&self) {
        self.waiting().is_closed = true;
        self.news.notify_one();
    }

    /// Waits for an outcome, then a little for others. Empty once the queue is closed and drained.
    pub(super) fn next_group(&self) -> Vec<Learnt> {
        let nothing = |waiting: &mut Waiting| waiting.outcomes.is_empty() && !waiting.is_closed;
        let first = self.news.wait_while(self.waiting(), nothing).unwrap_or_else(PoisonError::into_inner);
        let few = |waiting: &mut Waiting| waiting.outcomes.len() < self.enough && !waiting.is_closed;
        let group = self.news.wait_timeout_while(first, GROUP_WAIT, few).unwrap_or_else(PoisonError::into_inner);
        let (mut waiting, _) = group;
        mem::take(&mut waiting.outcomes)
    }

    /// So many of those taken are committed.
    pub(super) fn committed(&self, outcomes: usize) {
        self.room.add_permits(outcomes);
    }

    /// Nothing is committed any more.
    pub(super) fn abandon(&self) {
        self.room.close();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Whoever panicked with it in hand left it usable: no change of it can stop half-way.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
