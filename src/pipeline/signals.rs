//! The signals that ask a job to stop.

use std::future::pending;
use std::{io, process, thread};

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// A signal that asks the job to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Signal {
    /// The exit code of a process that the signal ends: 128 plus the signal's number.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// Listens for signals on behalf of one job, from before its first phase until this and all clones are dropped.
///
/// The first signal asks the job to stop, which it does in its own time. A second one ends the process at once, and so
/// does the first one after this is dropped. The default action can't do that: tokio replaces it for good.
#[derive(Clone, Debug)]
pub struct Signals {
    first: watch::Receiver<Option<Signal>>,
}

impl Signals {
    /// Starts to listen, on a thread of its own: most of a job is synchronous, and must not delay a second signal.
    ///
    /// # Errors
    /// When the operating system refuses the handlers or the thread.
    pub fn listen() -> io::Result<Self> {
        let (job, first) = watch::channel(None);
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let (mut interrupt, mut terminate) = {
            let _entered = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        let listen = async move {
            let mut next = async || {
                tokio::select! {
                    _ = interrupt.recv() => Signal::Interrupt,
                    _ = terminate.recv() => Signal::Terminate,
                }
            };
            let first = next().await;
            let last = match job.send(Some(first)) {
                Ok(()) => next().await,
                // The job is over.
                Err(_) => first,
            };
            // This is safe whatever the other threads are doing: the state keeps all that is committed, the system
            // releases the locks, and the next job removes the hidden folder of an unfinished report. Nothing is
            // printed, since a thread that can't write may hold standard error.
            process::exit(last.exit_code().into())
        };
        thread::Builder::new().name("signals".to_owned()).spawn(move || runtime.block_on(listen))?;
        Ok(Self { first })
    }

    /// The first signal, if one has arrived.
    #[must_use]
    pub fn first(&self) -> Option<Signal> {
        *self.first.borrow()
    }

    /// Waits for the first signal. Returns at once if it has already arrived.
    pub(super) async fn wait(&self) -> Signal {
        let mut first = self.first.clone();
        match first.wait_for(Option::is_some).await.map(|first| *first) {
            Ok(Some(signal)) => signal,
            // Only the end of the process ends the listener.
            _ => pending().await,
        }
    }
}
