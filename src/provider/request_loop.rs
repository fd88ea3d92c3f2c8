//! One order or page from start to end: wait in line → GET → interpret the reply → done, or back in line after a wait.
//! No permit is held while waiting.

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Url;
use tokio::time::{sleep_until, timeout_at};

use super::answer::{Answer, FinalAnswer, Unavailable, presentable};
use super::clock::ClockReading;
use super::first_replies::{Conclusion, ReplySign};
use super::http::Reply;
use super::limit::LimitSigns;
use super::retry::{Attempts, Next};
use super::traffic::{EndReason, Lane, ReplyKind, Ticket, Turn};
use super::{Provider, Stop, wire};
use crate::domain::outcome::Reason;

impl Provider {
    /// Sends requests to the URL that `url` makes until the result is final. Also returns the decisive reply's body if it
    /// may be kept. `what` is requested, as the log shows it.
    pub(super) async fn request<K: FinalAnswer>(
        &self,
        what: impl fmt::Display,
        url: impl Fn() -> Url,
    ) -> Result<(K, Option<Vec<u8>>), Stop> {
        let mut attempts = Attempts::new(self.retries);
        let mut untried = Some(Untried::begin(self));
        loop {
            let lane = if attempts.is_untried() { Lane::Untried } else { Lane::Retry };
            let flight = match self.turn(lane).await {
                Ok(flight) => flight,
                Err(EndReason::Unfetched(reason)) => return Ok((Unavailable::Unfetched(reason).into(), None)),
                Err(EndReason::Stop(stop)) => return Err(stop),
            };
            let (answer, reply) = self.attempt::<K>(flight, url()).await;
            let reason = match &answer {
                Answer::Failed(reason) | Answer::Limited(reason) => Some(reason.clone()),
                Answer::Final(_) | Answer::KeyRejected(_) => None,
            };
            if !matches!(answer, Answer::Limited(_)) {
                untried = None;
            }
            let answered = self.tally().answers;
            let next = attempts.next(answer, answered);
            log(&what, reason.as_ref(), &next, &attempts);
            match next {
                Next::Done(known) => return Ok((known, reply)),
                Next::Again => {}
                Next::AgainWithin(ceiling) => {
                    reason.iter().for_each(|reason| self.tally().retry(&reason.code));
                    self.back_off(ceiling).await;
                }
                Next::Stop(stop) => return Err(self.end(stop)),
            }
            debug_assert!(untried.is_some() == attempts.is_untried());
        }
    }

