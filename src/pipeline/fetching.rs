//! From input rows to committed outcomes: the asynchronous half of the corridor.

use std::io;
use std::pin::pin;

use futures::{StreamExt, TryStreamExt, stream};
use tokio::signal::unix::{SignalKind, signal};

use super::progress::Progress;
use super::{Job, JobError};
use crate::checks::judge;
use crate::domain::outcome::{Evidence, Outcome};
use crate::input::{Entry, InputError, Row};
use crate::provider::Provider;
use crate::store::RunId;

/// How many rows are in hand for each request in flight. A row that waits before a retry holds no permit, so others
/// may go ahead of it.
const IN_HAND_PER_PERMIT: usize = 4;

/// A signal that asks the job to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

/// What the fetching came to.
pub(super) struct Fetched {
    pub(super) committed: u64,
    pub(super) stopped_by: Option<Signal>,
}

/// Fetches every row's order and commits what was learnt. Whatever ends it, what was put into the store is
/// committed before this returns.
pub(super) async fn fetch_all(job: &Job, run: RunId) -> Result<Fetched, JobError> {
    let writer = job.store.writer(run, job.concurrency)?;
    let mut progress = Progress::start(job.display, job.input.rows());
    let mut stopped = pin!(stop_signal().map_err(JobError::Signals)?);
    let mut outcomes = stream::iter(job.input.read()?)
        .map(|row| outcome_of(row, &job.provider))
        .buffer_unordered(job.concurrency.saturating_mul(IN_HAND_PER_PERMIT));
    let ended = loop {
        tokio::select! {
            biased;
            signal = &mut stopped => break Ok(Some(signal)),
            next = outcomes.try_next() => match next {
                Ok(Some(outcome)) => {
                    progress.note(judge(&outcome, &job.judging).bucket, &outcome.evidence);
                    if let Err(error) = writer.put(outcome).await {
                        break Err(error.into());
                    }
                }
                Ok(None) => break Ok(None),
                Err(error) => break Err(error),
            },
        }
    };
    drop(outcomes);
    let committed = writer.finish().await;
    let unreached = progress.finish();
    // The writer knows best why nothing more could be put into the store.
    let committed = committed?;
    let stopped_by = ended?;
    if let (None, Some(reason), 0) = (stopped_by, unreached, job.provider.activity().http_replies) {
        return Err(JobError::Unreachable(reason));
    }
    Ok(Fetched { committed, stopped_by })
}

/// One row's walk to its outcome.
async fn outcome_of(row: Result<Row, InputError>, provider: &Provider) -> Result<Outcome, JobError> {
    let Row { line, entry } = row?;
    let (run_order_id, evidence) = match entry {
        Entry::Order(id) => {
            let evidence = provider.fetch(&id).await?;
            (id.to_string(), evidence)
        }
        Entry::Duplicate { id, first_line } => (id.to_string(), Evidence::Duplicate { first_line }),
        Entry::Rejected { text, reason } => (text, Evidence::Rejected(reason)),
    };
    Ok(Outcome { line, run_order_id, evidence })
}

/// Listens from now on; completes with the first signal.
fn stop_signal() -> io::Result<impl Future<Output = Signal>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => Signal::Interrupt,
            _ = terminate.recv() => Signal::Terminate,
        }
    })
}
