//! How a request controls its connection, and how all tasks learn that the sandbox stops.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Notify, watch};

/// One connection, as its requests see it.
#[derive(Default)]
pub(super) struct Line {
    reset: AtomicBool,
    closing: Notify,
}

impl Line {
    /// Makes the connection close with a reset instead of a normal close.
    pub(super) fn reset(&self) {
        self.reset.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_reset(&self) -> bool {
        self.reset.load(Ordering::Relaxed)
    }

    /// Closes the connection once the current reply has been sent.
    pub(super) fn close(&self) {
        self.closing.notify_one();
    }

    pub(super) async fn closed(&self) {
        self.closing.notified().await;
    }
}

/// The error that makes the server close the connection without sending another byte.
#[derive(Debug, thiserror::Error)]
#[error("a planned fault of the sandbox")]
pub(super) struct HangUp;

/// Signals that the sandbox is asked to stop.
#[derive(Clone)]
pub(super) struct Stopping(watch::Receiver<()>);

impl Stopping {
    /// The returned sender stops the sandbox when it is dropped.
    pub(super) fn new() -> (watch::Sender<()>, Self) {
        let (sender, receiver) = watch::channel(());
        (sender, Self(receiver))
    }

    /// Waits until the sandbox is asked to stop.
    pub(super) async fn requested(&mut self) {
        while self.0.changed().await.is_ok() {}
    }
}
