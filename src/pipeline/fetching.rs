//! From input rows to committed outcomes: the asynchronous half of the corridor.

use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;
use std::{io, iter};

use futures::{StreamExt, TryStreamExt, future, stream};
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::time::{Instant, interval, sleep};

use super::progress::Progress;
use super::{Job, JobError};
use crate::checks::judge;
use crate::domain::outcome::{Evidence, Outcome};
use crate::input::{Entry, InputError, Row};
use crate::provider::{Provider, Stop};
use crate::store::{RunId, Writer};

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

/// How often the progress is shown while nothing happens.
const SHOW_EVERY: Duration = Duration::from_millis(200);
/// How long requests in flight may take to end after a signal.
const LAST_REPLIES: Duration = Duration::from_secs(10);

/// What the fetching came to.
pub(super) struct Fetched {
    pub(super) committed: u64,
    pub(super) stopped_by: Option<Signal>,
    pub(super) elapsed: Duration,
}

/// Fetches every row's order and commits what was learnt. Whatever ends it, what was put into the store is
/// committed before this returns.
pub(super) async fn fetch_all(job: &Job, run: RunId) -> Result<Fetched, JobError> {
    let start = Instant::now();
    let writer = job.store.writer(run, job.concurrency)?;
    let mut progress = Progress::start(job.display, job.input.rows());
    let mut signals = Signals::listen().map_err(JobError::Signals)?;
    let ended = fetch_into(&writer, job, &mut progress, &mut signals).await;
    let committed = writer.finish().await;
    let unreached = progress.finish();
    // The writer knows best why nothing more could be put into the store.
    let committed = committed?;
    let stopped_by = ended?;
    if let (None, Some(reason), 0) = (stopped_by, unreached, job.provider.activity().replies) {
        return Err(JobError::Unreachable(reason));
    }
    Ok(Fetched { committed, stopped_by, elapsed: start.elapsed() })
}

/// Puts every row's outcome into the store. After a signal nothing more is asked, and what is in flight has a while to
/// end; after a second signal it has none. Returns the first signal.
async fn fetch_into(
    writer: &Writer,
    job: &Job,
    progress: &mut Progress,
    signals: &mut Signals,
) -> Result<Option<Signal>, JobError> {
    let provider = &job.provider;
    let is_stopping = Cell::new(false);
    let rows = job.input.read()?.chain(iter::from_fn(|| {
        provider.no_order_follows();
        None
    }));
    let rows = stream::iter(rows).take_while(|_| future::ready(!is_stopping.get()));
    let in_hand = job.concurrency.saturating_mul(IN_HAND_PER_PERMIT);
    let mut outcomes = pin!(rows.map(|row| outcome_of(row, provider)).buffer_unordered(in_hand));
    let mut show = interval(SHOW_EVERY);
    let mut patience = pin!(sleep(Duration::MAX));
    let mut stopped_by = None;
    loop {
        tokio::select! {
            biased;
            signal = signals.next() => match stopped_by {
                Some(_) => break Ok(stopped_by),
                None => {
                    stopped_by = Some(signal);
                    is_stopping.set(true);
                    provider.stop();
                    patience.as_mut().reset(Instant::now() + LAST_REPLIES);
                }
            },
            () = &mut patience => break Ok(stopped_by),
            next = outcomes.try_next() => match next {
                Ok(Some(Some(outcome))) => {
                    progress.note(judge(&outcome, &job.judging).bucket, &outcome.evidence);
                    writer.put(outcome).await?;
                }
                Ok(Some(None)) => {}
                Ok(None) => break Ok(stopped_by),
                Err(error) => break Err(error),
            },
            _ = show.tick() => progress.show(&provider.activity()),
        }
    }
}

/// One row's walk to its outcome; `None` where it was not begun before the job was stopped.
async fn outcome_of(row: Result<Row, InputError>, provider: &Provider) -> Result<Option<Outcome>, JobError> {
    let Row { line, entry } = row?;
    let (run_order_id, evidence) = match entry {
        Entry::Order(id) => match provider.fetch(&id).await {
            Ok(evidence) => (id.to_string(), evidence),
            Err(Stop::Called) => return Ok(None),
            Err(stop) => return Err(stop.into()),
        },
        Entry::Duplicate { id, first_line } => (id.to_string(), Evidence::Duplicate { first_line }),
        Entry::Rejected { text, reason } => (text, Evidence::Rejected(reason)),
    };
    Ok(Some(Outcome { line, run_order_id, evidence }))
}

/// The signals that ask the job to stop, from the moment it listens.
struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }
}
