//! A stage of the work: a thread that works off what it is given, in order, while the next is prepared.

use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// A thread that is given items of type `T` and ends with a `R`, or with an error `E`.
pub(crate) struct Stage<T, R, E> {
    /// `None` once no more items follow.
    items: Option<SyncSender<T>>,
    /// `None` once it was waited for.
    thread: Option<JoinHandle<Result<R, E>>>,
    /// The error for using it after its end.
    ended: fn() -> E,
}

impl<T: Send + 'static, R: Send + 'static, E: Send + 'static> Stage<T, R, E> {
    /// Starts the thread. At most `ahead` items wait for it. Using it after its end is the error `ended`.
    pub(crate) fn start(
        name: &str,
        ahead: usize,
        ended: fn() -> E,
        work: impl FnOnce(Receiver<T>) -> Result<R, E> + Send + 'static,
    ) -> io::Result<Self> {
        let (items, given) = sync_channel(ahead);
        let thread = thread::Builder::new().name(format!("tieout-{name}")).spawn(move || work(given))?;
        Ok(Self { items: Some(items), thread: Some(thread), ended })
    }

    /// Gives the thread an item, once there is room for it.
    ///
    /// # Errors
    /// The error that ended the thread.
    pub(crate) fn give(&mut self, item: T) -> Result<(), E> {
        match &self.items {
            Some(items) if items.send(item).is_ok() => Ok(()),
            _ => self.end().map(drop),
        }
    }

    /// Waits until the thread has worked off everything, and returns what it ends with.
    ///
    /// # Errors
    /// The error that ended the thread, the first time; then the one that [`Self::start`] was given.
    pub(crate) fn end(&mut self) -> Result<R, E> {
        drop(self.items.take());
        let thread = self.thread.take().ok_or_else(self.ended)?;
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}
