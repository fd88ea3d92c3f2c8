//! From input rows to committed outcomes: the asynchronous half of the pipeline.

use std::cell::Cell;
use std::iter;
use std::pin::pin;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, future, stream};
use jiff::Timestamp;
use tokio::time::{Instant, interval, sleep};

use super::list_walk::OrderList;
use super::progress::{Progress, SHOW_EVERY};
use super::resume::CurrentRun;
use super::{Job, JobError};
use crate::checks::{Judgement, STALE_PENDING, STALE_SOON, Soundness, judge};
use crate::domain::facts::OrderFacts;
use crate::domain::finding::Finding;
use crate::domain::id::RunOrderId;
use crate::domain::outcome::{Background, Bucket, Evidence, Outcome};
use crate::input::{Entry, InputError, Row};
use crate::provider::{Fetch, Stop};
use crate::store::{Recall, RowOutcome, Writer, Written};

/// How many rows are in hand for each request in flight. A row that waits before a retry holds no permit, so others
/// may go ahead of it.
const IN_HAND_PER_PERMIT: usize = 4;

/// How many rows may be in hand, and how many outcomes uncommitted.
const fn in_hand(job: &Job) -> usize {
    job.session.concurrency.saturating_mul(IN_HAND_PER_PERMIT)
}

/// How long requests in flight may take to end after a signal.
const LAST_REPLIES: Duration = Duration::from_secs(10);

/// What the fetch phase of a job yields.
pub(super) struct FetchPhase {
    pub(super) elapsed: Duration,
    /// The lines and orders whose reply alone fails a check that fetching again may clear; `None` if something else decides
    /// that as well: earlier jobs of the run, our books, or the provider's list.
    pub(super) doubtful: Option<Vec<(u64, RunOrderId)>>,
    /// Whether a reply may differ from what earlier runs saw of its order.
    pub(super) may_differ: bool,
    /// The provider's own list of orders.
    pub(super) list: OrderList,
}

/// Fetches every row's order and commits the outcomes. However it ends, what was put into the store is committed
/// before this returns.
pub(super) async fn fetch_all(
    job: &Job,
    current: &CurrentRun,
    recall: Option<&Recall>,
) -> Result<FetchPhase, JobError> {
    let is_open =
        |row: &Result<Row, InputError>| row.as_ref().map_or(true, |row| current.done.binary_search(&row.line).is_err());
    let rows = job.input.read()?.filter(is_open);
    let progress = Progress::start(job.session.display, job.session.texts, job.input.rows(), current.done.len() as u64);
    let is_by_reply_alone = current.done.is_empty() && job.rules.expect.is_empty() && job.rules.complete.is_none();
    let doubtful = (job.recheck && is_by_reply_alone).then(Vec::new);
    let fetcher = RowFetcher { job, recall, is_recheck: false };
    let (fetched, unreached) = fetcher.fetch_rows(rows, current, progress, doubtful).await?;
    let activity = job.session.provider.activity();
    match unreached.filter(|_| current.done.is_empty() && !activity.has_envelope) {
        None => Ok(fetched),
        Some(reason) if activity.replies == 0 => Err(JobError::Unreachable(reason)),
        Some(reason) => Err(Stop::NotTheApi(reason).into()),
    }
}

/// Fetches the orders on these lines again. An order that can't be fetched this time keeps its first outcome.
pub(super) async fn fetch_again(
    job: &Job,
    current: &CurrentRun,
    orders: Vec<(u64, RunOrderId)>,
) -> Result<FetchPhase, JobError> {
    let progress = Progress::start(job.session.display, job.session.texts, orders.len() as u64, 0);
    let rows = orders.into_iter().map(|(line, id)| Ok(Row { line, entry: Entry::Order(id), booking: None }));
    let fetcher = RowFetcher { job, recall: None, is_recheck: true };
    Ok(fetcher.fetch_rows(rows, current, progress, None).await?.0)
}

/// Takes rows to their outcomes.
struct RowFetcher<'j> {
    job: &'j Job,
    recall: Option<&'j Recall>,
    /// Whether this is a recheck of rows that already have an outcome.
    is_recheck: bool,
}