    /// Waits in line until a request may go out.
    async fn turn(&self, lane: Lane) -> Result<Flight<'_>, EndReason> {
        let mut line = pin!(self.lanes[lane as usize].lock());
        let ended = self.ended.notified();
        let _first_in_line = tokio::select! {
            biased;
            first = &mut line => first,
            () = ended => return Err(self.end_reason()),
        };
        loop {
            // Registered before the check, so that no notification is missed.
            let back = self.back.notified();
            let start = self.now();
            let turn = self.traffic().turn(start, lane);
            let (until, why) = match turn {
                Turn::Go(ticket) => {
                    self.tally().requests += 1;
                    return Ok(Flight { provider: self, ticket: Some(ticket), sent: start });
                }
                Turn::Ended(ended) => {
                    self.ended.notify_waiters();
                    return Err(ended);
                }
                Turn::Wait { until, why } => (until, why),
            };
            match until {
                Some(until) => _ = timeout_at(self.at(until), back).await,
                None => back.await,
            }
            self.tally().wait(why, self.now().saturating_sub(start));
        }
    }

    /// Sends one request and interprets the reply. Also returns the reply's body if it may be kept.
    async fn attempt<K: FinalAnswer>(&self, mut flight: Flight<'_>, url: Url) -> (Answer<K>, Option<Vec<u8>>) {
        // On the heap: else the future of each row in hand would be some 16 kB, and be moved several times.
        let got = Box::pin(self.http.get(url, self.deadline, || flight.note_departure())).await;
        let latency = self.now().saturating_sub(flight.sent);
        let (answer, kind, body) = match got {
            Err(reason) => (Answer::Failed(reason), ReplyKind::Failure, None),
            Ok(reply) => {
                self.tally().reply(latency, reply.body.as_ref().map_or(0, Vec::len));
                self.note_first(&reply);
                // One reading is enough, and looking for the envelope takes time.
                if self.clock.get().is_none()
                    && let Some(provider) = reply.date()
                    && reply.body.as_deref().is_ok_and(wire::is_envelope)
                {
                    self.clock.get_or_init(|| ClockReading { ours: Timestamp::now(), provider });
                }
                let signs = LimitSigns { codes: &self.retry_codes, has_retry_after: reply.retry_after.is_some() };
                let answer = Answer::of(reply.status, reply.body.as_deref().map_err(Clone::clone), signs);
                let kind = match &answer {
                    Answer::Limited(_) => ReplyKind::Limited(reply.retry_after.filter(|wait| !wait.is_zero())),
                    Answer::Failed(_) => ReplyKind::Failure,
                    Answer::Final(_) | Answer::KeyRejected(_) => ReplyKind::Answer,
                };
                self.tally().answers += u64::from(matches!(kind, ReplyKind::Answer));
                (answer, kind, reply.body.ok())
            }
        };
        flight.back(kind);
        (self.presentable(answer), body.filter(|body| str::from_utf8(body).is_ok_and(|text| !self.key.is_in(text))))
    }

    /// Uses the first replies to find out whether this is the provider's API and whether the key may read anything.
    fn note_first(&self, reply: &Reply) {
        if self.first().is_settled() {
            return;
        }
        let is_envelope = reply.body.as_deref().is_ok_and(wire::is_envelope);
        let concluded = self.first().note(ReplySign::of(reply.status, is_envelope), is_envelope);
        let status = reply.status;
        match concluded {
            None => {}
            Some(Conclusion::NotTheApi) => _ = self.end(Stop::NotTheApi(format!("http-{status}"))),
            Some(Conclusion::Forbidden) => {
                let detail =
                    "not requested: the first 20 replies were refusals; check that the key may read run orders";
                self.end_with(EndReason::Unfetched(Reason::new(format!("http-{status}"), detail)));
            }
        }
    }

    /// Waits before a retry, outside any line. Returns early when all requests have ended.
    async fn back_off(&self, ceiling: Duration) {
        let ended = self.ended.notified();
        if self.traffic().check_end(self.now()).is_some() {
            return;
        }
        let until = self.now() + self.traffic().back_off(ceiling);
        tokio::select! {
            () = sleep_until(self.deadline.map_or(self.at(until), |deadline| deadline.min(self.at(until)))) => {}
            () = ended => {}
        }
    }

    /// Makes every provider text in the answer fit to be shown. Facts that repeat the key are discarded as malformed:
    /// they are evidence, so nothing may be cut out of them.
    fn presentable<K: FinalAnswer>(&self, mut answer: Answer<K>) -> Answer<K> {
        let present = |reason: &mut Reason| {
            reason.detail = presentable(&reason.detail, |text| self.key.redact(text));
        };
        match &mut answer {
            Answer::KeyRejected(reason) | Answer::Failed(reason) | Answer::Limited(reason) => present(reason),
            Answer::Final(known) => {
                known.each_reason(present);
                if let Some(field) = known.field_with(|text| self.key.is_in(text)) {
                    let detail = format!("{field} repeats the API key; report it to the provider");
                    answer = Answer::Final(Unavailable::Malformed(Reason::new("holds-key", detail)).into());
                }
            }
        }
        answer
    }
}

/// Logs what follows an answer. The reason is that of a failure, or of a limit to the rate.
fn log<K>(what: &impl fmt::Display, reason: Option<&Reason>, next: &Next<K>, attempts: &Attempts) {
    let code = reason.map_or("", |reason| &reason.code);
    let detail = reason.map_or("", |reason| &reason.detail);
    match next {
        Next::Again => tracing::info!(requested = %what, reason = code, detail, "retry: the provider limits the rate"),
        Next::AgainWithin(wait) => {
            let (retry, within_ms) = (attempts.failures(), u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
            tracing::info!(requested = %what, reason = code, detail, retry, within_ms, "retry after a failure");
        }
        Next::Done(_) if reason.is_some() => {
            tracing::info!(requested = %what, reason = code, detail, "given up after the last retry");
        }
        Next::Done(_) => tracing::debug!(requested = %what, "answered"),
        // The command itself reports why everything stops.
        Next::Stop(_) => {}
    }
}

/// Counts an order or page as untried until dropped.
struct Untried<'p>(&'p Provider);

impl<'p> Untried<'p> {
    fn begin(provider: &'p Provider) -> Self {
        provider.traffic().begin();
        Self(provider)
    }
}

impl Drop for Untried<'_> {
    fn drop(&mut self) {
        self.0.traffic().tried();
    }
}

/// A request in flight. Its ticket is handed back however the request ends.
struct Flight<'p> {
    provider: &'p Provider,
    /// `None` once handed back.
    ticket: Option<Ticket>,
    sent: Duration,
}

impl Flight<'_> {
    fn note_departure(&mut self) {
        if let Some(ticket) = &mut self.ticket {
            self.provider.traffic().note_departure(self.provider.now(), ticket);
        }
    }

    fn back(&mut self, kind: ReplyKind) {
        let Some(ticket) = self.ticket.take() else {
            return;
        };
        if matches!(kind, ReplyKind::Limited(_)) {
            self.provider.tally().throttled += 1;
        }
        self.provider.traffic().back(self.provider.now(), ticket, kind);
        self.provider.back.notify_waiters();
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.back(ReplyKind::Nothing);
    }
}
