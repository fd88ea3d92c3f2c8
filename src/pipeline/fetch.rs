//! From input rows to committed outcomes: the asynchronous half of the corridor.

use std::cell::Cell;
use std::iter;
use std::pin::pin;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, future, stream};
use jiff::Timestamp;
use tokio::time::{Instant, interval, sleep};

use super::list_walk::OrderList;
use super::progress::{Progress, SHOW_EVERY};
use super::resume::Start;
use super::{Job, JobError};
use crate::checks::judge;
use crate::domain::id::RunOrderId;
use crate::domain::outcome::{Background, Evidence, Outcome};
use crate::input::{Entry, InputError, Row};
use crate::provider::{Fetch, Stop};
use crate::store::{Learnt, Recall, Writer};

/// How many rows are in hand for each request in flight. A row that waits before a retry holds no permit, so others
/// may go ahead of it.
const IN_HAND_PER_PERMIT: usize = 4;

/// How many rows are in hand, and may be learnt of but not committed yet.
const fn in_hand(job: &Job) -> usize {
    job.session.concurrency.saturating_mul(IN_HAND_PER_PERMIT)
}

/// How long requests in flight may take to end after a signal.
const LAST_REPLIES: Duration = Duration::from_secs(10);

/// What the fetching came to.
pub(super) struct Fetched {
    pub(super) elapsed: Duration,
    /// The provider's own list of orders.
    pub(super) list: OrderList,
}

/// Fetches every row's order and commits what was learnt. Whatever ends it, what was put into the store is
/// committed before this returns.
pub(super) async fn fetch_all(job: &Job, begun: &Start, recall: Option<&Recall>) -> Result<Fetched, JobError> {
    let is_open =
        |row: &Result<Row, InputError>| row.as_ref().map_or(true, |row| begun.done.binary_search(&row.line).is_err());
    let rows = job.input.read()?.filter(is_open);
    let progress = Progress::start(job.session.display, job.input.rows(), begun.done.len() as u64);
    let walk = Walk { job, recall, is_confirmation: false };
    let (fetched, unreached) = walk.every(rows, begun, progress).await?;
    let activity = job.session.provider.activity();
    match unreached.filter(|_| begun.done.is_empty() && !activity.is_the_api) {
        None => Ok(fetched),
        Some(reason) if activity.replies == 0 => Err(JobError::Unreachable(reason)),
        Some(reason) => Err(Stop::NotTheApi(reason).into()),
    }
}

/// Fetches the orders on those lines once more. What can't be had again stays as it is.
pub(super) async fn fetch_again(job: &Job, begun: &Start, orders: Vec<(u64, RunOrderId)>) -> Result<Fetched, JobError> {
    let progress = Progress::start(job.session.display, orders.len() as u64, 0);
    let rows = orders.into_iter().map(|(line, id)| Ok(Row { line, entry: Entry::Order(id), booking: None }));
    let walk = Walk { job, recall: None, is_confirmation: true };
    Ok(walk.every(rows, begun, progress).await?.0)
}

/// The walk of rows to their outcomes.
struct Walk<'j> {
    job: &'j Job,
    recall: Option<&'j Recall>,
    /// Whether the rows have an outcome already.
    is_confirmation: bool,
}

impl Walk<'_> {
    /// Walks every row, and commits what is learnt; says too why the first row that was not fetched was not.
    async fn every(
        &self,
        rows: impl Iterator<Item = Result<Row, InputError>>,
        begun: &Start,
        mut progress: Progress,
    ) -> Result<(Fetched, Option<String>), JobError> {
        let job = self.job;
        let start = Instant::now();
        let writer = job.session.store.writer(begun.run, in_hand(job), job.memory.keeps_replies)?;
        let ended = self.fetch_into(rows, &writer, &mut progress).await;
        let committed = writer.finish().await;
        let unreached = progress.finish();
        // The writer knows best why nothing more could be put into the store.
        committed?;
        ended?;
        Ok((Fetched { elapsed: start.elapsed(), list: OrderList::Unwanted }, unreached))
    }

    /// Puts every row's outcome into the store. After a signal nothing more is asked, and what is in flight has a while
    /// to end; then this is [`JobError::Stopped`].
    async fn fetch_into(
        &self,
        rows: impl Iterator<Item = Result<Row, InputError>>,
        writer: &Writer,
        progress: &mut Progress,
    ) -> Result<(), JobError> {
        let job = self.job;
        let provider = &job.session.provider;
        let is_stopping = Cell::new(false);
        let rows = rows.chain(iter::from_fn(|| {
            provider.no_order_follows();
            None
        }));
        let rows = stream::iter(rows).take_while(|_| future::ready(!is_stopping.get()));
        let mut learnt = pin!(rows.map(|row| self.learn(row)).buffer_unordered(in_hand(job)));
        let mut show = interval(SHOW_EVERY);
        let mut patience = pin!(sleep(Duration::MAX));
        let mut signal = pin!(job.session.signals.wait());
        let background = Background::default();
        loop {
            tokio::select! {
                biased;
                _ = &mut signal, if !is_stopping.get() => {
                    is_stopping.set(true);
                    provider.stop();
                    patience.as_mut().reset(Instant::now() + LAST_REPLIES);
                }
                () = &mut patience => break job.check_signals(),
                next = learnt.try_next() => match next {
                    Ok(Some(Some(learnt))) => {
                        let outcome = learnt.outcome();
                        let judgement = judge(outcome, &background, &job.rules, job.as_of);
                        progress.note(judgement.bucket, &outcome.evidence);
                        writer.put(learnt).await?;
                    }
                    Ok(Some(None)) => {}
                    Ok(None) => break job.check_signals(),
                    Err(error) => break Err(error),
                },
                _ = show.tick() => progress.show(&provider.activity()),
            }
        }
    }

    /// One row's walk to its outcome; `None` where it was not begun before the job was stopped, and where an order could
    /// not be had once more.
    async fn learn(&self, row: Result<Row, InputError>) -> Result<Option<Learnt>, JobError> {
        let Row { line, entry, booking } = row?;
        let told = |run_order_id, evidence| {
            Ok(Some(Learnt::of(Outcome { line, run_order_id, evidence }, Timestamp::now()).booked(booking.clone())))
        };
        let id = match entry {
            Entry::Duplicate { id, first_line } => return told(id.to_string(), Evidence::Duplicate { first_line }),
            Entry::Rejected { text, reason } => return told(text, Evidence::Rejected(reason)),
            Entry::Order(id) => id,
        };
        let run_order_id = id.to_string();
        if let Some(recall) = self.recall
            && let Some(recalled) = recall.settled(&run_order_id)?
        {
            return Ok(Some(Learnt::recalled(line, run_order_id, Timestamp::now(), recalled).booked(booking)));
        }
        match self.job.session.provider.fetch(&id).await {
            Ok(Fetch { evidence: Evidence::Unfetched(_), .. }) if self.is_confirmation => Ok(None),
            Ok(Fetch { evidence, reply }) => {
                let outcome = Outcome { line, run_order_id, evidence };
                let learnt = Learnt::replied(outcome, Timestamp::now(), reply).booked(booking);
                Ok(Some(if self.is_confirmation { learnt.confirming() } else { learnt }))
            }
            Err(Stop::Called) => Ok(None),
            Err(stop) => Err(stop.into()),
        }
    }
}