impl RowFetcher<'_> {
    /// Takes every row to its outcome and commits it. Also returns why the first unfetched row was not fetched, unless
    /// orders were reused.
    async fn fetch_rows(
        &self,
        rows: impl Iterator<Item = Result<Row, InputError>>,
        current: &CurrentRun,
        mut progress: Progress,
        mut doubtful: Option<Vec<(u64, RunOrderId)>>,
    ) -> Result<(FetchPhase, Option<String>), JobError> {
        let job = self.job;
        let start = Instant::now();
        let writer = job.session.store.writer(current.run, in_hand(job), job.memory.keeps_replies)?;
        let ended = self.fetch_into(rows, &writer, &mut progress, &mut doubtful).await;
        let written = writer.finish().await;
        let unreached = progress.finish();
        // If nothing more could be put into the store, the writer knows why.
        let Written { may_differ, .. } = written?;
        ended?;
        let (elapsed, list) = (start.elapsed(), OrderList::NotRequested);
        Ok((FetchPhase { elapsed, doubtful, may_differ, list }, unreached))
    }

    /// Puts every row's outcome into the store. After a signal no more requests are sent, and those in flight get
    /// `LAST_REPLIES` to end; then this returns [`JobError::Stopped`].
    async fn fetch_into(
        &self,
        rows: impl Iterator<Item = Result<Row, InputError>>,
        writer: &Writer,
        progress: &mut Progress,
        doubtful: &mut Option<Vec<(u64, RunOrderId)>>,
    ) -> Result<(), JobError> {
        let job = self.job;
        let provider = &job.session.provider;
        let is_stopping = Cell::new(false);
        let rows = rows.chain(iter::from_fn(|| {
            provider.no_order_follows();
            None
        }));
        let rows = stream::iter(rows).take_while(|_| future::ready(!is_stopping.get()));
        let mut outcomes = pin!(rows.map(|row| self.outcome_of(row)).buffer_unordered(in_hand(job)));
        let mut show = interval(SHOW_EVERY);
        let mut patience = pin!(sleep(Duration::MAX));
        let mut signal = pin!(job.session.signals.wait());
        let (background, soundness) = (Background::default(), Soundness::of(&job.rules));
        loop {
            tokio::select! {
                biased;
                _ = &mut signal, if !is_stopping.get() => {
                    is_stopping.set(true);
                    provider.stop();
                    patience.as_mut().reset(Instant::now() + LAST_REPLIES);
                }
                () = &mut patience => break job.check_signals(),
                next = outcomes.try_next() => match next {
                    Ok(Some(Some(row_outcome))) => {
                        let outcome = row_outcome.outcome();
                        if is_sound(outcome, &soundness) {
                            progress.note(Bucket::Reconciled, &outcome.evidence);
                        } else {
                            let judgement = judge(outcome, &background, &job.rules, job.as_of);
                            progress.note(judgement.bucket, &outcome.evidence);
                            if let Some(doubtful) = doubtful && is_doubtful(&judgement) {
                                doubtful.extend(order_on_line(outcome));
                            }
                        }
                        writer.put(row_outcome).await?;
                    }
                    Ok(Some(None)) => {}
                    Ok(None) => break job.check_signals(),
                    Err(error) => break Err(error),
                },
                _ = show.tick() => progress.show(&provider.activity()),
            }
        }
    }

    /// Takes one row to its outcome; `None` if the job was stopped before its request was sent, or if a recheck could
    /// not fetch the order.
    async fn outcome_of(&self, row: Result<Row, InputError>) -> Result<Option<RowOutcome>, JobError> {
        let Row { line, entry, booking } = row?;
        let without_request = |run_order_id, evidence| {
            Ok(Some(
                RowOutcome::of(Outcome { line, run_order_id, evidence }, Timestamp::now())
                    .with_booking(booking.clone()),
            ))
        };
        let id = match entry {
            Entry::Duplicate { id, first_line } => {
                return without_request(id.to_string(), Evidence::Duplicate { first_line });
            }
            Entry::Rejected { text, reason } => return without_request(text, Evidence::Rejected(reason)),
            Entry::Order(id) => id,
        };
        let run_order_id = id.to_string();
        if let Some(recall) = self.recall
            && let Some(reused) = recall.settled(&run_order_id)?
        {
            return Ok(Some(RowOutcome::reused(line, run_order_id, Timestamp::now(), reused).with_booking(booking)));
        }
        match self.job.session.provider.fetch(&id).await {
            Ok(Fetch { evidence: Evidence::Unfetched(_), .. }) if self.is_recheck => Ok(None),
            Ok(Fetch { evidence, reply }) => {
                let outcome = Outcome { line, run_order_id, evidence };
                let row_outcome = RowOutcome::with_reply(outcome, Timestamp::now(), reply).with_booking(booking);
                Ok(Some(if self.is_recheck { row_outcome.as_recheck() } else { row_outcome }))
            }
            Err(Stop::Called) => Ok(None),
            Err(stop) => Err(stop.into()),
        }
    }
}

/// Whether an outcome is a sound order, which passes every check.
fn is_sound(outcome: &Outcome, soundness: &Soundness) -> bool {
    let Evidence::Fetched(fetched) = &outcome.evidence else { return false };
    fetched.order.remarks.is_none() && soundness.holds(&outcome.run_order_id, &OrderFacts::of(&fetched.order))
}

/// Whether an outcome fails a check that fetching the order again may clear.
pub(super) fn is_doubtful(judgement: &Judgement) -> bool {
    judgement.findings.iter().any(may_clear)
}

/// The line and the order of an outcome; `None` if its row names no usable ID.
pub(super) fn order_on_line(outcome: &Outcome) -> Option<(u64, RunOrderId)> {
    RunOrderId::parse(&outcome.run_order_id).ok().map(|id| (outcome.line, id))
}

/// Whether fetching the order again may clear the finding. An order's age stays, however often it is fetched.
fn may_clear(finding: &Finding) -> bool {
    ![STALE_PENDING, STALE_SOON].contains(&finding.check)
}
