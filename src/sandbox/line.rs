//! What a request can ask of its connection, and how everything learns that the sandbox stops.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Notify, watch};

/// One connection, as seen by the requests that arrive over it.
#[derive(Default)]
pub(super) struct Line {
    reset: AtomicBool,
    closing: Notify,
}

impl Line {
    /// When the connection closes, it is by a reset.
    pub(super) fn reset(&self) {
        self.reset.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_reset(&self) -> bool {
        self.reset.load(Ordering::Relaxed)
    }

    /// Closes the connection once what is under way has been sent.
    pub(super) fn close(&self) {
        self.closing.notify_one();
    }

    pub(super) async fn closed(&self) {
        self.closing.notified().await;
    }
}

/// Closes the connection without another byte.
#[derive(Debug, thiserror::Error)]
#[error("a planned fault of the sandbox")]
pub(super) struct HangUp;

/// Tells when the sandbox is asked to stop.
#[derive(Clone)]
pub(super) struct Stopping(watch::Receiver<()>);

impl Stopping {
    /// The sandbox stops once the sender is dropped.
    pub(super) fn new() -> (watch::Sender<()>, Self) {
        let (sender, receiver) = watch::channel(());
        (sender, Self(receiver))
    }

    /// Waits until the sandbox is asked to stop.
    pub(super) async fn requested(&mut self) {
        while self.0.changed().await.is_ok() {}
    }
}
