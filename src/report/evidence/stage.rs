//! A stage of a report's making: a thread that works off what it is given, in order, while the next is prepared.

use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crate::report::ReportError;

/// A thread that is given items of type `T` and ends with a `R`.
pub(in crate::report::evidence) struct Stage<T, R> {
    /// `None` once no more items follow.
    items: Option<SyncSender<T>>,
    /// `None` once it was waited for.
    thread: Option<JoinHandle<Result<R, ReportError>>>,
}

impl<T: Send + 'static, R: Send + 'static> Stage<T, R> {
    /// Starts the thread. At most `ahead` items wait for it.
    pub(in crate::report::evidence) fn start(
        name: &str,
        ahead: usize,
        work: impl FnOnce(Receiver<T>) -> Result<R, ReportError> + Send + 'static,
    ) -> io::Result<Self> {
        let (items, given) = sync_channel(ahead);
        let thread = thread::Builder::new().name(format!("tieout-{name}")).spawn(move || work(given))?;
        Ok(Self { items: Some(items), thread: Some(thread) })
    }

    /// Gives the thread an item, once there is room for it.
    ///
    /// # Errors
    /// The error that ended the thread.
    pub(in crate::report::evidence) fn give(&mut self, item: T) -> Result<(), ReportError> {
        match &self.items {
            Some(items) if items.send(item).is_ok() => Ok(()),
            _ => self.end().map(drop),
        }
    }

    /// Waits until the thread has worked off everything, and returns what it ends with.
    ///
    /// # Errors
    /// The error that ended the thread, the first time; then [`ReportError::Stopped`].
    pub(in crate::report::evidence) fn end(&mut self) -> Result<R, ReportError> {
        drop(self.items.take());
        let thread = self.thread.take().ok_or(ReportError::Stopped)?;
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}
