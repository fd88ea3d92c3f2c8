//! The queue of outcomes for the thread that commits them.

use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{AcquireError, Semaphore};

use super::insert::RowOutcome;

/// How long the first outcome of a group waits for more.
const GROUP_WAIT: Duration = Duration::from_millis(5);

/// A queue from many tasks to one thread. Its capacity counts uncommitted outcomes, those already taken included.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    news: Condvar,
    /// A permit for each outcome that may be put before others are committed. Closed once the thread commits no more.
    room: Semaphore,
    /// A group of this size, half the capacity, does not wait for more: while it is committed, as many can be put.
    enough: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    outcomes: Vec<RowOutcome>,
    /// Whether no more outcomes follow.
    is_closed: bool,
}

impl Queue {
    /// A queue for at most `capacity` uncommitted outcomes, at least one.
    pub(super) fn new(capacity: usize) -> Self {
        let room = capacity.clamp(1, Semaphore::MAX_PERMITS);
        let (waiting, news) = (Mutex::default(), Condvar::new());
        Self { waiting, news, room: Semaphore::new(room), enough: (room / 2).max(1) }
    }

    /// Puts an outcome once there is room. Fails once the thread commits no more.
    pub(super) async fn put(&self, outcome: RowOutcome) -> Result<(), AcquireError> {
        // `committed` gives the permit back.
        self.room.acquire().await?.forget();
        let mut waiting = self.waiting();
        waiting.outcomes.push(outcome);
        let count = waiting.outcomes.len();
        drop(waiting);
        // Waking the thread for each outcome would cost more than committing it.
        if count == 1 || count == self.enough {
            self.news.notify_one();
        }
        Ok(())
    }

    /// Declares that no more outcomes follow.
    pub(super) fn close(&self) {
        self.waiting().is_closed = true;
        self.news.notify_one();
    }

    /// Waits for an outcome, then up to `GROUP_WAIT` for more. Empty once the queue is closed and drained.
    pub(super) fn next_group(&self) -> Vec<RowOutcome> {
        let nothing = |waiting: &mut Waiting| waiting.outcomes.is_empty() && !waiting.is_closed;
        let first = self.news.wait_while(self.waiting(), nothing).unwrap_or_else(PoisonError::into_inner);
        let few = |waiting: &mut Waiting| waiting.outcomes.len() < self.enough && !waiting.is_closed;
        let group = self.news.wait_timeout_while(first, GROUP_WAIT, few).unwrap_or_else(PoisonError::into_inner);
        let (mut waiting, _) = group;
        mem::take(&mut waiting.outcomes)
    }

    /// Makes room for as many outcomes as were committed.
    pub(super) fn committed(&self, outcomes: usize) {
        self.room.add_permits(outcomes);
    }

    /// Makes every further [`Queue::put`] fail: the thread commits no more.
    pub(super) fn abandon(&self) {
        self.room.close();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // A panic while it was locked left it usable: no change to it can stop half-way.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
